//! A thorough check: every row, every list, and each against the other.

use super::code;
use super::field::Field;
use super::lists::{Head, Lists};
use lucerne_codec::format::Problem;
use lucerne_codec::sparse::{BLOCK_DOCS, ListBlock};
use lucerne_codec::{Cancel, Error, Result};

/// A check of a field stops listing problems here.
const MAX_PROBLEMS: usize = 100;

/// Adds what is wrong with `field`.
pub(super) fn field(field: &Field, max_doc: u32, cancel: &Cancel, problems: &mut Vec<Problem>) -> Result<()> {
    let most = problems.len() + MAX_PROBLEMS;
    let mut note = |checked: Result<()>| match checked {
        Err(Error::Corrupt { file, offset, problem }) => {
            let problem = format!("damaged at byte {offset}: {problem}");
            problems.push(Problem { file, problem });
            Ok(problems.len() < most)
        }
        Err(other) => Err(other),
        Ok(()) => Ok(true),
    };
    note(rows(field, max_doc, cancel))?;
    let Some(lists) = &field.lists else { return Ok(()) };
    let (mut end, mut entries) = (0, 0);
    for index in 0..field.meta.dimensions as usize {
        cancel.check_every(64, index)?;
        let checked = list(field, lists, index, max_doc, end);
        if let Ok(head) = &checked {
            (end, entries) = (head.at + head.len(), entries + u64::from(head.docs));
        }
        if !note(checked.map(drop))? {
            return Ok(());
        }
    }
    if (end, entries) != (field.meta.lists, field.meta.entries) {
        let problem =
            format!("lists of {entries} entries in {end} bytes, the metadata says {:?}", field.meta);
        note(Err(lists.lists.corrupt(end, problem)))?;
    }
    Ok(())
}

fn rows(field: &Field, max_doc: u32, cancel: &Cancel) -> Result<()> {
    let (mut docs, mut end) = (0, 0);
    for doc in 0..max_doc {
        cancel.check_every(1_024, doc as usize)?;
        let (start, next) = field.rows.bounds(doc)?;
        let row = field.rows.row(doc)?;
        if start != end || !row.is_sound() {
            return Err(field.rows.rows.corrupt(start, format!("the row of document {doc} cannot be so")));
        }
        docs += u32::from(!row.is_empty());
        end = next;
    }
    if (docs, end) != (field.meta.docs, field.meta.rows()) {
        let problem = format!("{docs} rows in {end} bytes, the metadata says {:?}", field.meta);
        return Err(field.rows.rows.corrupt(end, problem));
    }
    Ok(())
}

fn list(field: &Field, lists: &Lists, index: usize, max_doc: u32, end: u64) -> Result<Head> {
    let head = lists.head(index)?;
    let wrong = |what: String| Err(lists.lists.corrupt(head.at, what));
    let Some(dimension) = lists.dimension(index) else { return wrong("a dimension is missing".to_owned()) };
    if index.checked_sub(1).and_then(|before| lists.dimension(before)) >= Some(dimension) || head.at != end {
        return wrong(format!("dimension {dimension} is out of order"));
    }
    let list = lists.list_at(&head)?;
    let mut before: Option<u32> = None;
    for block in list.blocks() {
        let ListBlock { number, max_code, .. } = block;
        let (places, codes) = list.of_block(block);
        if codes.iter().max() != Some(&max_code) {
            return wrong(format!(
                "{max_code} is not the greatest code in block {number} of dimension {dimension}"
            ));
        }
        for (place, own) in places.iter().zip(codes) {
            let doc = number * BLOCK_DOCS + u32::from(*place);
            if doc >= max_doc || before >= Some(doc) {
                return wrong(format!("document {doc} is out of order in the list of dimension {dimension}"));
            }
            before = Some(doc);
            let weight = field.rows.row(doc)?.iter().find(|(other, _)| *other == dimension);
            if weight.map(|(_, weight)| code(weight, head.max)) != Some(*own) {
                return wrong(format!("dimension {dimension} of document {doc} is not as in its row"));
            }
        }
    }
    Ok(head)
}

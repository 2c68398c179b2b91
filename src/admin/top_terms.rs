//! The most frequent terms of a field.

use crate::error::Result;
use crate::search::Searcher;
use lucerne_codec::Cancel;
use lucerne_codec::postings::Terms;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Terms read between two looks at the cancel flag.
const CANCEL_STEP: usize = 1_024;

/// The `limit` terms of a text or keyword field that most documents have, most frequent first, those of equal counts in
/// their order; deleted documents count until their segments are merged. It reads the field's dictionary in every segment.
/// None for a field that has no terms. What is no UTF-8 in a term is shown as �.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// use lucerne::{Cancel, Document, Index, Schema, admin};
///
/// let index = Index::create(folder.path(), Schema::builder().text("title").build()?)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new().with("title", "text editor"))?;
/// writer.commit()?;
/// writer.add(&Document::new().with("title", "hex editor"))?;
/// writer.commit()?;
/// let terms = admin::top_terms(&index.searcher()?, "title", 2, &Cancel::new())?;
/// assert_eq!(terms, [("editor".to_owned(), 2), ("hex".to_owned(), 1)]);
/// # Ok::<(), lucerne::Error>(())
/// ```
///
/// # Errors
/// When there is no such field, a file is damaged, or on cancellation.
pub fn top_terms(
    searcher: &Searcher,
    field: &str,
    limit: usize,
    cancel: &Cancel,
) -> Result<Vec<(String, u64)>> {
    let number = searcher.schema().require(field)?.number();
    let segments = searcher.snapshot().segments.iter();
    let fields = segments.filter_map(|segment| segment.reader.postings()?.field(number));
    let mut lists = fields.map(|postings| postings.terms(b"")).collect::<Result<Vec<_>, _>>()?;
    // The next term of every segment, the least first.
    let mut next = BinaryHeap::new();
    for (list, terms) in lists.iter_mut().enumerate() {
        push_next(&mut **terms, list, &mut next)?;
    }
    let mut top: BinaryHeap<Reverse<(u64, Reverse<Vec<u8>>)>> = BinaryHeap::new();
    let mut done = 0;
    while let Some(Reverse((term, list, count))) = next.pop() {
        cancel.check_every(CANCEL_STEP, done)?;
        done += 1;
        let mut docs = u64::from(count);
        advance(&mut lists, list, &mut next)?;
        while next.peek().is_some_and(|Reverse((same, ..))| *same == term) {
            let Some(Reverse((_, list, count))) = next.pop() else { break };
            docs += u64::from(count);
            advance(&mut lists, list, &mut next)?;
        }
        top.push(Reverse((docs, Reverse(term))));
        if top.len() > limit {
            top.pop();
        }
    }
    let sorted = top.into_sorted_vec().into_iter();
    Ok(sorted
        .map(|Reverse((docs, Reverse(term)))| (String::from_utf8_lossy(&term).into_owned(), docs))
        .collect())
}

/// A term, the list it comes from, and its documents there.
type Next = BinaryHeap<Reverse<(Vec<u8>, usize, u32)>>;

fn advance(lists: &mut [Box<dyn Terms + '_>], list: usize, next: &mut Next) -> Result<()> {
    lists.get_mut(list).map_or(Ok(()), |terms| push_next(&mut **terms, list, next))
}

fn push_next(terms: &mut (dyn Terms + '_), list: usize, next: &mut Next) -> Result<()> {
    if let Some((term, entry)) = terms.next()? {
        next.push(Reverse((term.to_vec(), list, entry.doc_freq)));
    }
    Ok(())
}

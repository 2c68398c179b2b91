//! A thorough check: every term, every document, every position.

use super::field::Field;
use lucerne_codec::format::Problem;
use lucerne_codec::postings::{FieldPostings, Impact, NO_MORE_DOCS, Terms};
use lucerne_codec::{BitSet, Cancel, Error, Result};

/// A check of a field stops listing damaged terms here.
const MAX_PROBLEMS: usize = 100;

/// Adds what is wrong with `field`.
pub(super) fn field(field: &Field, cancel: &Cancel, problems: &mut Vec<Problem>) -> Result<()> {
    let mut report = |error: Error| match error {
        Error::Corrupt { ref file, .. } => {
            problems.push(Problem { file: file.clone(), problem: error.to_string() });
            Ok(())
        }
        other => Err(other),
    };
    let mut seen = BitSet::empty(field.lists.max_doc);
    let mut terms = match field.dictionary.terms(&[]) {
        Ok(terms) => terms,
        Err(error) => return report(error),
    };
    let (mut count, mut damaged) = (0u64, 0);
    loop {
        cancel.check()?;
        let (entry, is_filtered) = match terms.next() {
            Ok(Some((term, entry))) => {
                (entry, field.spellings.as_ref().is_some_and(|spellings| !spellings.admits(term)))
            }
            Ok(None) => break,
            Err(error) => return report(error),
        };
        count += 1;
        let checked = match is_filtered {
            true => Err(field.dictionary.corrupt("a term that its filter does not have")),
            false => list(field, &entry, cancel, &mut seen),
        };
        if let Err(error) = checked {
            report(error)?;
            damaged += 1;
            if damaged == MAX_PROBLEMS {
                return Ok(());
            }
        }
    }
    let lengths = field.lengths();
    let tokens: u64 = (0..field.lists.max_doc).map(|doc| u64::from(lengths.get(doc))).sum();
    let stats = field.stats();
    if damaged == 0 && (count, tokens, seen.count()) != (stats.terms, stats.tokens, stats.docs) {
        let found = format!("{count} terms, {tokens} tokens, {} documents", seen.count());
        let problem = format!("field {}: {found}, the metadata says {stats:?}", field.meta.field.number);
        report(field.lists.post.corrupt(0, problem))?;
    }
    Ok(())
}

fn list(
    field: &Field,
    entry: &lucerne_codec::postings::TermEntry,
    cancel: &Cancel,
    seen: &mut BitSet,
) -> Result<()> {
    let wrong = |what: &str| Err(field.lists.post.corrupt(entry.handle & (u64::MAX >> 1), what));
    let lengths = field.lengths();
    let mut cursor = field.cursor(entry)?;
    let (whole, mut impact) = (cursor.whole(), cursor.impact(0)?);
    let (mut docs, mut positions) = (0u32, Vec::new());
    let members = field.members(entry)?;
    while cursor.doc() != NO_MORE_DOCS {
        let (doc, freq) = (cursor.doc(), cursor.freq()?);
        cancel.check_every(1 << 12, docs as usize)?;
        docs += 1;
        seen.insert(doc);
        if members.is_some_and(|members| !members.contains(doc)) {
            return wrong(&format!("document {doc} is not among the members"));
        }
        if impact.last_doc < doc {
            impact = cursor.impact(doc)?;
        }
        let bounded =
            |impact: &Impact| impact.pairs().iter().any(|pair| pair.0 >= freq && pair.1 <= lengths.get(doc));
        if !bounded(&impact) || !bounded(&whole) {
            return wrong(&format!("document {doc} is beyond its block's bounds"));
        }
        if field.meta.field.positions {
            cursor.positions(&mut positions)?;
            if positions.len() != freq as usize {
                return wrong(&format!("{} positions of {freq} in document {doc}", positions.len()));
            }
        }
        cursor.advance()?;
    }
    if members.is_some_and(|members| members.count() != docs || !members.has_sound_ranks()) {
        return wrong("it has other members than documents");
    }
    if docs == entry.doc_freq { Ok(()) } else { wrong(&format!("{docs} documents of {}", entry.doc_freq)) }
}

//! The values of a field in a segment, as numbers: column values, positions in a dictionary, or terms of an undeclared
//! field turned around.

use super::key::Key;
use super::plan::Source;
use crate::document::dynamic::{self, DYNAMIC_FIELD, Known};
use crate::error::Result;
use crate::search::part::Part;
use crate::search::sorted_runs::SortedRuns;
use lucerne_codec::columns::{KeywordColumn, NumberColumn, TakeValues};
use lucerne_codec::{BitSet, Cancel, DocId};
use std::borrow::Cow;

/// Values of an undeclared field taken together.
const TOGETHER: usize = 4_096;
/// Blocks of postings between two looks at the cancel flag.
const BLOCKS_STEP: usize = 16;

/// The values of a field in a segment.
pub(in crate::search) enum Column<'a> {
    /// No document has any.
    Empty,
    Numbers(&'a dyn NumberColumn),
    Keywords(&'a dyn KeywordColumn),
    Undeclared(Undeclared),
}

/// The values of an undeclared field, of some documents: ascending by document, then by value.
pub(in crate::search) struct Undeclared {
    docs: Vec<DocId>,
    values: Vec<i64>,
    /// What the values stand for; empty when they are column values themselves.
    keys: Vec<Key<'static>>,
}

impl<'a> Column<'a> {
    /// The values that members of `docs` have.
    pub(in crate::search) fn open(source: &Source, part: Part<'a>, docs: &BitSet) -> Result<Self> {
        let columns = part.segment.reader.columns();
        Ok(match source {
            Source::Numbers(field) => {
                columns.and_then(|columns| columns.numbers(*field)).map_or(Self::Empty, Self::Numbers)
            }
            Source::Keywords(field) => {
                columns.and_then(|columns| columns.keywords(*field)).map_or(Self::Empty, Self::Keywords)
            }
            Source::Undeclared { name, numbers_only } => {
                Self::Undeclared(uninverted(name, *numbers_only, part, docs)?)
            }
        })
    }

    /// The least and the greatest value that there may be; `None` when there is none.
    pub(super) fn bounds(&self) -> Option<(i64, i64)> {
        match self {
            Self::Empty => None,
            Self::Numbers(column) => Some(column.bounds()),
            Self::Keywords(column) => Some((0, i64::from(column.terms()) - 1)),
            Self::Undeclared(column) => {
                Some((*column.values.iter().min()?, column.values.iter().max().copied()?))
            }
        }
    }

    /// Calls `take` with all values of the members of `docs`, those that it was opened with.
    pub(in crate::search) fn take(
        &self,
        docs: &BitSet,
        cancel: &Cancel,
        take: &mut TakeValues<'_, i64>,
    ) -> Result<()> {
        match self {
            Self::Empty => Ok(()),
            Self::Numbers(column) => Ok(column.take_values(docs, cancel, take)?),
            Self::Keywords(column) => {
                let mut numbers = Vec::new();
                Ok(column.take_ordinals(docs, cancel, &mut |docs, ordinals| {
                    numbers.clear();
                    numbers.extend(ordinals.iter().map(|&ordinal| i64::from(ordinal)));
                    take(docs, &numbers)
                })?)
            }
            Self::Undeclared(column) => {
                let (mut docs, mut values) = (&*column.docs, &*column.values);
                while !docs.is_empty() {
                    cancel.check()?;
                    let last = docs.get(TOGETHER.min(docs.len()) - 1);
                    let len = docs.partition_point(|doc| Some(doc) <= last);
                    let (own, rest) = docs.split_at(len);
                    let (own_values, rest_values) = values.split_at(len);
                    take(own, own_values)?;
                    (docs, values) = (rest, rest_values);
                }
                Ok(())
            }
        }
    }

    /// What a value stands for.
    pub(in crate::search) fn key(&self, value: i64) -> Result<Key<'a>> {
        Ok(match self {
            Self::Keywords(column) => {
                Key::Text(Cow::Borrowed(column.term(u32::try_from(value).unwrap_or(u32::MAX))?))
            }
            Self::Undeclared(column) => {
                let key = usize::try_from(value).ok().and_then(|at| column.keys.get(at));
                key.cloned().unwrap_or(Key::Number(value))
            }
            Self::Empty | Self::Numbers(_) => Key::Number(value),
        })
    }
}

/// The values of an undeclared field from its terms, which lead from values to documents.
fn uninverted(name: &str, numbers_only: bool, part: Part<'_>, wanted: &BitSet) -> Result<Undeclared> {
    let mut keys = Vec::new();
    let mut found = SortedRuns::new(usize::MAX, <(DocId, i64)>::cmp);
    let postings = part.segment.reader.postings().and_then(|postings| postings.field(DYNAMIC_FIELD));
    if let Some(postings) = postings {
        let [first, end] = dynamic::values(name);
        let mut terms = postings.terms(&first)?;
        while let Some((term, entry)) = terms.next()? {
            part.cancel.check()?;
            if term >= &*end {
                break;
            }
            let key = match dynamic::known(name, term) {
                Some(Known::Number(nearest, difference)) => Key::Undeclared(nearest, difference),
                _ if numbers_only => continue,
                Some(Known::Bool(truth)) => Key::Bool(truth),
                Some(Known::Text(text)) => Key::Text(Cow::Owned(text.to_owned())),
                None => continue,
            };
            let value = match &key {
                Key::Undeclared(nearest, _) if numbers_only => *nearest,
                _ => keys.len() as i64,
            };
            let (mut cursor, mut blocks) = (postings.cursor(&entry)?, 0usize);
            loop {
                part.cancel.check_every(BLOCKS_STEP, blocks)?;
                blocks += 1;
                let docs = cursor.rest_of_block();
                let Some(last) = docs.last().copied() else { break };
                for doc in docs.iter().filter(|doc| wanted.contains(**doc)) {
                    found.push((*doc, value), part.cancel)?;
                }
                if last == DocId::MAX {
                    break;
                }
                cursor.seek(last + 1)?;
            }
            if !numbers_only {
                keys.push(key);
            }
        }
    }
    let (docs, values) = found.finish(part.cancel)?.into_iter().unzip();
    Ok(Undeclared { docs, values, keys })
}

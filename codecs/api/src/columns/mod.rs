//! Columns: the values of a field by document, to filter and to sort by.
//!
//! One structure per segment holds the columns of all its fields. A column holds *numbers* (64-bit signed
//! integers; what other types become as such is the engine's business) or *keywords* (strings, sorted into a
//! dictionary). A document has no, one or several values in a column.

mod merged;

pub use merged::MergedColumns;

use crate::format::{OpenContext, Problem, WriteContext, Written};
use crate::{BitSet, Cancel, DocId, MergeInput, Report, Result};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// 64-bit signed integers.
    Numbers,
    /// Strings.
    Keywords,
}

/// A field with a column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnField {
    /// The field's number: stable within an index.
    pub number: u32,
    /// The field's name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// The values of a column. `docs[i]` has the i-th value; documents ascend and repeat where one has several
/// values, which then ascend too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnData {
    /// Numbers.
    Numbers {
        /// The document of each value.
        docs: Vec<DocId>,
        /// The values.
        values: Vec<i64>,
    },
    /// Keywords.
    Keywords {
        /// The document of each value.
        docs: Vec<DocId>,
        /// Positions in the dictionary.
        ordinals: Vec<u32>,
        /// The different values in ascending order of bytes; each is some document's.
        dictionary: Vec<Box<str>>,
    },
}

/// Columns on their way into a segment, by ascending field number.
pub trait ColumnsSource {
    /// The next column; it has at least one value.
    fn next_column(&mut self) -> Result<Option<(ColumnField, ColumnData)>>;
}

/// Writes and opens columns.
pub trait ColumnsFormat: Send + Sync {
    /// The name segments remember; never reused for another layout.
    fn name(&self) -> &'static str;

    /// Writes everything `source` yields.
    fn write(&self, context: &WriteContext<'_>, source: &mut dyn ColumnsSource) -> Result<Written>;

    /// Opens what was written. Reads metadata only; every byte is untrusted.
    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn ColumnsReader>>;

    /// Merges the live documents of all inputs.
    fn merge(
        &self,
        context: &WriteContext<'_>,
        inputs: &[MergeInput<'_, dyn ColumnsReader>],
    ) -> Result<Written> {
        self.write(context, &mut MergedColumns::new(inputs, context.cancel))
    }
}

/// Takes values of many documents at once: `values[i]` is one of document `docs[i]`. Documents ascend and repeat where
/// one has several values; these ascend, and are all in one call.
pub type TakeValues<'a, T> = dyn FnMut(&[DocId], &[T]) -> Result<()> + 'a;

/// Documents whose values are taken together, where a format has no better number.
const TOGETHER: usize = 1_024;

/// The columns of one segment, open for reading.
pub trait ColumnsReader: Send + Sync {
    /// The fields that have a column, by ascending number.
    fn fields(&self) -> &[ColumnField];

    /// The numbers of a field; `None` when no document of the segment has any.
    fn numbers(&self, number: u32) -> Option<&dyn NumberColumn>;

    /// The keywords of a field; `None` when no document of the segment has any.
    fn keywords(&self, number: u32) -> Option<&dyn KeywordColumn>;

    /// False when the file has an older version than the format writes now: `lucerne upgrade` rewrites it.
    fn is_current(&self) -> bool {
        true
    }

    /// A report for people and tools: values, documents, least and greatest, bytes by field.
    fn inspect(&self) -> Report;

    /// Reads every value. Checksums are checked by the caller.
    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>>;
}

/// The numbers of one field of one segment.
pub trait NumberColumn: Send + Sync {
    /// Documents with at least one value.
    fn docs(&self) -> u32;

    /// The least and the greatest value.
    fn bounds(&self) -> (i64, i64);

    /// Replaces the content of `into` by the document's values, ascending.
    fn values(&self, doc: DocId, into: &mut Vec<i64>) -> Result<()>;

    /// The document's least value (its only one, mostly).
    fn least(&self, doc: DocId) -> Result<Option<i64>>;

    /// The document's greatest value.
    fn greatest(&self, doc: DocId) -> Result<Option<i64>>;

    /// Adds the documents with a value in `range` to `into`. Blocks that hold none are not read. Fails when stopped.
    fn in_range(&self, range: RangeInclusive<i64>, cancel: &Cancel, into: &mut BitSet) -> Result<()>;

    /// Adds the documents with any value to `into`. Fails when stopped.
    fn existing(&self, cancel: &Cancel, into: &mut BitSet) -> Result<()>;

    /// Calls `take` with all values of the members of `docs`. Fails when stopped.
    fn take_values(&self, docs: &BitSet, cancel: &Cancel, take: &mut TakeValues<'_, i64>) -> Result<()> {
        take_each(docs, cancel, take, |doc, own| self.values(doc, own))
    }
}

/// The keywords of one field of one segment.
pub trait KeywordColumn: Send + Sync {
    /// Documents with at least one value.
    fn docs(&self) -> u32;

    /// Different values.
    fn terms(&self) -> u32;

    /// A value by its position in the dictionary.
    fn term(&self, ordinal: u32) -> Result<&str>;

    /// Replaces the content of `into` by the positions of the document's values, ascending.
    fn ordinals(&self, doc: DocId, into: &mut Vec<u32>) -> Result<()>;

    /// The position of the document's least value.
    fn least(&self, doc: DocId) -> Result<Option<u32>>;

    /// The position of the document's greatest value.
    fn greatest(&self, doc: DocId) -> Result<Option<u32>>;

    /// Adds the documents with any value to `into`. Fails when stopped.
    fn existing(&self, cancel: &Cancel, into: &mut BitSet) -> Result<()>;

    /// Calls `take` with all positions in the dictionary of the values of the members of `docs`. Fails when stopped.
    fn take_ordinals(&self, docs: &BitSet, cancel: &Cancel, take: &mut TakeValues<'_, u32>) -> Result<()> {
        take_each(docs, cancel, take, |doc, own| self.ordinals(doc, own))
    }

    /// Adds 1 to `counts[position]` for each value of the members of `docs`, where there is such a place. There are `members`
    /// of them. Fails when stopped.
    fn count(&self, docs: &BitSet, members: u32, cancel: &Cancel, counts: &mut [u64]) -> Result<()> {
        let _ = members;
        self.take_ordinals(docs, cancel, &mut |_, ordinals| {
            for &ordinal in ordinals {
                counts.get_mut(ordinal as usize).into_iter().for_each(|count| *count += 1);
            }
            Ok(())
        })
    }
}

/// Takes values document by document.
fn take_each<T: Copy>(
    docs: &BitSet,
    cancel: &Cancel,
    take: &mut TakeValues<'_, T>,
    mut read: impl FnMut(DocId, &mut Vec<T>) -> Result<()>,
) -> Result<()> {
    let (mut having, mut values, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for (done, doc) in docs.iter().enumerate() {
        cancel.check_every(TOGETHER, done)?;
        read(doc, &mut own)?;
        having.extend(own.iter().map(|_| doc));
        values.extend_from_slice(&own);
        if having.len() >= TOGETHER {
            take(&having, &values)?;
            having.clear();
            values.clear();
        }
    }
    if having.is_empty() { Ok(()) } else { take(&having, &values) }
}

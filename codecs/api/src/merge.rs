//! The inputs of a merge, and where their documents go.

use crate::DocId;

/// One source segment of a merge, as the format of one structure sees it.
pub struct MergeInput<'a, R: ?Sized + 'a> {
    /// The source segment's name.
    pub segment: &'a str,
    /// The structure in that segment; `None` when the segment does not have it.
    pub reader: Option<&'a R>,
    /// Where its documents go: new ids that ascend within an input and from input to input.
    pub docs: &'a DocMap,
}

impl<R: ?Sized> Clone for MergeInput<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: ?Sized> Copy for MergeInput<'_, R> {}

/// Maps the documents of one source segment to the merged segment; deleted ones go nowhere.
#[derive(Clone, Debug, Default)]
pub struct DocMap(Vec<DocId>);

const DELETED: DocId = DocId::MAX;

impl DocMap {
    /// A map from the new id (or `None`: deleted) of every old document in turn.
    pub fn new(new_ids: impl Iterator<Item = Option<DocId>>) -> Self {
        Self(new_ids.map(|new| new.unwrap_or(DELETED)).collect())
    }

    /// The new id of `old`; `None` when it was deleted (or never was).
    #[inline]
    pub fn get(&self, old: DocId) -> Option<DocId> {
        self.0.get(old as usize).copied().filter(|&new| new != DELETED)
    }

    /// Documents in the source, deleted ones included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when the source had no documents.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Documents that live on.
    pub fn live(&self) -> usize {
        self.0.iter().filter(|&&new| new != DELETED).count()
    }
}

//! Segments from elsewhere become the writer's: new documents, or merges of segments that it has. All or nothing, and
//! without background merges beside it.

use super::keymap::DocAddress;
use super::segment_state::SegmentState;
use super::segments::SegmentEntry;
use super::shared::WriterInner;
use crate::error::{Error, Result};
use crate::reader::SegmentReader;
use lucerne_codec::{BitSet, DocId, DocMap, SegmentId};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What happens to a document from elsewhere whose key has a live document in the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnExisting {
    /// It is an error ([`Error::DuplicateKey`]), and nothing is changed.
    #[default]
    Fail,
    /// It replaces the document of the index.
    Replace,
    /// It is left out.
    Skip,
}

/// A finished segment that is in no list yet.
pub(crate) struct NewSegment {
    pub(crate) reader: SegmentReader,
    pub(crate) live: Option<BitSet>,
    /// The segments that it was merged from, in the order of its documents, and takes the place of. Empty: its documents
    /// are new.
    pub(crate) sources: Vec<SegmentId>,
}

/// What became of new documents.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attached {
    /// Added, those that replace others included.
    pub(crate) docs: u64,
    pub(crate) replaced: u64,
    pub(crate) skipped: u64,
    /// Segments that merged ones took the place of.
    pub(crate) merged: u64,
}

/// A merged segment, and where the live documents of its sources are in it.
struct Replacement {
    entry: SegmentEntry,
    sources: Vec<(SegmentEntry, DocMap)>,
}

/// New documents: what they replace, and which are left out, segment by segment.
#[derive(Default)]
struct Compared {
    replaced: Vec<DocAddress>,
    skipped: Vec<Vec<DocId>>,
    attached: Attached,
}

impl WriterInner {
    /// Takes finished segments, all or none. Deletes that sources of merged ones have seen since are carried over.
    pub(crate) fn attach(&self, segments: Vec<NewSegment>, on_existing: OnExisting) -> Result<Attached> {
        let _exclusive = self.commit_barrier.write();
        self.check_takes_writes()?;
        let (merged, added): (Vec<_>, Vec<_>) =
            segments.into_iter().partition(|segment| !segment.sources.is_empty());
        let replacements = self.replacements(merged)?;
        let mut compared = self.compare(&added, on_existing)?;
        compared.attached.merged = replacements.iter().map(|it| it.sources.len() as u64).sum();
        // Nothing fails from here on.
        for old in &compared.replaced {
            match replacements.iter().find_map(|replacement| replacement.find(old)) {
                Some((merged, doc)) => merged.delete(doc),
                None => old.segment.delete(old.doc),
            }
        }
        let mut list = self.segments.lock();
        for Replacement { entry, sources } in replacements {
            for (source, docs) in &sources {
                self.moves.record(&source.state, docs, &entry.state);
            }
            let is_source = |other: &SegmentEntry| {
                sources.iter().any(|(source, _)| Arc::ptr_eq(&source.state, &other.state))
            };
            list.replace(is_source, Some(entry));
        }
        for (NewSegment { reader, mut live, .. }, skipped) in added.into_iter().zip(compared.skipped) {
            for doc in skipped {
                live.get_or_insert_with(|| BitSet::full(reader.max_doc())).remove(doc);
            }
            let position = list.next_position;
            list.next_position += 1;
            let state = Arc::new(SegmentState::committed(live.as_ref(), None));
            list.add(SegmentEntry { reader: Arc::new(reader), state, position });
        }
        self.changes.fetch_add(compared.attached.docs, Ordering::Relaxed);
        Ok(compared.attached)
    }

    /// Looks every key of new segments up: in the index, and in each other.
    fn compare(&self, added: &[NewSegment], on_existing: OnExisting) -> Result<Compared> {
        let (mut compared, mut keys) = (Compared::default(), HashSet::new());
        for NewSegment { reader, live, .. } in added {
            let mut skipped = Vec::new();
            for doc in 0..reader.max_doc() {
                if live.as_ref().is_some_and(|live| !live.contains(doc)) {
                    continue;
                }
                let key = reader.keys().key(doc)?;
                if !keys.insert(key) {
                    return Err(Error::KeyTwice { key: key.to_owned() });
                }
                match (self.find_document(&self.keys.lock(key), key)?, on_existing) {
                    (None, _) => compared.attached.docs += 1,
                    (Some(_), OnExisting::Fail) => return Err(Error::DuplicateKey { key: key.to_owned() }),
                    (Some(_), OnExisting::Skip) => skipped.push(doc),
                    (Some(old), OnExisting::Replace) => {
                        compared.attached.docs += 1;
                        compared.replaced.push(old);
                    }
                }
            }
            compared.attached.skipped += skipped.len() as u64;
            compared.skipped.push(skipped);
        }
        compared.attached.replaced = compared.replaced.len() as u64;
        Ok(compared)
    }

    /// Finds the sources of merged segments, each of which can go into one of them only. A source that is gone meanwhile has
    /// no document any more, or they are in another segment: either way those of the merged one are deleted there.
    fn replacements(&self, merged: Vec<NewSegment>) -> Result<Vec<Replacement>> {
        let (list, mut taken) = (self.segments(), HashSet::new());
        let replacements = merged.into_iter().map(|NewSegment { reader, sources, .. }| {
            if !sources.iter().all(|id| taken.insert(*id)) {
                return Err(sources_gone(&reader));
            }
            let find = |id: &SegmentId| list.iter().find(|entry| entry.reader.info().id == *id).cloned();
            let sources: Vec<SegmentEntry> = sources.iter().filter_map(find).collect();
            if sources.is_empty() {
                return Err(sources_gone(&reader));
            }
            Replacement::new(reader, sources)
        });
        replacements.collect()
    }
}

impl Replacement {
    /// Follows the documents of `sources` into `merged` by their keys. What was deleted since the merge is deleted in it.
    ///
    /// A merge keeps the order of documents, and deletes only grow: the keys that are live now are among those of the
    /// merged segment, in the same order.
    fn new(merged: SegmentReader, sources: Vec<SegmentEntry>) -> Result<Self> {
        let state = SegmentState::default();
        let position = sources.first().map_or(0, |source| source.position);
        let (mut next, mut followed) = (0..merged.max_doc(), Vec::with_capacity(sources.len()));
        for source in sources {
            let (reader, deleted) = (&source.reader, source.state.deleted());
            let mut docs = Vec::with_capacity(reader.max_doc() as usize);
            for doc in 0..reader.max_doc() {
                if deleted.contains(doc) {
                    docs.push(None);
                    continue;
                }
                let key = reader.keys().key(doc)?;
                let found = loop {
                    let doc = next.next().ok_or_else(|| sources_gone(&merged))?;
                    if merged.keys().key(doc)? == key {
                        break doc;
                    }
                    state.delete(doc);
                };
                docs.push(Some(found));
            }
            let docs = DocMap::new(docs.into_iter());
            followed.push((source, docs));
        }
        next.for_each(|doc| state.delete(doc));
        state.published.store(true, Ordering::Release);
        let entry = SegmentEntry { reader: Arc::new(merged), state: Arc::new(state), position };
        Ok(Self { entry, sources: followed })
    }

    /// Where a document of a source is in the merged segment.
    fn find(&self, old: &DocAddress) -> Option<(&SegmentState, DocId)> {
        let (_, docs) = self.sources.iter().find(|(source, _)| Arc::ptr_eq(&source.state, &old.segment))?;
        Some((&self.entry.state, docs.get(old.doc)?))
    }
}

fn sources_gone(merged: &SegmentReader) -> Error {
    Error::SourcesGone { segment: merged.name().to_owned() }
}

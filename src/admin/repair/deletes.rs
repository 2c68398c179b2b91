//! Which documents of a segment are deleted, as far as that is known.

use super::damage::{Place, is_damage};
use crate::admin::check::problem_of;
use crate::error::{Error, Result};
use crate::reader::SegmentReader;
use lucerne_codec::commit::{CommitSegment, LiveDocsInfo};
use lucerne_codec::format::{OpenContext, Problem};
use lucerne_codec::{BitSet, DocId, Metadata, SegmentId};
use std::collections::HashSet;

/// The live docs of a segment in a commit.
#[derive(Clone)]
pub(super) struct Live {
    /// `None` while nothing is deleted.
    pub(super) docs: Option<BitSet>,
    pub(super) state: LiveState,
}

#[derive(Clone, PartialEq)]
pub(super) enum LiveState {
    Whole,
    /// The file is damaged, but one of its copies is not.
    Salvaged(Problem),
    /// So many were deleted; it is not known which.
    Forgotten(Problem, u32),
}

impl Live {
    pub(super) fn is_live(&self, doc: DocId) -> bool {
        self.docs.as_ref().is_none_or(|live| live.contains(doc))
    }

    /// The problem with its file.
    pub(super) fn problem(&self) -> Option<&Problem> {
        match &self.state {
            LiveState::Whole => None,
            LiveState::Salvaged(problem) | LiveState::Forgotten(problem, _) => Some(problem),
        }
    }
}

/// Reads the live docs that a commit names, of a segment of so many documents.
pub(super) fn read(place: &Place<'_>, max_doc: u32, segment: &CommitSegment) -> Result<Live> {
    let Some(info) = &segment.live_docs else { return Ok(Live { docs: None, state: LiveState::Whole }) };
    let format = place.registry.live_docs(&info.format, &info.file.name)?;
    let context = OpenContext {
        directory: place.directory,
        segment_id: segment.id,
        max_doc,
        files: std::slice::from_ref(&info.file),
        meta: &Metadata::Null,
    };
    let fits = |live: &BitSet| max_doc - live.count() == info.deleted;
    let problem = match format.read(&context) {
        Ok(live) if fits(&live) => return Ok(Live { docs: Some(live), state: LiveState::Whole }),
        Ok(_) => Problem {
            file: info.file.name.clone(),
            problem: format!("not {} deleted documents, as the commit says", info.deleted),
        },
        Err(error) => match Error::from(error) {
            error if is_damage(&error) => problem_of(&info.file.name, error),
            error => return Err(error),
        },
    };
    Ok(match format.salvage(&context).ok().filter(fits) {
        Some(live) => Live { docs: Some(live), state: LiveState::Salvaged(problem) },
        None => Live { docs: None, state: LiveState::Forgotten(problem, info.deleted) },
    })
}

/// A segment of a repaired commit.
pub(super) struct Piece {
    pub(super) segment: CommitSegment,
    pub(super) live: Live,
    /// The file of its live docs, if it has one that stays.
    pub(super) file: Option<LiveDocsInfo>,
}

/// Finds out which documents of segments whose deletes are forgotten must have been deleted: a key has one live document
/// at most, and of two it is the one that was written last.
pub(super) fn infer(
    pieces: &mut [Piece],
    open: impl Fn(&CommitSegment) -> Result<SegmentReader>,
) -> Result<()> {
    let forgotten = |piece: &Piece| matches!(piece.live.state, LiveState::Forgotten(..));
    if !pieces.iter().any(forgotten) {
        return Ok(());
    }
    let mut taken: HashSet<String> = HashSet::new();
    for piece in pieces.iter().filter(|piece| !forgotten(piece)) {
        let reader = open(&piece.segment)?;
        for doc in (0..reader.max_doc()).filter(|&doc| piece.live.is_live(doc)) {
            taken.insert(reader.keys().key(doc)?.to_owned());
        }
    }
    for piece in pieces.iter_mut().rev().filter(|piece| forgotten(piece)) {
        let reader = open(&piece.segment)?;
        let mut live = BitSet::full(reader.max_doc());
        for doc in (0..reader.max_doc()).rev() {
            if !taken.insert(reader.keys().key(doc)?.to_owned()) {
                live.remove(doc);
            }
        }
        piece.live.docs = Some(live);
    }
    Ok(())
}

/// The live docs of the documents `docs` of a segment, in their new order.
pub(super) fn moved(live: &Live, docs: &[DocId]) -> Live {
    let bits = live.docs.as_ref().map(|live| {
        let mut moved = BitSet::empty(docs.len() as u32);
        for (new, old) in (0u32..).zip(docs) {
            if live.contains(*old) {
                moved.insert(new);
            }
        }
        moved
    });
    Live { docs: bits, state: live.state.clone() }
}

/// What names a segment as it is in a commit: one that has lost its raw vectors has the id of the one before.
pub(super) type SegmentKey = (SegmentId, String);

pub(super) fn key_of(segment: &CommitSegment) -> SegmentKey {
    (segment.id, segment.info.name.clone())
}

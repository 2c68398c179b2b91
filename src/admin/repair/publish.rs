//! Repaired commits in the place of damaged ones.
//!
//! The newest commit is followed by another one, as ever. One that is kept beside it is replaced under its own name: a
//! rename leaves the one or the other, and both name files that are all there.

use super::commits::Commit;
use super::deletes::{self, Live, LiveState, Piece, SegmentKey, key_of};
use super::rebuild::Rebuilt;
use crate::commit::history::{files_of_commit, find_kept};
use crate::commit::{NewFiles, gc, manifest, publish};
use crate::directory::FsDirectory;
use crate::error::{Error, Result};
use crate::reader::{SegmentReader, Store};
use lucerne_codec::commit::{CommitInfo, CommitOrigin, CommitSegment, LiveDocsInfo};
use lucerne_codec::segment_info::SegmentInfo;
use lucerne_codec::{BitSet, Cancel, Directory};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// Bytes copied between two looks at the cancel flag.
const COPY_STEP: usize = 1 << 20;

pub(super) struct Publishing<'a> {
    pub(super) store: &'a Store,
    pub(super) directory: &'a dyn Directory,
    pub(super) rebuilt: &'a HashMap<SegmentKey, Rebuilt>,
    /// By generation and segment.
    pub(super) lives: &'a HashMap<(u64, SegmentKey), Live>,
    /// Files of commits of which nothing is left.
    pub(super) gone: &'a [String],
    pub(super) next_segment: u64,
    /// The number of the new commit. Live docs of older ones get those after it.
    pub(super) generation: u64,
}

impl Publishing<'_> {
    /// Publishes `commits`, newest first, and deletes what none of them needs. `files` are the new segments'. Returns the
    /// newest commit's generation.
    pub(super) fn publish(&self, commits: Vec<Commit>, files: NewFiles<'_>) -> Result<u64> {
        let mut ready: Vec<CommitInfo> = Vec::new();
        for (generation, Commit { info, damaged }) in (self.generation..).zip(commits) {
            let segments = self.segments(&info, generation, &files)?;
            let changed = damaged || segments != info.segments;
            if generation == self.generation {
                ready.push(CommitInfo {
                    generation: self.generation,
                    next_segment: self.next_segment,
                    written_by: crate::limits::WRITTEN_BY.to_owned(),
                    origin: CommitOrigin::Writer,
                    segments,
                    ..info
                });
            } else if changed {
                ready.push(CommitInfo { segments, ..info });
            }
        }
        let mut unsynced = self.new_files(&ready)?;
        let names = self.directory.list()?;
        // The newest one last: until then the index is what it was.
        for info in ready.iter().rev() {
            let pending = manifest::pending_file(info.generation);
            if names.contains(&pending) {
                self.directory.delete(&pending)?;
            }
            publish::prepare(self.directory, &self.store.registry, info, &std::mem::take(&mut unsynced))
                .map_err(|failure| failure.error)?;
        }
        files.keep(); // From here on they may be part of a commit in force.
        for info in ready.iter().rev() {
            publish::publish(self.directory, info.generation).map_err(|failure| failure.error)?;
        }
        if let Some(newest) = ready.first() {
            self.collect(newest)?;
        }
        Ok(self.generation)
    }

    /// The segments of a commit without damage. Live docs that are written have the number `generation`.
    fn segments(
        &self,
        commit: &CommitInfo,
        generation: u64,
        files: &dyn Directory,
    ) -> Result<Vec<CommitSegment>> {
        let mut pieces = Vec::new();
        for segment in &commit.segments {
            let key = key_of(segment);
            let Some(live) = self.lives.get(&(commit.generation, key.clone())) else { continue };
            match self.rebuilt.get(&key) {
                None => {
                    let whole = live.state == LiveState::Whole;
                    let file = segment.live_docs.clone().filter(|_| whole);
                    pieces.push(Piece { segment: segment.clone(), live: live.clone(), file });
                }
                Some(rebuilt) => pieces.extend(rebuilt.parts.iter().map(|part| Piece {
                    segment: part.segment.clone(),
                    live: deletes::moved(live, &part.docs),
                    file: None,
                })),
            }
        }
        let (registry, pins) = (&self.store.registry, &self.store.pins);
        let open =
            |segment: &CommitSegment| SegmentReader::open(files, registry, pins, &segment.info, segment.id);
        deletes::infer(&mut pieces, open)?;
        let mut segments = Vec::new();
        for Piece { segment, live, file } in pieces {
            let live_docs = match (file, live.docs) {
                (Some(file), _) => Some(file),
                (None, Some(live)) if live.count() == 0 => continue, // Nothing of it is live.
                (None, Some(live)) if live.count() < live.len() => {
                    Some(self.write_live(&segment, generation, &live, files)?)
                }
                (None, _) => None,
            };
            segments.push(CommitSegment { live_docs, ..segment });
        }
        Ok(segments)
    }

    fn write_live(
        &self,
        segment: &CommitSegment,
        generation: u64,
        live: &BitSet,
        files: &dyn Directory,
    ) -> Result<LiveDocsInfo> {
        let format = self.store.registry.default_live_docs()?;
        let file = format.write(files, &segment.name, segment.id, generation, live)?;
        let deleted = live.len() - live.count();
        Ok(LiveDocsInfo { format: format.name().to_owned(), generation, deleted, file })
    }

    /// Files of the commits that were written now, and perhaps others: all are synced.
    fn new_files(&self, commits: &[CommitInfo]) -> Result<Vec<String>> {
        let mut files = HashSet::new();
        for commit in commits {
            let own = manifest::commit_file(commit.generation);
            let all = files_of_commit(self.directory, &self.store.registry, commit)?;
            files.extend(all.into_iter().filter(|file| *file != own));
        }
        let mut files: Vec<String> = files.into_iter().collect();
        files.sort_unstable();
        Ok(files)
    }

    /// Deletes the files of damaged segments. What cannot be deleted now, the next writer deletes.
    fn collect(&self, newest: &CommitInfo) -> Result<()> {
        let registry = &self.store.registry;
        let names = self.directory.list()?;
        let own = files_of_commit(self.directory, registry, newest)?;
        let readable: Vec<String> = names.iter().filter(|name| !self.gone.contains(name)).cloned().collect();
        let older = find_kept(self.directory, registry, newest, &readable);
        let keep = |file: &str| own.contains(file) || older.iter().any(|commit| commit.files.contains(file));
        gc::collect(self.directory, registry, &names, keep);
        Ok(())
    }
}

/// Copies what there is of a segment's files to another folder.
pub(super) fn copy_aside(
    directory: &dyn Directory,
    folder: &Path,
    info: &SegmentInfo,
    segment: &CommitSegment,
    cancel: &Cancel,
) -> Result<()> {
    let to = FsDirectory::create(folder)?;
    let live = segment.live_docs.as_ref().map(|live| &live.file);
    for entry in info.files().chain([&segment.info]).chain(live) {
        let input = match directory.open(&entry.name) {
            Err(error) if error.is_not_found() => continue,
            input => input?,
        };
        let mut output = to.create(&entry.name)?;
        for step in input.bytes().chunks(COPY_STEP) {
            cancel.check()?;
            output.write(step)?;
        }
        output.finish()?;
        to.sync(&entry.name)?;
    }
    to.sync_dir().map_err(Error::from)
}

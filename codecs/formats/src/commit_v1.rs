//! Commits, version 1: `segments_N`, the segments of a point in time, as JSON.
//!
//! Written under a pending name and published by a rename, so the file does not say its own name; it says
//! its generation. It belongs to no segment: the segment id in its header is zero.

use crate::{json_file, names};
use lucerne_codec::commit::{CommitFormat, CommitInfo};
use lucerne_codec::envelope::{self, Expected, FileEntry, Header, NO_FIELD};
use lucerne_codec::{Directory, Error, Result, SegmentId};
use std::collections::HashSet;

const FORMAT: &str = "commit";
const VERSION: u32 = 1;
const NO_SEGMENT: SegmentId = SegmentId([0; 16]);
/// Generations, segments and automatic keys are counted up from 0 and never get here; counting on from a
/// forged number would overflow.
const TOO_LARGE: u64 = 1 << 62;

/// The format of commits.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommitV1;

impl CommitFormat for CommitV1 {
    fn write(&self, directory: &dyn Directory, file: &str, commit: &CommitInfo) -> Result<FileEntry> {
        check(commit).map_err(|problem| Error::Invalid(format!("{file}: {problem}")))?;
        let header = Header { format: FORMAT, version: VERSION, segment: NO_SEGMENT, field: NO_FIELD };
        json_file::write(directory, file, header, commit)
    }

    fn read(&self, directory: &dyn Directory, file: &str, generation: u64) -> Result<CommitInfo> {
        let expected =
            Expected { format: FORMAT, versions: (VERSION, VERSION), segment: NO_SEGMENT, field: NO_FIELD };
        let (input, _) = envelope::open_checked(directory, file, expected)?;
        let commit: CommitInfo = json_file::read(&input)?;
        check_read(file, commit, generation)
    }

    fn salvage(&self, directory: &dyn Directory, file: &str, generation: u64) -> Result<CommitInfo> {
        check_read(file, json_file::salvage(directory, file)?, generation)
    }
}

fn check_read(file: &str, commit: CommitInfo, generation: u64) -> Result<CommitInfo> {
    let corrupt = |problem| Error::corrupt(file, envelope::HEADER_LEN, problem);
    if commit.generation != generation {
        let problem = format!("holds generation {}, expected {generation}", commit.generation);
        return Err(corrupt(problem));
    }
    check(&commit).map_err(corrupt)?;
    Ok(commit)
}

/// What makes a commit unusable, if anything. Asked before writing one and after reading one.
fn check(commit: &CommitInfo) -> Result<(), String> {
    for number in [commit.generation, commit.next_segment, commit.next_key] {
        if number >= TOO_LARGE {
            return Err(format!("{number} is not a number that was counted up to"));
        }
    }
    if commit.lineage == Some(NO_SEGMENT) {
        return Err("its lineage is zero".to_owned());
    }
    for (tag, generation) in &commit.tags {
        if *generation > commit.generation {
            return Err(format!("tag {tag:?} names generation {generation}, which is yet to come"));
        }
    }
    let (mut segments, mut ids, mut files) = (HashSet::new(), HashSet::new(), HashSet::new());
    for segment in &commit.segments {
        names::check_segment(&segment.name)?;
        if !segments.insert(&segment.name) {
            return Err(format!("segment {:?} is named twice", segment.name));
        }
        if segment.id == NO_SEGMENT || !ids.insert(segment.id) {
            return Err(format!("segment {:?} has the id of another one", segment.name));
        }
        names::check_file(&segment.info, &segment.name, &['_', '.'], &mut files)?;
        let Some(live) = &segment.live_docs else {
            continue;
        };
        names::check_file(&live.file, &segment.name, &['_', '.'], &mut files)?;
        if live.generation == 0 {
            return Err(format!("live docs of segment {:?} have no generation", segment.name));
        }
    }
    Ok(())
}

//! File names: what belongs to an index, and to which commit or segment.

use lucerne_codec::commit::CommitInfo;

/// The file the writer's lock is held on. Never deleted.
pub(crate) const LOCK_FILE: &str = "write.lock";

/// In the folder of an index in shards.
pub(crate) const SHARDS_FILE: &str = "shards.json";

const COMMIT_PREFIX: &str = "segments_";
const PENDING_PREFIX: &str = "pending_segments_";

/// What a file in an index folder is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A commit of that generation.
    Commit(u64),
    /// A commit of that generation that was being written.
    Pending(u64),
    /// A file of the segment of that number.
    Segment(u64),
    /// Not lucerne's: never touched.
    Foreign,
}

/// `segments_7`
pub(crate) fn commit_file(generation: u64) -> String {
    format!("{COMMIT_PREFIX}{generation}")
}

/// `pending_segments_7`
pub(crate) fn pending_file(generation: u64) -> String {
    format!("{PENDING_PREFIX}{generation}")
}

/// `_12`
pub(crate) fn segment_name(number: u64) -> String {
    format!("_{number}")
}

pub(crate) fn classify(name: &str) -> FileKind {
    if let Some(generation) = name.strip_prefix(COMMIT_PREFIX).and_then(number) {
        return FileKind::Commit(generation);
    }
    if let Some(generation) = name.strip_prefix(PENDING_PREFIX).and_then(number) {
        return FileKind::Pending(generation);
    }
    segment_of(name).map_or(FileKind::Foreign, FileKind::Segment)
}

/// The number of a segment whose files are named so: `_12.si`, `_12.0.vec` (of field 0), `_12_3.live` (of commit 3).
fn segment_of(name: &str) -> Option<u64> {
    let mut parts = name.strip_prefix('_')?.split('.');
    let (segment, field, extension) = match (parts.next()?, parts.next()?, parts.next(), parts.next()) {
        (segment, extension, None, _) => (segment, None, extension),
        (segment, field, Some(extension), None) => (segment, Some(field), extension),
        _ => return None,
    };
    let plain =
        !extension.is_empty() && extension.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let of_field = field.is_none_or(|field| number(field).is_some_and(|field| field < u64::from(u32::MAX)));
    let (segment, commit) =
        segment.split_once('_').map_or((segment, None), |(own, commit)| (own, Some(commit)));
    let of_commit = commit.is_none_or(|commit| field.is_none() && number(commit).is_some());
    number(segment).filter(|_| plain && of_field && of_commit)
}

/// Numbers are counted up from 0 and never get here: what has one is not lucerne's, and counting on from it
/// would overflow.
const TOO_LARGE: u64 = 1 << 48;

/// Attempts that fail between two commits use up numbers, but never so many: what is farther from the newest commit is
/// not lucerne's, and is not counted on.
const FARTHEST: u64 = 1 << 32;

/// A decimal number as lucerne writes it: no sign, no leading zero.
fn number(digits: &str) -> Option<u64> {
    let plain = digits == "0" || !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten().filter(|&number| number < TOO_LARGE)
}

/// Generations of the commits among `names`, newest first.
pub(crate) fn generations(names: &[String]) -> Vec<u64> {
    let mut found: Vec<u64> = names
        .iter()
        .filter_map(|name| match classify(name) {
            FileKind::Commit(generation) => Some(generation),
            _ => None,
        })
        .collect();
    found.sort_unstable_by(|left, right| right.cmp(left));
    found
}

/// Numbers that may be used next, beyond everything the commit and the folder name: no name is ever reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Next {
    pub(crate) segment: u64,
    pub(crate) generation: u64,
}

pub(crate) fn next_numbers(commit: &CommitInfo, names: &[String]) -> Next {
    let start = Next { segment: commit.next_segment, generation: commit.generation + 1 };
    let after = |start: u64, next: u64, found: u64| {
        if found.saturating_sub(start) < FARTHEST { next.max(found.saturating_add(1)) } else { next }
    };
    names.iter().fold(start, |next, name| match classify(name) {
        FileKind::Commit(found) | FileKind::Pending(found) => {
            Next { generation: after(start.generation, next.generation, found), ..next }
        }
        FileKind::Segment(found) => Next {
            segment: after(start.segment, next.segment, found),
            generation: after(start.generation, next.generation, live_generation(name)),
        },
        FileKind::Foreign => next,
    })
}

/// What is wrong with a commit's numbers when no writer can go on from them.
pub(crate) fn exhausted(commit: &CommitInfo) -> Option<String> {
    let counters = [
        ("generation", commit.generation, TOO_LARGE - FARTHEST),
        ("next_segment", commit.next_segment, TOO_LARGE - FARTHEST),
        ("next_key", commit.next_key, u64::MAX - FARTHEST),
    ];
    let (name, value, end) = counters.into_iter().find(|(_, value, end)| value >= end)?;
    Some(format!("{name} is {value}, no writer can go on from there (it must be below {end})"))
}

/// What shows that somebody else has committed, or taken the commit in force away. `committed` is its generation, and
/// `known` are those that were there when the writer was opened.
pub(crate) fn foreign_commit(names: &[String], committed: u64, known: &[u64]) -> Option<String> {
    let generations = generations(names);
    if !generations.contains(&committed) {
        return Some(format!("commit {committed} is gone"));
    }
    let unknown = generations.into_iter().find(|found| *found > committed && !known.contains(found))?;
    Some(format!("there is a commit {unknown} of somebody else"))
}

/// The commit generation in the name of a live-docs file (`_3_7.live`: 7), else 0.
fn live_generation(name: &str) -> u64 {
    let after = name.get(1..).and_then(|rest| rest.split_once('_')).map(|(_, after)| after);
    after.and_then(|after| after.split('.').next()).and_then(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lucerne_s_own_names_are_recognized() {
        assert_eq!(classify("segments_10"), FileKind::Commit(10));
        assert_eq!(classify("pending_segments_3"), FileKind::Pending(3));
        assert_eq!(classify("_4.si"), FileKind::Segment(4));
        assert_eq!(classify("_4.0.vec"), FileKind::Segment(4));
        assert_eq!(classify("_4_2.live"), FileKind::Segment(4));
        for foreign in [
            "segments_",
            "segments_01",
            "segments_-1",
            "segments_18446744073709551615",
            "_18446744073709551615.si",
            "_.si",
            "_4",
            "notes.txt",
            "write.lock",
            "_x.si",
            "_1",
            "_1.",
            "_2024_holiday.jpg",
            "_1_2_3.live",
            "_1.2.3.vec",
            "_1.x.vec",
            "_1_2.0.live",
            "_01.si",
            "_1.si~",
            "_1.tar gz",
            "pending_segments_4611686018427387902",
            "_281474976710656.si",
        ] {
            assert_eq!(classify(foreign), FileKind::Foreign, "{foreign}");
        }
    }

    fn commit(generation: u64, next_segment: u64, next_key: u64) -> CommitInfo {
        CommitInfo { generation, next_segment, next_key, ..Default::default() }
    }

    #[test]
    fn numbers_go_on_behind_everything_that_can_be_ours() {
        let next = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let Next { segment, generation } = next_numbers(&commit(5, 3, 0), &names);
            (segment, generation)
        };
        assert_eq!(next(&[]), (3, 6));
        assert_eq!(next(&["segments_5", "pending_segments_8", "_4.si", "_7_11.live", "_9.toy"]), (10, 12));
        let far = ["pending_segments_281474976710655", "_281474976710655.jpg", "_1_281474976710655.live"];
        assert_eq!(next(&far), (3, 6));
    }

    #[test]
    fn counters_at_their_end_are_told_from_those_a_writer_can_go_on_from() {
        assert_eq!(exhausted(&commit(1 << 40, 1 << 40, 1 << 62)), None);
        for (commit, name) in [
            (commit(u64::MAX, 0, 0), "generation"),
            (commit(0, u64::MAX, 0), "next_segment"),
            (commit(0, TOO_LARGE, 0), "next_segment"),
            (commit(0, 0, u64::MAX), "next_key"),
        ] {
            assert!(exhausted(&commit).unwrap().starts_with(name));
        }
    }

    #[test]
    fn a_commit_that_the_writer_does_not_know_is_noticed() {
        let found = |names: &[&str], known: &[u64]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            foreign_commit(&names, 5, known).is_some()
        };
        assert!(!found(&["segments_5"], &[5]) && !found(&["segments_4", "segments_5", "_1.si"], &[5]));
        assert!(!found(&["segments_5", "segments_7"], &[5, 7]), "it was there before");
        assert!(
            found(&["segments_5", "segments_6"], &[5]) && found(&["segments_4"], &[5]) && found(&[], &[5])
        );
    }
}

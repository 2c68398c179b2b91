//! File names: what belongs to an index, and to which commit or segment.

use lucerne_codec::commit::CommitInfo;

/// The file the writer's lock is held on. Never deleted.
pub(crate) const LOCK_FILE: &str = "write.lock";

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
    // `_12.si`, `_12.0.vec`, `_12_3.live`
    let rest = name.strip_prefix('_').unwrap_or_default();
    let digits = rest.split(['.', '_']).next().unwrap_or_default();
    match number(digits) {
        Some(segment) if rest.len() > digits.len() => FileKind::Segment(segment),
        _ => FileKind::Foreign,
    }
}

/// Numbers are counted up from 0 and never get here: what has one is not lucerne's, and counting on from it
/// would overflow.
const TOO_LARGE: u64 = 1 << 62;

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
    names.iter().fold(start, |next, name| match classify(name) {
        FileKind::Commit(found) | FileKind::Pending(found) => {
            Next { generation: next.generation.max(found.saturating_add(1)), ..next }
        }
        FileKind::Segment(found) => Next {
            segment: next.segment.max(found.saturating_add(1)),
            generation: next.generation.max(live_generation(name).saturating_add(1)),
        },
        FileKind::Foreign => next,
    })
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
        ] {
            assert_eq!(classify(foreign), FileKind::Foreign, "{foreign}");
        }
    }
}

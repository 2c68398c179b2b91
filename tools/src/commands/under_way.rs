//! What is being written into an index by whoever writes, as far as its files tell.

use crate::render::metadata::{list, number, text};
use crate::render::units;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::SystemTime;

/// Files of segments that the newest commit, of which `report` is, does not name and that were written since: those of a flush or a merge that no
/// commit names yet, or what a writer that was killed has left. Files of older commits that are kept were written before it.
/// Sorted by name; where the folder cannot be read, nothing.
pub(super) fn under_way(dir: &Path, report: &Value) -> Vec<Value> {
    let committed = written_at(&dir.join(format!("segments_{}", number(report, "generation"))));
    let named: BTreeSet<&str> =
        list(report, "segments").iter().map(|segment| text(segment, "name")).collect();
    let mut found: BTreeMap<String, (u64, SystemTime)> = BTreeMap::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(segment) = name.to_str().and_then(segment_of).filter(|it| !named.contains(it)) else {
            continue;
        };
        let Ok(file) = entry.metadata() else { continue };
        let Some(written) = file.modified().ok().filter(|at| committed.is_none_or(|commit| *at > commit))
        else {
            continue;
        };
        let (bytes, last) = found.entry(segment.to_owned()).or_insert((0, written));
        *bytes += file.len();
        *last = written.max(*last);
    }
    let ago = |at: SystemTime| SystemTime::now().duration_since(at).map_or(0, |past| past.as_secs());
    let as_json = |(segment, (bytes, at)): (String, (u64, SystemTime))| json!({ "segment": segment, "bytes": bytes, "seconds": ago(at) });
    found.into_iter().map(as_json).collect()
}

/// The same as a line, or nothing.
pub(super) fn in_words(under_way: &[Value]) -> Option<String> {
    let one = |it: &Value| {
        let (bytes, seconds) = (units::bytes(number(it, "bytes")), number(it, "seconds"));
        format!("{} ({bytes}, last written {seconds} s ago)", text(it, "segment"))
    };
    let all: Vec<String> = under_way.iter().map(one).collect();
    (!all.is_empty())
        .then(|| format!("being written, by a flush or merge that no commit names yet: {}", all.join(", ")))
}

/// `_7` of `_7.keys` and `_7.2.vec`.
fn segment_of(file: &str) -> Option<&str> {
    let segment = file.split('.').next()?;
    let digits = segment.strip_prefix('_')?;
    let is_name = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_name && file.len() > segment.len()).then_some(segment)
}

fn written_at(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|file| file.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_segments_are_counted() {
        let files = ["_7.keys", "_12.2.vec", "segments_3", "lock", "_.x", "_7", "_7 copy.keys", ".hidden"];
        assert_eq!(files.map(segment_of), [Some("_7"), Some("_12"), None, None, None, None, None, None]);
    }
}

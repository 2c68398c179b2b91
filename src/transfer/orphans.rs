//! Built segments that nobody has published.

use super::BUILT_PREFIX;
use crate::error::Result;
use lucerne_codec::Directory;
use std::collections::BTreeMap;
use std::time::Duration;

/// Deletes the files of built segments of which nothing was written for `older_than`; returns how many files.
pub(crate) fn sweep(directory: &dyn Directory, older_than: Duration) -> Result<usize> {
    // A segment's files are written one after the other: it is as old as the youngest of them.
    let mut segments: BTreeMap<String, (Vec<String>, bool)> = BTreeMap::new();
    for name in directory.list()? {
        let Some(segment) = built_segment(&name) else { continue };
        let (files, old) = segments.entry(segment.to_owned()).or_insert((Vec::new(), true));
        *old &= match directory.age(&name) {
            Err(error) if error.is_not_found() => continue, // Renamed or deleted since it was listed.
            age => age?.is_some_and(|age| age >= older_than),
        };
        files.push(name);
    }
    let old = segments.into_values().filter(|(_, old)| *old);
    let mut deleted = 0;
    for name in old.flat_map(|(files, _)| files) {
        match directory.delete(&name) {
            Err(error) if error.is_not_found() => {} // By another sweep.
            swept => {
                swept?;
                deleted += 1;
            }
        }
    }
    Ok(deleted)
}

/// The segment that a built segment's file belongs to: the prefix, its id in 32 digits, then an extension.
fn built_segment(name: &str) -> Option<&str> {
    let (segment, _) = name.split_once('.')?;
    let id = segment.strip_prefix(BUILT_PREFIX)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(segment)
}

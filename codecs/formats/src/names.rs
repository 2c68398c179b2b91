//! Names of segments and of their files, as metadata files may carry them.
//!
//! A name read from a file becomes a path sooner or later, so it is held to a small alphabet here, where
//! every reader of names passes by.

use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::OpenContext;
use lucerne_codec::{Error, Result};
use std::collections::HashSet;

/// Longest name accepted, in bytes.
const MAX_NAME: usize = 200;

/// True for a name that can only be a file of the index folder: letters, digits, `_`, `-` and `.`, not
/// starting with a dot, no two dots in a row.
fn is_plain_file(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(plain)
        && !name.starts_with('.')
        && !name.contains("..")
}

/// What is wrong with a segment's name, if anything. It must not contain a dot: the dot ends it in the
/// names of its files.
pub(crate) fn check_segment(name: &str) -> Result<(), String> {
    if is_plain_file(name) && !name.contains('.') {
        Ok(())
    } else {
        Err(format!("{name:?} is not a segment name"))
    }
}

/// What is wrong with a file name that `segment`'s metadata gives, if anything: it must be plain, start
/// with the segment's name and one of `separators`, and be new to `seen`.
pub(crate) fn check_file<'a>(
    entry: &'a FileEntry,
    segment: &str,
    separators: &[char],
    seen: &mut HashSet<&'a str>,
) -> Result<(), String> {
    let name = entry.name.as_str();
    let rest = name.strip_prefix(segment);
    if !is_plain_file(name) || !rest.is_some_and(|rest| rest.starts_with(separators)) {
        return Err(format!("{name:?} is not a file of segment {segment:?}"));
    }
    if seen.insert(name) { Ok(()) } else { Err(format!("file {name:?} is named twice")) }
}

/// The one file of a structure that has one file.
pub(crate) fn only_file<'a>(context: &OpenContext<'a>, format: &str) -> Result<&'a FileEntry> {
    match context.files {
        [file] => Ok(file),
        files => {
            let name = files.first().map_or("(no file)", |file| &file.name);
            let problem = format!("{} files are named for {format}, expected 1", files.len());
            Err(Error::corrupt(name, 0, problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(name: &str) -> bool {
        let entry = FileEntry { name: name.to_owned(), len: 80, crc32: 0 };
        check_file(&entry, "_1", &['.'], &mut HashSet::new()).is_ok()
    }

    #[test]
    fn only_plain_names_of_the_segment_are_accepted() {
        assert!(accepts("_1.keys") && accepts("_1.2.sq8"));
        for name in [
            "",
            "_1",
            "_10.keys",
            "_1/../x",
            "_1..keys",
            "../_1.keys",
            "_1.a/b",
            "_1.a\\b",
            "_1.\0",
            "_1.é",
            "/_1.k",
        ] {
            assert!(!accepts(name), "{name:?}");
        }
        assert!(!accepts(&format!("_1.{}", "x".repeat(MAX_NAME))));
        assert!(check_segment("_0").is_ok() && check_segment("_0.a").is_err() && check_segment("").is_err());
    }
}

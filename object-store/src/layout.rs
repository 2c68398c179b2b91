//! Names of objects.

use lucerne::codec::SegmentId;
use lucerne::codec::envelope::FileEntry;
use object_store::path::Path;

const COMMITS: &str = "commits";
const FILES: &str = "files";
const SUFFIX: &str = ".commit";

/// Where all commits are.
pub(crate) fn commits(prefix: &Path) -> Path {
    prefix.clone().join(COMMITS)
}

/// The commit of a number: `commits/0000000007.commit`.
pub(crate) fn commit(prefix: &Path, number: u64) -> Path {
    commits(prefix).join(format!("{number:010}{SUFFIX}"))
}

/// The number of a commit; `None` for what is not one.
pub(crate) fn number_of(object: &Path) -> Option<u64> {
    let digits = object.filename()?.strip_suffix(SUFFIX)?;
    let plain = digits.len() >= 10 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten().filter(|&number| number < u64::MAX)
}

/// Where all files are.
pub(crate) fn files(prefix: &Path) -> Path {
    prefix.clone().join(FILES)
}

/// A file of a segment. Another file of the same name has another segment or another checksum, and so another object.
pub(crate) fn file(prefix: &Path, segment: SegmentId, entry: &FileEntry) -> Path {
    files(prefix).join(segment.to_string()).join(format!("{}.{:08x}", entry.name, entry.crc32))
}

/// True for an object below [`files`] that is named as a pushed file is: others are somebody else's.
pub(crate) fn is_file(prefix: &Path, object: &Path) -> bool {
    let Some(parts) = object.prefix_match(&files(prefix)) else { return false };
    let parts: Vec<_> = parts.collect();
    let [segment, name] = parts.as_slice() else { return false };
    let checksum = name.as_ref().rsplit('.').next().unwrap_or_default();
    SegmentId::parse(segment.as_ref()).is_some()
        && name.as_ref().starts_with('_')
        && checksum.len() == 8
        && checksum.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The object whose time of writing is the store's time.
pub(crate) fn clock(prefix: &Path) -> Path {
    prefix.clone().join("clock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_are_not_taken_for_them() {
        let prefix = Path::from("a/b");
        assert_eq!(commit(&prefix, 7).as_ref(), "a/b/commits/0000000007.commit");
        for number in [1, 7, 12_345_678_901] {
            assert_eq!(number_of(&commit(&prefix, number)), Some(number));
        }
        for other in ["7.commit", "0000000007", "00000000x7.commit", "99999999999999999999.commit"] {
            assert_eq!(number_of(&commits(&prefix).join(other)), None, "{other}");
        }
        let entry = FileEntry { name: "_3.0.vec".to_owned(), len: 9, crc32: 0x1a };
        let own = file(&prefix, SegmentId([0xab; 16]), &entry);
        assert_eq!(own.as_ref(), "a/b/files/abababababababababababababababab/_3.0.vec.0000001a");
        assert!(is_file(&prefix, &own) && !is_file(&Path::from("a"), &own));
        for other in ["x/_3.keys.0000001a", "abababababababababababababababab/notes.txt"] {
            assert!(!is_file(&prefix, &Path::from(format!("a/b/files/{other}"))), "{other}");
        }
    }
}

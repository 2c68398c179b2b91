//! Memory-mapped views of finished files: the one place of the engine with `unsafe`.
#![expect(
    unsafe_code,
    reason = "mapping a file is unsafe because nothing stops another process from changing it; see `map`"
)]

use lucerne_codec::io::{Access, ByteView};
use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// A read-only map of a whole file.
struct MappedFile(Mmap);

/// Maps a finished file. An empty file gives an empty view.
pub(super) fn map(file: &File) -> io::Result<Arc<dyn ByteView>> {
    if file.metadata()?.len() == 0 {
        return Ok(Arc::new(Vec::new()));
    }
    // SAFETY: the map is read-only and the bytes under it do not change while it lives, for these reasons:
    // - files of an index are written once: `FsDirectory::create` refuses an existing name, an output only
    //   appends, and nothing in this crate opens a finished file for writing or shortens one; lock files,
    //   which are rewritten, cannot be opened through the directory and so are never mapped; a temporary
    //   file has no name, and its only handle is dropped once it is mapped;
    // - deleting a file or renaming another one over it keeps the mapped inode and its pages alive on unix;
    //   on Windows the system refuses both while the map exists.
    // What remains outside the promise, and is documented on `FsDirectory`: another program that writes to
    // or truncates the files of an index under a running reader. Values read through the map are plain
    // bytes, checked at every use, so that even such a program can cause wrong answers or a SIGBUS, but no
    // invalid values.
    let map = unsafe { Mmap::map(file)? };
    Ok(Arc::new(MappedFile(map)))
}

impl ByteView for MappedFile {
    fn bytes(&self) -> &[u8] {
        &self.0
    }

    #[cfg(unix)]
    fn advise(&self, offset: usize, len: usize, access: Access) {
        use memmap2::Advice;
        let len = len.min(self.0.len().saturating_sub(offset));
        if len == 0 {
            return;
        }
        let advise = |advice| {
            if let Err(error) = self.0.advise_range(advice, offset, len) {
                tracing::trace!(?advice, %error, "the system does not take this hint");
            }
        };
        match access {
            Access::Random => advise(Advice::Random),
            Access::Resident => {
                #[cfg(target_os = "linux")]
                advise(Advice::HugePage);
                advise(Advice::WillNeed);
            }
        }
    }

    #[cfg(not(unix))]
    fn advise(&self, _offset: usize, _len: usize, _access: Access) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn hints_never_fail_and_never_change_an_answer() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..20_000u32).map(|i| i as u8).collect();
        file.write_all(&bytes).unwrap();
        let view = map(&file).unwrap();
        for access in [Access::Random, Access::Resident] {
            for offset in [0, 1, 4096, 4097, 19_999, 20_000, usize::MAX] {
                for len in [0, 1, 20_000, usize::MAX] {
                    view.advise(offset, len, access);
                }
            }
            assert_eq!(view.bytes(), bytes);
        }
    }

    #[test]
    fn an_empty_file_is_an_empty_view() {
        let view = map(&tempfile::tempfile().unwrap()).unwrap();
        assert!(view.bytes().is_empty());
        view.advise(0, 1, Access::Resident);
    }
}

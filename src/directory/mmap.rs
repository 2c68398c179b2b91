//! Memory-mapped views of files, finished or without a name: the one place of the engine with `unsafe`.
#![expect(
    unsafe_code,
    reason = "mapping a file is unsafe because nothing stops another process from changing it; see `map`"
)]

use lucerne_codec::io::{Access, ByteView, SharedWords, Words};
use memmap2::{Mmap, MmapMut};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::{fmt, io, slice};

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

/// Bytes of a word.
const WORD: usize = size_of::<u32>();

/// A map of a file without a name that several threads change.
struct AtomicWords(MmapMut);

/// The same, changed by one thread.
struct PlainWords(MmapMut);

/// Maps a file without a name, to be changed. A rest of less than a word is left out.
pub(super) fn map_words(file: &File) -> io::Result<SharedWords> {
    // SAFETY: the file has no name and this process the only handle, which is dropped by the caller: nobody else reads,
    // writes or shortens it. Its blocks were written, so that storing to them needs no room on the disk.
    let map = unsafe { MmapMut::map_mut(file)? };
    Ok(Box::new(AtomicWords(map)))
}

impl Words<AtomicU32> for AtomicWords {
    fn words(&self) -> &[AtomicU32] {
        let words = self.0.len() / WORD;
        // SAFETY: a map begins at a page, so it is aligned; it has so many words, all bits of which are valid; it lives
        // as long as `self`, and is changed through these atomics only: `words_mut` borrows `self` exclusively.
        // An atomic has the layout of its integer. The pages are writable.
        unsafe { slice::from_raw_parts(self.0.as_ptr().cast::<AtomicU32>(), words) }
    }

    fn words_mut(&mut self) -> &mut [AtomicU32] {
        let words = self.0.len() / WORD;
        // SAFETY: as in `words`, and `self` is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.0.as_mut_ptr().cast::<AtomicU32>(), words) }
    }

    fn into_plain(self: Box<Self>) -> Box<dyn Words<u32>> {
        Box::new(PlainWords(self.0))
    }
}

impl Words<u32> for PlainWords {
    fn words(&self) -> &[u32] {
        // SAFETY: as for atomics; nothing changes it while it is borrowed.
        unsafe { slice::from_raw_parts(self.0.as_ptr().cast::<u32>(), self.0.len() / WORD) }
    }

    fn words_mut(&mut self) -> &mut [u32] {
        let words = self.0.len() / WORD;
        // SAFETY: as for atomics, and `self` is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.0.as_mut_ptr().cast::<u32>(), words) }
    }

    fn into_plain(self: Box<Self>) -> Box<dyn Words<u32>> {
        self
    }
}

impl fmt::Debug for AtomicWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} mapped bytes", self.0.len())
    }
}

impl fmt::Debug for PlainWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} mapped bytes", self.0.len())
    }
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

    #[test]
    fn words_are_changed_by_several_threads_and_then_by_one() {
        use std::sync::atomic::Ordering::Relaxed;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[0xFF; 4 * 10_000 + 3]).unwrap();
        let mut shared = map_words(&file).unwrap();
        drop(file);
        assert_eq!(shared.words().len(), 10_000);
        std::thread::scope(|scope| {
            for part in shared.words().chunks(2_500) {
                scope.spawn(|| part.iter().for_each(|word| word.store(7, Relaxed)));
            }
        });
        *shared.words_mut()[1].get_mut() = 8;
        let mut plain = shared.into_plain();
        plain.words_mut()[2] = 9;
        assert_eq!(plain.words()[..4], [7, 8, 9, 7]);
        assert!(plain.into_plain().words()[4..].iter().all(|word| *word == 7));
    }
}

//! A segment of another folder under a new name: its files linked, or copied where they cannot be.

use crate::error::{Error, Result};
use lucerne_codec::envelope::{self, FileEntry};
use lucerne_codec::segment_info::SegmentInfo;
use lucerne_codec::{Cancel, Directory, Registry};

/// Bytes copied between two looks at the cancel flag.
const COPY_STEP: usize = 1 << 20;

/// Verifies every byte of a segment in `from`, gives its files names of segment `name` in `to`, and writes a
/// segment info that says so. Returns that file's entry.
pub(crate) fn take(
    from: &dyn Directory,
    to: &dyn Directory,
    registry: &Registry,
    info: &SegmentInfo,
    name: &str,
    cancel: &Cancel,
) -> Result<FileEntry> {
    let renamed = |entry: &FileEntry| -> Result<FileEntry> {
        let rest = entry.name.strip_prefix(&info.name).ok_or_else(|| {
            Error::Invalid(format!("file {:?} is not of segment {:?}", entry.name, info.name))
        })?;
        Ok(FileEntry { name: format!("{name}{rest}"), ..entry.clone() })
    };
    for entry in info.files() {
        cancel.check()?;
        verify(from, entry)?;
        let target = renamed(entry)?;
        let linked = match from.path() {
            Some(folder) => to.link_from(folder, &entry.name, &target.name)?,
            None => false,
        };
        if !linked {
            copy(from, to, entry, &target.name, cancel)?;
        }
    }
    let mut taken = SegmentInfo { name: name.to_owned(), ..info.clone() };
    let vectors = taken.vectors.iter_mut().flat_map(|vector| &mut vector.structure.files);
    let others =
        [Some(&mut taken.stored), Some(&mut taken.keys), taken.postings.as_mut(), taken.columns.as_mut()];
    let others = others.into_iter().flatten().flat_map(|structure| &mut structure.files);
    for entry in others.chain(vectors) {
        *entry = renamed(entry)?;
    }
    Ok(registry.segment_info.write(to, &taken, None)?)
}

fn verify(from: &dyn Directory, entry: &FileEntry) -> Result<()> {
    let input = from.open(&entry.name)?;
    if input.len() as u64 != entry.len || envelope::stored_checksum(&input)? != entry.crc32 {
        return Err(input.corrupt(0, "not the file that was written with this segment").into());
    }
    Ok(envelope::verify_checksum(&input)?)
}

fn copy(
    from: &dyn Directory,
    to: &dyn Directory,
    entry: &FileEntry,
    name: &str,
    cancel: &Cancel,
) -> Result<()> {
    let input = from.open(&entry.name)?;
    let mut output = to.create(name)?;
    for step in input.bytes().chunks(COPY_STEP) {
        cancel.check()?;
        output.write(step)?;
    }
    Ok(output.finish()?)
}

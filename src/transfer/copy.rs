//! A segment of another folder under a new name, its files linked, or copied where they cannot be; and single files.

use crate::error::{Error, Result};
use lucerne_codec::envelope::{self, FileEntry};
use lucerne_codec::segment_info::SegmentInfo;
use lucerne_codec::{Cancel, Directory, Input, Registry};

/// Bytes copied between two looks at the cancel flag.
const COPY_STEP: usize = 1 << 20;

/// A file that stays readable whatever becomes of its name (on Unix).
pub(super) struct OpenFile {
    pub(super) entry: FileEntry,
    pub(super) input: Input,
}

impl OpenFile {
    /// Opens all of them.
    pub(super) fn all<'a>(
        directory: &dyn Directory,
        entries: impl Iterator<Item = &'a FileEntry>,
    ) -> Result<Vec<Self>> {
        let open = |entry: &FileEntry| Ok(Self { entry: entry.clone(), input: directory.open(&entry.name)? });
        entries.map(open).collect()
    }
}

/// Verifies every byte of `files`, those of a segment in `from`, gives its files names of segment `name` in `to`, and writes a
/// segment info that says so. Returns that file's entry.
pub(crate) fn take(
    from: &dyn Directory,
    files: &[OpenFile],
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
    for OpenFile { entry, input } in files {
        cancel.check()?;
        verify(input, entry)?;
        let target = renamed(entry)?;
        let linked = match from.path().map(|folder| to.link_from(folder, &entry.name, &target.name)) {
            // A writer there has deleted it meanwhile.
            Some(Err(error)) if error.is_not_found() => false,
            linked => linked.transpose()?.unwrap_or(false),
        };
        if !linked {
            copy(input, to, &target.name, cancel)?;
        }
    }
    let mut taken = SegmentInfo { name: name.to_owned(), ..info.clone() };
    let vectors = taken.vectors.iter_mut().flat_map(|vector| &mut vector.structure.files);
    let others = [
        Some(&mut taken.stored),
        Some(&mut taken.keys),
        taken.postings.as_mut(),
        taken.columns.as_mut(),
        taken.sparse.as_mut(),
    ];
    let others = others.into_iter().flatten().flat_map(|structure| &mut structure.files);
    for entry in others.chain(vectors) {
        *entry = renamed(entry)?;
    }
    Ok(registry.segment_info.write(to, &taken, None)?)
}

/// Copies a file under its name and reads the copy back.
pub(super) fn verified(input: &Input, to: &dyn Directory, entry: &FileEntry, cancel: &Cancel) -> Result<()> {
    copy(input, to, &entry.name, cancel)?;
    to.open(&entry.name).map_err(Error::from).and_then(|copied| verify(&copied, entry)).or_else(|error| {
        to.delete(&entry.name)?;
        // The fault may be the original's: its error says so.
        verify(input, entry)?;
        Err(error)
    })
}

fn verify(input: &Input, entry: &FileEntry) -> Result<()> {
    if input.len() as u64 != entry.len || envelope::stored_checksum(input)? != entry.crc32 {
        return Err(input.corrupt(0, "not the file that was written with this segment").into());
    }
    Ok(envelope::verify_checksum(input)?)
}

fn copy(input: &Input, to: &dyn Directory, name: &str, cancel: &Cancel) -> Result<()> {
    let mut output = to.create(name)?;
    for step in input.bytes().chunks(COPY_STEP) {
        cancel.check()?;
        output.write(step)?;
    }
    Ok(output.finish()?)
}

//! The segment info of a segment that has lost it: what its files say of themselves, and nothing of terms, columns, codes and
//! graphs, which are made again.

use crate::vectors::spare;
use crate::{keys_v1, stored_v1};
use lucerne_codec::envelope::{self, FOOTER_LEN, FileEntry, HEADER_LEN};
use lucerne_codec::format::{Metadata, file_name};
use lucerne_codec::segment_info::{SegmentInfo, StructureInfo, VectorInfo};
use lucerne_codec::{Component, Directory, Error, FieldInfo, Input, Result, SegmentId};
use serde_json::json;

/// A segment info with stored documents, keys and raw vectors; terms, columns and sparse vectors are named without files.
pub(crate) fn segment_info(
    directory: &dyn Directory,
    segment: &str,
    id: SegmentId,
    fields: &[FieldInfo],
) -> Result<SegmentInfo> {
    let structure = |format: &str, files, meta| StructureInfo { format: format.to_owned(), files, meta };
    let whole = |format: &str, extension: &str| {
        let (entry, input) = entry(directory, &file_name(segment, envelope::NO_FIELD, extension))?;
        Ok::<_, Error>((structure(format, vec![entry], Metadata::Null), input))
    };
    let (stored, documents) = whole("stored_v1", stored_v1::EXTENSION)?;
    let (keys, _) = whole("keys_v1", keys_v1::EXTENSION)?;
    // The number of documents is in the tail of the block table.
    let max_doc = documents.cursor((documents.len() as u64).saturating_sub(FOOTER_LEN + 8)).u32()?;
    if max_doc == 0 {
        return Err(documents.corrupt(HEADER_LEN, "no documents"));
    }
    let mut vectors = Vec::new();
    for field in fields {
        let name = |extension| file_name(segment, field.number, extension);
        let (raw, input) = match entry(directory, &name("vec")) {
            Ok(found) => found,
            Err(error) if error.is_not_found() && directory.open(&name("ord")).is_err() => continue,
            // Codes mean nothing without what the segment info said of them.
            Err(error) => return Err(error),
        };
        let (ordinals, _) = entry(directory, &name("ord"))?;
        let (spare, _) = entry(directory, &name(spare::EXTENSION))?;
        let len = envelope::body(&input)?.len() as u64 / field.row_len().max(1) as u64;
        let format = match field.component() {
            Component::Bit => "bin_flat",
            _ => "flat_f32",
        };
        let mut field = field.clone();
        field.params.retain(|name, _| [FieldInfo::MULTIPLE, FieldInfo::DATATYPE].contains(&name.as_str()));
        let structure = structure(format, vec![raw, ordinals, spare], json!({ "vectors": len }));
        vectors.push(VectorInfo { field, structure });
    }
    Ok(SegmentInfo {
        name: segment.to_owned(),
        id,
        max_doc,
        written_by: String::new(),
        stored,
        keys,
        postings: Some(structure("postings_v1", Vec::new(), Metadata::Null)),
        columns: Some(structure("columns_v1", Vec::new(), Metadata::Null)),
        sparse: Some(structure("sparse_v1", Vec::new(), Metadata::Null)),
        vectors,
        merge: None,
    })
}

/// A file by what it says of itself.
fn entry(directory: &dyn Directory, name: &str) -> Result<(FileEntry, Input)> {
    let input = directory.open(name)?;
    let (len, crc32) = (input.len() as u64, envelope::stored_checksum(&input)?);
    Ok((FileEntry { name: name.to_owned(), len, crc32 }, input))
}

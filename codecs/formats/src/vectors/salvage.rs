//! What is left of a damaged vector field: its vectors and whose they are. Graphs, lists and codes are made again from raw
//! vectors; where these are not kept, codes are the vectors.

use super::format::VectorFieldFormat;
use super::meta::Meta;
use super::ordinals::OrdinalMap;
use super::params::IndexParams;
use super::reader::VectorFieldReader;
use super::recall::curve::Curves;
use super::segment::{Index, VectorSegment};
use super::spare::Spare;
use crate::encoding::raw::{RawFile, RawVectors};
use crate::encoding::{self, EncodedVectors};
use lucerne_codec::envelope::{self, FileEntry};
use lucerne_codec::format::{OpenContext, Problem};
use lucerne_codec::io::bytes::f32s;
use lucerne_codec::vector::SalvagedVectors;
use lucerne_codec::{Cancel, Component, DocId, FieldInfo, Input, Ordinal, Result};

/// Opens the vectors, whatever is damaged.
pub(super) fn salvage(
    format: &VectorFieldFormat,
    context: &OpenContext<'_>,
    field: &FieldInfo,
    cancel: &Cancel,
) -> Result<SalvagedVectors> {
    let params = IndexParams::of(format.index, &*format.encoding, field)?;
    let (meta, files) = Meta::read(context, format.index)?;
    let len = meta.vectors as usize;
    let spare = Spare::salvage(context, files.spare, field, len)?;
    let (map, documents) = OrdinalMap::salvage(context, files.ordinals, field, len, spare.documents()?)?;
    let (raw, encoded, damaged): (_, Box<dyn EncodedVectors>, _) = match files.raw {
        Some(entry) => {
            let (raw, damaged) = raw_vectors(context, entry, field, len, spare.raw(field)?, cancel)?;
            (Some(raw.clone()), Box::new(raw), damaged)
        }
        None => {
            let open = encoding::OpenContext {
                segment: context,
                files: files.encoding,
                meta: &meta.encoding,
                spare: &spare.encoding()?,
                field,
                len,
                raw: None,
            };
            let (encoded, damaged) = format.encoding.salvage(&open, cancel)?;
            (None, encoded, damaged)
        }
    };
    let vectors = files.raw.or(files.encoding.first());
    let unverified = vectors.and_then(|entry| unverified(context, entry, &spare));
    let lost = lost_documents(field, &documents, &damaged, context.max_doc);
    // A vector of which it is not known whose it is goes with a document that is lost.
    let unknown = lost.first().copied().unwrap_or_default();
    let documents: Vec<DocId> = documents.into_iter().map(|doc| doc.unwrap_or(unknown)).collect();
    let map = map.with_documents(&documents);
    let segment = VectorSegment {
        format: format.name,
        field: field.clone(),
        max_doc: context.max_doc,
        params,
        len,
        raw,
        map,
        index: Index::Flat,
        encoded,
        curves: Curves::default(),
    };
    Ok(SalvagedVectors { reader: Box::new(VectorFieldReader::new(segment)), lost, unverified })
}

/// The problem of damaged vectors whose checksums are gone, too.
fn unverified(context: &OpenContext<'_>, entry: &FileEntry, spare: &Spare) -> Option<Problem> {
    if !spare.is_cut_off() || envelope::verify_entry(context.directory, entry).is_ok() {
        return None;
    }
    let problem = format!("checksums are missing in {}: what is left of it is taken as it is", spare.name());
    Some(Problem { file: entry.name.clone(), problem })
}

fn raw_vectors(
    context: &OpenContext<'_>,
    entry: &FileEntry,
    field: &FieldInfo,
    len: usize,
    sums: Input,
    cancel: &Cancel,
) -> Result<(RawVectors, Vec<Ordinal>)> {
    let (file, damage) = RawFile::salvage(context, entry, field, len, sums, cancel)?;
    let row_len = file.row_len() as u64;
    let hit = |ordinal: Ordinal| damage.hits(u64::from(ordinal) * row_len, row_len);
    // Of a block without a checksum it is not known whether it is damaged.
    let component = field.component();
    let finite = |row: &[u8]| component == Component::Bit || f32s(&component.vector(row)).all(f32::is_finite);
    let broken = |ordinal: Ordinal| file.row(ordinal).is_ok_and(|row| !finite(row));
    let damaged = (0..len as Ordinal).filter(|&ordinal| hit(ordinal) || broken(ordinal)).collect();
    Ok((RawVectors::new(file, field.similarity), damaged))
}

/// The documents of damaged vectors, ascending. While it is not known whose a vector is, it may be any document's that has
/// no other; in a field of several vectors a document, any document's at all.
fn lost_documents(
    field: &FieldInfo,
    documents: &[Option<DocId>],
    damaged: &[Ordinal],
    max_doc: u32,
) -> Vec<DocId> {
    let document = |ordinal: &Ordinal| documents.get(*ordinal as usize).copied().flatten();
    let mut lost: Vec<DocId> = damaged.iter().filter_map(document).collect();
    if documents.contains(&None) {
        let mut others = vec![true; max_doc as usize];
        if !field.is_multiple() {
            for doc in documents.iter().flatten() {
                if let Some(other) = others.get_mut(*doc as usize) {
                    *other = false;
                }
            }
        }
        lost.extend((0u32..).zip(others).filter(|(_, other)| *other).map(|(doc, _)| doc));
    }
    lost.sort_unstable();
    lost.dedup();
    lost
}

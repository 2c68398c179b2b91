//! Writes the sparse vectors of a segment.

use super::meta::{FieldMeta, Meta};
use super::{LISTS, ROWS, VERSION, code};
use lucerne_codec::envelope::{EnvelopeWriter, NO_FIELD};
use lucerne_codec::format::{WriteContext, Written};
use lucerne_codec::io::bytes::PutLe as _;
use lucerne_codec::sparse::{BLOCK_DOCS, SparseField, SparseRow, SparseSource};
use lucerne_codec::{DocId, Error, Result};
use std::collections::HashMap;

/// Bytes gathered before they are written.
const GATHERED: usize = 1 << 16;
/// Rows between two looks at the cancel flag; lists, too.
const CANCEL_STEP: usize = 256;

/// A dimension of a field.
#[derive(Clone, Copy, Debug)]
struct Dimension {
    number: u32,
    docs: u32,
    max: f32,
}

/// Writes everything; lists of so many entries are made `together`.
pub(super) fn write(context: &WriteContext<'_>, source: &dyn SparseSource, together: u64) -> Result<Written> {
    let mut rows = context.create(ROWS.0, ROWS.1, VERSION, NO_FIELD)?;
    let mut lists = context.create(LISTS.0, LISTS.1, VERSION, NO_FIELD)?;
    let mut fields: Vec<FieldMeta> = Vec::new();
    for field in source.fields() {
        if fields.last().is_some_and(|last| last.field.number >= field.number) {
            return Err(invalid(&field, "comes after one of a higher number"));
        }
        let Some((docs, entries, dimensions)) = write_rows(context, &mut rows, &field, source)? else {
            continue;
        };
        let bytes = write_lists(context, &mut lists, &field, source, &dimensions, together)?;
        fields.push(FieldMeta { field, docs, entries, dimensions: dimensions.len() as u32, lists: bytes });
    }
    Ok(Written { files: vec![rows.finish()?, lists.finish()?], meta: Meta { fields }.to_metadata()? })
}

fn invalid(field: &SparseField, problem: &str) -> Error {
    Error::Invalid(format!("sparse_v1: field {} ({:?}) {problem}", field.number, field.name))
}

/// Writes the rows of a field; returns documents, entries, and the dimensions in order. `None` when it has no rows.
fn write_rows(
    context: &WriteContext<'_>,
    file: &mut EnvelopeWriter,
    field: &SparseField,
    source: &dyn SparseSource,
) -> Result<Option<(u32, u64, Vec<Dimension>)>> {
    let (mut docs, mut entries, mut gathered) = (0u32, 0u64, Vec::new());
    let mut starts: Vec<u64> = Vec::new();
    let mut found: HashMap<u32, (u32, f32)> = HashMap::new();
    source.each_row(field.number, &mut |doc, row| {
        context.cancel.check_every(CANCEL_STEP, docs as usize)?;
        if doc >= context.max_doc || (doc as usize) < starts.len() {
            return Err(invalid(field, &format!("yields document {doc} out of order")));
        }
        if row.is_empty() || !row.is_sound() {
            return Err(invalid(field, &format!("yields a wrong row of document {doc}")));
        }
        starts.resize(doc as usize + 1, entries * SparseRow::ENTRY_LEN as u64);
        docs += 1;
        entries += row.len() as u64;
        for (dimension, weight) in row.iter() {
            let (docs, max) = found.entry(dimension).or_default();
            (*docs, *max) = (*docs + 1, max.max(weight));
        }
        row.parts().into_iter().for_each(|part| gathered.extend_from_slice(part));
        flush_over(GATHERED, file, &mut gathered)
    })?;
    if docs == 0 {
        return Ok(None);
    }
    flush_over(0, file, &mut gathered)?;
    // The documents after the last row, and the end.
    starts.resize(context.max_doc as usize + 1, entries * SparseRow::ENTRY_LEN as u64);
    for start in starts {
        gathered.put_u64(start);
        flush_over(GATHERED, file, &mut gathered)?;
    }
    flush_over(0, file, &mut gathered)?;
    let dimensions = found.into_iter().map(|(number, (docs, max))| Dimension { number, docs, max });
    let mut dimensions: Vec<Dimension> = dimensions.collect();
    dimensions.sort_unstable_by_key(|dimension| dimension.number);
    Ok(Some((docs, entries, dimensions)))
}

/// Writes what is gathered when it is more than `least` bytes.
fn flush_over(least: usize, file: &mut EnvelopeWriter, gathered: &mut Vec<u8>) -> Result<()> {
    if gathered.len() > least {
        file.write(gathered)?;
        gathered.clear();
    }
    Ok(())
}

/// Writes the lists of a field, with what the tables say of them; returns their bytes without the tables.
fn write_lists(
    context: &WriteContext<'_>,
    file: &mut EnvelopeWriter,
    field: &SparseField,
    source: &dyn SparseSource,
    dimensions: &[Dimension],
    together: u64,
) -> Result<u64> {
    let (start, mut heads, mut gathered) = (file.position(), Vec::new(), Vec::new());
    let mut rest = dimensions;
    while !rest.is_empty() {
        let mut sum = 0;
        let fits = rest.iter().take_while(|dimension| {
            sum += u64::from(dimension.docs);
            sum <= together
        });
        let (now, later) = rest.split_at(fits.count().max(1));
        rest = later;
        let inverted = Inverted::read(context, field, source, now)?;
        for (at, (dimension, end)) in now.iter().zip(&inverted.ends).enumerate() {
            context.cancel.check_every(CANCEL_STEP, at)?;
            let own = end - dimension.docs as usize..*end;
            let (Some(docs), Some(codes)) = (inverted.docs.get(own.clone()), inverted.codes.get(own)) else {
                return Err(invalid(field, "does not yield the same rows again"));
            };
            let at = file.position() + gathered.len() as u64 - start;
            let blocks = put_list(docs, codes, &mut gathered);
            heads.push((at, blocks, *dimension));
            flush_over(GATHERED, file, &mut gathered)?;
        }
    }
    flush_over(0, file, &mut gathered)?;
    let bytes = file.position() - start;
    for (at, blocks, dimension) in heads {
        gathered.put_u64(at);
        [blocks, dimension.docs, dimension.max.to_bits()]
            .into_iter()
            .for_each(|number| gathered.put_u32(number));
        flush_over(GATHERED, file, &mut gathered)?;
    }
    for dimension in dimensions {
        gathered.put_u32(dimension.number);
        flush_over(GATHERED, file, &mut gathered)?;
    }
    flush_over(0, file, &mut gathered)?;
    Ok(bytes)
}

/// Documents and codes of some dimensions, one after the other.
struct Inverted {
    docs: Vec<DocId>,
    codes: Vec<u8>,
    /// Where each dimension's end.
    ends: Vec<usize>,
}

impl Inverted {
    fn read(
        context: &WriteContext<'_>,
        field: &SparseField,
        source: &dyn SparseSource,
        dimensions: &[Dimension],
    ) -> Result<Self> {
        let mut len = 0;
        let mut places: HashMap<u32, (usize, f32)> = HashMap::with_capacity(dimensions.len());
        let mut ends = Vec::with_capacity(dimensions.len());
        for dimension in dimensions {
            places.insert(dimension.number, (len, dimension.max));
            len += dimension.docs as usize;
            ends.push(len);
        }
        let bounds =
            dimensions.first().zip(dimensions.last()).map(|(first, last)| first.number..=last.number);
        let mut inverted = Self { docs: vec![0; len], codes: vec![0; len], ends };
        let mut rows = 0;
        source.each_row(field.number, &mut |doc, row| {
            context.cancel.check_every(CANCEL_STEP, rows)?;
            rows += 1;
            for (dimension, weight) in row.iter() {
                if !bounds.as_ref().is_some_and(|bounds| bounds.contains(&dimension)) {
                    continue;
                }
                let place = places.get_mut(&dimension);
                let slot = place.and_then(|(next, max)| {
                    let at = std::mem::replace(next, *next + 1);
                    Some((inverted.docs.get_mut(at)?, inverted.codes.get_mut(at)?, *max))
                });
                let Some((to, own, max)) = slot else {
                    return Err(invalid(field, "does not yield the same rows again"));
                };
                (*to, *own) = (doc, code(weight, max));
            }
            Ok(())
        })?;
        Ok(inverted)
    }
}

/// Appends a list; returns its number of blocks.
fn put_list(docs: &[DocId], codes: &[u8], into: &mut Vec<u8>) -> u32 {
    let (mut counts, mut at) = (Vec::new(), 0);
    for block in docs.chunk_by(|left, right| left / BLOCK_DOCS == right / BLOCK_DOCS) {
        let own = codes.iter().skip(at).take(block.len());
        let number = block.first().map_or(0, |doc| doc / BLOCK_DOCS);
        into.put_u32(number << 8 | u32::from(own.max().copied().unwrap_or(0)));
        counts.push((block.len() - 1) as u8);
        at += block.len();
    }
    into.extend_from_slice(&counts);
    into.extend(docs.iter().map(|doc| (doc % BLOCK_DOCS) as u8));
    into.extend_from_slice(codes);
    counts.len() as u32
}

//! Writes one column.

use super::block::span;
use super::meta::{ColumnMeta, DictionaryMeta};
use super::packed::width;
use super::{BLOCK_DOCS, BLOCK_WORDS, LISTED};
use lucerne_codec::columns::{ColumnData, ColumnField, ColumnKind};
use lucerne_codec::envelope::EnvelopeWriter;
use lucerne_codec::format::WriteContext;
use lucerne_codec::io::bytes::PutLe;
use lucerne_codec::{BitSet, DocId, Error, Result};

/// Bytes gathered before they are written.
const GATHERED: usize = 1 << 16;

/// Writes a column behind the one of `before`; nothing when it has no values.
pub(super) fn write(
    context: &WriteContext<'_>,
    file: &mut EnvelopeWriter,
    before: Option<&ColumnMeta>,
    field: ColumnField,
    data: &ColumnData,
) -> Result<Option<ColumnMeta>> {
    let refuse = |problem: &str| Error::Invalid(format!("columns_v1: column {:?} {problem}", field.name));
    if before.is_some_and(|before| before.field.number >= field.number) {
        return Err(refuse("is not behind those of lesser fields"));
    }
    let at = file.position();
    let mut blocks = Blocks { context, file, table: Vec::new(), column: at };
    let (kind, docs, values, dictionary) = match data {
        ColumnData::Numbers { docs, values } => {
            (ColumnKind::Numbers, docs, blocks.write_all(docs, values, |&value| value), None)
        }
        ColumnData::Keywords { docs, ordinals, dictionary } => {
            let written = blocks.write_all(docs, ordinals, |&ordinal| ordinal.into());
            (ColumnKind::Keywords, docs, written, Some(dictionary))
        }
    };
    let counts = values?.map_err(refuse)?;
    let table = blocks.table;
    if kind != field.kind {
        return Err(refuse("holds values of another kind"));
    }
    if docs.is_empty() {
        return Ok(None);
    }
    file.write(&table)?;
    let dictionary = match dictionary {
        Some(terms) => {
            if !fits(data, terms) || !terms.is_sorted_by(|left, right| left < right) {
                return Err(refuse("has a dictionary that does not fit or is not sorted"));
            }
            Some(write_dictionary(context, file, terms)?)
        }
        None => None,
    };
    Ok(Some(ColumnMeta {
        field,
        at,
        len: file.position() - at,
        docs: counts.docs,
        values: docs.len() as u64,
        least: counts.least,
        greatest: counts.greatest,
        blocks: counts.blocks,
        dictionary,
    }))
}

/// True when the ordinals are exactly the dictionary's positions.
fn fits(data: &ColumnData, dictionary: &[Box<str>]) -> bool {
    let ColumnData::Keywords { ordinals, .. } = data else { return false };
    let Ok(terms) = u32::try_from(dictionary.len()) else { return false };
    let mut used = BitSet::empty(terms);
    let known = ordinals.iter().filter(|&&ordinal| used.insert(ordinal) || ordinal < terms).count();
    known == ordinals.len() && used.count() == terms
}

fn write_dictionary(
    context: &WriteContext<'_>,
    file: &mut EnvelopeWriter,
    terms: &[Box<str>],
) -> Result<DictionaryMeta> {
    let bytes = terms.iter().map(|term| term.len() as u64).sum();
    let (width, mut end, mut gathered) = (width(bytes), 0, Vec::with_capacity(GATHERED));
    for term in terms {
        end += term.len() as u64;
        gathered.put_uint(end, width);
        flush(context, file, &mut gathered, GATHERED)?;
    }
    for term in terms {
        gathered.extend_from_slice(term.as_bytes());
        flush(context, file, &mut gathered, GATHERED)?;
    }
    flush(context, file, &mut gathered, 1)?;
    Ok(DictionaryMeta { terms: terms.len() as u32, bytes })
}

/// Writes what was gathered if it is `least` bytes or more.
fn flush(
    context: &WriteContext<'_>,
    file: &mut EnvelopeWriter,
    gathered: &mut Vec<u8>,
    least: usize,
) -> Result<()> {
    if gathered.len() >= least {
        context.cancel.check()?;
        file.write(gathered)?;
        gathered.clear();
    }
    Ok(())
}

/// What was counted on the way.
struct Counts {
    docs: u32,
    blocks: u32,
    least: i64,
    greatest: i64,
}

/// Blocks on their way to the file.
struct Blocks<'a> {
    context: &'a WriteContext<'a>,
    file: &'a mut EnvelopeWriter,
    table: Vec<u8>,
    /// Where the column starts.
    column: u64,
}

impl Blocks<'_> {
    /// Writes the blocks of a column; the inner error says what is wrong with its data.
    fn write_all<T>(
        &mut self,
        docs: &[DocId],
        values: &[T],
        number: impl Fn(&T) -> i64,
    ) -> Result<Result<Counts, &'static str>> {
        let mut counts = Counts { docs: 0, blocks: 0, least: i64::MAX, greatest: i64::MIN };
        if docs.len() != values.len() {
            return Ok(Err("has not one document for each value"));
        }
        if docs.last().is_some_and(|&last| last >= self.context.max_doc) || !docs.is_sorted() {
            return Ok(Err("has documents out of order or beyond the last"));
        }
        let (mut rest, mut numbers) = (docs, values.iter().map(number));
        let mut own = Vec::new();
        while let Some(&first) = rest.first() {
            self.context.cancel.check()?;
            let block = first / BLOCK_DOCS;
            let (here, later) = rest.split_at(rest.partition_point(|&doc| doc / BLOCK_DOCS == block));
            rest = later;
            own.clear();
            own.extend(numbers.by_ref().take(here.len()));
            let in_order =
                |(docs, values): (&[DocId], &[i64])| docs.first() < docs.last() || values.is_sorted();
            if !here.windows(2).zip(own.windows(2)).all(in_order) {
                return Ok(Err("has values of a document out of order"));
            }
            let (Some(&least), Some(&greatest)) = (own.iter().min(), own.iter().max()) else { break };
            counts.docs += self.write(block, here, &own, (least, greatest))?;
            counts.blocks += 1;
            counts.least = counts.least.min(least);
            counts.greatest = counts.greatest.max(greatest);
        }
        Ok(Ok(counts))
    }

    /// Writes a block; returns how many documents it has.
    fn write(&mut self, number: u32, docs: &[DocId], values: &[i64], bounds: (i64, i64)) -> Result<u32> {
        let first_doc = number * BLOCK_DOCS;
        let mut different: Vec<u16> = docs.iter().map(|doc| (doc - first_doc) as u16).collect();
        different.dedup();
        let count = different.len() as u32;
        let mut bytes = Vec::new();
        if count == span(self.context.max_doc, number) {
            // All have a value: nothing to say.
        } else if count < LISTED {
            different.iter().for_each(|&doc| bytes.put_u16(doc));
        } else {
            let mut words = [0u64; BLOCK_WORDS];
            for doc in &different {
                if let Some(word) = words.get_mut(usize::from(doc / 64)) {
                    *word |= 1 << (doc % 64);
                }
            }
            words.into_iter().for_each(|word| bytes.put_u64(word));
        }
        let several = docs.len() > different.len();
        if several {
            let mut end = 0u32;
            for own in docs.chunk_by(|left, right| left == right) {
                end =
                    u32::try_from(own.len()).ok().and_then(|len| end.checked_add(len)).ok_or_else(|| {
                        Error::Invalid(format!("columns_v1: too many values from document {first_doc} on"))
                    })?;
                bytes.put_u32(end);
            }
        }
        let (least, greatest) = bounds;
        let width = width(greatest.wrapping_sub(least) as u64).max(several.into());
        for value in values {
            bytes.put_uint(value.wrapping_sub(least) as u64, width);
        }
        for word in [number, count, docs.len() as u32, 0] {
            self.table.put_u32(word);
        }
        for word in [self.file.position() - self.column, least as u64, greatest as u64] {
            self.table.put_u64(word);
        }
        self.file.write(&bytes)?;
        Ok(count)
    }
}

//! Writes a segment's postings as they come.

use super::dictionary::DictionaryWriter;
use super::lists_writer::ListsWriter;
use super::meta::{FieldMeta, LengthsAt, Meta};
use super::sink::Sink;
use super::spellings::SpellingsWriter;
use super::{LENGTHS, POSITIONS, POSTINGS, TERMS, VERSION};
use lucerne_codec::envelope::NO_FIELD;
use lucerne_codec::format::{WriteContext, Written};
use lucerne_codec::io::bytes::PutLe;
use lucerne_codec::postings::{FieldStats, PostingsField, PostingsSource};
use lucerne_codec::{BitSet, Error, Result};

/// Terms between two looks at the cancel flag; documents of a list, too.
const CANCEL_STEP: usize = 1 << 10;

/// The files of a segment's postings.
struct Files {
    terms: Sink,
    post: Sink,
    /// Positions and lengths, once a field has them.
    positional: Option<(Sink, Sink)>,
}

fn create(context: &WriteContext<'_>, (extension, format): (&str, &str)) -> Result<Sink> {
    Ok(Sink::new(context.create(extension, format, VERSION, NO_FIELD)?))
}

pub(super) fn write(context: &WriteContext<'_>, source: &mut dyn PostingsSource) -> Result<Written> {
    let (terms, post) = (create(context, TERMS)?, create(context, POSTINGS)?);
    let mut files = Files { terms, post, positional: None };
    let mut fields: Vec<FieldMeta> = Vec::new();
    while let Some(field) = source.next_field()? {
        if fields.last().is_some_and(|last| last.field.number >= field.number) {
            return Err(invalid(&field, "comes after one of a higher number"));
        }
        if field.positions && files.positional.is_none() {
            files.positional = Some((create(context, POSITIONS)?, create(context, LENGTHS)?));
        }
        fields.extend(write_field(context, &mut files, field, source)?);
    }
    let mut entries = vec![files.terms.finish()?, files.post.finish()?];
    if let Some((positions, lengths)) = files.positional {
        entries.extend([positions.finish()?, lengths.finish()?]);
    }
    let meta = Meta { fields, files: entries.iter().map(|entry| entry.len).collect() };
    Ok(Written { files: entries, meta: meta.to_metadata()? })
}

fn invalid(field: &PostingsField, problem: &str) -> Error {
    Error::Invalid(format!("postings_v1: field {} ({:?}) {problem}", field.number, field.name))
}

fn write_field(
    context: &WriteContext<'_>,
    files: &mut Files,
    field: PostingsField,
    source: &mut dyn PostingsSource,
) -> Result<Option<FieldMeta>> {
    let lengths = source.lengths();
    let expected = if field.positions { context.max_doc as usize } else { 0 };
    if lengths.len() != expected {
        return Err(invalid(&field, &format!("has {} lengths, expected {expected}", lengths.len())));
    }
    let tokens: u64 = lengths.iter().map(|&length| u64::from(length)).sum();
    let with_tokens = lengths.iter().filter(|&&length| length > 0).count() as u32;
    let average_length = tokens as f32 / with_tokens.max(1) as f32;
    let mut seen = BitSet::empty(if field.positions { 0 } else { context.max_doc });
    let mut seen_docs = 0;

    let mut dictionary = DictionaryWriter::new(&files.terms);
    let mut spellings = SpellingsWriter::new(field.positions);
    let positions = files.positional.as_mut().filter(|_| field.positions).map(|(positions, _)| positions);
    let mut lists = ListsWriter::new(&mut files.post, positions, average_length, context.max_doc);
    let (mut term, mut found, mut steps) = (Vec::new(), Vec::new(), 0);
    while let Some(next) = source.next_term()? {
        term.clear();
        term.extend_from_slice(next);
        lists.start();
        while let Some(doc) = source.next_doc(&mut found)? {
            steps += 1;
            context.cancel.check_every(CANCEL_STEP, steps)?;
            if doc >= context.max_doc || lists.last().is_some_and(|last| last >= doc) {
                return Err(invalid(&field, &format!("yields document {doc} out of order")));
            }
            if field.positions == found.is_empty() || !found.is_sorted() {
                return Err(invalid(&field, &format!("yields wrong positions in document {doc}")));
            }
            let length = source.lengths().get(doc as usize).copied().unwrap_or(0);
            lists.add(doc, &found, length)?;
            seen_docs += u32::from(seen.insert(doc));
        }
        steps += 1;
        if let Some(list) = lists.end()? {
            dictionary.add(&mut files.terms, &term, list)?;
            spellings.add(&term);
        }
    }
    context.cancel.check()?;
    if dictionary.terms() == 0 {
        return Ok(None);
    }
    let at = dictionary.finish(&mut files.terms)?;
    let spellings = spellings.finish(&mut files.terms)?;
    let lengths = match &mut files.positional {
        Some((_, file)) if field.positions => Some(write_lengths(file, source.lengths())?),
        _ => None,
    };
    let docs = if field.positions { with_tokens } else { seen_docs };
    let stats = FieldStats { docs, terms: at.terms, tokens };
    Ok(Some(FieldMeta { field, stats, dictionary: at.start, index: at.index, lengths, spellings }))
}

fn write_lengths(file: &mut Sink, lengths: &[u32]) -> Result<LengthsAt> {
    let width = match lengths.iter().max().copied().unwrap_or(0) {
        0..=0xFF => 1,
        0x100..=0xFFFF => 2,
        _ => 4,
    };
    let start = file.position();
    let mut bytes = Vec::new();
    for lengths in lengths.chunks(1 << 12) {
        bytes.clear();
        lengths.iter().for_each(|&length| bytes.put_uint(length.into(), width));
        file.write(&bytes)?;
    }
    Ok(LengthsAt { start, width: width as u8 })
}

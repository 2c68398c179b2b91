//! What is damaged of a segment, and what is left of it.

use super::report::LostPart;
use crate::admin::check::problem_of;
use crate::document::{Document, Value};
use crate::error::{Error, Result};
use crate::reader::open_context;
use crate::schema::{Field, FieldType, Schema};
use lucerne_codec::columns::ColumnsReader;
use lucerne_codec::commit::CommitSegment;
use lucerne_codec::envelope;
use lucerne_codec::format::{OpenContext, Problem};
use lucerne_codec::keys::KeysReader;
use lucerne_codec::postings::PostingsReader;
use lucerne_codec::segment_info::{SegmentInfo, VectorInfo};
use lucerne_codec::sparse::SparseReader;
use lucerne_codec::stored::StoredReader;
use lucerne_codec::vector::VectorReader;
use lucerne_codec::{Cancel, Directory, DocId, FieldInfo, Registry};
use std::collections::BTreeMap;

/// Where damage is looked for.
pub(super) struct Place<'a> {
    pub(super) directory: &'a dyn Directory,
    pub(super) registry: &'a Registry,
    pub(super) cancel: &'a Cancel,
}

/// A structure that can be made again from others.
pub(super) enum Part<R: ?Sized> {
    /// The segment does not have it.
    None,
    Whole(Box<R>),
    Damaged,
}

impl<R: ?Sized> Part<R> {
    pub(super) fn is_damaged(&self) -> bool {
        matches!(self, Self::Damaged)
    }
}

/// What is left of a segment.
pub(super) struct Remains {
    pub(super) info: SegmentInfo,
    pub(super) problems: Vec<Problem>,
    /// Those of them that are bytes taken as they are.
    pub(super) unverified: Vec<Problem>,
    /// What is to be made again.
    pub(super) rebuilt: Vec<String>,
    /// `None` when nothing is left.
    pub(super) stored: Option<Box<dyn StoredReader>>,
    pub(super) keys: Option<Box<dyn KeysReader>>,
    pub(super) postings: Part<dyn PostingsReader>,
    pub(super) columns: Part<dyn ColumnsReader>,
    pub(super) sparse: Part<dyn SparseReader>,
    /// Vectors by field number.
    pub(super) vectors: Vec<(u32, Box<dyn VectorReader>)>,
    /// Documents whose own bytes are damaged.
    pub(super) lost: BTreeMap<DocId, LostPart>,
    /// The key of each document, as it is stored; empty for a lost one.
    pub(super) own_keys: Vec<Box<str>>,
}

impl Remains {
    pub(super) fn is_whole(&self) -> bool {
        self.rebuilt.is_empty() && self.problems.is_empty() && self.lost.is_empty()
    }

    /// Documents that are not lost, deleted ones included.
    pub(super) fn survivors(&self) -> impl Iterator<Item = DocId> + '_ {
        (0..self.info.max_doc).filter(|doc| !self.lost.contains_key(doc))
    }

    /// The key of any document, as far as it is known.
    pub(super) fn key(&self, doc: DocId) -> Option<String> {
        let own = self.own_keys.get(doc as usize).filter(|key| !key.is_empty());
        let listed = || self.keys.as_ref().and_then(|keys| keys.key(doc).ok());
        own.map(|key| key.to_string()).or_else(|| listed().map(str::to_owned))
    }

    /// The stored fields of a document, if they are whole.
    pub(super) fn stored(&self, doc: DocId) -> Option<String> {
        let mut bytes = Vec::new();
        self.stored.as_ref()?.get(doc, &mut bytes).ok()?;
        String::from_utf8(bytes).ok()
    }
}

/// Looks at every byte of a segment.
///
/// # Errors
/// When it was cancelled, or nothing is left of the segment info.
pub(super) fn examine(place: &Place<'_>, schema: &Schema, segment: &CommitSegment) -> Result<Remains> {
    let (registry, directory, entry) = (place.registry, place.directory, &segment.info);
    let mut found = Found { place, problems: Vec::new(), unverified: Vec::new(), rebuilt: Vec::new() };
    let info = match registry.segment_info.read(directory, entry, segment.id) {
        Ok(info) => info,
        Err(error) => {
            found.damaged(&entry.name, error.into(), "segment info")?;
            registry.segment_info.salvage(directory, entry, segment.id).or_else(|error| {
                let fields: Vec<FieldInfo> = schema.vector_fields().map(|field| field.info()).collect();
                let made = registry.segment_info.reconstruct(directory, &segment.name, segment.id, &fields);
                let is_sparse = |field: &Field| matches!(field.field_type(), FieldType::SparseVector);
                let any_sparse = schema.fields().iter().any(is_sparse);
                made.map_err(|_| error)
                    .map(|made| SegmentInfo { sparse: made.sparse.filter(|_| any_sparse), ..made })
            })?
        }
    };
    let file = &entry.name;
    let context = |structure| open_context(directory, &info, structure);

    let of_stored = context(&info.stored);
    let format = registry.stored(&info.stored.format, file)?;
    let whole = found.whole(&of_stored, "stored documents", || {
        let reader = format.open(&of_stored)?;
        let problems = reader.verify(place.cancel)?;
        Ok((reader, problems))
    })?;
    let stored = match whole {
        None => left(format.salvage(&of_stored))?,
        whole => whole,
    };

    let of_keys = context(&info.keys);
    let format = registry.keys(&info.keys.format, file)?;
    let whole = found.whole(&of_keys, "keys", || {
        let reader = format.open(&of_keys)?;
        let problems = reader.verify(place.cancel)?;
        Ok((reader, problems))
    })?;
    let keys = match whole {
        None => left(format.salvage(&of_keys))?,
        whole => whole,
    };

    let postings = match &info.postings {
        None => Part::None,
        Some(written) => {
            let context = context(written);
            let whole = found.whole(&context, "terms", || {
                let reader = registry.postings(&written.format, file)?.open(&context)?;
                let problems = reader.verify(place.cancel)?;
                Ok((reader, problems))
            })?;
            whole.map_or(Part::Damaged, Part::Whole)
        }
    };
    let columns = match &info.columns {
        None => Part::None,
        Some(written) => {
            let context = context(written);
            let whole = found.whole(&context, "columns", || {
                let reader = registry.columns(&written.format, file)?.open(&context)?;
                let problems = reader.verify(place.cancel)?;
                Ok((reader, problems))
            })?;
            whole.map_or(Part::Damaged, Part::Whole)
        }
    };
    let sparse = match &info.sparse {
        None => Part::None,
        Some(written) => {
            let context = context(written);
            let format = registry.sparse(&written.format, file)?;
            let whole = found.whole(&context, "sparse vectors", || {
                let reader = format.open(&context)?;
                let problems = reader.verify(place.cancel)?;
                Ok((reader, problems))
            })?;
            let whole = match whole {
                None => left(format.salvage(&context, place.cancel))?,
                whole => whole,
            };
            whole.map_or(Part::Damaged, Part::Whole)
        }
    };
    let (mut vectors, mut lost) = (Vec::new(), BTreeMap::new());
    for written in &info.vectors {
        match found.vectors(&context(&written.structure), written, file)? {
            Vectors::Left { reader, lost: documents } => {
                for doc in documents {
                    lost.insert(doc, LostPart::Vector { field: written.field.name.clone() });
                }
                vectors.push((written.field.number, reader));
            }
            // Which documents had one is not known.
            Vectors::Gone => {
                let part = LostPart::Vector { field: written.field.name.clone() };
                lost.extend((0..info.max_doc).map(|doc| (doc, part.clone())));
            }
        }
    }
    let mut own_keys = Vec::with_capacity(info.max_doc as usize);
    let mut agree = true;
    let mut bytes = Vec::new();
    for doc in 0..info.max_doc {
        place.cancel.check_every(256, doc as usize)?;
        let read = stored.as_ref().and_then(|stored| stored.get(doc, &mut bytes).ok());
        let key = read.and_then(|()| own_key(schema, &bytes));
        match &key {
            Some(own) => {
                let listed = keys.as_ref().and_then(|keys| keys.key(doc).ok());
                agree &= listed == Some(own.as_str());
            }
            None => drop(lost.insert(doc, LostPart::Stored)),
        }
        own_keys.push(key.unwrap_or_default().into_boxed_str());
    }
    let Found { mut problems, unverified, mut rebuilt, .. } = found;
    if !agree && !rebuilt.iter().any(|part| part == "keys") {
        rebuilt.push("keys".to_owned());
        let name = info.keys.files.first().map_or(&info.name, |file| &file.name).clone();
        problems
            .push(Problem { file: name, problem: "keys are not those of the stored documents".to_owned() });
    }
    Ok(Remains {
        info,
        problems,
        unverified,
        rebuilt,
        stored,
        keys,
        postings,
        columns,
        sparse,
        vectors,
        lost,
        own_keys,
    })
}

/// What is left, if anything is.
fn left<T>(salvaged: lucerne_codec::Result<T>) -> Result<Option<T>> {
    match salvaged.map_err(Error::from) {
        Err(error) if !is_damage(&error) => Err(error),
        salvaged => Ok(salvaged.ok()),
    }
}

/// Whether an error tells of damage. One of the operating system may pass (too many open files, no permission): nothing must
/// be given up for lost because of it.
pub(super) fn is_damage(error: &Error) -> bool {
    match error {
        Error::Codec(error @ lucerne_codec::Error::Io { .. }) => error.is_not_found(),
        Error::Codec(error) => !error.is_stop(),
        _ => true,
    }
}

/// The key that a stored document has.
fn own_key(schema: &Schema, stored: &[u8]) -> Option<String> {
    match Document::from_slice(stored).ok()?.get(schema.key().name()) {
        Some(Value::Text(key)) if !key.is_empty() => Some(key.clone()),
        _ => None,
    }
}

enum Vectors {
    Left { reader: Box<dyn VectorReader>, lost: Vec<DocId> },
    Gone,
}

struct Found<'a> {
    place: &'a Place<'a>,
    problems: Vec<Problem>,
    unverified: Vec<Problem>,
    rebuilt: Vec<String>,
}

impl Found<'_> {
    /// Notes what an error says; a work that was cancelled is none.
    fn damaged(&mut self, file: &str, error: Error, part: &str) -> Result<()> {
        if !is_damage(&error) {
            return Err(error);
        }
        self.problems.push(problem_of(file, error));
        if !self.rebuilt.iter().any(|known| known == part) {
            self.rebuilt.push(part.to_owned());
        }
        Ok(())
    }

    /// The reader of a structure, if all its bytes are whole and it agrees with itself.
    fn whole<R: ?Sized>(
        &mut self,
        context: &OpenContext<'_>,
        part: &str,
        open: impl FnOnce() -> lucerne_codec::Result<(Box<R>, Vec<Problem>)>,
    ) -> Result<Option<Box<R>>> {
        let before = self.problems.len();
        for entry in context.files {
            self.place.cancel.check()?;
            if let Err(error) = envelope::verify_entry(self.place.directory, entry) {
                self.damaged(&entry.name, error.into(), part)?;
            }
        }
        if self.problems.len() > before {
            return Ok(None);
        }
        let file = context.files.first().map_or(part, |file| &file.name);
        match open() {
            Ok((reader, problems)) if problems.is_empty() => Ok(Some(reader)),
            Ok((_, problems)) => {
                self.problems.extend(problems);
                self.rebuilt.push(part.to_owned());
                Ok(None)
            }
            Err(error) => self.damaged(file, error.into(), part).map(|()| None),
        }
    }

    fn vectors(&mut self, context: &OpenContext<'_>, written: &VectorInfo, file: &str) -> Result<Vectors> {
        let (cancel, field) = (self.place.cancel, &written.field);
        let format = self.place.registry.vectors(&written.structure.format, file)?;
        let part = format!("vectors of {:?}", field.name);
        let whole = self.whole(context, &part, || {
            let reader = format.open(context, field)?;
            let problems = reader.verify(cancel)?;
            Ok((reader, problems))
        })?;
        if let Some(reader) = whole {
            return Ok(Vectors::Left { reader, lost: Vec::new() });
        }
        match format.salvage(context, field, cancel) {
            Ok(left) => {
                self.problems.extend(left.unverified.clone());
                self.unverified.extend(left.unverified);
                Ok(Vectors::Left { reader: left.reader, lost: left.lost })
            }
            Err(error) => self.damaged(file, error.into(), &part).map(|()| Vectors::Gone),
        }
    }
}

//! What an index of so many documents will take: on disk, and in memory for reading, writing and merging.
//!
//! Formats know what a vector takes; what text takes is in the text. So a sample of documents is written to memory, half of
//! it and all of it, and the sizes of each kind of file are continued: what grows more slowly than the documents, as the
//! different words do, goes on doing so.

use crate::directory::RamDirectory;
use crate::document::{Document, FieldAnalyzers, Value, validate};
use crate::error::{Error, Result};
use crate::index::IndexBuilder;
use crate::limits::DEFAULT_SEED;
use crate::merge;
use crate::reader::{Pins, SegmentReader};
use crate::schema::{Schema, VectorField, VectorIndex};
use crate::segment_write::{SegmentWrite, random_segment_id};
use crate::writer::{Buffer, WriterOptions, flush};
use lucerne_codec::Cancel;
use lucerne_codec::format::Working;
use lucerne_codec::random::SplitMix64;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Documents that are made up when there is no sample.
const MADE_UP: usize = 2_000;
/// A graph is begun at this many vectors unless the schema says otherwise: larger indexes have one, whatever the sample.
const GRAPH_FROM: u64 = 4_000;
/// Growth of a kind of file with the number of documents, as a power of it.
const GROWTH: std::ops::RangeInclusive<f64> = 0.0..=1.02;

/// What an index will take, in bytes.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Estimate {
    /// Documents estimated for.
    pub docs: u64,
    /// All files, merged into one segment.
    pub disk: u64,
    /// The files by extension (`vec`, `sq8`, `hnsw`, `stored`, `terms`, …).
    pub files: BTreeMap<String, u64>,
    /// What is on disk while it is merged into one segment: sources and result.
    pub disk_while_merging: u64,
    /// What fast searches want in the page cache: all files but stored documents, and raw vectors where codes are searched.
    pub reading: u64,
    /// Heap of a writer: its budget, or less when all documents take less.
    pub writing: u64,
    /// Heap of merging everything into one segment.
    pub merging: u64,
    /// The same where a ceiling ([`Memory`](crate::Memory)) has no room for that: the largest structures are in files then.
    pub merging_least: u64,
}

/// Estimates what `docs` documents of a schema take, with the writer options given.
///
/// The `sample` are documents as they will come, a few thousand or more; vectors that they lack are made up. Without a
/// sample only keys and vectors are counted: text, values and stored fields take nothing.
///
/// ```
/// use lucerne::{Schema, Vector, WriterOptions, admin};
///
/// let schema = Schema::builder().vector("v", Vector::f32(64)).build()?;
/// let estimate = admin::estimate(&schema, &[], 1_000_000, &WriterOptions::new())?;
/// let raw = estimate.files["vec"];
/// assert!((255_000_000..257_000_000).contains(&raw)); // 64 × 4 bytes each.
/// assert!(estimate.reading < estimate.disk - raw + 1_000_000);
/// # Ok::<(), lucerne::Error>(())
/// ```
///
/// # Errors
/// When a field's parameters are refused, or a document of the sample does not fit the schema.
pub fn estimate(
    schema: &Schema,
    sample: &[Document],
    docs: u64,
    options: &WriterOptions,
) -> Result<Estimate> {
    let schema = &if docs >= GRAPH_FROM { with_graphs(schema)? } else { schema.clone() };
    let made_up = vec![Document::new(); if sample.is_empty() { MADE_UP } else { 0 }];
    let sample = if sample.is_empty() { &made_up } else { sample };
    let whole = Sampled::of(schema, sample)?;
    let half = match sample.len() {
        0 | 1 => None,
        len => Some(Sampled::of(schema, sample.get(..len / 2).unwrap_or_default())?),
    };
    let grown = |extension: &str, bytes: u64| {
        let before = half.as_ref().and_then(|half| Some((half.files.get(extension)?, half.docs)));
        let power = before.map_or(1.0, |(less, docs)| {
            (bytes as f64 / *less as f64).ln() / (whole.docs as f64 / docs as f64).ln()
        });
        let power = power.clamp(*GROWTH.start(), *GROWTH.end());
        (bytes as f64 * (docs as f64 / whole.docs as f64).powf(power)) as u64
    };
    let files: BTreeMap<String, u64> =
        whole.files.iter().map(|(extension, &bytes)| (extension.clone(), grown(extension, bytes))).collect();
    let share = |bytes: u64| (bytes as f64 * docs as f64 / whole.docs as f64) as u64;
    let vectors = |field: u32| share(whole.vectors.get(&field).copied().unwrap_or(0));
    let formats = IndexBuilder::new();
    let merging = |working| merge::memory(schema, formats.registry(), docs, vectors, working);
    let disk = files.values().sum();
    let stored = files.get("stored").copied().unwrap_or(0);
    Ok(Estimate {
        docs,
        disk,
        disk_while_merging: 2 * disk,
        reading: disk - stored.min(disk) - share(whole.not_searched).min(disk - stored.min(disk)),
        writing: share(whole.buffered as u64).min(options.ram_budget as u64),
        merging: merging(Working::Heap),
        merging_least: merging(Working::Files),
        files,
    })
}

/// What a sample takes as one segment.
struct Sampled {
    docs: u64,
    /// Bytes by extension.
    files: BTreeMap<String, u64>,
    /// Bytes of raw vectors of fields that are searched by codes, and of spare files.
    not_searched: u64,
    /// Bytes of the buffer, and of flushing it.
    buffered: usize,
    /// Vectors by field.
    vectors: BTreeMap<u32, u64>,
}

impl Sampled {
    fn of(schema: &Schema, sample: &[Document]) -> Result<Self> {
        let formats = IndexBuilder::new();
        let (registry, directory) = (formats.registry(), RamDirectory::new());
        let analyzers = FieldAnalyzers::of(schema, formats.analyzers())?;
        let mut vector_bytes = BTreeMap::new();
        for field in schema.vector_fields() {
            let format = field.format(registry)?;
            format.check(&field.info())?;
            vector_bytes.insert(field.number(), format.buffered_bytes(&field.info()));
        }
        let (mut buffer, mut random) = (Buffer::default(), SplitMix64::new(DEFAULT_SEED));
        for (number, document) in sample.iter().enumerate() {
            let document = completed(schema, document, number, &mut random);
            let validated = validate(schema, &analyzers, &document)?;
            let key = validated.key.clone().unwrap_or_else(|| number.to_string());
            buffer.push(&key, &validated, |field| vector_bytes.get(&field).copied().unwrap_or(0));
        }
        let write = SegmentWrite {
            directory: &directory,
            registry,
            pins: &Arc::<Pins>::default(),
            schema,
            name: "_0",
            id: random_segment_id()?,
            seed: DEFAULT_SEED,
            threads: 1,
            working: Working::Heap,
            cancel: &Cancel::new(),
            progress: &(),
        };
        let reader = flush(&write, &buffer, None)?;
        Ok(Self::read(&reader, buffer.bytes()))
    }

    fn read(reader: &SegmentReader, buffered: usize) -> Self {
        let extension = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
        let mut files = BTreeMap::new();
        for file in reader.files() {
            *files.entry(extension(&file.name)).or_insert(0) += file.len;
        }
        let mut not_searched = 0;
        for vectors in &reader.info().vectors {
            let of = |wanted: &[&str]| {
                let files = vectors.structure.files.iter();
                let found = files.filter(|file| wanted.contains(&extension(&file.name).as_str()));
                found.map(|file| file.len).sum::<u64>()
            };
            not_searched += of(&["spare"]);
            if of(&["sq8", "sign"]) > 0 {
                not_searched += of(&["vec"]);
            }
        }
        let vectors = reader.vectors().iter().map(|it| (it.field.number, it.reader.len() as u64)).collect();
        Self { docs: u64::from(reader.max_doc()), files, not_searched, buffered, vectors }
    }
}

/// The document with vectors made up where it has none, and a key where it must have one.
fn completed(schema: &Schema, document: &Document, number: usize, random: &mut SplitMix64) -> Document {
    let mut document = document.clone();
    let key = schema.key();
    if !key.is_automatic() && document.get(key.name()).is_none() {
        document.set(key.name(), number.to_string());
    }
    for field in schema.vector_fields() {
        let by_path = schema.field(field.name()).is_some_and(|field| field.field_path().is_some());
        if by_path || document.get(field.name()).is_some() {
            continue;
        }
        match (made_up(field, random), field.options().is_multiple()) {
            (vector, false) => document.set(field.name(), vector),
            (vector, true) => document.set(field.name(), vec![vector]),
        }
    }
    document
}

/// A vector of length 1, or bits.
fn made_up(field: VectorField<'_>, random: &mut SplitMix64) -> Value {
    let dimension = field.options().dimension();
    if field.options().is_binary() {
        return Value::Bits((0..dimension / 8).map(|_| random.next() as u8).collect());
    }
    let mut component = || (random.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0;
    let vector: Vec<f32> = (0..dimension).map(|_| component()).collect();
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    Value::Vector(vector.into_iter().map(|value| value / length).collect())
}

/// The schema with a graph in small segments, too, where large ones have one.
fn with_graphs(schema: &Schema) -> Result<Schema> {
    let graphs: Vec<&str> = schema
        .vector_fields()
        .filter(|field| field.options().index() == Some(VectorIndex::Hnsw))
        .map(|field| field.name())
        .collect();
    let mut json = schema.to_json();
    let fields = json.get_mut("fields").and_then(serde_json::Value::as_array_mut);
    for field in fields.into_iter().flatten().filter_map(serde_json::Value::as_object_mut) {
        if !field.get("name").and_then(|name| name.as_str()).is_some_and(|name| graphs.contains(&name)) {
            continue;
        }
        let group = field.entry(lucerne_codec::FieldInfo::ADVANCED).or_insert_with(|| serde_json::json!({}));
        let Some(group) = group.as_object_mut() else {
            return Err(Error::Invalid("the group of advanced parameters is not an object".to_owned()));
        };
        group.entry("graph_threshold").or_insert_with(|| 0.into());
    }
    Schema::from_value(&json)
}

//! What a fuzz target does with its input, one function per format reader.
//!
//! The input becomes a file's *body*: header, footer and checksums around it, and those inside it where
//! [`Plan::fix`] says so, are made right, so that the fuzzer gets past them to what comes after. Every reader
//! must then refuse it or answer; what it answers must be in order (see [`use_vectors`]).
//!
//! Shared by `fuzz/fuzz_targets` and `tests/hostile_files.rs`, which replays the corpus.

use lucerne::codec::envelope::{self, EnvelopeWriter, Expected, FileEntry, Header, NO_FIELD};
use lucerne::codec::testing::{Bench, MemoryDirectory, reseal};
use lucerne::codec::vector::{Effort, OpenContext, VectorReader, VectorRows, VectorSearch, Written};
use lucerne::codec::{
    Accept, BitSet, Cancel, Component, Directory, Facts, FieldInfo, Input, Ordinal, Params, Registry,
    SegmentId, Similarity,
};
use lucerne::directory::RamDirectory;
use lucerne::{
    Document, Index, IndexBuilder, Knn, MergePolicy, Schema, Vector, Writer, WriterOptions, admin,
};
use lucerne_formats::distance::DistanceComputer;
use lucerne_formats::hnsw::graph::{GraphSearcher, SearchParams, SearchScratch};
use lucerne_formats::vectors::LayeredReader;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

#[path = "fuzz_columns.rs"]
mod columns;

pub(crate) use columns::columns;

#[path = "fuzz_postings.rs"]
mod postings;

pub(crate) use postings::postings;

/// What is run for each input.
pub(crate) type Target = fn(&[u8]);

/// Every target by name.
pub(crate) const TARGETS: [(&str, Target); 15] = [
    ("envelope", envelope),
    ("commit", commit),
    ("segment_info", segment_info),
    ("live_docs", live_docs),
    ("stored", stored),
    ("keys", keys),
    ("postings", postings),
    ("columns", columns),
    ("flat_f32", flat_f32),
    ("sq8", sq8),
    ("hnsw", hnsw),
    ("ivf", ivf),
    ("vector_facts", vector_facts),
    ("schema_json", schema_json),
    ("document_json", document_json),
];

static FORMATS: LazyLock<Registry> = LazyLock::new(lucerne_formats::builtin);

/// How the input is used, from its first byte.
#[derive(Clone, Copy)]
struct Plan(u8);

impl Plan {
    fn split(data: &[u8]) -> Option<(Self, &[u8])> {
        let (first, rest) = data.split_first()?;
        Some((Self(*first), rest))
    }

    /// Checksums inside the body are made right too.
    fn fix(self) -> bool {
        self.0 & 1 == 0
    }

    /// The input lies over a sound body of its own length, instead of being the body.
    fn overlay(self) -> bool {
        self.0 & 2 == 0
    }

    fn choice(self, of: usize) -> usize {
        usize::from(self.0 >> 2) % of
    }

    fn body(self, data: &[u8], sound: &[u8]) -> Vec<u8> {
        if !self.overlay() {
            return data.to_vec();
        }
        let mut body = sound.to_vec();
        body.iter_mut().zip(data).for_each(|(byte, &mask)| *byte ^= mask);
        body
    }
}

/// Writes a file of a sound envelope around `body`.
fn put(
    directory: &MemoryDirectory,
    name: &str,
    format: &str,
    segment: SegmentId,
    field: u32,
    body: &[u8],
) -> FileEntry {
    let header = Header { format, version: 1, segment, field };
    let _ = directory.delete(name);
    let mut file = EnvelopeWriter::create(directory, name, header).unwrap();
    file.write(body).unwrap();
    file.finish().unwrap()
}

fn body_of(directory: &MemoryDirectory, name: &str) -> Vec<u8> {
    let whole = directory.get(name).unwrap();
    whole[64..whole.len() - 16].to_vec()
}

fn json_body(json: &[u8]) -> Vec<u8> {
    [&(json.len() as u32).to_le_bytes(), json].concat()
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn set(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// The bytes as a whole file: as they are, then with header and footer made right.
pub(crate) fn envelope(data: &[u8]) {
    let expected = Expected { format: "keys", versions: (1, 2), segment: Bench::ID, field: NO_FIELD };
    let look = |bytes: Vec<u8>| {
        let len = bytes.len() as u64;
        let directory = MemoryDirectory::new();
        directory.put("_0.keys", bytes);
        if let Ok((input, version)) = envelope::open_checked(&directory, "_0.keys", expected) {
            assert!((1..=2).contains(&version) && len >= 80);
            let body = envelope::body(&input).unwrap();
            assert_eq!(body.len() as u64 + 80, len);
            let _ = envelope::verify_checksum(&input);
        }
    };
    look(data.to_vec());
    if data.len() >= 80 {
        let mut sealed = data.to_vec();
        reseal("_0.keys", &mut sealed);
        look(sealed.clone());
        sealed[..4].copy_from_slice(b"LCRN");
        let footer = sealed.len() - 16;
        sealed[footer..footer + 4].copy_from_slice(b"NRCL");
        reseal("_0.keys", &mut sealed);
        look(sealed);
    }
    // Offsets and lengths from a file.
    let input = Input::new("_0.keys", Arc::new(data.to_vec()));
    let mut cursor = input.cursor(0);
    while let (Ok(offset), Ok(len)) = (cursor.u64(), cursor.u64()) {
        if let Ok(slice) = input.slice(offset, len) {
            assert_eq!(slice.len() as u64, len);
        }
        let _ = input.sub(offset, len).map(|part| part.cursor(len).count(offset));
        let _ = input.cursor(offset).take(len);
    }
}

/// A commit's JSON: read alone, and opened and checked as the only file of an index.
pub(crate) fn commit(data: &[u8]) {
    let directory = MemoryDirectory::new();
    put(&directory, "segments_1", "commit", SegmentId([0; 16]), NO_FIELD, &json_body(data));
    if let Ok(commit) = FORMATS.commit.read(&directory, "segments_1", 1) {
        let again = MemoryDirectory::new();
        FORMATS.commit.write(&again, "segments_1", &commit).unwrap();
        assert_eq!(FORMATS.commit.read(&again, "segments_1", 1).unwrap(), commit);
    }
    let directory: Arc<dyn Directory> = Arc::new(directory);
    if let Ok(index) = IndexBuilder::new().open(Arc::clone(&directory))
        && let Ok(searcher) = index.searcher()
    {
        for field in searcher.schema().vector_fields() {
            let query = vec![0.5; field.info().dimension as usize];
            let _ = searcher.search(Knn::new(field.name(), query));
        }
        let _ = searcher.get("0");
    }
    let _ = admin::check_in(IndexBuilder::new(), directory, &Cancel::new(), &());
}

/// A segment info's JSON.
pub(crate) fn segment_info(data: &[u8]) {
    let directory = MemoryDirectory::new();
    let entry = put(&directory, "_0.si", "segment_info", Bench::ID, NO_FIELD, &json_body(data));
    if let Ok(info) = FORMATS.segment_info.read(&directory, &entry, Bench::ID) {
        let again = MemoryDirectory::new();
        let entry = FORMATS.segment_info.write(&again, &info).unwrap();
        assert_eq!(FORMATS.segment_info.read(&again, &entry, Bench::ID).unwrap(), info);
        for file in info.files() {
            assert!(!file.name.contains(['/', '\\']) && !file.name.contains(".."));
        }
    }
}

/// Live docs.
pub(crate) fn live_docs(data: &[u8]) {
    let Some((plan, data)) = Plan::split(data) else { return };
    let sound = [
        &70u32.to_le_bytes()[..],
        &[2, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[0xFC; 1],
        &[0xFF; 7],
        &[0x3F, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let mut body = plan.body(data, &sound);
    let max_doc = number(&body, 0).unwrap_or(1);
    if plan.fix() && body.len() >= 16 {
        let live: u32 = body[16..].iter().map(|byte| byte.count_ones()).sum();
        set(&mut body, 4, max_doc.wrapping_sub(live));
        set(&mut body, 8, 1);
        set(&mut body, 12, 0);
    }
    let bench = Bench::new();
    let entry = put(&bench.directory, "_0_1.live", "live_docs", Bench::ID, NO_FIELD, &body);
    let written = Written { files: vec![entry], meta: Facts::Null };
    let format = FORMATS.default_live_docs().unwrap();
    if let Ok(live) = format.read(&bench.open(max_doc, &written)) {
        assert_eq!(live.len(), max_doc);
        assert_eq!(live.iter().count(), live.count() as usize);
        assert!(live.iter().all(|doc| doc < max_doc));
    }
}

fn sound_stored() -> Vec<u8> {
    let bench = Bench::new();
    let mut next = |doc: u32, into: &mut Vec<u8>| {
        into.extend_from_slice(
            format!("{{\"id\":\"{doc}\",\"t\":\"{}\"}}", "ab".repeat(doc as usize)).as_bytes(),
        );
        Ok(())
    };
    FORMATS.default_stored().unwrap().write(&bench.write(7), &mut next).unwrap();
    body_of(&bench.directory, "_0.stored")
}

/// Stored documents: blocks and table, or the decompressed content of one block.
pub(crate) fn stored(data: &[u8]) {
    static SOUND: LazyLock<Vec<u8>> = LazyLock::new(sound_stored);
    let Some((plan, data)) = Plan::split(data) else { return };
    let mut body = match plan.choice(2) {
        0 => plan.body(data, &SOUND),
        _ => one_block(data),
    };
    if plan.fix() {
        fix_stored(&mut body);
    }
    let max_doc = body.len().checked_sub(8).and_then(|at| number(&body, at)).unwrap_or(1);
    let bench = Bench::new();
    let entry = put(&bench.directory, "_0.stored", "stored", Bench::ID, NO_FIELD, &body);
    let written = Written { files: vec![entry], meta: Facts::Null };
    let Ok(reader) = FORMATS.default_stored().unwrap().open(&bench.open(max_doc, &written)) else { return };
    let mut document = Vec::new();
    for doc in (0..max_doc.min(40)).chain(max_doc.saturating_sub(3)..max_doc).chain([max_doc, u32::MAX]) {
        let _ = reader.get(doc, &mut document);
    }
    let _ = reader.inspect();
    let _ = reader.verify(&Cancel::new()).unwrap();
}

/// A body of one block with this content; its first byte says how many documents there are.
fn one_block(content: &[u8]) -> Vec<u8> {
    let Some((&docs, content)) = content.split_first() else { return Vec::new() };
    let mut body = zstd::bulk::compress(content, 1).unwrap();
    let packed = body.len() as u32;
    body.extend_from_slice(&64u64.to_le_bytes());
    for word in [packed, content.len() as u32, 0, 0, 1, u32::from(docs), 0] {
        body.extend_from_slice(&word.to_le_bytes());
    }
    fix_stored(&mut body);
    body
}

/// Makes the checksums of blocks and table right, as far as they are where the body says.
fn fix_stored(body: &mut [u8]) {
    let Some(tail) = body.len().checked_sub(12) else { return };
    let blocks = number(body, tail).unwrap_or(0) as usize;
    let Some(table) = blocks.checked_mul(24).and_then(|len| tail.checked_sub(len)) else { return };
    for at in (table..tail).step_by(24) {
        let start = u64::from_le_bytes(body[at..at + 8].try_into().unwrap()).wrapping_sub(64) as usize;
        let end = start.saturating_add(number(body, at + 8).unwrap_or(0) as usize);
        if let Some(packed) = body.get(start..end) {
            let crc = crc32fast::hash(packed);
            set(body, at + 20, crc);
        }
    }
    let crc = crc32fast::hash(&body[table..tail + 8]);
    set(body, tail + 8, crc);
}

fn sound_keys() -> Vec<u8> {
    let bench = Bench::new();
    let keys = ["vim", "", "größe", "vim", "emacs", "a", "b", "c"];
    FORMATS.default_keys().unwrap().write(&bench.write(8), &keys).unwrap();
    body_of(&bench.directory, "_0.keys")
}

/// Keys.
pub(crate) fn keys(data: &[u8]) {
    static SOUND: LazyLock<Vec<u8>> = LazyLock::new(sound_keys);
    let Some((plan, data)) = Plan::split(data) else { return };
    let mut body = plan.body(data, &SOUND);
    if plan.fix() {
        fix_keys(&mut body);
    }
    let max_doc = number(&body, 0).unwrap_or(1);
    let bench = Bench::new();
    let entry = put(&bench.directory, "_0.keys", "keys", Bench::ID, NO_FIELD, &body);
    let written = Written { files: vec![entry], meta: Facts::Null };
    let Ok(reader) = FORMATS.default_keys().unwrap().open(&bench.open(max_doc, &written)) else { return };
    let mut found = Vec::new();
    for doc in (0..max_doc.min(40)).chain([max_doc.saturating_sub(1), max_doc, u32::MAX]) {
        if let Ok(key) = reader.key(doc) {
            let _ = reader.find(key, &mut |doc| found.push(doc));
        }
    }
    for key in ["vim", "", "größe", "none"] {
        let _ = reader.find(key, &mut |doc| found.push(doc));
    }
    assert!(found.iter().all(|&doc| doc < max_doc));
    let _ = reader.inspect();
    let _ = reader.verify(&Cancel::new()).unwrap();
}

/// Makes the checksums of entries and keys right, as far as they are where the body says.
fn fix_keys(body: &mut [u8]) {
    let n = number(body, 0).unwrap_or(0) as usize;
    let (entries, checksums, keys) = (16 + 8 * (n + 1), 16 + 8 * (n + 1) + 16 * n, 16 + 8 * (n + 1) + 20 * n);
    if body.len() < keys {
        return;
    }
    let len = (body.len() - keys) as u64;
    body[4..8].fill(0);
    body[8..16].copy_from_slice(&len.to_le_bytes());
    for doc in 0..n {
        let at = entries + 16 * doc;
        let crc = crc32fast::hash(&body[at..at + 12]);
        set(body, at + 12, crc);
        let start = |doc: usize| u64::from_le_bytes(body[16 + 8 * doc..24 + 8 * doc].try_into().unwrap());
        let range =
            (start(doc) as usize).saturating_add(keys)..(start(doc + 1) as usize).saturating_add(keys);
        if let Some(key) = body.get(range) {
            let crc = crc32fast::hash(&[&(doc as u32).to_le_bytes(), key].concat());
            set(body, checksums + 4 * doc, crc);
        }
    }
}

/// A vector field as it was written: 40 vectors of 3 components, in 50 documents.
struct Sound {
    field: FieldInfo,
    directory: MemoryDirectory,
    written: Written,
}

const MAX_DOC: u32 = 50;

/// One for each similarity, in the format with all layers.
static SOUND_VECTORS: LazyLock<Vec<Sound>> = LazyLock::new(|| Similarity::FLOAT.map(sound_vectors).into());

fn sound_vectors(similarity: Similarity) -> Sound {
    let params = serde_json::json!({ "m": 2, "beam_width": 8, "graph_threshold": 0, "walk_bits": 4 });
    let params: Params = params.as_object().cloned().unwrap();
    let field = FieldInfo { number: 0, name: "v".into(), dimension: 3, similarity, params };
    let docs: Vec<u32> = (0..MAX_DOC).filter(|doc| doc % 5 != 0).collect();
    let component = |seed: u32| {
        ((seed.wrapping_mul(2_654_435_761) >> 8) as f32 / (1u32 << 23) as f32 - 1.0).to_le_bytes()
    };
    let rows: Vec<u8> = (0..3 * docs.len() as u32).flat_map(component).collect();
    let bench = Bench::new();
    let vectors = VectorRows { rows: &rows, docs: &docs };
    let format = FORMATS.vectors("hnsw_sq8", "fuzz").unwrap();
    let written = format.write(&bench.write(MAX_DOC), &field, vectors, None).unwrap();
    Sound { field, directory: bench.directory, written }
}

/// Inverted lists: 40 vectors of 24 bits around a few centroids.
static SOUND_LISTS: LazyLock<Sound> = LazyLock::new(|| {
    let params: Params = serde_json::json!({ "nlist": 6 }).as_object().cloned().unwrap();
    let similarity = Similarity::Hamming;
    let field = FieldInfo { number: 0, name: "v".into(), dimension: 24, similarity, params };
    let docs: Vec<u32> = (0..MAX_DOC).filter(|doc| doc % 5 != 0).collect();
    let byte = |seed: u32| (seed.wrapping_mul(2_654_435_761) >> 24) as u8;
    let rows: Vec<u8> = (0..3 * docs.len() as u32).map(byte).collect();
    let bench = Bench::new();
    let vectors = VectorRows { rows: &rows, docs: &docs };
    let format = FORMATS.vectors("bin_ivf", "fuzz").unwrap();
    let written = format.write(&bench.write(MAX_DOC), &field, vectors, None).unwrap();
    Sound { field, directory: bench.directory, written }
});

impl Sound {
    /// Puts a body in the place of the file that ends in `extension`, opens the field and uses it.
    fn with_body(&self, extension: &str, format: &str, body: impl FnOnce(Vec<u8>, &mut Facts) -> Vec<u8>) {
        let mut written = self.written.clone();
        let at = written.files.iter().position(|file| file.name.ends_with(extension)).unwrap();
        let name = written.files[at].name.clone();
        let directory = MemoryDirectory::new();
        for file in written.files.iter().filter(|file| file.name != name) {
            directory.put(&file.name, self.directory.get(&file.name).unwrap().as_slice());
        }
        let body = body(body_of(&self.directory, &name), &mut written.meta);
        written.files[at] = put(&directory, &name, format, Bench::ID, self.field.number, &body);
        self.open(&directory, &written);
    }

    fn open(&self, directory: &MemoryDirectory, written: &Written) {
        let context = OpenContext {
            directory,
            segment_id: Bench::ID,
            max_doc: MAX_DOC,
            files: &written.files,
            meta: &written.meta,
        };
        let name = if self.field.component() == Component::Bit { "bin_ivf" } else { "hnsw_sq8" };
        let format = FORMATS.vectors(name, "fuzz").unwrap();
        if let Ok(reader) = format.open(&context, &self.field) {
            use_vectors(&*reader, &self.field, MAX_DOC);
        }
    }
}

/// Raw rows, or the maps between ordinals and documents.
pub(crate) fn flat_f32(data: &[u8]) {
    let Some((plan, data)) = Plan::split(data) else { return };
    let sound = &SOUND_VECTORS[plan.choice(4)];
    let (extension, format) = if plan.fix() { (".vec", "flat_f32") } else { (".ord", "ordinals") };
    sound.with_body(extension, format, |sound, _| plan.body(data, &sound));
}

/// Codes, corrections and a centre.
pub(crate) fn sq8(data: &[u8]) {
    let Some((plan, data)) = Plan::split(data) else { return };
    SOUND_VECTORS[plan.choice(4)].with_body(".sq8", "sq8", |sound, meta| {
        let with_center = plan.fix();
        let center = if with_center { &data[..data.len().min(12)] } else { &[] };
        let mut body = plan.body(&data[center.len()..], &sound);
        if with_center {
            meta["codes"]["center"] = serde_json::json!({ "crc32": crc32fast::hash(center) });
            body.extend_from_slice(center);
        }
        body
    });
}

/// A graph's words.
pub(crate) fn hnsw(data: &[u8]) {
    let Some((plan, data)) = Plan::split(data) else { return };
    SOUND_VECTORS[plan.choice(4)].with_body(".hnsw", "hnsw", |sound, _| {
        if plan.fix() {
            return plan.body(data, &sound);
        }
        // One byte per word, so that most words are positions that exist.
        let word = |(at, word): (usize, &[u8])| match data.get(at) {
            Some(255) => [0xFF; 4],
            Some(&byte) => u32::from(byte).to_le_bytes(),
            None => word.try_into().unwrap(),
        };
        sound.chunks_exact(4).enumerate().flat_map(word).collect()
    });
}

/// Inverted lists: ends and centroids; how many there are, is the body's to say where it is all of it.
pub(crate) fn ivf(data: &[u8]) {
    let Some((plan, data)) = Plan::split(data) else { return };
    SOUND_LISTS.with_body(".ivf", "ivf", |sound, meta| {
        let body = plan.body(data, &sound);
        if plan.fix() {
            meta["lists"]["lists"] = (body.len() / 7).into();
        }
        body
    });
}

/// The facts about a vector field that its segment info keeps, as JSON.
pub(crate) fn vector_facts(data: &[u8]) {
    let Ok(meta) = serde_json::from_slice(data) else { return };
    let sound = &SOUND_VECTORS[0];
    sound.open(&sound.directory, &Written { files: sound.written.files.clone(), meta });
}

/// Reads everything there is in every way. Errors are as good as answers, but answers must be in order:
/// at most k, nearest first, documents that exist and are accepted, distances that sort.
pub(crate) fn use_vectors(reader: &dyn VectorReader, field: &FieldInfo, max_doc: u32) {
    let len = reader.len() as u32;
    for ordinal in (0..len.min(50)).chain([len, u32::MAX]) {
        if let Ok(doc) = reader.doc(ordinal) {
            assert!(doc < max_doc && ordinal < len);
        }
        if let Ok(row) = reader.row(ordinal) {
            assert!(row.len() == field.row_len() && ordinal < len);
        }
    }
    for doc in (0..max_doc.min(50)).chain([max_doc, u32::MAX]) {
        let _ = reader.ordinal(doc);
    }
    let (mut some, mut few) = (BitSet::full(max_doc), BitSet::empty(max_doc));
    for doc in (0..max_doc).step_by(7) {
        some.remove(doc);
    }
    few.insert(max_doc / 2);
    few.insert(max_doc / 3);
    let none = BitSet::empty(max_doc);
    let mut query: Vec<u8> =
        (0..field.dimension).flat_map(|i| (0.5 - i as f32 * 0.3).to_le_bytes()).collect();
    query.truncate(field.row_len());
    for (accept, k, effort) in [
        (Accept::all(max_doc), 1, Effort::Candidates(1)),
        (Accept::all(max_doc), 10, Effort::Exact),
        (Accept::only(&some), 100, Effort::Candidates(100)),
        (Accept::only(&few), 5, Effort::Candidates(7)),
        (Accept::only(&few), 5, Effort::Exact),
        (Accept::only(&none), 1, Effort::Candidates(1)),
        (Accept::all(max_doc), 3, Effort::Lists { probes: 2, candidates: 3 }),
        (Accept::only(&some), 60, Effort::Lists { probes: 1, candidates: 3 }),
    ] {
        let ties = |left: u32, right: u32| left.cmp(&right);
        let search = VectorSearch { query: &query, k, effort, accept, ties: &ties, cancel: &Cancel::new() };
        let Ok(mut hits) = reader.search(&search) else { continue };
        let neighbors = &mut hits.neighbors;
        assert!(neighbors.len() <= k.min(reader.len()));
        assert!(neighbors.iter().all(|hit| hit.doc < max_doc && accept.accepts(hit.doc)));
        assert!(neighbors.iter().all(|hit| hit.distance.is_finite()));
        assert!(neighbors.is_sorted_by(|left, right| left.distance <= right.distance));
        if reader.rescore(&query, neighbors).is_ok() {
            assert!(neighbors.iter().all(|hit| hit.distance.is_finite()));
        }
    }
    walk(reader);
    let _ = reader.inspect();
    let _ = reader.verify(&Cancel::new());
}

/// Walks through the graph, if there is one: a search does so among many vectors only.
pub(crate) fn walk(reader: &dyn VectorReader) {
    let Some(reader) = reader.as_any().downcast_ref::<LayeredReader>() else { return };
    let Some(file) = reader.graph() else { return };
    struct ByRow<'a>(&'a LayeredReader, usize);
    impl DistanceComputer for ByRow<'_> {
        fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
            for (&ordinal, out) in ordinals.iter().zip(out) {
                let row = self.0.row(ordinal).expect("a graph scores vectors that exist");
                *out = row.chunks_exact(4).map(|bytes| f32::from(bytes[self.1 % 4])).sum();
            }
        }
    }
    let (mut scratch, mut found) = (SearchScratch::new(), Vec::new());
    for beam in [1, 50] {
        let mut scorer = ByRow(reader, beam);
        let accept = |ordinal: Ordinal| !ordinal.is_multiple_of(beam as u32 + 1);
        let (distances, scratch, cancel) = (&mut scorer, &mut scratch, &Cancel::new());
        let mut searcher = GraphSearcher { graph: file, distances, scratch, cancel };
        let params = SearchParams { ef: beam, budget: u64::MAX };
        if let Ok(stats) = searcher.search_accepted(params, accept, &mut found) {
            // Each level scores a node at most once, and every level is smaller than the lowest.
            assert!(found.len() <= beam && stats.visited <= 33 * reader.len() as u64);
            assert!(found.iter().all(|hit| (hit.1 as usize) < reader.len() && accept(hit.1)));
        }
    }
}

/// A schema in JSON: what is accepted is written and read back the same, and an index of it opens.
pub(crate) fn schema_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(schema) = Schema::from_json(text) else { return };
    assert_eq!(Schema::from_value(&schema.to_json()).unwrap(), schema);
    let directory = RamDirectory::new();
    if IndexBuilder::new().create(Arc::new(directory.clone()), schema.clone()).is_ok() {
        let index = IndexBuilder::new().open(Arc::new(directory)).unwrap();
        assert_eq!(index.schema().unwrap(), schema);
    }
}

/// A document in JSON: what parses is written and parsed again the same; what the schema takes can be read
/// back.
pub(crate) fn document_json(data: &[u8]) {
    static WRITER: LazyLock<(Index, Mutex<Writer>)> = LazyLock::new(|| {
        let vector = Vector::f32(2).similarity(Similarity::Euclidean);
        let schema = Schema::builder().key("id").text("t").keyword("w").i64("i").f64("x").bool("b").date("d");
        let schema = schema.vector("v", vector).dynamic(true).build().unwrap();
        let index = IndexBuilder::new().create(Arc::new(RamDirectory::new()), schema).unwrap();
        let options = WriterOptions::new()
            .ram_budget(1 << 20)
            .threads(1)
            .seed(1)
            .merge_policy(MergePolicy::None)
            .merge_threads(0);
        let writer = index.writer_with(options).unwrap();
        (index, Mutex::new(writer))
    });
    let Ok(document) = Document::from_slice(data) else { return };
    let again = Document::from_slice(&serde_json::to_vec(&document).unwrap()).unwrap();
    assert_eq!(again, document);
    let (index, writer) = &*WRITER;
    let writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    if let Ok(key) = writer.upsert(&document) {
        writer.refresh().unwrap();
        let read = index.searcher().unwrap().get(&key).unwrap();
        assert!(read.is_some(), "{key:?} is gone");
        writer.rollback().unwrap();
    }
}

/// Sound inputs to start from: (target, input).
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds: Vec<(&'static str, Vec<u8>)> = Vec::new();
    let bench = Bench::new();
    FORMATS.default_keys().unwrap().write(&bench.write(2), &["a", "b"]).unwrap();
    seeds.push(("envelope", bench.directory.get("_0.keys").unwrap().to_vec()));
    let entry = |name: &str| serde_json::json!({ "name": name, "len": 80, "crc32": 7 });
    let schema = serde_json::json!({ "key": { "name": "id", "auto": true, "max_length": 100 }, "dynamic": true, "fields": [
        { "name": "t", "type": "text", "stored": false }, { "name": "i", "type": "i64" },
        { "name": "v", "type": "vector", "dimension": 3, "similarity": "dot_product", "normalize": "on_write", "m": 4 },
        { "name": "f", "type": "vector", "dimension": 2, "index": "flat", "quantization": "none" }] });
    let commit = serde_json::json!({
        "generation": 1, "next_segment": 2, "next_key": 3, "written_by": "lucerne", "schema": schema,
        "segments": [{ "name": "_0", "id": Bench::ID.to_string(), "info": entry("_0.si"), "live_docs":
            { "format": "live_docs_v1", "generation": 1, "deleted": 2, "file": entry("_0_1.live") } }],
        "user_data": { "a": "b" } });
    seeds.push(("commit", commit.to_string().into_bytes()));
    let mut empty = commit;
    empty["segments"] = serde_json::json!([]);
    seeds.push(("commit", empty.to_string().into_bytes()));
    seeds.push(("schema_json", schema.to_string().into_bytes()));
    let sound = &SOUND_VECTORS[0];
    let structure = |format: &str, files: Facts, meta: Facts| serde_json::json!({ "format": format, "files": files, "meta": meta });
    let files = serde_json::to_value(&sound.written.files).unwrap();
    let info = serde_json::json!({
        "name": "_0", "id": Bench::ID.to_string(), "max_doc": MAX_DOC, "written_by": "lucerne",
        "stored": structure("stored_v1", serde_json::json!([entry("_0.stored")]), Facts::Null),
        "keys": structure("keys_v1", serde_json::json!([entry("_0.keys")]), Facts::Null),
        "vectors": [{ "field": sound.field, "structure": structure("hnsw_sq8", files, sound.written.meta.clone()) }],
        "merge": { "sources": [1] } });
    seeds.push(("segment_info", info.to_string().into_bytes()));
    seeds.extend(columns::seeds());
    seeds.push(("vector_facts", sound.written.meta.to_string().into_bytes()));
    let document = r#"{"id":"a","t":"text","w":["x","y"],"i":-7,"x":1.5e3,"b":true,"d":"2024-02-29T12:00:00.5+02:00","v":[0.1,-2],"more":{"deep":[null,1e-7]}}"#;
    seeds.push(("document_json", document.as_bytes().to_vec()));
    // An overlay of nothing: the sound body itself; then the sound body as the whole input.
    for (target, sound) in [("stored", sound_stored()), ("keys", sound_keys())] {
        seeds.push((target, [&[0u8][..], &[0; 40]].concat()));
        seeds.push((target, [&[2u8][..], &sound].concat()));
    }
    let block = [&[4u8 + 2, 2][..], &3u32.to_le_bytes(), &5u32.to_le_bytes(), b"{}{1}"].concat();
    seeds.push(("stored", block));
    for first in (0..16).step_by(4) {
        seeds.push(("live_docs", vec![first, 0, 0]));
        for target in ["flat_f32", "sq8", "hnsw", "ivf"] {
            seeds.push((target, [&[first][..], &[0; 24]].concat()));
            seeds.push((target, [&[first + 1][..], &[0, 1, 2, 3, 255]].concat()));
        }
    }
    seeds.extend(postings::seeds());
    seeds
}

//! Fuzzing of vector fields.

use super::{FORMATS, Plan, body_of, put};
use lucerne::codec::format::{OpenContext, Written};
use lucerne::codec::io::bytes::{f16s_from, from_f32s};
use lucerne::codec::testing::{Bench, MemoryDirectory};
use lucerne::codec::vector::{Effort, VectorReader, VectorRows, VectorSearch};
use lucerne::codec::{
    Accept, BitSet, Cancel, Component, FieldInfo, Metadata, OnStop, Ordinal, Params, Similarity,
};
use lucerne_formats::distance::DistanceComputer;
use lucerne_formats::hnsw::graph::{GraphSearcher, SearchParams, SearchScratch};
use lucerne_formats::vectors::VectorFieldReader;
use std::sync::LazyLock;

/// A vector field as it was written: 40 vectors of 9 components, in 50 documents.
pub(super) struct Sound {
    pub(super) field: FieldInfo,
    pub(super) directory: MemoryDirectory,
    pub(super) written: Written,
}

pub(super) const MAX_DOC: u32 = 50;

/// One for each similarity, in the format with all layers.
pub(super) static SOUND_VECTORS: LazyLock<Vec<Sound>> =
    LazyLock::new(|| Similarity::FLOAT.map(|similarity| sound_vectors(similarity, "float32")).into());

/// The same in half precision.
static SOUND_HALVES: LazyLock<Vec<Sound>> =
    LazyLock::new(|| Similarity::FLOAT.map(|similarity| sound_vectors(similarity, "float16")).into());

fn sound_vectors(similarity: Similarity, datatype: &str) -> Sound {
    let params = serde_json::json!({ "m": 2, "beam_width": 8, "datatype": datatype,
        "advanced": { "graph_threshold": 0, "search_bits": 4 } });
    let params: Params = params.as_object().cloned().unwrap();
    let field = FieldInfo { number: 0, name: "v".into(), dimension: 9, similarity, params };
    let docs: Vec<u32> = (0..MAX_DOC).filter(|doc| doc % 5 != 0).collect();
    let component = |seed: u32| (seed.wrapping_mul(2_654_435_761) >> 8) as f32 / (1u32 << 23) as f32 - 1.0;
    let components: Vec<f32> = (0..9 * docs.len() as u32).map(component).collect();
    let rows = match field.component() {
        Component::F16 => f16s_from(&components),
        _ => from_f32s(&components),
    };
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
    fn with_body(&self, extension: &str, format: &str, body: impl FnOnce(Vec<u8>, &mut Metadata) -> Vec<u8>) {
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
    if plan.choice(8) >= 4 && plan.fix() {
        return SOUND_HALVES[plan.choice(4)]
            .with_body(".vec", "flat_f16", |sound, _| plan.body(data, &sound));
    }
    let sound = &SOUND_VECTORS[plan.choice(4)];
    let (extension, format) = if plan.fix() { (".vec", "flat_f32") } else { (".ord", "ordinals") };
    sound.with_body(extension, format, |sound, _| plan.body(data, &sound));
}

/// Codes, corrections and a center.
pub(crate) fn sq8(data: &[u8]) {
    let Some((plan, data)) = Plan::split(data) else { return };
    SOUND_VECTORS[plan.choice(4)].with_body(".sq8", "sq8", |sound, meta| {
        let with_center = plan.fix();
        let center = if with_center { &data[..data.len().min(36)] } else { &[] };
        let mut body = plan.body(&data[center.len()..], &sound);
        if with_center {
            let frame = serde_json::json!({ "rotated": { "center_crc32": crc32fast::hash(center) } });
            meta["encoding"]["codes"]["frame"] = frame;
            if let Some(at) = body.len().checked_sub(36) {
                body[at..at + center.len()].copy_from_slice(center);
            }
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

/// The metadata of a vector field that its segment info keeps, as JSON.
pub(crate) fn vector_metadata(data: &[u8]) {
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
    query.truncate(field.vector_len());
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
        let search = VectorSearch {
            query: &query,
            k,
            effort,
            accept,
            ties: &ties,
            cancel: &Cancel::new(),
            on_stop: OnStop::Fail,
        };
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
    traverse(reader);
    let _ = reader.inspect();
    let _ = reader.verify(&Cancel::new());
}

/// Traverses the graph, if there is one: a search does so among many vectors only.
pub(crate) fn traverse(reader: &dyn VectorReader) {
    let Some(reader) = reader.as_any().downcast_ref::<VectorFieldReader>() else { return };
    let Some(file) = reader.graph() else { return };
    struct ByRow<'a>(&'a VectorFieldReader, usize);
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
        let params = SearchParams { ef: beam, budget: u64::MAX, hidden: None };
        if let Ok(stats) = searcher.search_accepted(params, accept, &mut found) {
            // Each level scores a node at most once, and every level is smaller than the lowest.
            assert!(found.len() <= beam && stats.visited <= 33 * reader.len() as u64);
            assert!(found.iter().all(|hit| (hit.1 as usize) < reader.len() && accept(hit.1)));
        }
    }
}

//! What a fuzz target does with its input, one function per format reader.
//!
//! The input becomes a file's *body*: header, footer and checksums around it, and those inside it where
//! [`Plan::fix`] says so, are made right, so that the fuzzer gets past them to what comes after. Every reader
//! must then refuse it or answer; what it answers must be in order (see [`use_vectors`]).
//!
//! Shared by `fuzz/fuzz_targets` and `tests/damage/fuzz_corpus.rs`, which replays the corpus.

mod columns;
mod json;
mod metadata;
mod postings;
mod sparse;
mod stored;
mod vectors;

pub(crate) use columns::columns;
pub(crate) use json::{document_json, schema_json};
pub(crate) use metadata::{commit, envelope, live_docs, segment_info};
pub(crate) use postings::postings;
pub(crate) use sparse::sparse;
pub(crate) use stored::{keys, stored};
pub(crate) use vectors::{flat_f32, hnsw, ivf, sq8, traverse, vector_metadata};

use lucerne::codec::envelope::{EnvelopeWriter, FileEntry, Header};
use lucerne::codec::testing::{Bench, MemoryDirectory};
use lucerne::codec::{Directory, Metadata, Registry, SegmentId};
use std::sync::LazyLock;

/// What is run for each input.
pub(crate) type Target = fn(&[u8]);

/// Every target by name.
pub(crate) const TARGETS: [(&str, Target); 16] = [
    ("envelope", envelope),
    ("commit", commit),
    ("segment_info", segment_info),
    ("live_docs", live_docs),
    ("stored", stored),
    ("keys", keys),
    ("postings", postings),
    ("columns", columns),
    ("sparse", sparse),
    ("flat_f32", flat_f32),
    ("sq8", sq8),
    ("hnsw", hnsw),
    ("ivf", ivf),
    ("vector_metadata", vector_metadata),
    ("schema_json", schema_json),
    ("document_json", document_json),
];

use stored::{sound_keys, sound_stored};
use vectors::{MAX_DOC, SOUND_VECTORS};

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

/// The body of a file that has these bytes twice.
pub(crate) fn twice(bytes: &[u8]) -> Vec<u8> {
    let (len, crc) = ((bytes.len() as u32).to_le_bytes(), crc32fast::hash(bytes).to_le_bytes());
    let gap = (72 + bytes.len()).next_multiple_of(4096) - 72 - bytes.len();
    [&len[..], &crc, bytes, &vec![0; gap], bytes, &crc, &len].concat()
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn set(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
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
    let structure = |format: &str, files: serde_json::Value, meta: Metadata| serde_json::json!({ "format": format, "files": files, "meta": meta });
    let files = serde_json::to_value(&sound.written.files).unwrap();
    let info = serde_json::json!({
        "name": "_0", "id": Bench::ID.to_string(), "max_doc": MAX_DOC, "written_by": "lucerne",
        "stored": structure("stored_v1", serde_json::json!([entry("_0.stored")]), Metadata::Null),
        "keys": structure("keys_v1", serde_json::json!([entry("_0.keys")]), Metadata::Null),
        "vectors": [{ "field": sound.field, "structure": structure("hnsw_sq8", files, sound.written.meta.clone()) }],
        "merge": { "sources": [1] } });
    seeds.push(("segment_info", info.to_string().into_bytes()));
    seeds.extend(columns::seeds());
    seeds.push(("vector_metadata", sound.written.meta.to_string().into_bytes()));
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
    seeds.extend(sparse::seeds());
    seeds.extend(postings::seeds());
    // Raw rows in half precision: a sound body, and one of infinities.
    for first in (16..32).step_by(4) {
        seeds.push(("flat_f32", [&[first][..], &[0; 24]].concat()));
        seeds.push(("flat_f32", [&[first + 2][..], &[0, 0x7c].repeat(360)].concat()));
    }
    seeds
}

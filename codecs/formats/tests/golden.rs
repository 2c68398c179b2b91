//! A released layout is never edited: files written once are kept, read, and written again byte for byte.
//!
//! `LUCERNE_BLESS=1 cargo test -p lucerne-formats --test golden` writes the golden files that do not exist
//! yet. It never replaces one. When a test here fails, the layout has changed: give it a new version and
//! new golden files, and keep the old ones readable. (`stored_v1` also changes when a new zstd compresses
//! differently: then keep the old file for reading, and compare writing with a second one beside it.)

use lucerne_codec::commit::{CommitInfo, CommitSegment, LiveDocsInfo};
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::segment_info::{SegmentInfo, StructureInfo, VectorInfo};
use lucerne_codec::testing::postings_model::{ModelField, ModelPostings};
use lucerne_codec::testing::{Bench, MemoryDirectory};
use lucerne_codec::vector::Written;
use lucerne_codec::{BitSet, Cancel, DocId, Facts, FieldInfo, Params, Similarity};
use lucerne_formats::builtin;
use serde_json::json;
use std::path::Path;

const KEYS: [&str; 4] = ["vim", "", "größe", "vim"];
const DOCUMENTS: [&[u8]; 4] = [b"{\"name\": \"vim\"}", b"", b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", b"\x00\xFF"];
const MAX_DOC: u32 = 4;

/// Holds what was just written against the golden files, then leaves the golden bytes in their place.
fn hold_against_golden(directory: &MemoryDirectory) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1");
    for (name, bytes) in directory.files() {
        let path = folder.join(&name);
        if !path.exists() {
            assert!(
                std::env::var_os("LUCERNE_BLESS").is_some(),
                "no golden file {name}; see the top of this file"
            );
            std::fs::write(&path, &*bytes).expect("the golden file is written");
        }
        let golden = std::fs::read(&path).expect("the golden file is read");
        assert!(*bytes == golden, "{name} is no longer written as it was released");
        directory.put(&name, golden);
    }
}

fn written(entry: FileEntry) -> Written {
    Written { files: vec![entry], meta: Facts::Null }
}

#[test]
fn stored() {
    let (bench, registry) = (Bench::new(), builtin());
    let format = registry.stored("stored_v1", "test").expect("registered");
    let mut next = |doc: DocId, into: &mut Vec<u8>| {
        into.extend_from_slice(DOCUMENTS[doc as usize]);
        Ok(())
    };
    let written = format.write(&bench.write(MAX_DOC), &mut next).expect("written");
    hold_against_golden(&bench.directory);
    let reader = format.open(&bench.open(MAX_DOC, &written)).expect("opened");
    let mut document = Vec::new();
    for (doc, expected) in (0..).zip(DOCUMENTS) {
        reader.get(doc, &mut document).expect("read");
        assert_eq!(document, expected);
    }
}

#[test]
fn keys() {
    let (bench, registry) = (Bench::new(), builtin());
    let format = registry.keys("keys_v1", "test").expect("registered");
    let written = format.write(&bench.write(MAX_DOC), &KEYS).expect("written");
    hold_against_golden(&bench.directory);
    let reader = format.open(&bench.open(MAX_DOC, &written)).expect("opened");
    for (doc, expected) in (0..).zip(KEYS) {
        assert_eq!(reader.key(doc).expect("read"), expected);
    }
    let mut found = Vec::new();
    reader.find("vim", &mut |doc| found.push(doc)).expect("read");
    assert_eq!(found, [0, 3]);
}

#[test]
fn postings() {
    let (bench, registry) = (Bench::new(), builtin());
    let format = registry.postings("postings_v1", "test").expect("registered");
    let max_doc = 300;
    // A list of two full blocks and a rest, a short one, one kept in the dictionary; with positions and without.
    let most = |at: fn(DocId) -> Vec<u32>| (0..max_doc).filter(|doc| doc % 9 != 8).map(move |doc| (doc, at(doc)));
    let fields = [true, false].map(|positions| {
        let at: fn(DocId) -> Vec<u32> =
            if positions { |doc| (0..1 + doc % 3).map(|n| n * 7 + doc).collect() } else { |_| Vec::new() };
        let mut field = ModelField::of("the", max_doc, &most(at).collect::<Vec<_>>());
        field.terms.insert(b"then".to_vec(), vec![(4, at(4)), (299, at(299))]);
        field.terms.insert("größe".into(), vec![(12, at(12))]);
        (u32::from(!positions), field)
    });
    let model = ModelPostings { max_doc, fields: fields.into() };
    let written = format.write(&bench.write(max_doc), &mut model.source()).expect("written");
    hold_against_golden(&bench.directory);
    let reader = format.open(&bench.open(max_doc, &written)).expect("opened");
    assert!(ModelPostings::read(&*reader, max_doc).expect("read") == model);
    assert_eq!(reader.verify(&Cancel::new()).expect("verified"), []);
}

#[test]
fn live_docs() {
    let (bench, registry) = (Bench::new(), builtin());
    let format = registry.live_docs("live_docs_v1", "test").expect("registered");
    let mut live = BitSet::full(70);
    live.remove(0);
    live.remove(65);
    let entry = format.write(&bench.directory, Bench::SEGMENT, Bench::ID, 3, &live);
    hold_against_golden(&bench.directory);
    let written = written(entry.expect("written"));
    assert_eq!(format.read(&bench.open(70, &written)).expect("read"), live);
}

fn file(name: &str) -> FileEntry {
    FileEntry { name: name.to_owned(), len: 4_321, crc32: 0xDEAD_BEEF }
}

fn structure(format: &str, files: &[&str], meta: Facts) -> StructureInfo {
    let files = files.iter().map(|name| file(name)).collect();
    StructureInfo { format: format.to_owned(), files, meta }
}

#[test]
fn segment_info() {
    let (bench, registry) = (Bench::new(), builtin());
    let mut params = Params::new();
    params.insert("m".to_owned(), json!(16));
    let field = FieldInfo {
        number: 2,
        name: "embedding".to_owned(),
        dimension: 384,
        similarity: Similarity::Cosine,
        params,
    };
    let info = SegmentInfo {
        name: Bench::SEGMENT.to_owned(),
        id: Bench::ID,
        max_doc: MAX_DOC,
        written_by: "0.1.0".to_owned(),
        stored: structure("stored_v1", &["_0.stored"], Facts::Null),
        keys: structure("keys_v1", &["_0.keys"], Facts::Null),
        postings: None,
        columns: None,
        vectors: vec![VectorInfo {
            field,
            structure: structure("x", &["_0.2.x"], json!({"quantiles": [-0.75, 0.86]})),
        }],
        merge: Some(json!({"sources": [{"segment": "_9", "drift": 0.015}]})),
    };
    let entry = registry.segment_info.write(&bench.directory, &info).expect("written");
    hold_against_golden(&bench.directory);
    let read = registry.segment_info.read(&bench.directory, &entry, Bench::ID);
    assert_eq!(read.expect("read"), info);
}

#[test]
fn commit() {
    let (bench, registry) = (Bench::new(), builtin());
    let live_docs = LiveDocsInfo {
        format: "live_docs_v1".to_owned(),
        generation: 3,
        deleted: 2,
        file: file("_0_3.live"),
    };
    let commit = CommitInfo {
        generation: 7,
        next_segment: 1,
        next_key: 5,
        written_by: "0.1.0".to_owned(),
        schema: json!({"key": "id", "fields": []}),
        segments: vec![CommitSegment {
            name: Bench::SEGMENT.to_owned(),
            id: Bench::ID,
            info: file("_0.si"),
            live_docs: Some(live_docs),
        }],
        user_data: [("note".to_owned(), "ü".to_owned())].into(),
    };
    registry.commit.write(&bench.directory, "segments_7", &commit).expect("written");
    hold_against_golden(&bench.directory);
    let read = registry.commit.read(&bench.directory, "segments_7", 7);
    assert_eq!(read.expect("read"), commit);
}

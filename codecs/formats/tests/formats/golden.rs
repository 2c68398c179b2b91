//! A released layout is never edited: files written once are kept, read, and written again byte for byte.
//!
//! `LUCERNE_BLESS=1 cargo test -p lucerne-formats --test formats golden` writes the golden files that do not exist
//! yet. It never replaces one. When a test here fails, the layout has changed: give it a new version and
//! new golden files, and keep the old ones readable. (`stored_v1` also changes when a new zstd compresses
//! differently: then keep the old file for reading, and compare writing with a second one beside it.)

use lucerne_codec::columns::{ColumnData, ColumnField, ColumnKind, ColumnsSource};
use lucerne_codec::commit::{CommitInfo, CommitOrigin, CommitSegment, LiveDocsInfo};
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::Written;
use lucerne_codec::segment_info::{SegmentInfo, StructureInfo, VectorInfo};
use lucerne_codec::testing::postings_model::{ModelField, ModelPostings};
use lucerne_codec::testing::{Bench, MemoryDirectory, ModelSparse};
use lucerne_codec::vector::VectorRows;
use lucerne_codec::{BitSet, Cancel, DocId, FieldInfo, Metadata, Params, Result, Similarity};
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
    Written { files: vec![entry], meta: Metadata::Null }
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
    let most =
        |at: fn(DocId) -> Vec<u32>| (0..max_doc).filter(|doc| doc % 9 != 8).map(move |doc| (doc, at(doc)));
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
fn sparse() {
    let (bench, registry) = (Bench::new(), builtin());
    let format = registry.sparse("sparse_v1", "test").expect("registered");
    // Two blocks with a gap before the second, in fields of few and of many dimensions.
    let rows = |step: u32| {
        let row = move |doc: u32| {
            (0..1 + doc % 3).map(move |at| (at * step + doc % 2, 0.25 * (1 + doc + at) as f32))
        };
        (0..70).chain(600..640).map(move |doc| (doc, row(doc).collect::<Vec<_>>())).collect()
    };
    let model = ModelSparse { max_doc: 700, fields: [(0, rows(3)), (4, rows(1 << 29))].into() };
    let written = format.write(&bench.write(700), &model).expect("written");
    hold_against_golden(&bench.directory);
    let reader = format.open(&bench.open(700, &written)).expect("opened");
    assert_eq!(reader.verify(&Cancel::new()).expect("verified"), []);
    for (number, rows) in &model.fields {
        let vectors = reader.field(*number).expect("the field");
        for (doc, row) in rows {
            assert!(vectors.row(*doc).expect("read").iter().eq(row.iter().copied()));
        }
    }
}

/// Columns by ascending field number.
struct Columns(std::vec::IntoIter<(ColumnField, ColumnData)>);

impl ColumnsSource for Columns {
    fn next_column(&mut self) -> Result<Option<(ColumnField, ColumnData)>> {
        Ok(self.0.next())
    }
}

#[test]
fn columns() {
    let field = |number: u32, kind| ColumnField { number, name: format!("f{number}"), kind };
    let numbers = |number: u32, docs: Vec<DocId>, values: Vec<i64>| {
        (field(number, ColumnKind::Numbers), ColumnData::Numbers { docs, values })
    };
    let keywords = ColumnData::Keywords {
        docs: vec![0, 3, 3, 1_100],
        ordinals: vec![2, 0, 1, 2],
        dictionary: ["", "größe", "vim"].map(Into::into).to_vec(),
    };
    let max_doc = 1_101;
    let columns = vec![
        numbers(0, (0..max_doc).collect(), (0..i64::from(max_doc)).map(|value| value * 100 - 7).collect()),
        numbers(1, (0..200).step_by(2).collect(), vec![i64::MIN; 100]),
        numbers(2, vec![5, 5, 1_024], vec![i64::MIN, i64::MAX, 1]),
        (field(5, ColumnKind::Keywords), keywords),
    ];
    let (bench, registry) = (Bench::new(), builtin());
    let format = registry.columns("columns_v1", "test").expect("registered");
    let written = format.write(&bench.write(max_doc), &mut Columns(columns.into_iter())).expect("written");
    hold_against_golden(&bench.directory);
    let metadata = json!({"columns": [
        {"field": {"number": 0, "name": "f0", "kind": "numbers"}, "at": 64, "len": 4330, "docs": 1101, "values": 1101,
         "least": -7, "greatest": 109_993, "blocks": 2},
        {"field": {"number": 1, "name": "f1", "kind": "numbers"}, "at": 4394, "len": 168, "docs": 100, "values": 100,
         "least": i64::MIN, "greatest": i64::MIN, "blocks": 1},
        {"field": {"number": 2, "name": "f2", "kind": "numbers"}, "at": 4562, "len": 104, "docs": 2, "values": 3,
         "least": i64::MIN, "greatest": i64::MAX, "blocks": 2},
        {"field": {"number": 5, "name": "f5", "kind": "keywords"}, "at": 4666, "len": 110, "docs": 3, "values": 4,
         "least": 0, "greatest": 2, "blocks": 2, "dictionary": {"terms": 3, "bytes": 10}},
    ]});
    assert_eq!(written.meta, metadata);
    let reader = format.open(&bench.open(max_doc, &written)).expect("opened");
    assert!(reader.verify(&Cancel::new()).expect("verified").is_empty());
    assert_eq!(reader.numbers(0).expect("a column").least(1_100).expect("read"), Some(109_993));
    assert_eq!(reader.numbers(1).expect("a column").docs(), 100);
    assert_eq!(reader.numbers(2).expect("a column").greatest(5).expect("read"), Some(i64::MAX));
    let keywords = reader.keywords(5).expect("a column");
    assert_eq!(keywords.least(1_100).expect("read"), Some(2));
    assert_eq!(keywords.term(1).expect("read"), "größe");
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

/// Raw vectors, maps and sign hashes, of both estimators.
#[test]
fn sign_hashes() {
    let (bench, registry) = (Bench::new(), builtin());
    let format = registry.vectors("flat_hash", "test").expect("registered");
    let rows = [
        [0.5, -0.25, 0.0, -0.0, 1.0, -1.0, 2.0, 0.125, -3.0],
        [-0.5, 0.75, 1.5, 1e-45, -1.0, 1.0, -2.0, 4.0, 3.0],
        [0.0; 9],
    ];
    let bytes: Vec<u8> = rows.iter().flatten().flat_map(|value: &f32| value.to_le_bytes()).collect();
    let vectors = VectorRows { rows: &bytes, docs: &[0, 2, 3] };
    let mut all = Vec::new();
    for (number, estimator) in [(6, "plain"), (7, "corrected")] {
        let mut params = Params::new();
        params.insert("sign_hash".to_owned(), json!(estimator));
        let (name, similarity) = ("v".to_owned(), Similarity::Euclidean);
        let field = FieldInfo { number, name, dimension: 9, similarity, params };
        all.push((format.write(&bench.write(MAX_DOC), &field, vectors, None).expect("written"), field));
    }
    hold_against_golden(&bench.directory);
    for (written, field) in all {
        let reader = format.open(&bench.open(MAX_DOC, &written), &field).expect("opened");
        assert_eq!(reader.verify(&Cancel::new()).expect("verified"), []);
        assert_eq!(reader.doc(1).expect("a document"), 2);
        let plain = written.meta["hashes"]["estimator"] == "plain";
        let hashes = bench.directory.get(&written.files[3].name).expect("a file");
        if plain {
            assert_eq!(&hashes[64..70], [0b1101_0001, 0, 0b1010_1110, 1, 0, 0]);
        }
    }
}

/// Rows of f16, with the maps and checksums beside them.
#[test]
fn half_precision() {
    let (bench, registry) = (Bench::new(), builtin());
    let format = registry.vectors("flat_f32", "test").expect("registered");
    let mut params = Params::new();
    params.insert("datatype".to_owned(), json!("float16"));
    let similarity = Similarity::Euclidean;
    let field = FieldInfo { number: 11, name: "half".to_owned(), dimension: 3, similarity, params };
    let rows = [[0x3c00_u16, 0xbc01, 0x8000], [0x7bff, 0xfbff, 0x0001], [0x03ff, 0x0400, 0x0000]];
    let bytes: Vec<u8> = rows.iter().flatten().flat_map(|half| half.to_le_bytes()).collect();
    let vectors = VectorRows { rows: &bytes, docs: &[0, 2, 3] };
    let written = format.write(&bench.write(MAX_DOC), &field, vectors, None).expect("written");
    hold_against_golden(&bench.directory);
    let file = bench.directory.get(&written.files[0].name).expect("a file");
    assert_eq!(file[64..82], bytes);
    let reader = format.open(&bench.open(MAX_DOC, &written), &field).expect("opened");
    assert_eq!(reader.row(1).expect("read"), &bytes[6..12]);
    let numbers = [65_504.0, -65_504.0, 2f32.powi(-24)];
    assert_eq!(*reader.vector(1).expect("read"), numbers.map(f32::to_le_bytes).concat());
    assert_eq!(reader.verify(&Cancel::new()).expect("verified"), []);
    // A row of one cannot be taken for a row of the other.
    let single = FieldInfo { params: Params::new(), ..field };
    assert!(format.open(&bench.open(MAX_DOC, &written), &single).is_err());
}

/// Two lists of bits: rows in their order, the maps, ends and centroids.
#[test]
fn inverted_lists() {
    let (bench, registry) = (Bench::new(), builtin());
    let format = registry.vectors("bin_ivf", "test").expect("registered");
    let mut params = Params::new();
    params.insert("nlist".to_owned(), json!(2));
    let similarity = Similarity::Jaccard;
    let field = FieldInfo { number: 9, name: "bits".to_owned(), dimension: 16, similarity, params };
    let rows = [[0x0f, 0], [0, 0xf0], [0x1f, 0], [0, 0x70]];
    let vectors = VectorRows { rows: rows.as_flattened(), docs: &[0, 1, 2, 3] };
    let written = format.write(&bench.write(MAX_DOC), &field, vectors, None).expect("written");
    assert_eq!(written.meta, json!({"vectors": 4, "lists": {"lists": 2}}));
    hold_against_golden(&bench.directory);
    let reader = format.open(&bench.open(MAX_DOC, &written), &field).expect("opened");
    for (doc, row) in (0..).zip(&rows) {
        let ordinal = reader.ordinal(doc).expect("read").expect("a vector");
        assert_eq!(reader.row(ordinal).expect("read"), row);
    }
    assert_eq!(reader.verify(&Cancel::new()).expect("checked"), []);
}

fn file(name: &str) -> FileEntry {
    FileEntry { name: name.to_owned(), len: 4_321, crc32: 0xDEAD_BEEF }
}

fn structure(format: &str, files: &[&str], meta: Metadata) -> StructureInfo {
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
        stored: structure("stored_v1", &["_0.stored"], Metadata::Null),
        keys: structure("keys_v1", &["_0.keys"], Metadata::Null),
        postings: None,
        columns: None,
        sparse: None,
        vectors: vec![VectorInfo {
            field,
            structure: structure("x", &["_0.2.x"], json!({"quantiles": [-0.75, 0.86]})),
        }],
        merge: Some(json!({"sources": [{"segment": "_9", "drift": 0.015}]})),
    };
    let entry = registry.segment_info.write(&bench.directory, &info, None).expect("written");
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
        ..Default::default()
    };
    registry.commit.write(&bench.directory, "segments_7", &commit).expect("written");
    hold_against_golden(&bench.directory);
    let read = registry.commit.read(&bench.directory, "segments_7", 7);
    assert_eq!(read.expect("read"), commit);
}

/// The names that a commit has only where they say something.
#[test]
fn commit_of_a_backup_with_tags() {
    let (bench, registry) = (Bench::new(), builtin());
    let commit = CommitInfo {
        generation: 8,
        next_segment: 1,
        written_by: "0.1.0".to_owned(),
        schema: json!({"key": "id", "fields": []}),
        lineage: Some(Bench::ID),
        origin: CommitOrigin::Backup,
        tags: [("before-import".to_owned(), 3), ("v1".to_owned(), 8)].into(),
        older_commits: 2,
        ..Default::default()
    };
    registry.commit.write(&bench.directory, "segments_8", &commit).expect("written");
    hold_against_golden(&bench.directory);
    assert_eq!(registry.commit.read(&bench.directory, "segments_8", 8).expect("read"), commit);
}

/// 8-bit codes, a graph, and the 4-bit codes that graph search uses.
#[test]
fn walked_codes() {
    let (bench, registry) = (Bench::new(), builtin());
    let format = registry.vectors("hnsw_sq8", "test").expect("registered");
    let row = |doc: u32| (0..70).map(move |i| ((doc * 31 + i * i * 7) % 64) as f32 / 64.0 - 0.5);
    let bytes: Vec<u8> = (0..4).flat_map(row).flat_map(f32::to_le_bytes).collect();
    let vectors = VectorRows { rows: &bytes, docs: &[0, 1, 2, 3] };
    let params = json!({"advanced": {"graph_threshold": 0}, "m": 2}).as_object().cloned().expect("an object");
    let (name, similarity) = ("v".to_owned(), Similarity::Euclidean);
    let field = FieldInfo { number: 20, name, dimension: 70, similarity, params };
    let written = format.write(&bench.write(MAX_DOC), &field, vectors, None).expect("written");
    hold_against_golden(&bench.directory);
    let reader = format.open(&bench.open(MAX_DOC, &written), &field).expect("opened");
    assert_eq!(reader.verify(&Cancel::new()).expect("verified"), []);
    assert_eq!(reader.inspect()["search_bits"], 4);
}

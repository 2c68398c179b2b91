//! Random operations against a plain map.
//!
//! Whatever is done to an index, and by however many threads: after a refresh, a commit, a rollback or a
//! reopening it holds exactly the documents that a map would, each with its own values, and exact search is
//! what a sort of all of them gives.
//!
//! A failure prints the seed it happened with; `LUCERNE_SEED=n cargo test --test model` runs that seed
//! alone. `LUCERNE_SEEDS` (100) and `LUCERNE_OPERATIONS` (100 for each seed, and on four threads for each
//! thread) make it longer.

mod common;

use common::documents::{FORMATS, normalized};
use common::oracle;
use common::rng::Rng;
use lucerne::bits::{BitOrder, pack};
use lucerne::codec::{Cancel, Directory};
use lucerne::directory::{FsDirectory, RamDirectory};
use lucerne::index::IndexBuilder;
use lucerne::merge::{MergePolicy, TieredOptions};
use lucerne::schema::{BinaryVector, Field, Quantization, VectorIndex};
use lucerne::{
    Document, ErrorKind, Index, Knn, Schema, Searcher, Similarity, Value, Vector, Writer, WriterOptions,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What a document holds; the tag is different in every write.
#[derive(Clone, Debug, PartialEq)]
struct Record {
    tag: i64,
    vectors: [Option<Vec<f32>>; 2],
}

type Model = BTreeMap<String, Record>;

const FIELDS: [&str; 2] = ["a", "b"];

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn for_each_seed(run: impl Fn(u64, usize)) {
    let operations = variable("LUCERNE_OPERATIONS", 100) as usize;
    let seeds = match std::env::var("LUCERNE_SEED") {
        Ok(seed) => seed.parse().unwrap()..=seed.parse().unwrap(),
        Err(_) => 1..=variable("LUCERNE_SEEDS", 100),
    };
    for seed in seeds {
        let _announce = Announce(seed);
        run(seed, operations);
    }
}

/// Says which seed failed.
struct Announce(u64);

impl Drop for Announce {
    #[expect(clippy::print_stderr, reason = "a test says how to run it again")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to run this again: LUCERNE_SEED={}", self.0);
        }
    }
}

// ---- what is being tested ------------------------------------------------------------------------------

/// One vector field of a seed's schema.
struct VectorField {
    name: &'static str,
    dimension: usize,
    similarity: Similarity,
    index: VectorIndex,
    quantization: Quantization,
    /// Components for which every distance is a number that single precision holds: the answer has to be
    /// the same to the last bit.
    grid: bool,
    /// Components are bits, given as zeros and ones.
    binary: bool,
    /// Some vectors occur again and again.
    popular: Vec<Vec<f32>>,
}

impl VectorField {
    fn new(name: &'static str, number: u64, rng: &mut Rng) -> Self {
        let (mut index, mut quantization) = FORMATS[(number % 4) as usize];
        let mut similarity = Similarity::FLOAT[(number / 4 % 4) as usize];
        let mut dimension = *rng.pick(&[4, 5, 8, 17, 33]);
        let mut grid = rng.chance(50);
        let binary = rng.chance(20);
        if binary {
            index = *rng.pick(&[VectorIndex::Hnsw, VectorIndex::Flat, VectorIndex::Ivf]);
            quantization = Quantization::None;
            similarity = *rng.pick(&Similarity::BINARY);
            dimension = *rng.pick(&[8, 16, 72]);
            grid = similarity == Similarity::Hamming;
        }
        let popular = Vec::new();
        let mut field = Self { name, dimension, similarity, index, quantization, grid, binary, popular };
        field.popular = (0..4).map(|_| field.fresh_vector(rng)).collect();
        field
    }

    fn vector(&self, rng: &mut Rng) -> Vec<f32> {
        if rng.chance(25) { rng.pick(&self.popular).clone() } else { self.fresh_vector(rng) }
    }

    fn fresh_vector(&self, rng: &mut Rng) -> Vec<f32> {
        let unit = self.similarity == Similarity::DotProduct;
        if self.binary {
            return (0..self.dimension).map(|_| f32::from(u8::from(rng.chance(25)))).collect();
        }
        match (self.grid, self.similarity) {
            (true, Similarity::Cosine | Similarity::DotProduct) => {
                let mut vector = vec![0.0; self.dimension];
                let (places, value) = if rng.chance(50) { (1, 1.0) } else { (4, 0.5) };
                while vector.iter().filter(|&&x| x != 0.0).count() < places {
                    vector[rng.below(self.dimension)] = if rng.chance(50) { value } else { -value };
                }
                vector
            }
            (true, _) => (0..self.dimension).map(|_| rng.below(7) as f32 - 3.0).collect(),
            (false, _) if !unit && rng.chance(5) => vec![0.0; self.dimension],
            (false, _) if unit => normalized(&rng.vector(self.dimension)),
            (false, _) => rng.vector(self.dimension),
        }
    }

    fn declaration(&self, rng: &mut Rng) -> Field {
        if self.binary {
            let vector = BinaryVector::new(self.dimension).similarity(self.similarity).index(self.index);
            return Field::binary_vector(
                self.name,
                match self.index {
                    VectorIndex::Hnsw => vector.m(4).param("graph_threshold", rng.below(12)),
                    VectorIndex::Ivf => vector.nlist(1 + rng.below(6)),
                    _ => vector,
                },
            );
        }
        let vector = Vector::f32(self.dimension).similarity(self.similarity);
        let vector = vector.index(self.index).quantization(self.quantization);
        let vector = match self.index {
            VectorIndex::Hnsw => {
                let vector = vector.m(4).param("graph_threshold", rng.below(12));
                match self.quantization {
                    Quantization::Int8 => vector.param("walk_bits", if rng.chance(50) { 4 } else { 8 }),
                    _ => vector,
                }
            }
            _ => vector,
        };
        Field::vector(self.name, vector)
    }
}

struct Setup {
    fields: [VectorField; 2],
    schema: Schema,
    automatic: bool,
    options: WriterOptions,
    directory: Arc<dyn Directory>,
    _folder: Option<tempfile::TempDir>,
}

impl Setup {
    fn new(seed: u64, rng: &mut Rng) -> Self {
        // The formats and metrics in turn: 16 seeds have every combination in each field, but where it is binary.
        let fields = [VectorField::new("a", seed, rng), VectorField::new("b", seed * 5 + seed / 16, rng)];
        let automatic = rng.chance(20);
        let builder = Schema::builder().i64("tag").keyword("word");
        let builder = if automatic { builder.auto_key("id") } else { builder.key("id").key_max_len(40) };
        let builder = builder.field(fields[0].declaration(rng)).field(fields[1].declaration(rng));
        let merging = match rng.below(3) {
            0 => MergePolicy::None,
            1 => MergePolicy::default(),
            _ => MergePolicy::Tiered(TieredOptions::new().floor_bytes(1).segments_per_tier(2 + rng.below(3))),
        };
        let options = WriterOptions::new().threads(1 + rng.below(2)).merge_policy(merging);
        let options = match rng.below(4) {
            0 => options,
            _ => options.flush_docs(*rng.pick(&[1, 2, 3, 7, 20])),
        };
        let folder = rng.chance(3).then(|| tempfile::tempdir().unwrap());
        let directory: Arc<dyn Directory> = match &folder {
            Some(folder) => Arc::new(FsDirectory::create(folder.path().join("index")).unwrap()),
            None => Arc::new(RamDirectory::new()),
        };
        let schema = builder.build().unwrap();
        Self { fields, schema, automatic, options, directory, _folder: folder }
    }

    fn create(&self) -> Index {
        IndexBuilder::new().create(Arc::clone(&self.directory), self.schema.clone()).unwrap()
    }

    fn open(&self) -> Index {
        IndexBuilder::new().open(Arc::clone(&self.directory)).unwrap()
    }

    fn writer(&self, index: &Index) -> Writer {
        index.writer_with(self.options.clone()).unwrap()
    }

    fn record(&self, tag: i64, rng: &mut Rng) -> Record {
        let vectors = [0, 1].map(|field| rng.chance(80).then(|| self.fields[field].vector(rng)));
        Record { tag, vectors }
    }

    /// The document of a record; without a key when keys are automatic and none is given.
    fn document(&self, key: Option<&str>, record: &Record) -> Document {
        let mut document = Document::new().with("tag", record.tag).with("word", vec!["x", "y"]);
        for (name, vector) in FIELDS.iter().zip(&record.vectors) {
            document.set(*name, vector.clone());
        }
        document.set("id", key);
        document
    }

    // ---- checks ----------------------------------------------------------------------------------------

    /// The document of a key, as a searcher returns it.
    fn read(&self, searcher: &Searcher, key: &str) -> Option<Record> {
        let document = searcher.get(key).unwrap()?;
        assert_eq!(document.get("id"), Some(&Value::from(key)), "the document of {key:?}");
        let Some(Value::I64(tag)) = document.get("tag") else { panic!("{key:?} has no tag: {document:?}") };
        let vectors = FIELDS.map(|name| searcher.vector(key, name).unwrap());
        for ((name, vector), field) in FIELDS.iter().zip(&vectors).zip(&self.fields) {
            let returned = |vector: &Vec<f32>| match field.binary {
                true => Value::from(pack(vector.iter().map(|bit| *bit == 1.0), BitOrder::LsbFirst)),
                false => Value::from(vector.clone()),
            };
            let listed = vector.as_ref().map(returned);
            let listed = listed.map(|value| Document::new().with("v", value).to_json()["v"].clone());
            assert_eq!(document.to_json().get(*name), listed.as_ref(), "{name} of {key:?}");
        }
        Some(Record { tag: *tag, vectors })
    }

    /// A searcher has exactly these documents.
    fn verify(&self, searcher: &Searcher, model: &Model, known: &BTreeSet<String>, rng: &mut Rng) {
        assert_eq!(searcher.len(), model.len() as u64, "documents");
        for key in known {
            assert_eq!(self.read(searcher, key).as_ref(), model.get(key), "{key:?}");
        }
        self.verify_searches(searcher, model, rng);
    }

    fn verify_searches(&self, searcher: &Searcher, model: &Model, rng: &mut Rng) {
        for (number, field) in self.fields.iter().enumerate() {
            let documents = || {
                model.iter().filter_map(|(key, record)| {
                    record.vectors[number].as_deref().map(|vector| (key.as_str(), vector))
                })
            };
            let count = documents().count();
            let query = field.vector(rng);
            let k = 1 + rng.below(count + 3);
            let knn = Knn::new(field.name, query.clone()).k(k);
            let exact = |knn: Knn, how: &str| {
                let hits = searcher.search(&knn).unwrap_or_else(|error| panic!("{how}: {error}"));
                oracle::assert_exact(&hits, field.similarity, &query, documents(), k);
                if field.grid {
                    let ranked = oracle::ranked(field.similarity, &query, documents());
                    oracle::assert_identical(&hits, &ranked, k);
                }
            };
            exact(knn.clone().exact(), "exact");
            // Every live vector is a candidate, and settled by its raw vector: nothing is approximate.
            let everything = knn.clone().candidates(count.max(1));
            exact(everything.rescore((count as f32 / k as f32).ceil().max(1.0)), "rescored");
            if field.quantization == Quantization::None && field.index == VectorIndex::Flat {
                exact(knn.clone(), "flat");
            }
            let hits = searcher.search(knn.fields(["tag"])).unwrap();
            assert_eq!(hits.hits.len(), k.min(count), "approximate hits among {count}");
            let keys: BTreeSet<&str> = hits.keys().into_iter().collect();
            assert_eq!(keys.len(), hits.hits.len(), "a document was found twice");
            for hit in &hits.hits {
                let record = model.get(&hit.key).unwrap_or_else(|| panic!("{hit:?} is deleted"));
                assert!(record.vectors[number].is_some() && hit.score.is_finite() && hit.score >= 0.0);
                let fields = hit.fields.as_ref().unwrap();
                assert_eq!((fields.len(), fields["tag"].as_i64()), (1, Some(record.tag)), "{hit:?}");
            }
        }
    }

    /// Nothing is damaged, nothing is left over.
    fn verify_files(&self, committed: &Model) {
        drop(self.writer(&self.open())); // Collects what nobody needs.
        let report =
            lucerne::admin::check_in(IndexBuilder::new(), Arc::clone(&self.directory), &Cancel::new(), &())
                .unwrap();
        assert!(report.ok(), "{:?}", report.problems);
        assert_eq!(report.docs, committed.len() as u64);
        let facts = lucerne::admin::inspect(&self.open().searcher().unwrap()).unwrap();
        let mut expected: BTreeSet<String> = BTreeSet::from(["write.lock".to_owned()]);
        expected.insert(format!("segments_{}", facts["generation"]));
        for segment in facts["segments"].as_array().unwrap() {
            let files = segment["files"].as_array().unwrap().iter();
            expected.extend(files.map(|file| file["name"].as_str().unwrap().to_owned()));
        }
        assert_eq!(BTreeSet::from_iter(self.directory.list().unwrap()), expected, "files in the folder");
    }
}

// ---- one thread ----------------------------------------------------------------------------------------

struct Run {
    setup: Setup,
    rng: Rng,
    /// In this order: the writer is dropped before its index.
    writer: Option<Writer>,
    index: Index,
    current: Model,
    visible: Model,
    committed: Model,
    notes: BTreeMap<String, String>,
    held: Vec<(Searcher, Model)>,
    known: BTreeSet<String>,
    /// The last key this writer has assigned.
    automatic: Option<String>,
    tag: i64,
}

#[test]
fn one_thread_does_what_a_map_does() {
    for_each_seed(|seed, operations| {
        let mut rng = Rng::new(seed);
        let mut setup = Setup::new(seed, &mut rng);
        // Merges on the thread that flushes: a seed always does the same.
        setup.options = setup.options.merge_threads(0);
        let index = setup.create();
        let mut run = Run {
            writer: Some(setup.writer(&index)),
            index,
            setup,
            rng,
            current: Model::new(),
            visible: Model::new(),
            committed: Model::new(),
            notes: BTreeMap::new(),
            held: Vec::new(),
            known: BTreeSet::new(),
            automatic: None,
            tag: 0,
        };
        for _ in 0..operations {
            run.step();
        }
        for _ in 0..run.held.len() {
            run.verify_held();
        }
        run.writer.take();
        drop(run.index);
        run.setup.verify_files(&run.committed);
    });
}

impl Run {
    fn step(&mut self) {
        match self.rng.below(100) {
            0..25 => self.add(),
            25..42 => self.upsert(),
            42..52 => self.delete(),
            52..62 => self.batch(),
            62..67 => self.refused(),
            67..77 => self.refresh(),
            77..83 => self.commit(),
            83..88 => self.two_phases(),
            88..91 => self.rollback(),
            91..94 => self.reopen(),
            94..97 => self.hold(),
            _ => self.verify_held(),
        }
    }

    fn writer(&self) -> &Writer {
        self.writer.as_ref().unwrap()
    }

    fn new_record(&mut self) -> Record {
        self.tag += 1;
        self.setup.record(self.tag, &mut self.rng)
    }

    /// A key, new or known; `None` when keys are automatic and a new one is due.
    fn key(&mut self) -> Option<String> {
        if self.setup.automatic {
            let known: Vec<&String> = self.known.iter().collect();
            return (!known.is_empty() && self.rng.chance(50)).then(|| (*self.rng.pick(&known)).clone());
        }
        let number = self.rng.below(30);
        Some(if number < 3 { format!("ключ {number} \u{1F511} \"\\\n") } else { format!("k{number:02}") })
    }

    /// Writes to the model what was written to the index.
    fn wrote(&mut self, asked: Option<&str>, key: String, record: Record) {
        match asked {
            Some(asked) => assert_eq!(key, asked),
            None => {
                assert!(self.automatic.as_ref().is_none_or(|last| *last < key), "{key} is not a new key");
                self.automatic = Some(key.clone());
            }
        }
        self.known.insert(key.clone());
        self.current.insert(key, record);
    }

    fn add(&mut self) {
        let (key, record) = (self.key(), self.new_record());
        let added = self.writer().add(&self.setup.document(key.as_deref(), &record));
        if key.as_ref().is_some_and(|key| self.current.contains_key(key)) {
            let error = added.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
        } else {
            self.wrote(key.as_deref(), added.unwrap(), record);
        }
    }

    fn upsert(&mut self) {
        let (key, record) = (self.key(), self.new_record());
        let written = self.writer().upsert(&self.setup.document(key.as_deref(), &record)).unwrap();
        self.wrote(key.as_deref(), written, record);
    }

    fn delete(&mut self) {
        let key = self.key().unwrap_or_else(|| "no such key".to_owned());
        let deleted = self.writer().delete("id", &key).unwrap();
        assert_eq!(deleted, self.current.remove(&key).is_some(), "delete {key:?}");
    }

    fn batch(&mut self) {
        let count = 1 + self.rng.below(6);
        let replace = self.rng.chance(60);
        let rows: Vec<_> = (0..count).map(|_| (self.key(), self.new_record())).collect();
        let documents: Vec<_> =
            rows.iter().map(|(key, record)| self.setup.document(key.as_deref(), record)).collect();
        let given: Vec<&String> = rows.iter().filter_map(|(key, _)| key.as_ref()).collect();
        let twice = BTreeSet::from_iter(&given).len() < given.len();
        let existing = given.iter().any(|key| self.current.contains_key(*key));
        let written = match replace {
            true => self.writer().upsert_batch(&documents),
            false => self.writer().add_batch(&documents),
        };
        if twice || existing && !replace {
            assert_eq!(written.unwrap_err().kind(), ErrorKind::AlreadyExists);
            return;
        }
        let written = written.unwrap();
        assert_eq!(written.len(), count);
        for ((asked, record), key) in rows.into_iter().zip(written) {
            self.wrote(asked.as_deref(), key, record);
        }
    }

    /// What does not fit the schema leaves nothing behind, alone or in a batch.
    fn refused(&mut self) {
        let (key, record) = (self.key(), self.new_record());
        let good = self.setup.document(key.as_deref(), &record);
        let mut long = self.setup.fields[0].vector(&mut self.rng);
        let mut bad = good.clone();
        match self.rng.below(6) {
            0 => {
                long.push(0.5);
                bad.set("a", long);
            }
            1 => {
                long[0] = f32::NAN;
                bad.set("a", long);
            }
            2 => bad.set("undeclared", 1),
            3 => bad.set("id", ""),
            4 => bad.set("id", "x".repeat(600)),
            _ => bad.set("tag", "seven"),
        }
        let writer = self.writer();
        let error = match self.rng.clone().below(3) {
            0 => writer.add(&bad).unwrap_err(),
            1 => writer.upsert(&bad).unwrap_err(),
            _ => writer.upsert_batch(&[good, bad]).unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }

    fn refresh(&mut self) {
        self.writer().refresh().unwrap();
        self.visible = self.current.clone();
        self.verify();
    }

    fn commit(&mut self) {
        let generation = self.writer().commit().unwrap();
        self.visible = self.current.clone();
        self.committed = self.current.clone();
        assert_eq!(self.index.searcher().unwrap().generation(), generation);
        self.verify();
    }

    /// What is written between the phases belongs to the next commit.
    fn two_phases(&mut self) {
        let writer = self.writer.take().unwrap();
        let noted = self.rng.chance(50).then(|| BTreeMap::from([("note".to_owned(), self.tag.to_string())]));
        let prepared = match noted.clone() {
            Some(notes) => writer.prepare_commit_with(notes),
            None => writer.prepare_commit(),
        };
        let prepared = prepared.unwrap();
        let at_prepare = self.current.clone();
        for _ in 0..self.rng.below(4) {
            let (key, record) = (self.key(), self.new_record());
            let written = writer.upsert(&self.setup.document(key.as_deref(), &record)).unwrap();
            self.wrote(key.as_deref(), written, record);
        }
        let refreshed = self.rng.chance(30);
        if refreshed {
            writer.refresh().unwrap();
            self.visible = self.current.clone();
        }
        self.verify();
        let abort = self.rng.chance(30);
        if abort {
            if self.rng.chance(50) {
                prepared.abort().unwrap();
            } else {
                drop(prepared);
            }
        } else {
            let promised = prepared.generation();
            assert_eq!(prepared.commit().unwrap(), promised);
            self.committed = at_prepare.clone();
            if !refreshed {
                self.visible = at_prepare;
            }
            self.notes = noted.unwrap_or_else(|| std::mem::take(&mut self.notes));
            let searcher = self.index.searcher().unwrap();
            assert_eq!(searcher.generation(), promised);
        }
        self.writer = Some(writer);
        self.verify();
    }

    fn rollback(&mut self) {
        self.writer().rollback().unwrap();
        self.visible = self.committed.clone();
        self.current = self.committed.clone();
        self.verify();
    }

    /// Without a commit, or through [`Writer::close`], which commits.
    fn reopen(&mut self) {
        let writer = self.writer.take().unwrap();
        if self.rng.chance(40) {
            writer.close().unwrap();
            self.committed = self.current.clone();
        } else {
            drop(writer);
            self.current = self.committed.clone();
        }
        self.visible = self.committed.clone();
        self.verify();
        self.index = self.setup.open();
        self.writer = Some(self.setup.writer(&self.index));
        self.automatic = None; // Numbers of documents that were never committed may be assigned again.
        self.verify();
    }

    fn hold(&mut self) {
        if self.held.len() < 4 {
            self.held.push((self.index.searcher().unwrap(), self.visible.clone()));
        }
    }

    fn verify_held(&mut self) {
        if !self.held.is_empty() {
            let (searcher, model) = self.held.remove(0);
            self.setup.verify(&searcher, &model, &self.known, &mut self.rng);
        }
    }

    fn verify(&mut self) {
        let searcher = self.index.searcher().unwrap();
        assert_eq!(*searcher.user_data(), self.notes);
        self.setup.verify(&searcher, &self.visible, &self.known, &mut self.rng);
    }
}

// ---- four threads --------------------------------------------------------------------------------------

const THREADS: usize = 4;
const OWN_KEYS: usize = 8;
/// Even ones are only added and deleted, so that successes can be counted; odd ones are upserted too.
const CONTESTED: usize = 6;

/// What one operation changes, at once; `None` is a delete.
type Changes = Vec<(String, Option<Record>)>;

/// The keys that one thread writes to and the others only read.
#[derive(Default)]
struct OwnRange {
    base: Model,
    /// What its thread does, noted before it is done.
    log: Mutex<Vec<Changes>>,
    /// How many of them are done.
    done: AtomicUsize,
}

impl OwnRange {
    /// The range after each entry of the log, by tags: what a snapshot may hold.
    fn states(&self) -> Vec<BTreeMap<String, i64>> {
        let mut state: BTreeMap<String, i64> =
            self.base.iter().map(|(key, record)| (key.clone(), record.tag)).collect();
        let mut states = vec![state.clone()];
        for changes in &*self.log.lock().unwrap() {
            for (key, record) in changes {
                match record {
                    Some(record) => state.insert(key.clone(), record.tag),
                    None => state.remove(key),
                };
            }
            states.push(state.clone());
        }
        states
    }

    fn after(&self) -> Model {
        let mut model = self.base.clone();
        for (key, record) in self.log.lock().unwrap().iter().flatten() {
            match record {
                Some(record) => model.insert(key.clone(), record.clone()),
                None => model.remove(key),
            };
        }
        model
    }
}

/// What all threads see.
struct Shared<'a> {
    setup: &'a Setup,
    index: &'a Index,
    writer: &'a Writer,
    ranges: Vec<OwnRange>,
    /// Documents of each contested key that was only added and deleted: never anything but 0 or 1.
    balance: Vec<AtomicI64>,
    may_commit: bool,
}

fn own_key(thread: usize, number: usize) -> String {
    format!("t{thread}-{number}")
}

fn contested_key(number: usize) -> String {
    format!("s{number}")
}

/// The record a tag stands for, whoever wrote it.
fn record_of(setup: &Setup, tag: i64) -> Record {
    setup.record(tag, &mut Rng::new(tag as u64))
}

struct Worker<'a> {
    shared: &'a Shared<'a>,
    thread: usize,
    rng: Rng,
    tag: i64,
    own: BTreeSet<String>,
}

impl Worker<'_> {
    fn step(&mut self) {
        match self.rng.below(100) {
            0..35 => self.own_write(),
            35..50 => self.own_batch(),
            50..60 => self.own_delete(),
            60..85 => self.contend(),
            85..93 => self.refresh(),
            _ if !self.shared.may_commit => self.refresh(),
            93..97 => drop(self.shared.writer.commit().unwrap()),
            _ => self.two_phases(),
        }
    }

    fn new_record(&mut self) -> Record {
        self.tag += 1;
        record_of(self.shared.setup, self.tag)
    }

    fn document(&self, key: &str, record: &Record) -> Document {
        self.shared.setup.document(Some(key), record)
    }

    /// Notes what is about to happen, lets it happen, and says that it has.
    fn logged<T>(&self, changes: Changes, happen: impl FnOnce(&Writer) -> T) -> T {
        let range = &self.shared.ranges[self.thread];
        range.log.lock().unwrap().push(changes);
        let result = happen(self.shared.writer);
        range.done.fetch_add(1, Ordering::SeqCst);
        result
    }

    fn own_write(&mut self) {
        let (key, record) = (own_key(self.thread, self.rng.below(OWN_KEYS)), self.new_record());
        let document = self.document(&key, &record);
        if self.own.contains(&key) {
            assert_eq!(self.shared.writer.add(&document).unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        let add = self.own.insert(key.clone());
        self.logged(vec![(key, Some(record))], |writer| match add {
            true => writer.add(&document).unwrap(),
            false => writer.upsert(&document).unwrap(),
        });
    }

    fn own_batch(&mut self) {
        let keys: BTreeSet<String> =
            (0..1 + self.rng.below(4)).map(|_| own_key(self.thread, self.rng.below(OWN_KEYS))).collect();
        let rows: Vec<_> = keys.into_iter().map(|key| (key, self.new_record())).collect();
        let documents: Vec<_> = rows.iter().map(|(key, record)| self.document(key, record)).collect();
        self.own.extend(rows.iter().map(|(key, _)| key.clone()));
        let changes = rows.into_iter().map(|(key, record)| (key, Some(record))).collect();
        self.logged(changes, |writer| writer.upsert_batch(&documents).unwrap());
    }

    fn own_delete(&mut self) {
        let key = own_key(self.thread, self.rng.below(OWN_KEYS));
        let existed = self.own.remove(&key);
        let deleted = self.logged(vec![(key.clone(), None)], |writer| writer.delete("id", &key).unwrap());
        assert_eq!(deleted, existed, "delete {key:?}");
    }

    fn contend(&mut self) {
        let number = self.rng.below(CONTESTED);
        let (key, record) = (contested_key(number), self.new_record());
        let document = self.document(&key, &record);
        let writer = self.shared.writer;
        match self.rng.below(3) {
            0 => {
                if writer.delete("id", &key).unwrap() {
                    self.shared.balance[number].fetch_sub(1, Ordering::SeqCst);
                }
            }
            1 if number % 2 == 1 => drop(writer.upsert(&document).unwrap()),
            _ => match writer.add(&document) {
                Ok(added) => {
                    assert_eq!(added, key);
                    self.shared.balance[number].fetch_add(1, Ordering::SeqCst);
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}"),
            },
        }
    }

    fn two_phases(&mut self) {
        let prepared = self.shared.writer.prepare_commit().unwrap();
        self.own_write();
        if self.rng.chance(30) {
            prepared.abort().unwrap();
        } else {
            prepared.commit().unwrap();
        }
    }

    /// A refresh shows at least what every thread had done when it began, and of each thread a state it
    /// really was in.
    fn refresh(&mut self) {
        let shared = self.shared;
        let before: Vec<usize> =
            shared.ranges.iter().map(|range| range.done.load(Ordering::SeqCst)).collect();
        shared.writer.refresh().unwrap();
        let searcher = shared.index.searcher().unwrap();
        let found = shared.read_all(&searcher);
        for (thread, range) in shared.ranges.iter().enumerate() {
            let prefix = own_key(thread, 0).split('-').next().unwrap().to_owned() + "-";
            let own = found.iter().filter(|(key, _)| key.starts_with(&prefix));
            let own: BTreeMap<String, i64> = own.map(|(key, record)| (key.clone(), record.tag)).collect();
            let states = range.states();
            let position = states.iter().skip(before[thread]).position(|state| *state == own);
            assert!(
                position.is_some(),
                "thread {thread} was never in the state {own:?} ({before:?}): {states:?}"
            );
            if thread == self.thread {
                assert_eq!(states.last(), Some(&own), "the refreshing thread sees what it wrote");
            }
        }
        shared.verify(&searcher, &found, &mut self.rng);
    }
}

impl Shared<'_> {
    fn keys() -> impl Iterator<Item = String> {
        let own = (0..THREADS).flat_map(|thread| (0..OWN_KEYS).map(move |number| own_key(thread, number)));
        own.chain((0..CONTESTED).map(contested_key))
    }

    fn read_all(&self, searcher: &Searcher) -> Model {
        let found = Self::keys().filter_map(|key| Some((key.clone(), self.setup.read(searcher, &key)?)));
        found.collect()
    }

    /// What was found by key is what the snapshot holds and searches, and each document is one that some
    /// thread wrote.
    fn verify(&self, searcher: &Searcher, found: &Model, rng: &mut Rng) {
        assert_eq!(searcher.len(), found.len() as u64, "a key has more than one document");
        for (key, record) in found {
            assert_eq!(*record, record_of(self.setup, record.tag), "{key:?}");
        }
        self.setup.verify_searches(searcher, found, rng);
    }
}

/// How a round of concurrent operations ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Refresh,
    Commit,
    Rollback,
    Reopen,
}

#[test]
fn four_threads_do_what_a_map_does() {
    for_each_seed(|seed, operations| {
        let mut rng = Rng::new(seed ^ 0x7447);
        let mut setup = Setup::new(seed, &mut rng);
        if setup.automatic {
            setup.schema = Schema::from_json(
                &setup.schema.to_json().to_string().replace(r#"{"name":"id","auto":true}"#, r#""id""#),
            )
            .unwrap();
        }
        let mut index = setup.create();
        let mut writer = Some(setup.writer(&index));
        let mut current = Model::new();
        let mut committed = Model::new();
        const ROUNDS: usize = 5;
        for round in 0..ROUNDS {
            let ends = [End::Refresh, End::Commit, End::Rollback, End::Reopen];
            let end = if round + 1 == ROUNDS { End::Reopen } else { *rng.pick(&ends) };
            let held = writer.take().unwrap();
            let may_commit = matches!(end, End::Refresh | End::Commit);
            if !may_commit {
                held.commit().unwrap();
                committed = current.clone();
            }
            let own = |thread: usize| {
                let prefix = format!("t{thread}-");
                let own = current.iter().filter(move |(key, _)| key.starts_with(&prefix));
                own.map(|(key, record)| (key.clone(), record.clone())).collect::<Model>()
            };
            let present = |number| i64::from(current.contains_key(&contested_key(number)));
            let shared = Shared {
                setup: &setup,
                index: &index,
                writer: &held,
                ranges: (0..THREADS)
                    .map(|thread| OwnRange { base: own(thread), ..Default::default() })
                    .collect(),
                balance: (0..CONTESTED).map(|number| AtomicI64::new(present(number))).collect(),
                may_commit,
            };
            std::thread::scope(|scope| {
                for thread in 0..THREADS {
                    let tag = ((round * THREADS + thread) * 1_000_000) as i64;
                    let seed = rng.next();
                    let mut worker = Worker {
                        shared: &shared,
                        thread,
                        rng: Rng::new(seed),
                        tag,
                        own: shared.ranges[thread].base.keys().cloned().collect(),
                    };
                    scope.spawn(move || (0..operations / ROUNDS).for_each(|_| worker.step()));
                }
            });
            held.refresh().unwrap();
            let searcher = index.searcher().unwrap();
            let found = shared.read_all(&searcher);
            let mut expected: Model = shared.ranges.iter().flat_map(OwnRange::after).collect();
            let contested = |key: &String| key.starts_with('s');
            expected
                .extend(found.iter().filter(|(key, _)| contested(key)).map(|(k, r)| (k.clone(), r.clone())));
            assert_eq!(found, expected);
            shared.verify(&searcher, &found, &mut rng);
            for number in (0..CONTESTED).step_by(2) {
                let live = i64::from(found.contains_key(&contested_key(number)));
                assert_eq!(
                    shared.balance[number].load(Ordering::SeqCst),
                    live,
                    "adds less deletes of s{number}"
                );
            }
            current = found;
            drop(shared);
            match end {
                End::Refresh => {}
                End::Commit => {
                    held.commit().unwrap();
                    committed = current.clone();
                }
                End::Rollback => {
                    held.rollback().unwrap();
                    current = committed.clone();
                }
                End::Reopen => current = committed.clone(),
            }
            if end == End::Reopen {
                drop(held);
                index = setup.open();
                writer = Some(setup.writer(&index));
            } else {
                writer = Some(held);
            }
            let known = Shared::keys().collect();
            setup.verify(&index.searcher().unwrap(), &current, &known, &mut rng);
        }
        drop(writer);
        drop(index);
        setup.verify_files(&committed);
    });
}

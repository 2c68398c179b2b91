//! What a seed chooses before anything is written, and the checks of a searcher against the model.

use super::{FIELDS, Model, Record, vector_field::VectorField};
use crate::common::brute_force;
use crate::common::rng::Rng;
use lucerne::bits::{BitOrder, pack};
use lucerne::codec::{Cancel, Directory};
use lucerne::directory::{FsDirectory, RamDirectory};
use lucerne::index::IndexBuilder;
use lucerne::merge::{MergePolicy, TieredOptions};
use lucerne::schema::{Quantization, VectorIndex};
use lucerne::{Document, Index, Knn, Schema, Searcher, Value, Writer, WriterOptions};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) struct Setup {
    pub(super) fields: [VectorField; 2],
    pub(super) schema: Schema,
    pub(super) automatic: bool,
    pub(super) options: WriterOptions,
    pub(super) directory: Arc<dyn Directory>,
    _folder: Option<tempfile::TempDir>,
}

impl Setup {
    pub(super) fn new(seed: u64, rng: &mut Rng) -> Self {
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

    pub(super) fn create(&self) -> Index {
        IndexBuilder::new().create(Arc::clone(&self.directory), self.schema.clone()).unwrap()
    }

    pub(super) fn open(&self) -> Index {
        IndexBuilder::new().open(Arc::clone(&self.directory)).unwrap()
    }

    pub(super) fn writer(&self, index: &Index) -> Writer {
        index.writer_with(self.options.clone()).unwrap()
    }

    pub(super) fn record(&self, tag: i64, rng: &mut Rng) -> Record {
        let vectors = [0, 1].map(|field| rng.chance(80).then(|| self.fields[field].vector(rng)));
        Record { tag, vectors }
    }

    /// The document of a record; without a key when keys are automatic and none is given.
    pub(super) fn document(&self, key: Option<&str>, record: &Record) -> Document {
        let mut document = Document::new().with("tag", record.tag).with("word", vec!["x", "y"]);
        for (name, vector) in FIELDS.iter().zip(&record.vectors) {
            document.set(*name, vector.clone());
        }
        document.set("id", key);
        document
    }

    // ---- checks ----------------------------------------------------------------------------------------

    /// The document of a key, as a searcher returns it.
    pub(super) fn read(&self, searcher: &Searcher, key: &str) -> Option<Record> {
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
    pub(super) fn verify(&self, searcher: &Searcher, model: &Model, known: &BTreeSet<String>, rng: &mut Rng) {
        assert_eq!(searcher.len(), model.len() as u64, "documents");
        for key in known {
            assert_eq!(self.read(searcher, key).as_ref(), model.get(key), "{key:?}");
        }
        self.verify_searches(searcher, model, rng);
    }

    pub(super) fn verify_searches(&self, searcher: &Searcher, model: &Model, rng: &mut Rng) {
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
                brute_force::assert_exact(&hits, field.similarity, &query, documents(), k);
                if field.grid {
                    let ranked = brute_force::ranked(field.similarity, &query, documents());
                    brute_force::assert_identical(&hits, &ranked, k);
                }
            };
            exact(knn.clone().exact(), "exact");
            // Every live vector is a candidate, and rescored with its raw vector: nothing is approximate.
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
    pub(super) fn verify_files(&self, committed: &Model) {
        drop(self.writer(&self.open())); // Collects what nobody needs.
        let report =
            lucerne::admin::check_in(IndexBuilder::new(), Arc::clone(&self.directory), &Cancel::new(), &())
                .unwrap();
        assert!(report.ok(), "{:?}", report.problems);
        assert_eq!(report.docs, committed.len() as u64);
        let report = lucerne::admin::inspect(&self.open().searcher().unwrap()).unwrap();
        let mut expected: BTreeSet<String> = BTreeSet::from(["write.lock".to_owned()]);
        expected.insert(format!("segments_{}", report["generation"]));
        for segment in report["segments"].as_array().unwrap() {
            let files = segment["files"].as_array().unwrap().iter();
            expected.extend(files.map(|file| file["name"].as_str().unwrap().to_owned()));
        }
        assert_eq!(BTreeSet::from_iter(self.directory.list().unwrap()), expected, "files in the folder");
    }
}

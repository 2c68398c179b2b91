//! A damaged index is repaired: lost are the documents whose own bytes were hit and no others, and the rest answers as
//! before.
//!
//! `LUCERNE_DAMAGES=1000` damages more often than on every push, `LUCERNE_SEED=n` replays one seed.
#![expect(clippy::print_stdout, reason = "the figures of a run")]

use crate::common::rng::Rng;
use crate::repair_truth::{Fate, Sound, VECTORS, sound};
use crate::trials::{Image, check, folder, image, is_commit, seed};
use lucerne::admin::{self, LostPart, RepairOptions, RepairReport, RepairRun};
use lucerne::codec::testing::MemoryDirectory;
use lucerne::codec::{Cancel, Directory};
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::query::Exists;
use lucerne::{
    Document, Error, Index, Knn, Match, Phrase, Range, Schema, Search, Searcher, Sparse, Term, Writer,
    WriterOptions,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) fn run(directory: &MemoryDirectory, run: RepairRun) -> Result<RepairReport, Error> {
    let options = RepairOptions::new().run(run).keep_lost(true);
    admin::repair_in(IndexBuilder::new(), Arc::new(directory.clone()), &options, &Cancel::new(), &())
}

pub(crate) fn open(directory: &MemoryDirectory) -> Index {
    IndexBuilder::new().open(Arc::new(directory.clone())).unwrap()
}

fn exact(field: &str, k: usize) -> Knn {
    let query: Vec<f32> = [0.3, -0.2, 0.7, 0.1].repeat(4);
    match field {
        "bits" => Knn::new(field, "d92a0000ff").k(k).exact(),
        "near" => Knn::new(field, query[..9].to_vec()).k(k).exact(),
        "flat" => Knn::new(field, query[..3].to_vec()).k(k).exact(),
        "several" => Knn::new(field, query[..4].to_vec()).k(k).exact(),
        // Codes alone are never exact.
        "codes" => Knn::new(field, query).k(k).candidates(500),
        _ => Knn::new(field, query).k(k).exact(),
    }
}

/// Keys of what each query finds, all of it: in order where that does not depend on what else is there.
fn answers(searcher: &Searcher) -> Vec<Vec<String>> {
    let filters: Vec<Search> = vec![
        Match::new("t", "red").into(),
        Sparse::new("weights", [(3, 1.0), (5, 2.0)]).into(),
        Match::new("t", "green amber").into(),
        Phrase::new("t", "blue red").into(),
        Term::new("w", "amber").into(),
        Term::new("extra", 3).into(),
        Range::new("i").gt(20).into(),
        Exists::new("several").into(),
    ];
    let keys = |search: Search| -> Vec<String> {
        let hits = searcher.search(search.limit(500)).unwrap();
        hits.hits.into_iter().map(|hit| hit.key).collect()
    };
    let mut all: Vec<Vec<String>> = filters
        .into_iter()
        .map(|search| {
            let mut keys = keys(search);
            keys.sort();
            keys
        })
        .collect();
    all.extend(VECTORS.map(|(_, field, _)| {
        let mut found = keys(exact(field, 500).into());
        if field == "codes" {
            found.sort(); // Codes may be made again.
        }
        found
    }));
    all
}

/// Everything that is stored, by key: fields, and vectors of which the rows are kept.
fn contents(searcher: &Searcher, keys: &BTreeSet<String>) -> BTreeMap<String, String> {
    let content = |key: &String| {
        let document = searcher.get(key).unwrap().map(|document| document.to_json());
        let vectors = ["near", "flat"].map(|field| searcher.vector(key, field).unwrap());
        (key.clone(), format!("{document:?} {vectors:?}"))
    };
    keys.iter().map(content).collect()
}

/// The share of the nearest ten by all vectors that a search by the graph finds, over some queries.
fn recall(searcher: &Searcher, field: &str, dimension: usize) -> f64 {
    let mut rng = Rng::new(77);
    let shares = (0..10).map(|_| {
        let query = rng.vector(dimension);
        let keys = |knn: Knn| searcher.search(knn.k(10)).unwrap().keys().join(" ");
        let all = Knn::new(field, query.clone());
        let truth = keys(if field == "codes" { all.candidates(500) } else { all.exact() });
        let found = keys(Knn::new(field, query).candidates(40));
        let found: BTreeSet<&str> = found.split(' ').collect();
        truth.split(' ').filter(|key| found.contains(key)).count() as f64 / 10.0
    });
    shares.sum::<f64>() / 10.0
}

/// What trials have shown.
#[derive(Debug, Default)]
struct Tally {
    trials: usize,
    without_loss: usize,
    lost: usize,
    beyond: usize,
    forgotten: usize,
    recall: [f64; 2],
}

struct Bench {
    sound: Sound,
    keys: [BTreeSet<String>; 2],
    answers: [Vec<Vec<String>>; 2],
    contents: [BTreeMap<String, String>; 2],
    recall: f64,
}

/// The newest commit and the tagged one.
fn both(index: &Index) -> [Searcher; 2] {
    [index.searcher().unwrap(), index.open_at("v1").unwrap()]
}

impl Bench {
    fn new(seed: u64) -> Self {
        let sound = sound(seed);
        let searchers = both(&open(&folder(&sound.image)));
        let live = |newest: bool| {
            let docs = sound.docs.iter().filter(|doc| if newest { doc.newest } else { doc.tagged });
            docs.map(|doc| doc.key.clone()).collect::<BTreeSet<String>>()
        };
        let keys = [live(true), live(false)];
        let contents = [contents(&searchers[0], &keys[0]), contents(&searchers[1], &keys[1])];
        let recall = recall(&searchers[0], "near", 9) + recall(&searchers[0], "codes", 16);
        Self { keys, answers: searchers.each_ref().map(answers), contents, recall, sound }
    }

    /// Damages a file, repairs, and compares with what must be.
    fn trial(&self, file: &str, damaged: Option<Vec<u8>>, what: &str, tally: &mut Tally) {
        let directory = folder(&self.sound.image);
        match &damaged {
            Some(bytes) => directory.put(file, bytes.as_slice()),
            None => directory.delete(file).unwrap(),
        }
        if damaged.as_ref() == Some(&self.sound.image[file]) {
            return;
        }
        tally.trials += 1;
        let fate = self.sound.fate(file, damaged.as_deref());
        let before = image(&directory);
        let planned = run(&directory, RepairRun::DryRun);
        assert!(image(&directory) == before, "{what}: a dry run has changed something");
        let report = match run(&directory, RepairRun::Repair) {
            Ok(report) => report,
            Err(error) => {
                assert_eq!(fate, Fate::Beyond, "{what}: {error}");
                assert!(planned.is_err() && image(&directory) == before, "{what}");
                tally.beyond += 1;
                return;
            }
        };
        let planned = planned.unwrap();
        assert_eq!((&planned.lost, planned.generation), (&report.lost, None), "{what}");
        let newest = self.sound.image.keys().rfind(|name| is_commit(name)).unwrap();
        if damaged.is_none() && file == newest {
            // Nothing says that there was a later one: the tagged commit is the newest.
            assert!(report.is_whole(), "{what}: {report:?}");
            return tally.beyond += 1;
        }
        assert!(report.generation.is_some() && !report.is_whole(), "{what}: {report:?}");
        let found = check(&directory).unwrap();
        assert!(found.ok(), "{what}: {:?}", found.problems);
        assert!(run(&directory, RepairRun::Repair).unwrap().is_whole(), "{what}");

        let named = |lost: &admin::LostDocument| (lost.segment.clone(), lost.doc);
        let of_newest: BTreeSet<(String, u32)> = report.lost.iter().map(named).collect();
        let of_tagged: BTreeSet<(String, u32)> =
            report.lost_in_kept.iter().flat_map(|kept| &kept.lost).map(named).collect();
        let lost: BTreeSet<(String, u32)> = of_newest.union(&of_tagged).cloned().collect();
        let live = |docs: &BTreeSet<(String, u32)>, tagged: bool| -> BTreeSet<(String, u32)> {
            let live = self.sound.docs.iter().filter(|doc| if tagged { doc.tagged } else { doc.newest });
            let live = live.map(|doc| (doc.segment.to_owned(), doc.number));
            live.filter(|doc| docs.contains(doc)).collect()
        };
        match &fate {
            // An older commit cannot be read: it is beyond repair with its tag, the others are not.
            Fate::Beyond if is_commit(file) => return tally.beyond += 1,
            Fate::Beyond => panic!("{what}: repaired"),
            Fate::Forgotten => {
                assert!(lost.is_empty(), "{what}");
                return tally.forgotten += 1;
            }
            Fate::Lost(docs) => {
                assert_eq!(of_newest, live(docs, false), "{what}: {report:?}");
                assert_eq!(of_tagged, live(docs, true), "{what}: {report:?}");
            }
        }
        for lost in &report.lost {
            let (segment, doc) = (&lost.segment, lost.doc);
            let own = |own: &&crate::repair_truth::Physical| own.segment == segment && own.number == doc;
            let own = self.sound.docs.iter().find(own).unwrap();
            assert_eq!(lost.key.as_ref(), Some(&own.key), "{what}");
            assert_eq!(lost.stored.is_some(), lost.part != LostPart::Stored, "{what}");
        }
        tally.lost += lost.len();
        tally.without_loss += usize::from(lost.is_empty());
        self.compare(&directory, &lost, what, tally);
    }

    fn compare(
        &self,
        directory: &MemoryDirectory,
        lost: &BTreeSet<(String, u32)>,
        what: &str,
        tally: &mut Tally,
    ) {
        let index = open(directory);
        assert_eq!(index.searcher().unwrap().user_data()["source"], "here", "{what}");
        for (at, searcher) in both(&index).into_iter().enumerate() {
            let docs = self.sound.docs.iter().filter(|doc| if at == 0 { doc.newest } else { doc.tagged });
            let gone = docs.filter(|doc| lost.contains(&(doc.segment.to_owned(), doc.number)));
            let gone: BTreeSet<&String> = gone.map(|doc| &doc.key).collect();
            let keys: BTreeSet<String> =
                self.keys[at].iter().filter(|key| !gone.contains(key)).cloned().collect();
            assert_eq!(searcher.len(), keys.len() as u64, "{what}");
            let contents = contents(&searcher, &keys);
            assert!(keys.iter().all(|key| contents[key] == self.contents[at][key]), "{what}: other contents");
            for (found, expected) in answers(&searcher).iter().zip(&self.answers[at]) {
                let expected: Vec<&String> = expected.iter().filter(|key| !gone.contains(key)).collect();
                assert!(found.iter().eq(expected.iter().copied()), "{what}: {found:?}, before {expected:?}");
            }
            if at == 0 {
                let now = recall(&searcher, "near", 9) + recall(&searcher, "codes", 16);
                tally.recall[0] += self.recall / 2.0;
                tally.recall[1] += now / 2.0;
            }
        }
        // A writer goes on from there.
        let writer = index.writer_with(WriterOptions::new().threads(1)).unwrap();
        writer.upsert(&Document::new().with("id", "new").with("t", "red")).unwrap();
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.close().unwrap();
        assert!(check(directory).unwrap().ok(), "{what}");
    }
}

impl Tally {
    fn finish(self, what: &str) {
        println!("{what}: {self:?}");
        let repaired = (self.trials - self.beyond - self.forgotten) as f64;
        let [before, after] = self.recall.map(|sum| sum / repaired);
        println!("{what}: recall {before:.4} before, {after:.4} after");
        assert!(after >= before - 0.005);
    }
}

fn data_files(image: &Image) -> Vec<String> {
    image.keys().cloned().collect()
}

#[test]
fn each_structure_of_a_segment_is_repaired_at_the_cost_of_what_was_hit() {
    let bench = Bench::new(seed());
    let mut tally = Tally::default();
    for file in data_files(&bench.sound.image) {
        let len = bench.sound.image[&file].len();
        // Header, contents, footer.
        for at in [9, 64, 80, len / 3, len / 2, len - 40, len - 10, len - 1] {
            let mut damaged = bench.sound.image[&file].clone();
            damaged[at] ^= 0x24;
            bench.trial(&file, Some(damaged), &format!("{file}: byte {at} of {len} changed"), &mut tally);
        }
        bench.trial(&file, None, &format!("{file} deleted"), &mut tally);
        let other = file.replacen("_0", "_1", 1);
        if let Some(other) = bench.sound.image.get(&other).filter(|_| file.starts_with("_0.")) {
            bench.trial(&file, Some(other.clone()), &format!("{file}: another's file"), &mut tally);
        }
    }
    assert!(tally.without_loss > tally.trials / 2 && tally.lost > 0);
    tally.finish("each structure");
}

#[test]
fn random_damage_costs_the_documents_whose_own_bytes_were_hit_and_no_others() {
    let count = std::env::var("LUCERNE_DAMAGES").map_or(40, |count| count.parse().unwrap());
    let bench = Bench::new(seed());
    let files = data_files(&bench.sound.image);
    let (mut tally, mut rng) = (Tally::default(), Rng::new(seed() + 4));
    while tally.trials < count {
        let file = rng.pick(&files).clone();
        let mut damaged = bench.sound.image[&file].clone();
        let (kind, at) = (rng.below(100), rng.below(damaged.len()));
        let end = (at + 1 + rng.below(700)).min(damaged.len());
        match kind {
            0..60 => damaged[at] ^= 1 << rng.below(8),
            60..75 => damaged[at..end].fill(0),
            75..90 => damaged[at..end].iter_mut().for_each(|byte| *byte = rng.next() as u8),
            _ => damaged.truncate(at),
        }
        let what = format!("LUCERNE_SEED={}: {file}: damage {kind} at {at} to {end}", seed());
        bench.trial(&file, Some(damaged), &what, &mut tally);
    }
    tally.finish("random damage");
}

/// A folder with an index, and its files.
pub(crate) fn small(schema: Schema, fill: impl Fn(&Writer)) -> MemoryDirectory {
    let directory = MemoryDirectory::new();
    let index = IndexBuilder::new().create(Arc::new(directory.clone()), schema).unwrap();
    let options = WriterOptions::new().threads(1).merge_policy(MergePolicy::None);
    let writer = index.writer_with(options).unwrap();
    fill(&writer);
    writer.close().unwrap();
    directory
}

#[test]
fn a_field_that_is_not_stored_is_emptied_and_reported_when_its_terms_are_damaged() {
    let hidden = lucerne::schema::Field::text("hidden").stored(false);
    let schema = Schema::builder().key("id").text("t").field(hidden).build().unwrap();
    let directory = small(schema, |writer| {
        writer.add(&Document::new().with("id", "a").with("t", "seen").with("hidden", "unseen")).unwrap();
    });
    directory.delete("_0.terms").unwrap();
    let report = run(&directory, RepairRun::Repair).unwrap();
    assert_eq!((report.lost.len(), &report.segments[0].emptied_fields), (0, &vec!["hidden".to_owned()]));
    let searcher = open(&directory).searcher().unwrap();
    assert_eq!(searcher.search(Match::new("t", "seen")).unwrap().keys(), ["a"]);
    assert_eq!(searcher.search(Match::new("hidden", "unseen")).unwrap().hits.len(), 0);
}

#[test]
fn a_segment_info_that_is_gone_is_made_from_the_files() {
    let vector = || lucerne::Vector::f32(2);
    let schema = Schema::builder().key("id").text("t").i64("n").vector("v", vector().multiple());
    let bits = lucerne::Vector::bits(16).ivf().nlist(2);
    let half = lucerne::Vector::f16(2);
    let directory = small(schema.vector("w", half).vector("b", bits).build().unwrap(), |writer| {
        for n in 0..40_i64 {
            let document = Document::new().with("id", format!("{n}")).with("t", "some words").with("n", n);
            let vectors: Vec<lucerne::Value> =
                (0..n % 3).map(|at| lucerne::Value::from(vec![n as f32, at as f32])).collect();
            let document = document.with("v", vectors).with("b", [n as u8, 255]);
            writer.add(&if n % 2 == 0 { document } else { document.with("w", vec![n as f32, 1.0]) }).unwrap();
        }
        writer.commit().unwrap();
        assert!(writer.delete("7").unwrap());
    });
    let queries = || -> Vec<Search> {
        let near = |field: &str| Knn::new(field, vec![11.0, 1.0]).k(20).exact();
        vec![
            near("v").into(),
            near("w").into(),
            Knn::new("b", "0bff").k(10).exact().into(),
            Match::new("t", "words").into(),
            Range::new("n").gt(30).into(),
        ]
    };
    let found = |directory: &MemoryDirectory| {
        let searcher = open(directory).searcher().unwrap();
        let keys = |query: Search| searcher.search(query.limit(50)).unwrap().keys().join(" ");
        queries().into_iter().map(keys).collect::<Vec<String>>()
    };
    let before = found(&directory);
    directory.delete("_0.si").unwrap();
    let report = run(&directory, RepairRun::Repair).unwrap();
    assert!(report.lost.is_empty(), "{report:?}");
    assert_eq!(found(&directory), before);
    assert!(check(&directory).unwrap().ok());
}

#[test]
fn vectors_are_taken_as_they_are_where_their_checksums_are_gone_with_them() {
    let schema = Schema::builder().key("id").vector("v", lucerne::Vector::f32(4)).build().unwrap();
    let directory = small(schema, |writer| {
        for n in (0..90).map(|n| n as f32) {
            writer.add(&Document::new().with("id", format!("{n}")).with("v", [n, 1.0, 2.0, n])).unwrap();
        }
    });
    let damaged = |name: &str, damage: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = directory.get(name).unwrap().to_vec();
        damage(&mut bytes);
        directory.put(name, bytes);
    };
    let [vectors, maps, spare] = ["vec", "ord", "spare"].map(|extension| {
        directory.files().into_keys().find(|name| name.ends_with(&format!(".{extension}"))).unwrap()
    });
    // Of the maps enough is left.
    damaged(&maps, &|bytes| bytes[64 + 4 * 5] ^= 1);
    damaged(&spare, &|bytes| bytes.truncate(64 + 4 * 6));
    // A number that is none, and another one.
    damaged(&vectors, &|bytes| bytes[64 + 16 * 7..][..4].fill(0xFF));
    damaged(&vectors, &|bytes| bytes[64 + 16 * 80] ^= 1);
    let report = run(&directory, RepairRun::Repair).unwrap();
    let lost: Vec<u32> = report.lost.iter().map(|lost| lost.doc).collect();
    assert_eq!(lost, [7]);
    let problems: Vec<&String> = report.segments[0].problems.iter().map(|found| &found.problem).collect();
    assert!(problems.iter().any(|problem| problem.contains("taken as it is")), "{problems:?}");
    assert!(check(&directory).unwrap().ok());
}

#[test]
fn when_deletes_are_forgotten_replaced_documents_stay_replaced() {
    let schema = Schema::builder().key("id").i64("version").build().unwrap();
    let document = |key: &str, version: i64| Document::new().with("id", key).with("version", version);
    let directory = small(schema, |writer| {
        ["a", "b", "c"].iter().for_each(|key| drop(writer.add(&document(key, 1)).unwrap()));
        writer.commit().unwrap();
        writer.upsert(&document("a", 2)).unwrap();
        assert!(writer.delete("b").unwrap());
    });
    let live = directory.files().into_keys().find(|name| name.ends_with(".live")).unwrap();
    directory.delete(&live).unwrap();
    let report = run(&directory, RepairRun::Repair).unwrap();
    assert_eq!(report.segments[0].deletes, admin::Deletes::Forgotten { deleted: 2 });
    let searcher = open(&directory).searcher().unwrap();
    assert_eq!(searcher.get("a").unwrap().unwrap().to_json()["version"], 2);
    // It was deleted, and nothing says so any more: the report does.
    assert_eq!(searcher.len(), 3);
    assert!(check(&directory).unwrap().ok());
}

#[test]
fn without_any_commit_that_can_be_read_an_older_one_is_used_or_nothing_is_changed() {
    let schema = || Schema::builder().key("id").build().unwrap();
    let directory = small(schema(), |writer| drop(writer.add(&Document::new().with("id", "a")).unwrap()));
    let commit =
        |directory: &MemoryDirectory| directory.files().into_keys().rfind(|name| is_commit(name)).unwrap();
    directory.put(&commit(&directory), vec![0; 500]);
    let before = image(&directory);
    let error = run(&directory, RepairRun::Repair).unwrap_err();
    assert_eq!(error.kind(), lucerne::ErrorKind::Corrupt);
    assert!(image(&directory) == before);

    let directory = small(schema(), |writer| {
        writer.add(&Document::new().with("id", "a")).unwrap();
        writer.tag("v1").unwrap();
        writer.add(&Document::new().with("id", "b")).unwrap();
    });
    directory.put(&commit(&directory), vec![0; 500]);
    let report = run(&directory, RepairRun::Repair).unwrap();
    assert!(report.commits.len() == 1 && report.generation > Some(report.from));
    let index = open(&directory);
    assert_eq!((index.searcher().unwrap().len(), index.open_at("v1").unwrap().len()), (1, 1));
    assert!(check(&directory).unwrap().ok());
}

#[test]
fn a_large_damaged_segment_becomes_several_within_the_memory_given() {
    let schema = Schema::builder().key("id").text("t").vector("v", lucerne::Vector::f32(2)).build().unwrap();
    let directory = small(schema, |writer| {
        for number in 0..3_000 {
            let text: Vec<String> = (0..40).map(|word| format!("w{}", number * 31 % 977 + word)).collect();
            let document = Document::new().with("id", format!("{number}")).with("t", text.join(" "));
            writer.add(&document.with("v", vec![number as f32, 1.0])).unwrap();
        }
    });
    let before = open(&directory).searcher().unwrap();
    let found = |searcher: &Searcher| {
        let mut keys: Vec<String> = searcher
            .search(Search::new(Match::new("t", "w500")).limit(3_000))
            .unwrap()
            .hits
            .into_iter()
            .map(|hit| hit.key)
            .collect();
        keys.sort();
        keys
    };
    let name = directory.files().into_keys().find(|name| name.ends_with(".post")).unwrap();
    directory.put(&name, vec![1; 90]);
    let options = RepairOptions::new().ram_budget(1 << 20);
    let shared: Arc<dyn Directory> = Arc::new(directory.clone());
    let report = admin::repair_in(IndexBuilder::new(), shared, &options, &Cancel::new(), &()).unwrap();
    assert!(report.lost.is_empty());
    let after = open(&directory).searcher().unwrap();
    let segments = |directory: &MemoryDirectory| {
        directory.files().into_keys().filter(|name| name.ends_with(".si")).count()
    };
    assert!(segments(&directory) > 1, "of one that was damaged");
    assert_eq!(found(&after), found(&before));
    assert_eq!(after.search(Knn::new("v", [7.0, 1.0]).k(5)).unwrap().hits.len(), 5);
    assert!(check(&directory).unwrap().ok());
}

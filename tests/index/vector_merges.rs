//! What merges do to vectors: which codes are kept, requantized or resampled, and that recall stays.

use crate::common::documents::{document, in_memory, one_field, reopen};
use crate::common::rng::Rng;
use crate::common::{brute_force, files, sample};
use lucerne::admin::inspect;
use lucerne::codec::Error as CodecError;
use lucerne::codec::Report;
use lucerne::codec::testing::{MemoryDirectory, reseal};
use lucerne::index::IndexBuilder;
use lucerne::merge::{MergeEvent, MergePolicy, TieredOptions};
use lucerne::schema::Quantization;
use lucerne::{
    Cancel, Error, ErrorKind, Hits, Index, Knn, Schema, Searcher, Similarity, Vector, Writer, WriterOptions,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

type Rows = Vec<Vec<f32>>;

fn options() -> WriterOptions {
    WriterOptions::new().threads(1).seed(7).merge_policy(MergePolicy::None)
}

/// `count` vectors of components uniform over `lower` to `upper`.
fn uniform(count: usize, dimension: usize, lower: f32, upper: f32, seed: u64) -> Rows {
    let mut rng = Rng::new(seed);
    let component = |unit: f32| lower + (upper - lower) * (unit + 1.0) / 2.0;
    (0..count).map(|_| rng.vector(dimension).into_iter().map(component).collect()).collect()
}

/// Adds rows with keys from `first`.
fn add(writer: &Writer, first: usize, rows: &[Vec<f32>]) {
    for (number, row) in (first..).zip(rows) {
        writer.upsert(&document(format!("d{number:05}"), row.clone())).unwrap();
    }
}

/// Segments of these rows, one each.
fn segments(schema: &Schema, parts: &[&[Vec<f32>]]) -> (Index, Writer) {
    let (_, index) = in_memory(schema.clone());
    let writer = index.writer_with(options()).unwrap();
    let mut first = 0;
    for part in parts {
        add(&writer, first, part);
        writer.refresh().unwrap();
        first += part.len();
    }
    writer.commit().unwrap();
    assert_eq!(index.searcher().unwrap().segment_count(), parts.len());
    (index, writer)
}

/// Merges all into one segment; the record.
fn merge(writer: &Writer) -> Report {
    let mut records = writer.force_merge(1, &Cancel::new()).unwrap();
    writer.commit().unwrap();
    assert_eq!(records.len(), 1);
    records.remove(0)
}

/// What became of each source's codes.
fn outcomes(record: &Report) -> Vec<&str> {
    let sources = find(&record["fields"]["v"], "sources").unwrap_or_else(|| panic!("{record:#}"));
    sources.as_array().unwrap().iter().map(|source| source["outcome"].as_str().unwrap()).collect()
}

fn find<'a>(facts: &'a Report, name: &str) -> Option<&'a Report> {
    match facts {
        Report::Object(map) => map.get(name).or_else(|| map.values().find_map(|value| find(value, name))),
        _ => None,
    }
}

/// Mean recall@10 with default settings.
fn recall(searcher: &Searcher, queries: &[Vec<f32>]) -> f64 {
    let found = queries.iter().map(|query| {
        let truth = searcher.search(Knn::new("v", query.clone()).k(10).exact()).unwrap();
        let hits = searcher.search(Knn::new("v", query.clone()).k(10)).unwrap();
        brute_force::recall(&hits, &truth.keys())
    });
    found.sum::<f64>() / queries.len() as f64
}

/// Recall of one segment that never was anything else, of rows in random order.
fn fresh_recall(schema: &Schema, rows: &[Vec<f32>], queries: &[Vec<f32>]) -> f64 {
    let mut shuffled = rows.to_vec();
    let mut rng = Rng::new(99);
    (1..shuffled.len()).rev().for_each(|at| shuffled.swap(at, rng.below(at + 1)));
    let (index, _writer) = segments(schema, &[&shuffled]);
    recall(&index.searcher().unwrap(), queries)
}

fn graph(dimension: usize, similarity: Similarity) -> Schema {
    one_field(Vector::f32(dimension).similarity(similarity).advanced("graph_threshold", 0))
}

#[test]
fn sources_with_nothing_in_common_are_resampled() {
    let schema = graph(16, Similarity::Euclidean);
    // Most vectors are near zero, but no segment has more than the one that lies elsewhere.
    let (far, wide) = (uniform(700, 16, 80.0, 80.1, 1), uniform(1_200, 16, -10.0, 10.0, 2));
    let (index, writer) = segments(&schema, &[&far, &wide[..600], &wide[600..]]);
    assert_eq!(outcomes(&writer.plan_force_merge(1).unwrap()[0]), ["resampled"; 3]);
    assert_eq!(outcomes(&merge(&writer)), ["resampled"; 3]);
    let facts = inspect(&index.searcher().unwrap()).unwrap();
    assert_eq!(outcomes(&facts["segments"][0]["merge"]), ["resampled"; 3], "inspect shows the record");
    let queries = uniform(100, 16, -10.0, 10.0, 3);
    let merged = recall(&index.searcher().unwrap(), &queries);
    let fresh = fresh_recall(&schema, &[far, wide].concat(), &queries);
    assert!(merged >= fresh - 0.01, "merged {merged}, fresh {fresh}");
}

#[test]
fn merges_of_degenerate_segments_finish() {
    let constant = |value: f32| vec![vec![value; 12]; 20];
    let parts: [Rows; 6] = [
        vec![[0.1, 0.2, 0.3, 0.4].repeat(3)],
        vec![vec![0.0; 12]],
        constant(0.5),
        constant(-0.0),
        constant(3.4e38),
        constant(1e-45),
    ];
    for similarity in [Similarity::Euclidean, Similarity::Cosine, Similarity::MaxInnerProduct] {
        let (index, writer) = segments(&graph(12, similarity), &parts.each_ref().map(|part| part.as_slice()));
        let record = merge(&writer);
        assert_eq!(outcomes(&record).len(), parts.len());
        let quantiles = find(&record["fields"]["v"], "quantiles").unwrap();
        let quantile = |at: usize| quantiles[at].as_f64().expect("a number") as f32;
        assert!(quantile(0) < quantile(1) && quantile(0).is_finite() && quantile(1).is_finite());
        let searcher = index.searcher().unwrap();
        let hits = searcher.search(Knn::new("v", [0.5, 0.5, 0.5, 0.4].repeat(3)).k(82)).unwrap();
        assert_eq!(hits.hits.len(), 82, "{similarity}");
        assert!(hits.hits.iter().all(|hit| hit.score.is_finite() && hit.distance.unwrap().is_finite()));
    }
}

#[test]
fn a_force_merge_of_sorted_segments_has_the_recall_of_a_fresh_build() {
    let schema = graph(384, Similarity::Cosine);
    let mut rows = sample::read_f16_rows("packages.f16.npy");
    rows.sort_by(|left, right| left[0].total_cmp(&right[0]));
    let parts: Vec<&[Vec<f32>]> = rows.chunks(120).collect();
    assert_eq!(parts.len(), 20);
    let (index, writer) = segments(&schema, &parts);
    assert_eq!(outcomes(&merge(&writer)).len(), 20);
    let queries = sample::read_f16_rows("queries.f16.npy");
    let merged = recall(&index.searcher().unwrap(), &queries);
    let fresh = fresh_recall(&schema, &rows, &queries);
    assert!(merged >= fresh - 0.01, "merged {merged}, fresh {fresh}");
}

fn answers(searcher: &Searcher) -> (u64, Vec<Hits>) {
    let queries = uniform(4, 16, -1.0, 1.0, 5).into_iter();
    let queries = queries.flat_map(|query| {
        let knn = Knn::new("v", query).k(10);
        [knn.clone(), knn.clone().rescore(2.0), knn.exact()]
    });
    (searcher.len(), queries.map(|knn| searcher.search(&knn).unwrap()).collect())
}

#[test]
fn a_searcher_answers_the_same_all_through_heavy_merging() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::create(folder.path(), graph(16, Similarity::Euclidean)).unwrap();
    let merges = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&merges);
    let policy = MergePolicy::Tiered(TieredOptions::new().segments_per_tier(2).floor_bytes(1));
    let options = WriterOptions::new().threads(2).flush_docs(25).merge_threads(2).merge_policy(policy);
    let options = options.on_merge(move |event: &MergeEvent| {
        if matches!(event, MergeEvent::Finished { .. }) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let writer = index.writer_with(options).unwrap();
    let mut rng = Rng::new(29);
    add(&writer, 0, &uniform(300, 16, -1.0, 1.0, 1));
    writer.commit().unwrap();
    let done = AtomicBool::new(false);
    let (mut rounds, mut during) = (0, 0);
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let (mut rounds, mut during) = (0, 0);
            while !done.load(Ordering::Relaxed) {
                // A snapshot is held through many merges, then another one.
                let searcher = index.searcher().unwrap();
                let (before, first) = (merges.load(Ordering::Relaxed), answers(&searcher));
                for _ in 0..30 {
                    assert_eq!(answers(&searcher), first);
                    rounds += 1;
                }
                during += merges.load(Ordering::Relaxed) - before;
            }
            (rounds, during)
        });
        for round in 0..12 {
            add(&writer, rng.below(600), &uniform(100, 16, -1.0, 1.0, round));
            for _ in 0..10 {
                writer.delete(&format!("d{:05}", rng.below(700))).unwrap();
            }
            writer.refresh().unwrap();
            if round % 3 == 2 {
                writer.commit().unwrap();
            }
        }
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.commit().unwrap();
        done.store(true, Ordering::Relaxed);
        (rounds, during) = looking.join().unwrap();
    });
    let merges = merges.load(Ordering::Relaxed);
    assert!(merges >= 10 && during > 0 && rounds >= 30, "{merges} merges, {during} seen, {rounds} rounds");
    writer.close().unwrap();
    let report = lucerne::admin::check(folder.path(), &Cancel::new(), &()).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
}

#[test]
fn a_field_whose_distribution_changes_needs_no_training() {
    let schema = graph(24, Similarity::Euclidean);
    let before = uniform(1_200, 24, -1.0, 1.0, 1);
    let after = uniform(1_200, 24, 2.0, 9.0, 2);
    let queries = [uniform(50, 24, -1.0, 1.0, 3), uniform(50, 24, 2.0, 9.0, 4)].concat();
    // A first life of one distribution alone, merged, then the other one.
    let (index, writer) = segments(&schema, &[&before[..600], &before[600..]]);
    assert_eq!(outcomes(&merge(&writer)), ["kept"; 2]);
    for (at, part) in after.chunks(300).enumerate() {
        add(&writer, 1_200 + 300 * at, part);
        writer.refresh().unwrap();
    }
    let between = recall(&index.searcher().unwrap(), &queries);
    let record = merge(&writer);
    assert!(outcomes(&record).iter().any(|&outcome| outcome != "kept"), "{record:#}");
    let merged = recall(&index.searcher().unwrap(), &queries);
    let fresh = fresh_recall(&schema, &[before, after].concat(), &queries);
    assert!(between >= 0.9 && merged >= fresh - 0.01, "between {between}, merged {merged}, fresh {fresh}");
}

#[test]
fn new_segments_take_the_new_format_and_a_force_merge_rewrites_the_old() {
    let vector = || Vector::f32(8).similarity(Similarity::Euclidean).advanced("graph_threshold", 0);
    let (index, writer) = segments(&one_field(vector().m(4)), &[&uniform(200, 8, -1.0, 1.0, 1)]);
    let said = |index: &Index| {
        let facts = inspect(&index.searcher().unwrap()).unwrap();
        let of = |segment: &Report| {
            let field = &segment["fields"]["v"];
            let number = |name| find(field, name).and_then(Report::as_u64);
            (field["format"].as_str().unwrap().to_owned(), number("m"), number("beam_width"))
        };
        facts["segments"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let old = ("hnsw_sq8".to_owned(), Some(4), Some(100));
    assert_eq!(said(&index), std::slice::from_ref(&old));
    let steps = [
        (vector().m(24).beam_width(50), ("hnsw_sq8".to_owned(), Some(24), Some(50))),
        (vector().m(24).quantization(Quantization::None), ("hnsw_f32".to_owned(), Some(24), Some(100))),
        (vector().m(4), old.clone()),
    ];
    let mut now = old;
    for (step, (wanted, expected)) in (1..).zip(steps) {
        writer.set_schema(&one_field(wanted)).unwrap();
        add(&writer, 1_000 * step, &uniform(150, 8, -1.0, 1.0, step as u64));
        writer.commit().unwrap();
        assert_eq!(said(&index), [now, expected.clone()]);
        merge(&writer);
        assert_eq!(said(&index), std::slice::from_ref(&expected));
        now = expected;
        let docs = 200 + 150 * step as u64;
        assert_eq!(index.searcher().unwrap().len(), docs);
    }
    assert_eq!(now.0, "hnsw_sq8");
}

#[test]
fn a_file_of_an_unknown_format_version_is_named_with_its_version() {
    let directory = MemoryDirectory::new();
    let index = IndexBuilder::new().create(Arc::new(directory.clone()), graph(4, Similarity::Euclidean));
    let writer = index.unwrap().writer_with(options()).unwrap();
    add(&writer, 0, &uniform(50, 4, -1.0, 1.0, 1));
    writer.commit().unwrap();
    writer.delete("d00003").unwrap();
    writer.close().unwrap();
    let all = files::contents(&directory);
    assert!(all.len() >= 8, "{:?}", all.keys());
    for (name, bytes) in &all {
        let version = |bytes: &[u8]| u32::from_le_bytes(bytes[4..8].try_into().unwrap());
        for wrong in [0, version(bytes) + 7] {
            let mut changed = bytes.clone();
            changed[4..8].copy_from_slice(&wrong.to_le_bytes());
            reseal(name, &mut changed);
            directory.put(name, changed);
            let error = IndexBuilder::new().open(Arc::new(directory.clone())).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Incompatible, "{name}: {error}");
            let Error::Codec(CodecError::UnsupportedVersion { file, found, oldest, newest, .. }) = &error
            else {
                panic!("{name}: {error:?}")
            };
            assert_eq!((file, *found), (name, wrong));
            assert!((*oldest..=*newest).contains(&version(bytes)));
            let told = error.to_string();
            assert!(told.contains(&format!("version {wrong}")) && told.contains(&**name), "{told}");
        }
        directory.put(name, bytes.as_slice());
    }
    assert_eq!(reopen(&directory).searcher().unwrap().len(), 49);
}

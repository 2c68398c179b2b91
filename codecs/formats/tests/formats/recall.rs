//! Recall that is asked for: reached on data of several shapes, and curves that are damaged.

use crate::common::{Segment, bytes, field, format, merge, search};
use lucerne_codec::format::OpenContext;
use lucerne_codec::testing::random_rows;
use lucerne_codec::vector::{Effort, VectorReader};
use lucerne_codec::{Error, SegmentId, Similarity};

/// So many rows of a seed.
type Rows = fn(usize, u64) -> Vec<Vec<f32>>;
/// What is done to metadata.
type Damage = fn(&mut serde_json::Value);

/// Rows around a few centers, at distances that differ by shape.
fn clusters(count: usize, dimension: usize, spread: f32, seed: u64) -> Vec<Vec<f32>> {
    around(40, count, dimension, spread, seed)
}

/// The effort for a recall in a segment that is searched by itself.
fn alone(recall: f32) -> Effort {
    Effort::Recall { recall, scale: 1.0, margin: 1.0, share: 1.0 }
}

fn around(centers: usize, count: usize, dimension: usize, spread: f32, seed: u64) -> Vec<Vec<f32>> {
    let centers = random_rows(centers, dimension, 999);
    let rows = random_rows(count, dimension, seed);
    let near = |(number, row): (usize, Vec<f32>)| {
        let center = &centers[number * 7 % centers.len()];
        row.iter().zip(center).map(|(row, center)| center + spread * row).collect()
    };
    rows.into_iter().enumerate().map(near).collect()
}

/// Rows of few directions, with a little noise.
fn flat(count: usize, dimension: usize, seed: u64) -> Vec<Vec<f32>> {
    let axes = random_rows(6, dimension, 998);
    let (weights, noise) = (random_rows(count, 6, seed), random_rows(count, dimension, seed + 1));
    let mix = |(weights, noise): (&Vec<f32>, &Vec<f32>)| {
        let part = |at: usize| weights.iter().zip(&axes).map(|(weight, axis)| weight * axis[at]).sum::<f32>();
        (0..dimension).map(|at| part(at) + 0.02 * noise[at]).collect()
    };
    weights.iter().zip(&noise).map(mix).collect()
}

fn reached(reader: &dyn VectorReader, queries: &[Vec<f32>], k: usize, recall: f32, docs: u32) -> f64 {
    let mut sum = 0.0;
    for query in queries {
        let exact = search(reader, query, k, Effort::Exact, docs);
        let mut hits = search(reader, query, k, alone(recall), docs);
        reader.rescore(&bytes(query), &mut hits).unwrap();
        let last = exact.last().unwrap().distance;
        sum += hits.iter().filter(|hit| hit.distance <= last).count() as f64 / exact.len() as f64;
    }
    sum / queries.len() as f64
}

#[test]
fn a_recall_that_is_asked_for_is_reached_on_data_of_every_shape() {
    let shapes: [(&str, usize, Rows); 4] = [
        ("uniform", 12, |count, seed| random_rows(count, 12, seed)),
        ("clusters", 24, |count, seed| clusters(count, 24, 0.2, seed)),
        ("tight clusters", 24, |count, seed| clusters(count, 24, 0.02, seed)),
        ("flat", 48, |count, seed| flat(count, 48, seed)),
    ];
    for (shape, dimension, rows) in shapes {
        let queries = rows(150, 77);
        for name in ["hnsw_sq8", "hnsw_f32", "hnsw_hash", "flat_hash"] {
            let field = field(dimension, Similarity::Euclidean, "{}");
            let flushed = Segment::flush(format(name), &field, &rows(6_000, 1));
            let other = Segment::flush(format(name), &field, &rows(5_000, 3));
            let (merged, ..) = merge(format(name), &field, &[&flushed, &other]);
            for (what, segment) in [("flushed", &flushed), ("merged", &merged)] {
                let reader = segment.open();
                assert!(reader.inspect()["recall"][0]["points"].is_array(), "{shape}, {name}, {what}");
                for asked in [0.9, 0.95] {
                    let found = reached(&*reader, &queries, 10, asked, segment.docs);
                    assert!(
                        found >= f64::from(asked) - 0.02,
                        "{shape}, {name}, {what}: asked {asked}, found {found:.3}, {:?} {}",
                        reader.candidates(10, alone(asked)),
                        reader.inspect()["recall"]
                    );
                }
                for k in [1, 40, 100] {
                    let found = reached(&*reader, &queries[..50], k, 0.9, segment.docs);
                    assert!(found >= 0.87, "{shape}, {name}, {what}: k {k}, found {found:.3}");
                }
                assert_eq!(reached(&*reader, &queries[..5], 10, 1.0, segment.docs), 1.0);
            }
        }
    }
}

#[test]
fn more_recall_never_keeps_fewer_candidates() {
    let field = field(24, Similarity::Cosine, "{}");
    let segment = Segment::flush(format("hnsw_f32"), &field, &clusters(6_000, 24, 0.3, 5));
    let reader = segment.open();
    let candidates = |recall, k| reader.candidates(k, alone(recall)).unwrap();
    for k in [1, 10, 30, 100, 400] {
        let kept: Vec<usize> =
            [0.3, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999].map(|recall| candidates(recall, k)).to_vec();
        assert!(kept.is_sorted(), "k {k}: {kept:?}");
        assert!(kept[0] >= k, "k {k}: {kept:?}");
    }
    assert_eq!(reader.candidates(10, alone(1.0)), None, "exact");
    let doubled =
        reader.candidates(10, Effort::Recall { recall: 0.98, scale: 2.0, margin: 1.0, share: 1.0 }).unwrap();
    assert!(doubled >= 2 * candidates(0.98, 10) - 1);
}

#[test]
fn beside_other_segments_a_recall_takes_no_more_candidates() {
    let field = field(24, Similarity::Cosine, "{}");
    let segment = Segment::flush(format("hnsw_f32"), &field, &clusters(6_000, 24, 0.3, 5));
    let reader = segment.open();
    for recall in [0.8, 0.9, 0.95, 0.98] {
        let kept = [(1.0f32, 1.0), (0.5, 0.25), (0.25, 0.0625), (0.0, 1e-6)].map(|(margin, share)| {
            reader.candidates(10, Effort::Recall { recall, scale: 1.0, margin, share }).unwrap()
        });
        assert!(kept.is_sorted_by(|more, fewer| more >= fewer), "{recall}: {kept:?}");
    }
}

/// In each segment a cluster has about as many vectors as are searched for, in all together ten times as many: codes tell the ten
/// nearest of a segment from the others, and not those of all.
#[test]
fn segments_find_together_what_is_asked_for_where_clusters_are_tight() {
    const SEGMENTS: usize = 8;
    const DOCS: usize = 4_300;
    let field = field(20, Similarity::Euclidean, "{}");
    let rows = around(300, SEGMENTS * DOCS, 20, 0.05, 1);
    let segments: Vec<Segment> =
        rows.chunks(DOCS).map(|rows| Segment::flush(format("hnsw_sq8"), &field, rows)).collect();
    let readers: Vec<_> = segments.iter().map(Segment::open).collect();
    let share = 1.0 / SEGMENTS as f32;
    let (mut found, queries) = (0, around(300, 300, 20, 0.05, 77));
    for query in &queries {
        // The best of all segments by a search, each with its true distance.
        let best = |effort: Effort| {
            let mut best: Vec<(f32, f32)> = Vec::new();
            for reader in &readers {
                let hits = search(&**reader, query, 10, effort, DOCS as u32);
                let mut exact = hits.clone();
                reader.rescore(&bytes(query), &mut exact).unwrap();
                best.extend(hits.iter().zip(&exact).map(|(hit, exact)| (hit.distance, exact.distance)));
            }
            best.sort_by(|left, right| left.0.total_cmp(&right.0));
            best.truncate(10);
            best
        };
        let last = best(Effort::Exact).last().unwrap().1;
        let hits = best(Effort::Recall { recall: 0.95, scale: 1.0, margin: share.sqrt(), share });
        found += hits.iter().filter(|(_, distance)| *distance <= last).count();
    }
    let recall = found as f64 / 10.0 / queries.len() as f64;
    assert!(recall >= 0.95, "found {recall:.3}, {}", readers[0].inspect()["recall"]);
}

#[test]
fn a_damaged_curve_is_refused() {
    let field = field(16, Similarity::Cosine, "{}");
    let segment = Segment::flush(format("hnsw_sq8"), &field, &random_rows(4_500, 16, 1));
    let first = |meta: &mut serde_json::Value| meta["recall"][0]["points"].as_array().unwrap().len();
    let damages: [(&str, Damage); 10] = [
        ("recall above 1", |meta| meta["recall"][0]["points"][0]["recall"] = 1.5.into()),
        ("negative recall", |meta| meta["recall"][0]["points"][0]["recall"] = (-0.5).into()),
        ("no candidates", |meta| meta["recall"][0]["points"][0]["candidates"] = 0.into()),
        ("falling", |meta| meta["recall"][0]["points"][0]["candidates"] = 99_999.into()),
        ("no points", |meta| meta["recall"][0]["points"] = serde_json::json!([])),
        ("k of zero", |meta| meta["recall"][0]["k"] = 0.into()),
        ("k not ascending", |meta| meta["recall"][0]["k"] = 500.into()),
        ("a mean below it", |meta| meta["recall"][0]["points"][0]["mean"] = 0.0.into()),
        ("a loss above 1", |meta| meta["recall"][0]["lost"] = 1.5.into()),
        ("another name", |meta| meta["recall"][0]["more"] = 1.into()),
    ];
    for (what, damage) in damages {
        let mut meta = segment.written.meta.clone();
        assert!(first(&mut meta) > 0);
        damage(&mut meta);
        let context = OpenContext {
            directory: &segment.directory,
            segment_id: SegmentId([5; 16]),
            max_doc: segment.docs,
            files: &segment.written.files,
            meta: &meta,
        };
        let error = segment.format.open(&context, &field).err();
        assert!(matches!(error, Some(Error::Corrupt { .. })), "{what}: {error:?}");
    }
}

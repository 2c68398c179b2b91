//! Filters: as many hits as there may be, the right ones, by a way that fits.

use crate::common::{Segment, bytes, field, format, search_accepted};
use lucerne_codec::testing::random_rows;
use lucerne_codec::vector::{Effort, VectorHits, VectorReader};
use lucerne_codec::{Accept, BitSet, DocId, Similarity};
use std::collections::BTreeSet;

const DOCS: u32 = 12_000;
const DIMENSION: usize = 12;

fn search(reader: &dyn VectorReader, query: &[f32], k: usize, effort: Effort, set: &BitSet) -> VectorHits {
    let hits = search_accepted(reader, query, k, effort, Accept::only(set)).unwrap();
    assert!(hits.neighbors.iter().all(|hit| set.contains(hit.doc)));
    hits
}

fn distance(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// Documents in the order of their distance to a place, or of a hash.
fn order(rows: &[Vec<f32>], place: Option<&[f32]>) -> Vec<DocId> {
    let key = |doc: DocId| match place {
        Some(place) => distance(&rows[doc as usize], place),
        None => (doc.wrapping_mul(0x9E37_79B1) >> 8) as f32,
    };
    let mut order: Vec<DocId> = (0..DOCS).collect();
    order.sort_by(|left, right| key(*left).total_cmp(&key(*right)));
    order
}

#[test]
fn every_filter_gets_as_many_hits_as_match_and_nearly_all_right_ones() {
    let rows = random_rows(DOCS as usize, DIMENSION, 1);
    let mut ways = BTreeSet::new();
    for name in ["hnsw_sq8", "hnsw_f32"] {
        let segment = Segment::flush(format(name), &field(DIMENSION, Similarity::Euclidean, "{}"), &rows);
        let reader = segment.open();
        let queries = random_rows(12, DIMENSION, 2);
        let opposite = |query: &[f32]| query.iter().map(|x| -2.0 * x).collect::<Vec<_>>();
        for kept in [0, 1, 9, 10, 120, 600, 2_000, 4_000, 8_000, 11_999] {
            for lie in ["anywhere", "near", "far"] {
                let (mut right, mut wanted) = (0, 0);
                for query in &queries {
                    let order = match lie {
                        "near" => order(&rows, Some(query)),
                        "far" => order(&rows, Some(&opposite(query))),
                        _ => order(&rows, None),
                    };
                    let mut set = BitSet::empty(DOCS);
                    order[..kept].iter().for_each(|doc| {
                        set.insert(*doc);
                    });
                    let exact = search(&*reader, query, 10, Effort::Exact, &set).neighbors;
                    assert_eq!(exact.len(), kept.min(10));
                    for candidates in [10, 40] {
                        let effort = Effort::Candidates(candidates);
                        let hits = search(&*reader, query, 10, effort, &set);
                        assert_eq!(hits.neighbors.len(), exact.len(), "{name}, {kept} {lie}");
                        ways.insert(hits.strategy);
                    }
                    // Codes of twelve components are imprecise: more candidates are rescored.
                    let mut hits = search(&*reader, query, 20, Effort::Candidates(40), &set).neighbors;
                    reader.rescore(&bytes(query), &mut hits).unwrap();
                    hits.sort_by(|left, right| left.distance.total_cmp(&right.distance));
                    hits.truncate(10);
                    wanted += exact.len();
                    right += hits.iter().filter(|hit| exact.iter().any(|exact| exact.doc == hit.doc)).count();
                }
                assert!(right * 100 >= wanted * 90, "{name}, {kept} {lie}: {right} of {wanted}");
            }
        }
    }
    assert_eq!(
        ways.into_iter().collect::<Vec<_>>(),
        ["graph", "graph filtered", "none", "scan codes", "scan raw"]
    );
}

#[test]
fn documents_without_a_vector_do_not_use_up_places() {
    // Only the documents of the last eighth have vectors, and the filter keeps half of all documents.
    let format = format("hnsw_sq8");
    let field = field(DIMENSION, Similarity::Euclidean, r#"{"advanced": {"graph_threshold": 0}}"#);
    let rows = random_rows(4_000, DIMENSION, 1);
    let bench = lucerne_codec::testing::Bench::new();
    let docs: Vec<DocId> = (28_000..32_000).collect();
    let bytes_of_rows: Vec<u8> = rows.iter().flat_map(|row| bytes(row)).collect();
    let vectors = lucerne_codec::vector::VectorRows { rows: &bytes_of_rows, docs: &docs };
    let written = format.write(&bench.write(32_000), &field, vectors, None).unwrap();
    let reader = format.open(&bench.open(32_000, &written), &field).unwrap();
    for kept in [0..16_000, 28_000..28_005, 16_000..32_000, 20_000..28_100] {
        let mut set = BitSet::empty(32_000);
        kept.clone().for_each(|doc| {
            set.insert(doc);
        });
        let matching = docs.iter().filter(|doc| kept.contains(doc)).count();
        for query in random_rows(5, DIMENSION, 3) {
            let hits = search(&*reader, &query, 10, Effort::Candidates(20), &set);
            assert_eq!(hits.neighbors.len(), matching.min(10));
        }
    }
}

//! Exact searches of many queries at once find what each finds by itself, to the bit.

use crate::common::{Segment, bytes, field, format};
use lucerne_codec::testing::random_rows;
use lucerne_codec::vector::{Effort, VectorReader, VectorSearch};
use lucerne_codec::{Accept, BitSet, Cancel, OnStop, Similarity};

/// Vectors of every kind of trouble, unlike each other in all but their number of components.
fn shapes(dimension: usize) -> Vec<(&'static str, Vec<Vec<f32>>)> {
    let rows = |seed| random_rows(500, dimension, seed);
    let each = |seed, change: &dyn Fn(usize, usize, f32) -> f32| -> Vec<Vec<f32>> {
        let changed = rows(seed).into_iter().enumerate().map(|(row, vector)| {
            vector.into_iter().enumerate().map(|(at, value)| change(row, at, value)).collect()
        });
        changed.collect()
    };
    vec![
        ("any", rows(1)),
        ("far from zero", each(2, &|_, _, value| value + 10_000.0)),
        ("a few values", each(3, &|row, at, _| ((row + at) % 3) as f32)),
        ("copies", each(4, &|row, at, _| (row % 7 * at) as f32 / 7.0 + 0.1)),
        ("outliers", each(5, &|row, _, value| if row % 50 == 3 { value * 1e6 } else { value })),
        ("zeros among them", each(6, &|row, _, value| if row % 9 == 0 { 0.0 } else { value })),
        ("tiny", each(7, &|_, _, value| value * 1e-22)),
        ("huge and tiny", each(8, &|row, _, value| value * [1e-30, 1.0, 1e25, 3e37][row % 4])),
        ("nearly equal", each(9, &|row, at, _| 1.0 + (row * at % 11) as f32 * 1e-7)),
    ]
}

fn request<'a>(query: &'a [u8], k: usize, accept: Accept<'a>, cancel: &'a Cancel) -> VectorSearch<'a> {
    let ties = &|left: u32, right: u32| left.cmp(&right);
    VectorSearch { query, k, effort: Effort::Exact, accept, ties, cancel, on_stop: OnStop::Fail }
}

fn agree(reader: &dyn VectorReader, queries: &[Vec<f32>], k: usize, accept: Accept<'_>, what: &str) -> bool {
    let cancel = Cancel::new();
    let queries: Vec<Vec<u8>> = queries.iter().map(|query| bytes(query)).collect();
    let all: Vec<&[u8]> = queries.iter().map(Vec::as_slice).collect();
    let Some(together) = reader.search_together(&all, &request(&[], k, accept, &cancel)).unwrap() else {
        return false;
    };
    assert_eq!(together.len(), queries.len());
    for (number, (hits, query)) in together.iter().zip(&all).enumerate() {
        let alone = reader.search(&request(query, k, accept, &cancel)).unwrap();
        assert_eq!(*hits, alone, "{what}, query {number}, k {k}");
    }
    true
}

#[test]
fn searches_together_find_what_each_finds_alone() {
    for dimension in [1, 3, 40, 130] {
        for (shape, rows) in shapes(dimension) {
            for similarity in Similarity::FLOAT {
                let mut rows = rows.clone();
                if similarity == Similarity::DotProduct {
                    for row in &mut rows {
                        let length = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
                        row.iter_mut().for_each(|x| {
                            *x = if length > 0.0 { (f64::from(*x) / length) as f32 } else { 0.0 }
                        });
                    }
                    rows.retain(|row| row.iter().any(|x| *x != 0.0));
                }
                let segment = Segment::flush(format("flat_f32"), &field(dimension, similarity, "{}"), &rows);
                let reader = segment.open();
                // Some are stored, others are between two of them.
                let between = |pair: &[Vec<f32>]| -> Vec<f32> {
                    pair[0].iter().zip(&pair[1]).map(|(x, y)| x / 2.0 + y / 2.0).collect()
                };
                let queries: Vec<Vec<f32>> = rows
                    .iter()
                    .step_by(11)
                    .cloned()
                    .chain(rows.windows(2).step_by(13).map(between))
                    .collect();
                let what = format!("{shape}, {similarity}, {dimension}");
                let max_doc = rows.len() as u32;
                let mut most = BitSet::empty(max_doc);
                (0..max_doc).filter(|doc| doc % 10 != 4).for_each(|doc| {
                    most.insert(doc);
                });
                for (k, accept) in
                    [(1, Accept::all(max_doc)), (10, Accept::only(&most)), (700, Accept::all(max_doc))]
                {
                    let done = agree(&*reader, &queries, k, accept, &what);
                    // Alone are searches with queries whose squares do not fit.
                    let square = |query: &Vec<f32>| query.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
                    let least = if similarity == Similarity::Cosine { 1e-29 } else { 0.0 };
                    let fits = queries.iter().map(square).all(|square| (least..1e36).contains(&square));
                    assert!(done || !fits, "{what}");
                }
            }
        }
    }
}

#[test]
fn only_searches_that_compare_all_raw_vectors_are_made_together() {
    let rows = random_rows(600, 64, 1);
    let queries = random_rows(40, 64, 2);
    let of = |name: &str| Segment::flush(format(name), &field(64, Similarity::Cosine, "{}"), &rows);
    let all = Accept::all(600);
    for (name, expected) in [("flat_f32", true), ("hnsw_f32", true), ("hnsw_sq8", true)] {
        assert_eq!(agree(&*of(name).open(), &queries, 10, all, name), expected, "{name}");
    }
    let mut few = BitSet::empty(600);
    (0..30).for_each(|doc| {
        few.insert(doc);
    });
    assert!(!agree(&*of("flat_f32").open(), &queries, 10, Accept::only(&few), "few accepted"));
    let copies = vec![vec![0.5; 4]; 20_000];
    let segment = Segment::flush(format("flat_f32"), &field(4, Similarity::Euclidean, "{}"), &copies);
    assert!(!agree(&*segment.open(), &copies[..40], 10, Accept::all(20_000), "too many as near"));
    let reader = of("hnsw_sq8").open();
    let cancel = Cancel::new();
    let (query, approximate) = (bytes(&queries[0]), Effort::Candidates(50));
    let search = VectorSearch { effort: approximate, ..request(&[], 10, all, &cancel) };
    assert!(reader.search_together(&[&query], &search).unwrap().is_none());
    assert!(reader.search_together(&[&[0; 12]], &request(&[], 10, all, &cancel)).is_err(), "a short query");
    cancel.cancel();
    assert!(reader.search_together(&[&query], &request(&[], 10, all, &cancel)).unwrap().is_none());
}

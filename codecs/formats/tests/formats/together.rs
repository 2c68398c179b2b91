//! Exact searches of many queries at once find what each finds by itself, to the bit.

use crate::common::{Segment, bytes, field, format, merge};
use lucerne_codec::envelope::HEADER_LEN;
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
fn exact_searches_are_made_together_where_all_raw_vectors_are_compared() {
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
    let query = bytes(&queries[0]);
    assert!(reader.search_together(&[&[0; 12]], &request(&[], 10, all, &cancel)).is_err(), "a short query");
    cancel.cancel();
    assert!(reader.search_together(&[&query], &request(&[], 10, all, &cancel)).unwrap().is_none());
}

#[test]
fn searches_of_codes_behind_a_filter_find_together_what_each_finds_alone() {
    let cancel = Cancel::new();
    let queries: Vec<Vec<u8>> = random_rows(70, 64, 2).iter().map(|query| bytes(query)).collect();
    let queries: Vec<&[u8]> = queries.iter().map(Vec::as_slice).collect();
    let (mut made_together, mut with_short_codes) = (0, 0);
    for (shape, mut rows) in shapes(64) {
        rows.extend(random_rows(3_000, 64, 10));
        let graph = r#"{"m": 4, "beam_width": 16, "advanced": {"graph_threshold": 0}}"#;
        let segment = Segment::flush(format("hnsw_sq8"), &field(64, Similarity::Euclidean, graph), &rows);
        with_short_codes += usize::from(segment.has_file(".sq4"));
        let reader = segment.open();
        let max_doc = rows.len() as u32;
        for step in [1, 3, 9, 400] {
            let mut some = BitSet::empty(max_doc);
            (0..max_doc).step_by(step).for_each(|doc| _ = some.insert(doc));
            let recall = Effort::Recall { recall: 0.95, scale: 1.0, margin: 1.0, share: 1.0 };
            for (k, effort) in [(10, Effort::Candidates(10)), (7, recall), (40, Effort::Candidates(90))] {
                let ties = &|left: u32, right: u32| right.cmp(&left);
                let of =
                    |query| VectorSearch { effort, ties, ..request(query, k, Accept::only(&some), &cancel) };
                let together = reader.search_together(&queries, &of(&[])).unwrap();
                made_together += usize::from(together.is_some());
                for (query, hits) in queries.iter().zip(together.into_iter().flatten()) {
                    assert_eq!(hits, reader.search(&of(query)).unwrap(), "{shape}, every {step}th, {k}");
                }
            }
        }
    }
    assert!(made_together > 20 && with_short_codes > 4, "{made_together} {with_short_codes}");
}

#[test]
fn damaged_numbers_of_quantizer_versions_change_searches_together_as_they_do_each_alone() {
    let cancel = Cancel::new();
    let field = field(64, Similarity::Euclidean, r#"{"advanced": {"graph_threshold": 0}}"#);
    let scaled = |seed, scale: f32| -> Vec<Vec<f32>> {
        let rows = random_rows(1_000, 64, seed).into_iter();
        rows.map(|row| row.into_iter().map(|value| value * scale).collect()).collect()
    };
    let parts_rows = [(1, 1.0), (2, 1.001)].map(|(seed, scale)| scaled(seed, scale));
    let parts = parts_rows.each_ref().map(|rows| Segment::flush(format("hnsw_sq8"), &field, rows));
    let (segment, ..) = merge(format("hnsw_sq8"), &field, &[&parts[0], &parts[1]]);
    assert!(segment.has_file(".sq4"));
    let name = segment.file(".sq8");
    let mut damaged = segment.directory.get(&name).unwrap().to_vec();
    // Behind codes and corrections of twelve bytes.
    let versions = HEADER_LEN as usize + 2_000 * (64 + 12);
    let versions = &mut damaged[versions..versions + 2_000];
    assert!(versions.iter().all(|version| *version < 4) && versions.iter().any(|version| *version > 0));
    versions.iter_mut().step_by(3).for_each(|version| *version = 200);
    segment.directory.put(&name, damaged);
    let reader = segment.open();
    // Estimates without the product are about the mean distance: what is accepted is farther.
    let query = &parts_rows[0][0];
    let distance = |row: &Vec<f32>| row.iter().zip(query).map(|(x, y)| (x - y).powi(2)).sum::<f32>();
    let mut far: Vec<(f32, u32)> = parts_rows.iter().flatten().map(distance).zip(0..).collect();
    far.sort_unstable_by(|left, right| right.0.total_cmp(&left.0));
    let mut some = BitSet::empty(2_000);
    far.iter().take(1_000).for_each(|(_, doc)| _ = some.insert(*doc));
    let near = random_rows(40, 64, 3).into_iter();
    let near = near.map(|row| row.iter().zip(query).map(|(x, y)| x * 0.01 + y).collect::<Vec<f32>>());
    let queries: Vec<Vec<u8>> = near.map(|query| bytes(&query)).collect();
    let queries: Vec<&[u8]> = queries.iter().map(Vec::as_slice).collect();
    let of = |query| VectorSearch {
        effort: Effort::Candidates(200),
        ..request(query, 20, Accept::only(&some), &cancel)
    };
    let together = reader.search_together(&queries, &of(&[])).unwrap().unwrap();
    for (query, hits) in queries.iter().zip(together) {
        assert_eq!(hits, reader.search(&of(query)).unwrap());
    }
}

/// Rows of bits, each like one of a few: many are as near as others.
fn bit_rows(count: usize, bytes: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut state = seed;
    let mut next = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    let centers: Vec<Vec<u8>> = (0..9).map(|_| (0..bytes).map(|_| next() as u8).collect()).collect();
    let mut row = || -> Vec<u8> {
        let mut row = centers[next() % 9].clone();
        (0..next() % 4).for_each(|_| row[next() % bytes] ^= 1 << (next() % 8));
        row
    };
    (0..count).map(|_| row()).collect()
}

#[test]
fn binary_searches_together_find_what_each_finds_alone() {
    for bytes in [1, 8, 13, 128] {
        let (rows, queries) = (bit_rows(1_500, bytes, 1), bit_rows(45, bytes, 2));
        for name in ["bin_flat", "bin_ivf"] {
            let field = field(8 * bytes, Similarity::Hamming, "{}");
            let segment = Segment::flush_bytes(format(name), &field, &rows, None);
            binary_agree(&*segment.open(), &queries, name);
        }
    }
    let rows = bit_rows(1_500, 8, 1);
    let (cancel, all) = (Cancel::new(), Accept::all(1_500));
    let of = |name, similarity| Segment::flush_bytes(format(name), &field(64, similarity, "{}"), &rows, None);
    for (name, similarity) in [("bin_ivf", Similarity::Jaccard), ("bin_flat", Similarity::Jaccard)] {
        let reader = of(name, similarity).open();
        assert!(reader.search_together(&[&[0; 8]], &request(&[], 10, all, &cancel)).unwrap().is_none());
    }
    let reader = of("bin_ivf", Similarity::Hamming).open();
    cancel.cancel();
    for effort in [Effort::Exact, Effort::Lists { probes: 3, candidates: 10 }] {
        let search = VectorSearch { effort, ..request(&[], 10, all, &cancel) };
        assert!(reader.search_together(&[&[0; 8]], &search).unwrap().is_none());
    }
}

fn binary_agree(reader: &dyn VectorReader, queries: &[Vec<u8>], name: &str) {
    let cancel = Cancel::new();
    let queries: Vec<&[u8]> = queries.iter().map(Vec::as_slice).collect();
    let mut most = BitSet::empty(1_500);
    (0..1_500).filter(|doc| doc % 10 != 4).for_each(|doc| {
        most.insert(doc);
    });
    let lists = |probes| Effort::Lists { probes, candidates: 10 };
    for effort in [Effort::Exact, Effort::Candidates(3), lists(1), lists(7), lists(100), lists(100_000)] {
        for (k, accept) in [(1, Accept::all(1_500)), (10, Accept::only(&most)), (300, Accept::all(1_500))] {
            let ties = &|left: u32, right: u32| right.cmp(&left);
            let together = reader.search_together(
                &queries,
                &VectorSearch { effort, ties, ..request(&[], k, accept, &cancel) },
            );
            let Some(together) = together.unwrap() else {
                assert!(name == "bin_ivf" && accept.docs().is_some(), "{name}, {effort:?}, {k}");
                continue;
            };
            for (query, hits) in queries.iter().zip(together) {
                let search = VectorSearch { effort, ties, ..request(query, k, accept, &cancel) };
                assert_eq!(hits, reader.search(&search).unwrap(), "{name}, {effort:?}, {k}");
            }
        }
    }
}

//! Nearest neighbors of one vector, exact and approximate, for every metric and format.

use crate::common::documents::{
    FORMATS, Vectors, add_all, document, in_memory, normalized, one_field, random, reopen, rows,
    small_segments, vectors_of,
};
use crate::common::rng::Rng;
use crate::common::{brute_force, files, sample};
use lucerne::admin::inspect;
use lucerne::codec::Cancel;
use lucerne::directory::RamDirectory;
use lucerne::error::ValueProblem;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::schema::{Quantization, VectorIndex};
use lucerne::{
    Document, Error, ErrorKind, Index, Knn, Schema, Searcher, Similarity, Terms, Vector, WriterOptions,
};
use std::collections::BTreeMap;
use std::sync::Arc;

fn keys(searcher: &Searcher, query: &Knn) -> Vec<String> {
    searcher.search(query).unwrap().keys().into_iter().map(str::to_owned).collect()
}

#[test]
fn the_two_documents_of_the_worked_example_come_back_in_order() {
    let lines = r#"{"id":"1","vector":[1.0,2.5,3.7,4.1]}
{"id":"2","vector":[1.5,5.5,6.7,65.1]}"#;
    for (similarity, expected) in [("cosine", [0.995_464, 0.814_323]), ("euclidean", [0.75, 3_759.4])] {
        let schema = format!(
            r#"{{"key": "id", "fields": [{{"name": "vector", "type": "vector", "dimension": 4,
                 "similarity": "{similarity}", "m": 10, "beam_width": 40}}]}}"#
        );
        let (directory, index) = in_memory(Schema::from_json(&schema).unwrap());
        let writer = index.writer().unwrap();
        for line in lines.lines() {
            writer.add(&Document::from_json(line).unwrap()).unwrap();
        }
        writer.close().unwrap();
        let searcher = reopen(&directory).searcher().unwrap();
        let query = Knn::new("vector", [1.0, 2.0, 3.0, 4.0]).k(10);
        assert_eq!(keys(&searcher, &query), ["1", "2"]);
        for query in [query.clone().exact(), query.rescore(2.0)] {
            let hits = searcher.search(&query).unwrap();
            assert_eq!(hits.keys(), ["1", "2"]);
            for (hit, expected) in hits.hits.iter().zip(expected) {
                let (shown, digits) = match similarity {
                    "cosine" => (1.0 - hit.distance.unwrap(), 5e-7),
                    _ => (hit.distance.unwrap(), 1e-3),
                };
                assert!(
                    (f64::from(shown) - expected).abs() < digits,
                    "{similarity}: {shown}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn results_after_each_flush_equal_brute_force() {
    for similarity in Similarity::FLOAT {
        for (index_kind, quantization) in FORMATS {
            let vector = Vector::f32(8).similarity(similarity).index(index_kind).quantization(quantization);
            let (_, index) = in_memory(one_field(vector));
            let writer = index.writer_with(small_segments(1)).unwrap();
            let all = random(25, 8, 20);
            let mut added = Vectors::new();
            for (key, vector) in &all {
                writer.add(&document(key, vector.clone())).unwrap();
                writer.refresh().unwrap();
                added.insert(key.clone(), vector.clone());
                let searcher = index.searcher().unwrap();
                let query = normalized(&Rng::new(added.len() as u64).vector(8));
                for k in [1, added.len().div_ceil(2), added.len()] {
                    let knn = Knn::new("v", query.clone()).k(k);
                    let everything = added.len() as f32 / k as f32;
                    for knn in [knn.clone().exact(), knn.clone().rescore(everything)] {
                        let hits = searcher.search(&knn).unwrap();
                        brute_force::assert_exact(&hits, similarity, &query, rows(&added), k);
                    }
                    let hits = searcher.search(&knn).unwrap();
                    if quantization == Quantization::None {
                        brute_force::assert_exact(&hits, similarity, &query, rows(&added), k);
                    }
                    assert_eq!(hits.hits.len(), k);
                }
            }
        }
    }
}

#[test]
fn flushing_at_a_memory_limit_changes_no_answer() {
    let (_, index) = in_memory(vectors_of(256, Similarity::Euclidean));
    let all = random(2_000, 256, 21);
    let options = WriterOptions::new().threads(1).ram_budget(1 << 20);
    let writer = index.writer_with(options).unwrap();
    for (key, vector) in &all {
        writer.add(&document(key, vector.clone())).unwrap();
    }
    writer.refresh().unwrap();
    let searcher = index.searcher().unwrap();
    assert!(searcher.segment_count() >= 2, "{} MB of vectors in 1 MiB", 2_000 * 1_024 / 1_000_000);
    let query = Rng::new(3).vector(256);
    for k in [1, 10, 2_000] {
        let hits = searcher.search(Knn::new("v", query.clone()).k(k).exact()).unwrap();
        brute_force::assert_exact(&hits, Similarity::Euclidean, &query, rows(&all), k);
    }
}

#[test]
fn a_search_without_rescoring_never_reads_raw_vectors() {
    let vector = Vector::f32(384).advanced("graph_threshold", 0);
    let (directory, index) = in_memory(one_field(vector));
    let embeddings = sample::read_f16_rows("packages.f16.npy");
    let writer = index.writer_with(small_segments(10_000)).unwrap();
    for (row, embedding) in embeddings.iter().enumerate() {
        writer.add(&document(format!("{row:04}"), embedding.clone())).unwrap();
    }
    writer.close().unwrap();
    let queries = sample::read_f16_rows("queries.f16.npy");
    let ask = |index: &Index, knn: &dyn Fn(Knn) -> Knn| {
        let searcher = index.searcher().unwrap();
        let search = |query: &Vec<f32>| searcher.search(knn(Knn::new("v", query.clone())));
        queries.iter().take(30).map(search).collect::<Vec<_>>()
    };
    let options: [&dyn Fn(Knn) -> Knn; 2] = [&|knn| knn.candidates(100), &|knn| knn.k(5).candidates(5)];
    let before = options.map(|option| ask(&reopen(&directory), option));
    let strategies = |hits: &lucerne::Hits| hits.segments.iter().map(|segment| segment.strategy).collect();
    let strategies: Vec<Vec<&str>> =
        before.iter().map(|hits| strategies(hits[0].as_ref().unwrap())).collect();
    assert!(strategies[1].contains(&"graph"), "{strategies:?}");
    let rescored = ask(&reopen(&directory), &|knn| knn.rescore(2.0));

    // Every byte of every raw vector becomes 0xFF: all components are NaN.
    let mut poisoned = 0;
    for (name, mut bytes) in
        files::contents(&directory).into_iter().filter(|(name, _)| name.ends_with(".vec"))
    {
        let body = 64..bytes.len() - 16;
        assert_eq!(body.len(), 4 * 384 * 2_400, "{name} holds the raw vectors and nothing else");
        bytes[body].fill(0xFF);
        files::replace(&directory, &name, &bytes);
        poisoned += 1;
    }
    assert_eq!(poisoned, 1);
    let index = reopen(&directory);
    for (option, before) in options.iter().zip(&before) {
        for (after, before) in ask(&index, option).iter().zip(before) {
            assert_eq!(after.as_ref().unwrap(), before.as_ref().unwrap());
        }
    }
    for (after, before) in ask(&index, &|knn| knn.rescore(2.0)).iter().zip(&rescored) {
        let same = after.as_ref().is_ok_and(|after| after.hits == before.as_ref().unwrap().hits);
        assert!(!same, "rescoring reads raw vectors");
    }
}

#[test]
fn degenerate_segments_have_ordered_finite_quantiles_and_answer() {
    let constant = |value: f32| vec![vec![value; 12]; 20];
    let mut outlier = constant(0.01);
    outlier[7] = [3e38, -3e38, 3e38, 0.0].repeat(3);
    let segments: [(&str, Vec<Vec<f32>>); 8] = [
        ("one vector", vec![[0.1, 0.2, 0.3, 0.4].repeat(3)]),
        ("one zero vector", vec![vec![0.0; 12]]),
        ("constant", constant(0.5)),
        ("zero", constant(0.0)),
        ("negative zero", constant(-0.0)),
        ("huge", constant(3.4e38)),
        ("subnormal", constant(1e-45)),
        ("outlier", outlier),
    ];
    for similarity in [Similarity::Euclidean, Similarity::Cosine, Similarity::MaxInnerProduct] {
        for (index_kind, quantization) in FORMATS {
            let vector = Vector::f32(12).similarity(similarity).index(index_kind).quantization(quantization);
            let vector = match index_kind {
                VectorIndex::Hnsw => vector.advanced("graph_threshold", 0),
                _ => vector,
            };
            let directory = RamDirectory::new();
            let index = IndexBuilder::new().create(Arc::new(directory.clone()), one_field(vector)).unwrap();
            let writer = index.writer().unwrap();
            for (name, vectors) in &segments {
                for (number, vector) in vectors.iter().enumerate() {
                    writer.add(&document(format!("{name} {number}"), vector.clone())).unwrap();
                }
                writer.refresh().unwrap();
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let error = writer.add(&document("bad", [0.5, bad, 0.5, 0.5].repeat(3))).unwrap_err();
                    let told = error.to_string();
                    assert!(told.contains(r#"field "v""#) && told.contains("at position 1"), "{told}");
                    assert_eq!(error.kind(), ErrorKind::Usage);
                }
            }
            writer.close().unwrap();
            let index = reopen(&directory);
            let searcher = index.searcher().unwrap();
            let total: usize = segments.iter().map(|(_, vectors)| vectors.len()).sum();
            assert_eq!(searcher.len(), total as u64);
            for segment in inspect(&searcher).unwrap()["segments"].as_array().unwrap() {
                let field = &segment["fields"]["v"];
                if quantization == Quantization::Int8 {
                    let quantile = |i: usize| field["quantiles"][i].as_f64().expect("a number") as f32;
                    let (lower, upper) = (quantile(0), quantile(1));
                    assert!(lower < upper && lower.is_finite() && upper.is_finite(), "{field}");
                }
            }
            for query in [[0.5, 0.5, 0.5, 0.5], [0.0; 4], [-3.4e38, 1e-45, 3.4e38, 1.0]] {
                let knn = || Knn::new("v", query.repeat(3));
                for knn in [knn(), knn().exact(), knn().rescore(1.0)] {
                    let hits = searcher.search(knn.k(total)).unwrap();
                    assert_eq!(hits.hits.len(), total);
                    assert!(hits.hits.iter().all(|hit| hit.score.is_finite() && hit.score >= 0.0));
                    assert!(hits.hits.iter().all(|hit| hit.distance.unwrap().is_finite()));
                }
            }
            let directory = Arc::new(directory);
            let report =
                lucerne::admin::check_in(IndexBuilder::new(), directory, &Cancel::new(), &()).unwrap();
            assert!(report.ok(), "{similarity}: {:?}", report.problems);
        }
    }
}

#[test]
fn knn_returns_k_hits_in_distance_order_with_ties_by_key() {
    // Each vector three times, in another order than the keys'.
    let mut all = Vectors::new();
    for (i, vector) in random(20, 6, 40).into_values().enumerate() {
        for (copy, letter) in ["c", "a", "b"].into_iter().enumerate() {
            all.insert(format!("{letter}{:02}", (i * 7 + copy * 3) % 20), vector.clone());
        }
    }
    assert_eq!(all.len(), 60);
    let query = normalized(&Rng::new(4).vector(6));
    for similarity in Similarity::FLOAT {
        for (index_kind, quantization) in FORMATS {
            let vector = Vector::f32(6).similarity(similarity).index(index_kind).quantization(quantization);
            for flush_docs in [1, 7, 100] {
                let (_, index) = in_memory(one_field(vector.clone()));
                add_all(&index, small_segments(flush_docs), rows(&all));
                let searcher = index.searcher().unwrap();
                for k in [1, 2, 3, 10, 59, 60, 61] {
                    let knn = Knn::new("v", query.clone()).k(k);
                    for knn in [knn.clone().exact(), knn.clone().rescore(60.0)] {
                        let hits = searcher.search(&knn).unwrap();
                        brute_force::assert_exact(&hits, similarity, &query, rows(&all), k);
                    }
                    let hits = searcher.search(&knn).unwrap();
                    assert_eq!(hits.hits.len(), k.min(60));
                    let order = |hit: &lucerne::Hit| (hit.distance.unwrap(), hit.key.clone());
                    assert!(hits.hits.is_sorted_by(|left, right| order(left) < order(right)));
                    assert!(hits.hits.is_sorted_by(|left, right| left.score >= right.score));
                }
                for length in [0, 5, 7] {
                    let error = searcher.search(Knn::new("v", vec![0.5; length])).unwrap_err();
                    let expected =
                        ValueProblem::WrongDimension { field: "v".into(), expected: 6, given: length };
                    assert!(
                        matches!(&error, Error::QueryVector { problem } if *problem == expected),
                        "{error}"
                    );
                }
            }
        }
    }
}

#[test]
fn exact_search_equals_brute_force_on_any_field() {
    // Against numbers computed elsewhere in double precision.
    let vector =
        |i: usize| (0..8).map(|j| ((i * 7 + j * 13) % 31) as f32 / 8.0 - 15.0 / 8.0).collect::<Vec<_>>();
    let query: Vec<f32> = (0..8).map(|j| ((j * 5) % 11) as f32 / 4.0 - 5.0 / 4.0).collect();
    let all: Vectors = (0..12).map(|i| (format!("d{i:02}"), vector(i))).collect();
    let expected = [
        (Similarity::Euclidean, [1.578_125, 8.5, 8.562_5, 9.25, 9.5]),
        (
            Similarity::Cosine,
            [
                0.038_051_786_441_6,
                0.440_639_917_339_9,
                0.444_445_087_970_3,
                0.603_197_541_107,
                0.611_352_361_745,
            ],
        ),
        (Similarity::MaxInnerProduct, [-7.593_75, -4.593_75, -4.562_5, -2.875, -2.843_75]),
    ];
    for (similarity, distances) in expected {
        for (index_kind, quantization) in FORMATS {
            let vector = Vector::f32(8).similarity(similarity).index(index_kind).quantization(quantization);
            let (_, index) = in_memory(one_field(vector));
            add_all(&index, small_segments(5), rows(&all));
            let searcher = index.searcher().unwrap();
            let hits = searcher.search(Knn::new("v", query.clone()).k(5).exact()).unwrap();
            assert_eq!(hits.keys(), ["d05", "d09", "d00", "d10", "d01"], "{similarity}");
            for (hit, distance) in hits.hits.iter().zip(distances) {
                assert!(
                    (f64::from(hit.distance.unwrap()) / distance - 1.0).abs() < 1e-5,
                    "{similarity}: {hit:?}"
                );
            }
            assert!(hits.exact);
        }
    }
    // Against the sample's truth, which was computed elsewhere, too.
    let (_, index) = in_memory(sample::sample_schema());
    let writer = index.writer_with(small_segments(1_000)).unwrap();
    let documents = sample::sample_documents();
    documents.iter().for_each(|document| drop(writer.add(document).unwrap()));
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    let truth = sample::read_truth("truth.cosine.ibin");
    let embeddings = sample::read_f16_rows("packages.f16.npy");
    for (query, truth) in sample::read_f16_rows("queries.f16.npy").iter().zip(&truth) {
        let hits =
            searcher.search(Knn::new("embedding", query.clone()).k(100).exact().fields(["row"])).unwrap();
        let row = |hit: &lucerne::Hit| hit.fields.as_ref().unwrap()["row"].as_u64().unwrap() as usize;
        assert_eq!(hits.hits.len(), truth.len());
        for (hit, &expected) in hits.hits.iter().zip(truth) {
            let of_row = |row: usize| brute_force::distance(Similarity::Cosine, query, &embeddings[row]);
            // Another row only where single precision cannot tell the two apart.
            assert!((of_row(row(hit)) - of_row(expected)).abs() < 3e-7, "{hit:?}, expected row {expected}");
            assert!((f64::from(hit.distance.unwrap()) / of_row(row(hit)) - 1.0).abs() < 1e-5, "{hit:?}");
        }
    }
}

#[test]
fn scaling_a_vector_by_ten_changes_distances_as_each_metric_says() {
    let table: [(&str, [f32; 3]); 6] = [
        ("query's double", [2.0, 4.0, 6.0]),
        ("near", [1.0, 2.0, 2.5]),
        ("orthogonal", [3.0, 0.0, -1.0]),
        ("opposite", [-1.0, -2.0, -3.0]),
        ("far", [8.0, -6.0, 1.0]),
        ("zero", [0.0, 0.0, 0.0]),
    ];
    let query = [1.0, 2.0, 3.0];
    let distances = |similarity: Similarity, scale: f32| -> BTreeMap<String, f32> {
        let (_, index) = in_memory(vectors_of(3, similarity));
        let writer = index.writer().unwrap();
        for (key, vector) in table {
            writer.add(&document(key, vector.map(|x| x * scale))).unwrap();
        }
        writer.commit().unwrap();
        let hits = index.searcher().unwrap().search(Knn::new("v", query).exact()).unwrap();
        assert!(hits.hits.is_sorted_by(|left, right| left.distance.unwrap() <= right.distance.unwrap()));
        hits.hits.into_iter().map(|hit| (hit.key, hit.distance.unwrap())).collect()
    };
    let cosine = distances(Similarity::Cosine, 1.0);
    let dot = distances(Similarity::MaxInnerProduct, 1.0);
    let squared = distances(Similarity::Euclidean, 1.0);
    assert!(cosine["query's double"].abs() < 1e-6 && (cosine["opposite"] - 2.0).abs() < 1e-6);
    assert_eq!((cosine["orthogonal"], cosine["zero"]), (1.0, 1.0));
    let expected = [("query's double", -28.0), ("near", -12.5), ("orthogonal", 0.0), ("opposite", 14.0)];
    expected.iter().for_each(|(key, distance)| assert_eq!(dot[*key], *distance, "{key}"));
    let expected = [("query's double", 14.0), ("near", 0.25), ("orthogonal", 24.0), ("opposite", 56.0)];
    expected.iter().for_each(|(key, distance)| assert_eq!(squared[*key], *distance, "{key}"));

    for (key, distance) in distances(Similarity::Cosine, 10.0) {
        assert!((distance - cosine[&key]).abs() < 1e-6, "{key}: the cosine does not see lengths");
    }
    for (key, distance) in distances(Similarity::MaxInnerProduct, 10.0) {
        assert_eq!(distance, dot[&key] * 10.0, "{key}: the inner product grows with the length");
    }
    for (key, distance) in distances(Similarity::Euclidean, 10.0) {
        assert_eq!(distance == squared[&key], key == "zero", "{key}: distances change with lengths");
    }
    // The unit-vector metric agrees with the inner product on unit vectors.
    let (_, index) = in_memory(vectors_of(3, Similarity::DotProduct));
    let writer = index.writer().unwrap();
    for (key, vector) in table.iter().take(5) {
        writer.add(&document(*key, normalized(vector))).unwrap();
    }
    writer.commit().unwrap();
    let hits = index.searcher().unwrap().search(Knn::new("v", normalized(&query)).exact()).unwrap();
    for hit in hits.hits {
        assert!((hit.distance.unwrap() - (cosine[&hit.key] - 1.0)).abs() < 1e-6, "{hit:?}");
    }
}

/// Vectors unlike each other in all but their number of components.
fn shapes(count: usize, dimension: usize) -> Vec<(&'static str, Vec<Vec<f32>>)> {
    let mut rng = Rng::new(41);
    let mut rows = || (0..count).map(|_| rng.vector(dimension)).collect::<Vec<_>>();
    let scaled = |rows: Vec<Vec<f32>>, of: fn(usize) -> f32| -> Vec<Vec<f32>> {
        let scaled = |(at, row): (usize, Vec<f32>)| row.into_iter().map(|value| value * of(at)).collect();
        rows.into_iter().enumerate().map(scaled).collect()
    };
    vec![
        ("any", rows()),
        ("of many lengths", scaled(rows(), |at| 1.0 + (at % 37) as f32)),
        ("outliers", scaled(rows(), |at| if at % 50 == 3 { 1e4 } else { 1.0 })),
        ("copies", (0..count).map(|at| vec![(at % 90) as f32 / 90.0 + 0.1; dimension]).collect()),
        (
            "near one point",
            scaled(rows(), |_| 1e-3).into_iter().map(|row| row.iter().map(|x| x + 5.0).collect()).collect(),
        ),
    ]
}

#[test]
fn rescoring_finds_what_reading_all_raw_vectors_of_the_candidates_finds() {
    for (shape, vectors) in shapes(1_500, 64) {
        for similarity in [Similarity::Cosine, Similarity::Euclidean, Similarity::MaxInnerProduct] {
            let (_directory, index) = in_memory(one_field(Vector::f32(64).similarity(similarity)));
            let documents: Vectors =
                vectors.iter().enumerate().map(|(at, row)| (format!("d{at:04}"), row.clone())).collect();
            add_all(&index, small_segments(600).merge_policy(MergePolicy::None), rows(&documents));
            let searcher = index.searcher().unwrap();
            let (mut found, mut expected) = (0, 0);
            for (at, row) in vectors.iter().enumerate().step_by(29) {
                let query: Vec<f32> =
                    row.iter().enumerate().map(|(i, x)| x * (1.0 + ((at + i) % 5) as f32 * 0.1)).collect();
                let knn = Knn::new("v", query).candidates(60);
                let rescored = searcher.search(knn.clone().k(10).rescore(3.0)).unwrap();
                assert!(rescored.exact);
                // As many candidates, by codes, and each of them asked for its exact distance.
                let candidates = searcher.search(knn.clone().k(30)).unwrap();
                let keys: Vec<String> = candidates.keys().into_iter().map(str::to_owned).collect();
                let best = searcher.search(knn.k(10).exact().filter(Terms::new("id", keys))).unwrap();
                expected += best.hits.len();
                found += best
                    .hits
                    .iter()
                    .zip(&rescored.hits)
                    .filter(|(best, hit)| best.distance == hit.distance)
                    .count();
            }
            assert_eq!(found, expected, "{shape}, {similarity}");
        }
    }
}

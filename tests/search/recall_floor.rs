//! Recall on real embeddings never falls below what is promised, whatever the segments.

use crate::common::documents::{FORMATS, document, in_memory, one_field, small_segments};
use crate::common::{brute_force, sample};
use lucerne::schema::{Quantization, VectorIndex};
use lucerne::{Knn, Searcher, Similarity, Vector};

/// The sample as an index; a graph, where the format has one, in segments of any size.
fn sample(
    index: VectorIndex,
    quantization: Quantization,
    similarity: Similarity,
    flush_docs: u32,
) -> Searcher {
    let vector = Vector::f32(384).similarity(similarity).index(index).quantization(quantization);
    let vector = if index == VectorIndex::Hnsw { vector.advanced("graph_threshold", 0) } else { vector };
    let (_, index) = in_memory(one_field(vector));
    let writer = index.writer_with(small_segments(flush_docs).threads(2)).unwrap();
    for (row, embedding) in sample::read_f16_rows("packages.f16.npy").into_iter().enumerate() {
        let embedding = match similarity {
            Similarity::DotProduct => crate::common::documents::normalized(&embedding),
            _ => embedding,
        };
        writer.add(&document(format!("{row:04}"), embedding)).unwrap();
    }
    writer.commit().unwrap();
    index.searcher().unwrap()
}

/// Mean recall@10 over the sample's queries, against exact search or the sample's own truth.
fn recall(searcher: &Searcher, similarity: Similarity, how: impl Fn(Knn) -> Knn) -> (f64, Vec<&'static str>) {
    let queries = sample::read_f16_rows("queries.f16.npy");
    let truth = sample::read_truth("truth.cosine.ibin");
    let mut strategies = Vec::new();
    let mut sum = 0.0;
    for (query, truth) in queries.iter().zip(&truth) {
        let query = crate::common::documents::normalized(query);
        let keys: Vec<String> = match similarity {
            Similarity::Cosine => truth.iter().take(10).map(|row| format!("{row:04}")).collect(),
            _ => {
                let exact = searcher.search(Knn::new("v", query.clone()).exact()).unwrap();
                exact.keys().into_iter().map(str::to_owned).collect()
            }
        };
        let hits = searcher.search(how(Knn::new("v", query))).unwrap();
        assert_eq!(hits.hits.len(), 10);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        sum += brute_force::recall(&hits, &keys);
        strategies.extend(hits.segments.iter().map(|segment| segment.strategy));
    }
    strategies.sort_unstable();
    strategies.dedup();
    (sum / queries.len() as f64, strategies)
}

fn assert_floors(flush_docs: u32) {
    let searcher = sample(VectorIndex::Hnsw, Quantization::Int8, Similarity::Cosine, flush_docs);
    let segments = 2_400u32.div_ceil(flush_docs) as usize;
    assert_eq!(searcher.segment_count(), segments);
    let floor = |least: f64, what: &str, how: &dyn Fn(Knn) -> Knn| {
        let (recall, strategies) = recall(&searcher, Similarity::Cosine, how);
        assert!(recall >= least, "{what}, {segments} segments: recall {recall:.3}, {strategies:?}");
        strategies
    };
    floor(0.95, "no flags", &|knn| knn);
    floor(0.99, "rescore 2", &|knn| knn.rescore(2.0));
    floor(0.99, "candidates 200, rescore 3", &|knn| knn.candidates(200).rescore(3.0));
    let strategies = floor(0.85, "the narrowest beam", &|knn| knn.candidates(10));
    assert!(segments > 1 || strategies.contains(&"graph"), "{strategies:?}");
    floor(1.0, "exact", &|knn| knn.exact());
}

#[test]
fn int8_hnsw_in_one_segment() {
    assert_floors(10_000);
}

#[test]
fn int8_hnsw_in_five_segments() {
    assert_floors(480);
}

#[test]
fn every_format_and_metric() {
    for (i, similarity) in Similarity::FLOAT.into_iter().enumerate() {
        for (j, (index, quantization)) in FORMATS.into_iter().enumerate() {
            // Each metric with a flat format and a graph, each format with two metrics.
            if (i + j / 2) % 2 == 1 && j % 2 == 0 || (i + j / 2) % 2 == 0 && j % 2 == 1 {
                continue;
            }
            let searcher = sample(index, quantization, similarity, 1_200);
            let (plain, _) = recall(&searcher, similarity, |knn| knn);
            let (rescored, _) = recall(&searcher, similarity, |knn| knn.rescore(2.0));
            let what = format!("{similarity}, {index:?}, {quantization:?}");
            assert!(plain >= 0.95 && rescored >= 0.99, "{what}: recall {plain:.3}, rescored {rescored:.3}");
            if quantization == Quantization::None && index == VectorIndex::Flat {
                assert_eq!(plain, 1.0, "{what}");
            }
        }
    }
}

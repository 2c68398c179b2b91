//! Fields with several vectors in a document.

use crate::common::documents::{FORMATS, in_memory, one_field, small_segments};
use crate::common::rng::Rng;
use lucerne::merge::MergePolicy;
use lucerne::{Cancel, Document, Index, Knn, Searcher, Similarity, Value, Vector, WriterOptions};
use std::collections::BTreeMap;

const DIMENSION: usize = 8;

type Documents = BTreeMap<String, Vec<Vec<f32>>>;

fn document(key: &str, vectors: &[Vec<f32>]) -> Document {
    let vectors: Vec<Value> = vectors.iter().map(|vector| Value::from(vector.clone())).collect();
    Document::new().with("id", key).with("v", vectors)
}

fn index(vector: Vector, documents: &Documents, flush: u32) -> Index {
    let (_, index) = in_memory(one_field(vector.similarity(Similarity::Euclidean).multiple()));
    let writer = index.writer_with(small_segments(flush)).unwrap();
    documents.iter().for_each(|(key, vectors)| drop(writer.add(&document(key, vectors)).unwrap()));
    writer.close().unwrap();
    index
}

/// Keys in order, each with the index of its nearest vector.
fn truth(documents: &Documents, query: &[f32]) -> Vec<(String, u32)> {
    let distance = |vector: &[f32]| -> f64 {
        vector.iter().zip(query).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum()
    };
    let mut ranked: Vec<(f64, &String, u32)> = Vec::new();
    for (key, vectors) in documents {
        let distances = vectors.iter().zip(0..).map(|(vector, index)| (distance(vector), index));
        let nearest = distances.min_by(|left, right| left.0.total_cmp(&right.0));
        ranked.extend(nearest.map(|(distance, index)| (distance, key, index)));
    }
    ranked.sort_by(|left, right| left.0.total_cmp(&right.0));
    ranked.into_iter().map(|(_, key, index)| (key.clone(), index)).collect()
}

fn found(searcher: &Searcher, query: &Knn) -> Vec<(String, u32)> {
    let hits = searcher.search(query).unwrap().hits;
    hits.into_iter().map(|hit| (hit.key, hit.vector.expect("which vector"))).collect()
}

#[test]
fn a_document_of_several_vectors_is_one_hit_with_the_index_of_its_nearest_vector() {
    let mut rng = Rng::new(7);
    let documents: Documents = (0..300)
        .map(|doc| (format!("d{doc:03}"), (0..doc % 7).map(|_| rng.vector(DIMENSION)).collect()))
        .filter(|(_, vectors): &(String, Vec<_>)| !vectors.is_empty())
        .collect();
    let queries: Vec<Vec<f32>> = (0..10).map(|_| rng.vector(DIMENSION)).collect();
    for (kind, quantization) in FORMATS {
        let mut vector = Vector::f32(DIMENSION).index(kind).quantization(quantization);
        if kind == FORMATS[0].0 {
            vector = vector.advanced("graph_threshold", 0);
        }
        let index = index(vector, &documents, 100);
        let check = |searcher: &Searcher| {
            for query in &queries {
                let knn = Knn::new("v", query.clone());
                let expected = truth(&documents, query);
                assert_eq!(found(searcher, &knn.clone().exact()), expected[..10]);
                assert_eq!(found(searcher, &knn.clone().rescore(5.0)), expected[..10]);
                assert_eq!(found(searcher, &knn.exact().k(1_000)), expected);
            }
        };
        let searcher = index.searcher().unwrap();
        check(&searcher);
        let key = "d006";
        let stored = searcher.search(Knn::new("v", documents[key][4].clone()).k(1).fields(["v"])).unwrap();
        assert_eq!((&*stored.hits[0].key, stored.hits[0].vector), (key, Some(4)));
        let given: Value = serde_json::to_value(&documents[key]).unwrap().into();
        let returned: Value = stored.hits[0].fields.as_ref().unwrap()["v"].clone().into();
        assert_eq!(returned, given);
        // Merged into one, deletes and all, the order of a document's vectors is still the one given.
        let writer = index.writer_with(WriterOptions::new().merge_policy(MergePolicy::None)).unwrap();
        writer.upsert(&document(key, &documents[key])).unwrap();
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.close().unwrap();
        let searcher = index.searcher().unwrap();
        assert_eq!(searcher.segment_count(), 1);
        check(&searcher);
    }
}

//! Documents of several vectors against brute force, whatever their number, the filter and the effort.

use crate::common::{bytes, field, format, search_accepted};
use lucerne_codec::testing::{Bench, random_rows};
use lucerne_codec::vector::{Effort, VectorReader, VectorRows};
use lucerne_codec::{Accept, BitSet, Cancel, DocId, FieldInfo, Similarity};
use proptest::prelude::*;
use std::collections::BTreeSet;

const DIMENSION: usize = 12;

fn several(params: &str) -> FieldInfo {
    let mut field = field(DIMENSION, Similarity::Euclidean, params);
    field.params.insert(FieldInfo::MULTIPLE.to_owned(), true.into());
    field
}

/// Each vector's document: document d has (a hash of d and `seed`) mod (`most` + 1) vectors.
fn owners(docs: u32, most: u32, seed: u32) -> Vec<DocId> {
    let count = |doc: u32| (doc.wrapping_add(seed).wrapping_mul(0x9E37_79B1) >> 16) % (most + 1);
    (0..docs).flat_map(|doc| std::iter::repeat_n(doc, count(doc) as usize)).collect()
}

/// Vectors of a document lie close together, as passages of one text do.
fn vectors(owners: &[DocId], spread: f32) -> Vec<Vec<f32>> {
    let docs = owners.last().map_or(0, |last| *last as usize + 1);
    let (places, moves) = (random_rows(docs, DIMENSION, 1), random_rows(owners.len(), DIMENSION, 2));
    let vector = |(doc, moved): (&DocId, &Vec<f32>)| {
        places[*doc as usize].iter().zip(moved).map(|(x, y)| x + spread * y).collect()
    };
    owners.iter().zip(&moves).map(vector).collect()
}

fn found(reader: &dyn VectorReader, query: &[f32], k: usize, effort: Effort, set: &BitSet) -> Vec<DocId> {
    let mut hits = search_accepted(reader, query, k, effort, Accept::only(set)).unwrap().neighbors;
    assert!(hits.is_sorted_by(|left, right| left.distance <= right.distance));
    reader.rescore(&bytes(query), &mut hits).unwrap();
    hits.iter().map(|hit| hit.doc).collect()
}

/// Accepted documents, nearest first.
fn truth(owners: &[DocId], vectors: &[Vec<f32>], query: &[f32], set: &BitSet) -> Vec<DocId> {
    let distance = |vector: &[f32]| -> f32 { vector.iter().zip(query).map(|(x, y)| (x - y).powi(2)).sum() };
    let mut ranked: Vec<(f32, DocId)> =
        owners.iter().zip(vectors).map(|(doc, vector)| (distance(vector), *doc)).collect();
    ranked.sort_by(|left, right| left.partial_cmp(right).unwrap());
    let mut seen = BTreeSet::new();
    ranked.retain(|(_, doc)| set.contains(*doc) && seen.insert(*doc));
    ranked.into_iter().map(|(_, doc)| doc).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_document_comes_once_by_its_nearest_vector_and_as_many_as_match(
        name in prop::sample::select(vec!["hnsw_sq8", "hnsw_f32", "flat_sq8", "flat_f32"]),
        docs in 1u32..600,
        most in 1u32..30,
        seed in any::<u32>(),
        spread in prop::sample::select(vec![0.01f32, 0.3, 2.0]),
        every in 1u32..40,
        k in 1usize..40,
        candidates in 1usize..120,
    ) {
        let field = several(if name.starts_with("hnsw") { r#"{"advanced": {"graph_threshold": 0}}"# } else { "{}" });
        let (bench, owners) = (Bench::new(), owners(docs, most, seed));
        prop_assume!(!owners.is_empty());
        let vectors = vectors(&owners, spread);
        let rows: Vec<u8> = vectors.iter().flat_map(|vector| bytes(vector)).collect();
        let format = format(name);
        let rows = VectorRows { rows: &rows, docs: &owners };
        let written = format.write(&bench.write(docs), &field, rows, None).unwrap();
        let reader = format.open(&bench.open(docs, &written), &field).unwrap();
        let mut set = BitSet::empty(docs);
        (0..docs).filter(|doc| doc.wrapping_mul(0x85EB_CA6B) >> 7 & 0xFFFF < 65_536 / every).for_each(|doc| {
            set.insert(doc);
        });
        let (mut right, mut wanted) = (0, 0);
        for query in random_rows(4, DIMENSION, 3) {
            let truth = truth(&owners, &vectors, &query, &set);
            let expected = &truth[..k.min(truth.len())];
            let exact = found(&*reader, &query, k, Effort::Exact, &set);
            prop_assert_eq!(&exact, expected);
            let hits = found(&*reader, &query, k, Effort::Candidates(candidates), &set);
            prop_assert_eq!(hits.len(), expected.len());
            prop_assert!(name != "flat_f32" || hits == expected);
            prop_assert_eq!(hits.iter().collect::<BTreeSet<_>>().len(), hits.len());
            right += hits.iter().filter(|doc| expected.contains(doc)).count();
            wanted += expected.len();
        }
        // Few hits of a small ef say nothing about recall.
        prop_assert!(right * 10 >= wanted * 6 || wanted < 20 || candidates < 40, "{} of {}", right, wanted);
    }
}

#[test]
fn documents_of_many_vectors_do_not_crowd_out_others() {
    // 100 documents of 100 vectors: an ef of 100 vectors holds little more than one document.
    let owners: Vec<DocId> = (0..100).flat_map(|doc| std::iter::repeat_n(doc, 100)).collect();
    let vectors = vectors(&owners, 0.05);
    let rows: Vec<u8> = vectors.iter().flat_map(|vector| bytes(vector)).collect();
    let (bench, field, format) = (Bench::new(), several("{}"), format("hnsw_f32"));
    let rows = VectorRows { rows: &rows, docs: &owners };
    let written = format.write(&bench.write(100), &field, rows, None).unwrap();
    let reader = format.open(&bench.open(100, &written), &field).unwrap();
    assert_eq!(reader.inspect()["documents"], 100);
    let all = BitSet::full(100);
    let mut right = 0;
    for query in random_rows(20, DIMENSION, 5) {
        let expected = truth(&owners, &vectors, &query, &all);
        let hits = found(&*reader, &query, 5, Effort::Candidates(100), &all);
        right += hits.iter().filter(|doc| expected[..5].contains(doc)).count();
    }
    assert!(right >= 95, "{right} of 100");
}

#[test]
fn several_vectors_in_a_field_of_one_are_found_by_the_check() {
    let (bench, format) = (Bench::new(), format("flat_f32"));
    let rows: Vec<u8> = random_rows(2, DIMENSION, 1).iter().flat_map(|vector| bytes(vector)).collect();
    let rows = VectorRows { rows: &rows, docs: &[1, 1] };
    let single = field(DIMENSION, Similarity::Euclidean, "{}");
    let written = format.write(&bench.write(3), &single, rows, None).unwrap();
    let check = |field: &FieldInfo| {
        format.open(&bench.open(3, &written), field).unwrap().verify(&Cancel::new()).unwrap()
    };
    assert_eq!(check(&several("{}")), []);
    assert!(check(&single)[0].problem.contains("document 1 has several vectors"));
    let error = format.check(&field(DIMENSION, Similarity::Euclidean, r#"{"multiple": "yes"}"#)).unwrap_err();
    assert!(error.to_string().contains("true or false"), "{error}");
}

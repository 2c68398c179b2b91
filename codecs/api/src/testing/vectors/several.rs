//! Fields in which a document may have several vectors.

use super::data::{DIMENSION, bytes, distance, kept, query_bytes, random_rows, search};
use crate::format::Written;
use crate::testing::Bench;
use crate::vector::{Effort, VectorFormat, VectorReader, VectorRows};
use crate::{Accept, BitSet, Cancel, DocId, DocMap, FieldInfo, MergeInput, Ordinal};
use std::collections::{BTreeMap, BTreeSet};

/// Each document's vectors, in order.
type Documents = BTreeMap<DocId, Vec<Vec<f32>>>;

/// Round trip, search and merge of documents with none, one and many vectors, unless the format refuses such fields.
pub(super) fn check_several(format: &dyn VectorFormat, field: &FieldInfo) {
    let mut field = field.clone();
    field.params.insert(FieldInfo::MULTIPLE.to_owned(), true.into());
    if let Err(error) = format.check(&field) {
        assert!(error.to_string().contains(FieldInfo::MULTIPLE), "{error}");
        return;
    }
    let documents = documents(&field, 70, 1);
    let (bench, written) = write(format, &field, &documents);
    let reader = format.open(&bench.open(max_doc(&documents), &written), &field).expect("opening");
    check_reader(&*reader, &field, &documents);
    check_merge(format, &field, [&documents, &self::documents(&field, 30, 2)]);
}

/// Documents 1, 3, 5, …: two in three have one vector to four, one has so many alike that they crowd out others.
fn documents(field: &FieldInfo, count: u32, seed: u64) -> Documents {
    let mut rows = random_rows(5 * count as usize, DIMENSION, seed).into_iter();
    let mut documents: Documents = (0..count)
        .map(|doc| (2 * doc + 1, rows.by_ref().take((doc % 6).min(4) as usize).collect()))
        .collect();
    documents.retain(|_, vectors| !vectors.is_empty());
    let crowd = rows.next().expect("a row left");
    let alike = (0..60).map(|step| crowd.iter().map(|value| value * (1.0 + 1e-3 * step as f32)).collect());
    documents.insert(2 * (count / 2) + 1, alike.collect());
    documents.into_iter().map(|(doc, vectors)| (doc, kept(field, vectors))).collect()
}

fn max_doc(documents: &Documents) -> u32 {
    documents.keys().last().map_or(0, |last| last + 2)
}

fn write(format: &dyn VectorFormat, field: &FieldInfo, documents: &Documents) -> (Bench, Written) {
    let bench = Bench::new();
    let rows: Vec<u8> = documents.values().flatten().flat_map(|vector| bytes(field, vector)).collect();
    let repeat = |(doc, vectors): (&DocId, &Vec<Vec<f32>>)| vec![*doc; vectors.len()];
    let docs: Vec<DocId> = documents.iter().flat_map(repeat).collect();
    let rows = VectorRows { rows: &rows, docs: &docs };
    let written = format.write(&bench.write(max_doc(documents)), field, rows, None).expect("writing");
    (bench, written)
}

fn check_reader(reader: &dyn VectorReader, field: &FieldInfo, documents: &Documents) {
    assert_eq!(reader.len(), documents.values().map(Vec::len).sum::<usize>());
    assert_eq!(reader.verify(&Cancel::new()).expect("checking"), []);
    let max_doc = max_doc(documents);
    let mut ordinals = Vec::new();
    for doc in 0..max_doc {
        reader.ordinals(doc, &mut ordinals).expect("the map");
        assert!(ordinals.is_sorted());
        assert_eq!(reader.ordinal(doc).expect("the map"), ordinals.first().copied());
        let row = |ordinal: &Ordinal| reader.row(*ordinal).expect("a row").to_vec();
        let rows: Vec<Vec<u8>> = ordinals.iter().map(row).collect();
        let given = documents.get(&doc).into_iter().flatten();
        assert_eq!(
            rows,
            given.map(|vector| bytes(field, vector)).collect::<Vec<_>>(),
            "vectors of {doc}, in order"
        );
    }
    let mut sets = vec![BitSet::empty(max_doc), BitSet::full(max_doc)];
    for step in [2usize, 5] {
        let mut set = BitSet::empty(max_doc);
        documents.keys().step_by(step).for_each(|doc| {
            set.insert(*doc);
        });
        // A document without vectors.
        set.insert(max_doc - 1);
        sets.push(set);
    }
    let crowd = documents.values().max_by_key(|vectors| vectors.len()).and_then(|vectors| vectors.first());
    let queries = random_rows(3, DIMENSION, 9);
    for query in queries.iter().chain(crowd) {
        for set in &sets {
            check_query(reader, field, documents, query, set);
        }
    }
}

/// Every document once, by its nearest vector, and as many as there are.
fn check_query(
    reader: &dyn VectorReader,
    field: &FieldInfo,
    documents: &Documents,
    query: &[f32],
    set: &BitSet,
) {
    let nearest = |vectors: &Vec<Vec<f32>>| {
        let distances = vectors.iter().map(|vector| distance(field.similarity, query, vector));
        distances.min_by(f64::total_cmp).expect("a vector")
    };
    let accepted = documents.iter().filter(|(doc, _)| set.contains(**doc));
    let truth: BTreeMap<DocId, f64> = accepted.map(|(doc, vectors)| (*doc, nearest(vectors))).collect();
    let mut ranked: Vec<f64> = truth.values().copied().collect();
    ranked.sort_by(f64::total_cmp);
    let row = query_bytes(field, query);
    let close = |left: f32, right: f64| (f64::from(left) - right).abs() <= 1e-4 * (1.0 + right.abs());
    for k in [0, 1, 10, 500] {
        for effort in [Effort::Exact, Effort::Candidates(1), Effort::Candidates(30)] {
            let mut hits = search(reader, &row, k, effort, Accept::only(set));
            let docs: BTreeSet<DocId> = hits.neighbors.iter().map(|hit| hit.doc).collect();
            assert_eq!(docs.len(), hits.neighbors.len(), "a document came back twice");
            assert_eq!(docs.len(), k.min(truth.len()), "min(k, accepted documents) results");
            if effort == Effort::Exact {
                for (hit, expected) in hits.neighbors.iter().zip(&ranked) {
                    assert!(close(hit.distance, *expected), "{hit:?}, expected {expected}");
                }
            }
            reader.rescore(&row, &mut hits.neighbors).expect("rescoring");
            for hit in &hits.neighbors {
                assert_eq!(reader.doc(hit.ordinal).expect("the map"), hit.doc);
                assert!(close(hit.distance, truth[&hit.doc]), "{hit:?}, not by the nearest vector");
            }
        }
    }
}

/// What is left of a merge has all its vectors, in their order.
fn check_merge(format: &dyn VectorFormat, field: &FieldInfo, sources: [&Documents; 2]) {
    let mut merged = Documents::new();
    let mut next = 0;
    let mut place = |doc: DocId, documents: &Documents| {
        if doc % 7 == 3 {
            return None;
        }
        next += 1;
        documents.get(&doc).map(|vectors| merged.insert(next - 1, vectors.clone()));
        Some(next - 1)
    };
    let maps = sources.map(|documents| DocMap::new((0..max_doc(documents)).map(|doc| place(doc, documents))));
    let written = sources.map(|documents| write(format, field, documents));
    let readers: Vec<_> = sources
        .iter()
        .zip(&written)
        .map(|(documents, (bench, written))| {
            format.open(&bench.open(max_doc(documents), written), field).expect("opening")
        })
        .collect();
    let sources: Vec<MergeInput<'_, dyn VectorReader>> = readers
        .iter()
        .zip(&maps)
        .map(|(reader, docs)| MergeInput { segment: "_s", reader: Some(&**reader), docs })
        .collect();
    let bench = Bench::new();
    let max_doc = max_doc(&merged);
    let (written, _) = format.merge(&bench.write(max_doc), field, &sources).expect("merging");
    let reader = format.open(&bench.open(max_doc, &written), field).expect("opening");
    check_reader(&*reader, field, &merged);
}

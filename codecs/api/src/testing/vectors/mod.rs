//! What every vector format must do.

mod data;
mod merges;
mod several;

pub use data::random_rows;

use super::Bench;
use super::damage::{Verdict, check_damage};
use crate::format::OpenContext;
use crate::vector::{Effort, VectorFormat, VectorReader, VectorRows, VectorSearch};
use crate::{
    Accept, BitSet, Cancel, Component, Directory, DocId, Error, FieldInfo, Neighbor, OnStop, Params,
    Similarity,
};
use data::{BITS, DIMENSION, bytes, distance, doc_of, kept, query_bytes, search, write};
use merges::{check_merge, check_merge_of_small_segments};
use std::cmp::Ordering;

/// Runs the suite on `format` with `params`: for each similarity that the format takes, segments of several sizes and shapes are
/// written, read back, searched, checked and merged; files are damaged.
pub fn check_vector_format(format: &dyn VectorFormat, params: &Params) {
    let fields = Similarity::ALL.map(|similarity| field(similarity, params));
    let accepted: Vec<FieldInfo> = fields.into_iter().filter(|field| format.check(field).is_ok()).collect();
    assert!(!accepted.is_empty(), "no field of the suite is accepted");
    for field in &accepted {
        for vectors in shapes() {
            check_segment(format, field, &kept(field, vectors));
        }
        check_merge(format, field);
        check_merge_of_small_segments(format, field);
        damage(format, field);
        check_cancel(format, field);
        several::check_several(format, field);
    }
    let mut unknown = accepted[0].clone();
    unknown.params.insert("no_such_parameter".to_owned(), true.into());
    let error = format.check(&unknown).expect_err("an unknown parameter").to_string();
    assert!(error.contains("no_such_parameter"), "{error}");
}

fn field(similarity: Similarity, params: &Params) -> FieldInfo {
    FieldInfo {
        number: 3,
        name: "v".to_owned(),
        dimension: if similarity.component() == Component::Bit { BITS } else { DIMENSION as u32 },
        similarity,
        params: params.clone(),
    }
}

fn shapes() -> Vec<Vec<Vec<f32>>> {
    let constant = |value: f32, count| vec![vec![value; DIMENSION]; count];
    let mut mixed = random_rows(40, DIMENSION, 2);
    mixed.extend(constant(0.0, 3));
    mixed.extend(random_rows(10, DIMENSION, 2));
    let extreme = |value: f32| {
        let mut vector = vec![value; DIMENSION];
        vector[0] = -value;
        vector
    };
    vec![
        random_rows(1, DIMENSION, 1),
        random_rows(2, DIMENSION, 2),
        random_rows(300, DIMENSION, 3),
        constant(0.0, 1),
        constant(0.0, 20),
        constant(0.5, 70),
        mixed,
        vec![extreme(1e-40), extreme(1e30), extreme(f32::MAX), vec![0.0; DIMENSION]],
    ]
}

/// Round trip, exact search against brute force, and full results under every filter and effort.
fn check_segment(format: &dyn VectorFormat, field: &FieldInfo, vectors: &[Vec<f32>]) {
    let bench = Bench::new();
    let max_doc = doc_of(vectors.len());
    let written = write(format, field, vectors, &bench.write(max_doc));
    let again = Bench::new();
    write(format, field, vectors, &again.write(max_doc));
    assert_eq!(bench.directory.files(), again.directory.files(), "same input, other bytes");
    let reader = format.open(&bench.open(max_doc, &written), field).expect("opening");
    let reader = &*reader;
    assert_eq!(reader.len(), vectors.len());
    for (index, vector) in vectors.iter().enumerate() {
        let doc = doc_of(index);
        let ordinal = reader.ordinal(doc).expect("the map").expect("a vector");
        assert_eq!(reader.doc(ordinal).expect("the map"), doc);
        assert_eq!(reader.row(ordinal).expect("the row"), bytes(field, vector));
        assert_eq!(*reader.vector(ordinal).expect("the vector"), query_bytes(field, vector));
        assert_eq!(reader.ordinal(doc - 1).expect("the map"), None);
    }
    assert!(reader.row(vectors.len() as u32).is_err());
    assert!(reader.doc(vectors.len() as u32).is_err());
    assert_eq!(reader.verify(&Cancel::new()).expect("checking"), []);
    assert!(reader.inspect().is_object());
    for query in random_rows(3, DIMENSION, 9).iter().chain(vectors.first()) {
        check_query(reader, field, vectors, query);
    }
    let cancel = Cancel::new();
    let short = VectorSearch {
        query: &[0; 5],
        k: 1,
        effort: Effort::Exact,
        accept: Accept::all(max_doc),
        ties: &|_, _| Ordering::Equal,
        cancel: &cancel,
        on_stop: OnStop::Fail,
    };
    assert!(reader.search(&short).is_err(), "a query of another dimension");
    let Some(first) = vectors.first() else { return };
    cancel.cancel();
    let row = query_bytes(field, first);
    for effort in [Effort::Exact, Effort::Candidates(50)] {
        let stopped = VectorSearch { query: &row, effort, accept: Accept::all(max_doc), ..short };
        assert!(matches!(reader.search(&stopped), Err(Error::Cancelled)), "a search that was stopped");
        match reader.search(&VectorSearch { on_stop: OnStop::Partial, ..stopped }) {
            Ok(hits) => assert!(hits.partial, "a part that is not marked"),
            Err(error) => assert!(error.is_stop(), "{error}"),
        }
    }
}

fn check_query(reader: &dyn VectorReader, field: &FieldInfo, vectors: &[Vec<f32>], query: &[f32]) {
    let max_doc = doc_of(vectors.len());
    let mut sets = vec![BitSet::empty(max_doc), BitSet::full(max_doc)];
    for step in [2usize, 7, 50] {
        let mut set = BitSet::empty(max_doc);
        (0..vectors.len()).step_by(step).for_each(|index| {
            set.insert(doc_of(index));
        });
        sets.push(set);
    }
    let row = query_bytes(field, query);
    for set in &sets {
        let accepted: Vec<usize> = (0..vectors.len()).filter(|&i| set.contains(doc_of(i))).collect();
        for k in [0, 1, 10, vectors.len() + 5] {
            let expected = k.min(accepted.len());
            let exact = search(reader, &row, k, Effort::Exact, Accept::only(set));
            assert!(exact.exact && exact.neighbors.len() == expected);
            check_exact(field.similarity, vectors, query, &accepted, &exact.neighbors);
            let lists = |probes| Effort::Lists { probes, candidates: 20 };
            for effort in [Effort::Candidates(1), Effort::Candidates(50), lists(1), lists(usize::MAX)] {
                let mut hits = search(reader, &row, k, effort, Accept::only(set));
                assert_eq!(hits.neighbors.len(), expected, "min(k, accepted) results");
                reader.rescore(&row, &mut hits.neighbors).expect("rescoring");
                for hit in &hits.neighbors {
                    let same = exact.neighbors.iter().find(|exact| exact.ordinal == hit.ordinal);
                    assert!(same.is_none_or(|same| same.distance.to_bits() == hit.distance.to_bits()));
                }
            }
        }
    }
}

/// Exact results are the nearest, at the right distances, ties by document.
fn check_exact(
    similarity: Similarity,
    vectors: &[Vec<f32>],
    query: &[f32],
    accepted: &[usize],
    found: &[Neighbor],
) {
    let mut truth: Vec<f64> =
        accepted.iter().map(|&index| distance(similarity, query, &vectors[index])).collect();
    truth.sort_by(f64::total_cmp);
    for (hit, truth) in found.iter().zip(truth) {
        let own = distance(similarity, query, &vectors[(hit.doc as usize - 1) / 2]);
        let limit = f64::from(f32::MAX);
        for expected in [own, truth] {
            let expected = expected.clamp(-limit, limit);
            // Sums of f32 lose digits of their largest terms.
            let terms: f64 = query.iter().map(|x| f64::from(x.abs())).sum::<f64>()
                * vectors[(hit.doc as usize - 1) / 2]
                    .iter()
                    .fold(0.0, |most, x| f64::max(most, f64::from(x.abs())));
            let terms = if similarity == Similarity::Cosine { 1.0 } else { terms };
            let error = (f64::from(hit.distance) - expected).abs();
            assert!(error <= 1e-5 * (expected.abs() + terms) + 1e-30, "{hit:?}, expected {expected}");
        }
    }
    let in_order = found.is_sorted_by(|left, right| left.distance < right.distance || left.doc < right.doc);
    assert!(in_order, "ties are not ordered by document");
}

/// Damaged files are refused at opening where the damage shows there, and never make anything panic.
fn damage(format: &dyn VectorFormat, field: &FieldInfo) {
    let bench = Bench::new();
    let vectors = random_rows(5, DIMENSION, 8);
    let max_doc = doc_of(vectors.len());
    let written = write(format, field, &vectors, &bench.write(max_doc));
    let query = query_bytes(field, &random_rows(1, DIMENSION, 4)[0]);
    for (position, entry) in written.files.iter().enumerate() {
        let read = |forged: &crate::envelope::FileEntry| {
            let mut files = written.files.clone();
            files[position] = forged.clone();
            let context = OpenContext { files: &files, ..bench.open(max_doc, &written) };
            let reader = format.open(&context, field)?;
            let mut set = BitSet::full(max_doc);
            set.remove(1);
            for accept in [Accept::all(max_doc), Accept::only(&set)] {
                for effort in [Effort::Exact, Effort::Candidates(10)] {
                    let search = VectorSearch {
                        query: &query,
                        k: 4,
                        effort,
                        accept,
                        ties: &|left: DocId, right: DocId| left.cmp(&right),
                        cancel: &bench.cancel,
                        on_stop: OnStop::Fail,
                    };
                    reader.rescore(&query, &mut reader.search(&search)?.neighbors)?;
                }
            }
            for number in 0..max_doc {
                reader.ordinal(number)?;
            }
            reader.verify(&bench.cancel)?;
            // Bodies are covered by the checksum, which the thorough check computes.
            Ok(Verdict::Right)
        };
        check_damage(&bench.directory, entry, &read);
        let whole = bench.directory.get(&entry.name).expect("the file");
        bench.directory.delete(&entry.name).expect("deleting");
        assert!(read(entry).expect_err("a missing file").is_not_found());
        bench.directory.put(&entry.name, whole.to_vec());
    }
    let foreign = OpenContext { segment_id: Bench::OTHER, ..bench.open(max_doc, &written) };
    assert!(format.open(&foreign, field).is_err(), "files of another segment");
    let mut swapped = written.clone();
    swapped.files.reverse();
    assert!(format.open(&bench.open(max_doc, &swapped), field).is_err());
    let mut meta = written.clone();
    for meta_facts in [serde_json::json!(null), serde_json::json!({}), serde_json::json!([1])] {
        meta.meta = meta_facts;
        assert!(format.open(&bench.open(max_doc, &meta), field).is_err());
    }
}

fn check_cancel(format: &dyn VectorFormat, field: &FieldInfo) {
    let bench = Bench::new();
    bench.cancel.cancel();
    let rows: Vec<u8> = random_rows(20, DIMENSION, 1).iter().flat_map(|row| bytes(field, row)).collect();
    let docs: Vec<DocId> = (0..20).collect();
    let rows = VectorRows { rows: &rows, docs: &docs };
    let error = format.write(&bench.write(20), field, rows, None).expect_err("cancelled");
    assert!(matches!(error, crate::Error::Cancelled), "{error}");
}

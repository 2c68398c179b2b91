//! Segments that keep codes only: what is left of them answers as before, and merges touch no code.

use crate::common::{Segment, built_in, field, format, merge, outcomes, search};
use lucerne_codec::io::bytes::f32s;
use lucerne_codec::testing::random_rows;
use lucerne_codec::vector::{Effort, VectorReader};
use lucerne_codec::{Cancel, Directory as _, FieldInfo, Similarity};
use lucerne_formats::encoding::sq8::Sq8Vectors;

const KEPT: &str = r#"{"advanced": {"graph_threshold": 500}}"#;
const DROPPED: &str = r#"{"advanced": {"graph_threshold": 500}, "keep_raw": false}"#;

/// The segment without its raw vectors.
fn without_raw(segment: Segment, field: &FieldInfo) -> Segment {
    let Segment { directory, written, docs, format, .. } = segment;
    let without = format.without_raw(field, &written.files, &written.meta).unwrap().unwrap();
    assert_eq!(without.files.len(), written.files.len() - 1);
    directory.delete(&written.files[0].name).unwrap();
    let again = format.without_raw(field, &without.files, &without.meta).unwrap();
    assert!(again.is_none(), "there are none any more");
    Segment { directory, written: without, docs, format, field: field.clone() }
}

fn codes(reader: &dyn VectorReader, doc: u32) -> (Vec<u8>, Vec<u8>) {
    let ordinal = reader.ordinal(doc).unwrap().unwrap();
    let file = built_in(reader).encoded::<Sq8Vectors>().unwrap().codes();
    let corrections = file.rows().correction_bytes(ordinal as usize).to_vec();
    (file.codes(ordinal).unwrap().to_vec(), corrections)
}

#[test]
fn what_is_left_answers_as_before_and_pretends_nothing() {
    for similarity in [Similarity::Cosine, Similarity::Euclidean, Similarity::MaxInnerProduct] {
        for count in [300, 900] {
            let rows = random_rows(count, 70, 5);
            let before = Segment::flush(format("hnsw_sq8"), &field(70, similarity, KEPT), &rows);
            let old = before.open();
            let found = |reader: &dyn VectorReader, query: &[f32]| {
                search(reader, query, 10, Effort::Candidates(200), count as u32)
            };
            let expected: Vec<_> = rows[..20].iter().map(|row| found(&*old, row)).collect();
            let exact: Vec<_> =
                rows[..20].iter().map(|row| search(&*old, row, 10, Effort::Exact, count as u32)).collect();
            let after = without_raw(before, &field(70, similarity, DROPPED));
            let new = after.open();
            assert!(!new.keeps_raw() && new.row(0).is_err());
            assert_eq!(new.verify(&Cancel::new()).unwrap(), []);
            assert_eq!(new.inspect()["raw_vectors"], "not kept");
            for ((row, expected), exact) in rows.iter().zip(expected).zip(exact) {
                assert_eq!(found(&*new, row), expected);
                let all = search(&*new, row, 10, Effort::Exact, count as u32);
                let same = all.iter().filter(|hit| exact.iter().any(|exact| exact.doc == hit.doc)).count();
                assert!(same >= 8, "{same} of 10");
            }
        }
    }
}

#[test]
fn a_decoded_vector_is_near_the_one_added() {
    for (similarity, dimension) in
        [(Similarity::Cosine, 96), (Similarity::Euclidean, 100), (Similarity::MaxInnerProduct, 64)]
    {
        let mut rows = random_rows(400, dimension, 9);
        rows.iter_mut().flatten().for_each(|value| *value = *value * 3.0 + 1.0);
        rows[7].fill(0.0);
        let segment = Segment::flush(format("flat_sq8"), &field(dimension, similarity, "{}"), &rows);
        let segment = without_raw(segment, &field(dimension, similarity, r#"{"keep_raw": false}"#));
        let reader = segment.open();
        let length = |row: &[f32]| row.iter().map(|value| value * value).sum::<f32>().sqrt();
        for (doc, row) in (0..).zip(&rows) {
            let ordinal = reader.ordinal(doc).unwrap().unwrap();
            let decoded: Vec<f32> = f32s(&reader.vector(ordinal).unwrap()).collect();
            let scale = match similarity {
                Similarity::Cosine if length(row) > 0.0 => 1.0 / length(row),
                _ => 1.0,
            };
            let error: Vec<f32> = row.iter().zip(&decoded).map(|(x, y)| x * scale - y).collect();
            // In proportion to the distance from the center, which is about √dimension from 0.
            let most = 0.02 * (length(row) * scale).max(if scale < 1.0 { 1.0 } else { 12.0 });
            assert!(length(&error) < most, "{similarity} {doc}: {} of {most}", length(&error));
        }
    }
}

#[test]
fn components_of_a_lattice_are_decoded_as_they_were() {
    let rows: Vec<Vec<f32>> = (0..300)
        .map(|i: u32| {
            (0..32).map(|j: u32| (i.wrapping_mul(2_654_435_761) >> (j % 24) & 127) as f32).collect()
        })
        .collect();
    let segment = Segment::flush(format("flat_sq8"), &field(32, Similarity::Euclidean, "{}"), &rows);
    let segment = without_raw(segment, &field(32, Similarity::Euclidean, r#"{"keep_raw": false}"#));
    let reader = segment.open();
    for (doc, row) in (0..).zip(&rows) {
        let ordinal = reader.ordinal(doc).unwrap().unwrap();
        assert_eq!(f32s(&reader.vector(ordinal).unwrap()).collect::<Vec<_>>(), *row);
    }
}

#[test]
fn merges_of_codes_touch_none_of_them_round_after_round() {
    let dropped = field(70, Similarity::Cosine, DROPPED);
    let rows = random_rows(900, 70, 5);
    let first = Segment::flush(format("hnsw_sq8"), &field(70, Similarity::Cosine, KEPT), &rows);
    let mut merged = without_raw(first, &dropped);
    let original = merged.open();
    for round in 0..5 {
        let previous = merged.open();
        let more = random_rows(200, 70, 100 + round);
        let more = Segment::flush_after(format("hnsw_sq8"), &dropped, &more, Some(&*previous));
        assert!(!more.open().keeps_raw(), "a flush keeps none either");
        let (next, _, report) = merge(format("hnsw_sq8"), &dropped, &[&merged, &more]);
        assert_eq!(outcomes(&report), ["kept", "kept"]);
        assert_eq!(report["vectors_requantized"], 0);
        let new = next.open();
        assert!(!new.keeps_raw());
        assert!((0..900).all(|doc| codes(&*original, doc) == codes(&*new, doc)));
        drop((previous, new));
        merged = next;
    }
    // What was measured once with raw vectors is what is still known.
    let quality = |reader: &dyn VectorReader| reader.inspect()["code_quality"]["recall"].as_f64().unwrap();
    assert!((quality(&*merged.open()) - quality(&*original)).abs() < 0.02);
}

#[test]
fn segments_that_have_raw_vectors_lose_them_in_the_next_merge_and_no_merge_makes_them_up() {
    let (kept, dropped) = (field(70, Similarity::Cosine, KEPT), field(70, Similarity::Cosine, DROPPED));
    let a = Segment::flush(format("hnsw_sq8"), &kept, &random_rows(600, 70, 1));
    let b = Segment::flush(format("hnsw_sq8"), &kept, &random_rows(600, 70, 2));
    let (merged, ..) = merge(format("hnsw_sq8"), &dropped, &[&a, &b]);
    assert!(!merged.open().keeps_raw());
    let reader = merged.open();
    let map = lucerne_codec::DocMap::new((0..1_200).map(Some));
    let source = lucerne_codec::MergeInput { segment: "_0", reader: Some(&*reader), docs: &map };
    let error = format("hnsw_sq8").plan_merge(&kept, &[source]).unwrap_err().to_string();
    assert!(error.contains("no raw vectors") && error.contains("keep_raw"), "{error}");
}

#[test]
fn formats_that_search_raw_vectors_keep_them() {
    for (name, params) in [("hnsw_f32", "{}"), ("flat_f32", "{}"), ("flat_hash", r#"{"sign_hash": true}"#)] {
        let field = field(32, Similarity::Cosine, params);
        let segment = Segment::flush(format(name), &field, &random_rows(100, 32, 3));
        let error =
            format(name).without_raw(&field, &segment.written.files, &segment.written.meta).unwrap_err();
        assert!(error.to_string().contains("keep them"), "{error}");
    }
    // Copies with a little noise, which codes do not tell apart.
    let (of, apart) = (random_rows(10, 64, 1), random_rows(2_000, 64, 2));
    let near = |(index, apart): (usize, &Vec<f32>)| -> Vec<f32> {
        of[index / 200].iter().zip(apart).map(|(x, y)| x + 1e-5 * y).collect()
    };
    let noisy: Vec<Vec<f32>> = apart.iter().enumerate().map(near).collect();
    let segment = Segment::flush(format("flat_sq8"), &field(64, Similarity::Euclidean, "{}"), &noisy);
    assert_eq!(segment.open().inspect()["codes"], "none");
    let dropped = field(64, Similarity::Euclidean, r#"{"keep_raw": false}"#);
    let error = format("flat_sq8").without_raw(&dropped, &segment.written.files, &segment.written.meta);
    assert!(error.unwrap_err().to_string().contains("no codes"));
    let few = field(8, Similarity::Euclidean, r#"{"keep_raw": false}"#);
    assert!(format("flat_sq8").check(&few).unwrap_err().to_string().contains("8 components"));
}

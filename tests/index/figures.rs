//! What pictures of an index are made of: figures and samples of vectors, frequent terms, plans.

use crate::common::documents::{add_all, in_memory, one_field, random, rows, small_segments};
use lucerne::merge::MergePolicy;
use lucerne::{Cancel, Document, ErrorKind, Schema, Vector, WriterOptions, admin};
use serde_json::Value;

const DIMENSION: usize = 16;
const COUNT: u64 = 100;

fn sum(counts: &Value) -> u64 {
    counts.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum()
}

#[test]
fn figures_are_of_as_many_vectors_as_were_asked_for_and_only_of_what_a_format_has() {
    for (vector, has) in [
        (
            Vector::f32(DIMENSION).advanced("graph_threshold", 10),
            ["codes", "code_error", "degrees"].as_slice(),
        ),
        (Vector::f32(DIMENSION).flat(), &["codes", "code_error"]),
        (Vector::f16(DIMENSION).flat(), &["codes", "code_error"]),
        (Vector::f32(DIMENSION).keep_raw(false), &["codes"]),
        (Vector::f32(DIMENSION).flat().sign_hash(true), &[]),
    ] {
        let (_, index) = in_memory(one_field(vector));
        add_all(&index, small_segments(40), rows(&random(COUNT as usize, DIMENSION, 21)));
        let searcher = index.searcher().unwrap();
        for (wanted, sampled) in [(50, 50), (1, 3), (1_000_000, COUNT)] {
            let figures = admin::vector_figures(&searcher, "v", wanted, &Cancel::new()).unwrap();
            let of = |name: &str| figures.iter().map(|it| it["figures"][name].clone()).collect::<Vec<_>>();
            assert_eq!(of("sampled").iter().map(|it| it.as_u64().unwrap()).sum::<u64>(), sampled);
            for name in ["codes", "code_error", "degrees"] {
                assert_eq!(
                    of(name).iter().all(|it| !it.is_null()),
                    has.contains(&name),
                    "{name}: {figures:?}"
                );
            }
            if has.contains(&"codes") {
                assert_eq!(of("codes").iter().map(sum).sum::<u64>(), sampled * DIMENSION as u64);
            }
            if has.contains(&"code_error") {
                let worst =
                    of("code_error").iter().map(|it| it["worst"].as_f64().unwrap()).fold(0.0, f64::max);
                assert!(worst > 0.0 && worst < 0.05, "{worst}");
            }
            if has.contains(&"degrees") {
                assert_eq!(of("degrees").iter().map(sum).sum::<u64>(), sampled);
            }
        }
        let cancel = Cancel::new();
        cancel.cancel();
        if !has.is_empty() {
            let stopped = admin::vector_figures(&searcher, "v", 50, &cancel).unwrap_err();
            assert_eq!(stopped.kind(), ErrorKind::Cancelled);
        }
        assert_eq!(admin::vector_figures(&searcher, "w", 50, &cancel).unwrap_err().kind(), ErrorKind::Usage);
    }
}

#[test]
fn a_sample_has_live_documents_with_the_vectors_that_were_added() {
    let (_, index) = in_memory(one_field(Vector::f32(DIMENSION)));
    let documents = random(COUNT as usize, DIMENSION, 4);
    add_all(&index, small_segments(30), rows(&documents));
    let deleted = rows(&documents).next().unwrap().0.to_owned();
    let writer = index.writer().unwrap();
    writer.delete(&deleted).unwrap();
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    let sample = admin::sample_vectors(&searcher, "v", 1_000, &Cancel::new()).unwrap();
    assert_eq!(sample.len() as u64, COUNT - 1);
    for sampled in &sample {
        assert_ne!(sampled.key, deleted);
        assert_eq!(Some(&sampled.vector), searcher.vector(&sampled.key, "v").unwrap().as_ref());
        assert_eq!(admin::segment_of(&searcher, &sampled.key).unwrap().as_ref(), Some(&sampled.segment));
    }
    assert_eq!(admin::segment_of(&searcher, &deleted).unwrap(), None);
    let few = admin::sample_vectors(&searcher, "v", 10, &Cancel::new()).unwrap();
    assert!((4..=14).contains(&few.len()), "{}", few.len());
}

#[test]
fn frequent_terms_are_counted_over_all_segments() {
    let schema = Schema::builder().key("id").text("t").keyword("k").i64("n").build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer_with(small_segments(7).merge_policy(MergePolicy::None)).unwrap();
    for at in 0..60u32 {
        // `w1` is in every document, `w2` in every second one, …
        let words: Vec<String> = (1..=10).filter(|it| at % it == 0).map(|it| format!("w{it}")).collect();
        let document =
            Document::new().with("id", at.to_string()).with("t", words.join(" ")).with("n", i64::from(at));
        writer.add(&document.with("k", format!("k{}", at % 3))).unwrap();
    }
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    assert!(searcher.segment_count() > 5);
    let top = |field: &str, limit: usize| admin::top_terms(&searcher, field, limit, &Cancel::new());
    let expected = |list: &[(&str, u64)]| {
        list.iter().map(|(term, docs)| ((*term).to_owned(), *docs)).collect::<Vec<_>>()
    };
    assert_eq!(top("t", 4).unwrap(), expected(&[("w1", 60), ("w2", 30), ("w3", 20), ("w4", 15)]));
    assert_eq!(top("k", 9).unwrap(), expected(&[("k0", 20), ("k1", 20), ("k2", 20)]));
    assert_eq!(top("t", 0).unwrap(), []);
    assert_eq!(top("n", 5).unwrap(), []);
    assert_eq!(top("none", 5).unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn a_plan_without_a_writer_is_that_of_the_writer() {
    let (_, index) = in_memory(one_field(Vector::f32(DIMENSION)));
    let documents = random(COUNT as usize, DIMENSION, 9);
    add_all(&index, small_segments(15).merge_policy(MergePolicy::None), rows(&documents));
    let writer = index.writer_with(WriterOptions::new().merge_policy(MergePolicy::None)).unwrap();
    for (key, _) in rows(&documents).take(5) {
        writer.delete(key).unwrap();
    }
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    for most in [1, 2, 5, 100] {
        assert_eq!(
            admin::plan_force_merge(&searcher, most).unwrap(),
            writer.plan_force_merge(most).unwrap(),
            "{most}"
        );
    }
}

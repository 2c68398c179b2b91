//! Going through all documents: each of the snapshot once, in the order of keys, whatever happens meanwhile.

use crate::common::documents::{in_memory, reopen, small_segments};
use crate::common::rng::Rng;
use lucerne::query::Exists;
use lucerne::search::{Scan, ScannedDocument};
use lucerne::{
    Cancel, Document, ErrorKind, Index, Knn, Range, Schema, Search, Searcher, Similarity, Vector,
    WriterOptions,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

type Versions = BTreeMap<String, i64>;

fn schema() -> Schema {
    let several = Vector::f32(2).similarity(Similarity::Euclidean).multiple();
    let codes = Vector::f32(16).keep_raw(false);
    let schema = Schema::builder().key("id").text("body").i64("n");
    schema.vector("v", Vector::f32(3)).vector("parts", several).vector("codes", codes).build().unwrap()
}

/// Not in the order of their numbers; one key begins another.
fn key(number: usize) -> String {
    format!("{:x}", number.wrapping_mul(2_654_435_761) % 1_000_003)
}

fn document(number: usize, version: i64, rng: &mut Rng) -> Document {
    let parts: Vec<Vec<f32>> = (0..1 + number % 3).map(|_| rng.vector(2)).collect();
    let document = Document::new().with("id", key(number)).with("n", version).with("body", "some words");
    let document = document.with("parts", parts).with("codes", rng.vector(16));
    if number.is_multiple_of(5) { document } else { document.with("v", rng.vector(3)) }
}

fn all(searcher: &Searcher, scan: &Scan) -> Vec<ScannedDocument> {
    searcher.scan(scan).unwrap().collect::<lucerne::Result<_>>().unwrap()
}

fn keys(documents: &[ScannedDocument]) -> Vec<&str> {
    documents.iter().map(|document| &*document.key).collect()
}

/// `LUCERNE_SCANNED=78000` scans more documents than on every push.
#[test]
fn each_document_of_the_snapshot_is_seen_once_while_a_writer_upserts() {
    let documents = std::env::var("LUCERNE_SCANNED").map_or(40_000, |text| text.parse().unwrap());
    let schema = Schema::builder().key("id").text("body").i64("n").build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer_with(WriterOptions::new().flush_docs(3_000)).unwrap();
    let small = |number: usize, version: i64| Document::new().with("id", key(number)).with("n", version);
    for number in 0..documents {
        writer.add(&small(number, number as i64)).unwrap();
    }
    for number in (0..documents).step_by(7) {
        writer.delete(&key(number)).unwrap();
    }
    writer.commit().unwrap();
    let expected: Versions =
        (0..documents).filter(|number| number % 7 != 0).map(|number| (key(number), number as i64)).collect();
    let searcher = index.searcher().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut rng = Rng::new(18);
            for version in 1_000_000.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                writer.upsert(&small(rng.below(documents), version)).unwrap();
                if version % 5_000 == 0 {
                    writer.commit().unwrap();
                }
            }
        });
        let mut seen: Vec<(String, i64)> = Vec::new();
        for document in searcher.scan(&Scan::new().fields(["n"])).unwrap() {
            let document = document.unwrap();
            seen.push((document.key, document.fields["n"].as_i64().unwrap()));
        }
        done.store(true, Ordering::Relaxed);
        assert_eq!(seen.len(), expected.len());
        assert!(seen.into_iter().eq(expected), "in the order of keys, each as it was");
    });
}

fn filled(documents: usize) -> (lucerne::directory::RamDirectory, Index) {
    let (directory, index) = in_memory(schema());
    let writer = index.writer_with(small_segments(40)).unwrap();
    let mut rng = Rng::new(3);
    for number in 0..documents {
        writer.add(&document(number, number as i64, &mut rng)).unwrap();
    }
    writer.delete(&key(7)).unwrap();
    writer.upsert(&document(8, 800, &mut rng)).unwrap();
    writer.close().unwrap();
    (directory, index)
}

#[test]
fn a_scan_goes_on_after_a_key_in_another_searcher() {
    let (directory, index) = filled(300);
    let searcher = index.searcher().unwrap();
    let whole = all(&searcher, &Scan::new());
    assert_eq!(whole.len(), 299);
    assert!(whole.is_sorted_by(|left, right| left.key < right.key));
    for document in &whole {
        let stored = searcher.get(&document.key).unwrap().unwrap();
        assert_eq!(serde_json::Value::Object(document.fields.clone()), stored.to_json());
    }
    let mut seen = Vec::new();
    let mut scan = Scan::new();
    loop {
        // As another process that continues would.
        let searcher = reopen(&directory).searcher().unwrap();
        let page: Vec<_> = searcher.scan(&scan).unwrap().take(70).map(Result::unwrap).collect();
        let Some(last) = page.last() else { break };
        scan = scan.after(&last.key);
        seen.extend(page);
    }
    assert_eq!(seen, whole);
    // A cursor needs no document of that key.
    let rest = all(&searcher, &Scan::new().after(format!("{} ", whole[10].key)));
    assert_eq!(rest, whole[11..]);
    assert_eq!(all(&searcher, &Scan::new().after("zzz")), []);
    let writer = index.writer().unwrap();
    writer.delete(&whole[20].key).unwrap();
    writer.commit().unwrap();
    let later = all(&index.searcher().unwrap(), &Scan::new().after(&whole[10].key));
    assert_eq!(later, [&whole[11..20], &whole[21..]].concat());
}

#[test]
fn filters_fields_and_vectors_are_as_in_a_search() {
    let (_, index) = filled(300);
    let searcher = index.searcher().unwrap();
    let filter = Range::new("n").lt(100);
    let found =
        all(&searcher, &Scan::new().filter(filter.clone()).fields(["n", "v"]).vectors(["v", "parts"]));
    let search = Search::new(filter).limit(1_000).fields(["n"]).vectors(["v", "parts", "codes"]);
    let hits = searcher.search(search).unwrap().hits;
    assert_eq!(hits.len(), 98);
    assert_eq!(keys(&found), hits.iter().map(|hit| &*hit.key).collect::<Vec<_>>());
    for (document, hit) in found.iter().zip(&hits) {
        assert_eq!(
            Some(&document.fields),
            hit.fields.as_ref(),
            "vectors that are returned apart are no fields"
        );
        assert_eq!(document.vectors["v"], hit.vectors["v"]);
        assert_eq!(document.vectors["parts"], searcher.vectors(&hit.key, "parts").unwrap());
        assert_eq!(hit.vectors["v"].first().cloned(), searcher.vector(&hit.key, "v").unwrap());
        assert_eq!(hit.vectors["codes"], searcher.decoded_vectors(&hit.key, "codes").unwrap());
    }
    let without = found.iter().filter(|document| document.vectors["v"].is_empty()).count();
    assert_eq!(
        without as u64,
        searcher.count(Range::new("n").lt(100)).unwrap()
            - searcher
                .count(lucerne::Bool::new().must(Range::new("n").lt(100)).must(Exists::new("v")))
                .unwrap()
    );
    assert!(found.iter().any(|document| document.vectors["parts"].len() == 3));
    let nearest = Knn::new("v", [0.1, 0.2, 0.3]).k(12).exact();
    assert_eq!(all(&searcher, &Scan::new().filter(nearest)).len(), 12);
}

#[test]
fn what_cannot_be_returned_is_an_error_and_a_scan_can_be_stopped() {
    let (_, index) = filled(100);
    let searcher = index.searcher().unwrap();
    for scan in [
        Scan::new().fields(["nothing"]),
        Scan::new().vectors(["body"]),
        Scan::new().vectors(["nothing"]),
        Scan::new().filter(Range::new("nothing").gt(1)),
    ] {
        assert_eq!(searcher.scan(&scan).unwrap_err().kind(), ErrorKind::Usage, "{scan:?}");
    }
    for search in [
        Search::new(Range::new("n").gt(1)).vectors(["nothing"]),
        Search::from_json(r#"{"vectors": ["n"]}"#).unwrap(),
    ] {
        assert_eq!(searcher.search(search).unwrap_err().kind(), ErrorKind::Usage);
    }
    let one = searcher.vector(&key(1), "parts").unwrap_err();
    assert!(one.to_string().contains("vectors returns all"), "{one}");
    let cancel = Cancel::new();
    let mut scanner = searcher.scan(&Scan::new().cancel(&cancel)).unwrap();
    assert!(scanner.next().unwrap().is_ok());
    cancel.cancel();
    assert_eq!(scanner.next().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(scanner.next().is_none());
}

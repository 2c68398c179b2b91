//! Deletes and updates by query: what takes part, who wins, and that all of it happens or nothing.

use crate::common::documents::{in_memory, small_segments};
use crate::common::files::leaked;
use crate::common::rng::Rng;
use lucerne::codec::Directory;
use lucerne::directory::RamDirectory;
use lucerne::schema::Field;
use lucerne::{
    Bool, Cancel, Document, Error, ErrorKind, Index, Knn, Progress, Query, Range, Schema, Searcher,
    Similarity, Term, Update, Value, Vector, Writer,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

const DIMENSION: usize = 8;

fn schema() -> Schema {
    let several = Vector::f32(2).similarity(Similarity::Euclidean).multiple();
    let schema = Schema::builder().key("id").text("body").keyword("section").i64("n").date("expires_at");
    schema.vector("v", Vector::f32(DIMENSION)).vector("parts", several).build().unwrap()
}

fn document(number: usize, rng: &mut Rng) -> Document {
    let parts: Vec<Vec<f32>> = (0..number % 3).map(|_| rng.vector(2)).collect();
    let document = Document::new()
        .with("id", format!("d{number:04}"))
        .with("body", format!("text number {number}"))
        .with("section", if number.is_multiple_of(2) { "even" } else { "odd" })
        .with("n", number);
    document.with("v", rng.vector(DIMENSION)).with("parts", parts)
}

/// An index of so many documents, a third of them committed, a third refreshed, a third still buffered.
fn filled(documents: usize) -> (RamDirectory, Index, Writer) {
    let (directory, index) = in_memory(schema());
    let writer = index.writer_with(small_segments(documents as u32 / 5)).unwrap();
    let mut rng = Rng::new(documents as u64);
    for number in 0..documents {
        writer.add(&document(number, &mut rng)).unwrap();
        match 3 * number / documents {
            0 if 3 * (number + 1) / documents == 1 => drop(writer.commit().unwrap()),
            1 if 3 * (number + 1) / documents == 2 => writer.refresh().unwrap(),
            _ => {}
        }
    }
    (directory, index, writer)
}

/// Every document by key.
fn content(searcher: &Searcher, documents: usize) -> BTreeMap<String, Document> {
    let keys = (0..documents).map(|number| format!("d{number:04}"));
    keys.filter_map(|key| Some((key.clone(), searcher.get(&key).unwrap()?))).collect()
}

fn now(index: &Index, writer: &Writer, documents: usize) -> BTreeMap<String, Document> {
    writer.refresh().unwrap();
    content(&index.searcher().unwrap(), documents)
}

/// Does something once, at the first report of progress.
struct Meanwhile<F>(AtomicBool, F);

impl<F: Fn() + Sync> Progress for Meanwhile<F> {
    fn report(&self, phase: &'static str, done: u64, total: u64) {
        assert!(phase == "update" && done <= total, "{phase} {done} of {total}");
        if !self.0.swap(true, Ordering::Relaxed) {
            (self.1)();
        }
    }
}

fn meanwhile<F: Fn() + Sync>(what: F) -> Meanwhile<F> {
    Meanwhile(AtomicBool::new(false), what)
}

#[test]
fn what_is_not_committed_takes_part_and_nothing_is_shown_before_a_refresh() {
    let (_, index, writer) = filled(90);
    let before = index.searcher().unwrap();
    assert_eq!(before.len(), 60);
    let report = writer.delete_by_query(Term::new("section", "odd")).unwrap();
    assert_eq!((report.matched, report.changed, report.skipped), (45, 45, 0));
    assert_eq!(index.searcher().unwrap().len(), 60, "not even what the call has flushed is shown");
    assert_eq!(writer.delete_by_query(Term::new("section", "odd")).unwrap().matched, 0);
    writer.refresh().unwrap();
    assert_eq!(index.searcher().unwrap().len(), 45);
    assert_eq!(before.len(), 60);
    // Keys are free again.
    writer.add(&document(1, &mut Rng::new(1))).unwrap();
    assert_eq!(writer.add(&document(2, &mut Rng::new(1))).unwrap_err().kind(), ErrorKind::AlreadyExists);
    writer.rollback().unwrap();
    assert_eq!(index.searcher().unwrap().len(), 30);
}

#[test]
fn an_update_changes_the_fields_named_and_leaves_vectors_bit_for_bit() {
    let (_, index, writer) = filled(90);
    let mut expected = now(&index, &writer, 90);
    let update = Update::new().set("section", "new").increment("n", 1_000).remove("body");
    let report = writer.update_by_query(Range::new("n").gte(30), update.clone()).unwrap();
    assert_eq!((report.matched, report.changed, report.unchanged), (60, 60, 0));
    for document in expected.values_mut().skip(30) {
        update.apply(document).unwrap();
    }
    assert_eq!(now(&index, &writer, 90), expected);
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.count(Term::new("section", "new")).unwrap(), 60);
    assert_eq!(searcher.count(Term::new("body", "number")).unwrap(), 30);
    // What makes no difference writes nothing.
    let (segments, generation) = (searcher.segment_count(), writer.commit().unwrap());
    let report =
        writer.update_by_query(Term::new("section", "new"), Update::new().set("section", "new")).unwrap();
    assert_eq!((report.matched, report.unchanged, report.changed), (60, 60, 0));
    assert_eq!((writer.commit().unwrap(), index.searcher().unwrap().segment_count()), (generation, segments));
}

#[test]
fn a_document_that_another_thread_writes_meanwhile_is_left_to_it() {
    for merges in [false, true] {
        let (_, index, writer) = filled(60);
        let mut expected = now(&index, &writer, 60);
        let (upserted, added) = (document(7, &mut Rng::new(9)), document(61, &mut Rng::new(9)));
        let other = meanwhile(|| {
            writer.upsert(&upserted).unwrap();
            writer.delete("d0008").unwrap();
            writer.update("d0009", Update::new().set("body", "mine")).unwrap();
            writer.add(&added).unwrap();
            if merges {
                // Twice: documents are followed through both.
                writer.force_merge(2, &Cancel::new()).unwrap();
                writer.delete("d0011").unwrap();
                writer.force_merge(1, &Cancel::new()).unwrap();
            }
            writer.delete("d0010").unwrap();
            writer.upsert(&upserted).unwrap();
        });
        let update = Update::new().increment("n", 500);
        let report =
            writer.update_by_query_with(Query::all(), update.clone(), &Cancel::new(), &other).unwrap();
        let skipped = 4 + u64::from(merges);
        assert_eq!((report.matched, report.changed, report.skipped), (60, 60 - skipped, skipped));
        for (key, document) in &mut expected {
            match &**key {
                "d0007" => *document = upserted.clone(),
                "d0009" => document.set("body", "mine"),
                _ => drop(update.apply(document).unwrap()),
            }
        }
        expected.remove("d0008");
        expected.remove("d0010");
        if merges {
            expected.remove("d0011");
        }
        expected.insert("d0061".to_owned(), added.clone());
        let found = now(&index, &writer, 64);
        let json = |content: &BTreeMap<String, Document>| -> Vec<_> {
            content.values().map(Document::to_json).collect()
        };
        assert_eq!(json(&found), json(&expected));
        assert_eq!(index.searcher().unwrap().len(), expected.len() as u64);
        writer.force_merge(1, &Cancel::new()).unwrap();
        assert_eq!(json(&now(&index, &writer, 64)), json(&expected));
    }
}

#[test]
fn a_rollback_or_a_new_schema_meanwhile_leaves_nothing_of_an_update() {
    let (directory, index, writer) = filled(60);
    let rolled_back = meanwhile(|| writer.rollback().unwrap());
    let update = Update::new().increment("n", 500);
    let report = writer.update_by_query_with(Query::all(), &update, &Cancel::new(), &rolled_back).unwrap();
    assert_eq!((report.matched, report.changed, report.skipped), (60, 0, 60));
    assert_eq!(now(&index, &writer, 60).len(), 20);
    assert_eq!(index.searcher().unwrap().count(Range::new("n").gte(500)).unwrap(), 0);

    let grown = writer.schema().with_added([Field::i64("more")]).unwrap();
    let altered = meanwhile(|| writer.set_schema(&grown).unwrap());
    let error = writer.update_by_query_with(Query::all(), &update, &Cancel::new(), &altered).unwrap_err();
    assert!(error.to_string().contains("schema was changed"), "{error}");
    writer.commit().unwrap();
    assert_eq!(index.searcher().unwrap().count(Range::new("n").gte(500)).unwrap(), 0);
    assert_eq!(leaked(&(Arc::new(directory) as Arc<dyn Directory>)).unwrap(), [""; 0]);
}

#[test]
fn an_update_that_fails_or_is_cancelled_changes_nothing_and_leaves_no_file() {
    let (directory, index, writer) = filled(90);
    writer.update("d0080", Update::new().remove("n")).unwrap();
    let expected = now(&index, &writer, 90);
    writer.commit().unwrap();
    let cancel = Cancel::new();
    let cancelling = meanwhile(|| cancel.cancel());
    let failures = [
        // The last documents would be beyond 64 bits; segments before them are full by then.
        writer.update_by_query(Query::all(), Update::new().increment("n", i64::MAX - 70)).unwrap_err(),
        writer.update_by_query(Query::all(), Update::new().increment("section", 1)).unwrap_err(),
        writer.update_by_query(Query::all(), Update::new().set("n", "seven")).unwrap_err(),
        writer.update_by_query(Query::all(), Update::new().set("undeclared", 1)).unwrap_err(),
        writer.update_by_query(Query::all(), Update::new().set("id", "d0001")).unwrap_err(),
        writer.update_by_query(Range::new("nothing").gt(1), Update::new()).unwrap_err(),
        writer.delete_by_query(Range::new("section").gt(Value::Bool(true)).gte(1)).unwrap_err(),
        writer.delete_by_query(Knn::new("v", [1.0])).unwrap_err(),
    ];
    assert!(failures.iter().all(|error| error.kind() == ErrorKind::Usage), "{failures:?}");
    assert!(failures[0].to_string().contains(r#"document "d0071": field "n""#), "{}", failures[0]);
    let update = Update::new().increment("n", 1);
    let stopped = writer.update_by_query_with(Query::all(), &update, &cancel, &cancelling).unwrap_err();
    assert!(matches!(stopped.kind(), ErrorKind::Cancelled), "{stopped}");
    let late = Cancel::new().until(std::time::Instant::now());
    assert_eq!(writer.delete_by_query_with(Query::all(), &late).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(now(&index, &writer, 90), expected);
    writer.commit().unwrap();
    assert_eq!(leaked(&(Arc::new(directory) as Arc<dyn Directory>)).unwrap(), [""; 0]);
    writer.update_by_query(Query::all(), &update).unwrap();
    assert_eq!(index.searcher().unwrap().len(), 90);
}

#[test]
fn values_that_cannot_be_read_back_are_not_lost_by_an_update() {
    let body = Field::text("body").stored(false);
    let schema = Schema::builder().key("id").field(body).i64("n").build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer().unwrap();
    writer.add(&Document::new().with("id", "a").with("body", "words").with("n", 1)).unwrap();
    let add = Update::new().increment("n", 1);
    for error in [
        writer.update_by_query(Query::all(), &add).unwrap_err(),
        writer.update("a", &add).unwrap_err(),
        writer.update("a", Update::new().increment("body", 1)).unwrap_err(),
    ] {
        assert!(matches!(&error, Error::NotStored { field } if field == "body"), "{error}");
    }
    writer.update_by_query(Query::all(), add.set("body", "other words")).unwrap();
    writer.refresh().unwrap();
    assert_eq!(index.searcher().unwrap().count(Term::new("body", "other")).unwrap(), 1);
}

#[test]
fn neighbors_are_deleted_and_fields_that_nothing_has_are_reported() {
    let (_, index) =
        in_memory(Schema::builder().key("id").vector("v", Vector::f32(2)).dynamic(true).build().unwrap());
    let writer = index.writer().unwrap();
    for (number, key) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let v = [1.0, number as f32];
        writer.add(&Document::new().with("id", key).with("v", v).with("color", "red")).unwrap();
    }
    assert_eq!(writer.delete_by_query(Knn::new("v", [1.0, 0.0]).k(2)).unwrap().changed, 2);
    let misspelt = Bool::new().must(Query::all()).must_not(Term::new("colour", "red"));
    let report = writer.delete_by_query(misspelt).unwrap();
    assert_eq!((report.changed, report.unknown_fields), (2, vec!["colour".to_owned()]));
    writer.refresh().unwrap();
    assert!(index.searcher().unwrap().is_empty());
}

#[test]
fn documents_expire_when_they_are_asked_to_and_at_no_other_time() {
    let (_, index) = in_memory(schema());
    let writer = index.writer().unwrap();
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for number in 0..10 {
        let expires = (number != 9).then(|| start + Duration::from_secs(number as u64));
        writer.add(&document(number, &mut Rng::new(1)).with("expires_at", expires)).unwrap();
    }
    writer.commit().unwrap();
    assert_eq!(index.searcher().unwrap().len(), 10, "all dates are long past");
    let at = |seconds| start + Duration::from_secs(seconds);
    assert_eq!(writer.delete_expired("expires_at", at(3)).unwrap().changed, 4, "the date itself is too late");
    assert_eq!(writer.delete_expired("expires_at", at(3)).unwrap().matched, 0);
    writer.commit().unwrap();
    assert_eq!(index.searcher().unwrap().len(), 6);
    let cancelled = Cancel::new();
    cancelled.cancel();
    let stopped = writer.delete_expired_with("expires_at", SystemTime::now(), &cancelled).unwrap_err();
    assert_eq!(stopped.kind(), ErrorKind::Cancelled);
    assert_eq!(writer.delete_expired("expires_at", SystemTime::now()).unwrap().changed, 5);
    for field in ["n", "section", "nothing"] {
        assert_eq!(writer.delete_expired(field, at(0)).unwrap_err().kind(), ErrorKind::Usage);
    }
}

#[test]
fn writers_and_merges_go_on_beside_updates_of_many_documents() {
    let (_, index) = in_memory(schema());
    let options = lucerne::WriterOptions::new().threads(1).flush_docs(100);
    let writer = index.writer_with(options).unwrap();
    let mut rng = Rng::new(5);
    let documents: Vec<Document> = (0..2_000).map(|number| document(number, &mut rng)).collect();
    writer.add_batch(&documents).unwrap();
    let done = AtomicBool::new(false);
    let upserts = std::thread::scope(|scope| {
        let upserting = scope.spawn(|| {
            let (mut rng, mut upserts) = (Rng::new(6), 0_u64);
            while !done.load(Ordering::Relaxed) {
                let number = rng.below(500);
                writer.upsert(&document(number, &mut rng).with("n", 1_000_000)).unwrap();
                upserts += 1;
            }
            upserts
        });
        for round in 0..5_i64 {
            let report = writer
                .update_by_query(Range::new("n").lt(1_000_000), Update::new().increment("n", 1))
                .unwrap();
            assert_eq!(report.matched, report.changed + report.skipped, "{round}");
            assert!(report.changed >= 1_500, "{report:?}");
        }
        done.store(true, Ordering::Relaxed);
        upserting.join().unwrap()
    });
    writer.wait_for_merges();
    let found = now(&index, &writer, 2_000);
    assert_eq!((found.len(), index.searcher().unwrap().len()), (2_000, 2_000));
    for (number, (key, document)) in found.iter().enumerate() {
        let n = document.get("n").unwrap();
        let untouched = *n == Value::I64(number as i64 + 5);
        assert!(
            untouched || number < 500 && *n == Value::I64(1_000_000),
            "{key}: {n:?} after {upserts} upserts"
        );
        assert!(!untouched || document.to_json()["v"] == documents[number].to_json()["v"], "{key}");
    }
}

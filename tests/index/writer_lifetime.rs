//! How writers end, and what they warn of.

use lucerne::{Document, Error, ErrorKind, Index, Schema, Similarity, Vector};
use std::fmt::{Debug, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::subscriber::with_default;
use tracing::{Event, Level, Metadata, Subscriber, span};

/// Collects warnings as text.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut text = String::new();
        event.record(&mut Fields(&mut text));
        self.0.lock().unwrap().push(text);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// The warnings of some work on this thread.
fn warnings(work: impl FnOnce()) -> Vec<String> {
    let warnings = Warnings::default();
    with_default(warnings.clone(), work);
    warnings.0.lock().unwrap().clone()
}

fn create(folder: &Path, similarity: Similarity) -> Index {
    let vector = Vector::f32(2).similarity(similarity);
    Index::create(folder, Schema::builder().key("id").vector("e", vector).build().unwrap()).unwrap()
}

fn document(key: &str) -> Document {
    Document::new().with("id", key)
}

#[test]
fn a_writer_that_loses_documents_says_how_many() {
    type Work = fn(&lucerne::Writer);
    let cases: [(&str, Work, Option<u64>); 9] = [
        ("nothing", |_| {}, None),
        (
            "two",
            |writer| drop([writer.add(&document("x")).unwrap(), writer.add(&document("y")).unwrap()]),
            Some(2),
        ),
        ("a batch", |writer| drop(writer.upsert_batch(&[document("x"), document("a")]).unwrap()), Some(2)),
        ("a delete", |writer| assert!(writer.delete("a").unwrap()), Some(1)),
        ("a delete of nothing", |writer| assert!(!writer.delete("nope").unwrap()), None),
        ("a refused one", |writer| drop(writer.add(&document("a")).unwrap_err()), None),
        (
            "refreshed only",
            |writer| {
                writer.update("a", &Document::new().with("e", vec![1.0, 2.0])).unwrap();
                writer.refresh().unwrap();
            },
            Some(1),
        ),
        (
            "rolled back",
            |writer| {
                writer.add(&document("x")).unwrap();
                writer.rollback().unwrap();
            },
            None,
        ),
        (
            "one after a commit",
            |writer| {
                writer.upsert(&document("x")).unwrap();
                writer.commit().unwrap();
                writer.upsert(&document("x")).unwrap();
            },
            Some(1),
        ),
    ];
    for (name, work, lost) in cases {
        let folder = tempfile::tempdir().unwrap();
        let index = create(folder.path(), Similarity::Cosine);
        let writer = index.writer().unwrap();
        writer.add(&document("a")).unwrap();
        writer.commit().unwrap();
        let said = warnings(|| {
            work(&writer);
            drop(writer);
        });
        match lost {
            None => assert!(said.is_empty(), "{name}: {said:?}"),
            Some(lost) => {
                assert_eq!(said.len(), 1, "{name}: {said:?}");
                assert!(said[0].contains(&format!("documents={lost} ")), "{name}: {said:?}");
                assert!(said[0].contains(&*folder.path().to_string_lossy()), "{name}: {said:?}");
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let index = create(folder.path(), Similarity::Cosine);
        let said = warnings(|| {
            let writer = index.writer().unwrap();
            writer.add(&document("a")).unwrap();
            writer.commit().unwrap();
            work(&writer);
            writer.close().unwrap();
        });
        assert!(said.is_empty(), "closed, {name}: {said:?}");
    }
}

#[test]
fn a_shared_writer_is_closed_by_reference_and_lets_the_lock_go() {
    let folder = tempfile::tempdir().unwrap();
    let index = create(folder.path(), Similarity::Cosine);
    let writer = Arc::new(index.writer().unwrap());
    let other = Arc::clone(&writer);
    other.add(&document("a")).unwrap();
    writer.close().unwrap();
    assert_eq!(index.searcher().unwrap().len(), 1);
    writer.close().unwrap();
    for error in [
        other.add(&document("b")).unwrap_err(),
        other.upsert_batch(&[document("b")]).unwrap_err(),
        other.delete("a").unwrap_err(),
        other.refresh().unwrap_err(),
        other.commit().unwrap_err(),
        other.rollback().unwrap_err(),
        other.set_schema(&other.schema()).unwrap_err(),
        other.force_merge(1, &lucerne::Cancel::new()).unwrap_err(),
    ] {
        assert!(matches!(error, Error::WriterClosed), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
    // The closed one is still held, and in nobody's way, now and when it is dropped.
    let next = index.writer().unwrap();
    next.add(&document("b")).unwrap();
    drop((writer, other));
    next.refresh().unwrap();
    assert_eq!(index.searcher().unwrap().len(), 2);
    assert_eq!(index.writer().unwrap_err().kind(), ErrorKind::Locked);
    next.close().unwrap();
}

#[test]
fn what_is_taken_while_a_writer_closes_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let index = create(folder.path(), Similarity::Cosine);
    for round in 0..20 {
        let writer = index.writer().unwrap();
        let (taken, begun) = (AtomicU64::new(0), AtomicBool::new(false));
        let before = index.searcher().unwrap().len() as u64;
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let (writer, taken, begun) = (&writer, &taken, &begun);
                scope.spawn(move || {
                    for number in 0.. {
                        let key = format!("{round}-{thread}-{number}");
                        match writer.add(&document(&key)) {
                            Ok(_) => taken.fetch_add(1, Ordering::Relaxed),
                            Err(error) => return assert!(matches!(error, Error::WriterClosed), "{error:?}"),
                        };
                        begun.store(true, Ordering::Relaxed);
                    }
                });
            }
            while !begun.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            // Two at once: the second waits for the first.
            scope.spawn(|| writer.close().unwrap());
            writer.close().unwrap();
        });
        assert_eq!(index.searcher().unwrap().len() as u64, before + taken.load(Ordering::Relaxed));
    }
}

#[test]
fn the_first_zero_vector_of_a_cosine_field_is_reported() {
    for similarity in [Similarity::Cosine, Similarity::Euclidean, Similarity::MaxInnerProduct] {
        let folder = tempfile::tempdir().unwrap();
        let index = create(folder.path(), similarity);
        let said = warnings(|| {
            let writer = index.writer().unwrap();
            for (key, vector) in [("a", [0.0, 1.0]), ("b", [0.0, -0.0]), ("c", [0.0, 0.0])] {
                writer.add(&document(key).with("e", vector.to_vec())).unwrap();
            }
            writer.close().unwrap();
        });
        match similarity {
            Similarity::Cosine => {
                assert_eq!(said.len(), 1, "{said:?}");
                assert!(said[0].contains("field=\"e\"") && said[0].contains("key=\"b\""), "{said:?}");
            }
            _ => assert!(said.is_empty(), "{said:?}"),
        }
        assert_eq!(index.searcher().unwrap().len(), 3);
    }
}

#[test]
fn a_rollback_takes_back_a_schema_and_the_dropping_of_raw_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema::builder().key("id").vector("v", Vector::f32(16)).build().unwrap();
    let index = Index::create(folder.path(), schema.clone()).unwrap();
    let writer = index.writer().unwrap();
    let vector = |i: usize| {
        (0..16).map(|j| ((i * 7 + j * 3) % 11) as f32 - 5.0 + 0.1 * i as f32).collect::<Vec<f32>>()
    };
    for i in 0..300 {
        writer.add(&Document::new().with("id", format!("{i}")).with("v", vector(i))).unwrap();
    }
    writer.commit().unwrap();
    writer.drop_raw("v").unwrap();
    writer.rollback().unwrap();
    writer.set_schema(&schema.with_added([lucerne::schema::Field::text("t")]).unwrap()).unwrap();
    writer.rollback().unwrap();
    assert!(writer.schema().field("t").is_none());
    writer.add(&Document::new().with("id", "last").with("v", vector(300))).unwrap();
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    let exact = searcher.search(lucerne::Knn::new("v", vector(7)).k(1).exact()).unwrap();
    assert_eq!((exact.keys(), exact.hits[0].distance), (vec!["7"], Some(0.0)));
    assert_eq!(searcher.vector("last", "v").unwrap(), Some(vector(300)));
}

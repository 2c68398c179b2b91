//! Raw vectors are taken away later: what it costs is said before, searches go on, and nothing pretends to be exact.

use crate::common::rng::Rng;
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::query::Rerank;
use lucerne::schema::{Quantization, VectorIndex};
use lucerne::{
    Cancel, Document, Error, ErrorKind, Index, Knn, Query, Schema, Search, Update, Vector, WriterOptions,
    admin,
};
use std::collections::HashSet;
use std::sync::Arc;

const DIMENSION: usize = 48;

fn index(vector: Vector) -> (Index, Arc<RamDirectory>) {
    let schema = Schema::builder().key("id").text("title").vector("v", vector).build().unwrap();
    let directory = Arc::new(RamDirectory::new());
    (IndexBuilder::new().create(Arc::clone(&directory) as _, schema).unwrap(), directory)
}

fn graph() -> Vector {
    Vector::f32(DIMENSION).advanced("graph_threshold", 100)
}

fn options() -> WriterOptions {
    WriterOptions::new().merge_policy(MergePolicy::None).threads(1)
}

fn document(id: usize, rng: &mut Rng) -> Document {
    Document::new().with("id", id.to_string()).with("title", "a title").with("v", rng.vector(DIMENSION))
}

/// Two segments of 300 documents each.
fn filled() -> (Index, Arc<RamDirectory>) {
    let (index, directory) = index(graph());
    let writer = index.writer_with(options()).unwrap();
    let mut rng = Rng::new(7);
    for id in 0..600 {
        writer.add(&document(id, &mut rng)).unwrap();
        if id == 299 {
            writer.commit().unwrap();
        }
    }
    writer.close().unwrap();
    (index, directory)
}

fn names(directory: &RamDirectory, extension: &str) -> Vec<String> {
    use lucerne::codec::Directory as _;
    let names = directory.list().unwrap().into_iter();
    names.filter(|name| name.ends_with(extension)).collect()
}

fn check(directory: &Arc<RamDirectory>) -> Vec<admin::Problem> {
    let directory = Arc::clone(directory) as _;
    admin::check_in(IndexBuilder::new(), directory, &Cancel::new(), &()).unwrap().problems
}

#[test]
fn the_loss_is_said_before_and_is_the_loss_after() {
    let (index, directory) = filled();
    let loss = admin::raw_loss(&index, "v", &Cancel::new(), &()).unwrap();
    assert_eq!((loss.queries, loss.k, loss.segments), (200, 10, 2));
    assert_eq!(loss.bytes, 600 * DIMENSION as u64 * 4 + 2 * 80);
    assert!(loss.rescored >= loss.without_raw && loss.without_raw > 0.9, "{loss:?}");
    let before = index.searcher().unwrap();
    assert_eq!(names(&directory, ".vec").len(), 2);

    let writer = index.writer_with(options()).unwrap();
    let dropped = writer.drop_raw("v").unwrap();
    assert_eq!((dropped.segments, dropped.bytes), (2, loss.bytes));
    writer.commit().unwrap();
    assert_eq!(writer.drop_raw("v").unwrap().segments, 0, "a second time there is nothing to do");
    let after = index.searcher().unwrap();
    assert_eq!(names(&directory, ".vec").len(), 2, "an older searcher reads them");

    let mut found = 0;
    for id in (0..600).step_by(3) {
        let own = before.vector(&id.to_string(), "v").unwrap().unwrap();
        let knn = || Knn::new("v", own.clone()).k(11);
        let exact = before.search(knn().exact()).unwrap();
        let hits = after.search(knn()).unwrap();
        assert!(!hits.exact);
        let exact: HashSet<&str> = exact.keys().into_iter().filter(|key| *key != id.to_string()).collect();
        found += hits.keys().iter().filter(|key| exact.contains(*key)).count();
    }
    let recall = found as f64 / 2_000.0;
    assert!((recall - loss.without_raw).abs() < 0.01, "{recall}, {loss:?}");
    drop(before);
    writer.refresh().unwrap();
    writer.commit().unwrap();
    assert_eq!(names(&directory, ".vec"), [""; 0]);
    assert_eq!(names(&directory, ".si").len(), 2);
}

#[test]
fn nothing_pretends_to_be_exact() {
    let (index, directory) = filled();
    let own = index.searcher().unwrap().vector("5", "v").unwrap().unwrap();
    let writer = index.writer_with(options()).unwrap();
    writer.drop_raw("v").unwrap();
    writer.close().unwrap();
    let searcher = index.searcher().unwrap();
    let knn = || Knn::new("v", own.clone()).k(5);
    for refused in [knn().exact(), knn().rescore(2.0), knn().recall(1.0)] {
        let error = searcher.search(refused).unwrap_err();
        assert!(matches!(&error, Error::NoRawVectors { field, .. } if field == "v"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("below 1"), "{error}");
    }
    let error = searcher.vector("5", "v").unwrap_err();
    assert!(error.to_string().contains("decoded_vector"), "{error}");
    assert_eq!(searcher.get("5").unwrap().unwrap().get("v"), None);
    let decoded = searcher.decoded_vector("5", "v").unwrap().unwrap();
    let product: f32 = decoded.iter().zip(&own).map(|(x, y)| x * y).sum();
    let length = own.iter().map(|value| value * value).sum::<f32>().sqrt();
    assert!(product / length > 0.999);
    // What was rescored before still works, by codes, and says so.
    let reranked = Search::new(lucerne::Match::new("title", "title"));
    let hits = searcher.search(reranked.rerank(Rerank::vector("v", own.clone()).window(1_000))).unwrap();
    assert!(!hits.exact && hits.keys()[0] == "5");
    let explained = searcher.explain(knn(), "5").unwrap().to_string();
    assert!(explained.contains("estimated distance") && !explained.contains("exact"), "{explained}");
    let report = admin::inspect(&searcher).unwrap();
    assert_eq!(report["segments"][0]["fields"]["v"]["raw_vectors"], "not kept");
    assert_eq!(check(&directory), []);
}

#[test]
fn updates_flushes_and_merges_go_on_without_raw_vectors() {
    let (index, directory) = filled();
    let writer = index.writer_with(options()).unwrap();
    writer.drop_raw("v").unwrap();
    writer.commit().unwrap();
    let first = index.searcher().unwrap().decoded_vector("0", "v").unwrap().unwrap();
    let mut rng = Rng::new(8);
    for round in 0..5 {
        for id in 600 + 40 * round..640 + 40 * round {
            writer.upsert(&document(id, &mut rng)).unwrap();
            writer.upsert(&document(id - 500, &mut rng)).unwrap();
        }
        writer.update("0", Document::new().with("title", format!("round {round}"))).unwrap();
        let report =
            writer.update_by_query(Query::all(), Update::new().set("title", round.to_string())).unwrap();
        assert_eq!((report.changed, report.skipped), (report.matched, 0));
        writer.commit().unwrap();
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.commit().unwrap();
    }
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.len(), 800);
    assert_eq!(names(&directory, ".vec"), [""; 0]);
    let last = searcher.decoded_vector("0", "v").unwrap().unwrap();
    let apart = first.iter().zip(&last).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    // A step of the codes is about 0.0035.
    assert!(apart < 0.004, "five updates moved it by {apart}");
    let hits = searcher.search(Knn::new("v", first).k(1)).unwrap();
    assert_eq!(hits.keys(), ["0"]);
    assert_eq!(check(&directory), []);
}

#[test]
fn what_was_not_committed_has_not_happened() {
    let (index, directory) = filled();
    let writer = index.writer_with(options()).unwrap();
    writer.drop_raw("v").unwrap();
    drop(writer);
    let again = IndexBuilder::new().open(Arc::clone(&directory) as _).unwrap();
    let searcher = again.searcher().unwrap();
    assert!(searcher.search(Knn::new("v", vec![1.0; DIMENSION]).exact()).unwrap().exact);
    again.writer().unwrap().close().unwrap();
    assert!(
        names(&directory, ".si").iter().all(|name| !name[1..].contains('_')),
        "what it left is collected"
    );
}

#[test]
fn an_index_may_keep_none_from_the_beginning() {
    let (index, directory) = index(graph().keep_raw(false));
    let writer = index.writer_with(options()).unwrap();
    let mut rng = Rng::new(9);
    for id in 0..300 {
        writer.add(&document(id, &mut rng)).unwrap();
    }
    writer.commit().unwrap();
    assert_eq!(names(&directory, ".vec"), [""; 0]);
    let hits = index.searcher().unwrap().search(Knn::new("v", rng.vector(DIMENSION)).k(7)).unwrap();
    assert_eq!(hits.hits.len(), 7);
    let schema = Schema::builder().key("id").text("title").vector("v", graph()).build().unwrap();
    let error = writer.set_schema(&schema).unwrap_err().to_string();
    assert!(error.contains("do not come back"), "{error}");
}

#[test]
fn fields_that_need_their_raw_vectors_keep_them() {
    let none = graph().quantization(Quantization::None);
    for vector in [none, Vector::f32(DIMENSION).sign_hash(true), graph().recall(1.0), Vector::f32(8)] {
        let (index, directory) = index(vector.clone());
        let writer = index.writer_with(options()).unwrap();
        let error = writer.drop_raw("v").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(error.to_string().contains("keep_raw"), "{error}");
        assert!(writer.schema().vector_field_named("v").unwrap().options().keeps_raw());
        drop((index, directory));
        assert!(
            Schema::builder()
                .vector("v", vector.keep_raw(false).index(VectorIndex::Flat))
                .build()
                .map_or(true, |schema| IndexBuilder::new()
                    .create(Arc::new(RamDirectory::new()), schema)
                    .is_err())
        );
    }
}

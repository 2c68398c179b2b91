//! What an open index has done is counted: by all handles on it, and by nothing else.

use crate::common::documents::{document, in_memory, reopen, vectors_of};
use lucerne::merge::MergePolicy;
use lucerne::search::SearchOptions;
use lucerne::{Cancel, ErrorKind, Knn, Match, Query, Similarity, WriterOptions};
use std::time::Duration;

#[test]
fn what_an_open_index_has_done_is_counted() {
    let (directory, index) = in_memory(vectors_of(2, Similarity::Euclidean));
    let writer = index.writer_with(WriterOptions::new().merge_policy(MergePolicy::None)).unwrap();
    for round in 0..2 {
        for number in 0..10 {
            writer.upsert(&document(format!("d{round}{number}"), [number as f32, 1.0])).unwrap();
        }
        writer.commit().unwrap();
    }
    assert!(writer.delete("d00").unwrap() && !writer.delete("nothing").unwrap());
    writer.force_merge(1, &Cancel::new()).unwrap();
    writer.commit().unwrap();
    writer.commit().unwrap(); // Nothing has changed.
    let stats = index.stats();
    assert_eq!((stats.documents_added, stats.documents_deleted), (20, 1));
    assert_eq!((stats.flushes.count(), stats.merges.count(), stats.failed_merges), (2, 1, 0));
    assert!((3..=4).contains(&stats.commits.count()), "{stats:?}");
    assert!(stats.bytes_flushed > 0 && stats.bytes_merged > 0);
    assert_eq!(stats.searches.count(), 0);

    let searcher = index.clone().searcher().unwrap();
    let late = SearchOptions::new().timeout(Duration::ZERO);
    let cancel = Cancel::new();
    cancel.cancel();
    searcher.search(Knn::new("v", [0.0, 0.0]).k(3)).unwrap();
    searcher.search_with(Query::all(), &late).unwrap_err();
    searcher.search_with(Query::all(), &late.clone().partial()).unwrap();
    let cancelled = searcher.search_with(Query::all(), &SearchOptions::new().cancel(&cancel)).unwrap_err();
    assert_eq!(cancelled.kind(), ErrorKind::Cancelled);
    searcher.search(Match::new("nothing", "word")).unwrap_err();
    assert!(searcher.search_many([Query::all()], &SearchOptions::new())[0].is_ok());
    let of_searches = index.stats().since(&stats);
    let ended = (of_searches.timed_out_searches, of_searches.cancelled_searches, of_searches.failed_searches);
    assert_eq!((of_searches.searches.count(), ended, of_searches.hits), (6, (2, 1, 1), 13));
    assert_eq!((of_searches.documents_added, of_searches.commits.count()), (0, 0));
    assert!(of_searches.searches.mean() <= of_searches.searches.max());
    assert_eq!(reopen(&directory).stats().searches.count(), 0, "of this handle and its clones");
}

#[test]
fn hits_say_where_the_time_went() {
    let (_, index) = in_memory(vectors_of(2, Similarity::Euclidean));
    let writer = index.writer().unwrap();
    (0..50).for_each(|number| drop(writer.add(&document(format!("d{number}"), [number as f32, 1.0]))));
    writer.commit().unwrap();
    let took = index.searcher().unwrap().search(Knn::new("v", [0.0, 0.0]).fields(["id"])).unwrap().took;
    assert!(took.total > Duration::ZERO && took.search > Duration::ZERO && took.stored > Duration::ZERO);
    assert!(took.resolve + took.search + took.rerank + took.stored <= took.total);
}

//! An index in shards in a folder: every key once, in its shard; commits; what is left after a crash between shards.

use crate::common::rng::Rng;
use lucerne::search::{SearchOptions, ShardedSearch, Stopped};
use lucerne::shards::{ShardedIndex, shard_of, shard_path};
use lucerne::{Cancel, Document, ErrorKind, Fuse, Index, Knn, Match, Query, Schema, Search, Sort, Vector};
use std::fs;
use std::time::Duration;

fn schema() -> Schema {
    Schema::builder().key("id").text("t").i64("n").vector("v", Vector::f32(2)).build().unwrap()
}

fn document(n: usize) -> Document {
    let v = vec![n as f32, 1.0];
    Document::new()
        .with("id", format!("k{n}"))
        .with("t", format!("word w{}", n % 7))
        .with("n", n)
        .with("v", v)
}

#[test]
fn each_document_is_in_the_shard_of_its_key_and_is_replaced_and_deleted_there() {
    let folder = tempfile::tempdir().unwrap();
    let index = ShardedIndex::create(folder.path(), schema(), 3).unwrap();
    let writer = index.writer().unwrap();
    writer.add_batch(&(0..300).map(document).collect::<Vec<_>>()).unwrap();
    writer.upsert(&document(5).with("t", "other")).unwrap();
    writer.upsert_batch(&[document(6).with("t", "other"), document(300)]).unwrap();
    writer.update("k7", Document::new().with("t", "other")).unwrap();
    assert!(writer.delete("k8").unwrap() && !writer.delete("k8").unwrap());
    assert_eq!(writer.add(&document(9)).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(index.searcher().unwrap().len(), 0);
    assert_eq!(writer.commit().unwrap(), [2, 2, 2]);
    writer.close().unwrap();

    let index = ShardedIndex::open(folder.path()).unwrap();
    let searcher = index.searcher().unwrap();
    assert_eq!((searcher.len(), searcher.generations()), (300, vec![2, 2, 2]));
    let least = searcher.shards().iter().map(|shard| shard.len()).min().unwrap();
    assert!(least > 70, "keys are spread: {least}");
    for n in (0..301).filter(|n| *n != 8) {
        let key = format!("k{n}");
        assert!(searcher.shards()[shard_of(&key, 3)].get(&key).unwrap().is_some());
    }
    assert_eq!(searcher.get("k8").unwrap(), None);
    assert_eq!(searcher.count(Match::new("t", "other")).unwrap(), 3);
    let by_number = searcher.search(Search::new(Query::all()).sort(Sort::desc("n")).limit(3)).unwrap();
    assert_eq!(by_number.keys(), ["k300", "k299", "k298"]);
}

#[test]
fn after_updates_and_deletes_scores_are_those_of_one_index_once_both_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let one = Index::create(folder.path().join("one"), schema()).unwrap();
    let shards = ShardedIndex::create(folder.path().join("shards"), schema(), 3).unwrap();
    let (writer, sharded) = (one.writer().unwrap(), shards.writer().unwrap());
    let (mut rng, cancel) = (Rng::new(11), Cancel::new());
    for round in 0..4 {
        for _ in 0..150 {
            let n = rng.below(200);
            if rng.chance(30) {
                let key = format!("k{n}");
                assert_eq!(writer.delete(&key).unwrap(), sharded.delete(&key).unwrap());
            } else {
                let other = document(n).with("t", format!("word w{} w{}", rng.below(9), rng.below(9)));
                writer.upsert(&other).unwrap();
                sharded.upsert(&other).unwrap();
            }
        }
        writer.commit().unwrap();
        sharded.commit().unwrap();
        writer.expunge_deletes(0.0, &cancel).unwrap();
        writer.commit().unwrap();
        for shard in sharded.writers() {
            shard.expunge_deletes(0.0, &cancel).unwrap();
            shard.commit().unwrap();
        }
        let (one, shards) = (one.searcher().unwrap(), shards.searcher().unwrap());
        assert_eq!(one.len(), shards.len());
        for w in 0..9 {
            let search = Search::new(Match::new("t", format!("word w{w} w{}", w / 2))).limit(50);
            let found = shards.search(&search).unwrap();
            assert_eq!(found.hits, one.search(&search).unwrap().hits, "round {round}, w{w}");
            assert!(!found.hits.is_empty());
        }
    }
}

#[test]
fn a_searcher_stays_until_it_is_reopened() {
    let folder = tempfile::tempdir().unwrap();
    let index = ShardedIndex::create(folder.path(), schema(), 2).unwrap();
    let writer = index.writer().unwrap();
    let old = index.searcher().unwrap();
    writer.add(&document(1)).unwrap();
    writer.refresh().unwrap();
    assert_eq!(old.len(), 0);
    let new = index.reopen_if_newer(&old).unwrap().unwrap();
    assert_eq!((old.len(), new.len()), (0, 1));
    assert!(index.reopen_if_newer(&new).unwrap().is_none());
}

#[test]
fn only_folders_of_shards_are_opened_and_none_is_created_over_another_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shards");
    assert_eq!(ShardedIndex::open(&path).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(ShardedIndex::create(&path, schema(), 0).unwrap_err().kind(), ErrorKind::Usage);
    let automatic = Schema::builder().text("t").build().unwrap();
    assert_eq!(ShardedIndex::create(&path, automatic, 2).unwrap_err().kind(), ErrorKind::Usage);
    ShardedIndex::create(&path, schema(), 2).unwrap();
    assert_eq!(ShardedIndex::create(&path, schema(), 2).unwrap_err().kind(), ErrorKind::AlreadyExists);
    let one = folder.path().join("one");
    Index::create(&one, schema()).unwrap();
    assert_eq!(ShardedIndex::create(&one, schema(), 2).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(ShardedIndex::open(&one).unwrap_err().kind(), ErrorKind::NotFound);
    for damaged in
        ["", "{}", r#"{"version":9,"shards":2,"hash":"crc32"}"#, r#"{"version":1,"shards":0,"hash":"crc32"}"#]
    {
        fs::write(path.join("shards.json"), damaged).unwrap();
        assert_eq!(ShardedIndex::open(&path).unwrap_err().kind(), ErrorKind::Corrupt, "{damaged:?}");
    }
}

#[test]
fn a_commit_that_ends_between_shards_leaves_each_document_whole_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let index = ShardedIndex::create(folder.path(), schema(), 2).unwrap();
    let writer = index.writer().unwrap();
    (0..50).for_each(|n| _ = writer.add(&document(n)).unwrap());
    writer.writers()[0].commit().unwrap();
    drop(writer);
    drop(index);
    let index = ShardedIndex::open(folder.path()).unwrap();
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.generations(), [2, 1]);
    let of_first = (0..50).filter(|n| shard_of(&format!("k{n}"), 2) == 0).count() as u64;
    assert_eq!(searcher.len(), of_first);
    let writer = index.writer().unwrap();
    writer.upsert_batch(&(0..50).map(document).collect::<Vec<_>>()).unwrap();
    writer.close().unwrap();
    assert_eq!(index.searcher().unwrap().len(), 50);
}

#[test]
fn a_writer_of_one_shard_elsewhere_locks_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let index = ShardedIndex::create(folder.path(), schema(), 3).unwrap();
    let shard = Index::open(shard_path(folder.path(), 1)).unwrap();
    let writer = shard.writer().unwrap();
    assert_eq!(index.writer().unwrap_err().kind(), ErrorKind::Locked);
    writer.close().unwrap();
    index.writer().unwrap();
}

#[test]
fn a_deadline_is_an_error_or_a_marked_part() {
    let folder = tempfile::tempdir().unwrap();
    let index = ShardedIndex::create(folder.path(), schema(), 3).unwrap();
    let writer = index.writer().unwrap();
    (0..60).for_each(|n| _ = writer.add(&document(n)).unwrap());
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    let hybrid =
        || Search::new(Fuse::rrf().query(Match::new("t", "word w1")).query(Knn::new("v", [8.0, 1.0])));
    let at_once = SearchOptions::new().timeout(Duration::ZERO);
    assert_eq!(searcher.search_with(hybrid(), &at_once).unwrap_err().kind(), ErrorKind::TimedOut);
    let part = searcher.search_with(hybrid(), &at_once.partial()).unwrap();
    assert_eq!((part.stopped, part.hits.len()), (Some(Stopped::TimedOut), 0));
    let whole = searcher.search_with(hybrid(), &SearchOptions::new().threads(2)).unwrap();
    assert_eq!(whole.hits, searcher.search(hybrid()).unwrap().hits);
    let shards = whole.shards.unwrap();
    assert_eq!((shards.total, shards.answered, whole.stopped), (3, 3, None));
}

#[test]
fn another_number_of_shards_and_an_index_beside_them_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shards");
    ShardedIndex::create(&path, schema(), 4).unwrap();
    let layout = path.join("shards.json");
    let said = fs::read_to_string(&layout).unwrap();
    fs::write(&layout, said.replace('4', "2")).unwrap();
    let error = ShardedIndex::open(&path).unwrap_err();
    assert!(error.to_string().contains("2 shards, and there is a folder shard-2"), "{error}");
    fs::write(&layout, said).unwrap();
    ShardedIndex::open(&path).unwrap();
    let error = Index::create(&path, schema()).unwrap_err();
    assert!(error.to_string().contains("there is an index in shards"), "{error}");
    for shards in [0, 1_025, usize::MAX] {
        let error = ShardedSearch::new(Match::new("t", "word"), &schema(), shards).unwrap_err();
        assert!(error.to_string().contains("expected 1 to 1024"), "{error}");
    }
}

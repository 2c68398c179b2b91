//! Commits that are kept: named, opened, gone back to, and let go of.

use crate::common::documents::{in_memory, reopen, small_segments};
use lucerne::codec::{Cancel, Directory};
use lucerne::directory::RamDirectory;
use lucerne::directory::fault::FaultDirectory;
use lucerne::index::{CommitRef, IndexBuilder};
use lucerne::{Document, Error, ErrorKind, Index, Schema, WriterOptions, admin};
use std::sync::Arc;

fn schema() -> Schema {
    Schema::builder().key("id").i64("version").build().unwrap()
}

fn document(key: &str, version: i64) -> Document {
    Document::new().with("id", key).with("version", version)
}

/// Keys and versions, sorted.
fn content(searcher: &lucerne::Searcher) -> Vec<String> {
    let keys = ["a", "b", "c", "d"].iter();
    let found = keys.filter_map(|key| Some((key, searcher.get(key).unwrap()?)));
    found.map(|(key, found)| format!("{key}{}", found.to_json()["version"])).collect()
}

fn commits(directory: &RamDirectory) -> Vec<String> {
    let names = directory.list().unwrap().into_iter();
    names.filter(|name| name.starts_with("segments_")).collect()
}

fn check(directory: &RamDirectory) {
    let directory: Arc<dyn Directory> = Arc::new(directory.clone());
    let report = admin::check_in(IndexBuilder::new(), directory, &Cancel::new(), &()).unwrap();
    assert!(report.ok(), "{report:?}");
}

#[test]
fn a_tag_keeps_a_commit_until_it_is_taken_away() {
    let (directory, index) = in_memory(schema());
    let writer = index.writer_with(small_segments(2)).unwrap();
    writer.upsert_batch(&[document("a", 1), document("b", 1), document("c", 1)]).unwrap();
    let first = writer.tag("first").unwrap();
    assert_eq!(writer.generation(), first, "the tag names the commit that it makes");
    writer.upsert(&document("b", 2)).unwrap();
    writer.delete("a").unwrap();
    writer.commit().unwrap();
    writer.tag("second").unwrap();
    writer.upsert_batch(&[document("a", 3), document("b", 3), document("c", 3)]).unwrap();
    writer.force_merge(1, &Cancel::new()).unwrap();
    writer.close().unwrap();
    check(&directory);

    // In this process and in another, by name and by number.
    for index in [&index, &reopen(&directory)] {
        assert_eq!(content(&index.open_at("first").unwrap()), ["a1", "b1", "c1"]);
        assert_eq!(content(&index.open_at(first).unwrap()), ["a1", "b1", "c1"]);
        assert_eq!(content(&index.open_at("second".to_owned()).unwrap()), ["b2", "c1"]);
        assert_eq!(content(&index.searcher().unwrap()), ["a3", "b3", "c3"]);
        let tags: Vec<String> = index.tags().unwrap().into_keys().collect();
        assert_eq!(
            (tags, index.commits().unwrap().len()),
            (vec!["first".to_owned(), "second".to_owned()], 3)
        );
    }

    let files = directory.list().unwrap().len();
    let writer = index.writer_with(small_segments(2)).unwrap();
    assert_eq!(directory.list().unwrap().len(), files, "opening a writer deletes nothing of theirs");
    writer.tag_at("again", "first").unwrap();
    writer.untag("first").unwrap();
    assert_eq!(content(&index.open_at("again").unwrap()), ["a1", "b1", "c1"]);
    writer.untag("again").unwrap();
    assert!(directory.list().unwrap().len() < files);
    writer.untag("second").unwrap();
    writer.close().unwrap();
    assert_eq!(commits(&directory).len(), 1);
    assert!(directory.list().unwrap().iter().all(|name| !name.starts_with("_0")), "{:?}", directory.list());
    check(&directory);
}

#[test]
fn a_commit_is_restored_with_its_schema_and_user_data_and_nothing_is_copied() {
    let (directory, index) = in_memory(schema());
    let writer = index.writer_with(small_segments(2)).unwrap();
    writer.upsert_batch(&[document("a", 1), document("b", 1), document("c", 1)]).unwrap();
    writer.prepare_commit_with([("queue".to_owned(), "17".to_owned())].into()).unwrap().commit().unwrap();
    writer.delete("b").unwrap();
    writer.tag("good").unwrap();
    let more = Schema::builder().key("id").i64("version").text("note").build().unwrap();
    writer.set_schema(&more).unwrap();
    writer.upsert(&document("a", 2).with("note", "x")).unwrap();
    writer.delete("c").unwrap();
    writer.prepare_commit_with([("queue".to_owned(), "99".to_owned())].into()).unwrap().commit().unwrap();
    writer.tag("bad").unwrap();
    writer.upsert(&document("d", 2)).unwrap(); // Never committed.
    let segments = |directory: &RamDirectory| {
        let names = directory.list().unwrap().into_iter().filter(|name| name.starts_with('_'));
        names.collect::<Vec<_>>()
    };
    let before = segments(&directory);

    let generation = writer.restore("good").unwrap();
    let searcher = index.searcher().unwrap();
    assert_eq!(
        (content(&searcher), searcher.generation()),
        (vec!["a1".to_owned(), "c1".to_owned()], generation)
    );
    assert_eq!(searcher.user_data()["queue"], "17");
    assert_eq!((searcher.schema(), &writer.schema()), (&schema(), &schema()));
    assert_eq!(segments(&directory), before);
    check(&directory);

    // The writer goes on from there; the way back is open.
    assert!(matches!(writer.add(&document("c", 5)), Err(Error::DuplicateKey { .. })));
    writer.add(&document("b", 5)).unwrap();
    writer.commit().unwrap();
    assert_eq!(content(&reopen(&directory).searcher().unwrap()), ["a1", "b5", "c1"]);
    writer.restore("bad").unwrap();
    assert_eq!(content(&index.searcher().unwrap()), ["a2"]);
    assert_eq!(writer.schema(), more);
    writer.upsert(&document("b", 6).with("note", "y")).unwrap();
    writer.force_merge(1, &Cancel::new()).unwrap();
    writer.close().unwrap();
    assert_eq!(content(&reopen(&directory).open_at("good").unwrap()), ["a1", "c1"]);
    check(&directory);
}

#[test]
fn automatic_keys_are_not_given_twice_after_a_restore() {
    let schema = Schema::builder().i64("version").build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer().unwrap();
    let first = writer.add(&Document::new().with("version", 1)).unwrap();
    writer.tag("one").unwrap();
    let second = writer.add(&Document::new().with("version", 2)).unwrap();
    writer.commit().unwrap();
    writer.restore("one").unwrap();
    let third = writer.add(&Document::new().with("version", 3)).unwrap();
    assert!(first < second && second < third, "{first}, {second}, {third}");
}

#[test]
fn so_many_commits_are_kept_as_asked_and_later_writers_keep_as_many() {
    let (directory, index) = in_memory(schema());
    let mut version = 0;
    let mut write = |index: &Index, options: WriterOptions, commits: usize| {
        let writer = index.writer_with(options).unwrap();
        for _ in 0..commits {
            version += 1;
            writer.upsert(&document("a", version)).unwrap();
            writer.commit().unwrap();
        }
        writer.close().unwrap();
    };
    write(&index, small_segments(9), 3);
    assert_eq!(commits(&directory).len(), 1, "by default one");
    write(&index, small_segments(9).keep_commits(3), 5);
    assert_eq!(index.commits().unwrap().len(), 3);
    write(&reopen(&directory), WriterOptions::new(), 4);
    let kept = index.commits().unwrap();
    let contents: Vec<_> = kept.iter().map(|at| content(&index.open_at(*at).unwrap())).collect();
    assert_eq!(contents, [["a12"], ["a11"], ["a10"]]);
    assert_eq!(commits(&directory).len(), 3);
    check(&directory);
    write(&index, small_segments(9).keep_commits(1), 1);
    assert_eq!(commits(&directory).len(), 1);
    let error = index.open_at(kept[1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(matches!(error, Error::NoSuchCommit { .. }), "{error}");
}

#[test]
fn names_that_are_wrong_taken_or_unknown_change_nothing() {
    let (directory, index) = in_memory(schema());
    let writer = index.writer().unwrap();
    writer.add(&document("a", 1)).unwrap();
    let tagged = writer.tag("v1").unwrap();
    writer.add(&document("b", 1)).unwrap();
    let before = directory.list().unwrap();
    let usage = [writer.tag("v1"), writer.tag("7"), writer.tag("a/b"), writer.tag("")];
    for error in usage.map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
    let unknown = [writer.untag("v2"), writer.restore("v2"), writer.restore(99), writer.tag_at("v2", 99)];
    for error in unknown.map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    }
    let error = index.open_at("v2").unwrap_err().to_string();
    assert_eq!(error, format!("no commit \"v2\" is kept; there are: {tagged} (v1)"));
    assert_eq!(directory.list().unwrap(), before);
    writer.commit().unwrap();
    assert_eq!(content(&index.searcher().unwrap()), ["a1", "b1"]);
    assert_eq!(CommitRef::from(7).to_string(), "7");
}

#[test]
fn a_commit_that_is_kept_and_damaged_loses_no_other_file() {
    let (directory, index) = in_memory(schema());
    let writer = index.writer_with(small_segments(2)).unwrap();
    writer.upsert_batch(&[document("a", 1), document("b", 1)]).unwrap();
    let tagged = writer.tag("v1").unwrap();
    writer.upsert_batch(&[document("a", 2), document("b", 2)]).unwrap();
    writer.close().unwrap();
    let name = format!("segments_{tagged}");
    let bytes = directory.open(&name).unwrap().bytes().to_vec();
    directory.delete(&name).unwrap();
    let mut damaged = directory.create(&name).unwrap();
    damaged.write(&bytes[..bytes.len() - 5]).unwrap();
    damaged.finish().unwrap();
    let before = directory.list().unwrap();
    let writer = reopen(&directory).writer_with(small_segments(2)).unwrap();
    writer.upsert(&document("c", 3)).unwrap();
    writer.commit().unwrap();
    let names = directory.list().unwrap();
    assert!(
        before.iter().filter(|name| name.starts_with("_0")).all(|name| names.contains(name)),
        "{names:?}"
    );
    assert_eq!(reopen(&directory).open_at("v1").unwrap_err().kind(), ErrorKind::Corrupt);
    writer.untag("v1").unwrap();
    writer.close().unwrap();
    assert!(directory.list().unwrap().iter().all(|name| !name.starts_with("_0.")));
}

#[test]
fn a_reader_follows_a_writer_and_looks_once_when_nothing_has_changed() {
    let (directory, index) = in_memory(schema());
    let reader = reopen(&directory); // As in another process.
    let mut seen = reader.searcher().unwrap();
    assert!(reader.reopen_if_newer(&seen).unwrap().is_none());
    let writer = index.writer().unwrap();
    for version in 1..4 {
        writer.upsert(&document("a", version)).unwrap();
        writer.refresh().unwrap();
        assert!(reader.reopen_if_newer(&seen).unwrap().is_none(), "others see commits only");
        writer.commit().unwrap();
        seen = reader.reopen_if_newer(&seen).unwrap().expect("a newer commit");
        assert_eq!(content(&seen), [format!("a{version}")]);
        assert!(reader.reopen_if_newer(&seen).unwrap().is_none());
    }
    let disk = FaultDirectory::new();
    let index_on_disk = IndexBuilder::new().create(Arc::new(disk.clone()), schema()).unwrap();
    let (found, before) = (index_on_disk.searcher().unwrap(), disk.operations());
    assert!(index_on_disk.reopen_if_newer(&found).unwrap().is_none());
    assert_eq!(disk.operations() - before, 1, "{:?}", disk.log());
    // In the writer's process a refresh counts, too.
    let own = index.searcher().unwrap();
    assert!(index.reopen_if_newer(&own).unwrap().is_none());
    writer.upsert(&document("b", 1)).unwrap();
    assert!(index.reopen_if_newer(&own).unwrap().is_none());
    writer.refresh().unwrap();
    let refreshed = index.reopen_if_newer(&own).unwrap().unwrap();
    assert_eq!(content(&refreshed), ["a3", "b1"]);
    drop(writer);
    // What was never committed is gone with the writer.
    assert_eq!(content(&index.reopen_if_newer(&refreshed).unwrap().unwrap()), ["a3"]);
}

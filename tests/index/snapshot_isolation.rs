//! A searcher is a point in time: its answers never change and its files never go away, whatever is written,
//! deleted and committed after it, by whomever.

use crate::common::documents::{document, one_field, small_segments};
use crate::common::rng::Rng;
use lucerne::{Hits, Index, Knn, Searcher, Vector, Writer};
use std::collections::BTreeSet;
use std::path::Path;

const DIMENSION: usize = 12;
const KEYS: usize = 60;

/// Everything a searcher can be asked, asked.
#[derive(Debug, PartialEq)]
struct Answers {
    len: u64,
    generation: u64,
    searches: Vec<Hits>,
    documents: Vec<Option<lucerne::Document>>,
}

fn ask(searcher: &Searcher) -> Answers {
    let mut rng = Rng::new(5);
    let none: [&str; 0] = [];
    let searches = (0..6).flat_map(|_| {
        let knn = Knn::new("v", rng.vector(DIMENSION)).k(15).fields(none);
        [knn.clone(), knn.clone().exact(), knn.clone().rescore(2.0), knn.candidates(15)]
    });
    Answers {
        len: searcher.len(),
        generation: searcher.generation(),
        searches: searches.map(|knn| searcher.search(&knn).unwrap()).collect(),
        documents: (0..KEYS).map(|i| searcher.get(&format!("k{i}")).unwrap()).collect(),
    }
}

fn files_of(searcher: &Searcher) -> BTreeSet<String> {
    let report = lucerne::admin::inspect(searcher).unwrap();
    let segments = report["segments"].as_array().unwrap().iter();
    let files = segments.flat_map(|segment| segment["files"].as_array().unwrap());
    let names = files.map(|file| file["name"].as_str().unwrap().to_owned());
    // Live docs are read whole when a snapshot is opened; their files are not needed after that.
    names.filter(|name| !name.ends_with(".live")).collect()
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Some writes: nearly every document is replaced or deleted.
fn churn(writer: &Writer, rng: &mut Rng) {
    for _ in 0..KEYS * 2 {
        let key = format!("k{}", rng.below(KEYS));
        if rng.chance(30) {
            writer.delete(&key).unwrap();
        } else {
            writer.upsert(&document(key, rng.vector(DIMENSION))).unwrap();
        }
    }
}

fn create(folder: &Path) -> Index {
    Index::create(folder, one_field(Vector::f32(DIMENSION).advanced("graph_threshold", 4))).unwrap()
}

#[test]
fn a_held_searcher_answers_the_same_through_writes_commits_and_rollbacks() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = Rng::new(1);
    let index = create(folder.path());
    let writer = index.writer_with(small_segments(16)).unwrap();
    let mut held: Vec<(Searcher, Answers)> = Vec::new();
    for round in 0..8 {
        churn(&writer, &mut rng);
        match round % 4 {
            0 => writer.refresh().unwrap(),
            1 | 2 => drop(writer.commit().unwrap()),
            _ => writer.rollback().unwrap(),
        }
        let searcher = index.searcher().unwrap();
        let answers = ask(&searcher);
        held.push((searcher, answers));
        let present = names_in(folder.path());
        for (searcher, answers) in &held {
            assert_eq!(ask(searcher), *answers, "in round {round}");
            let missing: Vec<_> = files_of(searcher).difference(&present).cloned().collect();
            assert!(missing.is_empty(), "files of an open snapshot were deleted: {missing:?}");
        }
    }
    // Without writer and index too.
    drop(writer);
    drop(index);
    for (searcher, answers) in &held {
        assert_eq!(ask(searcher), *answers);
    }
}

#[test]
fn files_go_away_when_the_last_searcher_that_needs_them_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = Rng::new(2);
    let index = create(folder.path());
    let writer = index.writer_with(small_segments(16)).unwrap();
    let all = |rng: &mut Rng| {
        (0..KEYS)
            .for_each(|i| drop(writer.upsert(&document(format!("k{i}"), rng.vector(DIMENSION))).unwrap()));
        writer.commit().unwrap();
        index.searcher().unwrap()
    };
    let old = all(&mut rng);
    let also_old = old.clone();
    let new = all(&mut rng);
    let old_files = files_of(&old);
    let only_old: BTreeSet<_> = old_files.difference(&files_of(&new)).cloned().collect();
    assert!(!only_old.is_empty());
    drop(old);
    drop(all(&mut rng));
    let present = names_in(folder.path());
    assert!(only_old.is_subset(&present), "a clone of the searcher still needs them");
    let before = ask(&also_old);
    assert_eq!(ask(&also_old), before);
    drop(also_old);
    drop(all(&mut rng));
    let left: Vec<_> = only_old.intersection(&names_in(folder.path())).cloned().collect();
    assert!(left.is_empty(), "nobody needs {left:?}");
}

#[test]
fn a_searcher_of_another_handle_keeps_its_answers_when_its_files_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = Rng::new(3);
    let index = create(folder.path());
    let writer = index.writer_with(small_segments(16)).unwrap();
    churn(&writer, &mut rng);
    writer.commit().unwrap();
    // A handle of its own shares nothing with the writer: the same as in another process.
    let searcher = Index::open(folder.path()).unwrap().searcher().unwrap();
    let answers = ask(&searcher);
    let needed = files_of(&searcher);
    for _ in 0..3 {
        for i in 0..KEYS {
            writer.upsert(&document(format!("k{i}"), rng.vector(DIMENSION))).unwrap();
        }
        writer.commit().unwrap();
        assert_eq!(ask(&searcher), answers);
    }
    assert!(needed.is_disjoint(&names_in(folder.path())), "its files are gone by now");
    drop(writer);
    drop(index);
    folder.close().unwrap();
    assert_eq!(ask(&searcher), answers);
}

#[test]
fn four_threads_read_one_snapshot_while_it_is_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = Rng::new(4);
    let index = create(folder.path());
    let writer = index.writer_with(small_segments(16)).unwrap();
    churn(&writer, &mut rng);
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    let answers = ask(&searcher);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..6).for_each(|_| assert_eq!(ask(&searcher), answers)));
        }
        for round in 0..6 {
            churn(&writer, &mut rng);
            if round % 2 == 0 {
                writer.commit().unwrap();
            } else {
                writer.refresh().unwrap();
            }
        }
    });
}

#[test]
fn a_commit_of_nothing_takes_back_what_a_refresh_showed() {
    let folder = tempfile::tempdir().unwrap();
    let index = create(folder.path());
    let writer = index.writer().unwrap();
    let before = index.searcher().unwrap().generation();
    writer.add(&document("a", [1.0; DIMENSION])).unwrap();
    writer.refresh().unwrap();
    assert_eq!(index.searcher().unwrap().len(), 1);
    assert!(writer.delete("a").unwrap());
    assert_eq!(writer.commit().unwrap(), before, "the index is what it was");
    assert!(index.searcher().unwrap().is_empty());
}

#[test]
fn what_is_refreshed_between_the_phases_of_a_commit_follows_that_commit() {
    let folder = tempfile::tempdir().unwrap();
    let index = create(folder.path());
    let writer = index.writer().unwrap();
    writer.add(&document("a", [1.0; DIMENSION])).unwrap();
    let notes = std::collections::BTreeMap::from([("offset".to_owned(), "17".to_owned())]);
    let prepared = writer.prepare_commit_with(notes.clone()).unwrap();
    writer.add(&document("b", [2.0; DIMENSION])).unwrap();
    writer.refresh().unwrap();
    let generation = prepared.commit().unwrap();
    let searcher = index.searcher().unwrap();
    assert_eq!((searcher.len(), searcher.generation(), searcher.user_data()), (2, generation, &notes));
    drop(writer);
    assert_eq!(index.searcher().unwrap().len(), 1, "the second document was never committed");
}

//! Only what nobody needs is swept, and only by its age.

use crate::index::{content, create, write, writer};
use crate::server::{Server, age};
use crate::transfers::push_now;
use lucerne::{Cancel, ErrorKind, Index};
use lucerne_object_store::{PullOptions, SHORTEST_AGE, list_commits, open, pull, sweep};
use std::time::Duration;

const DAY: Duration = SHORTEST_AGE;

#[test]
fn old_commits_and_files_without_a_commit_go_by_their_age_alone() {
    let (server, folder) = (Server::start(2), tempfile::tempdir().unwrap());
    let (remote, index) = (server.remote("notes"), create(&folder.path().join("live")));
    for number in 0..4 {
        write(&index, number..10, number as i64);
        push_now(&index, &remote).unwrap();
    }
    let merging = writer(&index);
    merging.force_merge(1, &Cancel::new()).unwrap();
    merging.close().unwrap();
    push_now(&index, &remote).unwrap();
    // A push that did not end; somebody else's file.
    let orphan = server.folder("notes/files/00000000000000000000000000000000/_9.keys.00000001");
    std::fs::create_dir(orphan.parent().unwrap()).unwrap();
    std::fs::write(&orphan, "half a push").unwrap();
    std::fs::write(server.folder("notes/files/read me"), "not lucerne's").unwrap();

    let swept = sweep(&remote, DAY, &Cancel::new()).unwrap();
    assert_eq!(
        (swept.deleted_commits, swept.deleted_files, swept.kept_commits),
        (0, 0, 5),
        "all of it is young"
    );

    age(&server.folder("notes"), DAY * 2);
    write(&index, 0..3, 9);
    push_now(&index, &remote).unwrap();
    let swept = sweep(&remote, DAY, &Cancel::new()).unwrap();
    assert_eq!((swept.deleted_commits, swept.kept_commits), (4, 2), "the last one was followed a moment ago");
    assert!(swept.deleted_files > 10 && swept.deleted_bytes > 1_000, "{swept:?}");
    assert!(!orphan.exists() && server.folder("notes/files/read me").exists());
    let numbers: Vec<u64> =
        list_commits(&remote, &Cancel::new()).unwrap().iter().map(|commit| commit.number).collect();
    assert_eq!(numbers, [6, 5]);
    for (number, commit) in list_commits(&remote, &Cancel::new()).unwrap().iter().enumerate() {
        let options = PullOptions::new().generation(commit.generation);
        let cache = folder.path().join(format!("cache{number}"));
        let (pulled, _) = open(&remote, &cache, &options, &Cancel::new(), &()).unwrap();
        assert_eq!(pulled.searcher().unwrap().len(), 10);
    }

    age(&server.folder("notes"), DAY * 9);
    let swept = sweep(&remote, DAY, &Cancel::new()).unwrap();
    assert_eq!((swept.deleted_commits, swept.kept_commits), (1, 1), "the newest stays, however old");
    let again = sweep(&remote, DAY, &Cancel::new()).unwrap();
    assert_eq!((again.deleted_commits, again.deleted_files), (0, 0));
    pull(&remote, folder.path().join("cache0"), &PullOptions::new(), &Cancel::new(), &()).unwrap();
    let pulled = Index::open(folder.path().join("cache0")).unwrap().searcher().unwrap();
    assert_eq!(content(&pulled), content(&index.searcher().unwrap()));
}

#[test]
fn a_short_age_is_refused_and_a_damaged_commit_stops_the_sweep() {
    let (server, folder) = (Server::start(3), tempfile::tempdir().unwrap());
    let (remote, index) = (server.remote("notes"), create(&folder.path().join("live")));
    let error = sweep(&remote, DAY - Duration::from_secs(1), &Cancel::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    write(&index, 0..9, 1);
    push_now(&index, &remote).unwrap();
    age(&server.folder("notes"), DAY * 2);
    std::fs::write(server.folder("notes/commits/0000000001.commit"), "lucerne-commit 1 00000000 2\n{}")
        .unwrap();
    let error = sweep(&remote, DAY, &Cancel::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(std::fs::read_dir(server.folder("notes/files")).unwrap().count() > 0);
}

#[test]
fn an_old_file_without_a_commit_is_pushed_again_because_a_sweep_may_be_about_to_delete_it() {
    let (server, folder) = (Server::start(4), tempfile::tempdir().unwrap());
    let (remote, index) = (server.remote("notes"), create(&folder.path().join("live")));
    write(&index, 0..9, 1);
    let first = push_now(&index, &remote).unwrap();
    std::fs::remove_file(server.folder("notes/commits/0000000001.commit")).unwrap();
    assert_eq!(
        push_now(&index, &remote).unwrap().uploaded_files,
        0,
        "what an interrupted push has left is used"
    );
    std::fs::remove_file(server.folder("notes/commits/0000000001.commit")).unwrap();
    age(&server.folder("notes"), DAY);
    assert_eq!(push_now(&index, &remote).unwrap().uploaded_files, first.files);
}

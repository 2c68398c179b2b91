//! What is pushed is pulled, only new files travel, and one of two pushers wins: in every kind of store.

use crate::index::{content, create, document, write, writer};
use crate::server::Server;
use lucerne::{Cancel, Document, ErrorKind, Index, Match, Progress, Schema, admin};
use lucerne_object_store::object_store::local::LocalFileSystem;
use lucerne_object_store::object_store::memory::InMemory;
use lucerne_object_store::{
    Error, PullOptions, PushOptions, PushReport, Remote, Result, list_commits, open, pull, push,
};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};

/// Runs a test with every kind of store.
fn each_store(test: impl Fn(&Remote, &Path)) {
    let (server, folder) = (Server::start(1), tempfile::tempdir().unwrap());
    std::fs::create_dir(folder.path().join("store")).unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path().join("store")).unwrap();
    let remotes = [
        ("s3", server.remote("a/b")),
        ("file", Remote::new(Arc::new(local), "a/b").unwrap()),
        ("memory", Remote::new(Arc::new(InMemory::new()), "a/b").unwrap()),
    ];
    for (kind, remote) in remotes {
        println!("{kind}");
        let own = folder.path().join(kind);
        std::fs::create_dir(&own).unwrap();
        test(&remote, &own);
    }
}

pub(crate) fn push_now(index: &Index, remote: &Remote) -> Result<PushReport> {
    push(index, remote, &PushOptions::new(), &Cancel::new(), &())
}

fn pull_now(remote: &Remote, folder: &Path) -> Result<lucerne_object_store::PullReport> {
    pull(remote, folder, &PullOptions::new(), &Cancel::new(), &())
}

#[test]
fn a_pushed_commit_is_pulled_whole_and_only_new_files_travel() {
    each_store(|remote, folder| {
        let (live, cache) = (folder.join("live"), folder.join("cache"));
        let index = create(&live);
        write(&index, 0..30, 1);
        let first = push_now(&index, remote).unwrap();
        assert_eq!((first.number, first.docs, first.uploaded_files), (1, 30, first.files));
        assert_eq!(first.uploaded_bytes, first.bytes);
        let again = push_now(&index, remote).unwrap();
        assert_eq!((again.number, again.uploaded_files, again.generation), (1, 0, first.generation));
        let pulled = pull_now(remote, &cache).unwrap();
        assert_eq!((pulled.downloaded_files, pulled.downloaded_bytes), (first.files, first.bytes));

        write(&index, 29..32, 2);
        let second = push_now(&index, remote).unwrap();
        assert_eq!((second.number, second.docs), (2, 32));
        assert!(second.uploaded_files < second.files && second.uploaded_bytes < second.bytes, "{second:?}");
        let (opened, pulled) = open(remote, &cache, &PullOptions::new(), &Cancel::new(), &()).unwrap();
        assert_eq!(pulled.downloaded_bytes, second.uploaded_bytes);
        let searcher = opened.searcher().unwrap();
        assert_eq!(content(&searcher), content(&index.searcher().unwrap()));
        assert_eq!(searcher.search(Match::new("words", "of 2")).unwrap().hits.len(), 10);
        assert!(admin::check(&cache, &Cancel::new(), &()).unwrap().ok());
        assert_eq!(pull_now(remote, &cache).unwrap().downloaded_files, 0);

        let commits = list_commits(remote, &Cancel::new()).unwrap();
        let numbers: Vec<_> =
            commits.iter().map(|commit| (commit.number, commit.generation, commit.docs)).collect();
        assert_eq!(numbers, [(2, second.generation, 32), (1, first.generation, 30)]);
        let older = PullOptions::new().generation(first.generation);
        let (index, _) = open(remote, folder.join("older"), &older, &Cancel::new(), &()).unwrap();
        assert_eq!(index.searcher().unwrap().len(), 30);
        let error = pull(remote, &cache, &older, &Cancel::new(), &()).unwrap_err();
        assert!(matches!(error, Error::Lucerne(lucerne::Error::NotABackup { .. })), "{error}");
    });
}

#[test]
fn an_index_without_documents_and_one_after_a_merge_are_pushed_as_well() {
    each_store(|remote, folder| {
        let index = create(&folder.join("live"));
        let report = push_now(&index, remote).unwrap();
        assert_eq!((report.files, report.docs), (0, 0));
        assert_eq!(pull_now(remote, &folder.join("cache")).unwrap().docs, 0);
        write(&index, 0..9, 1);
        write(&index, 3..20, 2);
        let writer = writer(&index);
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.close().unwrap();
        push_now(&index, remote).unwrap();
        pull_now(remote, &folder.join("cache")).unwrap();
        let pulled = Index::open(folder.join("cache")).unwrap().searcher().unwrap();
        assert_eq!(content(&pulled), content(&index.searcher().unwrap()));
    });
}

#[test]
fn of_two_pushers_at_once_one_wins_and_the_other_is_told_which_commit_is_there() {
    each_store(|remote, folder| {
        let index = create(&folder.join("live"));
        write(&index, 0..5, 0);
        push_now(&index, remote).unwrap();
        let copy = |from: &Path, name: String| {
            let to = folder.join(name);
            std::fs::create_dir(&to).unwrap();
            for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
                std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
            to
        };
        drop(index);
        let live = folder.join("live");
        let mut paths = [copy(&live, "fork".to_owned()), live];
        let generation = |index: &Index| index.searcher().unwrap().generation();
        for round in 0..8 {
            let indexes = paths.each_ref().map(|path| Index::open(path).unwrap());
            // Both make a commit of the same generation, with files of the same names and other content.
            let next = 1 + generation(&indexes[0]).max(generation(&indexes[1]));
            for (own, index) in indexes.iter().enumerate() {
                (generation(index)..next).for_each(|_| write(index, 0..5, round * 2 + own as i64));
            }
            let start = Barrier::new(2);
            let results = std::thread::scope(|scope| {
                let pushes = indexes.each_ref().map(|index| {
                    let start = &start;
                    scope.spawn(move || {
                        start.wait();
                        push_now(index, remote)
                    })
                });
                pushes.map(|push| push.join().unwrap())
            });
            let won = results.iter().position(Result::is_ok).expect("one of them");
            match &results[1 - won] {
                Err(Error::Conflict { found, .. }) => assert_eq!(*found, Some(next)),
                other => panic!("{other:?}"),
            }
            assert_eq!(results[1 - won].as_ref().unwrap_err().kind(), ErrorKind::Conflict);
            let cache = folder.join(format!("cache{round}"));
            pull_now(remote, &cache).unwrap();
            let pulled = Index::open(&cache).unwrap().searcher().unwrap();
            assert_eq!(content(&pulled), content(&indexes[won].searcher().unwrap()));
            // The other stays refused, also once it has gone on: it would replace what was pushed.
            write(&indexes[1 - won], 5..9, 99);
            let later = push_now(&indexes[1 - won], remote);
            assert!(matches!(later, Err(Error::Conflict { .. })), "{later:?}");
            paths[1 - won] = copy(&paths[won], format!("fork{round}"));
        }
    });
}

#[test]
fn what_is_pushed_follows_what_was_expected_and_no_newer_commit() {
    each_store(|remote, folder| {
        let index = create(&folder.join("live"));
        write(&index, 0..5, 1);
        let push_after = |generation| {
            let options = PushOptions::new().expected_generation(generation);
            push(&index, remote, &options, &Cancel::new(), &())
        };
        let error = push_after(7).unwrap_err();
        assert!(matches!(error, Error::Conflict { found: None, .. }), "{error}");
        let first = push_after(0).unwrap().generation;
        index.backup_to(folder.join("old")).unwrap();
        write(&index, 0..5, 2);
        let error = push_after(0).unwrap_err();
        assert!(matches!(error, Error::Conflict { found: Some(found), .. } if found == first), "{error}");
        push_after(first).unwrap();
        let error = push_now(&Index::open(folder.join("old")).unwrap(), remote).unwrap_err();
        assert!(error.to_string().contains("was not pushed: the newest commit there is"), "{error}");

        let other = create(&folder.join("other"));
        write(&other, 0..5, 1);
        let error = push_now(&other, remote).unwrap_err();
        assert!(matches!(error, Error::OtherIndex { .. }), "{error}");
    });
}

/// Text that does not compress.
fn noise(bytes: usize, seed: u64) -> String {
    let mut random = crate::index::Random(seed);
    (0..bytes).map(|_| char::from(b'!' + (random.next() % 90) as u8)).collect()
}

#[test]
fn long_files_travel_in_parts() {
    each_store(|remote, folder| {
        let field = lucerne::schema::Field::text("noise").indexed(false);
        let schema = Schema::builder().key("id").field(field).build().unwrap();
        let index = Index::create(folder.join("live"), schema).unwrap();
        let writer = writer(&index);
        for number in 0..24 {
            let noise = noise(1 << 20, number);
            writer.add(&Document::new().with("id", format!("{number}")).with("noise", noise)).unwrap();
        }
        writer.close().unwrap();
        let remote = remote.clone().retries(Default::default());
        let seen = Seen::default();
        let report = push(&index, &remote, &PushOptions::new(), &Cancel::new(), &seen).unwrap();
        assert!(report.bytes > 18 << 20, "{report:?}");
        assert_eq!(seen.0.load(Ordering::Relaxed), report.bytes);
        pull_now(&remote, &folder.join("cache")).unwrap();
        assert!(admin::check(folder.join("cache"), &Cancel::new(), &()).unwrap().ok());
    });
}

/// The bytes that were reported last.
#[derive(Default)]
struct Seen(AtomicU64);

impl Progress for Seen {
    fn report(&self, _phase: &'static str, done: u64, total: u64) {
        assert!(done <= total);
        self.0.store(done, Ordering::Relaxed);
    }
}

#[test]
fn calls_from_async_code_block_and_do_not_panic() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let remote = Remote::new(Arc::new(InMemory::new()), "").unwrap();
        let index = create(&folder.path().join("live"));
        writer(&index).add(&document(1, 1)).unwrap();
        push_now(&index, &remote).unwrap();
        pull_now(&remote, &folder.path().join("cache")).unwrap();
    });
}

//! The folder of an index: a writer changes what is its own and nothing else, and only as long as the folder is its own.

use crate::common::documents::{document, reopen, small_segments, vectors_of};
use crate::common::files::contents;
use crate::common::life;
use lucerne::codec::{Cancel, Directory};
use lucerne::directory::fault::FaultDirectory;
use lucerne::directory::{FsDirectory, RamDirectory};
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::{Error, ErrorKind, Index, Similarity, Writer, admin};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

fn create(folder: &Path) -> Index {
    Index::create(folder, vectors_of(4, Similarity::Euclidean)).unwrap()
}

fn add(writer: &Writer, keys: std::ops::Range<usize>) {
    keys.for_each(|key| drop(writer.upsert(&document(key.to_string(), [key as f32; 4])).unwrap()));
}

fn whole(folder: &Path) {
    let report = admin::check(folder, &Cancel::new(), &()).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
}

#[track_caller]
fn assert_lost<T: std::fmt::Debug>(what: &str, result: lucerne::Result<T>) {
    let error = result.unwrap_err();
    assert!(matches!(&error, Error::WriterLost { .. }), "{what}: {error:?}");
    assert_eq!(error.kind(), ErrorKind::Closed);
}

/// What a writer may do next, after which it must have noticed.
type Act = fn(&Writer) -> lucerne::Result<()>;
const ACTS: [(&str, Act); 5] = [
    ("commit", |writer| writer.commit().map(drop)),
    ("refresh", |writer| writer.refresh()),
    ("force_merge", |writer| writer.force_merge(1, &Cancel::new()).map(drop)),
    ("prepare", |writer| writer.prepare_commit()?.commit().map(drop)),
    ("a full buffer", |writer| {
        (100..120).try_for_each(|key| writer.upsert(&document(key.to_string(), [0.0; 4])).map(drop))
    }),
];

#[cfg(unix)]
#[test]
fn a_writer_whose_folder_or_lock_is_gone_touches_nothing_of_what_is_there_instead() {
    type Change = fn(&Path, &Path);
    let changes: [(&str, Change); 4] = [
        ("another index in the folder's place", |live, old| {
            std::fs::rename(live, old).unwrap();
            let writer = create(live).writer_with(small_segments(3)).unwrap();
            add(&writer, 0..7);
            writer.close().unwrap();
        }),
        ("a link to another index", |live, old| {
            std::fs::rename(live, old).unwrap();
            let new = live.with_extension("new");
            create(&new).writer().unwrap().close().unwrap();
            std::os::unix::fs::symlink(&new, live).unwrap();
        }),
        ("a second writer that removed the lock file", |live, _| {
            std::fs::remove_file(live.join("write.lock")).unwrap();
            let writer = Index::open(live).unwrap().writer_with(small_segments(3)).unwrap();
            add(&writer, 20..27);
            writer.commit().unwrap();
            add(&writer, 30..37);
            writer.close().unwrap();
        }),
        ("a copy in the same folder", |live, old| {
            std::fs::create_dir(old).unwrap();
            let writer = create(old).writer_with(small_segments(2)).unwrap();
            add(&writer, 0..5);
            writer.commit().unwrap();
            add(&writer, 0..5);
            writer.commit().unwrap();
            add(&writer, 0..5);
            writer.close().unwrap();
            let ours = FsDirectory::open(live).unwrap();
            ours.list()
                .unwrap()
                .iter()
                .filter(|name| *name != "write.lock")
                .for_each(|name| ours.delete(name).unwrap());
            for name in FsDirectory::open(old).unwrap().list().unwrap() {
                if name != "write.lock" {
                    std::fs::copy(old.join(&name), live.join(&name)).unwrap();
                }
            }
        }),
    ];
    for (what, change) in changes {
        for (act, call) in ACTS {
            // In its own folder a writer may flush: what somebody else committed is seen when it commits.
            if what.starts_with("a copy") && !matches!(act, "commit" | "prepare") {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            let (live, old) = (folder.path().join("live"), folder.path().join("old"));
            let writer = create(&live).writer_with(small_segments(10)).unwrap();
            add(&writer, 0..4);
            writer.commit().unwrap();
            add(&writer, 4..8);
            change(&live, &old);
            let before = contents(&FsDirectory::open(&live).unwrap());
            let docs = Index::open(&live).unwrap().searcher().unwrap().len();
            let what = format!("{what}, {act}");
            assert_lost(&what, call(&writer));
            for (_, call) in ACTS {
                assert_lost(&what, call(&writer));
            }
            assert_lost(&what, writer.close());
            let after = contents(&FsDirectory::open(&live).unwrap());
            assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{what}");
            assert!(after == before, "{what}");
            whole(&live);
            // A new writer goes on with what is there.
            let writer = Index::open(&live).unwrap().writer().unwrap();
            add(&writer, 900..901);
            writer.close().unwrap();
            assert_eq!(Index::open(&live).unwrap().searcher().unwrap().len(), docs + 1, "{what}");
            whole(&live);
        }
    }
}

#[test]
fn a_simulated_loss_of_the_lock_at_any_moment_costs_nobody_a_commit() {
    // The second writer's commits stay, whenever the first one's lock goes.
    for lost_before in 0..8 {
        let disk = FaultDirectory::new();
        let schema = vectors_of(4, Similarity::Euclidean);
        let index = IndexBuilder::new().create(Arc::new(disk.clone()), schema).unwrap();
        let first = index.writer_with(small_segments(3)).unwrap();
        let mut prepared = None;
        let mut second = None;
        let (mut failed, mut acknowledged) = (0, BTreeSet::new());
        for step in 0..8 {
            if step == lost_before {
                disk.lose_locks();
                let writer = reopen(&disk).writer_with(small_segments(3)).unwrap();
                add(&writer, 50..55);
                writer.commit().unwrap();
                acknowledged.extend(50..55);
                second = Some(writer);
            }
            let done = match step {
                0 | 4 => (0..4).try_for_each(|key| {
                    first.upsert(&document((step * 10 + key).to_string(), [1.0; 4])).map(drop)
                }),
                1 | 5 => first.refresh(),
                2 => first.prepare_commit().map(|commit| prepared = Some(commit)),
                3 => prepared.take().map_or(Ok(()), |commit| commit.commit().map(drop)),
                6 => first.commit().map(drop),
                _ => first.rollback(),
            };
            match done {
                Err(error) => {
                    assert!(step >= lost_before, "step {step}: {error}");
                    assert!(matches!(error, Error::WriterLost { .. }), "step {step}: {error:?}");
                    failed += 1;
                }
                Ok(()) if step == 3 && lost_before > 3 => acknowledged.extend(0..4),
                Ok(()) if step == 6 && lost_before > 6 => acknowledged.extend(40..44),
                Ok(()) => {}
            }
        }
        assert!(failed > 0 || lost_before == 7, "lost before step {lost_before}");
        drop(prepared);
        drop(first);
        let second = second.unwrap();
        add(&second, 60..64);
        acknowledged.extend(60..64);
        second.close().unwrap();
        let searcher = reopen(&disk).searcher().unwrap();
        let found = (0..100).filter(|key| searcher.get(&key.to_string()).unwrap().is_some());
        assert_eq!(found.collect::<BTreeSet<_>>(), acknowledged, "lost before step {lost_before}");
        life::whole(&(Arc::new(disk) as Arc<dyn Directory>)).unwrap();
    }
}

/// Names that nobody but somebody else would give.
const FOREIGN: [&str; 14] = [
    "_1.jpg",
    "_7.md",
    "_0.txt",
    "_2024_holiday.jpg",
    "_3.2.png",
    "_4.5.6.keys",
    "_01.keys",
    "_5.keys~",
    "segments",
    "segments_x",
    "segments_9223372036854775807",
    "pending_segments_4611686018427387902",
    "_281474976710655.jpg",
    "notes.txt",
];

#[test]
fn foreign_files_are_never_touched_and_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let texts = [&b""[..], b"not ours", &[0xff; 200]];
    for (name, text) in FOREIGN.iter().zip(texts.iter().cycle()) {
        std::fs::write(path.join(name), text).unwrap();
    }
    for name in ["_2.keys", "_6.d", "segments_77", "pending_segments_3"] {
        std::fs::create_dir(path.join(name)).unwrap();
    }
    #[cfg(unix)]
    for (name, target) in [
        ("loop", "loop"),
        ("_8.stored", "_8.stored"),
        ("segments_99", "segments_99"),
        ("nowhere", "not there"),
    ] {
        std::os::unix::fs::symlink(target, path.join(name)).unwrap();
    }
    let all = || {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.into_string().unwrap()).collect::<BTreeSet<String>>()
    };
    #[cfg_attr(not(unix), expect(unused_mut))]
    let mut foreign = all();
    let index = create(path);
    #[cfg(unix)]
    {
        // In an index. Without one, its name keeps an index from being created.
        std::os::unix::fs::symlink("notes.txt", path.join("_9.stored")).unwrap();
        foreign.insert("_9.stored".to_owned());
    }
    for round in 0..3 {
        let writer = Index::open(path).unwrap().writer_with(small_segments(3)).unwrap();
        add(&writer, 0..10);
        assert!(writer.commit().unwrap() < 200);
        writer.force_merge(1, &Cancel::new()).unwrap();
        add(&writer, round..round + 2);
        writer.rollback().unwrap();
        writer.close().unwrap();
        assert!(foreign.is_subset(&all()), "{:?}", foreign.difference(&all()));
        assert_eq!(index.searcher().unwrap().len(), 10);
        whole(path);
    }
    index.sweep_orphans(std::time::Duration::ZERO).unwrap();
    assert!(foreign.is_subset(&all()));
    for (name, text) in FOREIGN.iter().zip(texts.iter().cycle()) {
        assert_eq!(std::fs::read(path.join(name)).unwrap(), *text, "{name}");
    }
}

#[test]
fn an_index_is_not_created_over_files_that_it_would_delete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let schema = || vectors_of(4, Similarity::Euclidean);
    std::fs::write(path.join("_0.vec"), "word vectors").unwrap();
    let error = Index::create(path, schema()).unwrap_err().to_string();
    assert!(error.contains("_0.vec has the name of a segment's file"), "{error}");
    assert_eq!(std::fs::read_to_string(path.join("_0.vec")).unwrap(), "word vectors");
    std::fs::remove_file(path.join("_0.vec")).unwrap();
    let writer = create(path).writer().unwrap();
    add(&writer, 0..5);
    writer.close().unwrap();
    // Of an index that lost its commits, too: what is left may be of use.
    let segments = || {
        let files = contents(&FsDirectory::open(path).unwrap()).into_iter();
        files.filter(|(name, _)| name.starts_with('_')).collect::<Vec<_>>()
    };
    let before = segments();
    std::fs::remove_file(path.join("segments_2")).unwrap();
    let error = Index::create(path, schema()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    assert!(!before.is_empty() && before == segments());
}

#[test]
fn every_file_that_formats_write_is_known_as_theirs() {
    let directory = RamDirectory::new();
    let index = IndexBuilder::new().create(Arc::new(directory.clone()), life::schema()).unwrap();
    let writer = index.writer_with(life::options(20)).unwrap();
    (0..60).for_each(|number| drop(writer.upsert(&life::document((number, 1))).unwrap()));
    (0..5).for_each(|number| assert!(writer.delete(&life::key(number)).unwrap()));
    writer.close().unwrap();
    let registry = IndexBuilder::new().registry().clone();
    let names = directory.list().unwrap();
    let of_segments: Vec<&String> = names.iter().filter(|name| name.starts_with('_')).collect();
    assert!(of_segments.len() > 20);
    for name in of_segments {
        let extension = name.rsplit('.').next().unwrap();
        assert!(registry.extensions.contains(&extension), "{name}");
    }
    // A third party's file that a crash left behind is known by how it begins; one that never got a byte stays.
    let mut header = directory.open(&names[0]).unwrap().bytes().to_vec();
    header.truncate(70);
    for (name, bytes) in [("_900.toy", &header[..]), ("_900.0.toy", b""), ("_901.keys", b"")] {
        let mut output = directory.create(name).unwrap();
        output.write(bytes).unwrap();
        output.finish().unwrap();
    }
    reopen(&directory).writer().unwrap().close().unwrap();
    let left: Vec<String> =
        directory.list().unwrap().into_iter().filter(|name| name.starts_with("_90")).collect();
    assert_eq!(left, ["_900.0.toy"]);
}

#[test]
fn a_flush_that_fails_deletes_only_what_it_created() {
    let directory = RamDirectory::new();
    let schema = vectors_of(4, Similarity::Euclidean);
    let index = IndexBuilder::new().create(Arc::new(directory.clone()), schema).unwrap();
    let writer = index.writer().unwrap();
    add(&writer, 0..3);
    // Somebody has put files there that the next segments would have.
    for name in ["_0.keys", "_0.0.vec", "_1.si", "_2.stored"] {
        let mut output = directory.create(name).unwrap();
        output.write(b"somebody's").unwrap();
        output.finish().unwrap();
    }
    for _ in 0..3 {
        let error = writer.commit().unwrap_err();
        assert!(error.to_string().contains("create"), "{error}");
    }
    let mut left = directory.list().unwrap();
    left.retain(|name| name.starts_with('_'));
    assert_eq!(left, ["_0.0.vec", "_0.keys", "_1.si", "_2.stored"]);
    writer.close().unwrap();
    assert_eq!(index.searcher().unwrap().len(), 3);
}

#[test]
fn files_that_a_searcher_held_go_at_the_next_call() {
    type Call = fn(Writer);
    let calls: [(&str, Call); 4] = [
        ("refresh", |writer| {
            writer.refresh().unwrap();
            drop(writer);
        }),
        ("an empty commit", |writer| {
            writer.commit().unwrap();
            drop(writer);
        }),
        ("close", |writer| writer.close().unwrap()),
        ("a commit", |writer| {
            writer.upsert(&life::document((0, 9))).unwrap();
            writer.commit().unwrap();
            drop(writer);
        }),
    ];
    for (what, call) in calls {
        let directory: Arc<dyn Directory> = Arc::new(RamDirectory::new());
        let index = IndexBuilder::new().create(Arc::clone(&directory), life::schema()).unwrap();
        let writer = index.writer_with(life::options(4).merge_policy(MergePolicy::None)).unwrap();
        (0..20).for_each(|number| drop(writer.upsert(&life::document((number, 1))).unwrap()));
        writer.commit().unwrap();
        let held = index.searcher().unwrap();
        writer.delete(&life::key(3)).unwrap();
        writer.commit().unwrap();
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.commit().unwrap();
        writer.commit().unwrap();
        let leaked = life::leaked(&directory).unwrap();
        assert!(leaked.len() > 20, "{leaked:?}");
        assert_eq!(held.len(), 20);
        assert!(held.get(&life::key(3)).unwrap().is_some());
        drop(held);
        call(writer);
        assert_eq!(life::leaked(&directory).unwrap(), [""; 0], "{what}");
        life::whole(&directory).unwrap();
    }
}

#[test]
fn files_that_several_searchers_held_go_with_the_last_of_them() {
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let directory: Arc<dyn Directory> = Arc::new(RamDirectory::new());
        let index = IndexBuilder::new().create(Arc::clone(&directory), life::schema()).unwrap();
        let writer = index.writer_with(life::options(4).merge_policy(MergePolicy::None)).unwrap();
        let mut held = Vec::new();
        for version in 0..3 {
            (0..12).for_each(|number| drop(writer.upsert(&life::document((number, version))).unwrap()));
            writer.commit().unwrap();
            held.push(index.searcher().unwrap());
            writer.force_merge(1, &Cancel::new()).unwrap();
        }
        writer.close().unwrap();
        let before = life::leaked(&directory).unwrap().len();
        let mut held: Vec<_> = held.into_iter().map(Some).collect();
        for (released, which) in order.into_iter().enumerate() {
            let searcher = held[which].take().unwrap();
            assert_eq!(searcher.len(), 12);
            // By another thread, while nobody writes: the next writer takes the files away.
            std::thread::spawn(move || drop(searcher)).join().unwrap();
            let writer = index.writer().unwrap();
            let left = life::leaked(&directory).unwrap().len();
            assert!(left < before && (left == 0) == (released == 2), "{order:?}: {left} of {before}");
            writer.rollback().unwrap();
            writer.close().unwrap();
            for searcher in held.iter().flatten() {
                assert!(searcher.get(&life::key(5)).unwrap().is_some());
            }
        }
        life::whole(&directory).unwrap();
    }
}

#[test]
fn a_refresh_beside_a_prepared_commit_collects_nothing_that_is_needed() {
    let directory: Arc<dyn Directory> = Arc::new(RamDirectory::new());
    let index = IndexBuilder::new().create(Arc::clone(&directory), life::schema()).unwrap();
    let writer = index.writer_with(life::options(4)).unwrap();
    (0..10).for_each(|number| drop(writer.upsert(&life::document((number, 1))).unwrap()));
    writer.commit().unwrap();
    let held = index.searcher().unwrap();
    writer.delete(&life::key(2)).unwrap();
    let prepared = writer.prepare_commit().unwrap();
    drop(held);
    writer.refresh().unwrap();
    // Its live docs are used by the next one.
    prepared.abort().unwrap();
    let held = index.searcher().unwrap();
    writer.force_merge(3, &Cancel::new()).unwrap();
    drop(held);
    writer.refresh().unwrap();
    writer.commit().unwrap();
    life::whole(&directory).unwrap();
    assert_eq!(index.searcher().unwrap().len(), 9);
    writer.close().unwrap();
    assert_eq!(life::leaked(&directory).unwrap(), [""; 0]);
}

//! Backups: whatever happens while one is taken, or arrives from elsewhere, the folder holds it or the one before it, whole.
//!
//! `LUCERNE_CUTS=5000` cuts the power more often than on every push, `LUCERNE_BACKUPS=200` takes more backups beside a
//! writer, `LUCERNE_KILLS=100` kills more often, `LUCERNE_SEED=n` replays one seed.
#![expect(clippy::print_stdout, reason = "the figures of a run")]

use crate::common::faults::{number_from_environment, on_all_cores, tail};
use crate::common::files;
use crate::common::life::{
    Life, Made, State, Step, difference, document, find_state, key, leaked, number_of, options, schema, whole,
};
use crate::common::rng::Rng;
use lucerne::codec::{Cancel, Directory};
use lucerne::directory::fault::{FaultDirectory, Model, Times, is_power_cut};
use lucerne::directory::{FsDirectory, RamDirectory};
use lucerne::index::IndexBuilder;
use lucerne::merge::{MergePolicy, TieredOptions};
use lucerne::transfer::{BackupReport, ReceivedCommit, receive};
use lucerne::{Error, ErrorKind, Index, WriterOptions, admin};
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Upserts, deletes and merges, and a commit.
fn change(rng: &mut Rng) -> Vec<Step> {
    let mut steps: Vec<Step> = (0..4 + rng.below(20))
        .map(|_| match rng.below(10) {
            0..7 => Step::Upsert((rng.below(24), rng.next() >> 20)),
            7..9 => Step::Delete(rng.below(24)),
            _ => Step::ForceMerge(1 + rng.below(2)),
        })
        .collect();
    steps.push(Step::Commit);
    steps
}

/// An index with a first commit.
fn source(rng: &mut Rng) -> (Life, RamDirectory) {
    let directory = RamDirectory::new();
    let mut life = Life::new(Arc::new(directory.clone()), options(2 + rng.below(6) as u32));
    life.apply_all(&[Step::Create, Step::Open]).unwrap();
    life.apply_all(&change(rng)).unwrap();
    (life, directory)
}

/// As another process would.
fn back_up(from: &RamDirectory, to: &FaultDirectory) -> Result<BackupReport, Error> {
    let index = IndexBuilder::new().open(Arc::new(from.clone()))?;
    index.backup_in(Arc::new(to.clone()), &Cancel::new(), &())
}

/// How a commit gets into a folder.
#[derive(Clone, Copy, Debug)]
enum By {
    Backup,
    Receive,
}

impl By {
    fn of(seed: u64) -> Self {
        if seed.is_multiple_of(2) { Self::Backup } else { Self::Receive }
    }

    fn copy(self, from: &RamDirectory, to: &FaultDirectory) -> Result<BackupReport, Error> {
        match self {
            Self::Backup => back_up(from, to),
            Self::Receive => receive_all(from, to),
        }
    }
}

/// As from a store that has everything.
fn receive_all(from: &RamDirectory, to: &FaultDirectory) -> Result<BackupReport, Error> {
    let sent = IndexBuilder::new().open(Arc::new(from.clone()))?.commit_files()?;
    let commit = ReceivedCommit { generation: sent.generation, bytes: &sent.commit_bytes };
    receive(IndexBuilder::new(), Arc::new(to.clone()), commit, |incoming, files| {
        files.iter().try_for_each(|file| {
            let sent = sent.files.iter().find(|sent| sent.entry == *file).unwrap();
            let mut output = incoming.create(file)?;
            output.write(sent.input.bytes())?;
            output.finish()?;
            incoming.finish(file)
        })
    })
}

/// Which of the states the folder holds; whole, and after the next backup the newest one, with nothing left over.
fn look(
    disk: &FaultDirectory,
    from: &RamDirectory,
    allowed: &[Option<State>],
    newest: &State,
) -> Result<(), String> {
    let directory: Arc<dyn Directory> = Arc::new(disk.clone());
    let trouble = |what: &str, trouble: &dyn std::fmt::Display| Err(format!("{what}: {trouble}"));
    match find_state(&directory, allowed) {
        Err(error) => return trouble("after it", &error),
        Ok(None) => {}
        Ok(Some(_)) => {
            if let Err(error) = whole(&directory) {
                return trouble("after it", &error);
            }
        }
    }
    if let Err(error) = back_up(from, disk) {
        return trouble("the next backup", &error);
    }
    let found = find_state(&directory, &[Some(newest.clone())]).and_then(|_| whole(&directory));
    if let Err(error) = found {
        return trouble("after the next backup", &error);
    }
    let leaked: Vec<String> = leaked(&directory).map_err(|error| error.to_string())?;
    if leaked != ["lucerne-backup"] {
        return Err(format!("files left over: {leaked:?}"));
    }
    Ok(())
}

/// A source with two commits, and a disk with a backup of the first one, or with none.
struct Scene {
    from: RamDirectory,
    disk: FaultDirectory,
    before: Option<State>,
    after: State,
}

fn scene(rng: &mut Rng) -> Scene {
    let (mut life, from) = source(rng);
    let disk = FaultDirectory::new();
    let first = life.acknowledged().clone();
    let before = rng.chance(75).then_some(first);
    if before.is_some() {
        back_up(&from, &disk).unwrap();
    }
    life.apply_all(&change(rng)).unwrap();
    Scene { from, disk, before, after: life.acknowledged().clone() }
}

#[test]
fn a_power_cut_leaves_the_backup_or_the_one_before_it_whole() {
    let cuts = number_from_environment("LUCERNE_CUTS").unwrap_or(400);
    let seeds = match number_from_environment("LUCERNE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..cuts.div_ceil(20),
    };
    let (cut, at_new) = (AtomicU64::new(0), AtomicU64::new(0));
    on_all_cores(seeds, |seed| {
        let (rng, by) = (&mut Rng::new(seed), By::of(seed));
        let Scene { from, disk, before, after } = scene(rng);
        let rehearsal = disk.crash(Model::Journalled, 0);
        let begun = rehearsal.operations();
        by.copy(&from, &rehearsal).map_err(|error| format!("seed {seed}: {error}"))?;
        let operations = rehearsal.operations() - begun;
        for _ in 0..20 {
            let at = 1 + rng.next() % operations;
            let disk = disk.crash(Model::Journalled, 0);
            disk.cut_at(at);
            let context = |what: String| {
                format!("cut at {at} of {operations}: {what}; LUCERNE_SEED={seed}{}", tail(&disk.log()))
            };
            let result = by.copy(&from, &disk);
            match &result {
                // A deletion at the end that does not happen is no error.
                Ok(_) => {}
                Err(Error::Codec(error)) if is_power_cut(error) => {}
                Err(error) => return Err(context(error.to_string())),
            }
            cut.fetch_add(1, Ordering::Relaxed);
            let allowed = match result {
                Ok(_) => vec![Some(after.clone())],
                Err(_) => vec![before.clone(), Some(after.clone())],
            };
            let model = Model::ALL[rng.below(2)];
            let image = if rng.chance(20) { disk.kill() } else { disk.crash(model, rng.next()) };
            let there = find_state(&(Arc::new(image.clone()) as Arc<dyn Directory>), &[Some(after.clone())]);
            at_new.fetch_add(u64::from(there.is_ok()), Ordering::Relaxed);
            look(&image, &from, &allowed, &after).map_err(context)?;
        }
        Ok(())
    })
    .unwrap();
    let (cut, at_new) = (cut.into_inner(), at_new.into_inner());
    println!("{cut} power cuts while backing up: 0 backups lost or mixed; {at_new} at the new one");
    assert!(at_new > 0 && at_new < cut);
}

#[test]
fn an_error_of_the_disk_leaves_the_backup_before_it_and_the_next_one_succeeds() {
    let failed = AtomicU64::new(0);
    on_all_cores(0..6, |seed| {
        let (rng, by) = (&mut Rng::new(1_000 + seed), By::of(seed));
        let Scene { from, disk, before, after } = scene(rng);
        let rehearsal = disk.crash(Model::Journalled, 0);
        let begun = rehearsal.operations();
        by.copy(&from, &rehearsal).map_err(|error| error.to_string())?;
        // One of three, so that in three scenes of each way each comes to its turn.
        for at in (1 + seed / 2 % 3..=rehearsal.operations() - begun).step_by(3) {
            let disk = disk.crash(Model::Journalled, 0);
            disk.fail_at(at, Times::Once, io::ErrorKind::Other);
            let result = by.copy(&from, &disk);
            failed.fetch_add(u64::from(result.is_err()), Ordering::Relaxed);
            let allowed = match result {
                Ok(_) => vec![Some(after.clone())],
                Err(_) => vec![before.clone(), Some(after.clone())],
            };
            disk.clear_faults();
            look(&disk, &from, &allowed, &after)
                .map_err(|what| format!("error at {at}: {what}; seed {seed}{}", tail(&disk.log())))?;
            if disk.sync_retried_after_failure() {
                return Err(format!("error at {at}: a file was synced again; seed {seed}"));
            }
        }
        Ok(())
    })
    .unwrap();
    assert!(failed.into_inner() > 100);
}

#[test]
fn a_full_disk_is_an_error_that_leaves_nothing_behind() {
    let rng = &mut Rng::new(5);
    let (mut life, from) = source(rng);
    let base = FaultDirectory::new();
    back_up(&from, &base).unwrap();
    let before = life.acknowledged().clone();
    life.apply_all(&change(rng)).unwrap();
    life.apply_all(&change(rng)).unwrap();
    let after = life.acknowledged().clone();
    let whole_backup = base.crash(Model::Journalled, 0);
    back_up(&from, &whole_backup).unwrap();
    let mut full = 0;
    for room in (0..).step_by(1_500) {
        let disk = base.crash(Model::Journalled, 0);
        let used = disk.used();
        disk.set_capacity(Some(used + room));
        match back_up(&from, &disk) {
            Ok(_) => break,
            Err(error) => assert_eq!(error.kind(), ErrorKind::DiskFull, "{error}"),
        }
        full += 1;
        assert_eq!(disk.used(), used, "with {room} bytes free");
        disk.set_capacity(None);
        look(&disk, &from, &[Some(before.clone())], &after).unwrap();
    }
    assert!(full > 3);
}

/// The contents of all commits of a writer that never rests, by their numbers.
type Commits = Mutex<BTreeMap<u64, State>>;

fn write_until(stop: &AtomicBool, folder: &std::path::Path, commits: &Commits) {
    let index = Index::open(folder).unwrap();
    let policy = MergePolicy::Tiered(TieredOptions::new().segments_per_tier(2));
    let options = WriterOptions::new().threads(1).flush_docs(8).merge_policy(policy);
    let writer = index.writer_with(options).unwrap();
    let (mut rng, mut state) = (Rng::new(3), State::default());
    while !stop.load(Ordering::Relaxed) {
        state.number += 1;
        for _ in 0..1 + rng.below(20) {
            let made: Made = (rng.below(60), rng.next() >> 20);
            if rng.chance(80) {
                writer.upsert(&document(made)).unwrap();
                state.content.insert(key(made.0), document(made));
            } else {
                writer.delete(&key(made.0)).unwrap();
                state.content.remove(&key(made.0));
            }
        }
        if state.number.is_multiple_of(5) {
            writer.force_merge(1, &Cancel::new()).unwrap();
        }
        commits.lock().unwrap().insert(state.number, state.clone());
        let data = [("number".to_owned(), state.number.to_string())].into();
        writer.prepare_commit_with(data).unwrap().commit().unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn backups_beside_a_writer_open_pass_the_check_and_equal_a_commit() {
    let wanted = number_from_environment("LUCERNE_BACKUPS").unwrap_or(25);
    let folder = tempfile::tempdir().unwrap();
    let (live, backup) = (folder.path().join("live"), folder.path().join("backup"));
    Index::create(&live, schema()).unwrap();
    let (stop, commits) = (AtomicBool::new(false), Commits::default());
    commits.lock().unwrap().insert(0, State::default());
    let (mut different, mut last, mut reused) = (0, 0, 0);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| write_until(&stop, &live, &commits));
        let stopped = StopAtEnd(&stop);
        for _ in 0..wanted {
            // Another handle on the folder is as another process: the writer does not know of it.
            let report = Index::open(&live).unwrap().backup_to(&backup).unwrap();
            let known = commits.lock().unwrap().len();
            let searcher = Index::open(&backup).unwrap().searcher().unwrap();
            let state = commits.lock().unwrap()[&number_of(&searcher)].clone();
            difference(&searcher, &state.content).unwrap();
            let check = admin::check(&backup, &Cancel::new(), &()).unwrap();
            assert!(check.ok(), "{check:?}");
            assert_eq!((searcher.generation(), searcher.len()), (report.generation, report.docs));
            different += u64::from(report.generation != last);
            last = report.generation;
            reused += (report.files - report.copied_files) as u64;
            while commits.lock().unwrap().len() < known + 1 && !writing.is_finished() {
                std::thread::yield_now();
            }
        }
        drop(stopped);
        writing.join().unwrap();
    });
    let index = Index::open(&live).unwrap();
    let report = index.backup_to(&backup).unwrap();
    let again = index.backup_to(&backup).unwrap();
    assert_eq!((again.copied_files, again.copied_bytes, again.files), (0, 0, report.files));
    println!(
        "{wanted} of {wanted} backups beside a writer are whole; {different} commits, {reused} files not copied"
    );
    assert!(different > wanted / 2);
}

/// Stops the writer also when the test fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_searcher_s_commit_can_be_backed_up_after_the_writer_has_gone_on() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::create(folder.path().join("live"), schema()).unwrap();
    let writer = index.writer_with(options(4)).unwrap();
    (0..20).for_each(|key| drop(writer.upsert(&document((key, 1))).unwrap()));
    writer.commit().unwrap();
    writer.delete(&key(3)).unwrap();
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    (0..20).for_each(|key| drop(writer.upsert(&document((key, 2))).unwrap()));
    writer.delete(&key(5)).unwrap();
    writer.force_merge(1, &Cancel::new()).unwrap();
    let refreshed = index.searcher().unwrap();
    writer.commit().unwrap();
    let backup = folder.path().join("backup");
    let report = searcher.backup_to(&backup).unwrap();
    let found = Index::open(&backup).unwrap().searcher().unwrap();
    assert_eq!((found.generation(), found.len(), report.docs), (searcher.generation(), 19, 19));
    assert!(admin::check(&backup, &Cancel::new(), &()).unwrap().ok());
    let error = refreshed.backup_to(folder.path().join("other")).unwrap_err();
    assert!(error.to_string().contains("not committed"), "{error}");
}

#[test]
fn a_damaged_source_is_named_and_never_becomes_a_backup() {
    let rng = &mut Rng::new(8);
    let (mut life, from) = source(rng);
    let disk = FaultDirectory::new();
    back_up(&from, &disk).unwrap();
    let before = life.acknowledged().clone();
    life.apply_all(&change(rng)).unwrap();
    let had = files::contents(&disk);
    let name =
        files::contents(&from).into_keys().find(|name| name.ends_with(".vec") && !had.contains_key(name));
    let name = name.expect("a new segment");
    let mut bytes = from.open(&name).unwrap().bytes().to_vec();
    bytes[70] ^= 1;
    files::replace(&from, &name, &bytes);
    let error = back_up(&from, &disk).unwrap_err();
    assert!(error.kind() == ErrorKind::Corrupt && error.to_string().contains(&name), "{error}");
    find_state(&(Arc::new(disk.clone()) as Arc<dyn Directory>), &[Some(before)]).unwrap();
    let names: Vec<String> = files::contents(&disk).into_keys().collect();
    assert_eq!(names, had.into_keys().collect::<Vec<_>>());
}

#[test]
fn a_damaged_or_missing_file_of_the_backup_is_copied_again() {
    let (_, from) = source(&mut Rng::new(9));
    let disk = FaultDirectory::new();
    let report = back_up(&from, &disk).unwrap();
    for name in files::contents(&disk).into_keys().filter(|name| name.starts_with('_')) {
        for cut in [false, true] {
            let bytes = disk.open(&name).unwrap().bytes().to_vec();
            disk.delete(&name).unwrap();
            if cut {
                disk.plant(&name, bytes[..bytes.len() - 1].to_vec());
            }
            let again = back_up(&from, &disk).unwrap();
            assert!(again.copied_files >= 1 && again.copied_files <= report.files, "{name}: {again:?}");
            whole(&(Arc::new(disk.clone()) as Arc<dyn Directory>)).unwrap();
        }
    }
}

#[test]
fn folders_that_hold_anything_else_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let index = Index::create(path("live"), schema()).unwrap();
    let fill = |index: &Index, version| {
        let writer = index.writer_with(options(4).seed(version)).unwrap();
        writer.upsert(&document((1, version))).unwrap();
        writer.close().unwrap();
    };
    fill(&index, 1);
    let refused = |name: &str, problem: &str| {
        let directory = FsDirectory::open(path(name)).unwrap();
        let before = files::contents(&directory);
        let error = index.backup_to(path(name)).unwrap_err();
        assert!(matches!(error, Error::NotABackup { .. }), "{name}: {error}");
        assert!(error.to_string().contains(problem), "{name}: {error}");
        assert_eq!(files::contents(&directory), before, "{name}");
    };
    std::fs::create_dir(path("photos")).unwrap();
    std::fs::write(path("photos").join("a.jpg"), "x").unwrap();
    refused("photos", "other files");
    assert!(!path("photos").join("write.lock").exists());
    refused("live", "itself");
    fill(&Index::create(path("other"), schema()).unwrap(), 9);
    refused("other", "was written to");

    // A backup that somebody has written to is an index of its own.
    index.backup_to(path("used")).unwrap();
    fill(&Index::open(path("used")).unwrap(), 2);
    refused("used", "was written to");

    // A backup of another index, and one of a later commit.
    let other = Index::open(path("other")).unwrap();
    other.backup_to(path("of_other")).unwrap();
    refused("of_other", "another index");
    let old = index.searcher().unwrap();
    fill(&index, 3);
    index.backup_to(path("newer")).unwrap();
    let error = old.backup_to(path("newer")).unwrap_err();
    assert!(error.to_string().contains("is newer"), "{error}");

    // An index that is being written, and a backup that is being taken.
    let writer = Index::open(path("newer")).unwrap().writer().unwrap();
    let error = index.backup_to(path("newer")).unwrap_err();
    assert!(error.kind() == ErrorKind::Locked && error.to_string().contains("this process"), "{error}");
    drop(writer);
    index.backup_to(path("newer")).unwrap();
}

#[test]
fn a_restored_backup_goes_on_and_another_history_is_not_mixed_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let index = Index::create(path("live"), schema()).unwrap();
    let write = |index: &Index, keys: std::ops::Range<usize>, version| {
        let writer = index.writer_with(options(4)).unwrap();
        keys.for_each(|key| drop(writer.upsert(&document((key, version))).unwrap()));
        writer.close().unwrap();
    };
    write(&index, 0..9, 1);
    index.backup_to(path("old")).unwrap();
    write(&index, 5..12, 2);
    index.backup_to(path("new")).unwrap();
    // To restore is to copy.
    std::fs::create_dir(path("restored")).unwrap();
    for entry in std::fs::read_dir(path("old")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), path("restored").join(entry.file_name())).unwrap();
    }
    let restored = Index::open(path("restored")).unwrap();
    assert_eq!(restored.searcher().unwrap().len(), 9);
    write(&restored, 20..23, 3);
    let error = restored.backup_to(path("new")).unwrap_err();
    assert!(error.to_string().contains("another history"), "{error}");
    restored.backup_to(path("old")).unwrap();
    assert_eq!(Index::open(path("old")).unwrap().searcher().unwrap().len(), 12);
    assert!(admin::check(path("old"), &Cancel::new(), &()).unwrap().ok());
}

#[test]
fn a_cancelled_backup_leaves_what_was_there() {
    let (_, from) = source(&mut Rng::new(4));
    let index = IndexBuilder::new().open(Arc::new(from)).unwrap();
    let (disk, cancel) = (RamDirectory::new(), Cancel::new());
    cancel.cancel();
    let error = index.backup_in(Arc::new(disk.clone()), &cancel, &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(disk.list().unwrap(), ["lucerne-backup", "write.lock"]);
}

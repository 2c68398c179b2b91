//! Tags and restored commits survive power cuts and killed processes: whatever was acknowledged is there.
//!
//! `LUCERNE_CUTS=5000` cuts more often than on every push, `LUCERNE_KILLS=100` kills more often, `LUCERNE_SEED=n` replays
//! one seed.
#![expect(clippy::print_stdout, reason = "the figures of a run")]

use crate::common::faults::{number_from_environment, on_all_cores, tail};
use crate::common::life::{Content, difference, document, key, options, schema, whole};
use crate::common::rng::Rng;
use lucerne::codec::{Cancel, Directory};
use lucerne::directory::fault::{FaultDirectory, Model, Operation, Times, is_power_cut};
use lucerne::index::IndexBuilder;
use lucerne::merge::{MergePolicy, TieredOptions};
use lucerne::{Error, ErrorKind, Index, Writer, WriterOptions};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What an index holds: the newest commit, and those with names.
#[derive(Clone, Debug, Default, PartialEq)]
struct Kept {
    newest: Content,
    tags: BTreeMap<String, Content>,
}

#[derive(Clone, Debug)]
enum Step {
    Upsert(usize, u64),
    Delete(usize),
    Commit,
    Merge,
    Tag(String),
    TagAt(String, String),
    Untag(String),
    Restore(String),
    Reopen,
}

fn random_steps(rng: &mut Rng, length: usize) -> Vec<Step> {
    let mut tags: Vec<String> = Vec::new();
    let mut steps = Vec::new();
    for number in 0..length {
        let new = format!("t{number}");
        let step = match rng.below(100) {
            0..45 => Step::Upsert(rng.below(12), rng.next() >> 20),
            45..55 => Step::Delete(rng.below(12)),
            55..62 => Step::Commit,
            62..66 => Step::Merge,
            66..78 => {
                tags.push(new.clone());
                Step::Tag(new)
            }
            78..82 if !tags.is_empty() => {
                let old = rng.pick(&tags).clone();
                tags.push(new.clone());
                Step::TagAt(new, old)
            }
            82..88 if !tags.is_empty() => Step::Untag(tags.remove(rng.below(tags.len()))),
            88..95 if !tags.is_empty() => Step::Restore(rng.pick(&tags).clone()),
            _ => Step::Reopen,
        };
        steps.push(step);
    }
    steps
}

/// One process: a writer, what it has acknowledged, and what it was about to.
struct Process {
    directory: Arc<dyn Directory>,
    writer: Option<Writer>,
    now: Content,
    acknowledged: Kept,
    attempt: Option<Kept>,
}

impl Process {
    fn open(&mut self) -> Result<(), Error> {
        self.writer = None;
        let index = IndexBuilder::new().open(Arc::clone(&self.directory))?;
        self.writer = Some(index.writer_with(options(3).merge_policy(MergePolicy::None))?);
        self.now = self.acknowledged.newest.clone();
        Ok(())
    }

    /// Does what makes a commit, which leaves the index at `next`.
    fn commit(&mut self, next: Kept, work: impl FnOnce(&Writer) -> Result<u64, Error>) -> Result<(), Error> {
        self.attempt = Some(next.clone());
        work(self.writer.as_ref().unwrap())?;
        (self.acknowledged, self.attempt) = (next.clone(), None);
        self.now = next.newest;
        Ok(())
    }

    fn apply(&mut self, step: &Step) -> Result<(), Error> {
        let mut next = Kept { newest: self.now.clone(), tags: self.acknowledged.tags.clone() };
        let writer = self.writer.as_ref().unwrap();
        match step {
            Step::Reopen => self.open(),
            Step::Upsert(number, version) => {
                writer.upsert(&document((*number, *version)))?;
                self.now.insert(key(*number), document((*number, *version)));
                Ok(())
            }
            Step::Delete(number) => {
                writer.delete(&key(*number))?;
                self.now.remove(&key(*number));
                Ok(())
            }
            Step::Merge => writer.force_merge(1, &Cancel::new()).map(drop),
            Step::Commit => self.commit(next, Writer::commit),
            Step::Tag(tag) => {
                next.tags.insert(tag.clone(), next.newest.clone());
                self.commit(next, |writer| writer.tag(tag))
            }
            Step::TagAt(tag, old) => {
                let content = next.tags[old].clone();
                next.tags.insert(tag.clone(), content);
                self.commit(next, |writer| writer.tag_at(tag, &**old))
            }
            Step::Untag(tag) => {
                next.tags.remove(tag);
                self.commit(next, |writer| writer.untag(tag))
            }
            Step::Restore(tag) => {
                next.newest = next.tags[tag].clone();
                self.commit(next, |writer| writer.restore(&**tag))
            }
        }
    }
}

/// What differs between an index and what it must hold.
fn compare(index: &Index, kept: &Kept) -> Result<(), String> {
    let tags = index.tags().map_err(|error| error.to_string())?;
    if !tags.keys().eq(kept.tags.keys()) {
        return Err(format!("tags {tags:?}, expected {:?}", kept.tags.keys()));
    }
    for (tag, content) in &kept.tags {
        let searcher = index.open_at(&**tag).map_err(|error| format!("{tag}: {error}"))?;
        difference(&searcher, content).map_err(|trouble| format!("{tag}: {trouble}"))?;
    }
    let newest = index.searcher().map_err(|error| error.to_string())?;
    difference(&newest, &kept.newest).map_err(|trouble| format!("the newest commit: {trouble}"))
}

#[test]
fn after_a_power_cut_every_tag_that_was_acknowledged_opens_its_commit() {
    let cuts = number_from_environment("LUCERNE_CUTS").unwrap_or(300);
    let seeds = match number_from_environment("LUCERNE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..cuts.div_ceil(10),
    };
    let (cut, later, with_tags) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let run = |disk: &FaultDirectory, steps: &[Step], cut: Option<u64>| {
        let mut process = start(disk);
        cut.inspect(|at| disk.cut_at(at.saturating_sub(disk.operations()).max(1)));
        let result = process.open().and_then(|()| steps.iter().try_for_each(|step| process.apply(step)));
        (process, result)
    };
    on_all_cores(seeds, |seed| {
        let rng = &mut Rng::new(seed);
        let length = 40 + rng.below(40);
        let steps = random_steps(rng, length);
        let rehearsal = FaultDirectory::new();
        let (process, result) = run(&rehearsal, &steps, None);
        result.map_err(|error| format!("without a cut: {error}; LUCERNE_SEED={seed}"))?;
        let log = rehearsal.log().into_iter().enumerate();
        let renames = log.filter(|(_, logged)| logged.operation == Operation::Rename).map(|(at, _)| at);
        let renames: Vec<usize> = renames.skip(1).collect(); // Not that of the creation.
        let whole_run = process.acknowledged.clone();
        drop(process);
        let directory: Arc<dyn Directory> = Arc::new(rehearsal.clone());
        compare(&IndexBuilder::new().open(directory).unwrap(), &whole_run)?;
        for _ in 0..10 {
            let disk = FaultDirectory::new();
            // Half of the time near the publishing of a commit.
            let at = 1 + match rng.chance(50) {
                true => *rng.pick(&renames) as u64 + rng.next() % 3,
                false => rng.next() % rehearsal.operations(),
            };
            let (mut process, result) = run(&disk, &steps, Some(at));
            match result {
                Ok(()) => {}
                Err(Error::Codec(error)) if is_power_cut(&error) => {}
                Err(error) => return Err(format!("cut at {at}: {error}; LUCERNE_SEED={seed}")),
            }
            cut.fetch_add(1, Ordering::Relaxed);
            let acknowledged = process.acknowledged.clone();
            process.writer = None;
            let image = disk.crash(Model::ALL[rng.below(2)], rng.next());
            process.directory = Arc::new(image);
            let context =
                |what: String| format!("cut at {at}: {what}; LUCERNE_SEED={seed}{}", tail(&disk.log()));
            let found = found_after(process).map_err(context)?;
            later.fetch_add(u64::from(found != acknowledged), Ordering::Relaxed);
            with_tags.fetch_add(u64::from(!found.tags.is_empty()), Ordering::Relaxed);
        }
        Ok(())
    })
    .unwrap();
    let (cut, later, with_tags) = (cut.into_inner(), later.into_inner(), with_tags.into_inner());
    println!(
        "{cut} power cuts: no tag and no commit lost; {with_tags} with tags, {later} at the later commit"
    );
    assert!(with_tags > cut / 4);
}

/// A process with an index of its own on a disk.
fn start(disk: &FaultDirectory) -> Process {
    let directory: Arc<dyn Directory> = Arc::new(disk.clone());
    IndexBuilder::new().create(Arc::clone(&directory), schema()).unwrap();
    let acknowledged = Kept::default();
    Process { directory, writer: None, now: Content::new(), acknowledged, attempt: None }
}

/// The index as a new process finds it: at what was acknowledged, or at what was being published.
fn found_after(process: Process) -> Result<Kept, String> {
    let Process { directory, acknowledged, attempt, writer, .. } = process;
    drop(writer);
    let index = IndexBuilder::new().open(Arc::clone(&directory)).map_err(|error| error.to_string())?;
    let found = match (compare(&index, &acknowledged), attempt) {
        (Ok(()), _) => acknowledged,
        (Err(problem), None) => return Err(problem),
        (Err(problem), Some(attempt)) => {
            compare(&index, &attempt).map_err(|other| format!("{problem}; {other}"))?;
            attempt
        }
    };
    // The next writer deletes nothing that a tag needs, and what it writes is whole.
    let writer = index.writer_with(options(3)).map_err(|error| error.to_string())?;
    compare(&index, &found)?;
    writer.upsert(&document((1, 1))).and_then(|_| writer.close()).map_err(|error| error.to_string())?;
    whole(&directory).map_err(|trouble| trouble.to_string())?;
    Ok(found)
}

#[test]
fn an_error_of_the_disk_while_tagging_and_restoring_loses_nothing() {
    let failed = AtomicU64::new(0);
    on_all_cores(0..4, |seed| {
        let steps = random_steps(&mut Rng::new(700 + seed), 35);
        let all = |process: &mut Process| {
            process.open().and_then(|()| steps.iter().try_for_each(|step| process.apply(step)))
        };
        let rehearsal = FaultDirectory::new();
        let mut process = start(&rehearsal);
        let created = rehearsal.operations();
        all(&mut process).map_err(|error| format!("without an error: {error}"))?;
        drop(process);
        for at in (1..=rehearsal.operations() - created).skip(seed as usize).step_by(4) {
            let disk = FaultDirectory::new();
            let mut process = start(&disk);
            disk.fail_at(at, Times::Once, io::ErrorKind::Other);
            failed.fetch_add(u64::from(all(&mut process).is_err()), Ordering::Relaxed);
            disk.clear_faults();
            let context = |what: String| format!("seed {seed}, error at {at}: {what}{}", tail(&disk.log()));
            found_after(process).map_err(context)?;
            if disk.sync_retried_after_failure() {
                return Err(context("a file was synced again".to_owned()));
            }
        }
        Ok(())
    })
    .unwrap();
    assert!(failed.into_inner() > 100);
}

#[test]
fn on_a_full_disk_tags_and_commits_stay_and_the_writer_goes_on_once_there_is_room() {
    let full = AtomicU64::new(0);
    on_all_cores(0..6, |seed| {
        let steps = random_steps(&mut Rng::new(900 + seed), 40);
        for bytes in (4_000..).step_by(9_000) {
            let disk = FaultDirectory::new();
            let mut process = start(&disk);
            process.open().map_err(|error| error.to_string())?;
            disk.set_capacity(Some(bytes));
            let mut was_full = false;
            for step in &steps {
                let Err(error) = process.apply(step) else { continue };
                let context = |what: String| format!("seed {seed}, {bytes} bytes, {step:?}: {what}");
                if was_full || error.kind() != ErrorKind::DiskFull {
                    return Err(context(error.to_string()));
                }
                was_full = true;
                process.attempt = None;
                let index = IndexBuilder::new().open(Arc::new(disk.clone()));
                let index = index.map_err(|error| context(error.to_string()))?;
                compare(&index, &process.acknowledged).map_err(context)?;
                disk.set_capacity(None);
                process.apply(step).map_err(|error| context(error.to_string()))?;
            }
            full.fetch_add(u64::from(was_full), Ordering::Relaxed);
            disk.set_capacity(None);
            found_after(process).map_err(|what| format!("seed {seed}, {bytes} bytes: {what}"))?;
            if !was_full {
                break;
            }
        }
        Ok(())
    })
    .unwrap();
    assert!(full.into_inner() > 10);
}

/// `kill -9` of a process that tags, restores and backs up.
#[cfg(unix)]
mod killed {
    use super::*;
    use lucerne::admin;
    use std::io::{BufRead, BufReader, Write};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    const CHILD_FOLDER: &str = "LUCERNE_TEST_HISTORY_FOLDER";

    /// Commit `number` holds these documents and nothing else.
    fn content(number: u64) -> Content {
        (0..4 + number as usize % 5).map(|at| (key(at), document((at, number)))).collect()
    }

    fn number(index: &Index, at: &str) -> u64 {
        index.open_at(at).unwrap().user_data()["number"].parse().unwrap()
    }

    /// The child: commits, tags, goes back and forth, takes backups, and says which tags there are.
    #[test]
    #[ignore = "a helper of a_killed_process_loses_no_tag_and_no_backup"]
    fn tagging_child() {
        let Some(folder) = std::env::var_os(CHILD_FOLDER) else { return };
        let folder = Path::new(&folder);
        let index = Index::open(folder.join("live")).unwrap();
        let policy = MergePolicy::Tiered(TieredOptions::new().segments_per_tier(2));
        let writer =
            index.writer_with(WriterOptions::new().threads(1).flush_docs(3).merge_policy(policy)).unwrap();
        let last = |tag: &String| tag[1..].parse::<u64>().unwrap();
        let mut next = index.tags().unwrap().keys().map(last).max().unwrap_or(0);
        loop {
            next += 1;
            for at in 0..9 {
                writer.delete(&key(at)).unwrap();
            }
            content(next).into_values().for_each(|document| drop(writer.upsert(&document).unwrap()));
            let data = [("number".to_owned(), next.to_string())].into();
            writer.prepare_commit_with(data).unwrap().commit().unwrap();
            writer.tag(&format!("t{next}")).unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "\ntagged {next}").and_then(|()| out.flush()).unwrap();
            let tags: Vec<String> = index.tags().unwrap().into_keys().collect();
            if next.is_multiple_of(3) {
                writer.restore(&*tags[next as usize % tags.len()]).unwrap();
            }
            index.backup_to(folder.join("backup")).unwrap();
            if tags.len() > 4 {
                writer.untag(tags.iter().min_by_key(|tag| last(tag)).unwrap()).unwrap();
            }
        }
    }

    #[test]
    fn a_killed_process_loses_no_tag_and_no_backup() {
        let kills = number_from_environment("LUCERNE_KILLS").unwrap_or(12);
        let folder = tempfile::tempdir().unwrap();
        let (live, backup) = (folder.path().join("live"), folder.path().join("backup"));
        Index::create(&live, schema()).unwrap();
        let (mut rng, mut said, mut backups) = (Rng::new(2), 0, 0);
        for kill in 0..kills {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "history::killed::tagging_child", "--ignored", "--nocapture"])
                .env(CHILD_FOLDER, folder.path())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
            let mut tagged = lines.filter_map(|line| line.strip_prefix("tagged ")?.parse::<u64>().ok());
            said = tagged.next().expect("the child goes on");
            std::thread::sleep(Duration::from_micros(rng.next() % 120_000));
            child.kill().unwrap();
            child.wait().unwrap();
            said = tagged.last().unwrap_or(said);

            let index = Index::open(&live).unwrap();
            let tags = index.tags().unwrap();
            assert!(tags.contains_key(&format!("t{said}")), "kill {kill}: t{said} of {tags:?}");
            for tag in tags.keys() {
                assert_eq!(format!("t{}", number(&index, tag)), *tag, "kill {kill}");
                difference(&index.open_at(&**tag).unwrap(), &content(number(&index, tag))).unwrap();
            }
            for folder in [&live, &backup] {
                let index = match Index::open(folder) {
                    // The first one had not ended.
                    Err(Error::NotAnIndex { .. }) if folder == &backup && backups == 0 => continue,
                    Err(error) if error.kind() == ErrorKind::NotFound && backups == 0 => continue,
                    opened => opened.unwrap(),
                };
                let searcher = index.searcher().unwrap();
                let number = searcher.user_data()["number"].parse().unwrap();
                difference(&searcher, &content(number)).unwrap();
                let report = admin::check(folder, &Cancel::new(), &()).unwrap();
                assert!(report.ok(), "kill {kill}: {report:?}");
                backups += u64::from(folder == &backup);
            }
        }
        println!("{kills} kills, {said} tags acknowledged, {backups} backups looked at: nothing lost");
        assert!(said >= kills && backups > 0);
    }
}

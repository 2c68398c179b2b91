//! An error at every single operation of scripted runs, merges among them: each is reported as what it is, and none harms
//! the last commit.
//!
//! On every push the first operation of each kind fails in every way, each later one in one of them.
//! `LUCERNE_ALL_FAULTS=1` lets all fail in every way, `LUCERNE_SEED=n` replays one run.
#![expect(clippy::print_stdout, reason = "the figures of a run")]

use crate::common::faults::{Merges, number_from_environment, on_all_cores, phase, tail};
use crate::common::life::{Life, Made, State, Step, Trouble, find_state, lives_on, options, reopens};
use lucerne::codec::Directory;
use lucerne::directory::fault::{Fault, FaultDirectory, Logged, Model, Operation, Times, is_injected};
use lucerne::{Error, ErrorKind};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

#[test]
fn an_error_at_any_operation_of_a_bulk_import_harms_nothing() {
    let mut steps = vec![Step::Create, Step::Open];
    steps.extend((0..22).map(|key| Step::Add((key, 1))));
    steps.extend([Step::Batch(made(22..30, 1)), Step::Refresh, Step::Search]);
    steps.extend((30..37).map(|key| Step::Add((key, 1))));
    steps.extend([Step::Commit, Step::Close, Step::Read, Step::Check]);
    at_every_operation("bulk import", &FaultDirectory::new(), None, &steps);
}

#[test]
fn an_error_at_any_operation_of_upserts_and_deletes_harms_nothing() {
    let (disk, state) = some_index();
    let steps = [
        vec![Step::Open, Step::Delete(0), Step::Delete(5), Step::Delete(9), Step::Commit],
        upserts(3..12, 2),
        vec![Step::Delete(4), Step::Delete(99), Step::Refresh, Step::Delete(14), Step::Commit],
        vec![Step::Batch(made(0..6, 3)), Step::PlainCommit, Step::Delete(1), Step::Delete(2)],
        vec![
            Step::RaiseFrom(2),
            Step::Commit,
            Step::Upsert((3, 4)),
            Step::RaiseFrom(3),
            Step::DeleteBelow(2),
        ],
        // A segment without a live document goes.
        (0..6).map(Step::Delete).collect(),
        vec![Step::ForceMerge(2), Step::Upsert((7, 4)), Step::Commit, Step::Read, Step::Close],
    ];
    let within_merges = at_every_operation("upserts and deletes", &disk, Some(state), &steps.concat());
    assert!(within_merges > 0);
}

#[test]
fn an_error_at_any_operation_of_merges_harms_nothing() {
    let (disk, state) = some_index();
    let steps = [
        vec![Step::Open, Step::Hold],
        upserts(8..20, 2),
        vec![Step::Delete(0), Step::ForceMerge(1), Step::Search, Step::Commit, Step::Release],
        upserts(0..9, 3),
        // One that takes in deletes, one that is taken back, one whose result is merged again uncommitted.
        vec![Step::Refresh, Step::Delete(12), Step::ForceMerge(2), Step::Rollback],
        upserts(20..31, 4),
        vec![Step::ForceMerge(2), Step::Delete(3), Step::Upsert((4, 5)), Step::ForceMerge(1)],
        vec![Step::Search, Step::Commit, Step::Check, Step::Upsert((1, 6)), Step::ForceMerge(1), Step::Close],
        vec![Step::Read],
    ];
    let within_merges = at_every_operation("merges", &disk, Some(state), &steps.concat());
    assert!(within_merges > 300, "{within_merges}");
}

#[test]
fn an_error_at_any_operation_of_refreshes_two_phases_and_rollbacks_harms_nothing() {
    let (disk, state) = some_index();
    let steps = [
        vec![Step::Open, Step::Hold],
        upserts(8..14, 2),
        vec![Step::Refresh, Step::Search, Step::Hold, Step::TwoPhase(made(14..21, 2)), Step::Search],
        upserts(0..3, 3),
        vec![Step::Abort(made(3..9, 3)), Step::Search, Step::Rollback, Step::Search, Step::Release],
        upserts(2..7, 4),
        vec![Step::Abort(Vec::new()), Step::Delete(11), Step::Commit, Step::Release, Step::Rollback],
        vec![Step::Delete(12), Step::Refresh, Step::TwoPhase(Vec::new()), Step::Close],
    ];
    at_every_operation("two phases", &disk, Some(state), &steps.concat());
}

#[test]
fn an_error_at_any_operation_of_opening_after_a_crash_harms_nothing() {
    let (disk, state) = some_index();
    let mut life = Life::resume(directory(&disk), options(8), vec![Some(state.clone())], 50);
    life.apply_all(&[Step::Open, Step::Delete(3), Step::Commit]).unwrap();
    // A commit that was being published, and a segment nobody knows of.
    life.apply_all(&upserts(5..15, 2)).unwrap();
    disk.cut_at_nth(1, &[Operation::Rename]);
    life.apply(&Step::Commit).unwrap_err();
    let state = life.acknowledged().clone();
    let disk = disk.kill();
    let orphans = disk.list().unwrap().iter().filter(|name| name.starts_with("pending_")).count();
    assert_eq!(orphans, 1);
    let steps =
        [vec![Step::Read, Step::Open, Step::Search], upserts(10..17, 3), vec![Step::Commit, Step::Close]];
    at_every_operation("opening after a crash", &disk, Some(state), &steps.concat());
}

#[test]
fn an_error_at_any_operation_of_creating_reading_and_checking_harms_nothing() {
    let steps = vec![Step::Create, Step::Read, Step::Check];
    at_every_operation("create, read and check", &FaultDirectory::new(), None, &steps);
    let (disk, state) = some_index();
    let steps = vec![Step::Read, Step::Check, Step::Read];
    at_every_operation("read and check", &disk, Some(state), &steps);
}

fn made(keys: std::ops::Range<usize>, version: u64) -> Vec<Made> {
    keys.map(|key| (key, version)).collect()
}

fn upserts(keys: std::ops::Range<usize>, version: u64) -> Vec<Step> {
    made(keys, version).into_iter().map(Step::Upsert).collect()
}

fn directory(disk: &FaultDirectory) -> Arc<dyn Directory> {
    Arc::new(disk.clone())
}

/// An index of several segments, one with deletes.
fn some_index() -> (FaultDirectory, State) {
    let disk = FaultDirectory::new();
    let mut life = Life::new(directory(&disk), options(8));
    life.apply_all(&[Step::Create, Step::Open]).unwrap();
    life.apply_all(&upserts(0..16, 1)).unwrap();
    life.apply_all(&[Step::Delete(15), Step::Commit, Step::Leave]).unwrap();
    (disk, life.acknowledged().clone())
}

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
struct Case {
    at: u64,
    times: Times,
    kind: io::ErrorKind,
    /// It happens all the same, only its success is not reported.
    applied: bool,
}

impl Case {
    const KINDS: [(Times, io::ErrorKind, bool); 5] = [
        (Times::Once, io::ErrorKind::Other, false),
        (Times::Once, io::ErrorKind::StorageFull, false),
        (Times::Once, io::ErrorKind::Other, true),
        (Times::Forever, io::ErrorKind::Other, false),
        (Times::Forever, io::ErrorKind::StorageFull, false),
    ];

    /// The ways in which an operation can fail: what reads has no effect (a lock has nobody to hold it) and needs no room.
    fn ways(operation: Operation) -> Vec<u64> {
        let mutating = Operation::MUTATING.contains(&operation);
        let possible = |&(_, kind, applied): &(Times, io::ErrorKind, bool)| {
            mutating || !applied && kind != io::ErrorKind::StorageFull
        };
        (0..).zip(&Self::KINDS).filter(|(_, way)| possible(way)).map(|(way, _)| way).collect()
    }

    /// The cases of the operations of a log, by number. All ways at the first operation of each kind (what is done to which
    /// sort of file, and what for), at each later one the next way in turn.
    fn numbers(log: &[Logged]) -> Vec<u64> {
        if let Some(only) = number_from_environment("LUCERNE_SEED") {
            return vec![only];
        }
        let all = number_from_environment("LUCERNE_ALL_FAULTS").is_some_and(|all| all > 0);
        let mut met = BTreeMap::<_, usize>::new();
        let mut numbers = Vec::new();
        for (index, logged) in log.iter().enumerate() {
            let sort = logged.name.rsplit('.').next().unwrap().trim_end_matches(|c: char| c.is_ascii_digit());
            let before = met.entry((logged.operation, sort, phase(log, index))).or_default();
            let mut ways = Self::ways(logged.operation);
            if !all && *before > 0 {
                ways = vec![ways[*before % ways.len()]];
            }
            *before += 1;
            numbers.extend(ways.iter().map(|way| index as u64 * Self::KINDS.len() as u64 + way));
        }
        numbers
    }

    fn of(number: u64) -> Self {
        let (times, kind, applied) = Self::KINDS[number as usize % Self::KINDS.len()];
        Self { at: 1 + number / Self::KINDS.len() as u64, times, kind, applied }
    }

    fn fault(self) -> Fault {
        let fault = Fault::at(self.at, self.times, self.kind);
        if self.applied { fault.but_applied() } else { fault }
    }

    fn error_kind(self) -> ErrorKind {
        if self.kind == io::ErrorKind::StorageFull { ErrorKind::DiskFull } else { ErrorKind::Io }
    }
}

/// Runs the steps once without a fault to learn the operations, then once for each case.
/// Returns how many of these runs had their error between the beginning and the end of a merge.
fn at_every_operation(name: &str, disk: &FaultDirectory, state: Option<State>, steps: &[Step]) -> u64 {
    let started = std::time::Instant::now();
    let rehearsal = disk.kill();
    let merges = Arc::new(Merges::default());
    let watched = options(8).on_merge(merges.watch(rehearsal.clone()));
    let mut life = Life::resume(directory(&rehearsal), watched, vec![state.clone()], 100);
    life.apply_all(steps).unwrap_or_else(|trouble| panic!("{name} without a fault: {trouble}"));
    drop(life);
    let (log, merges, within) = (rehearsal.log(), merges.finished(), AtomicU64::new(0));
    let tally = Mutex::<BTreeMap<&str, u64>>::default();
    let numbers = Case::numbers(&log);
    let result = on_all_cores(0..numbers.len() as u64, |at| {
        let number = numbers[at as usize];
        let case = Case::of(number);
        let disk = disk.kill();
        disk.inject(case.fault());
        let life = Life::resume(directory(&disk), options(8), vec![state.clone()], 100);
        let mut run = Run { case, disk, life, refused: false, trouble: 0 };
        let outcome = run.all(steps).map_err(|what| {
            let log = run.disk.log();
            format!("{name}, {case:?}: {what}{}\n  replay with LUCERNE_SEED={number}", tail(&log))
        })?;
        *tally.lock().unwrap().entry(outcome).or_default() += 1;
        let merging = merges.iter().any(|merge| merge.contains(&(case.at as usize - 1)));
        within.fetch_add(u64::from(merging), Ordering::Relaxed);
        Ok(())
    });
    result.unwrap();
    let tally = tally.into_inner().unwrap();
    let runs = tally.values().sum::<u64>();
    let seconds = started.elapsed().as_secs_f64();
    let within = within.into_inner();
    println!(
        "{name}: {} operations, {runs} runs with an error, {within} of them within one of {} merges, \
         {seconds:.1} s: {tally:?}",
        log.len(),
        merges.len()
    );
    within
}

/// One run with one fault.
struct Run {
    case: Case,
    disk: FaultDirectory,
    life: Life,
    /// The writer has said that it must be reopened.
    refused: bool,
    trouble: u64,
}

impl Run {
    fn all(&mut self, steps: &[Step]) -> Result<&'static str, String> {
        match self.case.times {
            Times::Once => self.once(steps)?,
            Times::Forever => self.forever(steps)?,
        }
        self.life.writer = None;
        self.disk.clear_faults();
        if self.disk.sync_retried_after_failure() {
            return Err("a file was synced again after a failed sync".to_owned());
        }
        // As it is, and after a power cut now: what failed to be synced was not relied on.
        let allowed = self.life.allowed();
        let found = self.find(&self.disk, &allowed)?;
        let model = Model::ALL[self.case.at as usize % 2];
        self.find(&self.disk.crash(model, self.case.at), &allowed)?;
        if self.case.times == Times::Once && allowed.last() != Some(&found) {
            return Err("not everything is there in the end".to_owned());
        }
        if let Some(state) = &found {
            let directory = directory(&self.disk);
            let end = if self.case.at.is_multiple_of(8) { lives_on } else { reopens };
            end(&directory, state).map_err(|trouble| trouble.to_string())?;
        }
        Ok(match (self.trouble, self.refused) {
            (0, _) => "not noticed, nothing lost",
            (_, true) => "writer had to be reopened",
            _ => "reported",
        })
    }

    fn find(&self, disk: &FaultDirectory, allowed: &[Option<State>]) -> Result<Option<State>, String> {
        find_state(&directory(disk), allowed).map_err(|trouble| trouble.to_string())
    }

    /// Every step is done; one that fails is tried again, after reopening the writer when it asks for that.
    fn once(&mut self, steps: &[Step]) -> Result<(), String> {
        let mut todo: VecDeque<Step> = steps.iter().cloned().collect();
        // What is not committed yet, to be done again when the writer is lost.
        let mut since: Vec<Step> = Vec::new();
        while let Some(step) = todo.pop_front() {
            let Err(trouble) = self.life.apply(&step) else {
                forget_committed(&mut since, &step);
                continue;
            };
            self.judge(&step, &trouble)?;
            if self.trouble > 1 {
                return Err(format!("{step:?} failed again: {trouble}"));
            }
            let lost = matches!(step, Step::Close) || self.must_be_reopened(&step)?;
            if !lost {
                todo.push_front(step);
                continue;
            }
            let state = self.life.acknowledged().clone();
            self.life.apply(&Step::Open).map_err(|trouble| format!("reopening: {trouble}"))?;
            if *self.life.acknowledged() != state {
                forget_committed(&mut since, &step); // It was published all the same.
            } else {
                todo.push_front(step);
            }
            since.drain(..).rev().for_each(|step| todo.push_front(step));
        }
        Ok(())
    }

    /// Whatever still can be done is done, and fails as it should.
    fn forever(&mut self, steps: &[Step]) -> Result<(), String> {
        for step in steps {
            let needs_writer = !matches!(step, Step::Create | Step::Read | Step::Open | Step::Check);
            if needs_writer && self.life.writer.is_none() {
                continue;
            }
            let Err(trouble) = self.life.apply(step) else { continue };
            self.judge(step, &trouble)?;
            if self.life.writer.is_some() {
                self.must_be_reopened(step)?;
            }
        }
        Ok(())
    }

    /// The error says what happened.
    fn judge(&mut self, step: &Step, trouble: &Trouble) -> Result<(), String> {
        self.trouble += 1;
        let unexpected = || Err(format!("{step:?}: {trouble}"));
        match trouble {
            Trouble::Error(Error::WriterFailed { reason }) if self.refused => {
                if reason.contains("injected") {
                    Ok(())
                } else {
                    unexpected()
                }
            }
            Trouble::Error(error) if is_injected(error) => {
                if error.kind() == self.case.error_kind() {
                    Ok(())
                } else {
                    unexpected()
                }
            }
            // A check reports what it cannot read.
            Trouble::Wrong(what) if matches!(step, Step::Check) && what.contains("injected") => Ok(()),
            // A file that could not be created twice, a folder whose creation was not reported.
            _ => unexpected(),
        }
    }

    /// Whether the writer says that it must be reopened: after a failed sync or rename, and only then.
    fn must_be_reopened(&mut self, step: &Step) -> Result<bool, String> {
        let Some(writer) = &self.life.writer else { return Ok(false) };
        let refused = match writer.delete("nobody") {
            Ok(false) => false,
            Err(Error::WriterFailed { reason }) if reason.contains("injected") => true,
            other => return Err(format!("{other:?} after {step:?}")),
        };
        let log = self.disk.log();
        let failed = log.iter().filter(|logged| logged.number >= self.case.at);
        let failed: Vec<&Logged> = match self.case.times {
            Times::Once => failed.take(1).collect(),
            Times::Forever => failed.collect(),
        };
        let is_sync = |logged: &&Logged| {
            matches!(logged.operation, Operation::Sync | Operation::SyncDir | Operation::Rename)
        };
        // Opening syncs the folder, too; then there is no writer yet.
        let expected = failed.iter().any(is_sync) && !matches!(step, Step::Open);
        if refused != expected && self.case.times == Times::Once {
            return Err(format!("the writer says {refused}, expected {expected}, after {step:?}"));
        }
        self.refused |= refused;
        Ok(refused)
    }
}

/// Follows with what a crash of the process would lose.
fn forget_committed(since: &mut Vec<Step>, step: &Step) {
    match step {
        Step::Commit | Step::PlainCommit | Step::Close | Step::Rollback | Step::Reopen => since.clear(),
        Step::TwoPhase(during) => *since = during.iter().copied().map(Step::Upsert).collect(),
        Step::Create | Step::Open | Step::Read | Step::Check | Step::Hold | Step::Release => {}
        other => since.push(other.clone()),
    }
}

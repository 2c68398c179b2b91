//! Power cuts: whatever the disk has not promised to keep is gone, and the index is at the last acknowledged
//! commit or at the later one that was being published.
//!
//! `LUCERNE_CUTS=10000` cuts more often than on every push, `LUCERNE_SEED=n` replays one script.
#![expect(clippy::print_stdout, reason = "the figures of a run")]

use crate::common::faults::{Merges, PHASES, number_from_environment, on_all_cores, phase, tail};
use crate::common::files::leaked;
use crate::common::life::{Allowed, Life, Made, State, Step, Trouble, find_state, lives_on, options};
use crate::common::rng::Rng;
use lucerne::WriterOptions;
use lucerne::codec::{Directory, Input, Lock, Output, Result};
use lucerne::directory::fault::{FaultDirectory, Logged, Model, Operation, is_power_cut};
use lucerne::merge::{MergePolicy, TieredOptions};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// First cuts unless told otherwise.
const CUTS: u64 = 1_000;
/// Cuts of one script, each in a run of its own.
const CUTS_PER_SCRIPT: u64 = 5;
const KEYS: usize = 24;

/// What was reached, over all scripts.
#[derive(Debug, Default)]
struct Tally {
    cuts: u64,
    /// Cuts of processes that came after a crash, in opening or later.
    further_cuts: u64,
    /// Cuts by what the engine was about.
    phases: BTreeMap<&'static str, u64>,
    further_phases: BTreeMap<&'static str, u64>,
    /// Merges of the scripts, and first cuts between the beginning and the end of one.
    merges: u64,
    within_merges: u64,
    /// Disks by what made them: each was opened and compared.
    images: BTreeMap<&'static str, u64>,
    /// Disks at the last acknowledged commit, and at the later one.
    at_last: u64,
    at_later: u64,
    without_index: u64,
}

/// The disk as the writer sees it, and what the engine is told.
type Wrap = fn(FaultDirectory) -> Arc<dyn Directory>;

fn honest(disk: FaultDirectory) -> Arc<dyn Directory> {
    Arc::new(disk)
}

#[test]
fn after_a_power_cut_the_index_is_at_the_last_acknowledged_commit_or_a_later_whole_one() {
    let tally = Mutex::new(Tally::default());
    if let Some(seed) = number_from_environment("LUCERNE_SEED") {
        script(seed, honest, &tally).unwrap();
        return;
    }
    let cuts = number_from_environment("LUCERNE_CUTS").unwrap_or(CUTS);
    let started = std::time::Instant::now();
    on_all_cores(0..cuts.div_ceil(CUTS_PER_SCRIPT), |seed| script(seed, honest, &tally)).unwrap();
    let tally = tally.into_inner().unwrap();
    println!("{}", tally.report());
    println!("{:.1} s", started.elapsed().as_secs_f64());
    for phase in PHASES {
        let reached = tally.phases.get(phase).copied().unwrap_or(0);
        assert!(reached >= tally.cuts / 100, "only {reached} of {} cuts at: {phase}", tally.cuts);
    }
    let within = tally.within_merges;
    assert!(within >= tally.cuts / 10, "only {within} of {} cuts within merges", tally.cuts);
    let further = tally.further_phases.values().sum::<u64>();
    assert!(further >= tally.cuts / 4, "only {further} cuts after a crash");
    assert!(tally.at_later > 0 && tally.without_index > 0);
}

/// The tests find what they are for: an engine that leaves one call out loses commits.
#[test]
fn a_missing_sync_anywhere_in_a_commit_is_noticed() {
    let careless: [(&str, Wrap); 4] = [
        ("folder sync after the rename", |disk| Careless::around(disk, Skipped::LastFolderSync)),
        ("folder sync before the rename", |disk| Careless::around(disk, Skipped::FirstFolderSync)),
        ("sync of the segments' files", |disk| Careless::around(disk, Skipped::SegmentSyncs)),
        ("sync of the pending commit", |disk| Careless::around(disk, Skipped::PendingSync)),
    ];
    for (skipped, wrap) in careless {
        let tally = Mutex::default();
        let found = (0..60).find(|&seed| script(seed, wrap, &tally).is_err());
        println!("without the {skipped}: script {found:?} is the first of 60 to find it");
        assert!(found.is_some(), "nobody misses the {skipped}");
    }
}

impl Tally {
    fn report(&self) -> String {
        let lines = |counts: &BTreeMap<&str, u64>| {
            counts.iter().map(|(what, count)| format!("\n  {count:>7}  {what}")).collect::<String>()
        };
        format!(
            "{} power cuts and {} more in the processes after them; 0 lost, 0 unopenable, 0 mixed, 0 leaked\n\
             {} of the cuts within one of {} merges\n\
             disks opened and compared:{}\nof these {} at the last acknowledged commit, {} at the later one, \
             {} without an index yet\nfirst cuts by what came next:{}\nlater cuts:{}",
            self.cuts,
            self.further_cuts,
            self.within_merges,
            self.merges,
            lines(&self.images),
            self.at_last,
            self.at_later,
            self.without_index,
            lines(&self.phases),
            lines(&self.further_phases),
        )
    }

    fn found(&mut self, image: &'static str, found: &Option<State>, allowed: &Allowed) {
        *self.images.entry(image).or_default() += 1;
        match found {
            None => self.without_index += 1,
            found if allowed.first() == Some(found) => self.at_last += 1,
            Some(_) => self.at_later += 1,
        }
    }
}

/// Cuts one random script at several places.
fn script(seed: u64, wrap: Wrap, tally: &Mutex<Tally>) -> Result<(), String> {
    let rng = &mut Rng::new(seed);
    let options = some_options(rng);
    let mut steps = vec![Step::Create, Step::Open];
    let length = 10 + rng.below(40);
    steps.extend(random_steps(rng, length));
    let failed = |what: String| format!("{what}\n  replay with LUCERNE_SEED={seed}");
    let rehearsal = FaultDirectory::new();
    let merges = Arc::new(Merges::default());
    let watched = options.clone().on_merge(merges.watch(rehearsal.clone()));
    Life::new(wrap(rehearsal.clone()), watched)
        .apply_all(&steps)
        .map_err(|trouble| failed(format!("without any cut: {trouble}")))?;
    let log = rehearsal.log();
    let merges = merges.finished();
    tally.lock().unwrap().merges += merges.len() as u64;
    for _ in 0..CUTS_PER_SCRIPT {
        let at = match rng.chance(20) && !merges.is_empty() {
            true => {
                let merge = rng.pick(&merges).clone();
                merge.start + rng.below(merge.len())
            }
            false => place(rng, &log),
        };
        let disk = FaultDirectory::new();
        let life = Life::new(wrap(disk.clone()), options.clone());
        let story = Story { wrap, options: options.clone(), tally, life_number: 1 };
        let told = story.tell(life, disk, &steps, at as u64 + 1, rng);
        told.map_err(|what| failed(format!("cut at operation {} ({}): {what}", at + 1, phase(&log, at))))?;
        let mut tally = tally.lock().unwrap();
        tally.cuts += 1;
        tally.within_merges += u64::from(merges.iter().any(|merge| merge.contains(&at)));
        *tally.phases.entry(phase(&log, at)).or_default() += 1;
    }
    Ok(())
}

/// The index of an operation of a log, or its length: half of the time any, half of the time with the same
/// chance for each phase.
fn place(rng: &mut Rng, log: &[Logged]) -> usize {
    if rng.chance(50) {
        return rng.below(log.len() + 1);
    }
    let wanted = *rng.pick(&PHASES);
    let places: Vec<usize> = (0..=log.len()).filter(|&index| phase(log, index) == wanted).collect();
    if places.is_empty() { rng.below(log.len() + 1) } else { *rng.pick(&places) }
}

fn some_options(rng: &mut Rng) -> WriterOptions {
    let tiered = TieredOptions::new().segments_per_tier(2 + rng.below(6));
    let policy = if rng.chance(50) { MergePolicy::None } else { MergePolicy::Tiered(tiered) };
    options(2 + rng.below(8) as u32).merge_policy(policy)
}

fn random_steps(rng: &mut Rng, length: usize) -> Vec<Step> {
    (0..length).map(|_| random_step(rng)).collect()
}

fn random_step(rng: &mut Rng) -> Step {
    let some = |rng: &mut Rng| -> Vec<Made> {
        let first = rng.below(KEYS);
        (0..rng.below(5)).map(|at| ((first + at) % KEYS, rng.next() >> 20)).collect()
    };
    let version = |rng: &mut Rng| rng.next() >> 20;
    let one = |rng: &mut Rng| (rng.below(KEYS), version(rng));
    match rng.below(100) {
        0..20 => Step::Add(one(rng)),
        20..40 => Step::Upsert(one(rng)),
        40..50 => Step::Batch(some(rng)),
        50..58 => Step::Delete(rng.below(KEYS)),
        58..60 => Step::DeleteBelow(version(rng) / 4),
        60..64 => Step::RaiseFrom(version(rng)),
        64..69 => Step::Refresh,
        69..71 => Step::Hold,
        71..73 => Step::Release,
        73..76 => Step::PlainCommit,
        76..86 => Step::Commit,
        86..90 => Step::TwoPhase(some(rng)),
        90..93 => Step::Abort(some(rng)),
        93..96 => Step::Rollback,
        96..98 => Step::ForceMerge(1 + rng.below(3)),
        _ => Step::Reopen,
    }
}

/// What the disk goes through: a process, a cut, the next process, ….
struct Story<'a> {
    wrap: Wrap,
    options: WriterOptions,
    tally: &'a Mutex<Tally>,
    life_number: u64,
}

impl Story<'_> {
    /// Lets a process do its steps until the power is cut at its `at`-th operation (or after the last), and
    /// follows the disks that may be left to the end.
    fn tell(
        mut self,
        mut life: Life,
        disk: FaultDirectory,
        steps: &[Step],
        at: u64,
        rng: &mut Rng,
    ) -> Result<(), String> {
        disk.cut_at(at);
        let mut begun = 0;
        let result = steps.iter().try_for_each(|step| {
            begun = disk.operations() as usize;
            life.apply(step)
        });
        let log = disk.log();
        let context = |what: String| format!("process {}: {what}{}", self.life_number, tail(&log));
        match result {
            Err(Trouble::Error(error)) if is_power_cut(&error) => {}
            Err(trouble) => return Err(context(trouble.to_string())),
            Ok(()) => {}
        }
        // A commit that had not come to its rename cannot have become visible.
        let happened = log.len() - usize::from(disk.power_is_cut());
        let renamed = log.get(begun..happened).is_some_and(|log| log.iter().any(is_publishing));
        let last = life.before();
        let allowed = if renamed { life.allowed() } else { last };
        drop(life);
        if self.life_number > 1 && disk.power_is_cut() {
            let mut tally = self.tally.lock().unwrap();
            tally.further_cuts += 1;
            *tally.further_phases.entry(phase(&log, log.len() - 1)).or_default() += 1;
        }
        // Some of what may be left, under both models, as a reader finds it.
        for model in Model::ALL {
            for _ in 0..2 {
                let image = disk.crash(model, rng.next());
                let found = find_state(&honest(image), &allowed);
                let found = found.map_err(|trouble| context(format!("{model:?}: {trouble}")))?;
                self.tally.lock().unwrap().found(name(model), &found, &allowed);
            }
        }
        // One of them lives on, or the process alone was killed.
        let (image, kind, durable) = match rng.below(5) {
            0 => (disk.kill(), "process killed", false),
            number => {
                let model = Model::ALL[number % 2];
                (disk.crash(model, rng.next()), name(model), true)
            }
        };
        let found = find_state(&honest(image.clone()), &allowed);
        let found = found.map_err(|trouble| context(format!("{kind}: {trouble}")))?;
        self.tally.lock().unwrap().found(kind, &found, &allowed);
        let allowed = if durable { vec![found.clone()] } else { allowed };
        if self.life_number < 4 && rng.chance(50) {
            // The next process is cut off, too, most often while it opens the index.
            self.life_number += 1;
            let create = if found.is_none() { &[Step::Create][..] } else { &[] };
            let mut steps = [create, &[Step::Open]].concat();
            let length = rng.below(7);
            steps.extend(random_steps(rng, length));
            steps.push(Step::Commit);
            let at = 1 + if rng.chance(70) { rng.below(25) } else { rng.below(150) };
            let number = self.life_number << 20;
            let life = Life::resume((self.wrap)(image.clone()), self.options.clone(), allowed, number);
            return self.tell(life, image, &steps, at as u64, rng);
        }
        let Some(state) = found else { return Ok(()) };
        let directory = (self.wrap)(image);
        lives_on(&directory, &state).map_err(|trouble| context(format!("after {kind}: {trouble}")))
    }
}

fn name(model: Model) -> &'static str {
    match model {
        Model::Journalled => "journalled names",
        Model::PosixMinimal => "POSIX-minimal names",
    }
}

fn is_publishing(logged: &Logged) -> bool {
    logged.operation == Operation::Rename && logged.name.starts_with("pending_segments_")
}

/// After every commit the folder holds what the commit needs, while its writer is still open.
#[test]
fn every_commit_leaves_only_its_own_files() {
    for seed in 0..40 {
        let rng = &mut Rng::new(seed);
        let directory = honest(FaultDirectory::new());
        let mut life = Life::new(Arc::clone(&directory), some_options(rng).merge_policy(MergePolicy::None));
        life.apply_all(&[Step::Create, Step::Open]).unwrap();
        for _ in 0..10 {
            let steps = random_steps(rng, 8).into_iter().filter(|step| !matches!(step, Step::Hold));
            let steps: Vec<Step> = steps.chain([Step::Commit]).collect();
            life.apply_all(&steps).unwrap_or_else(|trouble| panic!("seed {seed}: {trouble}"));
            assert_eq!(leaked(&directory).unwrap(), [""; 0], "seed {seed}: {steps:?}");
        }
        life.apply_all(&[Step::Upsert((1, 1)), Step::Close]).unwrap();
        assert_eq!(leaked(&directory).unwrap(), [""; 0], "seed {seed}");
    }
}

/// A directory that says it has synced and has not.
#[derive(Debug)]
struct Careless {
    disk: FaultDirectory,
    skipped: Skipped,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Skipped {
    FirstFolderSync,
    LastFolderSync,
    SegmentSyncs,
    PendingSync,
}

impl Careless {
    fn around(disk: FaultDirectory, skipped: Skipped) -> Arc<dyn Directory> {
        Arc::new(Self { disk, skipped })
    }
}

impl Directory for Careless {
    fn create(&self, name: &str) -> Result<Box<dyn Output>> {
        self.disk.create(name)
    }

    fn open(&self, name: &str) -> Result<Input> {
        self.disk.open(name)
    }

    fn file_len(&self, name: &str) -> Result<u64> {
        self.disk.file_len(name)
    }

    fn list(&self) -> Result<Vec<String>> {
        self.disk.list()
    }

    fn delete(&self, name: &str) -> Result<()> {
        self.disk.delete(name)
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.disk.rename(from, to)
    }

    fn sync(&self, name: &str) -> Result<()> {
        let skipped = if name.starts_with("pending_") { Skipped::PendingSync } else { Skipped::SegmentSyncs };
        if self.skipped == skipped { Ok(()) } else { self.disk.sync(name) }
    }

    fn sync_dir(&self) -> Result<()> {
        let skipped = match self.disk.log().last().map(|logged| logged.operation) {
            Some(Operation::Rename) => Skipped::LastFolderSync,
            Some(Operation::Sync) => Skipped::FirstFolderSync,
            _ => return self.disk.sync_dir(),
        };
        if self.skipped == skipped { Ok(()) } else { self.disk.sync_dir() }
    }

    fn lock(&self, name: &str, owner: &str) -> Result<Box<dyn Lock>> {
        self.disk.lock(name, owner)
    }
}

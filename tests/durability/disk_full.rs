//! A disk that fills up, at any byte of a run: the error says so, what was committed stays, and once there is
//! room again nothing is missing and nothing is left over.
#![expect(clippy::print_stdout, reason = "the figures of a run")]

use crate::common::faults::on_all_cores;
use crate::common::life::{Life, Made, Step, Trouble, find_state, lives_on, options};
use lucerne::ErrorKind;
use lucerne::codec::Directory;
use lucerne::directory::FsDirectory;
use lucerne::directory::fault::FaultDirectory;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes between two sizes of the disk.
const STEP: u64 = 4096;
/// The same of a real one, where each size takes longer.
const REAL_STEP: u64 = 4 * STEP;

/// A run that creates, imports, replaces, deletes, merges and commits.
fn steps() -> Vec<Step> {
    let upserts = |keys: std::ops::Range<usize>, version| keys.map(move |key| Step::Upsert((key, version)));
    let batch =
        |keys: std::ops::Range<usize>, version| -> Vec<Made> { keys.map(|key| (key, version)).collect() };
    let mut steps = vec![Step::Create, Step::Open];
    steps.extend(upserts(0..50, 1).chain([Step::Commit]));
    steps.extend(upserts(40..90, 2).chain([Step::Refresh, Step::Delete(3), Step::Delete(60)]));
    steps.extend([Step::TwoPhase(batch(90..130, 3)), Step::Search, Step::Commit]);
    steps.extend((0..20).map(Step::Delete).chain([Step::Commit, Step::ForceMerge(2)]));
    steps.extend([Step::RaiseFrom(2), Step::DeleteBelow(3), Step::Commit, Step::RaiseFrom(3)]);
    steps.extend(last_steps());
    steps
}

/// What comes after the last commit.
fn last_steps() -> Vec<Step> {
    (100..140).map(|key| Step::Upsert((key, 4))).chain([Step::Close]).collect()
}

/// Does all steps on a disk that is too small. At the first error everything is looked at, then `make_room`
/// is called, and the same step must succeed. True when there was an error.
fn fill(directory: &Arc<dyn Directory>, make_room: impl Fn()) -> Result<bool, String> {
    let mut life = Life::new(Arc::clone(directory), options(16));
    let mut was_full = false;
    for step in &steps() {
        // A background merge that fails is no error of any step.
        let Err(trouble) = life.apply(step) else { continue };
        if was_full {
            return Err(format!("with room again: {step:?}: {trouble}"));
        }
        was_full = true;
        is_disk_full(step, &trouble)?;
        // Still full: the same again, and the last commit is there to be read.
        if !matches!(step, Step::Close) {
            let again = life.apply(step).expect_err("the disk is still full");
            is_disk_full(step, &again)?;
        }
        let before = life.before();
        find_state(directory, &before).map_err(|trouble| format!("the last commit: {trouble}"))?;
        make_room();
        if matches!(step, Step::Close) {
            // The writer is closed all the same; what it had is gone, as it says.
            life.apply(&Step::Open).map_err(|trouble| trouble.to_string())?;
            life.apply_all(&last_steps()).map_err(|trouble| trouble.to_string())?;
        } else {
            life.apply(step).map_err(|trouble| format!("{step:?} with room again: {trouble}"))?;
        }
    }
    let state = life.acknowledged().clone();
    drop(life);
    lives_on(directory, &state).map_err(|trouble| format!("in the end: {trouble}"))?;
    Ok(was_full)
}

fn is_disk_full(step: &Step, trouble: &Trouble) -> Result<(), String> {
    match trouble {
        Trouble::Error(error) if error.kind() == ErrorKind::DiskFull => Ok(()),
        other => Err(format!("{step:?}: {other}")),
    }
}

#[test]
fn a_simulated_disk_full_at_any_4_kib_loses_nothing_and_leaves_nothing_behind() {
    let roomy = FaultDirectory::new();
    // The size at which nothing fails any more.
    let mut largest = 0;
    let mut life = Life::new(Arc::new(roomy.clone()), options(16));
    for step in &steps() {
        life.apply(step).unwrap_or_else(|trouble| panic!("with room: {trouble}"));
        largest = largest.max(roomy.used());
    }
    // Between two steps there may have been more.
    let sizes = (largest + largest / 2).div_ceil(STEP);
    let full = AtomicU64::new(0);
    let result = on_all_cores(0..sizes + 1, |size| {
        let disk = FaultDirectory::new();
        // Not at a multiple of anything, so that files end within structures, too.
        disk.set_capacity(Some(size * STEP + size % 61));
        let directory: Arc<dyn Directory> = Arc::new(disk.clone());
        let was_full = fill(&directory, || disk.set_capacity(None));
        let was_full = was_full.map_err(|what| format!("{} bytes: {what}", size * STEP + size % 61))?;
        full.fetch_add(u64::from(was_full), Ordering::Relaxed);
        Ok(())
    });
    result.unwrap();
    let full = full.into_inner();
    println!("{} sizes up to {} KiB, {full} of them too small", sizes + 1, sizes * STEP / 1024);
    assert!(full > 20 && full < sizes, "{full} of {sizes}");
}

/// A file system in memory of limited size; unmounted when dropped.
struct Tmpfs<'a>(&'a Path);

impl<'a> Tmpfs<'a> {
    fn mount(at: &'a Path, bytes: u64) -> Option<Self> {
        run("mount", &["-t", "tmpfs", "-o", &format!("size={bytes}"), "lucerne-test"], at).then_some(Self(at))
    }

    fn resize(&self, bytes: u64) {
        assert!(run("mount", &["-o", &format!("remount,size={bytes}")], self.0));
    }
}

impl Drop for Tmpfs<'_> {
    fn drop(&mut self) {
        run("umount", &[], self.0);
    }
}

fn run(command: &str, arguments: &[&str], path: &Path) -> bool {
    let output = Command::new(command).args(arguments).arg(path).output();
    output.is_ok_and(|output| output.status.success())
}

#[test]
fn a_real_disk_too_small_for_the_index_loses_nothing_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (mut sizes, mut full) = (0, 0);
    for size in 1.. {
        let Some(tmpfs) = Tmpfs::mount(folder.path(), size * REAL_STEP) else {
            // Directly, so that it is seen: the test has not tested.
            let skipped = "skipped: mounting a tmpfs is not permitted here (it needs root on Linux)";
            writeln!(std::io::stderr(), "\n{skipped}").unwrap();
            return;
        };
        let directory: Arc<dyn Directory> = Arc::new(FsDirectory::open(folder.path()).unwrap());
        let was_full = fill(&directory, || tmpfs.resize(64 << 20));
        let was_full = was_full.unwrap_or_else(|what| panic!("{} bytes: {what}", size * REAL_STEP));
        sizes += 1;
        full += u64::from(was_full);
        if !was_full {
            break;
        }
    }
    println!(
        "{sizes} sizes of a real tmpfs up to {} KiB, {full} of them too small",
        sizes * REAL_STEP / 1024
    );
    assert!(full > 20, "only {full} of {sizes} were too small");
}

//! What the simulated disk takes away, and what it never does.

use super::*;
use lucerne_codec::Error;
use std::collections::BTreeSet;

const SEEDS: u64 = 500;

fn write(disk: &FaultDirectory, name: &str, bytes: &[u8]) -> Result<()> {
    let mut output = disk.create(name)?;
    output.write(bytes)?;
    output.finish()
}

fn synced(disk: &FaultDirectory, name: &str, bytes: &[u8]) -> Result<()> {
    write(disk, name, bytes)?;
    disk.sync(name)
}

/// A file's bytes, or nothing when it is missing.
fn read(disk: &FaultDirectory, name: &str) -> Option<Vec<u8>> {
    disk.open(name).ok().map(|input| input.bytes().to_vec())
}

fn everything(disk: &FaultDirectory) -> Vec<(String, Vec<u8>)> {
    let names = disk.list().unwrap().into_iter();
    names
        .map(|name| (name.clone(), read(disk, &name).unwrap()))
        .collect()
}

/// Every outcome of a crash that `look` tells apart.
fn outcomes<T: Ord>(disk: &FaultDirectory, model: Model, look: impl Fn(&FaultDirectory) -> T) -> BTreeSet<T> {
    (0..SEEDS).map(|seed| look(&disk.crash(model, seed))).collect()
}

fn kind(result: Result<()>) -> io::ErrorKind {
    match result.unwrap_err() {
        Error::Io { source, .. } => source.kind(),
        other => panic!("{other}"),
    }
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| 1 + (i % 255) as u8).collect()
}

#[test]
fn synced_bytes_under_synced_names_always_survive() {
    let disk = FaultDirectory::new();
    synced(&disk, "a", &pattern(10_000)).unwrap();
    synced(&disk, "b", b"").unwrap();
    disk.sync_dir().unwrap();
    let before = everything(&disk);
    for model in Model::ALL {
        let survived = outcomes(&disk, model, everything);
        assert_eq!(survived, BTreeSet::from([before.clone()]));
    }
}

#[test]
fn unsynced_bytes_may_vanish_tear_or_survive() {
    let disk = FaultDirectory::new();
    let bytes = pattern(3 * 4096 + 100);
    write(&disk, "a", &bytes).unwrap();
    disk.sync_dir().unwrap();
    for model in Model::ALL {
        let survived = outcomes(&disk, model, |after| read(after, "a").unwrap());
        assert!(survived.contains(&bytes));
        assert!(survived.contains(&Vec::new()));
        let same_len = |found: &&Vec<u8>| found.len() == bytes.len();
        assert!(survived.iter().filter(same_len).count() > 20, "torn in place");
        let zeroed = |found: &Vec<u8>| found.get(512..1024) == Some(&[0; 512]);
        assert!(survived.iter().any(zeroed));
        assert!(survived.iter().any(|found| found.len() > bytes.len()));
        // Tears are at sectors: within one, all is old, new or garbage.
        let half = survived.iter().filter(|found| found.len() >= 1024).any(|found| {
            let sector = &found[..512];
            let equal = sector.iter().zip(&bytes).filter(|(a, b)| a == b).count();
            equal > 64 && equal < 512
        });
        assert!(!half);
    }
}

#[test]
fn an_extended_file_keeps_what_was_synced() {
    let disk = FaultDirectory::new();
    let bytes = pattern(20_000);
    let mut output = disk.create("a").unwrap();
    output.write(&bytes[..5000]).unwrap();
    disk.sync("a").unwrap();
    output.write(&bytes[5000..]).unwrap();
    output.finish().unwrap();
    disk.sync_dir().unwrap();
    for model in Model::ALL {
        let survived = outcomes(&disk, model, |after| read(after, "a").unwrap());
        assert!(survived.iter().all(|found| found[..5000] == bytes[..5000]));
        assert!(survived.contains(&bytes[..5000]));
    }
}

#[test]
fn an_unsynced_name_may_be_missing() {
    let disk = FaultDirectory::new();
    synced(&disk, "a", b"a").unwrap();
    synced(&disk, "b", b"b").unwrap();
    let list = |after: &FaultDirectory| after.list().unwrap().concat();
    let journalled = outcomes(&disk, Model::Journalled, list);
    assert_eq!(Vec::from_iter(journalled), ["", "a", "ab"], "a prefix, in order");
    let minimal = outcomes(&disk, Model::PosixMinimal, list);
    assert_eq!(Vec::from_iter(minimal), ["", "a", "ab", "b"], "each by itself");
}

#[test]
fn an_unsynced_deletion_may_be_undone() {
    let disk = FaultDirectory::new();
    synced(&disk, "a", b"old").unwrap();
    disk.sync_dir().unwrap();
    disk.delete("a").unwrap();
    synced(&disk, "a", b"new").unwrap();
    for model in Model::ALL {
        let survived = outcomes(&disk, model, |after| read(after, "a"));
        assert_eq!(survived.len(), 3, "old, gone, new: {survived:?}");
    }
    disk.sync_dir().unwrap();
    for model in Model::ALL {
        let survived = outcomes(&disk, model, |after| read(after, "a"));
        assert_eq!(Vec::from_iter(survived), [Some(b"new".to_vec())]);
    }
}

#[test]
fn an_unsynced_rename_may_be_half() {
    let disk = FaultDirectory::new();
    synced(&disk, "from", b"x").unwrap();
    disk.sync_dir().unwrap();
    disk.rename("from", "to").unwrap();
    let list = |after: &FaultDirectory| after.list().unwrap().join(" ");
    let journalled = outcomes(&disk, Model::Journalled, list);
    assert_eq!(Vec::from_iter(journalled), ["from", "to"]);
    let minimal = outcomes(&disk, Model::PosixMinimal, list);
    assert_eq!(Vec::from_iter(minimal), ["", "from", "from to", "to"]);
}

#[test]
fn seeds_are_reproducible() {
    let history = || {
        let disk = FaultDirectory::new();
        for i in 0..20 {
            write(&disk, &format!("f{i}"), &pattern(i * 700)).unwrap();
        }
        disk.sync_dir().unwrap();
        disk.rename("f1", "f2").unwrap();
        disk
    };
    let (one, two) = (history(), history());
    assert_eq!(one.log(), two.log());
    for model in Model::ALL {
        for seed in 0..100 {
            let image = everything(&one.crash(model, seed));
            assert_eq!(image, everything(&one.crash(model, seed)));
            assert_eq!(image, everything(&two.crash(model, seed)));
        }
        assert!(outcomes(&one, model, everything).len() > 400);
    }
}

#[test]
fn a_failed_sync_loses_pages_for_good() {
    let disk = FaultDirectory::new();
    let bytes = pattern(5000);
    write(&disk, "a", &bytes).unwrap();
    disk.sync_dir().unwrap();
    disk.inject(Fault::at(1, Times::Once, io::ErrorKind::Other).only(&[Operation::Sync]));
    assert!(is_injected(&disk.sync("a").unwrap_err()));
    assert!(!disk.sync_retried_after_failure());
    assert_eq!(read(&disk, "a").unwrap(), bytes, "still in the page cache");
    disk.sync("a").unwrap();
    assert!(disk.sync_retried_after_failure());
    let survived = outcomes(&disk, Model::Journalled, |after| read(after, "a").unwrap());
    assert!(survived.len() > 100, "the second sync made nothing durable");
    // A new file with the same bytes is safe.
    synced(&disk, "b", &bytes).unwrap();
    disk.sync_dir().unwrap();
    let survived = outcomes(&disk, Model::PosixMinimal, |after| read(after, "b").unwrap());
    assert_eq!(survived.len(), 1);
}

#[test]
fn a_killed_process_loses_nothing_and_gains_nothing() {
    let disk = FaultDirectory::new();
    let bytes = pattern(5000);
    write(&disk, "a", &bytes).unwrap();
    disk.rename("a", "b").unwrap();
    let mut unfinished = disk.create("c").unwrap();
    unfinished.write(&pattern(100)).unwrap();
    let _held = disk.lock("write.lock", "the dead").unwrap();
    let after = disk.kill();
    let survived = [("b", bytes), ("c", vec![]), ("write.lock", vec![])];
    let survived = survived.map(|(name, bytes)| (name.to_owned(), bytes));
    // Open refuses lock files, so they are left out here.
    assert_eq!(after.list().unwrap(), ["b", "c", "write.lock"]);
    for (name, bytes) in survived.iter().take(2) {
        assert_eq!(read(&after, name).as_ref(), Some(bytes));
    }
    after.lock("write.lock", "the heir").unwrap();
    assert!(outcomes(&after, Model::PosixMinimal, |image| read(image, "b")).len() > 100);
    assert_eq!(disk.used(), after.used());
}

#[test]
fn the_power_is_cut_before_the_nth_operation() {
    let history = |disk: &FaultDirectory| -> Result<()> {
        let lock = disk.lock("write.lock", "x")?;
        synced(disk, "a", b"a")?;
        disk.sync_dir()?;
        disk.rename("a", "b")?;
        disk.sync_dir()?;
        assert_eq!(disk.list()?, ["b", "write.lock"]);
        assert_eq!(disk.file_len("b")?, 1);
        disk.open("b")?;
        disk.delete("b")?;
        drop(lock);
        Ok(())
    };
    let whole = FaultDirectory::new();
    history(&whole).unwrap();
    assert_eq!(whole.operations(), 12);
    for n in 1..=12 {
        let disk = FaultDirectory::new();
        disk.cut_at(n);
        let error = history(&disk).unwrap_err();
        assert!(is_power_cut(&error) && !is_injected(&error), "{error}");
        assert!(disk.power_is_cut());
        assert_eq!(disk.operations(), n);
        assert_eq!(disk.log(), whole.log()[..n as usize]);
        // From now on everything fails, and nothing changes or is counted.
        assert!(is_power_cut(&disk.list().unwrap_err()));
        assert!(is_power_cut(&disk.sync_dir().unwrap_err()));
        assert!(is_power_cut(&disk.lock("write.lock", "x").unwrap_err()));
        assert_eq!(disk.operations(), n);
        let after = disk.crash(Model::Journalled, 0);
        assert!(!after.power_is_cut());
        after.lock("write.lock", "x").unwrap();
    }
    let disk = FaultDirectory::new();
    disk.cut_at_nth(2, &[Operation::SyncDir]);
    history(&disk).unwrap_err();
    assert_eq!(disk.log().last().unwrap().to_string(), "8 SyncDir ");
}

#[test]
fn a_cut_write_or_sync_has_not_happened() {
    let disk = FaultDirectory::new();
    let mut output = disk.create("a").unwrap();
    disk.sync_dir().unwrap();
    disk.cut_at_nth(1, &[Operation::Write]);
    assert!(is_power_cut(&output.write(&pattern(5000)).unwrap_err()));
    assert!(output.finish().is_err());
    assert!(!disk.sync_retried_after_failure());
    let survived = outcomes(&disk, Model::PosixMinimal, |after| read(after, "a"));
    assert_eq!(Vec::from_iter(survived), [Some(vec![])]);
}

#[test]
fn faults_strike_once_or_for_ever() {
    let disk = FaultDirectory::new();
    disk.fail_at(2, Times::Once, io::ErrorKind::PermissionDenied);
    disk.list().unwrap();
    let error = disk.list().unwrap_err();
    assert!(is_injected(&error) && !is_power_cut(&error));
    assert_eq!(
        error.to_string(),
        "the folder: cannot list: injected at operation 2"
    );
    disk.list().unwrap();
    disk.inject(Fault::at(2, Times::Forever, io::ErrorKind::Other).only(&[Operation::Delete]));
    for name in ["a", "b", "c"] {
        synced(&disk, name, b"x").unwrap();
    }
    disk.delete("a").unwrap();
    assert_eq!(kind(disk.delete("b")), io::ErrorKind::Other);
    assert_eq!(kind(disk.delete("c")), io::ErrorKind::Other);
    assert_eq!(disk.list().unwrap(), ["b", "c"]);
    disk.clear_faults();
    disk.delete("b").unwrap();
}

#[test]
fn every_operation_can_fail_alone() {
    let run = |disk: &FaultDirectory, operation| -> Result<()> {
        match operation {
            Operation::Create => disk.create("new").map(drop),
            Operation::Write | Operation::Finish => write(disk, "new", b"x"),
            Operation::Open => disk.open("a").map(drop),
            Operation::FileLen => disk.file_len("a").map(drop),
            Operation::List => disk.list().map(drop),
            Operation::Delete => disk.delete("a"),
            Operation::Rename => disk.rename("a", "b"),
            Operation::Sync => disk.sync("a"),
            Operation::SyncDir => disk.sync_dir(),
            Operation::Lock => disk.lock("write.lock", "x").map(drop),
        }
    };
    for operation in Operation::ALL {
        let disk = FaultDirectory::new();
        synced(&disk, "a", b"a").unwrap();
        disk.inject(Fault::at(1, Times::Forever, io::ErrorKind::Other).only(std::slice::from_ref(operation)));
        assert_eq!(
            kind(run(&disk, *operation)),
            io::ErrorKind::Other,
            "{operation:?}"
        );
        assert_eq!(read(&disk.kill(), "a").unwrap(), b"a");
        disk.clear_faults();
        assert!(run(&disk, *operation).is_ok() || disk.list().unwrap().contains(&"new".to_owned()));
    }
}

#[test]
fn an_applied_fault_only_hides_the_success() {
    let disk = FaultDirectory::new();
    synced(&disk, "a", b"x").unwrap();
    let fault = Fault::at(1, Times::Once, io::ErrorKind::TimedOut).but_applied();
    disk.inject(fault.only(&[Operation::Rename]));
    assert_eq!(kind(disk.rename("a", "b")), io::ErrorKind::TimedOut);
    assert_eq!(disk.list().unwrap(), ["b"]);
}

#[test]
fn a_failed_write_leaves_a_part_and_ends_the_output() {
    let mut lengths = BTreeSet::new();
    for i in 0..50 {
        let disk = FaultDirectory::new();
        (0..i).for_each(|_| drop(disk.list()));
        let mut output = disk.create("a").unwrap();
        disk.inject(Fault::at(1, Times::Once, io::ErrorKind::Other).only(&[Operation::Write]));
        let bytes = pattern(10_000);
        output.write(&bytes).unwrap_err();
        let operations = disk.operations();
        assert!(output.write(b"more").is_err());
        assert!(output.finish().is_err());
        assert_eq!(disk.operations(), operations, "nothing reaches the disk any more");
        let found = read(&disk, "a").unwrap();
        assert_eq!(found, bytes[..found.len()]);
        lengths.insert(found.len());
    }
    assert!(lengths.len() > 40, "{lengths:?}");
}

#[test]
fn the_disk_fills_up_by_the_byte() {
    let disk = FaultDirectory::new();
    disk.set_capacity(Some(1000));
    synced(&disk, "a", &pattern(600)).unwrap();
    let error = write(&disk, "b", &pattern(401)).unwrap_err();
    assert!(error.is_disk_full(), "{error}");
    assert_eq!((disk.used(), disk.file_len("b").unwrap()), (1000, 400));
    let view = disk.open("a").unwrap();
    disk.delete("b").unwrap();
    assert_eq!(disk.used(), 600);
    synced(&disk, "b", &pattern(400)).unwrap();
    disk.rename("b", "a").unwrap();
    assert_eq!(disk.used(), 400, "a replaced file gives its space back");
    assert_eq!(view.bytes(), pattern(600));
    disk.sync_dir().unwrap();
    let after = disk.crash(Model::Journalled, 1);
    assert_eq!(after.used(), 400);
    assert!(write(&after, "c", &pattern(601)).unwrap_err().is_disk_full());
}

#[test]
fn a_failed_folder_sync_leaves_its_changes_pending() {
    let disk = FaultDirectory::new();
    synced(&disk, "a", b"x").unwrap();
    disk.inject(Fault::at(1, Times::Once, io::ErrorKind::Other).only(&[Operation::SyncDir]));
    disk.sync_dir().unwrap_err();
    let there = |after: &FaultDirectory| after.list().unwrap().len();
    assert_eq!(Vec::from_iter(outcomes(&disk, Model::Journalled, there)), [0, 1]);
    disk.sync_dir().unwrap();
    assert_eq!(Vec::from_iter(outcomes(&disk, Model::PosixMinimal, there)), [1]);
}

#[test]
fn a_planted_file_is_there_after_any_crash() {
    let disk = FaultDirectory::new();
    write(&disk, "a", b"x").unwrap();
    disk.rename("a", "b").unwrap();
    disk.plant("b", b"planted".to_vec());
    for model in Model::ALL {
        let survived = outcomes(&disk, model, |after| read(after, "b"));
        assert_eq!(Vec::from_iter(survived), [Some(b"planted".to_vec())]);
    }
    assert_eq!(disk.used(), 7);
}

/// The protocol of a commit, without and with the last sync of the folder: the disk must catch the first
/// and bear with the second.
#[test]
fn a_missing_folder_sync_is_caught() {
    let commit = |disk: &FaultDirectory, n: u32, careful: bool| -> Result<()> {
        let (pending, name) = ("pending", format!("commit_{n}"));
        synced(disk, &format!("data_{n}"), &pattern(1000))?;
        synced(disk, pending, &pattern(100))?;
        disk.sync_dir()?;
        disk.rename(pending, &name)?;
        if careful {
            disk.sync_dir()?;
        }
        // An older commit may go now.
        if n > 0 {
            disk.delete(&format!("commit_{}", n - 1))?;
            disk.delete(&format!("data_{}", n - 1))?;
        }
        Ok(())
    };
    let lost = |careful: bool, model: Model| {
        let mut lost = 0;
        for cut in 1..40 {
            let disk = FaultDirectory::new();
            disk.cut_at(cut);
            let acknowledged = (0..4).take_while(|&n| commit(&disk, n, careful).is_ok()).count();
            for seed in 0..20 {
                let after = disk.crash(model, seed);
                let usable = |n: &usize| {
                    read(&after, &format!("commit_{n}")) == Some(pattern(100))
                        && read(&after, &format!("data_{n}")) == Some(pattern(1000))
                };
                let newest = (0..5).filter(usable).max();
                let expected = acknowledged.checked_sub(1);
                lost += u32::from(newest < expected);
            }
        }
        lost
    };
    for model in Model::ALL {
        assert_eq!(lost(true, model), 0);
        assert!(lost(false, model) > 20, "{model:?}");
    }
}

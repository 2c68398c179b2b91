//! Planned cuts, injected errors and the full disk.

use super::*;

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
    assert_eq!(error.to_string(), "the folder: cannot list: injected at operation 2");
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
        assert_eq!(kind(run(&disk, *operation)), io::ErrorKind::Other, "{operation:?}");
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

//! Power cuts and kills.

use super::*;

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
    output.write(&bytes[..8192]).unwrap();
    disk.sync("a").unwrap();
    output.write(&bytes[8192..]).unwrap();
    output.finish().unwrap();
    disk.sync_dir().unwrap();
    for model in Model::ALL {
        let survived = outcomes(&disk, model, |after| read(after, "a").unwrap());
        assert!(survived.iter().all(|found| found[..8192] == bytes[..8192]));
        assert!(survived.contains(&bytes[..8192]));
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
    assert_eq!(after.list().unwrap(), ["b", "c", "write.lock"]);
    assert_eq!(read(&after, "b"), Some(bytes));
    assert_eq!(read(&after, "c"), Some(vec![]));
    after.lock("write.lock", "the heir").unwrap();
    assert!(outcomes(&after, Model::PosixMinimal, |image| read(image, "b")).len() > 100);
    assert_eq!(disk.used(), after.used());
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

//! What is left after the power was cut or the process was killed.

use super::disk::{Disk, Inode, InodeRef, NameChange, Names};
use lucerne_codec::random::{SplitMix64, mix};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a power cut may do to names that were changed since the last successful `sync_dir`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// A journal: the changes up to some point are there, in order, the later ones are not. A rename is
    /// whole.
    Journalled,
    /// The least that is promised: each name by itself is as it was, as it became, or as it was at some
    /// point in between. A rename may be half: both names may lead to the file, or neither.
    PosixMinimal,
}

impl Model {
    /// Both models, to run a test under each.
    pub const ALL: [Model; 2] = [Model::Journalled, Model::PosixMinimal];
}

/// Decides what a crash leaves.
struct Dice(SplitMix64);

impl Dice {
    /// Evenly from `0..n`.
    fn below(&mut self, n: usize) -> usize {
        self.0.below(n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// The disk a power cut leaves, chosen by `seed` among all it may leave.
pub(super) fn after_power_cut(disk: &Disk, model: Model, seed: u64) -> Disk {
    let mut dice = Dice(SplitMix64::new(mix(seed)));
    let names = match model {
        Model::Journalled => journalled(disk, &mut dice),
        Model::PosixMinimal => posix_minimal(disk, &mut dice),
    };
    // Sectors that were never written may still hold what an older file left there.
    let donors: Vec<_> = names.values().map(|inode| Arc::clone(&inode.lock().bytes)).collect();
    let image = copy_names(&names, &mut HashMap::new(), |inode| {
        let donor = donors.get(dice.below(donors.len()));
        Inode::durable(surviving_bytes(inode, donor.map(|bytes| bytes.as_slice()), &mut dice))
    });
    Disk {
        used: used(&image),
        live: image.clone(),
        durable: image,
        capacity: disk.capacity,
        ..Disk::default()
    }
}

/// The disk a killed process leaves: the system lives on, so nothing it was handed is lost, and nothing is
/// more durable than before.
pub(super) fn after_kill(disk: &Disk) -> Disk {
    let mut copies = HashMap::new();
    let live = copy_names(&disk.live, &mut copies, Inode::clone);
    let durable = copy_names(&disk.durable, &mut copies, Inode::clone);
    let pending = disk.pending.iter().map(|change| NameChange {
        removed: change.removed.clone(),
        put: change.put.as_ref().map(|(name, inode)| (name.clone(), copy(inode, &mut copies, Inode::clone))),
    });
    let pending = pending.collect();
    Disk { used: used(&live), live, durable, pending, capacity: disk.capacity, ..Disk::default() }
}

/// Copies of inodes by the address of the original, so that two names of one file stay two names of one.
type Copies = HashMap<usize, InodeRef>;

fn copy(original: &InodeRef, copies: &mut Copies, make: impl FnOnce(&Inode) -> Inode) -> InodeRef {
    let copied = copies
        .entry(Arc::as_ptr(original).addr())
        .or_insert_with(|| Arc::new(Mutex::new(make(&original.lock()))));
    Arc::clone(copied)
}

fn copy_names(names: &Names, copies: &mut Copies, mut make: impl FnMut(&Inode) -> Inode) -> Names {
    names.iter().map(|(name, inode)| (name.clone(), copy(inode, copies, &mut make))).collect()
}

fn used(names: &Names) -> u64 {
    names.values().map(|inode| inode.lock().bytes.len() as u64).sum()
}

fn journalled(disk: &Disk, dice: &mut Dice) -> Names {
    let mut names = disk.durable.clone();
    let reached = dice.below(disk.pending.len() + 1);
    for change in disk.pending.iter().take(reached) {
        if let Some(name) = &change.removed {
            names.remove(name);
        }
        if let Some((name, inode)) = &change.put {
            names.insert(name.clone(), Arc::clone(inode));
        }
    }
    names
}

fn posix_minimal(disk: &Disk, dice: &mut Dice) -> Names {
    // Every state each name went through since it was last durable.
    let mut states: BTreeMap<&String, Vec<Option<&InodeRef>>> = BTreeMap::new();
    for change in &disk.pending {
        let removed = change.removed.as_ref().map(|name| (name, None));
        let put = change.put.as_ref().map(|(name, inode)| (name, Some(inode)));
        for (name, state) in removed.into_iter().chain(put) {
            let known = states.entry(name).or_insert_with(|| vec![disk.durable.get(name)]);
            known.push(state);
        }
    }
    let mut names = disk.durable.clone();
    for (name, states) in states {
        match states.get(dice.below(states.len())).copied().flatten() {
            Some(inode) => names.insert(name.clone(), Arc::clone(inode)),
            None => names.remove(name),
        };
    }
    names
}

/// What a power cut does to one file: synced bytes stay, all others are old, new or garbage by sector, and
/// the length is anything between the synced one and the current one.
fn surviving_bytes(inode: &Inode, donor: Option<&[u8]>, dice: &mut Dice) -> Arc<Vec<u8>> {
    let unsynced = inode.unsynced();
    if unsynced.is_empty() || dice.one_in(6) {
        // All of it had reached the platter.
        return Arc::clone(&inode.bytes);
    }
    let mut bytes = inode.bytes.to_vec();
    if dice.one_in(4) {
        // None of it had.
        tear(&mut bytes, &unsynced, usize::MAX, |_, part| part.fill(0));
        bytes.truncate(inode.durable_len);
        return Arc::new(bytes);
    }
    let sector = if dice.one_in(2) { 512 } else { 4096 };
    // From few bad sectors to few good ones.
    let odds = 1 + dice.below(8);
    let mostly_bad = dice.one_in(2);
    tear(&mut bytes, &unsynced, sector, |at, part| {
        if dice.one_in(odds) == mostly_bad {
            return;
        }
        match dice.below(3) {
            0 => part.iter_mut().for_each(|byte| *byte = dice.0.next() as u8),
            1 => match donor.and_then(|donor| donor.get(at..at + part.len())) {
                Some(stale) => part.copy_from_slice(stale),
                None => part.fill(0),
            },
            _ => part.fill(0),
        }
    });
    match dice.below(4) {
        0 => bytes.truncate(inode.durable_len + dice.below(bytes.len() - inode.durable_len + 1)),
        1 => {
            let cut = dice.below(bytes.len() / sector + 1) * sector;
            bytes.truncate(cut.max(inode.durable_len));
        }
        // The rest of the last sector is there, too.
        2 if dice.one_in(4) => {
            let len = bytes.len().next_multiple_of(sector);
            bytes.resize_with(len, || dice.0.next() as u8);
        }
        _ => {}
    }
    Arc::new(bytes)
}

/// Calls `damage` with offset and bytes of each sector's share of the ranges.
fn tear(
    bytes: &mut [u8],
    ranges: &[std::ops::Range<usize>],
    sector: usize,
    mut damage: impl FnMut(usize, &mut [u8]),
) {
    for range in ranges {
        let mut at = range.start;
        while at < range.end {
            let end = (at / sector).saturating_add(1).saturating_mul(sector).min(range.end);
            if let Some(part) = bytes.get_mut(at..end) {
                damage(at, part);
            }
            at = end;
        }
    }
}

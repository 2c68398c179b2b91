//! What the simulated disk takes away, and what it never does.

mod crashes;
mod faults;

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
    names.map(|name| (name.clone(), read(disk, &name).unwrap())).collect()
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

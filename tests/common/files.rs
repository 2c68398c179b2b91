//! Looking at and damaging the files of an index, behind the engine's back.

use lucerne::codec::Directory;
use std::collections::BTreeMap;

/// Every file with its bytes; the lock's file is left out.
pub(crate) fn contents(directory: &dyn Directory) -> BTreeMap<String, Vec<u8>> {
    let names = directory.list().unwrap().into_iter().filter(|name| !name.ends_with(".lock"));
    names.map(|name| (name.clone(), directory.open(&name).unwrap().bytes().to_vec())).collect()
}

/// Puts other bytes in a file's place.
pub(crate) fn replace(directory: &dyn Directory, name: &str, bytes: &[u8]) {
    directory.delete(name).unwrap();
    let mut output = directory.create(name).unwrap();
    output.write(bytes).unwrap();
    output.finish().unwrap();
}

//! Looking at and damaging the files of an index, behind the engine's back.

use lucerne::codec::Directory;
use lucerne::index::IndexBuilder;
use lucerne::{Error, admin};
use std::collections::BTreeMap;
use std::sync::Arc;

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

/// Files that the newest commit does not need.
pub(crate) fn leaked(directory: &Arc<dyn Directory>) -> Result<Vec<String>, Error> {
    let searcher = IndexBuilder::new().open(Arc::clone(directory))?.searcher()?;
    let report = admin::inspect(&searcher)?;
    let segments = report["segments"].as_array().unwrap().iter();
    let files = segments.flat_map(|segment| segment["files"].as_array().unwrap());
    let mut needed: Vec<String> = files.map(|file| file["name"].as_str().unwrap().to_owned()).collect();
    needed.extend([format!("segments_{}", searcher.generation()), "write.lock".to_owned()]);
    let mut names = directory.list()?;
    names.retain(|name| !needed.contains(name));
    Ok(names)
}

//! The folder of an index in shards, and which shard has a key.

use crate::commit::manifest::SHARDS_FILE as FILE;
use crate::directory::FsDirectory;
use crate::error::{Error, Result};
use crate::limits::MAX_SHARDS;
use crate::search::check_number_of_shards;
use lucerne_codec::Directory;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;

/// What `shards.json` says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layout {
    version: u32,
    shards: usize,
    hash: Hash,
}

/// How a key says its shard.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Hash {
    /// The CRC-32 of its bytes (as in zlib and PNG), modulo the number of shards.
    Crc32,
}

/// The number of the shard, from 0, that has the document of a key: the CRC-32 of its bytes (as in zlib) modulo the number
/// of shards. The same in all releases.
///
/// ```
/// assert_eq!(lucerne::shards::shard_of("vim", 4), 3);
/// ```
pub fn shard_of(key: &str, shards: usize) -> usize {
    crc32fast::hash(key.as_bytes()) as usize % shards.max(1)
}

/// The folder of a shard in the folder of the index.
pub fn shard_path(index: impl AsRef<Path>, shard: usize) -> PathBuf {
    index.as_ref().join(format!("shard-{shard}"))
}

/// Makes the folder of a new index.
pub(super) fn begin(path: &Path, shards: usize) -> Result<()> {
    check_number_of_shards(shards)?;
    let taken = FsDirectory::create(path)?.list()?;
    let is_index = |name: &String| name == FILE || name.starts_with("segments_");
    if taken.iter().any(is_index) || shard_path(path, 0).exists() {
        return Err(Error::AlreadyExists { path: path.display().to_string() });
    }
    Ok(())
}

/// Says that all shards are there.
pub(super) fn finish(path: &Path, shards: usize) -> Result<()> {
    let directory = FsDirectory::open(path)?;
    let layout = serde_json::to_vec(&Layout { version: VERSION, shards, hash: Hash::Crc32 })?;
    let mut file = directory.create(FILE)?;
    file.write(&layout)?;
    file.finish()?;
    directory.sync(FILE)?;
    Ok(directory.sync_dir()?)
}

/// How many shards there are.
pub(super) fn read(path: &Path) -> Result<usize> {
    let directory = FsDirectory::open(path)?;
    if !directory.list()?.iter().any(|name| name == FILE) {
        let problem = "it has no shards.json; create an index in shards, or open it as one index";
        return Err(Error::NotAnIndex { path: path.display().to_string(), problem });
    }
    let file = directory.open(FILE)?;
    let layout: Layout =
        serde_json::from_slice(file.bytes()).map_err(|error| file.corrupt(0, error.to_string()))?;
    match layout {
        Layout { version, .. } if version != VERSION => {
            Err(file.corrupt(0, format!("version {version}, expected {VERSION}")).into())
        }
        Layout { shards: shards @ 1..=MAX_SHARDS, hash: Hash::Crc32, .. } => {
            // Their keys would be looked for, and written, elsewhere.
            if shard_path(path, shards).exists() {
                let problem = format!("{shards} shards, and there is a folder shard-{shards}");
                return Err(file.corrupt(0, problem).into());
            }
            Ok(shards)
        }
        Layout { shards, .. } => Err(file.corrupt(0, format!("{shards} shards")).into()),
    }
}

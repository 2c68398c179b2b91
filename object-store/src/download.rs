//! One file from the store.

use crate::error::{Error, Result};
use crate::remote::Remote;
use lucerne::ErrorKind;
use lucerne::codec::envelope::FileEntry;
use lucerne::transfer::Incoming;
use object_store::ObjectStoreExt;
use object_store::path::Path;

/// Bytes asked for at a time: each request is attempted again by itself.
const STEP: u64 = 8 << 20;

/// Brings the file of a commit of that generation. Writing a few megabytes to the page cache does not keep others from
/// the thread for long; reading all of a file does.
pub(crate) async fn download(
    remote: &Remote,
    object: &Path,
    file: &FileEntry,
    generation: u64,
    incoming: &Incoming,
) -> Result<u64> {
    let mut attempt = 1;
    loop {
        let mut output = incoming.create(file)?;
        let mut at = 0;
        while at < file.len {
            let end = file.len.min(at.saturating_add(STEP));
            let bytes =
                match remote.retries.request(object, "get", || remote.store.get_range(object, at..end)).await
                {
                    Err(Error::Store { source: object_store::Error::NotFound { .. }, .. }) => {
                        return Err(Error::Gone { object: object.to_string(), generation });
                    }
                    bytes => bytes?,
                };
            if bytes.len() as u64 != end - at {
                let problem = format!("{} bytes long, its commit says {}", at + bytes.len() as u64, file.len);
                return Err(Error::damaged(object, problem));
            }
            output.write(&bytes)?;
            at = end;
        }
        output.finish()?;
        match tokio::task::block_in_place(|| incoming.finish(file)) {
            Ok(()) => return Ok(file.len),
            // The way may have damaged it.
            Err(error) if error.kind() == ErrorKind::Corrupt && attempt < remote.retries.attempts => {
                attempt += 1
            }
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                return Err(Error::damaged(object, error.to_string()));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

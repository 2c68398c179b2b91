//! One file to the store.

use crate::error::Result;
use crate::remote::Remote;
use crate::retry::Retries;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lucerne::codec::Input;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload, PutResult};
use std::time::Duration;
use tokio::runtime::Handle;

/// Files of up to so many bytes travel in one request; longer ones in parts of at least so many.
const PART: usize = 8 << 20;

/// S3 takes 10,000 parts at most.
const MOST_PARTS: usize = 9_000;

/// Parts of one file that are under way at the same time.
const PARTS_AT_ONCE: usize = 4;

/// Puts a file, whose bytes were verified. Its bytes stay in the map of the file.
pub(crate) async fn upload(remote: &Remote, object: &Path, input: Input) -> Result<()> {
    let bytes = Bytes::from_owner(Mapped(input));
    if bytes.len() <= PART {
        let put = || remote.store.put(object, bytes.clone().into());
        remote.retries.request(object, "put", put).await?;
    } else {
        // The limit is one of a request, and each part is one.
        let all_parts = Retries { time_limit: Duration::MAX, ..remote.retries };
        all_parts.request(object, "put", || in_parts(remote, object, &bytes)).await?;
    }
    Ok(())
}

struct Mapped(Input);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.0.bytes()
    }
}

async fn in_parts(remote: &Remote, object: &Path, bytes: &Bytes) -> object_store::Result<PutResult> {
    let size = PART.max(bytes.len().div_ceil(MOST_PARTS));
    let mut unfinished =
        Unfinished { upload: Some(remote.store.put_multipart(object).await?), handle: Handle::current() };
    let Some(upload) = &mut unfinished.upload else { return Err(gone()) };
    let (mut under_way, mut at) = (FuturesUnordered::new(), 0);
    while at < bytes.len() {
        if under_way.len() >= PARTS_AT_ONCE {
            under_way.next().await.transpose()?;
        }
        let end = bytes.len().min(at + size);
        let part = upload.put_part(PutPayload::from(bytes.slice(at..end)));
        let limit = remote.retries.time_limit;
        under_way.push(async move {
            let late = |late| object_store::Error::Generic { store: "request", source: Box::new(late) };
            tokio::time::timeout(limit, part).await.map_err(late)?
        });
        at = end;
    }
    while let Some(part) = under_way.next().await {
        part?;
    }
    let put = upload.complete().await?;
    unfinished.upload = None;
    Ok(put)
}

fn gone() -> object_store::Error {
    object_store::Error::Generic { store: "request", source: "the upload is gone".into() }
}

/// Parts that were put take room until the upload is completed or aborted.
struct Unfinished {
    upload: Option<Box<dyn MultipartUpload>>,
    handle: Handle,
}

impl Drop for Unfinished {
    /// Best effort: a process that dies cannot. The guide says how a bucket is told to do it by age.
    fn drop(&mut self) {
        if let Some(mut upload) = self.upload.take() {
            self.handle.spawn(async move {
                let _ = upload.abort().await;
            });
        }
    }
}

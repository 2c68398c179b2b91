//! Where commits are kept: an object store, a prefix in it, and the threads that speak to it.

use crate::error::{Error, Result};
use crate::retry::Retries;
use object_store::ObjectStore;
use object_store::path::Path;
use std::fmt;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// Requests that are under way at the same time.
pub(crate) const AT_ONCE: usize = 8;

/// An object store and a prefix in it that holds the commits of one index. Clones share everything.
#[derive(Clone)]
pub struct Remote {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) prefix: Path,
    pub(crate) retries: Retries,
    pub(crate) threads: Arc<Threads>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({}, {:?})", self.store, self.prefix.as_ref())
    }
}

impl Remote {
    /// A prefix (`indexes/notes`; empty: everything) of a store, which must be able to create an object on condition that it does not
    /// exist.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the prefix is none; when threads cannot be started.
    pub fn new(store: Arc<dyn ObjectStore>, prefix: &str) -> Result<Self> {
        let invalid = |error| Error::Invalid(format!("prefix {prefix:?}: {error}"));
        let prefix = Path::parse(prefix.trim_matches('/')).map_err(invalid)?;
        let threads = Arc::new(Threads::start()?);
        Ok(Self { store, prefix, retries: Retries::default(), threads })
    }

    /// How often and how long requests are attempted.
    #[must_use]
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = Retries { attempts: retries.attempts.max(1), ..retries };
        self
    }

    /// The prefix.
    pub fn prefix(&self) -> &str {
        self.prefix.as_ref()
    }

    /// The prefix in messages: the whole store where it is empty.
    pub(crate) fn shown(&self) -> String {
        match self.prefix() {
            "" => self.store.to_string(),
            prefix => prefix.to_owned(),
        }
    }
}

/// The threads on which requests run, whoever calls.
pub(crate) struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(2).thread_name("lucerne-store").enable_all().build();
        let runtime = runtime.map_err(|error| lucerne::codec::Error::io("threads", "start", error))?;
        Ok(Self(Some(runtime)))
    }

    pub(crate) fn runtime(&self) -> Result<&Runtime> {
        self.0.as_ref().ok_or_else(|| Error::Invalid("the threads of the store have ended".to_owned()))
    }
}

impl Drop for Threads {
    /// In async code waiting is forbidden. No call is under way: each waits for its requests.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

//! The writer's folder: nothing in it is changed once it is no longer the writer's.

use crate::error::{Error, Result};
use lucerne_codec::io::TemporaryOutput;
use lucerne_codec::{Directory, Input, Lock, Output};
use parking_lot::Mutex;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A folder with the writer's lock on it. Before a file is created, renamed or deleted, the lock must prove that folder
/// and lock are still the same; once it cannot, every change is refused for good.
pub(crate) struct OwnedDirectory {
    inner: Arc<dyn Directory>,
    state: Mutex<State>,
}

enum State {
    Held(Box<dyn Lock>),
    /// Why the folder is no longer the writer's.
    Lost(String),
    Released,
}

impl OwnedDirectory {
    pub(crate) fn new(inner: Arc<dyn Directory>, lock: Box<dyn Lock>) -> Self {
        Self { inner, state: Mutex::new(State::Held(lock)) }
    }

    /// An error once the folder was found not to be the writer's; asks nobody.
    pub(crate) fn known_lost(&self) -> Result<()> {
        match &*self.state.lock() {
            State::Lost(problem) => Err(self.lost(problem).into()),
            State::Held(_) | State::Released => Ok(()),
        }
    }

    /// Proves that folder and lock are still the writer's.
    pub(crate) fn check(&self) -> lucerne_codec::Result<()> {
        let mut state = self.state.lock();
        let problem = match &*state {
            State::Held(lock) => match lock.check() {
                Err(lucerne_codec::Error::LockLost { problem, .. }) => problem,
                held => return held,
            },
            State::Lost(problem) => problem.clone(),
            State::Released => "the writer is closed".to_owned(),
        };
        give_up(&mut state, &problem);
        Err(self.lost(&problem))
    }

    /// Refuses all further changes: somebody else writes here.
    pub(crate) fn give_up(&self, problem: &str) -> Error {
        give_up(&mut self.state.lock(), problem);
        self.lost(problem).into()
    }

    /// Lets go of the lock.
    pub(crate) fn release(&self) {
        *self.state.lock() = State::Released;
    }

    fn lost(&self, problem: &str) -> lucerne_codec::Error {
        lucerne_codec::Error::LockLost {
            file: crate::directory::place(&*self.inner),
            problem: problem.to_owned(),
        }
    }
}

fn give_up(state: &mut State, problem: &str) {
    if matches!(state, State::Held(_)) {
        *state = State::Lost(problem.to_owned());
    }
}

impl fmt::Debug for OwnedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Directory for OwnedDirectory {
    fn create(&self, name: &str) -> lucerne_codec::Result<Box<dyn Output>> {
        self.check()?;
        self.inner.create(name)
    }

    fn create_temporary(&self) -> lucerne_codec::Result<Option<Box<dyn TemporaryOutput>>> {
        self.check()?;
        self.inner.create_temporary()
    }

    fn open(&self, name: &str) -> lucerne_codec::Result<Input> {
        self.inner.open(name)
    }

    fn file_len(&self, name: &str) -> lucerne_codec::Result<u64> {
        self.inner.file_len(name)
    }

    fn list(&self) -> lucerne_codec::Result<Vec<String>> {
        self.inner.list()
    }

    fn taken_names(&self) -> lucerne_codec::Result<Vec<String>> {
        self.inner.taken_names()
    }

    fn delete(&self, name: &str) -> lucerne_codec::Result<()> {
        self.check()?;
        self.inner.delete(name)
    }

    fn rename(&self, from: &str, to: &str) -> lucerne_codec::Result<()> {
        self.check()?;
        self.inner.rename(from, to)
    }

    fn sync(&self, name: &str) -> lucerne_codec::Result<()> {
        self.inner.sync(name)
    }

    fn sync_dir(&self) -> lucerne_codec::Result<()> {
        self.inner.sync_dir()
    }

    fn path(&self) -> Option<&Path> {
        self.inner.path()
    }

    fn link_from(&self, folder: &Path, file: &str, name: &str) -> lucerne_codec::Result<bool> {
        self.check()?;
        self.inner.link_from(folder, file, name)
    }

    fn age(&self, name: &str) -> lucerne_codec::Result<Option<Duration>> {
        self.inner.age(name)
    }

    fn lock(&self, name: &str, owner: &str) -> lucerne_codec::Result<Box<dyn Lock>> {
        self.inner.lock(name, owner)
    }
}

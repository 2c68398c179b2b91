//! The index that is looked at: its newest commit, and what views were computed of it.

use crate::failure::{In as _, Outcome};
use hyper::body::Bytes;
use lucerne::{Index, Searcher, admin};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Views kept of a commit.
const KEPT: usize = 64;

/// An index in a folder, opened again whenever that has failed.
#[derive(Debug)]
pub(in crate::commands) struct Watched {
    dir: PathBuf,
    open: Mutex<Option<(Index, Arc<Commit>)>>,
}

/// A commit, and what was computed of it.
#[derive(Debug)]
pub(in crate::commands) struct Commit {
    pub(super) dir: PathBuf,
    pub(super) searcher: Searcher,
    report: OnceLock<Value>,
    reporting: Mutex<()>,
    views: Mutex<BTreeMap<String, View>>,
}

/// A view, once it was computed. Its lock is held meanwhile, so that nobody computes it beside.
type View = Arc<Mutex<Option<Bytes>>>;

impl Watched {
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), open: Mutex::new(None) }
    }

    /// The newest commit.
    pub(super) fn commit(&self) -> Outcome<Arc<Commit>> {
        self.open().in_index(&self.dir)
    }

    /// The newest commit; an error of the engine as it is. Where it cannot be read, the index is opened anew the next time.
    pub(super) fn open(&self) -> lucerne::Result<Arc<Commit>> {
        let mut open = locked(&self.open);
        let newer = match open.take() {
            None => {
                let index = Index::open(&self.dir)?;
                let searcher = index.searcher()?;
                (index, Arc::new(Commit::new(&self.dir, searcher)))
            }
            Some((index, commit)) => match index.reopen_if_newer(&commit.searcher)? {
                None => (index, commit),
                Some(searcher) => (index, Arc::new(Commit::new(&self.dir, searcher))),
            },
        };
        let commit = Arc::clone(&newer.1);
        *open = Some(newer);
        Ok(commit)
    }
}

impl Commit {
    pub(in crate::commands) fn new(dir: &Path, searcher: Searcher) -> Self {
        let (report, reporting, views) = (OnceLock::new(), Mutex::default(), Mutex::default());
        Self { dir: dir.to_owned(), searcher, report, reporting, views }
    }

    /// What `inspect` reports.
    pub(in crate::commands) fn report(&self) -> Outcome<&Value> {
        let _one = locked(&self.reporting);
        if let Some(report) = self.report.get() {
            return Ok(report);
        }
        let report = admin::inspect(&self.searcher).in_index(&self.dir)?;
        Ok(self.report.get_or_init(|| report))
    }

    /// A view that depends on nothing but this commit and the question: computed once.
    pub(super) fn kept(&self, question: String, compute: impl FnOnce() -> Outcome<Bytes>) -> Outcome<Bytes> {
        let view = {
            let mut views = locked(&self.views);
            if views.len() >= KEPT && !views.contains_key(&question) {
                views.pop_first();
            }
            Arc::clone(views.entry(question).or_default())
        };
        let mut view = locked(&view);
        if let Some(view) = &*view {
            return Ok(view.clone());
        }
        let computed = compute()?;
        *view = Some(computed.clone());
        Ok(computed)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

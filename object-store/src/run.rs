//! Requests, run on the store's threads while the caller waits, and stopped when it is told to.

use crate::error::{Error, Result};
use crate::remote::Remote;
use futures_util::FutureExt;
use lucerne::Cancel;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use tokio::task::AbortHandle;

/// How often the caller looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(20);

impl Remote {
    /// Runs one job.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        cancel: &Cancel,
        job: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let mut result = None;
        self.run_all(cancel, [job], 1, |value| {
            result = Some(value);
            Ok(())
        })?;
        result.ok_or_else(|| Error::Invalid("a request ended without a result".to_owned()))
    }

    /// Runs jobs, at most `at_once` at the same time, and hands what each returns to `done` in the order in which they end.
    /// Stops at the first error. When this returns, no job runs any more.
    pub(crate) fn run_all<T, F>(
        &self,
        cancel: &Cancel,
        jobs: impl IntoIterator<Item = F>,
        at_once: usize,
        mut done: impl FnMut(T) -> Result<()>,
    ) -> Result<()>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let runtime = self.threads.runtime()?;
        let (send, results) = mpsc::channel();
        let (mut jobs, mut running) = (jobs.into_iter(), Vec::<AbortHandle>::new());
        let mut under_way = 0;
        let result = loop {
            while under_way < at_once {
                let Some(job) = jobs.next() else { break };
                let send = send.clone();
                let task = runtime.spawn(async move {
                    // In this order: an aborted job lets go of what it holds before its sender goes.
                    let (job, send) = (AssertUnwindSafe(job), send);
                    let result = job.catch_unwind().await;
                    let _ = send.send(result.unwrap_or_else(|_| Err(panicked())));
                });
                running.retain(|task| !task.is_finished());
                running.push(task.abort_handle());
                under_way += 1;
            }
            if under_way == 0 {
                return Ok(());
            }
            if let Err(stop) = cancel.check() {
                break Err(stop.into());
            }
            match results.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break Err(panicked()),
                Ok(result) => {
                    under_way -= 1;
                    if let Err(error) = result.and_then(&mut done) {
                        break Err(error);
                    }
                }
            }
        };
        running.iter().for_each(AbortHandle::abort);
        // Every job has a sender of its own: the channel ends with the last of them.
        drop(send);
        while results.recv().is_ok() {}
        result
    }
}

fn panicked() -> Error {
    let message = "a job has panicked".to_owned();
    Error::Lucerne(lucerne::Error::Panicked { operation: "speaking to the object store", message })
}

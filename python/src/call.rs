//! Calls into the engine: without the GIL, panics caught, and long ones so that Ctrl-C stops them.

use crate::errors;
use lucerne::{Cancel, Progress};
use pyo3::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How often a long call looks for Ctrl-C.
const SIGNALS: Duration = Duration::from_millis(50);

/// A call that is over soon.
pub(crate) fn call<T: Send>(py: Python<'_>, work: impl FnOnce() -> lucerne::Result<T> + Send) -> PyResult<T> {
    finished(py, py.detach(|| catch_unwind(AssertUnwindSafe(work))))
}

/// A call that may take long, on a thread of its own: Ctrl-C (or any signal handler that raises) cancels it.
pub(crate) fn long_call<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&Cancel) -> lucerne::Result<T> + Send,
) -> PyResult<T> {
    let cancel = Cancel::new();
    cancellable(py, &cancel, || work(&cancel))
}

/// The same with a cancel flag that the work has already.
pub(crate) fn cancellable<T: Send>(
    py: Python<'_>,
    cancel: &Cancel,
    work: impl FnOnce() -> lucerne::Result<T> + Send,
) -> PyResult<T> {
    let (done, finish) = channel();
    let (result, signal) = std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(work));
            // Nobody waits any more only when the thread that waits has panicked.
            let _ = done.send(());
            result
        });
        let mut signal = None;
        // A mutex-free hand-over: the receiver is moved in and out of the closure that has no GIL.
        let mut finish = finish;
        loop {
            let (back, waited) = py.detach(move || {
                let waited = finish.recv_timeout(SIGNALS);
                (finish, waited)
            });
            finish = back;
            match waited {
                Err(RecvTimeoutError::Timeout) => {
                    if signal.is_none()
                        && let Err(error) = py.check_signals()
                    {
                        cancel.cancel();
                        signal = Some(error);
                    }
                }
                Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        (py.detach(|| thread.join()).unwrap_or_else(Err), signal)
    });
    match signal {
        // What was done is done, and the user wants to be out.
        Some(signal) => Err(signal),
        None => finished(py, result),
    }
}

fn finished<T>(py: Python<'_>, result: std::thread::Result<lucerne::Result<T>>) -> PyResult<T> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(errors::exception(py, error)),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let message = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(errors::panicked(py, message.unwrap_or_else(|| "without a message".to_owned())))
        }
    }
}

/// Calls `progress(phase, done, total)`; `False` cancels.
pub(crate) struct Reporter {
    pub(crate) callable: Option<Py<PyAny>>,
    pub(crate) cancel: Cancel,
}

impl Progress for Reporter {
    fn report(&self, phase: &'static str, done: u64, total: u64) {
        let Some(callable) = &self.callable else { return };
        Python::attach(|py| match callable.bind(py).call1((phase, done, total)) {
            Ok(answer) if answer.is(pyo3::types::PyBool::new(py, false)) => self.cancel.cancel(),
            Ok(_) => {}
            Err(error) => {
                error.write_unraisable(py, Some(callable.bind(py)));
                self.cancel.cancel();
            }
        });
    }
}

//! What happens to merges, told to callables of Python.

use crate::call::Reporter;
use lucerne::merge::MergeEvent;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::{Arc, Mutex, PoisonError};

/// Who is told of a writer's merges: `on_merge` of the writer, and `progress` of the forced merge that is running.
#[derive(Default)]
pub(crate) struct MergeEvents {
    on_merge: Option<Py<PyAny>>,
    forced: Mutex<Option<Arc<Reporter>>>,
}

impl MergeEvents {
    pub(crate) fn new(on_merge: Option<Py<PyAny>>) -> Self {
        Self { on_merge, forced: Mutex::default() }
    }

    /// Reports the progress of merges that run meanwhile.
    pub(crate) fn reporting<T>(&self, reporter: Reporter, work: impl FnOnce() -> T) -> T {
        self.report_to(Some(Arc::new(reporter)));
        let done = work();
        self.report_to(None);
        done
    }

    fn report_to(&self, reporter: Option<Arc<Reporter>>) {
        *self.forced.lock().unwrap_or_else(PoisonError::into_inner) = reporter;
    }

    /// An event, on the thread of the merge, which holds no lock of Python.
    pub(crate) fn event(&self, event: &MergeEvent) {
        if let MergeEvent::Progress { phase, done, total, .. } = event {
            let forced = self.forced.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(reporter) = forced {
                lucerne::Progress::report(&*reporter, phase, *done, *total);
            }
        }
        let Some(callable) = &self.on_merge else { return };
        // When the interpreter is ending nobody listens.
        Python::try_attach(|py| {
            let told = as_dict(py, event).and_then(|dict| callable.bind(py).call1((dict,)));
            if let Err(error) = told {
                error.write_unraisable(py, Some(callable.bind(py)));
            }
        });
    }
}

fn as_dict<'py>(py: Python<'py>, event: &MergeEvent) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let kind = match event {
        MergeEvent::Started { segment, sources, bytes } => {
            dict.set_item("segment", segment)?;
            dict.set_item("sources", sources)?;
            dict.set_item("bytes", bytes)?;
            "started"
        }
        MergeEvent::Progress { segment, phase, done, total } => {
            dict.set_item("segment", segment)?;
            dict.set_item("phase", phase)?;
            dict.set_item("done", done)?;
            dict.set_item("total", total)?;
            "progress"
        }
        MergeEvent::Finished { segment, record } => {
            dict.set_item("segment", segment)?;
            dict.set_item("record", crate::json::to_python(py, record)?)?;
            "finished"
        }
        MergeEvent::Failed { segment, error, cancelled } => {
            dict.set_item("segment", segment)?;
            dict.set_item("error", error)?;
            dict.set_item("cancelled", cancelled)?;
            "failed"
        }
        MergeEvent::WriterSlowed { running } => {
            dict.set_item("running", running)?;
            "writer slowed"
        }
        _ => "other",
    };
    dict.set_item("event", kind)?;
    Ok(dict)
}

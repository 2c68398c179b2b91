//! Errors of the engine as exceptions: the classes of `lucerne/errors.py`, chosen by kind.

use lucerne::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyModule;

/// The exception for an error.
pub(crate) fn exception(py: Python<'_>, error: Error) -> PyErr {
    let class = match error.kind() {
        ErrorKind::Usage => "UsageError",
        ErrorKind::AlreadyExists => "AlreadyExistsError",
        ErrorKind::NotFound => "NotFoundError",
        ErrorKind::DiskFull => "DiskFullError",
        ErrorKind::Io => "StorageError",
        ErrorKind::Corrupt => "CorruptError",
        ErrorKind::Incompatible => "IncompatibleError",
        ErrorKind::Locked => "LockedError",
        ErrorKind::Conflict => "ConflictError",
        ErrorKind::Cancelled => "CancelledError",
        ErrorKind::TimedOut => "TimedOutError",
        ErrorKind::Closed => "ClosedError",
        _ => "InternalError",
    };
    raise(py, class, error.to_string())
}

/// A wrong argument.
pub(crate) fn usage(py: Python<'_>, message: impl Into<String>) -> PyErr {
    raise(py, "UsageError", message.into())
}

/// A panic that was caught.
pub(crate) fn panicked(py: Python<'_>, message: String) -> PyErr {
    raise(py, "InternalError", format!("a defect in lucerne: {message}"))
}

/// An exception of `lucerne.errors`.
pub(crate) fn raise(py: Python<'_>, class: &str, message: String) -> PyErr {
    static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let made = || -> PyResult<PyErr> {
        let module = ERRORS.get_or_try_init(py, || py.import("lucerne.errors").map(Bound::unbind))?;
        Ok(PyErr::from_value(module.bind(py).getattr(class)?.call1((message,))?))
    };
    made().unwrap_or_else(|error| error)
}

//! Searching for the neighbors of many vectors at once.

use lucerne::search::SearchOptions;
use lucerne::{Error, Hits, Knn, Searcher};
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// An array of str or None, and one of float32.
pub(crate) type KeysAndScores<'py> = (Bound<'py, PyArray2<Py<PyAny>>>, Bound<'py, PyArray2<f32>>);

/// Rows that a thread takes at a time.
const ROWS: usize = 16;
/// The same of searches that share work.
const SHARING_ROWS: usize = 256;

/// What was found for some rows one after the other. Keys and scores are all that is kept of a search, so that the next one
/// finds its memory in the cache.
struct Part {
    rows: Range<usize>,
    /// Where the hits of each row end.
    row_ends: Vec<usize>,
    keys: String,
    /// Where each key ends.
    key_ends: Vec<usize>,
    scores: Vec<f32>,
}

impl Part {
    fn of(rows: Range<usize>, found: impl Iterator<Item = lucerne::Result<Hits>>) -> lucerne::Result<Self> {
        let (row_ends, keys, key_ends, scores) = (Vec::new(), String::new(), Vec::new(), Vec::new());
        let mut part = Self { rows, row_ends, keys, key_ends, scores };
        for hits in found {
            for hit in hits?.hits {
                part.keys.push_str(&hit.key);
                part.key_ends.push(part.keys.len());
                part.scores.push(hit.score);
            }
            part.row_ends.push(part.scores.len());
        }
        Ok(part)
    }
}

/// What was found for all rows.
pub(crate) struct Found(Vec<Part>);

/// Runs `knn(row)` for the rows below `count`, side by side on `threads` threads, the one that calls among them; many in one call
/// where they share work, as exact searches and those with a filter do. The first error ends it.
pub(crate) fn search(
    searcher: &Searcher,
    count: usize,
    (threads, sharing): (usize, bool),
    options: &SearchOptions,
    knn: impl Fn(usize) -> Knn + Sync,
) -> lucerne::Result<Found> {
    let together = if sharing { count.div_ceil(threads.max(1)).clamp(1, SHARING_ROWS) } else { ROWS };
    let next = AtomicUsize::new(0);
    let done: Mutex<lucerne::Result<Vec<Part>>> = Mutex::new(Ok(Vec::new()));
    let work = || {
        loop {
            let first = next.fetch_add(together, Relaxed);
            if first >= count {
                return;
            }
            let rows = first..(first + together).min(count);
            let part = match sharing {
                true => Part::of(rows.clone(), searcher.search_many(rows.map(&knn), options).into_iter()),
                false => Part::of(rows.clone(), rows.map(|row| searcher.search_with(knn(row), options))),
            };
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            match (&mut *done, part) {
                (Ok(parts), Ok(part)) => parts.push(part),
                (Ok(_), Err(error)) => {
                    next.store(count, Relaxed);
                    *done = Err(error);
                }
                (Err(_), _) => return,
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // Where the system gives no more threads, with those there are.
            if std::thread::Builder::new().spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
    let mut parts = done.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    parts.sort_unstable_by_key(|part| part.rows.start);
    match parts.iter().map(|part| part.row_ends.len()).sum::<usize>() == count {
        true => Ok(Found(parts)),
        false => Err(Error::Invalid("a thread did not finish its searches".to_owned())),
    }
}

impl Found {
    /// Arrays of shape (count, k), padded with None and NaN.
    pub(crate) fn arrays<'py>(
        &self,
        py: Python<'py>,
        count: usize,
        k: usize,
    ) -> PyResult<KeysAndScores<'py>> {
        let mut keys = Vec::with_capacity(count * k);
        let mut scores = Vec::with_capacity(count * k);
        for part in &self.0 {
            let (mut hit, mut from) = (0, 0);
            for &end in &part.row_ends {
                let full = keys.len() + k;
                for (&to, &score) in part.key_ends.iter().zip(&part.scores).take(end).skip(hit) {
                    let key = part.keys.get(from..to).unwrap_or_default();
                    keys.push(PyString::new(py, key).into_any().unbind());
                    scores.push(score);
                    from = to;
                }
                hit = end;
                keys.resize_with(full, || py.None());
                scores.resize(full, f32::NAN);
            }
        }
        let keys = PyArray1::from_vec(py, keys).reshape([count, k])?;
        let scores = PyArray1::from_vec(py, scores).reshape([count, k])?;
        Ok((keys, scores))
    }
}

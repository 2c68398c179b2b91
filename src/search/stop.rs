//! How a search is stopped, and what becomes of what it has found by then.

use crate::error::{Error, Result};
use lucerne_codec::{Cancel, OnStop};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// What a search that was stopped may take to finish what it has: to rescore and to read the hits of its page.
const GRACE: Duration = Duration::from_millis(2);

/// Why a search did not look everywhere.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::search::{SearchOptions, Stopped};
/// use lucerne::{ErrorKind, Match};
/// use std::time::Duration;
///
/// let at_once = SearchOptions::new().timeout(Duration::ZERO);
/// let error = searcher.search_with(Match::new("title", "editor"), &at_once).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::TimedOut);
///
/// let part = searcher.search_with(Match::new("title", "editor"), &at_once.partial())?;
/// assert_eq!(part.stopped, Some(Stopped::TimedOut));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stopped {
    /// Its deadline passed.
    TimedOut,
    /// It was cancelled.
    Cancelled,
}

/// What the parts of a search look at.
#[derive(Clone, Copy)]
pub(super) struct Stop<'a> {
    pub(super) cancel: &'a Cancel,
    /// Where it is noted that the result is a part; `None` where only the whole is of use.
    noted: Option<&'a OnceLock<Stopped>>,
}

impl<'a> Stop<'a> {
    pub(super) fn new(cancel: &'a Cancel, on_stop: OnStop, noted: &'a OnceLock<Stopped>) -> Self {
        Self { cancel, noted: (on_stop == OnStop::Partial).then_some(noted) }
    }

    /// The same where only the whole is of use: in rankings that decide on the scores of others.
    pub(super) fn whole(self) -> Self {
        Self { noted: None, ..self }
    }

    /// The same with another flag.
    pub(super) fn with(self, cancel: &'a Cancel) -> Self {
        Self { cancel, ..self }
    }

    pub(super) fn on_stop(self) -> OnStop {
        if self.noted.is_some() { OnStop::Partial } else { OnStop::Fail }
    }

    /// An error when the search was stopped.
    pub(super) fn check(self) -> Result<()> {
        Ok(self.cancel.check()?)
    }

    /// The result of a part of the search; `None` when it was stopped and a partial result is wanted, which is noted.
    pub(super) fn part<T>(self, result: Result<T>) -> Result<Option<T>> {
        match (result, self.noted) {
            (Ok(whole), _) => Ok(Some(whole)),
            (Err(error), Some(noted)) => match stopped(&error) {
                Some(stopped) => {
                    noted.get_or_init(|| stopped);
                    Ok(None)
                }
                None => Err(error),
            },
            (Err(error), None) => Err(error),
        }
    }

    /// True once it was noted that the result is a part.
    pub(super) fn is_part(self) -> bool {
        self.noted.is_some_and(|noted| noted.get().is_some())
    }

    /// A flag for what is left to do. A search that was stopped by now, and is to return what it has, may go on for a short
    /// time.
    pub(super) fn rest(self) -> Cancel {
        if let (Some(noted), Err(error)) = (self.noted, self.check())
            && let Some(stopped) = stopped(&error)
        {
            noted.get_or_init(|| stopped);
        }
        if self.is_part() { Cancel::new().until(Instant::now() + GRACE) } else { self.cancel.clone() }
    }
}

/// Why an error says that work was stopped, if it does.
pub(super) fn stopped(error: &Error) -> Option<Stopped> {
    match error {
        Error::TimedOut => Some(Stopped::TimedOut),
        Error::Cancelled | Error::Codec(lucerne_codec::Error::Cancelled) => Some(Stopped::Cancelled),
        _ => None,
    }
}

//! Requests that are made again when the store or the way to it fails for a moment.

use crate::error::{Error, Result, status};
use object_store::path::Path;
use std::future::Future;
use std::time::Duration;

/// How often and how long a request is attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Attempts of one request, the first included; at least 1.
    pub attempts: u32,
    /// The pause after the first failed attempt; it doubles with each of them.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// How long one attempt may take. A request carries a part of a file, 8 MiB for files of up to 70 GB.
    pub time_limit: Duration,
}

impl Default for Retries {
    /// 6 attempts within about 6 seconds, of 120 seconds each.
    fn default() -> Self {
        let (pause, longest_pause) = (Duration::from_millis(200), Duration::from_secs(10));
        Self { attempts: 6, pause, longest_pause, time_limit: Duration::from_secs(120) }
    }
}

impl Retries {
    /// The pause after the `failed`-th attempt, from 1.
    pub(crate) fn pause_after(&self, failed: u32) -> Duration {
        let doubled = 2u32.saturating_pow(failed.saturating_sub(1));
        self.pause.saturating_mul(doubled).min(self.longest_pause)
    }

    /// Makes a request until it succeeds, is refused for good, or was attempted often enough.
    pub(crate) async fn request<T, F>(
        &self,
        object: &Path,
        action: &'static str,
        attempt: impl Fn() -> F,
    ) -> Result<T>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let mut attempts = 1;
        loop {
            let source = match tokio::time::timeout(self.time_limit, attempt()).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(source)) => source,
                Err(late) => object_store::Error::Generic { store: "request", source: Box::new(late) },
            };
            if attempts >= self.attempts || !may_pass(&source) {
                return Err(Error::Store { object: object.to_string(), action, attempts, source });
            }
            tokio::time::sleep(self.pause_after(attempts)).await;
            attempts += 1;
        }
    }
}

/// True for errors that may not come again: time-outs, connections, answers of 5xx, bodies that were cut off.
fn may_pass(error: &object_store::Error) -> bool {
    let kind = matches!(error, object_store::Error::Generic { .. } | object_store::Error::JoinError { .. });
    kind && status(error).is_none_or(|status| !(400..500).contains(&status) || matches!(status, 408 | 429))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_for_good_is_not_asked_again() {
        let generic = |message: &str| object_store::Error::Generic { store: "S3", source: message.into() };
        for message in ["reset", "non-2xx status code: 503 Slow Down", "status code: 429 ", "status code: "] {
            assert!(may_pass(&generic(message)), "{message}");
        }
        assert!(!may_pass(&generic("non-2xx status code: 403 Forbidden: ")));
        let missing = object_store::Error::NotFound { path: "x".to_owned(), source: "no".into() };
        assert!(!may_pass(&missing));
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let retries = Retries { longest_pause: Duration::from_secs(1), ..Retries::default() };
        let pauses = [1, 2, 3, 4, 99].map(|failed| retries.pause_after(failed).as_millis());
        assert_eq!(pauses, [200, 400, 800, 1_000, 1_000]);
    }
}

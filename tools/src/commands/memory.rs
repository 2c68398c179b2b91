//! Memory this process took at most, where the system tells (Linux).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const EVERY: Duration = Duration::from_millis(20);

/// The largest anonymous memory seen, in KiB.
static PEAK_ANON: AtomicU64 = AtomicU64::new(0);

/// Looks at anonymous memory again and again while it lives.
pub(super) struct Sampler {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    pub(super) fn start() -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&done);
        // Without a thread, memory is looked at once, at the end.
        let thread = status("RssAnon").and_then(|_| {
            let thread = std::thread::Builder::new().spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    sample();
                    std::thread::sleep(EVERY);
                }
            });
            thread.ok()
        });
        Self { done, thread }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread cannot panic; were it to, only a measurement is lost.
            let _ = thread.join();
        }
        sample();
    }
}

fn sample() {
    if let Some(kib) = status("RssAnon") {
        PEAK_ANON.fetch_max(kib, Ordering::Relaxed);
    }
}

/// Anonymous memory at most, in MiB: what the writer's budget is about. Sampled.
pub(super) fn peak_anon_mb() -> Option<f64> {
    match PEAK_ANON.load(Ordering::Relaxed) {
        0 => None,
        kib => Some(mib(kib)),
    }
}

/// Resident memory at most, in MiB, mapped files included.
pub(super) fn peak_rss_mb() -> Option<f64> {
    status("VmHWM").map(mib)
}

/// With one digit after the point.
fn mib(kib: u64) -> f64 {
    (kib as f64 / 102.4).round() / 10.0
}

/// A line of `/proc/self/status`, in KiB.
fn status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

//! Merge threads: how many run, which of them wait, and when writers must.

use lucerne_codec::Cancel;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Runs merges in threads of their own. Of those that run, the largest are paused while more than `threads`
/// would work at once, so that many small merges are never held up by a large one.
pub(crate) struct Scheduler {
    threads: usize,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: Vec<Running>,
    handles: Vec<JoinHandle<()>>,
    next: u64,
    closed: bool,
}

struct Running {
    id: u64,
    bytes: u64,
    cancel: Cancel,
}

/// Merges that may have begun, working or paused, beyond those that work (Lucene: 5).
const WAITING_MERGES: usize = 5;

impl Scheduler {
    /// At most `threads` merges work at once; with 0 the writer runs them itself.
    pub(crate) fn new(threads: usize) -> Self {
        Self { threads, shared: Arc::default() }
    }

    /// True when merges run on the thread that asks for them.
    pub(crate) fn is_inline(&self) -> bool {
        self.threads == 0
    }

    /// How many more merges may begin.
    pub(crate) fn room(&self) -> usize {
        let state = self.shared.state.lock();
        match state.closed {
            true => 0,
            false => (self.threads + WAITING_MERGES).saturating_sub(state.running.len()),
        }
    }

    /// Merges that have begun and not ended.
    pub(crate) fn running(&self) -> usize {
        self.shared.state.lock().running.len()
    }

    /// Runs a merge of that many bytes in a thread of its own. False when it could not be started.
    pub(crate) fn spawn(&self, bytes: u64, cancel: Cancel, job: impl FnOnce() + Send + 'static) -> bool {
        let id = {
            let mut state = self.shared.state.lock();
            if state.closed {
                return false;
            }
            let id = state.next;
            state.next += 1;
            state.running.push(Running { id, bytes, cancel });
            balance(self.threads, &mut state);
            id
        };
        let done = Done { id, threads: self.threads, shared: Arc::clone(&self.shared) };
        let thread = std::thread::Builder::new().name(format!("lucerne-merge-{id}"));
        let spawned = thread.spawn(move || {
            let _done = done; // Leaves the list also when the job panics or never runs.
            job();
        });
        match spawned {
            Ok(handle) => {
                let mut state = self.shared.state.lock();
                state.handles.retain(|handle| !handle.is_finished());
                state.handles.push(handle);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "a merge thread could not be started");
                false
            }
        }
    }

    /// Waits until a merge ends, at most that long.
    pub(crate) fn wait_for_change(&self, at_most: Duration) {
        let mut state = self.shared.state.lock();
        if !state.running.is_empty() {
            self.shared.changed.wait_for(&mut state, at_most);
        }
    }

    /// Waits until no merge runs.
    pub(crate) fn wait_until_idle(&self) {
        let mut state = self.shared.state.lock();
        while !state.running.is_empty() {
            self.shared.changed.wait(&mut state);
        }
    }

    /// Asks all running merges to stop.
    pub(crate) fn cancel_all(&self) {
        self.shared.state.lock().running.iter().for_each(|running| running.cancel.cancel());
    }

    /// Starts no more merges, asks the running ones to stop and waits for their threads.
    pub(crate) fn close(&self) {
        let handles = {
            let mut state = self.shared.state.lock();
            state.closed = true;
            state.running.iter().for_each(|running| running.cancel.cancel());
            std::mem::take(&mut state.handles)
        };
        for handle in handles {
            if handle.thread().id() != std::thread::current().id() && handle.join().is_err() {
                tracing::error!("a merge thread has panicked");
            }
        }
    }
}

/// The smallest merges work, the others wait.
fn balance(threads: usize, state: &mut State) {
    state.running.sort_by_key(|running| (running.bytes, running.id));
    for (position, running) in state.running.iter().enumerate() {
        running.cancel.pause(position >= threads.max(1));
    }
}

/// Takes its merge off the list when dropped.
struct Done {
    id: u64,
    threads: usize,
    shared: Arc<Shared>,
}

impl Drop for Done {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.running.retain(|running| running.id != self.id);
        balance(self.threads, &mut state);
        self.shared.changed.notify_all();
    }
}

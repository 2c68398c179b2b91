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
    /// It has what it needs; until then it holds nothing up.
    admitted: bool,
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
    pub(crate) fn free_slots(&self) -> usize {
        let state = self.shared.state.lock();
        let most = if state.closed { 0 } else { self.threads + WAITING_MERGES };
        most.saturating_sub(state.running.len())
    }

    /// Merges that have begun and not ended.
    pub(crate) fn running(&self) -> usize {
        self.shared.state.lock().running.len()
    }

    /// Runs a merge of that many bytes in a thread of its own, once `admit` has returned there. False when it could not be
    /// started.
    pub(crate) fn spawn<T>(
        &self,
        bytes: u64,
        cancel: Cancel,
        admit: impl FnOnce() -> T + Send + 'static,
        job: impl FnOnce(T) + Send + 'static,
    ) -> bool {
        // Held until the handle is in its place: `close` must not miss a thread that has begun.
        let mut state = self.shared.state.lock();
        if state.closed {
            return false;
        }
        let id = state.next;
        state.next += 1;
        state.running.push(Running { id, bytes, cancel, admitted: false });
        let (threads, shared) = (self.threads, Arc::clone(&self.shared));
        let thread = std::thread::Builder::new().name(format!("lucerne-merge-{id}"));
        let spawned = thread.spawn(move || {
            let done = Done { id, threads, shared }; // Leaves the list also when the job panics.
            let admitted = admit();
            done.admitted();
            job(admitted);
        });
        match spawned {
            Ok(handle) => {
                state.handles.retain(|handle| !handle.is_finished());
                state.handles.push(handle);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "a merge thread could not be started");
                leave(id, self.threads, &mut state);
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

/// The smallest merges work, the others wait. One that waits for memory does not count: it might wait for what a larger one
/// holds.
fn balance(threads: usize, state: &mut State) {
    state.running.sort_by_key(|running| (running.bytes, running.id));
    for (position, running) in state.running.iter().filter(|running| running.admitted).enumerate() {
        running.cancel.pause(position >= threads.max(1));
    }
}

/// Takes its merge off the list when dropped.
struct Done {
    id: u64,
    threads: usize,
    shared: Arc<Shared>,
}

impl Done {
    fn admitted(&self) {
        let mut state = self.shared.state.lock();
        state
            .running
            .iter_mut()
            .filter(|running| running.id == self.id)
            .for_each(|running| running.admitted = true);
        balance(self.threads, &mut state);
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        leave(self.id, self.threads, &mut self.shared.state.lock());
        self.shared.changed.notify_all();
    }
}

fn leave(id: u64, threads: usize, state: &mut State) {
    state.running.retain(|running| running.id != id);
    balance(threads, state);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A merge thread that outlives its writer takes away files that the next writer gives the same names.
    #[test]
    fn no_merge_is_at_work_once_the_scheduler_is_closed() {
        for round in 0..300 {
            let (scheduler, working) = (Arc::new(Scheduler::new(2)), Arc::new(AtomicUsize::new(0)));
            let job = |working: &Arc<AtomicUsize>| {
                let working = Arc::clone(working);
                move || {
                    working.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_micros(200));
                    working.fetch_sub(1, Ordering::SeqCst);
                }
            };
            let (next, spawning) = (job(&working), Arc::clone(&scheduler));
            scheduler.spawn(
                1,
                Cancel::new(),
                || (),
                move |()| {
                    spawning.spawn(2, Cancel::new(), || (), move |()| next());
                },
            );
            std::thread::sleep(Duration::from_micros(round % 100));
            scheduler.close();
            assert_eq!(working.load(Ordering::SeqCst), 0, "round {round}");
            assert_eq!(scheduler.running(), 0, "round {round}");
        }
    }
}

//! The order of the lines of one key, whatever the threads: a line is written after all earlier ones of its key.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Lines under way, by the number in which they were taken from the source: at most one per thread.
#[derive(Default)]
pub(super) struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next: u64,
    lines: BTreeMap<u64, Line>,
}

enum Line {
    /// Its key is not known yet.
    Reading,
    /// Of this key; of none, when the writer gives it one.
    Key(Option<String>),
}

/// A line under way, until it is dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    number: u64,
}

impl Turns {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next line is under way. Called in the order of the lines.
    pub(super) fn begin(&self) -> Turn<'_> {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.lines.insert(number, Line::Reading);
        Turn { turns: self, number }
    }
}

impl Turn<'_> {
    /// Waits until no earlier line of this key is under way, nor one whose key is not known.
    pub(super) fn wait(&self, key: Option<&str>) {
        let mut state = self.turns.state();
        state.lines.insert(self.number, Line::Key(key.map(str::to_owned)));
        self.turns.changed.notify_all();
        if key.is_none() {
            return;
        }
        let precedes = |line: &Line| match line {
            Line::Reading => true,
            Line::Key(other) => other.as_deref() == key,
        };
        while state.lines.range(..self.number).any(|(_, line)| precedes(line)) {
            state = self.turns.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.state().lines.remove(&self.number);
        self.turns.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// 4 threads read and write at any speed; what is written last of each key is its last line.
    #[test]
    fn the_last_line_of_a_key_is_written_last() {
        for round in 0..20u64 {
            let key = |line: u64| (line + 200 * round).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
            let keys: Vec<Option<u64>> =
                (0..200).map(|line| Some(key(line) % 5).filter(|key| *key > 0)).collect();
            let (turns, source, written) =
                (Turns::default(), Mutex::new(0..keys.len()), Mutex::new(BTreeMap::new()));
            let nap =
                |seed: u64| std::thread::sleep(Duration::from_micros(seed.wrapping_mul(0x9E37_79B9) % 60));
            let work = || {
                loop {
                    let mut lines = source.lock().unwrap();
                    let Some(line) = lines.next() else { break };
                    let turn = turns.begin();
                    drop(lines);
                    nap(round ^ line as u64);
                    let key = keys[line].map(|key| key.to_string());
                    turn.wait(key.as_deref());
                    nap(round * 31 + line as u64);
                    written.lock().unwrap().entry(keys[line]).or_insert_with(Vec::new).push(line);
                }
            };
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(work);
                }
            });
            let written = written.into_inner().unwrap();
            assert_eq!(written.values().map(Vec::len).sum::<usize>(), keys.len());
            let given = written.iter().filter(|(key, _)| key.is_some());
            assert!(
                given.clone().count() == 4 && given.clone().all(|(_, lines)| lines.is_sorted()),
                "{written:?}"
            );
            assert!(turns.state().lines.is_empty());
        }
    }
}

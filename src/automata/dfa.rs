//! Deterministic automata over bytes, with nothing in them that does not lead to a match.

use super::{Automaton, Verdict, common};
use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::{primitives::StateID, start, syntax};
use regex_automata::{Anchored, MatchKind};
use std::collections::HashMap;

/// The size of an automaton in bytes at most, while it is built and when it is done: some ten milliseconds of work.
const MAX_NFA: usize = 1 << 20;
const MAX_DFA: usize = 1 << 20;
const MAX_WORK: usize = 4 << 20;

/// The state from which nothing is reached.
const DEAD: u32 = 0;

/// A set of byte strings.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Dfa {
    /// Bytes that lead to the same state everywhere are of one class.
    classes: Vec<u8>,
    width: usize,
    /// `width` next states for each state; state 0 is dead.
    next: Vec<u32>,
    accepts: Vec<bool>,
    start: u32,
}

impl std::fmt::Debug for Dfa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dfa({} states)", self.accepts.len())
    }
}

impl Dfa {
    /// The strings that match a regular expression (of the crate `regex`) from their beginning to their end.
    pub(super) fn new(expression: &str) -> Result<Self, String> {
        let config = dense::Config::new()
            .start_kind(StartKind::Anchored)
            .match_kind(MatchKind::All)
            .dfa_size_limit(Some(MAX_DFA))
            .determinize_size_limit(Some(MAX_WORK));
        let built = dense::Builder::new()
            .configure(config)
            .thompson(thompson::Config::new().nfa_size_limit(Some(MAX_NFA)))
            .syntax(syntax::Config::new())
            .build(expression);
        let dfa = built.map_err(|error| problem_of(&error))?;
        let start = dfa.start_state(&start::Config::new().anchored(Anchored::Yes));
        Ok(Self::copied(&dfa, start.map_err(|error| error.to_string())?))
    }

    /// The states that are reached from the start, numbered in the order of the search.
    fn copied(dfa: &dense::DFA<Vec<u32>>, start: StateID) -> Self {
        let classes: Vec<u8> = (0..=u8::MAX).map(|byte| dfa.byte_classes().get(byte)).collect();
        let width = classes.iter().copied().max().map_or(0, usize::from) + 1;
        let mut of_class = vec![0; width];
        for byte in (0..=u8::MAX).rev() {
            if let Some(first) =
                classes.get(usize::from(byte)).and_then(|class| of_class.get_mut(usize::from(*class)))
            {
                *first = byte;
            }
        }
        // State 0 is dead, and stays without a match.
        let (mut found, mut numbers) = (vec![start], HashMap::from([(start, 1)]));
        let (mut next, mut accepts) = (vec![DEAD; width], vec![false]);
        let mut at = 0;
        while let Some(&state) = found.get(at) {
            at += 1;
            accepts.push(dfa.is_match_state(dfa.next_eoi_state(state)));
            for &byte in &of_class {
                let to = dfa.next_state(state, byte);
                let number = match dfa.is_dead_state(to) || dfa.is_quit_state(to) {
                    true => DEAD,
                    false => *numbers.entry(to).or_insert_with(|| {
                        found.push(to);
                        found.len() as u32
                    }),
                };
                next.push(number);
            }
        }
        let mut copied = Self { classes, width, next, accepts, start: 1 };
        copied.cut();
        copied
    }

    /// Makes states dead from which no match is reached.
    fn cut(&mut self) {
        let mut leads = self.accepts.clone();
        loop {
            let before = leads.iter().filter(|leads| **leads).count();
            for (state, row) in self.next.chunks_exact(self.width).enumerate().rev() {
                let reaches = row.iter().any(|to| leads.get(*to as usize).copied().unwrap_or(false));
                if let Some(own) = leads.get_mut(state) {
                    *own |= reaches;
                }
            }
            if leads.iter().filter(|leads| **leads).count() == before {
                break;
            }
        }
        for to in self.next.iter_mut().chain([&mut self.start]) {
            if !leads.get(*to as usize).copied().unwrap_or(false) {
                *to = DEAD;
            }
        }
    }

    fn next(&self, state: u32, byte: u8) -> u32 {
        let class = self.classes.get(usize::from(byte)).copied().unwrap_or(0);
        self.next.get(state as usize * self.width + usize::from(class)).copied().unwrap_or(DEAD)
    }

    fn accepts(&self, state: u32) -> bool {
        self.accepts.get(state as usize).copied().unwrap_or(false)
    }

    /// Whether a string is in the set.
    #[cfg(test)]
    pub(super) fn matches(&self, text: &str) -> bool {
        self.accepts(text.bytes().fold(self.start, |state, byte| self.next(state, byte)))
    }
}

/// What is wrong with an expression, in one line.
fn problem_of(error: &dense::BuildError) -> String {
    let (mut cause, mut is_too_large): (&dyn std::error::Error, _) = (error, error.is_size_limit_exceeded());
    while let Some(deeper) = cause.source() {
        let of_nfa = deeper.downcast_ref::<thompson::BuildError>();
        is_too_large |= of_nfa.is_some_and(|error| error.size_limit().is_some());
        cause = deeper;
    }
    let message = cause.to_string();
    // The lines before the last one show the expression.
    let line = message.lines().last().unwrap_or_default();
    match is_too_large {
        true => "it has too many states; make it shorter, or its repetitions fewer".to_owned(),
        false => line.trim_start_matches("error: ").to_owned(),
    }
}

/// Walks through the terms of a [`Dfa`].
pub(crate) struct DfaWalk<'d> {
    dfa: &'d Dfa,
    term: Vec<u8>,
    /// The state before each byte of the term, and the one behind it. None is dead.
    states: Vec<u32>,
}

impl<'d> DfaWalk<'d> {
    pub(crate) fn new(dfa: &'d Dfa) -> Self {
        Self { dfa, term: Vec::new(), states: vec![dfa.start] }
    }

    /// After `term[..at]` no term goes on as this one does: the next byte that may follow, there or further in front.
    fn skip(&self, term: &[u8], at: usize, next: &mut Vec<u8>) -> Verdict {
        for (at, state) in self.states.iter().enumerate().take(at + 1).rev() {
            let Some(&byte) = term.get(at) else { continue };
            let live = |byte: &u8| self.dfa.next(*state, *byte) != DEAD;
            if let Some(byte) = byte.checked_add(1).and_then(|byte| (byte..=u8::MAX).find(live)) {
                next.extend_from_slice(term.get(..at).unwrap_or_default());
                next.push(byte);
                return Verdict::Skip;
            }
        }
        Verdict::Over
    }
}

impl Automaton for DfaWalk<'_> {
    fn test(&mut self, term: &[u8], next: &mut Vec<u8>) -> Verdict {
        let shared = common(&self.term, term);
        self.term.truncate(shared);
        self.states.truncate(shared + 1);
        let mut state = self.states.last().copied().unwrap_or(DEAD);
        if state == DEAD {
            return Verdict::Over;
        }
        for (at, &byte) in term.iter().enumerate().skip(shared) {
            state = self.dfa.next(state, byte);
            if state == DEAD {
                return self.skip(term, at, next);
            }
            self.term.push(byte);
            self.states.push(state);
        }
        if self.dfa.accepts(state) { Verdict::Match(0) } else { Verdict::No }
    }
}

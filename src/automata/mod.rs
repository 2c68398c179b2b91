//! Sets of terms as automata: patterns, and words within some edits of another one.
//!
//! An [`Automaton`] is shown terms in ascending order. Of each it says whether it is in the set and, where no term that
//! begins so can be, which term is the next one that may be: a dictionary need not be read in between.

mod dfa;
mod levenshtein;
mod pattern;
#[cfg(test)]
mod tests;

pub(crate) use dfa::{Dfa, DfaWalk};
pub(crate) use levenshtein::{LevenshteinWalk, MAX_EDITS, is_near, similarity};
pub(crate) use pattern::{regex, wildcard};

/// What an automaton says of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is in the set, at this number of edits (0 in a set without).
    Match(u8),
    /// It is not; the next one may be.
    No,
    /// It is not, nor is any term before the one that was written to `next`.
    Skip,
    /// It is not, nor is any after it.
    Over,
}

/// A set of terms on the walk through a dictionary.
pub(crate) trait Automaton {
    /// Looks at a term. It is cheapest in ascending order, but need not be. On [`Verdict::Skip`] the least term that may
    /// be in the set and is after `term` is appended to `next`.
    fn test(&mut self, term: &[u8], next: &mut Vec<u8>) -> Verdict;
}

/// The number of bytes that two terms begin with in common.
fn common(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

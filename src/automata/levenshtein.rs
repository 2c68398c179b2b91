//! Words within some edits of another one.
//!
//! An edit inserts, deletes or replaces a character, or swaps two neighbors (the optimal string alignment distance, as
//! in Lucene: no character is edited twice). Rows of the table of distances are kept for the characters that a term has
//! in common with the one before; of each row only the cells within [`MAX_EDITS`] of the diagonal are of interest.

use super::{Automaton, Verdict, common};

/// Edits at most. With three, short words match half of a dictionary.
pub(crate) const MAX_EDITS: u8 = 2;

const WIDTH: usize = 2 * MAX_EDITS as usize + 1;
const MIDDLE: usize = MAX_EDITS as usize;

/// Cell `at` is the distance between the first `i` characters of the term and the first `i + at - MIDDLE` of the word.
type Row = [u8; WIDTH];

/// Beyond all distances.
const FAR: u8 = MAX_EDITS + 1;

/// How similar two words are, from 0 to 1: 1 less the edits by the length of the shorter one.
pub(crate) fn similarity(left: usize, right: usize, edits: u8) -> f32 {
    match edits {
        0 => 1.0,
        _ => 1.0 - f32::from(edits) / left.min(right).max(1) as f32,
    }
}

/// Walks through the terms that are within some edits of a word.
pub(crate) struct LevenshteinWalk {
    word: Vec<char>,
    edits: u8,
    transpositions: bool,
    /// The length of a prefix that the word and the terms had in common, in characters.
    before: usize,
    /// The characters of the last term that were looked at, and where each begins.
    term: Vec<(char, usize)>,
    /// The same in bytes.
    bytes: Vec<u8>,
    /// The row before each of them, and the one behind. Each has a distance within `edits`.
    rows: Vec<Row>,
}

impl LevenshteinWalk {
    /// Terms at most `edits` (no more than [`MAX_EDITS`]) from `word`, and fewer than the shorter of both has characters;
    /// with swapped neighbors as one edit or as two. `before` is the number of characters that stand before the word and
    /// the terms and are the same.
    pub(crate) fn new(word: &str, edits: u8, transpositions: bool, before: usize) -> Self {
        let word: Vec<char> = word.chars().collect();
        let cell = |at: usize| at.checked_sub(MIDDLE).filter(|j| *j <= word.len()).map_or(FAR, |j| j as u8);
        let first = std::array::from_fn(cell);
        Self {
            word,
            edits: edits.min(MAX_EDITS),
            transpositions,
            before,
            term: Vec::new(),
            bytes: Vec::new(),
            rows: vec![first],
        }
    }

    /// The row behind `character`, which follows the first `i` characters of the term.
    fn row(&self, i: usize, character: char) -> Option<Row> {
        let above = self.rows.get(i)?;
        let last = i.checked_sub(1).and_then(|before| self.term.get(before)).map(|last| last.0);
        let before = i.checked_sub(1).and_then(|before| self.rows.get(before));
        let cell = |row: &Row, at: usize| row.get(at).copied().unwrap_or(FAR);
        let mut row = [FAR; WIDTH];
        // Cells farther from the diagonal than edits may be are beyond all of interest.
        let reach = usize::from(self.edits);
        for at in MIDDLE - reach..=MIDDLE + reach {
            let Some(j) = (i + 1 + at).checked_sub(MIDDLE).filter(|j| *j <= self.word.len()) else {
                continue;
            };
            let mut least = (cell(above, at + 1) + 1).min(FAR);
            if let Some(left) = at.checked_sub(1) {
                least = least.min(cell(&row, left) + 1);
            }
            if let Some(own) = j.checked_sub(1).and_then(|own| self.word.get(own)) {
                least = least.min(cell(above, at) + u8::from(*own != character));
                let swapped = j.checked_sub(2).and_then(|other| self.word.get(other)) == Some(&character);
                if let (true, true, Some(before)) =
                    (self.transpositions && swapped, last == Some(*own), before)
                {
                    least = least.min(cell(before, at) + 1);
                }
            }
            if let Some(cell) = row.get_mut(at) {
                *cell = least;
            }
        }
        Some(row)
    }

    fn is_live(&self, row: &Row) -> bool {
        row.iter().any(|cell| *cell <= self.edits)
    }

    /// The least character above `character` with which a term may go on behind its first `i` characters.
    fn next_live(&self, i: usize, character: char) -> Option<char> {
        let above = self.rows.get(i)?;
        if above.iter().any(|cell| *cell < self.edits) {
            let next = |number: u32| char::from_u32(number + 1);
            return next(character.into()).or_else(|| (character < '\u{E000}').then_some('\u{E000}'));
        }
        // No edit is left: a term goes on with the word, or with the other one of two neighbors that are swapped.
        let last = i.checked_sub(1).and_then(|before| self.term.get(before)).map(|last| last.0);
        let before =
            i.checked_sub(1).and_then(|before| self.rows.get(before)).filter(|_| self.transpositions);
        let mut least: Option<char> = None;
        for at in 0..WIDTH {
            let Some(own) = (i + at).checked_sub(MIDDLE) else { continue };
            let Some(next) = self.word.get(own).copied() else { break };
            let as_it_is = above.get(at).is_some_and(|cell| *cell <= self.edits);
            let other = own.checked_sub(1).and_then(|other| self.word.get(other)).copied();
            let is_swapped = last == Some(next)
                && before.and_then(|before| before.get(at)).is_some_and(|cell| *cell < self.edits);
            for live in [as_it_is.then_some(next), other.filter(|_| is_swapped)].into_iter().flatten() {
                if live > character && least.is_none_or(|least| live < least) {
                    least = Some(live);
                }
            }
        }
        least
    }

    /// No term that goes on with `character` behind the first characters of the last one is near: what comes next.
    fn skip(&mut self, mut character: char, next: &mut Vec<u8>) -> Verdict {
        loop {
            if let Some(live) = self.next_live(self.term.len(), character) {
                next.extend_from_slice(&self.bytes);
                next.extend_from_slice(live.encode_utf8(&mut [0; 4]).as_bytes());
                return Verdict::Skip;
            }
            match self.pop() {
                Some(last) => character = last,
                None => return Verdict::Over,
            }
        }
    }

    /// Where the last character ends.
    fn end(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the last character away.
    fn pop(&mut self) -> Option<char> {
        let (last, start) = self.term.pop()?;
        self.bytes.truncate(start);
        self.rows.pop();
        Some(last)
    }
}

impl Automaton for LevenshteinWalk {
    fn test(&mut self, term: &[u8], next: &mut Vec<u8>) -> Verdict {
        let shared = common(&self.bytes, term);
        while self.end() > shared {
            self.pop();
        }
        let end = self.end();
        // No text of ours is something else; of a damaged file it may be.
        let rest = term.get(end..).map(std::str::from_utf8);
        let Some(Ok(rest)) = rest else { return Verdict::No };
        for (at, character) in rest.char_indices() {
            match self.row(self.term.len(), character) {
                Some(row) if self.is_live(&row) => {
                    self.term.push((character, end + at));
                    self.bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                    self.rows.push(row);
                }
                _ => return self.skip(character, next),
            }
        }
        let len = self.term.len();
        let at = (self.word.len() + MIDDLE).checked_sub(len);
        let distance = at.and_then(|at| self.rows.get(len)?.get(at).copied()).unwrap_or(FAR);
        let shorter = self.before + self.word.len().min(len);
        let is_near = distance == 0 || (distance <= self.edits && usize::from(distance) < shorter);
        if is_near { Verdict::Match(distance) } else { Verdict::No }
    }
}

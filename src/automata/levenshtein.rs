//! Words within some edits of another one.
//!
//! An edit inserts, deletes or replaces a character, or swaps two neighbors (the optimal string alignment distance, as
//! in Lucene: no character is edited twice). Rows of the table of distances are kept for the characters that a term has
//! in common with the one before; of each row only the cells within [`MAX_EDITS`] of the diagonal are of interest, as bits.

use super::{Automaton, Verdict, common};

/// Edits at most. With three, short words match half of a dictionary.
pub(crate) const MAX_EDITS: u8 = 2;

const WIDTH: usize = 2 * MIDDLE + 1;
const MIDDLE: usize = MAX_EDITS as usize;
/// All cells of a row.
const CELLS: u8 = (1 << WIDTH) - 1;

/// The row behind `i` characters of the term: of each number of edits a set of cells. Cell `at` is in it when the first
/// `i + at - MIDDLE` characters of the word are within so many edits of them.
#[derive(Clone, Copy, Default)]
struct Row {
    within: [u8; MIDDLE + 1],
    /// The cells whose next character of the word is the one that follows in the term.
    next: u8,
}

/// How similar two words are, from 0 to 1: 1 less the edits by the length of the shorter one.
pub(crate) fn similarity(left: usize, right: usize, edits: u8) -> f32 {
    match edits {
        0 => 1.0,
        _ => 1.0 - f32::from(edits) / left.min(right).max(1) as f32,
    }
}

/// Whether two words so many edits apart are near, of which the shorter one has so many characters.
pub(crate) fn is_near(edits: u8, shorter: usize) -> bool {
    edits == 0 || usize::from(edits) < shorter
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
    /// The row before each of them, and the one behind. Each has a cell within `edits`.
    rows: Vec<Row>,
}

impl LevenshteinWalk {
    /// Terms at most `edits` (no more than [`MAX_EDITS`]) from `word`, and fewer than the shorter of both has characters;
    /// with swapped neighbors as one edit or as two. `before` is the number of characters that stand before the word and
    /// the terms and are the same.
    pub(crate) fn new(word: &str, edits: u8, transpositions: bool, before: usize) -> Self {
        let mut walk = Self {
            word: word.chars().collect(),
            edits: edits.min(MAX_EDITS),
            transpositions,
            before,
            term: Vec::new(),
            bytes: Vec::new(),
            rows: Vec::new(),
        };
        // So many characters of the word are deleted.
        let within = std::array::from_fn(|edits| ((2 << edits) - 1) << MIDDLE & walk.cells(0));
        walk.rows.push(Row { within, next: 0 });
        walk
    }

    /// The cells of the row behind `i` characters.
    #[inline]
    fn cells(&self, i: usize) -> u8 {
        let first = MIDDLE.saturating_sub(i);
        let end = (self.word.len() + MIDDLE + 1).saturating_sub(i).min(WIDTH);
        if first < end { CELLS >> (WIDTH - end) & CELLS << first } else { 0 }
    }

    /// The character of the word that follows a cell of the row behind `i` characters.
    #[inline]
    fn follows(&self, i: usize, at: usize) -> Option<char> {
        (i + at).checked_sub(MIDDLE).and_then(|own| self.word.get(own)).copied()
    }

    /// The row behind `character`, which follows the first `i` characters of the term and is noted in the row before it.
    #[inline]
    fn row(&mut self, i: usize, character: char) -> Option<Row> {
        let next = (0..WIDTH).map(|at| u8::from(self.follows(i, at) == Some(character)) << at).sum::<u8>();
        let before = i.checked_sub(1).and_then(|before| self.rows.get(before)).copied();
        // Cells two characters before which the word has this character and then the last one.
        let swapped = before.filter(|_| self.transpositions).map_or(0, |row| next << 1 & row.next >> 1);
        let before = before.unwrap_or_default();
        let cells = self.cells(i + 1);
        let above = self.rows.get_mut(i)?;
        above.next = next;
        let mut row = Row::default();
        let (mut fewer, mut fewer_above, mut fewer_before) = (0, 0, 0);
        for (own, (&above, &before)) in row.within.iter_mut().zip(above.within.iter().zip(&before.within)) {
            // The same character, or an edit: another one, one more, one less, two swapped.
            *own = above & next | fewer_above | fewer_above >> 1 | fewer << 1 | fewer_before & swapped;
            *own &= cells;
            (fewer, fewer_above, fewer_before) = (*own, above, before);
        }
        Some(row)
    }

    /// The cells of a row within some edits.
    #[inline]
    fn within(row: &Row, edits: u8) -> u8 {
        row.within.get(usize::from(edits)).copied().unwrap_or(0)
    }

    /// The least character above `character`, if there is one, with which a term may go on behind its first `i` characters.
    fn next_live(&self, i: usize, character: Option<char>) -> Option<char> {
        let above = self.rows.get(i)?;
        let before = i.checked_sub(1).and_then(|before| self.rows.get(before));
        let mut swaps = 0;
        if let Some(fewer) = self.edits.checked_sub(1) {
            if Self::within(above, fewer) != 0 {
                let next = |number: u32| char::from_u32(number + 1);
                let Some(character) = character else { return Some('\0') };
                return next(character.into()).or_else(|| (character < '\u{E000}').then_some('\u{E000}'));
            }
            swaps = before.filter(|_| self.transpositions).map_or(0, |row| Self::within(row, fewer));
        }
        // No edit is left: a term goes on with the word, or with the other one of two neighbors that are swapped.
        let last = i.checked_sub(1).and_then(|before| self.term.get(before)).map(|last| last.0);
        let mut least: Option<char> = None;
        for at in 0..WIDTH {
            let next = self.follows(i, at);
            let as_it_is = next.filter(|_| Self::within(above, self.edits) >> at & 1 == 1);
            let other = i.checked_sub(1).and_then(|before| self.follows(before, at));
            let swapped = other.filter(|_| next.is_some() && next == last && swaps >> at & 1 == 1);
            for live in [as_it_is, swapped].into_iter().flatten() {
                if character.is_none_or(|character| live > character)
                    && least.is_none_or(|least| live < least)
                {
                    least = Some(live);
                }
            }
        }
        least
    }

    /// No term that goes on with `character` behind the first characters of the last one is near: what comes next.
    fn skip(&mut self, mut character: char, next: &mut Vec<u8>) -> Verdict {
        let mut live = loop {
            match self.next_live(self.term.len(), Some(character)) {
                Some(live) => break live,
                None => match self.pop() {
                    Some(last) => character = last,
                    None => return Verdict::Over,
                },
            }
        };
        // Where no edit is left, how the next term goes on is known up to its end.
        while let Some(row) = self.row(self.term.len(), live) {
            self.push(live, row);
            let is_free = self.edits.checked_sub(1).is_some_and(|fewer| Self::within(&row, fewer) != 0);
            match self.next_live(self.term.len(), None) {
                Some(next) if !is_free && self.distance().is_none() => live = next,
                _ => break,
            }
        }
        next.extend_from_slice(&self.bytes);
        Verdict::Skip
    }

    /// Adds a character behind the last one.
    #[inline]
    fn push(&mut self, character: char, row: Row) {
        self.term.push((character, self.bytes.len()));
        self.bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        self.rows.push(row);
    }

    /// The edits between the word and the characters so far, if they are near.
    #[inline]
    fn distance(&self) -> Option<u8> {
        let len = self.term.len();
        let at = (self.word.len() + MIDDLE).checked_sub(len).filter(|at| *at < WIDTH)?;
        let row = self.rows.get(len)?;
        (0..=self.edits).find(|edits| Self::within(row, *edits) >> at & 1 == 1)
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
        for character in rest.chars() {
            match self.row(self.term.len(), character) {
                Some(row) if Self::within(&row, self.edits) != 0 => self.push(character, row),
                _ => return self.skip(character, next),
            }
        }
        let Some(distance) = self.distance() else { return Verdict::No };
        let shorter = self.before + self.word.len().min(self.term.len());
        if is_near(distance, shorter) { Verdict::Match(distance) } else { Verdict::No }
    }
}

//! Where in a text what was made of it by normalization comes from.

use super::normalize::normalize;
use std::ops::Range;
use unicode_normalization::char::canonical_combining_class;

/// A text, in pieces that are normalized each for itself.
#[derive(Debug)]
pub(super) struct Origins {
    /// Where each piece begins, in the normalized text and in the text itself; at the end where both end.
    pieces: Vec<(usize, usize)>,
}

impl Origins {
    /// Of a text that is not the same when it is normalized. Where pieces cannot be told apart it is one piece.
    pub(super) fn new(text: &str, normalized: &str) -> Self {
        // Marks and joiners go with what they join.
        let is_joiner = |character: char| matches!(character, '\u{200C}' | '\u{200D}');
        let characters = text.char_indices().zip(text.char_indices().skip(1));
        let starts = characters.filter(|((_, last), (_, character))| {
            !is_mark(*character) && !is_joiner(*character) && !is_joiner(*last)
        });
        let starts = starts.map(|(_, (at, _))| at);
        let (mut pieces, mut rest, mut from) = (vec![(0, 0)], normalized, 0);
        for start in starts.chain([text.len()]) {
            let piece = normalize(text.get(from..start).unwrap_or_default());
            // Letters that are composed with the one before, such as those of Hangul.
            let Some(after) = rest.strip_prefix(&*piece) else {
                return Self { pieces: vec![(0, 0), (normalized.len(), text.len())] };
            };
            (rest, from) = (after, start);
            pieces.push((normalized.len() - rest.len(), start));
        }
        match rest.is_empty() {
            true => Self { pieces },
            false => Self { pieces: vec![(0, 0), (normalized.len(), text.len())] },
        }
    }

    /// The bytes of the text that some bytes of the normalized one, at least one, come from.
    pub(super) fn of(&self, normalized: Range<usize>) -> Range<usize> {
        let before = self.pieces.partition_point(|(start, _)| *start <= normalized.start).saturating_sub(1);
        let after = self.pieces.partition_point(|(start, _)| *start < normalized.end);
        let text = |piece: usize| self.pieces.get(piece).or(self.pieces.last()).map_or(0, |(_, text)| *text);
        text(before)..text(after)
    }
}

/// Whether a character belongs to the one before it.
fn is_mark(character: char) -> bool {
    canonical_combining_class(character) != 0
}

//! Words in lower case, and what a field declares to be done with them.

use super::bigrams::{bigrams, is_unspaced};
use super::fold::fold;
use super::normalize::normalize;
use super::origins::Origins;
use super::whole::span_in;
use super::{Analyzer, MAX_WORD};
use frostem::Stemmer;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// The analyzer `standard`: lower case, then accents off, stop words out, stems, each where declared.
pub(super) struct Standard {
    fold: bool,
    stop_words: HashSet<Box<str>>,
    stemmer: Option<Stemmer>,
}

impl fmt::Debug for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stemmer = self.stemmer.as_ref().map(|stemmer| stemmer.algorithm().name());
        let stop_words = self.stop_words.len();
        write!(f, "Standard(stemmer {stemmer:?}, {stop_words} stop words, fold {})", self.fold)
    }
}

impl Standard {
    pub(super) fn new<'a>(
        fold: bool,
        stop_words: impl Iterator<Item = &'a str>,
        stemmer: Option<Stemmer>,
    ) -> Self {
        // Stop words are spelled as the words they are compared with.
        let mut buffers = Buffers::default();
        let stop_words = stop_words.map(|word| buffers.spell(&normalize(word), fold).into()).collect();
        Self { fold, stop_words, stemmer }
    }
}

/// Room for a word on its way, used again for each.
#[derive(Default)]
struct Buffers {
    lower: String,
    folded: String,
}

impl Buffers {
    /// The word in lower case, without accents if `fold`.
    fn spell(&mut self, word: &str, to_fold: bool) -> &str {
        self.lower.clear();
        if word.is_ascii() {
            self.lower.push_str(word);
            self.lower.make_ascii_lowercase();
            return &self.lower;
        }
        // A sigma that ends a word is the same letter: the word may go on.
        self.lower.extend(word.to_lowercase().chars().map(|letter| if letter == 'ς' { 'σ' } else { letter }));
        if !to_fold {
            return &self.lower;
        }
        self.folded.clear();
        fold(&self.lower, &mut self.folded);
        &self.folded
    }
}

/// The terms of one text on their way.
struct Pass<'a> {
    standard: &'a Standard,
    /// Takes a term, its position, and the part of the normalized text that it comes from.
    emit: &'a mut dyn FnMut(&str, u32, &str),
    position: u32,
    buffers: Buffers,
}

impl Pass<'_> {
    /// A text that is normalized.
    fn text(&mut self, text: &str) {
        for (unspaced, part) in parts(text) {
            match unspaced {
                true => self.run(part),
                // The same words, found faster.
                false if part.is_ascii() => part.unicode_words().for_each(|word| self.word(word)),
                false => pieces(part).filter(|word| is_word(word)).for_each(|word| self.word(word)),
            }
        }
    }

    fn word(&mut self, source: &str) {
        let position = self.position;
        self.position = position.saturating_add(1);
        let word = self.buffers.spell(source, self.standard.fold);
        // Nothing longer is looked at any further.
        if word.len() > MAX_WORD || self.standard.stop_words.contains(word) {
            return;
        }
        let term = match &self.standard.stemmer {
            Some(stemmer) => stemmer.stem(word),
            None => Cow::Borrowed(word),
        };
        if (1..=MAX_WORD).contains(&term.len()) {
            (self.emit)(&term, position, source);
        }
    }

    fn run(&mut self, run: &str) {
        if !is_word(run) {
            return;
        }
        let first = self.position;
        let count = bigrams(run, |term, offset| (self.emit)(term, first.saturating_add(offset), term));
        self.position = first.saturating_add(count);
    }
}

impl Analyzer for Standard {
    fn analyze(&self, text: &str, emit: &mut dyn FnMut(&str, u32)) {
        let emit = &mut |term: &str, position, _: &str| emit(term, position);
        Pass { standard: self, emit, position: 0, buffers: Buffers::default() }.text(&normalize(text));
    }

    /// White space is between words and stays where it is, so that what it separates can be taken for itself.
    fn analyze_spans(&self, text: &str, emit: &mut dyn FnMut(&str, u32, Range<usize>)) {
        let mut first = 0;
        for chunk in text.split(char::is_whitespace).filter(|chunk| !chunk.is_empty()) {
            let (start, normalized) = (span_in(text, chunk).start, normalize(chunk));
            let origins = match &normalized {
                Cow::Borrowed(_) => None,
                Cow::Owned(normalized) => Some(Origins::new(chunk, normalized)),
            };
            let emit = &mut |term: &str, position, source: &str| {
                let span = span_in(&normalized, source);
                let span = origins.as_ref().map_or(span.clone(), |origins| origins.of(span));
                emit(term, position, start + span.start..start + span.end);
            };
            let mut pass = Pass { standard: self, emit, position: first, buffers: Buffers::default() };
            pass.text(&normalized);
            first = pass.position;
        }
    }

    fn normalize(&self, text: &str) -> String {
        Buffers::default().spell(&normalize(text), self.fold).to_owned()
    }

    fn analyze_prefix(&self, text: &str, emit: &mut dyn FnMut(&str, u32)) {
        let text = normalize(text);
        let emit = &mut |term: &str, position, _: &str| emit(term, position);
        let mut pass = Pass { standard: self, emit, position: 0, buffers: Buffers::default() };
        let mut words = words(&text).peekable();
        while let Some((unspaced, word)) = words.next() {
            match unspaced {
                true => pass.run(word),
                false if words.peek().is_some() => pass.word(word),
                // What it goes on to is unknown: it is no stop word yet, and has no stem.
                false => (pass.emit)(pass.buffers.spell(word, self.fold), pass.position, word),
            }
        }
    }

    fn too_long(&self, text: &str) -> Option<String> {
        if text.len() <= MAX_WORD {
            return None;
        }
        let (text, mut buffers) = (normalize(text), Buffers::default());
        let mut spaced = words(&text).filter(|(unspaced, _)| !unspaced);
        spaced
            .find(|(_, word)| buffers.spell(word, self.fold).len() > MAX_WORD)
            .map(|(_, word)| word.to_owned())
    }
}

/// The text's words, and its runs of unspaced characters as one each.
fn words(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let all = parts(text).flat_map(|(unspaced, part)| {
        let (run, rest) = if unspaced { (Some(part), "") } else { (None, part) };
        run.into_iter().chain(pieces(rest)).map(move |piece| (unspaced, piece))
    });
    all.filter(|(_, piece)| is_word(piece))
}

/// A text at its word boundaries. White space is one, whatever follows: a mark behind it does not make it part of a word.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(char::is_whitespace).flat_map(UnicodeSegmentation::split_word_bounds)
}

/// True when there is anything to search for: letters, digits, emoji.
fn is_word(piece: &str) -> bool {
    piece.chars().any(|character| character.is_alphanumeric() || is_emoji(character))
}

fn is_emoji(character: char) -> bool {
    matches!(character, '\u{2600}'..='\u{26FF}' | '\u{2764}' | '\u{1F000}'..='\u{1FAFF}')
}

/// The text's runs of unspaced characters, and of others.
fn parts(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let unspaced = is_unspaced(rest.chars().next()?);
        let len = rest.find(|character| is_unspaced(character) != unspaced).unwrap_or(rest.len());
        let (part, later) = rest.split_at_checked(len)?;
        rest = later;
        Some((unspaced, part))
    })
}

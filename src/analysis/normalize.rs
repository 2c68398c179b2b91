//! One spelling for what looks the same.

use super::bigrams::is_unspaced;
use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// The text in NFKC (wide and narrow letters, ligatures, composed accents become the usual ones), without
/// characters that cannot be seen or only say how others look, with straight apostrophes.
///
/// Joiners (ZWNJ, ZWJ) stay between letters of scripts that are written with them, and between emoji.
pub(super) fn normalize(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes && !text.contains(is_changed) {
        return Cow::Borrowed(text);
    }
    let mut normalized = String::with_capacity(text.len());
    let (mut last, mut joiner) = (None, None);
    for character in text.nfkc() {
        let kept = match character {
            ZWNJ | ZWJ => {
                joiner = Some(character).filter(|_| last.is_some_and(is_joined));
                continue;
            }
            _ if !is_changed(character) => character,
            '\u{2019}' => '\'',
            _ if is_tag(character) && last.is_some_and(|last| is_tag(last) || is_emoji(last)) => character,
            '\u{2044}' => '/',
            _ => continue,
        };
        if let Some(joiner) = joiner.take().filter(|_| is_joined(kept)) {
            normalized.push(joiner);
        }
        normalized.push(kept);
        last = Some(kept);
    }
    normalized.into()
}

/// Zero-width non-joiner: Persian writes it within words.
const ZWNJ: char = '\u{200C}';
/// Zero-width joiner: Indic scripts and emoji have it.
const ZWJ: char = '\u{200D}';

/// What Unicode lets everybody ignore (Default_Ignorable_Code_Point: soft hyphens, direction marks, joiners, variation
/// selectors, byte order marks, fillers, tags), annotation marks; the typographic apostrophe, the slash of fractions. A
/// zero-width space is a space.
fn is_changed(character: char) -> bool {
    matches!(character,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200C}'..='\u{200F}' | '\u{2019}' | '\u{202A}'..='\u{202E}' | '\u{2044}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// Tags spell the region of a flag (England, Scotland, Wales): they stay behind an emoji.
fn is_tag(character: char) -> bool {
    matches!(character, '\u{E0020}'..='\u{E007F}')
}

/// Letters of scripts in which a joiner makes a difference (Arabic, Syriac, Indic and others), and emoji.
fn is_joined(character: char) -> bool {
    !is_unspaced(character)
        && matches!(character,
            '\u{600}'..='\u{1CFF}' | '\u{2190}'..='\u{2BFF}' | '\u{A800}'..='\u{ABFF}'
            | '\u{10A00}'..='\u{11FFF}' | '\u{1E900}'..='\u{1E95F}')
        || is_emoji(character)
}

fn is_emoji(character: char) -> bool {
    matches!(character, '\u{1F000}'..='\u{1FAFF}')
}

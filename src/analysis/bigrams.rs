//! Scripts that put no spaces between words: every two neighboring characters are a term.

/// True for letters of Han, Hiragana, Katakana, Bopomofo, Hangul, Thai, Lao, Khmer and Myanmar. Hangul has
/// spaces, but its words grow endings that a bigram does not mind.
pub(super) fn is_unspaced(character: char) -> bool {
    if character < '\u{E00}' {
        return false;
    }
    matches!(character,
        '\u{E01}'..='\u{E4E}' | '\u{E81}'..='\u{ECE}' | '\u{EDC}'..='\u{EDF}'
        | '\u{1000}'..='\u{103F}' | '\u{1050}'..='\u{108F}' | '\u{1780}'..='\u{17D3}'
        | '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}'
        | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{3035}'
        | '\u{303B}' | '\u{3041}'..='\u{309F}' | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{31BF}'
        | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FF66}'..='\u{FF9F}' | '\u{1B000}'..='\u{1B16F}' | '\u{20000}'..='\u{323AF}')
}

/// Calls `emit` with the bigrams of a run of such characters, or with its only character. Marks belong to the
/// character before them. Returns how many there were.
pub(super) fn bigrams(run: &str, mut emit: impl FnMut(&str, u32)) -> u32 {
    let characters = || run.char_indices().filter(|(at, character)| *at == 0 || character.is_alphanumeric());
    let ends = characters().skip(2).map(|(start, _)| start).chain([run.len()]);
    let mut count = 0;
    for ((start, _), end) in characters().zip(ends) {
        emit(run.get(start..end).unwrap_or_default(), count);
        count += 1;
    }
    count
}

//! Takes accents off.

use unicode_normalization::char::decompose_canonical;

/// Appends `word`, in lower case, without the accents of Latin and Greek letters: `é` is `e`, `ø` is `o`, `ß` is
/// `ss`. Marks of other scripts are letters in their own right and stay, as `й` does; `ё` becomes `е`.
pub(super) fn fold(word: &str, into: &mut String) {
    for character in word.chars() {
        match character {
            '\0'..='\u{7F}' => into.push(character),
            'ß' => into.push_str("ss"),
            'æ' => into.push_str("ae"),
            'œ' => into.push_str("oe"),
            'þ' => into.push_str("th"),
            'ø' => into.push('o'),
            'ł' => into.push('l'),
            'đ' | 'ð' => into.push('d'),
            'ħ' => into.push('h'),
            'ı' => into.push('i'),
            'ŧ' => into.push('t'),
            'ё' => into.push('е'),
            _ if is_mark(character) => {}
            '\u{C0}'..='\u{24F}' | '\u{370}'..='\u{3FF}' | '\u{1E00}'..='\u{1FFF}' => {
                decompose_canonical(character, |part| {
                    if !is_mark(part) {
                        into.push(part);
                    }
                });
            }
            _ => into.push(character),
        }
    }
}

/// Marks that stand above, below or through any letter.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}')
}

//! Patterns as automata.

use super::Dfa;

/// A pattern in bytes at most.
const MAX_PATTERN: usize = 1_000;

/// The automaton of a regular expression, which a term matches from its beginning to its end.
///
/// The error says what is wrong with the expression.
pub(crate) fn regex(expression: &str) -> Result<Dfa, String> {
    check_len(expression)?;
    Dfa::new(expression).map_err(|problem| format!("no regular expression: {problem}"))
}

/// The automaton of a pattern in which `*` stands for any characters, `?` for one, and `\` before a character for the
/// character itself. `spell` brings what is between these into the form of terms.
pub(crate) fn wildcard(pattern: &str, spell: impl Fn(&str) -> String) -> Result<Dfa, String> {
    check_len(pattern)?;
    let (mut expression, mut literal) = (String::new(), String::new());
    let mut characters = pattern.chars();
    loop {
        let wild = match characters.next() {
            Some('*') => "(?s:.)*",
            Some('?') => "(?s:.)",
            Some('\\') => {
                literal.push(characters.next().unwrap_or('\\'));
                continue;
            }
            Some(character) => {
                literal.push(character);
                continue;
            }
            None => "",
        };
        if !literal.is_empty() {
            spell(&literal).chars().for_each(|character| quote(character, &mut expression));
            literal.clear();
        }
        if wild.is_empty() {
            return Dfa::new(&expression).map_err(|problem| format!("no pattern: {problem}"));
        }
        // Several in a row are as good as one.
        if !(wild.ends_with('*') && expression.ends_with(wild)) {
            expression.push_str(wild);
        }
    }
}

fn quote(character: char, into: &mut String) {
    if r"\.+*?()|[]{}^$#&-~".contains(character) {
        into.push('\\');
    }
    into.push(character);
}

fn check_len(pattern: &str) -> Result<(), String> {
    match pattern.len() {
        ..=MAX_PATTERN => Ok(()),
        len => Err(format!("the pattern has {len} bytes, expected at most {MAX_PATTERN}")),
    }
}

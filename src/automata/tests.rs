//! Automata against plain definitions, on every term and on walks through dictionaries.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The optimal string alignment distance, as a textbook has it.
fn distance(left: &str, right: &str, transpositions: bool) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut table = vec![vec![0; right.len() + 1]; left.len() + 1];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            if i == 0 || j == 0 {
                table[i][j] = i + j;
                continue;
            }
            let replaced = table[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            table[i][j] = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
            let swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if transpositions && swapped {
                table[i][j] = table[i][j].min(table[i - 2][j - 2] + 1);
            }
        }
    }
    table[left.len()][right.len()]
}

/// The terms that a walk finds, which skips whatever it may.
fn walked(automaton: &mut dyn Automaton, terms: &BTreeSet<String>) -> Vec<(String, u8)> {
    let (mut found, mut from) = (Vec::new(), String::new());
    while let Some(term) = terms.range(from.clone()..).next() {
        let mut next = Vec::new();
        match automaton.test(term.as_bytes(), &mut next) {
            Verdict::Match(edits) => found.push((term.clone(), edits)),
            Verdict::No => {}
            Verdict::Skip => {
                assert!(next.as_slice() > term.as_bytes(), "{next:?} is not after {term:?}");
                // It may end within a character, which no term is.
                let valid = match std::str::from_utf8(&next) {
                    Ok(text) => text.to_owned(),
                    Err(_) => {
                        let after = terms.iter().find(|term| term.as_bytes() >= next.as_slice());
                        match after {
                            Some(term) => term.clone(),
                            None => break,
                        }
                    }
                };
                from = valid;
                continue;
            }
            Verdict::Over => break,
        }
        from = format!("{term}\0");
    }
    found
}

/// Terms of few letters, so that many are near each other; of one to four bytes.
fn term() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        proptest::sample::select(vec!['a', 'b', 'c', 'é', '東', '𠮷', '\u{D7FF}', '\u{E000}']),
        0..7,
    )
    .prop_map(|letters| letters.into_iter().collect())
}

fn dictionary() -> impl Strategy<Value = BTreeSet<String>> {
    proptest::collection::btree_set(term(), 0..60)
}

proptest! {
    #[test]
    fn words_within_some_edits_are_found(
        terms in dictionary(), word in term(), edits in 0..=2u8, transpositions: bool, before in 0..3usize,
    ) {
        let is_near = |term: &&String| {
            let shorter = before + word.chars().count().min(term.chars().count());
            let distance = distance(&word, term, transpositions);
            distance == 0 || distance <= edits.into() && distance < shorter
        };
        let expected: Vec<(String, u8)> = terms.iter().filter(is_near)
            .map(|term| (term.clone(), distance(&word, term, transpositions) as u8)).collect();
        let mut walk = LevenshteinWalk::new(&word, edits, transpositions, before);
        prop_assert_eq!(walked(&mut walk, &terms), expected.clone());
        // In any order, too.
        for term in terms.iter().rev() {
            let verdict = walk.test(term.as_bytes(), &mut Vec::new());
            let found = expected.iter().find(|(other, _)| other == term).map(|(_, edits)| Verdict::Match(*edits));
            match found {
                Some(found) => prop_assert_eq!(verdict, found),
                None => prop_assert!(!matches!(verdict, Verdict::Match(_))),
            }
        }
    }

    #[test]
    fn patterns_find_what_they_mean(
        terms in dictionary(),
        pattern in proptest::collection::vec(proptest::sample::select(vec!["a", "b", "é", "東", "*", "?"]), 0..6),
    ) {
        let dfa = wildcard(&pattern.concat(), str::to_owned).unwrap();
        let expected: Vec<(String, u8)> = terms.iter()
            .filter(|term| means(&pattern, &term.chars().collect::<Vec<_>>()))
            .map(|term| (term.clone(), 0)).collect();
        prop_assert_eq!(walked(&mut DfaWalk::new(&dfa), &terms), expected);
    }
}

fn means(pattern: &[&str], text: &[char]) -> bool {
    match (pattern, text) {
        ([], text) => text.is_empty(),
        (["*", rest @ ..], text) => (0..=text.len()).any(|len| means(rest, &text[len..])),
        (["?", rest @ ..], [_, after @ ..]) => means(rest, after),
        ([letter, rest @ ..], [first, after @ ..]) => *letter == first.to_string() && means(rest, after),
        _ => false,
    }
}

#[test]
fn regular_expressions_match_whole_terms() {
    for (expression, matching, others) in [
        ("a|ab|abc", &["a", "ab", "abc"][..], &["", "abcd", "b"][..]),
        ("ed(itor)?s?", &["ed", "editor", "editors", "eds"], &["edit", "xeditor"]),
        ("[a-c]{2,3}", &["ab", "cab"], &["a", "abca", "AB"]),
        ("(?i)vim.*", &["vim", "VIM-tiny", "vimé"], &["neovim"]),
        (r"\d+\.\d", &["8.2", "10.0"], &["8.22", "82"]),
        (".", &["é", "𠮷"], &["", "ab"]),
        ("", &[""], &["a"]),
        (r"\p{Greek}+", &["αλφα"], &["alfa"]),
    ] {
        let Ok(dfa) = regex(expression) else {
            // The tables of scripts are left out.
            assert!(expression.contains("Greek"), "{expression}");
            continue;
        };
        matching.iter().for_each(|text| assert!(dfa.matches(text), "{expression}: {text}"));
        others.iter().for_each(|text| assert!(!dfa.matches(text), "{expression}: {text}"));
    }
}

#[test]
fn patterns_have_escapes_and_are_spelled_as_terms() {
    let dfa = wildcard(r"A\*b?\\*", str::to_lowercase).unwrap();
    for (text, expected) in [("a*bx\\", true), ("a*bx\\yz", true), ("a-bx\\", false), ("A*bx\\", false)] {
        assert_eq!(dfa.matches(text), expected, "{text}");
    }
    for literal in ["a.c", "(", "[x]", "a{2}", "^$", "#&-~<>", "\\d", "|+"] {
        let escaped: String = literal.chars().flat_map(|character| ['\\', character]).collect();
        let dfa = wildcard(&escaped, str::to_owned).unwrap();
        assert!(dfa.matches(literal) && !dfa.matches("abc") && !dfa.matches("aa"), "{literal}");
    }
}

#[test]
fn wrong_and_endless_patterns_are_refused() {
    for (expression, problem) in [
        ("(", "unclosed group"),
        ("[z-a]", "invalid character class range"),
        ("a{1000}{1000}", "too many states"),
        ("(a|b)*a(a|b){20}", "too many states"),
        (&"x".repeat(2_000), "has 2000 bytes, expected at most 1000"),
        (r"\bword\b", "word bound"),
    ] {
        let error = regex(expression).unwrap_err();
        assert!(error.to_lowercase().contains(problem), "{expression}: {error}");
    }
    let error = wildcard(&format!("*a{}", "?".repeat(40)), str::to_owned).unwrap_err();
    assert!(error.contains("too many states"), "{error}");
}

#[test]
fn similar_words_have_few_edits_by_their_length() {
    assert_eq!((similarity(6, 7, 0), similarity(4, 5, 1), similarity(2, 9, 1)), (1.0, 0.75, 0.5));
}

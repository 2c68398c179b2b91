//! Whatever is typed is a query, and says what was not understood.

use super::super::QueryParser;
use super::{parser, schema};
use crate::query::{Match, Query};
use proptest::prelude::*;

#[test]
fn what_has_no_meaning_is_searched_for_as_words() {
    let words = |text: &str| Query::from(Match::new("title", text));
    for (typed, expected, warned) in [
        ("text editor", words("text editor"), None),
        ("C++ (draft", words("C++ draft"), Some("this parenthesis is not closed")),
        ("\"text editor", words("text editor"), Some("this quote is not closed")),
        ("text editor)", words("text editor"), Some("expected a term or the end")),
        ("text AND", words("text"), Some("expected a term, found the end")),
        ("OR text", words("text"), Some("expected a term")),
        ("nope:vim", words("nope vim"), Some("no field \"nope\"")),
        ("size:large", words("size large"), Some("expected a whole number")),
        ("editor^^2 vim", words("editor  2 vim"), Some("expected a number of at least 0")),
        ("vim~9", words("vim 9"), Some("expected 0, 1 or 2 edits")),
        ("{\"all\": {}}", words("all"), Some("expected a field")),
        ("a:b:[", words("a b"), Some("no field")),
    ] {
        let lenient = parser().parse_lenient(typed);
        let spaced = |query: &Query| match query {
            Query::Match(words) => words.text.split_whitespace().collect::<Vec<_>>().join(" "),
            other => panic!("{typed}: {other:?}"),
        };
        assert_eq!(spaced(&lenient.query), spaced(&expected), "{typed}: {:?}", lenient.warnings);
        match warned {
            None => assert!(lenient.warnings.is_empty(), "{typed}"),
            Some(warned) => assert!(lenient.warnings[0].contains(warned), "{typed}: {:?}", lenient.warnings),
        }
    }
    // What is understood stays what it is.
    let lenient = parser().parse_lenient("+vim section:editors (nano");
    assert!(lenient.query.to_json().contains("editors") && lenient.query.to_json().contains("must"));
    for nothing in ["", "  ", "()", "AND", "\"", "((((("] {
        assert_eq!(parser().parse_lenient(nothing).query, Query::none(), "{nothing}");
    }
    assert_eq!(parser().default_field("nope").parse_lenient("vim").query, Query::none());
}

#[test]
fn words_without_a_field_are_searched_in_several() {
    let parser = QueryParser::new(&schema()).default_fields(["title^3", "body"]);
    let json = |text: &str| parser.parse_query(text).unwrap().to_json();
    assert_eq!(
        json("text editor"),
        r#"{"multi_match":{"text":"text editor","fields":["title^3","body"],"type":"best_fields","tie_breaker":0.0,"operator":"or"}}"#
    );
    let phrase = json("+\"a b\"~2 size:7");
    assert!(phrase.contains(r#"{"dis_max":{"queries":[{"boost":{"query":{"phrase":{"field":"title","text":"a b","slop":2}},"boost":3.0}},{"phrase":{"field":"body","#), "{phrase}");
    for text in ["ed*", "e*d", "/ed/", "edtor~", "(edtor~1 b)^2", "body:x y", "title:x"] {
        let query = parser.parse_query(text).unwrap();
        assert_eq!(Query::from_json(&query.to_json()).unwrap(), query, "{text}");
        assert!(!query.to_json().contains("\\u0000"), "{text}: {}", query.to_json());
    }
    let error = parser.clone().default_fields(["title", "size"]).parse("x").unwrap_err().to_string();
    assert!(error.contains("only text fields may be several default fields"), "{error}");
}

proptest! {
    #[test]
    fn every_text_is_a_query(text in "\\PC{0,60}", signs in "[-+(){}\\[\\]\"~^*?:/\\\\ aA1<>=&|!]{0,40}") {
        for typed in [&text, &signs] {
            let lenient = parser().default_fields(["title^2", "body"]).parse_lenient(typed);
            prop_assert!(!lenient.query.to_json().contains("\\u0000"));
        }
    }
}

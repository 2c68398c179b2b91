use super::super::{Syntax, syntax_of};
use super::{parser, schema};
use crate::query::parse::QueryParser;
use crate::schema::Schema;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn the_syntax_is_detected_from_the_text() {
    for (text, expected) in [
        ("title:editor", Syntax::Lucene),
        ("{!knn f=v}[1]", Syntax::Solr),
        (" {\"all\":{}}", Syntax::Json),
        ("*=>[KNN 3 @v $q]", Syntax::Redis),
        ("(*) => [KNN 3 @v $q]", Syntax::Redis),
        ("@size:[1 2]", Syntax::Redis),
        ("-(@size:[1 2])", Syntax::Redis),
        ("title:\"=>[KNN\"", Syntax::Lucene),
        ("a=>b", Syntax::Lucene),
        ("mail@example.org", Syntax::Lucene),
        ("@ home:x", Syntax::Lucene),
    ] {
        assert_eq!(syntax_of(text), expected, "{text}");
    }
}

#[test]
fn words_alone_are_searched_in_the_default_field() {
    let parse = |parser: &QueryParser, text: &str| parser.parse_query(text).map(|query| query.to_json());
    let body = parser().default_field("body");
    assert_eq!(parse(&body, "a").unwrap(), r#"{"match":{"field":"body","text":"a","operator":"or"}}"#);
    let section = parser().default_field("section");
    assert_eq!(parse(&section, "a").unwrap(), r#"{"term":{"field":"section","value":"a"}}"#);
    let error = parse(&parser().default_field("nope"), "a").unwrap_err().to_string();
    assert!(error.contains("no field \"nope\""), "{error}");
    let error = parse(&parser().default_field("vector"), "a").unwrap_err().to_string();
    assert!(error.contains("choose another default field"), "{error}");
    let without = QueryParser::new(&Schema::builder().key("id").i64("size").build().unwrap());
    let error = parse(&without, "id:1 OR word").unwrap_err().to_string();
    assert!(error.contains("the schema has no text field for words alone (character 9)"), "{error}");
    parse(&without, "id:1 OR size:2").unwrap();
    assert!(parse(&without, "@size:[1 2] word").unwrap_err().to_string().contains("expected @field:"));
}

#[test]
fn values_of_undeclared_fields_are_read_by_their_look() {
    let schema = Schema::builder().key("id").dynamic(true).build().unwrap();
    let parser = QueryParser::new(&schema);
    for (text, value) in [
        ("x:5", json!(5)),
        ("x:1.5", json!(1.5)),
        ("x:true", json!(true)),
        ("x:\"5\"", json!("5")),
        ("x:\\5", json!("5")),
        ("x:vim", json!("vim")),
    ] {
        let query = serde_json::to_value(parser.parse_query(text).unwrap()).unwrap();
        assert_eq!(query, json!({ "term": { "field": "x", "value": value } }), "{text}");
    }
}

/// What queries are made of.
const PIECES: [&str; 50] = [
    "a",
    "AND",
    "OR",
    "NOT",
    "&&",
    "||",
    "!",
    "+",
    "-",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "~2",
    "^2",
    "title:",
    "size:",
    "section:",
    "vector:",
    "made:",
    "nope:",
    "*",
    "*:*",
    "10",
    "TO",
    ">=",
    "<",
    "\\",
    " ",
    "  ",
    "@size:",
    "@section:",
    "@title:",
    "{a|b}",
    "[1 2]",
    "[(1 inf]",
    "|",
    "=>",
    "[KNN 3 @vector $v]",
    "$b",
    "AS s",
    "{!knn f=vector topK=3}",
    "[1,2,3,4]",
    "編",
    "\n",
    "\u{0}",
    ":",
];

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = parser().parse(&text);
    }

    #[test]
    fn what_is_accepted_reads_back_and_what_is_refused_says_where(text in pieces()) {
        match parser().parse(&text) {
            Ok(search) => {
                let again = crate::query::Search::from_json(&search.to_json());
                // JSON nests less deep than queries may.
                if !again.as_ref().is_err_and(|error| error.to_string().contains("recursion limit")) {
                    prop_assert_eq!(again.unwrap(), search);
                }
            }
            Err(error) => {
                let error = error.to_string();
                prop_assert!(error.contains("character") && error.ends_with('^'), "{}", error);
            }
        }
    }

    #[test]
    fn a_value_that_is_escaped_is_that_value(value in "\\PC{1,20}") {
        let escaped: String = value.chars().flat_map(|char| ['\\', char]).collect();
        let query = QueryParser::new(&schema()).parse_query(&format!("section:{escaped}")).unwrap();
        prop_assert_eq!(query, crate::query::Term::new("section", value).into());
    }
}

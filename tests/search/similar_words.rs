//! Words with typing errors, wildcards and regular expressions: in every kind of field, typed and in JSON, and how they
//! score.

use crate::common::documents::in_memory;
use lucerne::analysis::{Language, TextAnalysis};
use lucerne::merge::MergePolicy;
use lucerne::query::{Fuzziness, QueryParser};
use lucerne::schema::{Field, Text};
use lucerne::{
    Document, Fuzzy, Match, Query, Regex, Schema, Search, Searcher, Value, Wildcard, WriterOptions,
};

fn searcher() -> Searcher {
    let stems = Text::new().analysis(TextAnalysis::new().stemmer(Language::English).fold());
    let schema = Schema::builder().key("id").text("title").field(Field::text_with("stems", stems));
    let schema = schema.keyword("section").i64("size").dynamic(true).build().unwrap();
    let (_, index) = in_memory(schema);
    let options = WriterOptions::new().threads(1).flush_docs(2).merge_policy(MergePolicy::None);
    let writer = index.writer_with(options).unwrap();
    for (id, title, section) in [
        ("alpha", "Text editor for programmers", "editors"),
        ("beta", "editors and editor, an editor", "Editors"),
        ("gamma", "credit edit 東京タワー résumé", "games"),
        ("delta", "a*b c?d 8.2 bearbeiten", "web/devel"),
        ("epsilon", "edtior", "a*b"),
    ] {
        let document = Document::new().with("id", id).with("title", title).with("stems", title);
        let document = document.with("section", section).with("extra", section).with("size", 7);
        writer.add(&document.with("none", Value::Null)).unwrap();
    }
    writer.close().unwrap();
    index.searcher().unwrap()
}

#[track_caller]
fn found(searcher: &Searcher, query: impl Into<Query>) -> Vec<String> {
    let hits = searcher.search(Search::new(query.into()).limit(100)).unwrap();
    let mut keys: Vec<String> = hits.keys().into_iter().map(str::to_owned).collect();
    keys.sort();
    keys
}

#[track_caller]
fn typed(searcher: &Searcher, text: &str) -> Vec<String> {
    let parsed = QueryParser::new(searcher.schema()).parse_query(text);
    let query = parsed.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(Query::from_json(&query.to_json()).unwrap(), query, "{text}");
    found(searcher, query)
}

#[test]
fn a_fuzzy_word_finds_words_some_edits_away() {
    let searcher = searcher();
    let one = |word: &str| Fuzzy::new("title", word).edits(1);
    assert_eq!(found(&searcher, one("editor")), ["alpha", "beta", "epsilon"]);
    assert_eq!(found(&searcher, one("editor").transpositions(false)), ["alpha", "beta"]);
    assert_eq!(found(&searcher, one("Edotor")), ["alpha", "beta"]);
    assert_eq!(found(&searcher, Fuzzy::new("title", "credto")), ["gamma"], "two edits by its length");
    assert_eq!(found(&searcher, Fuzzy::new("title", "edt")), ["gamma"], "one edit by its length");
    assert!(found(&searcher, Fuzzy::new("title", "et")).is_empty(), "none by its length");
    assert_eq!(found(&searcher, one("credit").edits(2).prefix_length(1)), ["gamma"]);
    assert_eq!(found(&searcher, one("dit").edits(1)), ["gamma"]);
    assert!(found(&searcher, one("dit").prefix_length(1)).is_empty());
    // Both characters replaced: nothing of the word would be left.
    assert!(found(&searcher, one("zz").edits(2)).is_empty());
    assert_eq!(found(&searcher, one("8.1")), ["delta"]);
    // Several terms: each of them.
    assert_eq!(found(&searcher, Fuzzy::new("title", "text-editr")), ["alpha"]);
    assert_eq!(found(&searcher, Fuzzy::new("title", "東京タワー")), ["gamma"]);
    assert!(found(&searcher, Fuzzy::new("title", "…")).is_empty());
    // Stems are compared with stems, without accents.
    assert_eq!(found(&searcher, Fuzzy::new("stems", "progammer")), ["alpha"]);
    assert_eq!(found(&searcher, Fuzzy::new("stems", "resmué")), ["gamma"]);
}

#[test]
fn values_and_keys_are_found_by_what_is_like_them() {
    let searcher = searcher();
    for field in ["section", "extra"] {
        assert_eq!(found(&searcher, Fuzzy::new(field, "editros").edits(1)), ["alpha"], "{field}");
        assert_eq!(found(&searcher, Fuzzy::new(field, "editros")), ["alpha", "beta"], "{field}");
        assert_eq!(found(&searcher, Wildcard::new(field, "web/*")), ["delta"], "{field}");
        assert_eq!(found(&searcher, Wildcard::new(field, "?ditors")), ["alpha", "beta"], "{field}");
        assert_eq!(found(&searcher, Wildcard::new(field, r"a\*b")), ["epsilon"], "{field}");
        assert_eq!(
            found(&searcher, Regex::new(field, "(?i)EDITORS|games")),
            ["alpha", "beta", "gamma"],
            "{field}"
        );
    }
    assert_eq!(found(&searcher, Fuzzy::new("id", "alhpa")), ["alpha"]);
    assert_eq!(found(&searcher, Fuzzy::new("id", "eta").prefix_length(2)), Vec::<String>::new());
    assert_eq!(found(&searcher, Wildcard::new("id", "*ta")), ["beta", "delta"]);
    assert_eq!(found(&searcher, Regex::new("id", "[a-g].*")), ["alpha", "beta", "delta", "epsilon", "gamma"]);
    assert!(found(&searcher, Wildcard::new("nothing", "*")).is_empty());
    let hits = searcher.search(Wildcard::new("section", "*")).unwrap();
    assert!(hits.hits.iter().all(|hit| hit.score == 1.0));
    assert_eq!(searcher.search(Fuzzy::new("nothing", "x")).unwrap().unknown_fields, ["nothing"]);
}

#[test]
fn patterns_are_compared_with_terms_of_a_text() {
    let searcher = searcher();
    assert_eq!(found(&searcher, Wildcard::new("title", "ED*R")), ["alpha", "beta", "epsilon"]);
    assert_eq!(found(&searcher, Wildcard::new("title", "*edit*")), ["alpha", "beta", "gamma"]);
    assert_eq!(found(&searcher, Wildcard::new("title", "?dit")), ["gamma"]);
    assert_eq!(found(&searcher, Wildcard::new("stems", "R?SUM?")), Vec::<String>::new(), "the stem is resum");
    assert_eq!(found(&searcher, Wildcard::new("stems", "RÉSU*")), ["gamma"]);
    assert_eq!(found(&searcher, Wildcard::new("title", "東?")), ["gamma"]);
    assert_eq!(found(&searcher, Regex::new("title", "edit(or)?")), ["alpha", "beta", "gamma"]);
    assert_eq!(found(&searcher, Regex::new("title", "dit")), Vec::<String>::new(), "not within a term");
    assert_eq!(found(&searcher, Regex::new("title", r"\d\.\d")), ["delta"]);
}

#[test]
fn an_exact_word_scores_higher_than_a_rare_misspelling() {
    let searcher = searcher();
    let hits = searcher.search(Fuzzy::new("title", "editor").edits(1)).unwrap();
    assert_eq!(hits.keys()[0], "beta", "{hits:?}");
    let of = |key: &str| searcher.explain(Search::new(Fuzzy::new("title", "editor").edits(1)), key).unwrap();
    assert!(of("epsilon").to_string().contains("in 2 of 5 documents, weight 0.833"), "{}", of("epsilon"));
    // A word alone that only itself is like scores as the word does.
    let fuzzy = searcher.search(Fuzzy::new("title", "bearbeiten")).unwrap();
    let plain = searcher.search(Match::new("title", "bearbeiten")).unwrap();
    assert_eq!(fuzzy.hits, plain.hits);
    // With one expansion it is the nearest word only.
    assert_eq!(found(&searcher, Fuzzy::new("title", "editor").max_expansions(1)), ["alpha", "beta"]);
    assert_eq!(found(&searcher, Fuzzy::new("title", "edtior").max_expansions(1)), ["epsilon"]);
    let why = searcher.explain(Search::new(Fuzzy::new("title", "edtior")), "alpha").unwrap().to_string();
    assert!(why.contains(r#""editor" by BM25"#) && why.contains("weight 0.8"), "{why}");
    let not = searcher.explain(Search::new(Fuzzy::new("title", "edtior")), "delta").unwrap().to_string();
    assert!(not.contains(r#""editor" is not in it"#), "{not}");
}

#[test]
fn words_of_a_match_may_be_mistyped() {
    let searcher = searcher();
    let all = |text: &str| Match::all("title", text).fuzziness(Fuzziness::Auto);
    assert_eq!(found(&searcher, all("txet edtor")), ["alpha"]);
    assert_eq!(found(&searcher, all("txet edtor games")), Vec::<String>::new());
    let some = Match::new("title", "txet credti xyzw").fuzziness(1);
    assert_eq!(found(&searcher, some.clone()), ["alpha", "gamma"]);
    assert!(found(&searcher, some.minimum_should_match(2)).is_empty());
    let exact = Match::new("title", "editor").fuzziness(0);
    assert_eq!(found(&searcher, exact), ["alpha", "beta"]);
}

#[test]
fn they_are_typed_in_the_syntaxes_of_lucene_and_redis() {
    let searcher = searcher();
    for (text, expected) in [
        ("edtor~", &["alpha", "beta", "epsilon"][..]),
        ("edtor~1", &["alpha", "beta", "epsilon"]),
        ("title:edtor~1 AND for", &["alpha"]),
        ("section:editros~1", &["alpha"]),
        ("ed*r", &["alpha", "beta", "epsilon"]),
        ("e?it", &["gamma"]),
        ("*dit*", &["alpha", "beta", "gamma"]),
        ("id:*ta", &["beta", "delta"]),
        ("section:game?", &["gamma"]),
        (r"section:a\*b", &["epsilon"]),
        (r"section:?\*b", &["epsilon"]),
        ("/edit(or)?/ AND NOT for", &["beta", "gamma"]),
        (r"section:/web\/.+/", &["delta"]),
        ("(/t[e]xt/)^2 OR credit", &["alpha", "gamma"]),
        ("@title:%edtor%", &["alpha", "beta", "epsilon"]),
        ("@title:%%edto%%", &["alpha", "beta", "epsilon", "gamma"]),
        ("@title:*dit*", &["alpha", "beta", "gamma"]),
        ("@title:w'e?it'", &["gamma"]),
        ("@section:{*ditors}", &["alpha", "beta"]),
    ] {
        assert_eq!(typed(&searcher, text), expected, "{text}");
    }
    let parser = QueryParser::new(searcher.schema()).fuzziness(Fuzziness::Auto);
    let query = parser.parse_query("+txet -credti section:games").unwrap();
    assert_eq!(found(&searcher, query), ["alpha"]);
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    let searcher = searcher();
    for (query, problem) in [
        (Query::from(Fuzzy::new("title", "a").edits(3)), "3 edits, expected 0, 1, 2 or \"auto\""),
        (Match::new("title", "a").fuzziness(9).into(), "9 edits"),
        (Fuzzy::new("title", "a").max_expansions(0).into(), "max_expansions is 0, expected 1 to 1000"),
        (
            Fuzzy::new("size", "7").into(),
            "fuzzy queries work on text, keyword and key fields, it is of type i64",
        ),
        (Wildcard::new("size", "7*").into(), "wildcard queries work on text, keyword and key fields"),
        (Regex::new("size", "7").into(), "regex queries work on"),
        (Regex::new("title", "(").into(), "unclosed group"),
        (Regex::new("title", "(a|b)*a(a|b){20}").into(), "too many states"),
        (Wildcard::new("section", "x".repeat(1_001)).into(), "has 1001 bytes, expected at most 1000"),
        (Fuzzy::new("title", "x".repeat(300)).into(), "has 300 bytes"),
    ] {
        let error = searcher.search(&query).unwrap_err().to_string();
        assert!(error.contains(problem), "{query:?}: {error}");
    }
    for json in
        [r#"{"fuzzy": {"field": "t", "word": "a", "edits": "some"}}"#, r#"{"wildcard": {"field": "t"}}"#]
    {
        let error = Query::from_json(json).unwrap_err().to_string();
        assert!(
            error.contains("expected \"auto\", 0, 1 or 2") || error.contains("missing entry `pattern`"),
            "{error}"
        );
    }
    let read = Query::from_json(r#"{"fuzzy": {"field": "t", "word": "a", "edits": 1, "max_expansions": 7}}"#);
    assert_eq!(read.unwrap(), Fuzzy::new("t", "a").edits(1).max_expansions(7).into());
}

use super::assert_table;
use serde_json::{Value, json};

fn words(field: &str, text: &str) -> Value {
    json!({ "match": { "field": field, "text": text, "operator": "or" } })
}

fn all_words(field: &str, text: &str) -> Value {
    json!({ "match": { "field": field, "text": text, "operator": "and" } })
}

fn term(field: &str, value: impl Into<Value>) -> Value {
    json!({ "term": { "field": field, "value": value.into() } })
}

fn terms(field: &str, values: Value) -> Value {
    json!({ "terms": { "field": field, "values": values } })
}

fn range(field: &str, bounds: Value) -> Value {
    let mut range = json!({ "field": field });
    range.as_object_mut().unwrap().extend(bounds.as_object().unwrap().clone());
    json!({ "range": range })
}

fn phrase(field: &str, text: &str, slop: u32) -> Value {
    json!({ "phrase": { "field": field, "text": text, "slop": slop } })
}

fn pattern(field: &str, pattern: &str) -> Value {
    json!({ "wildcard": { "field": field, "pattern": pattern } })
}

fn not(query: Value) -> Value {
    json!({ "bool": { "must_not": [query] } })
}

fn should(queries: Value) -> Value {
    json!({ "bool": { "should": queries } })
}

fn must(queries: Value) -> Value {
    json!({ "bool": { "must": queries } })
}

#[test]
fn terms_mean_what_their_field_holds() {
    assert_table([
        ("editor", words("title", "editor")),
        ("  text   editor ", words("title", "text editor")),
        ("*:*", json!({ "all": {} })),
        ("*", json!({ "all": {} })),
        ("title:editor", words("title", "editor")),
        ("title: editor", words("title", "editor")),
        ("body:(a b)", words("body", "a b")),
        ("\"text editor\"", phrase("title", "text editor", 0)),
        ("title:\"text editor\"~2", phrase("title", "text editor", 2)),
        (r#"title:"say \"a\" \\ b""#, phrase("title", r#"say "a" \ b"#, 0)),
        ("what is vim?", words("title", "what is vim?")),
        (r"app\?e", words("title", "app?e")),
        ("\"app?e\"", phrase("title", "app?e", 0)),
        ("section:\"a?b\"", term("section", "a?b")),
        ("/usr/bin", words("title", "/usr/bin")),
        (r"\/re\/", words("title", "/re/")),
        ("either/or", words("title", "either/or")),
        ("section:python", term("section", "python")),
        ("section:\"web devel\"", term("section", "web devel")),
        ("section:12", term("section", "12")),
        ("id:7", term("id", "7")),
        ("id:(1 2 3)", terms("id", json!(["1", "2", "3"]))),
        ("id:1 OR id:2 || id:3", terms("id", json!(["1", "2", "3"]))),
        ("tags:(a AND b)", must(json!([term("tags", "a"), term("tags", "b")]))),
        ("size:10", term("size", 10)),
        ("size:-10", term("size", -10)),
        ("size:1e3", term("size", 1000)),
        ("size:\"10\"", term("size", 10)),
        ("size:(1 2)", terms("size", json!([1, 2]))),
        ("price:10", term("price", 10)),
        ("price:-1.5", term("price", -1.5)),
        ("free:true", term("free", true)),
        ("made:2024-01-01", term("made", "2024-01-01")),
        ("made:2024-01-01T10:00:00Z", term("made", "2024-01-01T10:00:00Z")),
        ("title:pre*", json!({ "prefix": { "field": "title", "prefix": "pre" } })),
        ("title:Pre*", json!({ "prefix": { "field": "title", "prefix": "Pre" } })),
        ("title:\"text Ed\"*", json!({ "prefix": { "field": "title", "prefix": "text Ed" } })),
        (
            "\"text ed\"* section:\"a b\"*",
            should(json!([
            { "prefix": { "field": "title", "prefix": "text ed" } },
            { "prefix": { "field": "section", "prefix": "a b" } }])),
        ),
        ("section:Pre*", json!({ "prefix": { "field": "section", "prefix": "Pre" } })),
        ("title:Pre*x", pattern("title", "Pre*x")),
        ("*apple", pattern("title", "*apple")),
        ("?pple", pattern("title", "?pple")),
        ("app?e what?", should(json!([pattern("title", "app?e"), words("title", "what?")]))),
        ("title:(red app?*)", should(json!([words("title", "red"), pattern("title", "app?*")]))),
        ("section:Frui?", pattern("section", "Frui?")),
        (r"section:a\*b*c\?\:", pattern("section", r"a\*b*c\?\:")),
        (r"section:a**", pattern("section", "a**")),
        (r"section:a\**", json!({ "prefix": { "field": "section", "prefix": "a*" } })),
        ("/jo(hn|an)/", json!({ "regex": { "field": "title", "pattern": "jo(hn|an)" } })),
        (r"section:/web\/[a-z]+/", json!({ "regex": { "field": "section", "pattern": "web/[a-z]+" } })),
        ("/usr/bin/", words("title", "/usr/bin/")),
        ("editr~", json!({ "fuzzy": { "field": "title", "word": "editr", "edits": "auto" } })),
        ("section:editr~2", json!({ "fuzzy": { "field": "section", "word": "editr", "edits": 2 } })),
        ("vector:*", json!({ "exists": { "field": "vector" } })),
        ("size:*", json!({ "exists": { "field": "size" } })),
        ("body:(*)", json!({ "exists": { "field": "body" } })),
    ]);
}

#[test]
fn escapes_and_signs_within_words() {
    assert_table([
        (r"section:a\:b\ c", term("section", "a:b c")),
        (r"section:\*", term("section", "*")),
        (r"section:pre\**", json!({ "prefix": { "field": "section", "prefix": "pre*" } })),
        (r"section:a\\b", term("section", r"a\b")),
        (r"section:\(a\)", term("section", "(a)")),
        ("section:a-b+c!", term("section", "a-b+c!")),
        ("section:-a", term("section", "-a")),
        ("e-mail c++ what? R&D", words("title", "e-mail c++ what? R&D")),
        (r"\AND \+a", words("title", "AND +a")),
        ("and or not TO", words("title", "and or not TO")),
        ("ORacle ANDy NOTe", words("title", "ORacle ANDy NOTe")),
        ("größe 編集", words("title", "größe 編集")),
    ]);
}

#[test]
fn ranges_have_their_bounds_or_not() {
    assert_table([
        ("size:[10 TO 20]", range("size", json!({ "gte": 10, "lte": 20 }))),
        ("size:{10 TO 20}", range("size", json!({ "gt": 10, "lt": 20 }))),
        ("size:[10 TO 20}", range("size", json!({ "gte": 10, "lt": 20 }))),
        ("size:{10 TO 20]", range("size", json!({ "gt": 10, "lte": 20 }))),
        ("size:[* TO 5000]", range("size", json!({ "lte": 5000 }))),
        ("size:[ -5  TO  * ]", range("size", json!({ "gte": -5 }))),
        ("size:[* TO *]", range("size", json!({}))),
        ("size:>=10", range("size", json!({ "gte": 10 }))),
        ("size:> 10", range("size", json!({ "gt": 10 }))),
        ("price:<=1.5", range("price", json!({ "lte": 1.5 }))),
        ("price:<2", range("price", json!({ "lt": 2 }))),
        ("section:[a TO \"b c\"]", range("section", json!({ "gte": "a", "lte": "b c" }))),
        ("id:{a TO *]", range("id", json!({ "gt": "a" }))),
        (
            "made:[2024-01-01 TO 2024-06-30T12:00:00Z}",
            range("made", json!({ "gte": "2024-01-01", "lt": "2024-06-30T12:00:00Z" })),
        ),
        ("made:>=2024-01-01T00:00:00+02:00", range("made", json!({ "gte": "2024-01-01T00:00:00+02:00" }))),
    ]);
}

#[test]
fn and_binds_tighter_than_or() {
    let (a, b, c) = (|| term("section", "a"), || term("size", 1), || term("tags", "c"));
    assert_table([
        ("section:a AND size:1", must(json!([a(), b()]))),
        ("section:a && size:1", must(json!([a(), b()]))),
        ("section:a OR size:1", should(json!([a(), b()]))),
        ("section:a||size:1", term("section", "a||size:1")),
        ("section:a || size:1", should(json!([a(), b()]))),
        ("section:a size:1", should(json!([a(), b()]))),
        ("section:a OR size:1 AND tags:c", should(json!([a(), must(json!([b(), c()]))]))),
        ("section:a AND size:1 OR tags:c", should(json!([must(json!([a(), b()])), c()]))),
        ("section:a AND (size:1 OR tags:c)", must(json!([a(), should(json!([b(), c()]))]))),
        ("((section:a))", a()),
        ("text AND editor", all_words("title", "text editor")),
        ("text OR editor", words("title", "text editor")),
        ("text AND editor AND size:1", must(json!([all_words("title", "text editor"), b()]))),
        (
            "title:editor AND size:[* TO 5000]",
            must(json!([all_words("title", "editor"), range("size", json!({ "lte": 5000 }))])),
        ),
        ("(text editor) AND size:1", must(json!([words("title", "text editor"), b()]))),
        ("title:(text section:a)", should(json!([words("title", "text"), a()]))),
    ]);
}

#[test]
fn signs_say_what_must_and_must_not_match() {
    let (a, b) = (|| term("section", "a"), || term("size", 1));
    assert_table([
        ("+section:a", a()),
        ("NOT section:a", not(a())),
        ("!section:a", not(a())),
        ("! section:a", not(a())),
        ("-section:a", not(a())),
        ("-(section:a size:1)", not(should(json!([a(), b()])))),
        ("+section:a -size:1", json!({ "bool": { "must": [a()], "must_not": [b()] } })),
        ("+section:a size:1", json!({ "bool": { "must": [a()], "should": [b()] } })),
        ("section:a NOT size:1", json!({ "bool": { "should": [a()], "must_not": [b()] } })),
        ("section:a AND NOT size:1", json!({ "bool": { "must": [a()], "must_not": [b()] } })),
        ("section:a AND -size:1", json!({ "bool": { "must": [a()], "must_not": [b()] } })),
        ("section:a OR NOT size:1", should(json!([a(), not(b())]))),
        ("NOT section:a OR size:1", should(json!([not(a()), b()]))),
        (
            "+text +editor -vi",
            json!({ "bool": {
            "must": [all_words("title", "text editor")], "must_not": [words("title", "vi")] } }),
        ),
    ]);
}

#[test]
fn boosts_multiply() {
    let boost = |query: Value, boost: f32| json!({ "boost": { "query": query, "boost": boost } });
    assert_table([
        ("editor^2", boost(words("title", "editor"), 2.0)),
        ("title:\"a b\"~1^0.5", boost(phrase("title", "a b", 1), 0.5)),
        ("section:a^2 text", should(json!([boost(term("section", "a"), 2.0), words("title", "text")]))),
        ("(a b)^3", boost(words("title", "a b"), 3.0)),
        ("title:(a b)^3", boost(words("title", "a b"), 3.0)),
        ("size:[1 TO 2]^4", boost(range("size", json!({ "gte": 1, "lte": 2 })), 4.0)),
    ]);
}

//! `alter`.

use crate::support::{Place, documents, run};

/// The schema of [`Place::small`] with these changes: more options of `e`, and more fields.
fn schema(options: &str, fields: &str) -> String {
    format!(
        r#"{{ "key": "name", "fields": [
            {{ "name": "size", "type": "i64" }},
            {{ "name": "e", "type": "vector", "dimension": 2, "similarity": "euclidean"{options} }}{fields} ] }}"#
    )
}

#[test]
fn a_field_is_added_to_an_index_with_documents() {
    let place = Place::small();
    place.import(&documents(20), "").expect(0);
    place.write("next.json", schema("", r#", { "name": "tag", "type": "keyword" }"#));
    let dry = place.run("alter @ --schema next.json --dry-run").expect(0);
    assert!(dry.out.contains("added tag (keyword)") && dry.out.contains("Nothing was changed"), "{dry:?}");
    place.run("search @ --query tag:x").expect(2);

    let ran = place.run("alter @ --schema next.json").expect(0);
    assert!(ran.out.contains("added tag (keyword)") && ran.out.contains("(generation 3)"), "{ran:?}");
    place.import("{\"name\":\"new\",\"tag\":\"x\",\"e\":[1,1]}", "").expect(0);
    let found = place.run("search @ --query tag:x --json").expect(0).json();
    assert_eq!(found["hits"][0]["key"], "new");
    assert_eq!(place.docs(), 21);
    place.run("check @").expect(0);

    let same = place.run("alter @ --schema next.json --json").expect(0).json();
    assert_eq!((&same["added"], &same["changed"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert_eq!(same["generation"], 4, "nothing to commit");
}

#[test]
fn the_schema_that_inspect_prints_can_be_edited() {
    let place = Place::small();
    let printed = place.run("inspect @ schema --json").expect(0).out;
    place.write("printed.json", printed.replace("\"index\":\"hnsw\"", "\"index\":\"flat\""));
    let ran = place.run("alter @ --schema printed.json --json").expect(0).json();
    let expected = serde_json::json!([{ "field": "e", "option": "index", "old": "hnsw", "new": "flat" }]);
    assert_eq!((&ran["changed"], &ran["added"]), (&expected, &serde_json::json!([])));
    let piped = run(place.command("alter @ --schema -").write_stdin(printed)).expect(0);
    assert!(piped.out.contains("changed e: index flat -> hnsw"), "{piped:?}");
}

#[test]
fn synonyms_come_from_a_file_and_may_change() {
    let schema =
        r#"{ "key": "name", "fields": [{ "name": "t", "type": "text" }, { "name": "n", "type": "i64" }] }"#;
    let place = Place::with_schema(schema);
    place.import("{\"name\":\"a\",\"t\":\"a television\"}", "").expect(0);
    place.run("search @ --query t:tv").expect(1);
    place.write("rules.txt", "# of shops\n\ntv, television\nlaptop => notebook\n");
    let ran = place.run("alter @ --synonyms t=rules.txt").expect(0);
    assert!(ran.out.contains("changed t: synonyms"), "{ran:?}");
    let found = place.run("search @ --query t:tv --highlight t --explain --json").expect(0).json();
    assert_eq!(found["hits"][0]["highlights"]["t"][0], "a [television]", "{found}");
    assert!(found.to_string().contains("as one word by BM25"), "{found}");

    for (rules, problem) in [("tv", "one word only"), ("tv => tv", "itself"), ("a => b\nb => a", "a circle")]
    {
        place.write("wrong.txt", rules);
        let ran = place.run("alter @ --synonyms t=wrong.txt").expect(2);
        assert!(ran.err.contains(problem), "{ran:?}");
    }
    let ran = place.run("alter @ --synonyms n=rules.txt").expect(2);
    assert!(ran.err.contains("unknown option \"synonyms\""), "{ran:?}");
    let ran = place.run("alter @ --synonyms x=rules.txt").expect(2);
    assert!(ran.err.contains("no field \"x\""), "{ran:?}");
    place.write("none.txt", "");
    let removed = place.run("alter @ --synonyms t=none.txt").expect(0).err;
    assert!(
        removed.contains("none.txt has no rules: all") && removed.contains("of t are removed"),
        "{removed}"
    );
    place.run("search @ --query t:tv").expect(1);
}

#[test]
fn what_never_changes_is_refused_and_named() {
    let place = Place::small();
    place.import(&documents(3), "").expect(0);
    let whole = schema("", "");
    for (next, expected) in [
        (
            whole.replace("\"key\": \"name\"", "\"key\": \"id\""),
            "the key field cannot change; it is \"name\"",
        ),
        (
            whole.replace("\"size\"", "\"length\""),
            "field \"size\": it is missing; a field is never removed or renamed",
        ),
        (
            whole.replace(
                "{ \"name\": \"size\"",
                "{ \"name\": \"tag\", \"type\": \"keyword\" }, { \"name\": \"size\"",
            ),
            "field \"size\": it is field 1 of the index, given as field 2; fields keep their order",
        ),
        (whole.replace("i64", "f64"), "field \"size\": its type is i64, given f64"),
        (
            whole.replace("\"i64\"", "\"i64\", \"indexed\": false"),
            "its option `indexed` is true, given false",
        ),
        (whole.replace("\"i64\"", "\"i64\", \"stored\": false"), "its option `stored` is true, given false"),
        (whole.replace("\"i64\"", "\"i64\", \"path\": \"$.a.b\""), "its path is size, given $.a.b"),
        (whole.replace("\"dimension\": 2", "\"dimension\": 3"), "field \"e\": its dimension is 2, given 3"),
        (whole.replace("euclidean", "cosine"), "field \"e\": its similarity is euclidean, given cosine"),
        (schema(", \"format\": \"no_such_format\"", ""), "no_such_format"),
        ("[]".to_owned(), "next.json"),
        ("{".to_owned(), "next.json"),
    ] {
        place.write("next.json", &next);
        let ran = place.run("alter @ --schema next.json").expect(2);
        assert!(ran.err.contains(expected) && ran.err.contains("hint: "), "{next}: {ran:?}");
    }
    let schema = place.run("inspect @ --json").expect(0).json();
    assert_eq!(schema["generation"], 2, "nothing was changed");
    place.run("alter @ --schema nothing.json").expect(3);
    place.run("alter nothing.idx --schema next.json").expect(3);
}

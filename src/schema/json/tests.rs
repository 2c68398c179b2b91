use super::*;

const DESIGN: &str = r#"{ "key": "name", "dynamic": true,
  "fields": [
    { "name": "description", "type": "text" },
    { "name": "section", "type": "keyword" },
    { "name": "size", "type": "i64" },
    { "name": "embedding", "type": "vector", "dimension": 384, "similarity": "cosine" } ] }"#;

fn refused(text: &str) -> String {
    Schema::from_json(text).unwrap_err().to_string()
}

fn refused_field(field: &str) -> String {
    refused(&format!(r#"{{"fields": [{field}]}}"#))
}

#[test]
fn the_schema_file_declares_what_the_builder_declares() {
    let built = Schema::builder()
        .key("name")
        .dynamic(true)
        .text("description")
        .keyword("section")
        .i64("size")
        .vector("embedding", Vector::f32(384).similarity(Similarity::Cosine))
        .build()
        .unwrap();
    assert_eq!(Schema::from_json(DESIGN).unwrap(), built);
}

#[test]
fn a_schema_round_trips_and_says_what_was_chosen() {
    let schema = Schema::from_json(DESIGN).unwrap();
    let json = schema.to_json();
    assert_eq!(json["key"], "name");
    let expected = json!({"name": "embedding", "type": "vector", "dimension": 384, "similarity": "cosine",
        "index": "hnsw", "quantization": "int8"});
    assert_eq!(json["fields"][3], expected);
    assert_eq!(Schema::from_value(&json).unwrap(), schema);
    assert_eq!(Schema::from_json(&json.to_string()).unwrap().to_json(), json);
}

#[test]
fn every_option_round_trips() {
    let schema = Schema::builder()
        .auto_key("pk")
        .key_max_len(100)
        .field(Field::text("t").indexed(false))
        .field(Field::f64("f").stored(false))
        .bool("b")
        .date("d")
        .vector(
            "v1",
            Vector::f32(4).similarity(Similarity::DotProduct).normalize_on_write().m(8).beam_width(40),
        )
        .vector("v2", Vector::f32(4).flat().quantization(Quantization::None).stored(false))
        .vector("v3", Vector::f32(4).indexed(false))
        .vector("v4", Vector::f32(4).format("toy").param("x", json!({"y": [1.5]})))
        .build()
        .unwrap();
    let json = schema.to_json();
    assert_eq!(json["key"], json!({"name": "pk", "auto": true, "max_length": 100}));
    assert_eq!(Schema::from_value(&json).unwrap(), schema);
}

#[test]
fn keys_are_declared_by_name_or_with_options() {
    let key = |text| Schema::from_json(text).unwrap().key().clone();
    let given = key(r#"{"key": {"name": "id", "max_length": 100}}"#);
    assert_eq!((given.name(), given.is_automatic(), given.max_len()), ("id", false, 100));
    let automatic = key(r#"{"key": {"auto": true}}"#);
    assert_eq!((automatic.name(), automatic.is_automatic()), ("id", true));
    assert_eq!(key("{}"), automatic);
    assert!(refused(r#"{"key": {}}"#).contains("no name"));
    assert!(refused(r#"{"key": 7}"#).contains("expected an object"));
    let error = refused(r#"{"key": {"name": "id", "size": 3}}"#);
    assert!(
        error.contains(r#"unknown option of the key "size"; accepted: name, auto, max_length"#),
        "{error}"
    );
}

#[test]
fn a_missing_or_impossible_dimension_is_refused_by_name() {
    for (dimension, given) in [
        ("", "missing"),
        (r#", "dimension": 0"#, "is 0"),
        (r#", "dimension": 4097"#, "is 4097"),
        (r#", "dimension": -3"#, "is -3"),
        (r#", "dimension": "4""#, "is \"4\""),
        (r#", "dimension": 4.5"#, "is 4.5"),
    ] {
        let error = refused_field(&format!(r#"{{"name": "e", "type": "vector"{dimension}}}"#));
        assert!(error.contains(r#"field "e""#) && error.contains(given), "{error}");
    }
}

#[test]
fn an_unknown_metric_lists_the_accepted_ones() {
    let field = |of: &str, name: &str| {
        format!(r#"{{"name": "e", "type": "{of}", "dimension": 8, "similarity": "{name}"}}"#)
    };
    for of in ["vector", "binary_vector"] {
        let error = refused_field(&field(of, "manhattan"));
        assert!(
            error.contains("euclidean, dot_product, cosine, max_inner_product, hamming, jaccard"),
            "{error}"
        );
    }
    for similarity in Similarity::ALL {
        let of = if Similarity::BINARY.contains(&similarity) { "binary_vector" } else { "vector" };
        let field = field(of, similarity.name());
        let schema = Schema::from_json(&format!(r#"{{"fields": [{field}]}}"#)).unwrap();
        assert_eq!(schema.vector_field_info("e").unwrap().similarity, similarity);
    }
}

#[test]
fn unknown_keys_types_and_options_are_refused_with_the_accepted_ones() {
    let error = refused(r#"{"keys": "id"}"#);
    assert_eq!(error, r#"schema: unknown key "keys"; accepted: key, dynamic, fields"#);
    let error = refused_field(r#"{"name": "t", "type": "text", "store": true}"#);
    assert!(error.starts_with(r#"schema: field "t": unknown option `store`, expected"#), "{error}");
    let error = refused_field(r#"{"name": "n", "type": "i64", "store": true}"#);
    assert!(
        error.contains(r#"unknown option "store"; accepted: name, type, indexed, stored, path"#),
        "{error}"
    );
    let error = refused_field(r#"{"name": "t", "type": "string"}"#);
    assert!(error.contains(TYPES), "{error}");
    let error = refused_field(r#"{"name": "b", "type": "binary_vector", "dimension": 12}"#);
    assert!(error.contains("multiple of 8"), "{error}");
    for (option, accepted) in [
        (r#""index": "pq""#, "one of hnsw, flat, ivf"),
        (r#""quantization": "int4""#, "one of int8, none"),
        (r#""normalize": true"#, "one of on_write"),
        (r#""format": 3"#, "a string"),
        (r#""stored": "no""#, "true or false"),
    ] {
        let error = refused_field(&format!(r#"{{"name": "e", "type": "vector", "dimension": 4, {option}}}"#));
        assert!(error.contains(accepted), "{error}");
    }
}

#[test]
fn what_is_not_a_schema_is_refused_without_a_panic() {
    for (text, expected) in [
        ("", "not JSON"),
        ("[]", "expected an object"),
        (r#"{"fields": {}}"#, "a list of fields"),
        (r#"{"fields": [7]}"#, "expected an object"),
        (r#"{"fields": [{"type": "text"}]}"#, r#"field "#),
        (r#"{"fields": [{"name": "a"}]}"#, "no type"),
        (r#"{"dynamic": 1}"#, "true or false"),
    ] {
        let error = refused(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn parameters_of_the_format_are_handed_on_unread() {
    let schema = Schema::from_json(
        r#"{"fields": [{"name": "e", "type": "vector", "dimension": 4, "m": 8, "beam_width": 40}]}"#,
    );
    let info = schema.unwrap().vector_field_info("e").unwrap();
    assert_eq!(serde_json::Value::from(info.params), json!({"m": 8, "beam_width": 40}));
}

#[test]
fn rules_of_synonyms_round_trip_and_wrong_ones_are_refused() {
    let rules = ["tv, television", "laptop => notebook"];
    let built = Schema::builder().field(Field::text_with("t", Text::new().synonyms(rules))).build().unwrap();
    assert_eq!(built.to_json()["fields"][0]["synonyms"], json!(rules));
    assert_eq!(Schema::from_value(&built.to_json()).unwrap(), built);
    let with =
        |rules: &str| refused_field(&format!(r#"{{"name": "t", "type": "text", "synonyms": {rules}}}"#));
    assert!(with(r#""tv, television""#).contains("not a list of rules"));
    assert!(with("[7]").contains("not a list of rules"));
    assert!(with(r#"["tv"]"#).contains("one word only"));
    assert!(with(r#"["tv,"]"#).contains("empty"));
}

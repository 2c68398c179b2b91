use super::*;
use crate::schema::{Vector, check_name};
use lucerne_codec::Similarity;
use proptest::prelude::*;
use serde_json::json;

fn schema(dynamic: bool) -> Schema {
    Schema::builder()
        .key("id")
        .key_max_len(8)
        .text("title")
        .keyword("tags")
        .i64("size")
        .f64("price")
        .bool("new")
        .date("day")
        .vector("e", Vector::f32(2))
        .field(Field::text("secret").stored(false))
        .dynamic(dynamic)
        .build()
        .unwrap()
}

fn check(json: serde_json::Value) -> Result<Validated> {
    validate(&schema(false), &FieldAnalyzers::default(), &Document::from_value(json).unwrap())
}

fn refused(json: serde_json::Value) -> String {
    let error = check(json).unwrap_err();
    assert!(matches!(error, Error::Document { .. }), "{error}");
    error.to_string()
}

fn bytes(components: &[f32]) -> Vec<u8> {
    lucerne_codec::io::bytes::from_f32s(components)
}

#[test]
fn a_document_that_fits_is_kept_as_it_was_given_vectors_apart() {
    let fields = json!({"title": "Vim", "id": "vim", "tags": ["a", "b"], "size": 12, "price": 3,
        "new": true, "day": "2024-02-29", "e": [1, 2.5], "secret": "x"});
    let validated = check(fields).unwrap();
    assert_eq!(validated.key.as_deref(), Some("vim"));
    let stored =
        r#"{"title":"Vim","id":"vim","tags":["a","b"],"size":12,"price":3,"new":true,"day":"2024-02-29"}"#;
    assert_eq!(std::str::from_utf8(&validated.stored).unwrap(), stored);
    assert_eq!(validated.vectors, [(6, bytes(&[1.0, 2.5]))]);
}

#[test]
fn any_field_but_the_key_may_be_absent_or_null() {
    for fields in [json!({"id": "a"}), json!({"id": "a", "title": null, "e": null, "size": null})] {
        let validated = check(fields).unwrap();
        assert_eq!((validated.stored.as_slice(), validated.vectors.len()), (&br#"{"id":"a"}"#[..], 0));
    }
}

#[test]
fn a_vector_of_another_length_is_refused_with_document_field_and_both_lengths() {
    let error = refused(json!({"id": "vim", "e": [1.0, 2.0, 3.0]}));
    assert_eq!(error, r#"document "vim": field "e": expected a vector of 2 components, given 3"#);
    assert!(refused(json!({"id": "vim", "e": []})).contains("2 components, given 0"));
}

#[test]
fn a_vector_that_is_not_a_unit_vector_is_refused_by_dot_product_unless_normalized() {
    let doc = Document::new().with("id", "a").with("e", [3.0, 4.0]);
    let vector = Vector::f32(2).similarity(Similarity::DotProduct);
    let strict = Schema::builder().key("id").vector("e", vector.clone()).build().unwrap();
    let error = validate(&strict, &FieldAnalyzers::default(), &doc).unwrap_err().to_string();
    assert!(error.contains("length 5, expected 1 ± 0.001"), "{error}");
    let lenient = Schema::builder().key("id").vector("e", vector.normalize_on_write()).build().unwrap();
    assert_eq!(
        validate(&lenient, &FieldAnalyzers::default(), &doc).unwrap().vectors,
        [(0, bytes(&[3.0, 4.0]))]
    );
}

#[test]
fn a_cosine_field_keeps_the_vector_bit_for_bit() {
    let vector = [-0.0f32, f32::MIN_POSITIVE / 3.0];
    let doc = Document::new().with("id", "a").with("e", vector);
    assert_eq!(
        validate(&schema(false), &FieldAnalyzers::default(), &doc).unwrap().vectors,
        [(6, bytes(&vector))]
    );
}

#[test]
fn a_field_that_is_neither_indexed_nor_stored_is_checked_and_dropped() {
    let vector = Vector::f32(2).indexed(false).stored(false);
    let schema = Schema::builder().key("id").vector("e", vector).build().unwrap();
    let doc = Document::new().with("id", "a");
    assert!(
        validate(&schema, &FieldAnalyzers::default(), &doc.clone().with("e", [1.0, 2.0]))
            .unwrap()
            .vectors
            .is_empty()
    );
    assert!(validate(&schema, &FieldAnalyzers::default(), &doc.with("e", [1.0])).is_err());
}

#[test]
fn a_key_is_a_string_that_is_neither_empty_nor_too_long() {
    assert!(refused(json!({})).contains(r#"key field "id" is missing"#));
    assert!(refused(json!({"id": null})).contains("missing"));
    assert!(refused(json!({"id": ""})).contains("empty"));
    assert!(refused(json!({"id": 7})).contains("expected a string (the key), given the number 7"));
    check(json!({"id": "12345678"})).unwrap();
    assert!(refused(json!({"id": "123456789"})).contains("has 9 bytes; at most 8 are allowed"));
    assert!(refused(json!({"id": "ååååå"})).contains("has 10 bytes"));
}

#[test]
fn automatic_keys_are_assigned_as_the_first_stored_field() {
    let schema = Schema::builder().auto_key("p\"k").text("t").build().unwrap();
    for (doc, stored) in [
        (Document::new().with("t", "x"), json!({"p\"k": "00000000000000000007", "t": "x"})),
        (Document::new(), json!({"p\"k": "00000000000000000007"})),
    ] {
        let mut validated = validate(&schema, &FieldAnalyzers::default(), &doc).unwrap();
        assert_eq!(validated.key, None);
        validated.assign_key(&schema, 7);
        assert_eq!(validated.key.as_deref(), Some("00000000000000000007"));
        assert_eq!(String::from_utf8(validated.stored).unwrap(), stored.to_string());
    }
    let given = |key: &str| validate(&schema, &FieldAnalyzers::default(), &Document::new().with("p\"k", key));
    assert_eq!(given("00000000000000000007").unwrap().key.as_deref(), Some("00000000000000000007"));
    assert!(given("7").unwrap_err().to_string().contains("keys are automatic"));
}

#[test]
fn undeclared_fields_are_refused_by_name_or_kept_when_the_schema_is_dynamic() {
    let fields = json!({"id": "a", "titel": {"x": [1, null]}, "n": [1.5, "b"], "none": null});
    let error = refused(fields.clone());
    assert!(error.contains(r#"field "titel" is not declared"#) && error.contains("title"), "{error}");
    let kept =
        validate(&schema(true), &FieldAnalyzers::default(), &Document::from_value(fields).unwrap()).unwrap();
    assert_eq!(kept.stored, br#"{"id":"a","titel":{"x":[1,null]},"n":[1.5,"b"]}"#);
    for bad in ["", "_score", "a\u{0}b"] {
        let doc = Document::new().with("id", "a").with(bad, 1);
        let error = validate(&schema(true), &FieldAnalyzers::default(), &doc).unwrap_err();
        assert!(
            matches!(error, Error::Document { problem: ValueProblem::BadFieldName { .. }, .. }),
            "{error}"
        );
    }
}

#[test]
fn values_of_another_type_are_refused_with_field_expectation_and_value() {
    for (field, bad, given) in [
        ("title", json!(7), "the number 7"),
        ("title", json!(["a", 7]), "the number 7 at position 1 of a list"),
        ("tags", json!(true), "true"),
        ("tags", json!(["a", null]), "null at position 1 of a list"),
        ("tags", json!([["a"]]), "a list of 1 (the string \"a\", …) at position 0 of a list"),
        ("size", json!(1.5), "the number 1.5"),
        ("size", json!("12"), r#"the string "12""#),
        ("size", json!(9.3e18), "the number 9.3e18"),
        ("size", json!(u64::MAX), "the number 18446744073709551615"),
        ("price", json!("3"), r#"the string "3""#),
        ("new", json!(1), "the number 1"),
        ("day", json!(20240229), "the number 20240229"),
        ("day", json!("29.2.2024"), r#""29.2.2024" is not a date"#),
    ] {
        let error = refused(json!({"id": "a", field: bad}));
        assert!(error.contains(&format!("field {field:?}")), "{error}");
        assert!(error.contains("expected") && error.contains(given), "{error}");
    }
    for (field, good) in [("size", json!(12.0)), ("price", json!(u64::MAX)), ("price", json!(1e300))] {
        check(json!({"id": "a", field: good})).unwrap();
    }
}

#[test]
fn numbers_that_are_not_finite_and_dates_out_of_range_are_refused_everywhere() {
    let base = || Document::new().with("id", "a");
    for doc in [
        base().with("price", f64::NAN),
        base().with("price", f64::INFINITY),
        base().with("any", vec![Value::F64(f64::NAN)]),
        base().with("any", [1.0, f32::NAN]),
        base().with("day", Value::Date(i64::MAX)),
        base().with("any", Value::Date(i64::MIN)),
    ] {
        assert!(validate(&schema(true), &FieldAnalyzers::default(), &doc).is_err(), "{doc:?}");
    }
}

#[test]
fn what_is_nested_too_deeply_is_refused_and_what_is_not_can_be_read_back() {
    let lists = |depth| (0..depth).fold(Value::I64(1), |value, _| Value::List(vec![value]));
    let objects = |depth| (0..depth).fold(json!(1), |value, _| json!({"a": value}));
    for (deep, kept) in [(100, true), (101, false), (1_000, false)] {
        for value in [lists(deep), Value::Json(objects(deep))] {
            let doc = Document::new().with("id", "a").with("any", value);
            match validate(&schema(true), &FieldAnalyzers::default(), &doc) {
                Ok(validated) => assert!(kept && Document::from_slice(&validated.stored).unwrap() == doc),
                Err(error) => assert!(!kept, "{error}"),
            }
        }
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        (-10i32..10).prop_map(|value| json!(value)),
        ".{0,12}".prop_map(|value| json!(value)),
        "[0-9]{4}-0[1-9]-0[1-9]".prop_map(|value| json!(value)),
        prop::collection::vec(-1e3f32..1e3, 2).prop_map(|value| json!(value)),
        prop::collection::vec("[a-c]{0,3}", 0..3).prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|values| json!(values)),
            prop::collection::hash_map("[a-c_]{0,3}", inner, 0..4).prop_map(|fields| json!(fields)),
        ]
    })
}

fn any_document() -> impl Strategy<Value = serde_json::Value> {
    let name = prop_oneof![
        8 => prop::sample::select(vec!["title", "tags", "size", "price", "new", "day", "e", "secret"])
            .prop_map(str::to_owned),
        1 => ".{0,4}",
    ];
    let fields = prop::collection::vec((name, any_json()), 0..4);
    (prop::option::weighted(0.95, "[a-z]{1,8}"), fields).prop_map(|(key, fields)| {
        let key = key.map(|key| ("id".to_owned(), json!(key)));
        key.into_iter().chain(fields).collect()
    })
}

proptest! {
    #[test]
    fn any_document_is_refused_in_words_or_kept_whole(json in any_document(), dynamic: bool) {
        let schema = schema(dynamic);
        let doc = Document::from_value(json).unwrap();
        match validate(&schema, &FieldAnalyzers::default(), &doc) {
            Err(error) => prop_assert!(matches!(error, Error::Document { .. }), "{error}"),
            Ok(validated) => {
                let back = Document::from_slice(&validated.stored).unwrap();
                let given = doc.iter().filter(|(name, value)| {
                    **value != Value::Null && !["e", "secret"].contains(name)
                });
                prop_assert_eq!(back.iter().collect::<Vec<_>>(), given.collect::<Vec<_>>());
                prop_assert_eq!(validated.vectors.len(), doc.get("e").is_some_and(|e| *e != Value::Null) as usize);
                prop_assert!(dynamic || back.iter().all(|(name, _)| check_name(name).is_ok()));
                let mut again = validate(&schema, &FieldAnalyzers::default(), &back).unwrap();
                again.vectors.clone_from(&validated.vectors);
                prop_assert_eq!(again, validated);
            }
        }
    }

    #[test]
    fn any_text_is_read_as_a_document_or_refused(text in ".{0,60}") {
        let _ = Document::from_json(&text);
    }

    #[test]
    fn a_vector_given_as_json_is_the_vector_given_as_numbers(vector in prop::array::uniform2(-1e30f32..1e30)) {
        let doc = Document::new().with("id", "a").with("e", vector);
        let direct = validate(&schema(false), &FieldAnalyzers::default(), &doc).unwrap();
        let text = serde_json::to_string(&doc).unwrap();
        prop_assert_eq!(&validate(&schema(false), &FieldAnalyzers::default(), &Document::from_json(&text).unwrap()).unwrap(), &direct);
        prop_assert_eq!(&validate(&schema(false), &FieldAnalyzers::default(), &Document::from_value(doc.to_json()).unwrap()).unwrap(), &direct);
    }
}

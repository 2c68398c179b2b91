//! `search` by sparse vectors, and by late interaction.

use crate::support::{Place, Ran, le, npy, run};
use serde_json::{Value, json};

fn place() -> Place {
    let place = Place::with_schema(
        r#"{ "key": "id", "fields": [
            { "name": "body", "type": "text" }, { "name": "section", "type": "keyword" },
            { "name": "splade", "type": "sparse_vector" },
            { "name": "tokens", "type": "vector", "dimension": 2, "similarity": "dot_product", "multiple": true } ] }"#,
    );
    let document = |id: &str, body: &str, splade: Value, tokens: Value| {
        json!({ "id": id, "body": body, "section": body.split(' ').next(), "splade": splade, "tokens": tokens })
            .to_string()
    };
    let documents = [
        document("a", "ant", json!({"12": 0.5, "900": 2}), json!([[1, 0], [0, 1]])),
        document("b", "ant bee", json!({"indices": [12], "values": [1.5]}), json!([[1, 0]])),
        document("c", "bee", json!({"7": 4}), json!([[-1, 0]])),
    ];
    place.import(&documents.join("\n"), "").expect(0);
    place
}

fn ask(place: &Place, arguments: &[&str]) -> Ran {
    run(place.command("search @").args(arguments))
}

#[track_caller]
fn found(place: &Place, arguments: &[&str]) -> Vec<(String, f64)> {
    let found = ask(place, &[arguments, &["--json"]].concat()).expect(0).json();
    let hits = found["hits"].as_array().unwrap();
    hits.iter().map(|hit| (hit["key"].as_str().unwrap().to_owned(), hit["score"].as_f64().unwrap())).collect()
}

fn hits(hits: &[(&str, f64)]) -> Vec<(String, f64)> {
    hits.iter().map(|(key, score)| ((*key).to_owned(), *score)).collect()
}

#[test]
fn a_sparse_vector_finds_by_inner_product_in_both_forms_of_json() {
    let place = place();
    let expected = hits(&[("a", 4.5), ("b", 1.5)]);
    assert_eq!(found(&place, &["--sparse", r#"splade:{"12": 1, "900": 2}"#]), expected);
    assert_eq!(found(&place, &["--sparse", r#"splade:{"indices": [900, 12], "values": [2, 1]}"#]), expected);
    let filtered = ["--sparse", r#"splade:{"12": 1, "7": 1}"#, "--filter", "section:ant"];
    assert_eq!(found(&place, &filtered), hits(&[("b", 1.5), ("a", 0.5)]));
    ask(&place, &["--sparse", r#"splade:{"13": 1}"#]).expect(1);
    let explained = ask(&place, &["--sparse", r#"splade:{"900": 2}"#, "--explain"]).expect(0).out;
    assert!(explained.contains("dimension 900: 2 in the query × 2 in the document"), "{explained}");
}

#[test]
fn words_and_a_sparse_vector_are_fused_when_that_is_asked_for() {
    let place = place();
    let both = ["-q", "bee", "--sparse", r#"splade:{"12": 1}"#];
    let fused = found(&place, &[&both[..], &["--hybrid"]].concat());
    assert_eq!((fused.len(), &*fused[0].0), (3, "b"));
    let neither = ask(&place, &both).expect(2).err;
    assert!(neither.contains("--hybrid ranks by both"), "{neither}");
}

#[test]
fn a_sparse_vector_takes_no_documents_to_be_like() {
    let place = place();
    for like in
        [["--liked", "a"], ["--like", "a"], ["--vector", "[1]"], ["--recall", "0.9"], ["--rescore", "2"]]
    {
        let refused = ask(&place, &[&["--sparse", r#"splade:{"12": 1}"#], &like[..]].concat()).expect(2).err;
        assert!(refused.contains("are for --knn") && refused.contains("give --knn FIELD"), "{refused}");
    }
}

#[test]
fn a_wrong_sparse_vector_is_refused_with_a_hint() {
    let place = place();
    for (vector, problem) in [
        ("splade", "no vector"),
        (r#"splade:{"x": 1}"#, "is no dimension"),
        (r#"splade:{"1": -1}"#, "-1"),
        ("splade:{", "--sparse splade"),
        (r#"body:{"1": 1}"#, "expected a sparse_vector field"),
        (r#"none:{"1": 1}"#, "none"),
    ] {
        let refused = ask(&place, &["--sparse", vector]).expect(2).err;
        assert!(refused.contains(problem), "{vector}: {refused}");
    }
}

#[test]
fn late_interaction_sums_the_best_similarity_to_each_vector_of_a_file() {
    let place = place();
    place.write("query.npy", npy("<f4", 2, 2, &le(&[1.0, 0.0, 0.0, 1.0])));
    let by_words = ["-q", "ant bee", "--max-sim", "tokens:query.npy"];
    let ranked = found(&place, &by_words);
    let expected = hits(&[("a", 2.0), ("b", 1.0), ("c", -1.0)]);
    assert_eq!(ranked, expected);
    // Only the best of the first ranking are reordered.
    let one = found(&place, &[&by_words[..], &["--window", "1", "-k", "1"]].concat());
    assert_eq!((one.len(), &*one[0].0), (1, "b"));
}

#[test]
fn a_wrong_file_of_late_interaction_is_refused() {
    let place = place();
    place.write("query.npy", npy("<f4", 1, 3, &le(&[1.0, 0.0, 0.0])));
    for (value, problem) in [
        ("tokens", "expected FIELD:FILE"),
        ("tokens:query.npy", "3"),
        ("tokens:missing.npy", "missing.npy"),
        ("body:query.npy", "body"),
    ] {
        let refused = ask(&place, &["-q", "ant", "--max-sim", value]);
        assert!(refused.code > 1 && refused.err.contains(problem), "{value}: {refused:?}");
    }
    ask(&place, &["-q", "ant", "--max-sim", "tokens:query.npy", "--mmr", "0.5"]).expect(2);
}

//! `hash-quality`, `relevance`, and `inspect` of a field with sign hashes.

use crate::support::{Place, data, le, npy, run};
use serde_json::json;

fn place(sign_hash: &str) -> Place {
    Place::with_schema(&format!(
        r#"{{ "key": "name", "fields": [ {{ "name": "body", "type": "text" }},
            {{ "name": "e", "type": "vector", "dimension": 8, {sign_hash} "advanced": {{ "graph_threshold": 0 }} }} ] }}"#
    ))
}

fn fill(place: &Place) {
    let document = |number: u32| {
        let e: Vec<f64> = (0..8).map(|at| f64::from((number * 37 + at * at * 11) % 101) - 50.0).collect();
        json!({ "name": format!("d{number}"), "body": format!("text {number}"), "e": e }).to_string()
    };
    let documents: Vec<String> = (0..300).map(document).collect();
    place.import(&documents.join("\n"), "").expect(0);
}

#[test]
fn hash_quality_is_measured_with_the_flag_and_without_and_a_poor_one_warned_of() {
    for sign_hash in ["", r#""sign_hash": true,"#] {
        let place = place(sign_hash);
        fill(&place);
        let quality = "hash-quality @ --field e -k 3 --sample 50";
        let ran = place.run(quality).expect(0);
        assert_eq!(ran.out.lines().filter(|line| line.contains("default")).count(), 2, "{}", ran.out);
        let found = place.run(&format!("{quality} --candidates 3,60 --json")).expect(0).json();
        assert_eq!((&found["default_candidates"], &found["compared"]), (&json!(60), &json!(300)));
        assert_eq!(found["lines"].as_array().unwrap().len(), 4);
    }
    let place = Place::sample(600, "");
    let mut command = place.command("hash-quality @ --field embedding --candidates 10,200");
    let ran = run(command.arg("--queries").arg(data("queries.f16.npy"))).expect(0);
    assert!(ran.out.starts_with("100 queries, 600 vectors"), "{}", ran.out);
    // All vectors in one corner: signs say nothing.
    let place = self::place("");
    let document = |n: u32| {
        let component = |at: u32| 100 + (n * n * (at + 3) * 7 + n * (at * at + 1) * 31) % 1009 % 50;
        json!({ "name": format!("d{n}"), "e": (0..8).map(component).collect::<Vec<u32>>() })
    };
    let documents: Vec<String> = (0..300).map(|number| document(number).to_string()).collect();
    place.import(&documents.join("\n"), "").expect(0);
    let ran = place.run("hash-quality @ --field e -k 1 --candidates 1,20").expect(0);
    assert!(ran.err.contains("warning") && ran.err.contains("plain hashes with 20 candidates"), "{ran:?}");
}

#[test]
fn inspect_shows_the_memory_of_hashes_and_which_search_is_cheaper() {
    let place = place(r#""sign_hash": "plain","#);
    fill(&place);
    let ran = place.run("inspect @ --bytes").expect(0);
    for expected in ["hashes", "graph", "total", "hnsw_hash", "sign_hash plain", "20 × k", "vectors: flat"] {
        assert!(ran.out.contains(expected), "{expected}: {}", ran.out);
    }
    let facts = place.run("inspect @ --json").expect(0).json();
    assert_eq!(facts["segments"][0]["fields"]["e"]["bytes"]["hashes"], 300);
}

#[test]
fn a_relevance_set_is_measured_by_words_and_by_vectors() {
    let place = place("");
    fill(&place);
    place.write(
        "dev.jsonl",
        r#"{"query": "7", "pos": ["text 7"], "neg": ["text 8"]}
{"query": "nothing", "pos": ["text 20", "no such text"]}"#,
    );
    let vector = |number: u32| (0..8).map(move |at| ((number * 37 + at * at * 11) % 101) as f32 - 50.0);
    let rows: Vec<f32> = vector(7).chain(vector(20)).collect();
    place.write("dev.npy", npy("<f4", 2, 8, &le(&rows)));
    for (by, recall) in [
        ("--text body", 0.5),
        ("--field e --queries dev.npy", 1.0),
        ("--text body --field e --queries dev.npy", 1.0),
    ] {
        let line = format!("relevance @ dev.jsonl --passages body {by} -k 1,10");
        let found = place.run(&format!("{line} --json")).expect(0).json();
        assert_eq!(found["measures"][1]["recall"], recall, "{by}");
        assert_eq!(found["unmatched_right"], json!([{ "line": 2, "passage": "no such text" }]));
        let ran = place.run(&line).expect(0);
        assert!(
            ran.err.contains("1 right passages are not in the index: \"no such text\" (line 2)"),
            "{ran:?}"
        );
        assert!(ran.out.contains("nDCG"), "{}", ran.out);
    }
    place.write("one.npy", npy("<f4", 1, 8, &le(&rows[..8])));
    for (by, expected) in [
        ("--field e --queries one.npy", "1 rows"),
        ("--text title", "title"),
        ("", "--text"),
        ("--text body -k 0", "-k"),
    ] {
        let ran = place.run(&format!("relevance @ dev.jsonl --passages body {by}")).expect(2);
        assert!(ran.err.contains(expected), "{by}: {ran:?}");
    }
}

#[test]
fn why_reckons_with_the_default_recall_of_hashes() {
    let place = place(r#""sign_hash": "plain","#);
    fill(&place);
    let why = |more: &str| {
        let vector = "[1,2,3,4,5,6,7,8]";
        place.run(&format!("search @ --knn e --vector {vector} -k 3 --why d2 {more}")).expect(0).out
    };
    assert_eq!(why(""), why("--recall 0.95"));
    assert_ne!(why(""), why("--candidates 100"));
}

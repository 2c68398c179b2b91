//! `inspect`, `check`, `create`.

use crate::support::{Place, documents};
use serde_json::Value;

#[test]
fn the_facts_have_the_promised_keys() {
    let place = Place::sample(800, "--flush-docs 400 --threads 1");
    let facts = place.run("inspect @ --json").expect(0).json();
    assert_eq!((&facts["generation"], &facts["docs"]), (&2.into(), &800.into()));
    let segments = facts["segments"].as_array().unwrap();
    assert_eq!(segments.len(), 2);
    for segment in segments {
        assert_eq!((&segment["docs"], &segment["deleted"]), (&400.into(), &0.into()));
        assert!(segment["name"].is_string() && segment["bytes"].as_u64() > Some(400 * 384 * 5));
        let field = &segment["fields"]["embedding"];
        assert!(field["format"].is_string());
        let quantiles = field["quantiles"].as_array().unwrap();
        assert!(quantiles.len() == 2 && quantiles[0].as_f64() < quantiles[1].as_f64());
    }
    let name = segments[0]["name"].as_str().unwrap();
    assert_eq!(place.run(&format!("inspect @ {name} --json")).expect(0).json(), segments[0]);
    let schema = place.run("inspect @ schema --json").expect(0).json();
    assert_eq!(schema["key"], "name");
    assert_eq!(schema["fields"].as_array().map(Vec::len), Some(13));
}

#[test]
fn the_schema_that_inspect_prints_makes_an_index_of_the_same_schema() {
    let place = Place::with_schema(
        r#"{ "key": "id", "dynamic": true, "fields": [
            { "name": "model", "type": "text", "path": "$.model", "weight": 2.0 },
            { "name": "price", "type": "f64", "path": "$.price" },
            { "name": "type", "type": "keyword", "path": "$.type", "separator": "," },
            { "name": "vector", "type": "vector", "path": "$.embedding", "dimension": 8, "index": "flat" } ] }"#,
    );
    let printed = place.run("inspect @ schema --json").expect(0).out;
    assert!(
        printed.contains(r#""separator":",""#) && printed.contains(r#""path":"$.embedding""#),
        "{printed}"
    );
    place.write("again.json", &printed);
    place.run("create again.idx --schema again.json").expect(0);
    assert_eq!(place.run("inspect again.idx schema --json").expect(0).out, printed);
}

#[test]
fn people_see_tables_totals_and_defaults() {
    let place = Place::sample(800, "--flush-docs 400 --threads 1");
    let text = place.run("inspect @").expect(0).out;
    assert!(text.starts_with("test.idx: generation 2, 800 documents, 2 segments, 0 deleted, "), "{text}");
    let raw = 800 * 384 * 4;
    for expected in
        ["total ", "quantiles", "raw", "codes", "1.17 MiB", "k 10, recall 0.95", "M 16, beam_width 100"]
    {
        assert!(text.contains(expected), "{expected} is missing:\n{text}");
    }
    let text = place.run("inspect @ --bytes").expect(0).out;
    assert!(text.contains(&format!(" {raw} ")) && !text.contains("MiB"), "{text}");
    let tree = place.run("inspect @ _0").expect(0).out;
    for expected in ["docs        400", "fields\n  embedding\n", "similarity", "KiB ("] {
        assert!(tree.contains(expected), "{expected} is missing:\n{tree}");
    }
    let schema = place.run("inspect @ schema").expect(0).out;
    assert!(schema.contains("dimension 384, similarity cosine"), "{schema}");
    let unknown = place.run("inspect @ _7").expect(2);
    assert!(
        unknown.err.contains("no segment \"_7\"") && unknown.err.contains("segments: _0, _1"),
        "{unknown:?}"
    );
}

#[test]
fn deletes_are_counted() {
    let place = Place::small();
    place.import(&documents(100), "").expect(0);
    place.import(&documents(4), "--upsert").expect(0);
    let facts = place.run("inspect @ --json").expect(0).json();
    assert_eq!((&facts["docs"], &facts["deleted"]), (&100.into(), &4.into()));
    let generation = facts["segments"][0]["live_docs_generation"].as_u64().unwrap();
    assert!(place.run("inspect @").expect(0).out.contains(&format!(" generation {generation} ")));
}

#[test]
fn check_finds_damage_and_names_the_file() {
    let place = Place::sample(300, "--threads 1");
    let whole = place.run("check @ --json").expect(0).json();
    assert_eq!((&whole["ok"], &whole["problems"]), (&true.into(), &serde_json::json!([])));
    assert!(place.run("check @").expect(0).out.contains("no damage"));
    let largest = std::fs::read_dir(place.dir()).unwrap().map(|entry| entry.unwrap());
    let largest = largest.max_by_key(|entry| entry.metadata().unwrap().len()).unwrap();
    let mut bytes = std::fs::read(largest.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(largest.path(), bytes).unwrap();
    let damaged = place.run("check @ --json").expect(1).json();
    assert_eq!(damaged["ok"], false);
    let file = largest.file_name().into_string().unwrap();
    assert_eq!(damaged["problems"][0]["file"], Value::from(file.as_str()));
    assert!(damaged["problems"][0]["problem"].is_string());
    let text = place.run("check @").expect(1);
    assert!(text.out.contains("1 problem") && text.out.contains(&file) && text.err.is_empty(), "{text:?}");
}

#[test]
fn create_prints_the_schema_with_its_choices() {
    let place = Place::new();
    place.write(
        "schema.json",
        r#"{ "key": "id", "fields": [{ "name": "e", "type": "vector", "dimension": 3 }] }"#,
    );
    let made = place.run("create @ --schema schema.json --json").expect(0).json();
    assert_eq!(
        (&made["generation"], &made["schema"]["fields"][0]["similarity"]),
        (&1.into(), &"cosine".into())
    );
    let mut command = place.command("create other.idx --schema -");
    let text =
        command.write_stdin(r#"{ "key": "id", "dynamic": true, "fields": [] }"#).output().unwrap().stdout;
    assert!(String::from_utf8(text).unwrap().contains("undeclared fields are kept"));
}

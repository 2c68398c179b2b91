//! `import` with several threads: what becomes of several lines of one key does not depend on them. And with fewer threads
//! than were asked for.

use crate::support::{Place, documents, run};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

const SCHEMA: &str =
    r#"{ "key": "name", "fields": [ { "name": "n", "type": "i64" }, { "name": "t", "type": "text" } ] }"#;

/// Lines of few keys, of any length, so that later ones are read faster than earlier ones; and the last of each key.
fn lines(seed: u64, count: u64) -> (String, BTreeMap<String, u64>) {
    let (mut text, mut last, mut random) = (String::new(), BTreeMap::new(), seed);
    for n in 0..count {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (key, long) = (format!("k{}", (random >> 33) % 7), (random >> 20) % 10 == 0);
        let words = if long { "word ".repeat((random >> 40) as usize % 3_000) } else { String::new() };
        writeln!(text, "{}", json!({ "name": key, "n": n, "t": words })).unwrap();
        last.insert(key, n);
    }
    (text, last)
}

fn found(place: &Place) -> BTreeMap<String, u64> {
    let hits = place.run("search @ --query * -k 100 --fields n --json").expect(0).json();
    let hits: Vec<Value> = hits["hits"].as_array().unwrap().clone();
    let pair = |hit: &Value| (hit["key"].as_str().unwrap().to_owned(), hit["fields"]["n"].as_u64().unwrap());
    hits.iter().map(pair).collect()
}

#[test]
fn with_upsert_the_last_line_of_a_key_counts() {
    for seed in 0..12 {
        let (text, last) = lines(seed, 600);
        for more in ["--threads 2", "--threads 4 --flush-docs 40", "--threads 8 --commit-every 90"] {
            let place = Place::with_schema(SCHEMA);
            let report = place.import(&text, &format!("--upsert {more}")).expect(0).json();
            assert_eq!(report["docs"], 600);
            assert_eq!(found(&place), last, "seed {seed}, {more}");
        }
    }
}

#[test]
fn without_upsert_the_first_line_of_a_key_counts_and_the_others_are_bad() {
    for seed in 0..6 {
        let (text, _) = lines(seed, 300);
        let mut first = BTreeMap::new();
        for (n, line) in text.lines().enumerate() {
            let line: Value = serde_json::from_str(line).unwrap();
            first.entry(line["name"].as_str().unwrap().to_owned()).or_insert(n as u64);
        }
        for more in ["--threads 2", "--threads 4 --flush-docs 3"] {
            let place = Place::with_schema(SCHEMA);
            let report = place.import(&text, &format!("--skip-bad {more}")).expect(0).json();
            assert_eq!(
                (&report["docs"], &report["skipped"]),
                (&first.len().into(), &(300 - first.len()).into())
            );
            assert_eq!(found(&place), first, "seed {seed}, {more}");
        }
    }
}

#[test]
fn a_document_too_long_to_be_stored_is_a_bad_line_like_others() {
    let schema = r#"{ "key": "name", "dynamic": true, "fields": [] }"#;
    let long = json!({ "name": "BIG", "x": "a".repeat(17 << 20) });
    let text = format!("{{\"name\":\"a\"}}\n{long}\n{{\"name\":\"b\"}}\n");
    for more in ["", "--threads 4", "--threads 1 --commit-every 1", "--threads 2 --flush-docs 1"] {
        let place = Place::with_schema(schema);
        let ran = place.import(&text, more).expect(2);
        assert!(
            ran.err.contains("docs.jsonl:2: document \"BIG\": 17825813 bytes as it is stored"),
            "{ran:?}"
        );
        let place = Place::with_schema(schema);
        let ran = place.import(&text, &format!("--skip-bad {more}")).expect(0);
        assert_eq!((ran.json()["docs"].as_u64(), place.docs()), (Some(2), 2), "{ran:?}");
        assert!(ran.err.contains("skipped docs.jsonl:2: document \"BIG\""), "{ran:?}");
    }
}

/// As under a limit of processes, no thread can be started: each would need a stack longer than there are addresses.
#[cfg(target_os = "linux")]
#[test]
fn an_import_goes_on_with_the_threads_there_are() {
    let place = Place::small();
    place.write("docs.jsonl", documents(2_000));
    for threads in [1, 64] {
        let _ = std::fs::remove_dir_all(place.dir());
        place.run("create @ --schema schema.json").expect(0);
        let mut command =
            place.command(&format!("import @ docs.jsonl --threads {threads} --ram-mb 8 --json"));
        command.env("RUST_MIN_STACK", (1u64 << 48).to_string()).timeout(Duration::from_secs(120));
        let ran = run(&mut command);
        assert_eq!(ran.expect(0).json()["docs"], 2_000);
        assert_eq!(place.docs(), 2_000);
    }
}

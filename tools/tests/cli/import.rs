//! `import`.

use crate::support::{Place, documents, run};

#[test]
fn the_report_has_the_promised_keys() {
    let place = Place::small();
    let report = place.import(&documents(100), "--flush-docs 40 --threads 1").expect(0).json();
    assert_eq!((&report["docs"], &report["skipped"]), (&100.into(), &0.into()));
    assert_eq!((&report["segments"], &report["index_docs"]), (&3.into(), &100.into()));
    assert!(report["generation"].as_u64() >= Some(2));
    for key in ["seconds", "docs_per_s", "bytes"] {
        assert!(report[key].as_f64() > Some(0.0), "{key}: {report}");
    }
    if cfg!(target_os = "linux") {
        assert!(report["peak_rss_mb"].as_f64() > Some(1.0), "{report}");
        assert!(report["peak_anon_mb"].as_f64() > Some(0.1), "{report}");
    }
    let text = place.run("import @ docs.jsonl --upsert --limit 7").expect(0);
    assert!(text.out.starts_with("Imported 7 documents in ") && text.err.is_empty(), "{text:?}");
    assert_eq!(place.docs(), 100);
}

#[test]
fn documents_come_from_standard_input_too() {
    let place = Place::small();
    let mut command = place.command("import @ - --json --threads 3");
    let report = run(command.write_stdin(format!("\u{feff}{}", documents(500)))).expect(0).json();
    assert_eq!(report["docs"], 500);
    assert_eq!(place.docs(), 500);
}

#[test]
fn parquet_is_read_by_a_program_of_its_own() {
    let place = Place::small();
    let mut command = place.command("import @ docs.parquet");
    let failed = run(command.env("PATH", "")).expect(2);
    assert!(failed.err.contains("cargo install --path arrow --features parquet"), "{failed:?}");
    let failed = place.run("import @ docs.PARQUET --limit 5").expect(2);
    assert!(failed.err.contains("without --vectors, --order, --limit"), "{failed:?}");
    assert_eq!(place.docs(), 0);
}

#[test]
fn one_thread_and_a_seed_give_the_same_bytes() {
    let files = |_| {
        let place = Place::small();
        place.import(&documents(300), "--threads 1 --seed 7 --flush-docs 100").expect(0);
        let entries = std::fs::read_dir(place.dir()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries
            .map(|path| (path.file_name().unwrap().to_owned(), std::fs::read(path).unwrap()))
            .collect();
        files.retain(|(name, _)| name != "write.lock");
        files.sort();
        files
    };
    let [first, second] = [0, 1].map(files);
    assert!(first.len() > 5);
    assert!(first == second);
}

#[test]
fn a_bad_line_is_named_and_nothing_is_half_done() {
    for (line, expected) in [
        (
            "{\"name\":\"x\",\"e\":[1,2,3]}",
            "document \"x\": field \"e\": expected a vector of 2 components, given 3",
        ),
        (
            "{\"name\":\"x\",\"e\":[1,1e99]}",
            "document \"x\": field \"e\": 1e99 at position 1 is not a finite number",
        ),
        ("{\"name\":\"x\",\"size\":\"big\"}", "document \"x\": field \"size\""),
        ("{\"name\":\"x\",\"nope\":1}", "document \"x\": field \"nope\" is not declared"),
        ("{\"size\":1}", "document: the key field \"name\" is missing"),
        ("{\"name\":", "document: not a JSON object: EOF while parsing a value at column 8"),
        ("{\"name\":\"d3\"}", "document \"d3\" exists already; use --upsert"),
    ] {
        let place = Place::small();
        let documents = format!("{}\n{line}\n{{\"name\":\"last\"}}", documents(20));
        let ran = place.import(&documents, "").expect(2);
        assert!(ran.err.contains(&format!("docs.jsonl:22: {expected}")), "{line}: {ran:?}");
        assert!(
            ran.err.contains(expected) && ran.err.contains("hint: nothing of this import was kept"),
            "{ran:?}"
        );
        assert_eq!(place.docs(), 0);

        let ran = place.import(&documents, "--threads 1 --commit-every 10").expect(2);
        assert!(ran.err.contains("the first 20 documents were committed (generation 3)"), "{ran:?}");
        assert_eq!(place.docs(), 20);

        let ran = place.import(&documents, "--upsert --skip-bad").expect(0);
        let skipped = u64::from(!line.contains("d3"));
        assert_eq!(ran.json()["skipped"], skipped, "{ran:?}");
        assert_eq!(ran.err.contains("warning: skipped docs.jsonl:22: "), skipped == 1, "{ran:?}");
        assert_eq!(place.docs(), 21);
    }
}

#[test]
fn bad_lines_beyond_a_few_are_only_counted() {
    let place = Place::small();
    let documents = format!("{}{}", "[]\n".repeat(50), documents(5));
    let ran = place.import(&documents, "--skip-bad").expect(0);
    assert_eq!((&ran.json()["docs"], &ran.json()["skipped"]), (&5.into(), &50.into()));
    assert_eq!(ran.err.lines().count(), 5, "{ran:?}");
    assert!(ran.err.contains("only counted"), "{ran:?}");
}

//! `export`, and what `import` makes of it.

use crate::support::{Place, documents};

const SCHEMA: &str = r#"{"key": "name", "dynamic": true, "fields": [
    {"name": "size", "type": "i64"},
    {"name": "e", "type": "vector", "dimension": 2, "similarity": "euclidean"},
    {"name": "parts", "type": "vector", "dimension": 2, "similarity": "euclidean", "multiple": true},
    {"name": "fp", "type": "binary_vector", "dimension": 16}]}"#;

fn filled() -> Place {
    filled_of(SCHEMA)
}

fn filled_of(schema: &str) -> Place {
    let place = Place::with_schema(schema);
    let line = |i: u32| {
        let component = f64::from(i).sin();
        format!(
            "{{\"name\":\"d{i}\",\"size\":{i},\"e\":[{component},0.1],\"parts\":[[{i},1],[2,{component}]],\
             \"fp\":\"{:04x}\",\"other\":{{\"deep\":[1,null,\"ü\"]}}}}\n",
            i * 37
        )
    };
    place.import(&(0..200).map(line).collect::<String>(), "--flush-docs 30").expect(0);
    place.run("delete @ --key d7").expect(0);
    place
}

/// All documents as lines.
fn lines(place: &Place, index: &str) -> String {
    place.run(&format!("export {index}")).expect(0).out
}

#[test]
fn what_is_exported_is_imported_as_the_same_index() {
    comes_back(&filled());
}

#[test]
fn vectors_of_half_precision_are_exported_and_imported_as_they_were_rounded() {
    let half = SCHEMA.replace("\"euclidean\"", "\"euclidean\", \"datatype\": \"float16\"");
    let place = filled_of(&half);
    comes_back(&place);
    assert!(lines(&place, "@").contains("\"e\":[0.84130859375,0.0999755859375]"), "sin 1 and 0.1");
    place.write("single.json", SCHEMA);
    let refused = place.run("alter @ --schema single.json").expect(2);
    assert!(refused.err.contains("its datatype is float16, given float32"), "{refused:?}");
    let schema = place.run("inspect @ schema --json").expect(0).json();
    assert_eq!(schema["fields"][1]["datatype"], "float16", "{schema}");
    let line = "{\"name\":\"large\",\"e\":[65520,0]}";
    let refused = place.import(line, "").expect(2);
    for expected in ["large", "\"e\"", "65520", "float16"] {
        assert!(refused.err.contains(expected), "{refused:?}");
    }
}

/// What `place` exports makes an index that exports the same.
fn comes_back(place: &Place) {
    let whole = lines(place, "@");
    assert_eq!(whole.lines().count(), 199);
    let key = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["name"].to_string();
    assert!(whole.lines().map(key).is_sorted());
    let ways = [
        ("--output docs.jsonl", ""),
        ("--output docs.jsonl.gz --vectors e=e.npy", "--vectors e=e.npy"),
        (
            "--output docs.jsonl.zst --vectors e=e.npy --vectors fp=fp.npy",
            "--vectors e=e.npy --vectors fp=fp.npy",
        ),
    ];
    for (number, (out, vectors)) in ways.into_iter().enumerate() {
        let report = place.run(&format!("export @ {out} --json")).expect(0).json();
        assert_eq!(report["docs"], 199);
        let (copy, file) = (format!("copy{number}.idx"), out.split(' ').nth(1).unwrap());
        place.run(&format!("create {copy} --schema schema.json")).expect(0);
        place.run(&format!("import {copy} {file} {vectors} --threads 1")).expect(0);
        assert_eq!(lines(place, &copy), whole, "{out}");
    }
    let array = std::fs::read(place.path("e.npy")).unwrap();
    assert_eq!(array.len(), 128 + 199 * 8);
    let gzip = std::fs::read(place.path("docs.jsonl.gz")).unwrap();
    assert!(gzip.starts_with(b"\x1f\x8b") && gzip.len() < whole.len() / 2);
}

#[test]
fn a_part_is_exported_by_query_after_a_key_and_with_some_fields() {
    let place = filled();
    assert_eq!(
        place.run("export @ --query size:>=198 --fields size").expect(0).out,
        "{\"size\":198}\n{\"size\":199}\n"
    );
    assert_eq!(
        place.run("export @ --after d97 --limit 2 --fields name").expect(0).out,
        "{\"name\":\"d98\"}\n{\"name\":\"d99\"}\n"
    );
    place.run("tag @ old").expect(0);
    place.run("delete @ --query size:>=100").expect(0);
    assert_eq!(lines(&place, "@").lines().count(), 99);
    assert_eq!(place.run("export @ --at old").expect(0).out.lines().count(), 199);
}

#[test]
fn what_has_no_row_is_told() {
    let place = Place::with_schema(SCHEMA);
    place.import("{\"name\":\"a\",\"e\":[1,2]}\n{\"name\":\"b\"}\n", "").expect(0);
    for (line, expected) in [
        ("export @ --vectors e=e.npy", "document \"b\" has no vector in \"e\""),
        ("export @ --vectors parts=p.npy", "several vectors"),
        ("export @ --vectors size=s.npy", "expected a vector field"),
        ("export @ --fields e --json", "--output"),
        ("export @ --query nope( ", "error"),
    ] {
        let ran = place.run(line).expect(2);
        assert!(ran.err.contains(expected), "{line}: {ran:?}");
    }
    let only = place.run("export @ --query e:* --vectors e=e.npy").expect(0).out;
    assert_eq!(only, "{\"name\":\"a\"}\n");
    let found = place.run("search @ --query name:a --vectors e,parts --json").expect(0).json();
    assert_eq!(found["hits"][0]["vectors"], serde_json::json!({"e": [[1.0, 2.0]], "parts": []}));
    place.run("export missing.idx").expect(3);
    let many = Place::small();
    many.import(&documents(3), "").expect(0);
    assert_eq!(many.run("export @").expect(0).out.lines().count(), 3);
}

#[test]
fn an_export_that_fails_leaves_the_files_as_they_were() {
    let place = Place::with_schema(SCHEMA);
    place.import("{\"name\":\"a\",\"e\":[1,2]}\n{\"name\":\"b\"}\n", "").expect(0);
    let outputs = ["docs.jsonl", "docs.jsonl.gz", "docs.jsonl.zst"];
    for output in outputs.into_iter().chain(["e.npy"]) {
        place.write(output, "old");
    }
    let files = || {
        let entries = std::fs::read_dir(place.path(".")).unwrap();
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        files.sort();
        files
    };
    let before = files();
    for output in outputs {
        for wrong in
            ["--query (", "--query size:large", "--vectors size=e.npy", "--vectors e=e.npy", "--fields nope"]
        {
            let ran = place.run(&format!("export @ --output {output} {wrong}"));
            if wrong != "--fields nope" {
                ran.expect(2);
                for file in [output, "e.npy"] {
                    assert_eq!(std::fs::read(place.path(file)).unwrap(), b"old", "{output} {wrong}");
                }
            }
            assert_eq!(files(), before, "{output} {wrong}");
        }
    }
    let twice = place.run("export @ --vectors e=e.npy --output e.npy").expect(2);
    assert!(twice.err.contains("two outputs"), "{twice:?}");
    place.run("export @ --query e:* --vectors e=e.npy --output docs.jsonl").expect(0);
    assert_eq!(std::fs::read(place.path("docs.jsonl")).unwrap(), b"{\"name\":\"a\"}\n");
    assert_eq!((std::fs::read(place.path("e.npy")).unwrap().len(), files()), (128 + 8, before));
    place.run("export @ --output /dev/null").expect(0);
}

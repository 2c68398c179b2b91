//! `inspect FIELD` and `inspect --watch`.

use crate::support::{Place, documents};
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

#[test]
fn a_field_is_shown_as_a_histogram_or_by_its_terms() {
    let place = Place::sample(1_500, "");
    let shown = |field: &str, parts: &[&str]| {
        let text = place.run(&format!("inspect @ {field}")).expect(0).out;
        for part in parts {
            assert!(text.contains(part), "{field}: {part} is missing:\n{text}");
        }
    };
    shown("size", &["size: i64, 1,500 documents", "│", "▁", "█", "50 of 100 are at most", "mean"]);
    shown("section", &["section: keyword", "documents", "██"]);
    shown("description", &["description: text, ", " terms in ", "██"]);
    shown(
        "embedding",
        &["_0, ", "vectors sampled", "codes  │", "% at or beyond a quantile", "error  median"],
    );
    let terms = place.run("inspect @ section --json").expect(0).json();
    assert!(terms["terms"].as_array().is_some_and(|terms| terms.len() > 5), "{terms}");
    let unknown = place.run("inspect @ nothing").expect(2).err;
    assert!(unknown.contains("no segment \"nothing\"") && unknown.contains("fields: row, "), "{unknown}");
}

#[test]
fn fields_of_all_types_are_shown_also_without_documents() {
    let schema = r#"{ "key": "id", "fields": [
        { "name": "bits", "type": "binary_vector", "dimension": 8 }, { "name": "sparse", "type": "sparse_vector" },
        { "name": "good", "type": "bool" }, { "name": "at", "type": "date" }, { "name": "price", "type": "f64" },
        { "name": "v", "type": "vector", "dimension": 2 }, { "name": "words", "type": "text" } ] }"#;
    let place = Place::with_schema(schema);
    let fields = ["bits", "sparse", "good", "at", "price", "v", "words"];
    for field in fields {
        place.run(&format!("inspect @ {field}")).expect(0);
    }
    let line = r#"{"id":"a","bits":[1,0,0,0,0,0,0,1],"sparse":{"3":1.5},"good":true,"at":"2026-11-29","price":1.5,"v":[1,0],"words":"one two"}"#;
    place.import(line, "").expect(0);
    for field in fields {
        place.run(&format!("inspect @ {field}")).expect(0);
        place.run(&format!("inspect @ {field} --json")).expect(0).json();
    }
    assert!(place.run("inspect @ good").out.contains("true"));
    assert!(place.run("inspect @ at").out.contains("2026"));
}

/// `inspect --watch`, ended with the test.
struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

/// The watch, and its next line, which is there within a minute.
fn watch(place: &Place, more: &str) -> (Watch, impl FnMut() -> String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucerne"));
    command.arg("inspect").arg(place.dir()).arg("--watch").args(more.split_whitespace());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (line, next) = std::sync::mpsc::channel();
    std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|it| line.send(it)));
    (Watch(child), move || next.recv_timeout(Duration::from_secs(60)).unwrap())
}

#[test]
fn watching_prints_a_line_for_each_change_until_it_is_interrupted() {
    let place = Place::small();
    place.import(&documents(20), "").expect(0);
    let (mut watched, mut line) = watch(&place, "");
    let first = line();
    assert!(first.contains("generation 2, 20 documents, 1 segment, "), "{first}");
    assert!(!first.contains('\u{1b}'));
    place.import(&documents(25).replace("\"d", "\"e"), "--no-merge").expect(0);
    let second = line();
    assert!(second.contains("45 documents") && second.contains("(_1 flushed, 25 documents)"), "{second}");
    place.run("force-merge @").expect(0);
    let third = line();
    assert!(third.contains("1 segment,") && third.contains("merged from _0, _1, 45 documents"), "{third}");
    place.run("delete @ --query *:*").expect(0);
    assert!(line().contains("0 documents"));
    if cfg!(unix) {
        let id = watched.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        assert_eq!(watched.0.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn watching_can_print_json() {
    let place = Place::small();
    let (_watched, mut line) = watch(&place, "--json");
    let mut json = || serde_json::from_str::<Value>(&line()).unwrap();
    assert_eq!(json()["docs"], 0);
    place.import(&documents(3), "").expect(0);
    let change = json();
    assert_eq!((&change["docs"], &change["segments"][0]), (&3.into(), &"_0".into()));
    place.run("inspect @ --watch --html x.html").expect(2);
}

#[test]
fn what_is_being_written_is_named_as_far_as_files_tell() {
    let place = Place::small();
    place.import(&documents(20), "").expect(0);
    assert!(!place.run("inspect @").expect(0).err.contains("being written"));
    place.write("test.idx/_7.stored", vec![0; 2048]);
    let said = place.run("inspect @").expect(0).err;
    assert!(said.contains("being written") && said.contains("_7 (2.00 KiB, last written"), "{said}");
    assert!(place.run("inspect @ --quiet").expect(0).err.is_empty());
}

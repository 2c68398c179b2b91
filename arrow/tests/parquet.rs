//! Documents pass through Parquet files by the program `lucerne-parquet`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a test")]

use lucerne::schema::Quantization;
use lucerne::{Document, Index, Query, Schema, Vector};
use std::path::Path;
use std::process::{Command, Output};

fn run(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lucerne-parquet")).args(arguments).output().unwrap()
}

fn create(folder: &Path) -> Index {
    let vector = Vector::f32(3).quantization(Quantization::None);
    let schema = Schema::builder().key("id").text("body").i64("n").keyword("tags").vector("v", vector);
    Index::create(folder, schema.build().unwrap()).unwrap()
}

#[test]
fn what_is_exported_is_imported_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let index = create(&path("a.idx"));
    let writer = index.writer().unwrap();
    for n in 0..5_000_i64 {
        let document = Document::new().with("id", format!("{n:05}")).with("n", n).with("tags", ["a", "b"]);
        let document = if n % 3 == 0 { document.with("body", format!("text {n}")) } else { document };
        writer.add(&document.with("v", vec![n as f32, 0.1, -1.0 / (n + 1) as f32])).unwrap();
    }
    writer.close().unwrap();
    let (file, verbs) = (path("a.parquet"), ["import", "export"].map(Path::new));
    let output = run(&[verbs[1], &path("a.idx"), &file]);
    assert!(output.status.success(), "{output:?}");

    let again = create(&path("b.idx"));
    let output = run(&[verbs[0], &path("b.idx"), &file]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("Imported 5000 documents"), "{output:?}");
    let (one, two) = (index.searcher().unwrap(), again.searcher().unwrap());
    assert_eq!(two.count(Query::all()).unwrap(), 5_000);
    for n in 0..5_000 {
        let key = format!("{n:05}");
        let [one, two] = [&one, &two].map(|searcher| searcher.get(&key).unwrap().unwrap().to_json());
        assert_eq!(one, two);
    }

    // A key that exists keeps everything out; with --upsert it is replaced.
    let generation = two.generation();
    let output = run(&[verbs[0], &path("b.idx"), &file]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("exists already"));
    assert_eq!(again.searcher().unwrap().len(), 5_000);
    let output = run(&[verbs[0], &path("b.idx"), &file, Path::new("--upsert"), Path::new("--json")]);
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("{\"docs\":5000,"), "{output:?}");
    assert!(again.searcher().unwrap().generation() > generation);
}

#[test]
fn what_is_no_parquet_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (index, file) = (folder.path().join("a.idx"), folder.path().join("a.parquet"));
    create(&index);
    for bytes in [&b""[..], b"PAR1", b"PAR1 and something else PAR1", b"{}"] {
        std::fs::write(&file, bytes).unwrap();
        let output = run(&[Path::new("import"), &index, &file]);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
    }
    assert_eq!(run(&[Path::new("import"), &index]).status.code(), Some(3));
    assert_eq!(run(&[Path::new("export"), &index, &file, Path::new("nope")]).status.code(), Some(3));
}

//! The binary, the sample, and small indexes.

use assert_cmd::Command;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A file of the sample in the repository.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data").join(name)
}

/// An index folder and a place for files, gone with the test.
pub(crate) struct Place {
    folder: TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// The one JSON line that was printed.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let lines: Vec<&str> = self.out.lines().collect();
        assert_eq!(lines.len(), 1, "{self:?}");
        serde_json::from_str(lines[0]).unwrap()
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

pub(crate) fn lucerne() -> Command {
    Command::new(env!("CARGO_BIN_EXE_lucerne"))
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A new index with this schema.
    pub(crate) fn with_schema(schema: &str) -> Self {
        let place = Self::new();
        place.write("schema.json", schema.as_bytes());
        place.run("create @ --schema schema.json").expect(0);
        place
    }

    /// Keys `name`, two components, a number.
    pub(crate) fn small() -> Self {
        Self::with_schema(
            r#"{ "key": "name", "fields": [
                { "name": "size", "type": "i64" },
                { "name": "e", "type": "vector", "dimension": 2, "similarity": "euclidean" } ] }"#,
        )
    }

    /// An index of the sample's first documents.
    pub(crate) fn sample(documents: usize, more: &str) -> Self {
        let place = Self::new();
        place.command("create @ --schema").arg(data("schema.json")).assert().success();
        let threads = if more.contains("--threads") { "" } else { "--threads 1" };
        let ran = run(place
            .command(&format!("import @ --limit {documents} {threads} {more}"))
            .arg(data("packages.jsonl"))
            .arg("--vectors")
            .arg(format!("embedding={}", data("packages.f16.npy").display())));
        ran.expect(0);
        place
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.path("test.idx")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// A command in the place's folder: arguments are split at spaces, `@` is the index.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = lucerne();
        command.current_dir(self.folder.path());
        command.args(line.split_whitespace().map(|word| if word == "@" { "test.idx" } else { word }));
        command
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        run(&mut self.command(line))
    }

    /// Adds documents given as text.
    pub(crate) fn import(&self, documents: &str, more: &str) -> Ran {
        self.write("docs.jsonl", documents);
        // One thread, so that which document is in which segment is the same every time.
        let threads = if more.contains("--threads") { "" } else { "--threads 1" };
        self.run(&format!("import @ docs.jsonl --json {threads} {more}"))
    }

    /// Documents of the index as it is on disk.
    pub(crate) fn docs(&self) -> u64 {
        self.run("inspect @ --json").expect(0).json()["docs"].as_u64().unwrap()
    }
}

/// Little-endian bytes of numbers.
pub(crate) fn le(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// A `.npy` file of two dimensions.
pub(crate) fn npy(descr: &str, rows: usize, dimension: usize, data: &[u8]) -> Vec<u8> {
    let shape = format!("({rows}, {dimension})");
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

/// `count` documents with keys `d0`, `d1`, … and vectors on a line.
pub(crate) fn documents(count: usize) -> String {
    (0..count).map(|i| format!("{{\"name\":\"d{i}\",\"size\":{i},\"e\":[{i},0]}}\n")).collect()
}

//! What documents, schemas and vectors may be written in, and what is said of everything else.

use crate::support::{Place, le, npy, run};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

const DOCUMENTS: &str = "{\"name\":\"a\",\"size\":1}\n\n{\"name\":\"é東😀\",\"size\":2}\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn utf16(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn documents_are_read_however_they_are_written() {
    let array = "\u{feff}[\n  {\"name\":\"a\",\n   \"size\":1},\n\n  {\"name\":\"é東😀\",\"size\":2}\n]\n";
    for (name, bytes) in [
        ("docs.jsonl", DOCUMENTS.into()),
        ("docs.jsonl.gz", gzip(DOCUMENTS.as_bytes())),
        ("docs.jsonl.zst", zstd::encode_all(DOCUMENTS.as_bytes(), 1).unwrap()),
        // Neither names nor the lack of them mislead.
        ("zipped.jsonl", gzip(DOCUMENTS.as_bytes())),
        ("plain.jsonl.gz", DOCUMENTS.into()),
        ("bom.jsonl", format!("\u{feff}{}", DOCUMENTS.replace('\n', "\r\n")).into_bytes()),
        ("le.jsonl", utf16(&format!("\u{feff}{DOCUMENTS}"), u16::to_le_bytes)),
        ("be.jsonl", utf16(&format!("\u{feff}{DOCUMENTS}"), u16::to_be_bytes)),
        ("unmarked.jsonl", utf16(DOCUMENTS, u16::to_le_bytes)),
        ("docs.json", array.into()),
        ("docs.json.gz", gzip(array.as_bytes())),
        ("docs16.json", utf16(array, u16::to_le_bytes)),
    ] {
        let place = Place::small();
        place.write(name, &bytes);
        place.write("rows.npy", npy("<f4", 2, 2, &le(&[1.0, 2.0, 3.0, 4.0])));
        let from_file = place.run(&format!("import @ {name} --vectors e=rows.npy --json")).expect(0);
        assert!(from_file.err.is_empty(), "{name}: {from_file:?}");
        let mut command = place.command("import @ - --upsert --vectors e=rows.npy --json");
        run(command.write_stdin(bytes)).expect(0);
        let found =
            place.run("search @ --knn e --vector [3,4] -k 1 --exact --json --fields size").expect(0).json();
        assert_eq!(found["hits"][0]["key"], "é東😀", "{name}");
        assert_eq!((&found["hits"][0]["distance"], place.docs()), (&0.0.into(), 2), "{name}");
    }
}

#[test]
fn a_file_of_another_kind_is_named_with_what_to_do() {
    for (name, bytes, expected, hint) in [
        (
            "docs.csv",
            &b"name,size\na,1\n"[..],
            "docs.csv: this is CSV; expected JSON",
            "CSV is not supported",
        ),
        ("docs.tsv", b"name\tsize\na\t1\n", "docs.tsv: this is CSV", "CSV is not supported"),
        ("docs.txt", b"name;size\na;1\n", "docs.txt:1: ", "CSV is not supported"),
        ("docs.zip", b"PK\x03\x04\x00\x00", "docs.zip: this is a zip archive", "unpack it"),
        ("docs.xz", b"\xfd7zXZ\x00\x00", "compressed with xz", "xzcat"),
        ("docs.parquet", b"PAR1\x00\x00", "Parquet files need the program lucerne-parquet", "cargo install"),
        (
            "docs.jsonl",
            b"version https://git-lfs.github.com/spec/v1\n",
            "a pointer of Git LFS",
            "git lfs pull",
        ),
        ("docs.json", b"{\n  \"name\": \"a\"\n}\n", "docs.json:1: ", "jq -c"),
        (
            "docs.json",
            b"[{\"name\":\"a\"},\n {\"name\":\"b\"",
            "line 2: a document that begins here",
            "nothing of this",
        ),
        ("docs.json", b"[{\"name\":\"a\"}]\n{\"name\":\"b\"}", "line 2: there is more", "nothing of this"),
        ("docs.json", b"[{\"name\":\"a\"},\n {\"name\":\"b\",\n\"size\": x}]", "docs.json:3: ", "column 9"),
        ("docs.json", b"[{\"name\":\"a\"}, {\"name\":\"b\", \"size\": x}]", "docs.json:1: ", "column 37"),
        ("docs.json", b"[{\"name\":\"a\"}, 5]", "docs.json:1: ", "expected an object"),
    ] {
        let place = Place::small();
        place.write(name, bytes);
        let ran = place.run(&format!("import @ {name} --threads 1")).expect(2);
        assert!(ran.err.contains(expected) && ran.err.contains(hint), "{name}: {ran:?}");
        assert_eq!(place.docs(), 0);
    }
    let place = Place::small();
    let whole = gzip(DOCUMENTS.repeat(200).as_bytes());
    place.write("cut.jsonl.gz", &whole[..whole.len() / 2]);
    let ran = place.run("import @ cut.jsonl.gz --upsert").expect(3);
    assert!(ran.err.contains("cut.jsonl.gz: cannot read") && ran.err.contains("nothing of this"), "{ran:?}");
    // A table is not skipped line by line.
    place.write("docs.csv", "name,size\na,1\n");
    place.run("import @ docs.csv --skip-bad").expect(2);
}

#[test]
fn a_schema_may_have_a_mark_or_be_in_utf_16() {
    let schema = r#"{ "key": "name", "fields": [{ "name": "ä", "type": "i64" }] }"#;
    for bytes in
        [format!("\u{feff}{schema}").into_bytes(), utf16(&format!("\u{feff}{schema}"), u16::to_le_bytes)]
    {
        let place = Place::new();
        place.write("schema.json", bytes);
        place.run("create @ --schema schema.json").expect(0);
        assert!(place.run("inspect @ schema").expect(0).out.contains('ä'));
    }
    let place = Place::new();
    place.write("schema.json", b"{ \"key\": \"\xff\" }");
    let ran = place.run("create @ --schema schema.json").expect(2);
    assert!(ran.err.contains("schema.json: not UTF-8 at byte 10"), "{ran:?}");
}

#[test]
fn errors_of_vector_files_name_the_file_what_was_found_and_what_is_expected() {
    let rows = le(&[1.0, 2.0, f32::NAN, 4.0]);
    let mut single = npy("<f4", 1, 4, &le(&[1.0, 2.0, 3.0, 4.0]));
    let at = single.windows(6).position(|bytes| bytes == b"(1, 4)").unwrap();
    single[at..at + 6].copy_from_slice(b"(4,)  ");
    let files: [(&str, Vec<u8>, &[&str]); 10] = [
        ("nan.npy", npy("<f4", 2, 2, &rows), &["docs.jsonl:3: ", "NaN at position 0", "(row 1 of nan.npy)"]),
        ("single.npy", single, &["one row of 4 components", "field \"e\" has 2", "shape (rows, 2)"]),
        ("empty.npy", vec![], &["the file is empty", ".npy"]),
        ("text.npy", b"1,2\n3,4\n".to_vec(), &["not a .npy file", "numpy.save"]),
        (
            "rows.npz",
            b"PK\x03\x04\x00".to_vec(),
            &["a zip archive", ".npz", "expected .npy, .fbin, .fvecs or .bvecs"],
        ),
        ("rows.csv", b"1,2\n3,4\n".to_vec(), &["a file of kind .csv", "expected .npy"]),
        ("rows", b"1,2\n3,4\n".to_vec(), &["without an extension", "expected .npy"]),
        ("rows.npy.gz", gzip(&npy("<f4", 2, 2, &rows)), &["compressed with gzip", "gunzip"]),
        (
            "rows.fbin",
            npy("<f4", 2, 2, &rows),
            &["a NumPy file (.npy)", "expected the vectors of a .fbin file"],
        ),
        (
            "lfs.npy",
            b"version https://git-lfs.github.com/spec/v1\noid".to_vec(),
            &["Git LFS", "git lfs pull"],
        ),
    ];
    for (name, bytes, expected) in files {
        let place = Place::small();
        place.write("docs.jsonl", DOCUMENTS);
        place.write(name, bytes);
        let ran = place.run(&format!("import @ docs.jsonl --threads 1 --vectors e={name}")).expect(2);
        for expected in expected.iter().chain(&[name]) {
            assert!(ran.err.contains(expected), "{name}, {expected}: {ran:?}");
        }
    }
}

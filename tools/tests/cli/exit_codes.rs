//! Exit codes and what is said with them.

use crate::support::{Place, documents, lucerne, run};
use std::path::Path;

#[test]
fn usage_is_2() {
    let place = Place::small();
    for (line, expected) in [
        ("import @", "required"),
        ("search @ --knn e", "--vector"),
        ("search @ --knn nope --vector [1,2]", "no field \"nope\""),
        ("search @ --knn size --vector [1,2]", "expected a vector field"),
        ("search @ --knn e --vector [1]", "expected a vector of 2 components, given 1"),
        ("search @ --knn e --vector [1,2] -k 0", "limit (k) is 0"),
        ("search @ --knn e --vector [1,2] --fields nope", "no field \"nope\""),
        ("search @ --knn e --vector [1,2] --row 3", "cannot be used with '--row"),
        ("create other.idx --schema bad.json", "multiple of 8"),
        ("create other.idx --schema unknown.json", "no_such_format"),
        ("create @ --schema schema.json", "an index exists there already"),
        ("import @ schema.json --vectors e", "FIELD=FILE"),
        ("import @ schema.json --threads 0", "1 to 1024"),
        ("nonsense", "unrecognized subcommand"),
    ] {
        place.write("bad.json", r#"{ "fields": [{ "name": "x", "type": "binary_vector" }] }"#);
        place.write(
            "unknown.json",
            r#"{ "fields": [{ "name": "x", "type": "vector", "dimension": 2, "format": "no_such_format" }] }"#,
        );
        let ran = place.run(line).expect(2);
        assert!(ran.err.starts_with("error: ") && ran.err.contains(expected), "{line}: {ran:?}");
        assert!(ran.out.is_empty(), "{line}: {ran:?}");
    }
    assert!(!place.path("other.idx").join("segments_1").exists());
}

#[test]
fn input_and_output_is_3() {
    let place = Place::small();
    std::fs::create_dir(place.path("empty")).unwrap();
    for line in [
        "search missing.idx --knn e --vector [1,2]",
        "search empty --knn e --vector [1,2]",
        "inspect empty",
        "check empty",
        "check missing.idx",
        "import @ missing.jsonl",
        "import @ schema.json --vectors e=missing.npy",
        "import @ schema.json --order missing.u32",
        "create other.idx --schema missing.json",
        "search @ --knn e --vector-file missing.npy",
    ] {
        let ran = place.run(line).expect(3);
        assert!(ran.err.starts_with("error: "), "{line}: {ran:?}");
    }
    let missing = place.run("search missing.idx --query x").expect(3);
    assert!(missing.err.contains("missing.idx: no such folder"), "{missing:?}");
    assert!(missing.err.contains("hint: create an index with: lucerne create"), "{missing:?}");
    let empty = place.run("inspect empty").expect(3);
    assert!(
        empty.err.contains("empty: not an index") && empty.err.contains("hint: create an index with"),
        "{empty:?}"
    );
}

#[test]
fn a_wrong_path_is_told_from_damage_and_the_right_one_is_named() {
    let place = Place::small();
    place.import(&documents(3), "").expect(0);
    place.write("file", "no index");
    for (line, expected, hint) in [
        ("search tset.idx --query x", "tset.idx: no such folder", "did you mean test.idx?"),
        ("check tset.idx", "tset.idx: no such folder", "did you mean test.idx?"),
        ("search far/away.idx --query x", "far/away.idx: no such folder", "create an index with"),
        ("inspect .", ".: not an index (no commit found)", "did you mean test.idx?"),
        ("import . docs.jsonl", ".: not an index", "did you mean test.idx?"),
        ("search file --query x", "file: this is a file; an index is a folder", ""),
        ("check file", "file: this is a file", ""),
        ("create file --schema schema.json", "file: this is a file", ""),
        ("inspect test.idx/segments_2", "this is a file", "hint: the index is the folder test.idx"),
        ("add-index @ nope.idx", "nope.idx: no such folder", "did you mean test.idx?"),
        ("add-index @ file", "file: this is a file", ""),
        ("alter nope.idx --schema schema.json", "nope.idx: no such folder", "did you mean test.idx?"),
    ] {
        let ran = place.run(line).expect(3);
        assert!(ran.err.contains(expected) && ran.err.contains(hint), "{line}: {ran:?}");
    }
    let missing = Path::new("test.idx").join("_0.keys");
    std::fs::remove_file(place.path("").join(missing)).unwrap();
    let ran = place.run("search @ --query x").expect(3);
    assert!(ran.err.contains("_0.keys") && ran.err.contains("lucerne check test.idx"), "{ran:?}");
}

#[test]
fn damage_is_1_for_check_and_3_elsewhere() {
    let place = Place::small();
    place.import(&documents(10), "").expect(0);
    let commit = place.dir().join("segments_2");
    let mut bytes = std::fs::read(&commit).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&commit, bytes).unwrap();
    let ran = place.run("inspect @").expect(3);
    assert!(ran.err.contains("segments_2") && ran.err.contains("hint: list all damage"), "{ran:?}");
    let ran = place.run("check @ --json").expect(1);
    assert_eq!(ran.json()["problems"][0]["file"], "segments_2");
}

#[test]
fn a_held_lock_is_4() {
    let place = Place::small();
    let index = lucerne::Index::open(place.dir()).unwrap();
    let writer = index.writer().unwrap();
    let ran = place.import(&documents(1), "").expect(4);
    assert!(ran.err.contains("another writer is open") && ran.err.contains("hint: the lock ends"), "{ran:?}");
    drop(writer);
    place.import(&documents(1), "").expect(0);
}

#[test]
fn help_and_completions_are_0() {
    let help = run(lucerne().arg("--help")).expect(0).out;
    for command in ["create", "import", "search", "inspect", "check", "eval", "130  interrupted"] {
        assert!(help.contains(command), "{help}");
    }
    for command in ["create", "import", "search", "inspect", "check", "eval"] {
        let help = run(lucerne().args([command, "--help"])).expect(0).out;
        assert!(help.contains("Example") && help.contains(&format!("lucerne {command}")), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
    assert!(run(lucerne().args(["completions", "bash"])).expect(0).out.contains("lucerne"));
    run(&mut lucerne()).expect(2);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_lucerne"))
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{output:?}");
}

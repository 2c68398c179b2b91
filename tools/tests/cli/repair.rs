//! `check --repair`.

use crate::support::{Place, documents};

#[test]
fn a_check_says_what_a_repair_would_do_and_a_repair_does_it() {
    let place = Place::small();
    place.import(&documents(50), "").expect(0);
    let columns = place.dir().join("_0.cols");
    let mut bytes = std::fs::read(&columns).unwrap();
    bytes[70] ^= 1;
    std::fs::write(&columns, &bytes).unwrap();

    let check = place.run("check @").expect(1).out;
    assert!(check.contains("columns can be made again; no document is lost"), "{check}");
    assert!(check.contains("--repair"), "{check}");
    let json = place.run("check @ --json").expect(1).json();
    assert_eq!(
        (&json["repair"]["segments"][0]["rebuilt"][0], &json["ok"]),
        (&"columns".into(), &false.into())
    );
    let dry = place.run("check @ --repair --dry-run").expect(1).out;
    assert!(dry.contains("a repair would do this"), "{dry}");
    assert_eq!(std::fs::read(&columns).unwrap(), bytes);

    let aside = place.path("damaged");
    let repair = format!("check @ --repair --damaged-to {}", aside.display());
    let done = place.run(&repair).expect(0).out;
    assert!(done.contains("columns was made again") || done.contains("repaired in commit"), "{done}");
    assert!(done.contains("no damage"), "{done}");
    assert_eq!(std::fs::read(aside.join("_0.cols")).unwrap(), bytes);
    let again = place.run("check @ --repair").expect(0).out;
    assert!(again.contains("nothing to repair"), "{again}");
    place.run("check @ --dry-run").expect(2);
}

#[test]
fn lost_documents_are_listed_and_what_is_left_of_them_is_saved() {
    let place = Place::small();
    place.import(&documents(50), "").expect(0);
    let vectors = std::fs::read_dir(place.dir()).unwrap().map(|entry| entry.unwrap().path());
    let vectors = vectors.into_iter().find(|path| path.extension().is_some_and(|it| it == "vec")).unwrap();
    let mut bytes = std::fs::read(&vectors).unwrap();
    // 50 rows of 8 bytes: one sector.
    bytes[100] ^= 1;
    std::fs::write(&vectors, bytes).unwrap();
    let file = place.path("lost.jsonl");
    let ran = place.run(&format!("check @ --repair --save-lost {}", file.display())).expect(0).out;
    assert!(ran.contains("50 documents are lost") && ran.contains("and 30 more"), "{ran}");
    let saved = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<serde_json::Value> =
        saved.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 50);
    assert!(lines.iter().all(|line| line["document"]["name"] == line["key"]));
    // They are not overwritten.
    place.run(&format!("check @ --repair --save-lost {}", file.display())).expect(3);
}

#[test]
fn what_is_beyond_repair_is_said_and_left_alone() {
    let place = Place::small();
    place.import(&documents(5), "").expect(0);
    let commit = std::fs::read_dir(place.dir()).unwrap().map(|entry| entry.unwrap().path());
    let commit =
        commit.into_iter().find(|path| path.file_name().unwrap().to_string_lossy().starts_with("segments_"));
    std::fs::write(commit.unwrap(), [0; 400]).unwrap();
    let check = place.run("check @").expect(1).out;
    assert!(check.contains("restore a backup"), "{check}");
    let repair = place.run("check @ --repair").expect(1).err;
    assert!(repair.contains("restore a backup") && !repair.contains("lucerne check"), "{repair}");
}

#[test]
fn losses_of_a_tagged_commit_are_told_apart_and_not_saved_to_be_added_again() {
    let place = Place::with_schema(
        r#"{ "key": "id", "fields": [
            { "name": "t", "type": "text" },
            { "name": "v", "type": "vector", "dimension": 2, "similarity": "euclidean" } ] }"#,
    );
    let line = |key: &str, text: &str| format!("{{\"id\":\"{key}\",\"t\":\"{text}\",\"v\":[1,2]}}\n");
    place.import(&[line("a", "old"), line("b", "gone"), line("c", "keep")].concat(), "").expect(0);
    place.run("tag @ old").expect(0);
    place.run("update @ --key a --set t=new").expect(0);
    place.run("delete @ --key b").expect(0);
    let files = std::fs::read_dir(place.dir()).unwrap().map(|entry| entry.unwrap().path());
    let is_vectors = |name: &str| name.starts_with("_0.") && name.ends_with(".vec");
    let vectors = files.into_iter().find(|path| is_vectors(&path.file_name().unwrap().to_string_lossy()));
    std::fs::remove_file(vectors.unwrap()).unwrap();

    let file = place.path("lost.jsonl");
    let json = place.run("check @ --repair --dry-run --json").expect(1).json();
    let keys = |lost: &serde_json::Value| -> Vec<String> {
        lost.as_array().unwrap().iter().map(|lost| lost["key"].as_str().unwrap().to_owned()).collect()
    };
    let (repair, kept) = (&json["repair"], &json["repair"]["lost_in_kept"][0]);
    // Where the newest commit has merged the segment away, it loses nothing.
    assert!(keys(&repair["lost"]).iter().all(|key| key == "c"), "{json}");
    assert_eq!(
        (keys(&kept["lost"]), &kept["tags"][0]),
        (["a", "b", "c"].map(str::to_owned).to_vec(), &"old".into())
    );
    let ran = place.run(&format!("check @ --repair --save-lost {}", file.display())).expect(0).out;
    assert!(ran.contains("(tagged old), 3 documents are lost"), "{ran}");
    let saved = std::fs::read_to_string(&file).unwrap();
    assert!(!saved.contains("old") && !saved.contains("gone"), "{saved}");
}

#[test]
fn without_its_commit_file_an_index_is_told_from_no_index() {
    let place = Place::small();
    place.import(&documents(5), "").expect(0);
    std::fs::remove_file(place.dir().join("segments_2")).unwrap();
    for (line, code) in [("check @", 1), ("check @ --repair", 1), ("search @ --query x", 3)] {
        let err = place.run(line).expect(code).err;
        assert!(
            err.contains("files of segments, but no commit") && err.contains("restore a backup"),
            "{err}"
        );
    }
}

#[test]
fn the_other_copy_of_a_commit_is_not_called_an_older_commit() {
    let place = Place::small();
    place.import(&documents(5), "").expect(0);
    let commit = place.dir().join("segments_2");
    let mut bytes = std::fs::read(&commit).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&commit, bytes).unwrap();
    let ran = place.run("check @ --repair").expect(0).out;
    assert!(ran.contains("segments_2") && ran.contains("one of its two copies is whole"), "{ran}");
}

#[test]
fn vectors_that_cannot_be_verified_are_named() {
    let place = Place::small();
    place.import(&documents(200), "").expect(0);
    let cut = |extension: &str, len: u64| {
        let mut files = std::fs::read_dir(place.dir()).unwrap().map(|entry| entry.unwrap().path());
        let path = files.find(|path| path.extension().is_some_and(|it| it == extension)).unwrap();
        std::fs::File::options().write(true).open(path).unwrap().set_len(len).unwrap();
    };
    cut("vec", 700);
    cut("spare", 70);
    let ran = place.run("check @ --repair").expect(0).out;
    assert!(ran.contains("not verified: ") && ran.contains("taken as it is"), "{ran}");
}

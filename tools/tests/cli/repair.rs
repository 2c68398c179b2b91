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
    place.run("check @ --repair").expect(3);
}

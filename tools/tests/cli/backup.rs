//! `backup`, `tag`, `tags`, `untag` and `restore`.

use crate::support::{Place, documents};
use lucerne::Index;

#[test]
fn backup_copies_what_is_new_and_is_an_index() {
    let place = Place::small();
    place.import(&documents(100), "--flush-docs 40 --no-merge").expect(0);
    let first = place.run("backup @ safe.idx --json").expect(0).json();
    assert_eq!((&first["docs"], &first["copied_files"]), (&100.into(), &first["files"]), "{first}");
    let again = place.run("backup @ safe.idx").expect(0).out;
    assert!(again.contains("0 files (0 B) copied"), "{again}");
    place.import("{\"name\":\"more\",\"size\":1,\"e\":[1,1]}", "--no-merge").expect(0);
    let next = place.run("backup @ safe.idx --json").expect(0).json();
    assert!(next["copied_files"].as_u64() < next["files"].as_u64(), "{next}");
    place.run("check safe.idx").expect(0);
    let found = place.run("search safe.idx --query size:1 --json").expect(0).out;
    assert!(found.contains("more"), "{found}");

    let own = place.run("backup @ @").expect(2).err;
    assert!(own.contains("the folder of the index itself"), "{own}");
    let inside = place.run(&format!("backup @ {}", place.dir().join("inside").display())).expect(2).err;
    assert!(inside.contains("or inside of it"), "{inside}");
    let other = place.run("backup @ .").expect(2).err;
    assert!(other.contains("other files"), "{other}");
    place.run("backup missing.idx safe.idx").expect(3);
    let writer = Index::open(place.path("safe.idx")).unwrap().writer().unwrap();
    let locked = place.run("backup @ safe.idx").expect(4).err;
    assert!(locked.contains("safe.idx: another writer is open"), "{locked}");
    drop(writer);
}

#[test]
fn tags_keep_commits_that_can_be_searched_backed_up_and_restored() {
    let place = Place::small();
    place.import(&documents(20), "").expect(0);
    let tagged = place.run("tag @ before").expect(0).out;
    assert!(tagged.contains("tagged before") && tagged.contains("20 documents"), "{tagged}");
    place.import("{\"name\":\"more\",\"size\":1000,\"e\":[1,1]}", "").expect(0);
    let search = "search @ --query size:1000 --json";
    place.run(search).expect(0);
    place.run(&format!("{search} --at before")).expect(1);
    assert_eq!(place.run("inspect @ --at before --json").expect(0).json()["docs"], 20);
    place.run("backup @ old.idx --at before").expect(0);
    assert_eq!(place.run("inspect old.idx --json").expect(0).json()["docs"], 20);

    let tags = place.run("tags @ --json").expect(0).json();
    assert_eq!((&tags[0]["docs"], &tags[1]["tags"][0]), (&21.into(), &"before".into()), "{tags}");
    let shown = place.run("inspect @").expect(0).out;
    assert!(shown.contains("tags: before ("), "{shown}");
    let taken = place.run("tag @ before").expect(2).err;
    assert!(taken.contains("untag it first"), "{taken}");
    place.run("tag @ after").expect(0);
    let restored = place.run("restore @ before").expect(0).out;
    assert!(restored.contains("restored before") && restored.contains("20 documents"), "{restored}");
    assert_eq!(place.docs(), 20);
    place.run("restore @ after").expect(0);
    assert_eq!(place.docs(), 21);
    let unknown = place.run("restore @ never").expect(3).err;
    assert!(unknown.contains("no commit \"never\" is kept") && unknown.contains("before"), "{unknown}");
    for line in ["restore @ never", "untag @ never", "search @ --query x --at never"] {
        let unknown = place.run(line).expect(3).err;
        assert!(unknown.contains("lucerne tags") && !unknown.contains("lucerne check"), "{unknown}");
    }
    place.run("untag @ before").expect(0);
    place.run("untag @ after").expect(0);
    let tags = place.run("tags @").expect(0).out;
    assert_eq!(tags.lines().count(), 1, "{tags}");
    assert!(!place.run("inspect @").expect(0).out.contains("tags:"));
    place.run("check @").expect(0);
}

//! `delete` and `update`.

use crate::support::{Place, documents};

const SCHEMA: &str = r#"{"key": "name", "fields": [
    {"name": "short", "type": "text"},
    {"name": "size", "type": "i64"},
    {"name": "until", "type": "date"},
    {"name": "e", "type": "vector", "dimension": 2, "similarity": "euclidean"}]}"#;

fn filled() -> Place {
    let place = Place::with_schema(SCHEMA);
    place.import(&documents(20), "--flush-docs 7").expect(0);
    place
}

fn field(place: &Place, key: &str, field: &str) -> serde_json::Value {
    let line = format!("search @ --query name:{key} --fields {field} --json");
    place.run(&line).expect(0).json()["hits"][0]["fields"][field].clone()
}

#[test]
fn documents_are_deleted_by_query_by_key_and_by_date_and_a_dry_run_says_how_many() {
    let place = filled();
    let dry = place.run("delete @ --query size:<5 --dry-run").expect(0).out;
    assert_eq!(dry, "5 documents would be deleted. Nothing was changed (--dry-run).\n");
    assert_eq!(place.docs(), 20);
    let done = place.run("delete @ --query size:<5").expect(0).out;
    assert!(done.starts_with("5 documents deleted. The index has 15 documents (generation "), "{done}");
    let report = place.run("delete @ --key d7 --key d8 --key d0 --json").expect(0).json();
    assert_eq!((&report["matched"], &report["changed"], &report["docs"]), (&2.into(), &2.into(), &13.into()));
    place.write("gone.txt", "d9\n\nd10\r\nd9\n");
    assert_eq!(place.run("delete @ --keys-file gone.txt --json").expect(0).json()["changed"], 2);
    place.run("update @ --key d11 --set until=2020-01-01").expect(0);
    place.run("update @ --key d12 --set until=2999-01-01").expect(0);
    assert_eq!(place.run("delete @ --expired until --dry-run --json").expect(0).json()["matched"], 1);
    assert_eq!(place.run("delete @ --expired until --json").expect(0).json()["changed"], 1);
    assert_eq!(place.docs(), 10);
    place.run("check @").expect(0);
}

#[test]
fn documents_are_updated_by_query_and_vectors_stay() {
    let place = filled();
    let vector = field(&place, "d15", "e");
    let dry = place.run("update @ --query size:>=15 --increment size=100 --dry-run").expect(0).out;
    assert!(dry.starts_with("5 documents would be updated."), "{dry}");
    let line = "update @ --query size:>=15 --increment size=100 --set short=12 --json";
    let report = place.run(line).expect(0).json();
    assert_eq!((&report["matched"], &report["changed"]), (&5.into(), &5.into()));
    assert_eq!((field(&place, "d15", "size"), field(&place, "d15", "short")), (115.into(), "12".into()));
    assert_eq!(field(&place, "d15", "e"), vector);
    let again = place.run("update @ --query size:>=15 --set size=115").expect(0).out;
    assert!(again.starts_with("4 documents updated, 1 had these values already."), "{again}");
    place.run("update @ --key d15 --remove short --increment size=-15").expect(0);
    assert_eq!(
        (field(&place, "d15", "size"), field(&place, "d15", "short")),
        (100.into(), serde_json::Value::Null)
    );
}

#[test]
fn what_cannot_be_done_is_told_and_nothing_is_changed() {
    let place = filled();
    for (line, expected) in [
        ("delete @", "--query"),
        ("delete @ --query size:<5 --key d1", "cannot be used with"),
        ("delete @ --expired size", "expected a date"),
        ("delete @ --expired size --dry-run", "expected a date"),
        ("delete @ --expired nope --dry-run", "no field \"nope\""),
        ("delete @ --query nope:1", "no field \"nope\""),
        ("update @ --key d1", "nothing to change"),
        ("update @ --key d1 --set size", "FIELD=VALUE"),
        ("update @ --key d1 --set size=1 --set size=2", "changed twice"),
        ("update @ --key d1 --set size=1 --remove size", "changed twice"),
        ("update @ --key d1 --set size=seven", "expected a whole number"),
        ("update @ --key d1 --increment size=seven", "expected a number"),
        ("update @ --query size:<9 --increment short=1", "field \"short\": expected a string"),
        ("update @ --key d1 --set name=d2", "cannot change the key"),
    ] {
        let ran = place.run(line).expect(2);
        assert!(ran.err.contains(expected), "{line}: {ran:?}");
    }
    place.run("delete missing.idx --key a").expect(3);
    assert_eq!(place.docs(), 20);
}

//! `drop-raw`.

use crate::support::{Place, documents};

const SCHEMA: &str = r#"{"key": "name", "fields": [
    {"name": "size", "type": "i64"},
    {"name": "e", "type": "vector", "dimension": 16, "similarity": "euclidean"}]}"#;

/// Documents with vectors that are unlike each other.
fn lines(count: u32) -> String {
    let line = |i: u32| {
        let components: Vec<String> =
            (1..=16).map(|j: u32| format!("{:.4}", (f64::from(i * j * j + j) * 0.37).sin())).collect();
        format!("{{\"name\":\"d{i}\",\"size\":{i},\"e\":[{}]}}\n", components.join(","))
    };
    (0..count).map(line).collect()
}

#[test]
fn the_loss_is_printed_first_and_a_dry_run_changes_nothing() {
    let place = Place::with_schema(SCHEMA);
    place.import(&lines(300), "--flush-docs 100").expect(0);
    let facts = place.run("inspect @ --json").expect(0).out;
    let dry = place.run("drop-raw @ --field e --dry-run").expect(0).out;
    assert!(dry.contains("default, without raw vectors") && dry.contains("would be won"), "{dry}");
    assert_eq!(place.run("inspect @ --json").expect(0).out, facts);

    let done = place.run("drop-raw @ --field e --json").expect(0).json();
    assert_eq!((&done["segments"], &done["queries"]), (&3.into(), &150.into()));
    // Of each segment: rows, header and footer.
    assert_eq!(done["bytes"], 300 * 64 + 3 * 80);
    assert!(done["recall_without_raw"].as_f64().unwrap() > 0.9);
    let search = "search @ --knn e --vector [1,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0] -k 5";
    place.run(search).expect(0);
    let refused = place.run(&format!("{search} --exact")).expect(2).err;
    assert!(refused.contains("keeps no raw vectors"), "{refused}");
    assert!(place.run("inspect @ _0").expect(0).out.contains("not kept"));
    place.run("force-merge @").expect(0);
    place.run("check @").expect(0);
    let exported = place.run("export @ --limit 1").expect(0).err;
    assert!(exported.contains("vectors of e are not in the lines"), "{exported}");
    let again = place.run("drop-raw @ --field e").expect(2).err;
    assert!(again.contains("keeps no raw vectors"), "{again}");
}

#[test]
fn fields_without_codes_are_told() {
    let place = Place::small();
    place.import(&documents(50), "").expect(0);
    let short = place.run("drop-raw @ --field e").expect(2).err;
    assert!(short.contains("8 components"), "{short}");
    place.run("drop-raw @ --field nothing").expect(2);
    place.run("drop-raw missing.idx --field e").expect(3);
}

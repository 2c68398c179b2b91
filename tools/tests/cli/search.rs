//! `search`.

use crate::support::{Place, data, documents, run};

#[test]
fn the_samples_queries_find_what_they_are_about() {
    let place = Place::sample(2_400, "--flush-docs 600 --threads 1");
    let queries = data("queries.f16.npy");
    let mut command = place.command("search @ --knn embedding --row 3 -k 5 --fields short,section --json");
    let found = run(command.arg("--vector-file").arg(&queries)).expect(0).json();
    let hits = found["hits"].as_array().unwrap();
    assert_eq!((hits.len(), &hits[0]["key"]), (5, &"libssh2-1".into()));
    assert_eq!(hits[0]["fields"]["section"], "libs");
    assert_eq!(hits[0]["fields"].as_object().unwrap().len(), 2);
    assert!(hits[0]["score"].as_f64() > hits[4]["score"].as_f64());
    assert!(hits[0]["distance"].as_f64() < hits[4]["distance"].as_f64());
    assert_eq!(found["segments"].as_array().unwrap().len(), 4);
    assert!(found["segments"][0]["visited"].as_u64() > Some(0));
    assert_eq!(found["exact"], false);

    let mut command = place.command("search @ --knn embedding --row 3 -k 5 --fields short,section");
    let table = run(command.arg("--vector-file").arg(&queries)).expect(0).out;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 6, "{table}");
    assert!(lines[0].contains("key") && lines[0].contains("distance") && lines[0].contains("section"));
    assert!(lines[1].starts_with("1  libssh2-1 ") && lines[1].contains("SSH2 client-side library"));
    assert!(!table.contains('\u{1b}'), "colors in a pipe: {table:?}");

    for more in ["--exact", "--rescore 2 --candidates 50"] {
        let mut command = place.command(&format!("search @ --knn embedding --row 3 --json {more}"));
        let found = run(command.arg("--vector-file").arg(&queries)).expect(0).json();
        assert_eq!((found["exact"].clone(), &found["hits"][0]["key"]), (true.into(), &"libssh2-1".into()));
        assert_eq!(found["hits"].as_array().unwrap().len(), 10);
    }
}

#[test]
fn a_vector_is_given_as_a_list() {
    let place = Place::small();
    place.import(&documents(20), "").expect(0);
    let ran =
        run(place.command("search @ --knn e -k 2 --json --fields * --vector").arg("[3.1, -0.5]")).expect(0);
    let found = ran.json();
    assert_eq!(found["hits"][0]["key"], "d3");
    assert_eq!(found["hits"][1]["key"], "d4");
    assert_eq!(found["hits"][0]["fields"], serde_json::json!({ "name": "d3", "size": 3, "e": [3.0, 0.0] }));
    let list = run(place.command("search @ --knn e --vector").arg("[3.1, x]")).expect(2);
    assert!(list.err.contains("JSON list of numbers"), "{list:?}");
}

#[test]
fn nothing_in_a_document_steers_the_terminal() {
    let place = Place::with_schema(
        r#"{ "key": "name", "fields": [
            { "name": "t", "type": "text" }, { "name": "e", "type": "vector", "dimension": 1 } ] }"#,
    );
    place.import("{\"name\":\"a\",\"t\":\"red \\u001b[31m\\nand \\u0007 more\",\"e\":[1]}", "").expect(0);
    let ran = run(place.command("search @ --knn e --fields t --vector").arg("[1]")).expect(0);
    assert!(!ran.out.contains('\u{1b}') && !ran.out.contains('\u{7}'), "{ran:?}");
    assert_eq!(ran.out.lines().count(), 2, "{ran:?}");
}

#[test]
fn no_hit_is_exit_code_1() {
    let place = Place::small();
    let ran = run(place.command("search @ --knn e --json --vector").arg("[0, 0]")).expect(1);
    assert_eq!(ran.json()["hits"], serde_json::json!([]));
    assert!(ran.err.is_empty(), "{ran:?}");
    let ran = run(place.command("search @ --knn e --vector").arg("[0, 0]")).expect(1);
    assert!(ran.err.contains("error: no hit"), "{ran:?}");
}

#[test]
fn a_search_has_a_deadline_and_threads() {
    let place = Place::sample(2_400, "--flush-docs 600 --threads 1");
    let search = "search @ --query *:* --sort section -k 1000 --fields *";
    let alone = run(&mut place.command(&format!("{search} --json"))).expect(0).json();
    assert!(alone["took_ms"]["total"].as_f64().unwrap() > 0.0 && alone["stopped"].is_null());
    let found =
        run(&mut place.command(&format!("{search} --timeout 1min --threads 3 --json"))).expect(0).json();
    assert_eq!(found["hits"], alone["hits"]);

    let late = run(&mut place.command(&format!("{search} --timeout 0ms"))).expect(124);
    assert!(late.err.contains("timed out"), "{}", late.err);
    let part = run(&mut place.command(&format!("{search} --timeout 1us --partial --json"))).expect(1);
    assert!(part.err.contains("timed out") && part.json()["stopped"] == "timed_out", "{}", part.err);
    for wrong in ["5", "5 parsecs", "-1ms", "1e400s"] {
        let refused = run(place.command("search @ --query *:*").arg(format!("--timeout={wrong}"))).expect(2);
        assert!(refused.err.contains("50ms"), "{}", refused.err);
    }
    let explained = run(&mut place.command("search @ --query section:libs --explain -k 1")).expect(0);
    assert!(explained.err.contains("took") && explained.err.contains("resolving"), "{}", explained.err);
}

#[test]
fn documents_are_counted_by_their_values() {
    let place = Place::sample(2_400, "--flush-docs 600 --threads 1");
    let search = "search @ --query description:editor --facet section:3 -k 2";
    let found = run(&mut place.command(&format!("{search} --json"))).expect(0).json();
    let sections = &found["aggregations"]["section"];
    assert_eq!(sections["buckets"].as_array().unwrap().len(), 3);
    let counted: u64 =
        sections["buckets"].as_array().unwrap().iter().map(|one| one["doc_count"].as_u64().unwrap()).sum();
    let total = counted + sections["sum_other_doc_count"].as_u64().unwrap();
    assert_eq!(found["total"], serde_json::json!({"value": total, "relation": "eq"}));

    let aggregate = r#"{"sizes": {"stats": {"field": "size"}},
        "big": {"range": {"field": "size", "ranges": [{"from": 1000}]}, "aggs": {"largest": {"max": {"field": "size"}}}}}"#;
    let ran = run(place.command(&format!("{search} --total --aggregate")).arg(aggregate)).expect(0);
    assert!(ran.err.contains(&format!("{total} found")), "{ran:?}");
    assert!(ran.out.contains("\nsection (3 of ") && ran.out.contains("\nsizes: count "), "{ran:?}");
    assert!(
        ran.out.contains("value") && ran.out.contains("largest") && ran.out.contains("1000-*"),
        "{ran:?}"
    );

    let ran = run(place.command("search @ --query *:* --aggregate").arg("{\"a\": {\"tems\": {}}}")).expect(2);
    assert!(ran.err.contains("unknown field `tems`") && ran.err.contains("expected aggregations"), "{ran:?}");
    let ran = run(&mut place.command("search @ --query *:* --facet section:x")).expect(2);
    assert!(ran.err.contains("not a number"), "{ran:?}");
    let twice = r#"{"n": {"min": {"field": "size"}}, "n": {"max": {"field": "size"}}}"#;
    let ran = run(place.command("search @ --query *:* --aggregate").arg(twice)).expect(2);
    assert!(ran.err.contains("\"n\" is given twice"), "{ran:?}");
    let ran = run(&mut place.command("search @ --query *:* --facet section --facet section:3")).expect(2);
    assert!(ran.err.contains("counted twice"), "{ran:?}");
    let named = r#"{"section": {"stats": {"field": "size"}}}"#;
    let ran = run(place.command("search @ --query *:* --facet section --aggregate").arg(named)).expect(2);
    assert!(ran.err.contains("--facet section already"), "{ran:?}");
}

#[test]
fn long_values_are_cut_in_tables_and_whole_in_json() {
    let place = Place::with_schema(r#"{ "key": "name", "fields": [{ "name": "tag", "type": "keyword" }] }"#);
    let long = "x".repeat(300);
    place.import(&format!("{{\"name\":\"a\",\"tag\":\"{long}\"}}"), "").expect(0);
    let ran = run(&mut place.command("search @ --query *:* --facet tag")).expect(0);
    assert!(ran.out.contains("xxx…") && ran.out.lines().all(|line| line.chars().count() < 120), "{ran:?}");
    let ran = run(&mut place.command("search @ --query *:* --facet tag --json")).expect(0);
    assert!(ran.out.contains(&long), "{ran:?}");
}

#[test]
fn hits_are_grouped_by_a_field() {
    let place = Place::sample(2_400, "--flush-docs 600 --threads 1");
    let search = "search @ --query description:library --group-by section:2 -k 3 --fields section";
    let found = run(&mut place.command(&format!("{search} --json"))).expect(0).json();
    let hits = found["hits"].as_array().unwrap();
    let sections: std::collections::BTreeSet<&str> =
        hits.iter().map(|hit| hit["group"]["value"].as_str().unwrap()).collect();
    assert_eq!((hits.len(), sections.len()), (3, 3));
    for hit in hits {
        assert_eq!(hit["group"]["value"], hit["fields"]["section"]);
        for next in hit["group"]["next"].as_array().unwrap() {
            assert_eq!(next["fields"]["section"], hit["fields"]["section"]);
        }
    }
    let table = run(&mut place.command(search)).expect(0).out;
    let lines: Vec<&str> = table.lines().collect();
    let next: usize = hits.iter().map(|hit| hit["group"]["next"].as_array().unwrap().len()).sum();
    assert!(lines[0].contains("group") && lines.len() == 4 + next, "{table}");
}

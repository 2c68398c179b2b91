//! `search` by words and values, and what combines them with vectors.

use crate::support::{Place, Ran, data, le, npy, run};
use serde_json::{Value, json};

fn place() -> Place {
    let place = Place::with_schema(
        r#"{ "key": "name", "fields": [
            { "name": "title", "type": "text" }, { "name": "body", "type": "text" },
            { "name": "section", "type": "keyword" }, { "name": "size", "type": "i64" },
            { "name": "e", "type": "vector", "dimension": 2, "similarity": "euclidean" } ] }"#,
    );
    let document = |name: &str, title: &str, section: &str, size: i64, e: [f32; 2]| {
        let body = format!("about {name}");
        json!({ "name": name, "title": title, "body": body, "section": section, "size": size, "e": e })
            .to_string()
    };
    let documents = [
        document("vim", "text editor", "editors", 3_000, [0.0, 0.0]),
        document("emacs", "editor and more", "editors", 90_000, [1.0, 0.0]),
        document("ed", "line editor", "editors", 60, [2.0, 0.0]),
        document("idle", "editor | for python", "python", 800, [3.0, 0.0]),
        document("pytest", "tests for python", "python", 2_000, [4.0, 0.0]),
    ];
    place.import(&documents.join("\n"), "").expect(0);
    place
}

fn ask(place: &Place, arguments: &[&str]) -> Ran {
    run(place.command("search @").args(arguments))
}

#[track_caller]
fn keys(place: &Place, arguments: &[&str]) -> Vec<String> {
    let found = ask(place, &[arguments, &["--json"]].concat()).expect(0).json();
    let hits = found["hits"].as_array().unwrap();
    hits.iter().map(|hit| hit["key"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn set(place: &Place, arguments: &[&str]) -> Vec<String> {
    let mut keys = keys(place, arguments);
    keys.sort();
    keys
}

#[test]
fn pages_have_one_window_and_say_where_it_ends() {
    let place = place();
    let both = ["-q", "editor", "--knn", "e", "--vector", "[9, 0]"];
    for how in [&["--hybrid"][..], &["--hybrid", "linear"], &["--rerank", "vector", "--weight", "5"]] {
        let pages = (0..4).flat_map(|offset| {
            keys(&place, &[&both[..], how, &["-k", "1", "--offset", &offset.to_string()]].concat())
        });
        let pages: Vec<String> = pages.collect();
        assert_eq!(pages, keys(&place, &[&both[..], how, &["-k", "4"]].concat()), "{how:?}");
    }
    let beyond = [&both[..], &["--hybrid", "--window", "1", "-k", "1", "--offset", "2"]].concat();
    let ended = ask(&place, &beyond).expect(1).err;
    assert!(ended.contains("both rankings end after 1 hits; a larger --window has more"), "{ended}");
    let beyond = ask(&place, &["--knn", "e", "--vector", "[9, 0]", "--offset", "10000"]).expect(2).err;
    assert!(beyond.contains("nearest neighbors end at 10000"), "{beyond}");
}

#[test]
fn a_field_that_nothing_has_is_warned_of_in_a_dynamic_schema() {
    let place = Place::with_schema(
        r#"{"key": "id", "dynamic": true, "fields": [{"name": "section", "type": "keyword"}]}"#,
    );
    place.import(r#"{"id": "a", "section": "x", "color": "red"}"#, "").expect(0);
    let warning = |arguments: &[&str], code| ask(&place, arguments).expect(code).err;
    assert_eq!(warning(&["-q", "*", "--fields", "section,color"], 0), "");
    let warned = warning(&["-q", "*", "--fields", "secton"], 0);
    assert!(warned.starts_with("warning: no document has a field \"secton\""), "{warned}");
    let warned = warning(&["-q", "colour:red"], 1);
    assert!(warned.contains("warning: no document has a field \"colour\""), "{warned}");
    let json = ask(&place, &["-q", "*", "--fields", "secton", "--json"]).expect(0).json();
    assert_eq!(json["unknown_fields"], json!(["secton"]));
}

#[test]
fn the_direction_of_a_sort_is_understood_in_any_case() {
    let place = place();
    for descending in ["size:desc", "size:DESC", "size:Desc", "size desc", "size DESC"] {
        assert_eq!(
            keys(&place, &["-q", "*", "--sort", descending, "-k", "2"]),
            ["emacs", "vim"],
            "{descending}"
        );
    }
    for ascending in ["size", "size:asc", "size:ASC", "size ASC"] {
        assert_eq!(keys(&place, &["-q", "*", "--sort", ascending, "-k", "2"]), ["ed", "idle"], "{ascending}");
    }
    let json = r#"{"sort": [{"field": "size", "order": "DESC"}], "limit": 1}"#;
    assert_eq!(keys(&place, &["-q", json]), ["emacs"]);
    let error = ask(&place, &["-q", "*", "--sort", "size:down"]).expect(2).err;
    assert!(error.contains("size:down"), "{error}");
}

#[test]
fn what_is_typed_may_be_wrong() {
    let place = place();
    assert!(ask(&place, &["-q", "edtior~1 AND lin?"]).expect(1).out.is_empty());
    assert_eq!(set(&place, &["-q", "edtior~1 AND l*e"]), ["ed"]);
    assert_eq!(set(&place, &["-q", "+edtior +lien", "--fuzzy=1"]), ["ed"]);
    assert_eq!(set(&place, &["-q", "/te[sx]ts?/", "--fuzzy"]), ["pytest", "vim"]);
    assert_eq!(set(&place, &["-q", "emacs line", "--default-field", "title^2,body"]), ["ed", "emacs"]);
    let refused = ask(&place, &["-q", "(line \"editor"]).expect(2).err;
    assert!(refused.contains("is not closed"), "{refused}");
    let lenient = ask(&place, &["-q", "(line \"nothing", "--lenient", "--highlight", "title"]).expect(0);
    assert!(
        lenient.err.contains("is not closed") && lenient.out.contains("title: [line] editor"),
        "{lenient:?}"
    );
    let json = ask(&place, &["-q", "line", "--highlight", "title", "--json"]).expect(0).json();
    assert_eq!(json["hits"][0]["highlights"]["title"], json!(["[line] editor"]));
}

#[test]
fn every_language_finds_what_it_says() {
    let place = place();
    place.write("q.npy", npy("<f4", 2, 2, &le(&[9.0, 9.0, 3.9, 0.0])));
    place.write("q.bin", le(&[3.9, 0.0]));
    assert_eq!(set(&place, &["--query", "editor -section:python"]), ["ed", "emacs", "vim"]);
    assert_eq!(set(&place, &["--query", "title:editor AND size:[* TO 5000]"]), ["ed", "idle", "vim"]);
    assert_eq!(set(&place, &["--query", "-section:editors"]), ["idle", "pytest"]);
    assert_eq!(set(&place, &["-q", "vim", "--default-field", "body"]), ["vim"]);
    assert_eq!(
        set(&place, &["-q", r#"{"term": {"field": "section", "value": "python"}}"#]),
        ["idle", "pytest"]
    );
    assert_eq!(keys(&place, &["-q", r#"{"sort": [{"field": "size"}], "limit": 2}"#]), ["ed", "idle"]);
    assert_eq!(keys(&place, &["-q", "{!knn f=e topK=2}[3.9, 0]"]), ["pytest", "idle"]);
    let redis = "(@section:{python} @size:[0 1000])=>[KNN 3 @e $v AS far]";
    for value in ["v=[3.9, 0]", "$v=[3.9, 0]", "v=@q.npy:1", "v=@q.bin"] {
        assert_eq!(keys(&place, &["-q", redis, "--param", value]), ["idle"], "{value}");
        let all = "(*)=>[KNN 3 @e $v AS far]";
        assert_eq!(keys(&place, &["-q", all, "--param", value]), ["pytest", "idle", "ed"], "{value}");
    }
    let found = ask(&place, &["-q", redis, "--param", "v=[3.9, 0]", "--json"]).expect(0).json();
    let hit = &found["hits"][0];
    let (named, distance) = (hit["fields"]["far"].as_f64().unwrap(), hit["distance"].as_f64().unwrap());
    assert!((named - distance).abs() < 1e-6, "{hit}");
    let table = ask(&place, &["-q", redis, "--param", "v=@q.npy:1", "--fields", "title"]).expect(0).out;
    assert!(table.lines().next().unwrap().ends_with("title                far"), "{table}");
}

#[test]
fn filters_pages_sorts_and_thresholds() {
    let place = place();
    let knn = ["--knn", "e", "--vector", "[0, 0]"];
    let with = |more: &[&str]| keys(&place, &[&knn[..], more].concat());
    assert_eq!(with(&["-k", "2"]), ["vim", "emacs"]);
    assert_eq!(with(&["--filter", "section:python AND size:<1000"]), ["idle"]);
    assert_eq!(
        with(&["--filter", r#"{"terms": {"field": "name", "values": ["ed", "idle"]}}"#]),
        ["ed", "idle"]
    );
    assert_eq!(with(&["-k", "2", "--offset", "2"]), ["ed", "idle"]);
    assert_eq!(with(&["-k", "3", "--filter", "section:python"]), ["idle", "pytest"]);
    assert_eq!(with(&["-k", "4", "--filter", "section:python", "--post-filter"]), ["idle"]);
    let all = with(&["--limit", "5"]);
    assert_eq!(all, ["vim", "emacs", "ed", "idle", "pytest"]);
    // Of euclidean distances 0, 1, 4: 1 / (1 + d) is 1, 0.5, 0.2.
    assert_eq!(with(&["--min-score", "0.4"]), ["vim", "emacs"]);
    assert_eq!(keys(&place, &["--knn", "e", "--like", "ed", "-k", "1"]), ["ed"]);
    assert_eq!(keys(&place, &["--filter", "section:python", "--sort", "size:desc"]), ["pytest", "idle"]);
    assert_eq!(
        keys(&place, &["-q", "editor", "--sort", "section:asc,size:desc"]),
        ["emacs", "vim", "ed", "idle"]
    );
    let both = ["--sort", "section:desc", "--sort", "size"];
    assert_eq!(keys(&place, &[&["-q", "editor"], &both[..]].concat()), ["idle", "ed", "vim", "emacs"]);
    assert_eq!(keys(&place, &["-q", "*:*", "--sort", "name", "-k", "2", "--offset", "3"]), ["pytest", "vim"]);
}

#[test]
fn a_query_and_a_vector_are_fused_or_one_reranks_the_other() {
    let place = place();
    let both = ["--query", "python", "--knn", "e", "--vector", "[0, 0]"];
    let with = |more: &[&str]| ask(&place, &[&both[..], more, &["--json"]].concat());
    let score = |found: &Value, key: &str| {
        let hits = found["hits"].as_array().unwrap();
        hits.iter().find(|hit| hit["key"] == key).unwrap()["score"].as_f64().unwrap()
    };
    let fused = with(&["--hybrid"]).expect(0).json();
    assert_eq!(fused["hits"].as_array().unwrap().len(), 5);
    // vim is first by its vector and is not found by the word.
    assert!((score(&fused, "vim") - 1.0 / 61.0).abs() < 1e-6, "{fused}");
    let heavy = with(&["--hybrid", "rrf", "--weights", "0.5,2"]).expect(0).json();
    assert!((score(&heavy, "vim") - 2.0 / 61.0).abs() < 1e-6, "{heavy}");
    let linear = with(&["--hybrid", "linear", "--weights", "0,1"]).expect(0).json();
    assert!((score(&linear, "vim") - 1.0).abs() < 1e-6, "{linear}");
    let filtered = with(&["--hybrid", "--filter", "section:python", "-k", "1"]).expect(0).json();
    assert_eq!(filtered["hits"].as_array().unwrap().len(), 1);

    let first = ask(&place, &["--query", "python", "--json"]).expect(0).json();
    let reranked = with(&["--rerank", "vector", "--weight", "10"]).expect(0).json();
    for (key, distance) in [("idle", 9.0), ("pytest", 16.0)] {
        let expected = score(&first, key) + 10.0 / (1.0 + distance);
        assert!((score(&reranked, key) - expected).abs() < 1e-5, "{reranked}");
    }
    // The farthest first.
    let negative = with(&["--rerank", "vector", "--weight", "-1e3"]).expect(0).json();
    assert_eq!(negative["hits"][0]["key"], "pytest", "{negative}");
    let one = with(&["--rerank", "vector", "--weight", "10", "--window", "1"]).expect(0).json();
    let last = &one["hits"][1];
    assert_eq!(last["score"], score(&first, last["key"].as_str().unwrap()));

    let unclear = with(&[]).expect(2);
    assert!(unclear.err.contains("hint: --hybrid ranks by both"), "{unclear:?}");
}

#[test]
fn hits_are_explained_and_so_are_those_that_are_not_found() {
    let place = place();
    let table = ask(&place, &["-q", "text", "--explain"]).expect(0).out;
    assert!(table.contains("\nvim\n") && table.contains("BM25"), "{table}");
    let json = ask(&place, &["-q", "text", "--explain", "--json"]).expect(0).json();
    assert_eq!(json["hits"][0]["explanation"]["matches"], true);
    let filtered = ["--knn", "e", "--vector", "[0, 0]", "--filter", "section:python"];
    let why = ask(&place, &[&filtered[..], &["--why", "vim"]].concat()).expect(0).out;
    assert!(why.contains("\"vim\" is not found") && why.contains("filtered out"), "{why}");
    let why = ask(&place, &[&filtered[..], &["--why", "idle", "--json"]].concat()).expect(0).json();
    assert_eq!(why["matches"], true);
}

#[test]
fn markdown_is_a_table_of_its_own() {
    let place = place();
    let text =
        ask(&place, &["-q", "name:idle", "--fields", "title,size", "--format", "markdown"]).expect(0).out;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["|  | key | score | title | size |", "| ---: | --- | ---: | --- | --- |"]);
    assert_eq!(lines[2], r"| 1 | idle | 1.000000 | editor \| for python | 800 |");
    let json = ask(&place, &["-q", "name:idle", "--format", "json"]).expect(0).json();
    assert_eq!(json["hits"][0]["key"], "idle");
}

#[test]
fn wrong_queries_show_the_place_and_exit_with_2() {
    let place = place();
    for (arguments, expected) in [
        (
            vec!["-q", "title:(a b"],
            "error: query: this parenthesis is not closed; expected another ) (character 7)\n  title:(a b\n        ^",
        ),
        (vec!["-q", "nope:a"], "no field \"nope\"; the schema has: name, title"),
        (vec!["-q", "*=>[KNN 3 @e $w]"], "no parameter $w"),
        (vec!["-q", "a", "--filter", "size:big"], "expected a whole number"),
        (vec!["-q", "{\"tern\": {}}"], "expected one of `all`, `none`, `term`"),
        (vec![], "nothing to search for; give --query, --filter, --more-like, --sparse, or --knn"),
        (vec!["--knn", "e"], "no query vector"),
        (vec!["--knn", "e", "--like", "nobody"], "no document \"nobody\" that has a vector in \"e\""),
        (vec!["-q", "a", "--sort", "title"], "a text field has no order"),
        (vec!["-q", "a", "--param", "v"], "expected NAME=VALUE"),
        (vec!["-q", "a", "--param", "v=@q.bin:3"], "raw bytes are one vector"),
        (vec!["-q", "a", "--hybrid"], "--knn"),
        (vec!["--vector", "[1]"], "--knn"),
    ] {
        let ran = ask(&place, &arguments).expect(2);
        assert!(ran.err.contains(expected), "{arguments:?}: {ran:?}");
    }
    assert!(
        ask(&place, &["-q", "*=>[KNN 3 @e $v]", "--param", "v=@no.bin"])
            .expect(3)
            .err
            .contains("no such file")
    );
    assert_eq!(ask(&place, &["-q", "nothing", "--format", "markdown"]).expect(1).out, "");
    let none = ask(&place, &["-q", "nothing"]).expect(1);
    assert!(none.err.contains("no hit") && none.err.contains("--why"), "{none:?}");
}

#[test]
fn the_samples_packages_are_found_in_one_line() {
    let place = Place::sample(2_400, "--flush-docs 600 --threads 1");
    let filtered = "section:python AND installed_size:<1000";
    let near =
        ["--knn", "embedding", "--like", "libssh2-1", "--fields", "section,installed_size", "--explain"];
    let found = ask(&place, &[&near[..], &["--filter", filtered, "--json"]].concat()).expect(0).json();
    let hits = found["hits"].as_array().unwrap();
    assert_eq!(hits.len(), 10);
    for hit in hits {
        assert_eq!(hit["fields"]["section"], "python");
        assert!(hit["fields"]["installed_size"].as_i64() < Some(1000), "{hit}");
    }
    let queries = data("queries.f16.npy").display().to_string();
    let vector = ["--knn", "embedding", "--vector-file", &queries, "--row", "3", "--query", "ssh library"];
    for how in [&["--hybrid"][..], &["--rerank", "vector", "--weight", "5"]] {
        let found = ask(&place, &[&vector[..], how, &["--explain", "--json"]].concat()).expect(0).json();
        let keys = found["hits"].as_array().unwrap().iter().map(|hit| hit["key"].as_str().unwrap());
        assert!(keys.take(3).any(|key| key.contains("ssh")), "{found}");
        assert!(found["hits"][0]["explanation"]["details"].is_array());
    }
}

#[test]
fn hits_like_a_document_unlike_each_other_and_near_a_value() {
    let place = Place::sample(300, "");
    let keys = |line: &str| -> Vec<String> {
        let hits = place.run(&format!("search @ {line} -k 5 --json")).expect(0).json();
        hits["hits"].as_array().unwrap().iter().map(|hit| hit["key"].as_str().unwrap().to_owned()).collect()
    };
    let first = keys("--query *:*")[0].clone();
    let like = keys(&format!("--knn embedding --liked {first}"));
    assert!(like.len() == 5 && !like.contains(&first));
    assert_ne!(keys(&format!("--knn embedding --liked {first} --disliked {}", like[0])), like);
    assert_ne!(keys(&format!("--knn embedding --liked {first} --mmr 0.2")), like);
    assert_eq!(keys(&format!("--knn embedding --liked {first} --mmr 1")), like);
    assert!(!keys(&format!("--more-like {first}")).contains(&first));
    let small = keys("--query *:* --decay installed_size,0,10,exp --window 300");
    assert_eq!(small, keys("--query *:* --sort installed_size")[..5]);
    for (line, expected) in [
        ("--query a --mmr 0.5", "--mmr-field"),
        ("--query a --decay installed_size", "FIELD,ORIGIN,SCALE"),
        ("--knn embedding --liked nobody", "no document"),
        ("--more-like nobody", "no document"),
    ] {
        let ran = place.run(&format!("search @ {line}")).expect(2);
        assert!(ran.err.contains(expected), "{line}: {ran:?}");
    }
}

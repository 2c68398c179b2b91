//! The guides in `docs` are right: their links lead somewhere, their schemas and searches in JSON can be read, the
//! queries they show can be parsed, and the CLI commands they show exist.

use lucerne::query::QueryParser;
use lucerne::{Query, Schema, Search};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every page of the documentation: its path and its text.
fn pages() -> Vec<(PathBuf, String)> {
    let single = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "benches/README.md", "src/ARCHITECTURE.md"];
    let mut paths: Vec<PathBuf> = single.map(|page| root().join(page)).into();
    paths.push(root().join("codecs/FORMATS.md"));
    for folder in ["docs", "docs/measurements"] {
        let entries = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        paths.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let found = text.split(&opening).skip(1);
    found.map(|rest| rest.split_once("```").expect("a fence is not closed").0.to_owned()).collect()
}

/// What a heading's anchor is called.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().chars();
    let kept = kept.filter(|char| char.is_alphanumeric() || " -_".contains(*char));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn headings(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| line.starts_with('#')).map(anchor).collect()
}

/// The text of all tests.
fn tests_in(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        match entry.is_dir() {
            true => tests_in(&entry, into),
            false if entry.extension().is_some_and(|extension| extension == "rs") => {
                into.push_str(&fs::read_to_string(&entry).unwrap());
            }
            false => {}
        }
    }
}

#[test]
fn each_capability_names_a_test_that_there_is() {
    let mut tests = String::new();
    ["tests", "tools/tests", "object-store/tests"]
        .iter()
        .for_each(|folder| tests_in(&root().join(folder), &mut tests));
    let page = page("capabilities.md");
    let shown = page.split("## Not there").next().unwrap();
    let rows = shown.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what"));
    let mut checked = 0;
    for row in rows {
        let name = row.split('`').nth(1).unwrap_or_default();
        assert!(tests.contains(&format!("fn {name}(")), "no test of {row}");
        checked += 1;
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn links_lead_to_files_and_headings() {
    let mut checked = 0;
    for (page, text) in pages() {
        let folder = page.parent().unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)) {
            if link.contains("://") {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { folder.join(path) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if !heading.is_empty() {
                let known = headings(&target);
                assert!(known.iter().any(|known| known == heading), "{}: {link}: {known:?}", page.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked} links were found");
}

#[test]
fn schemas_and_fields_in_json_can_be_read() {
    let mut read = 0;
    for (page, text) in pages() {
        for block in blocks(&text, "json").into_iter().filter(|block| !block.contains("\"query\"")) {
            let schema = if block.contains("\"fields\"") {
                block.clone()
            } else {
                format!("{{\"key\": \"id\", \"fields\": [{block}]}}")
            };
            Schema::from_json(&schema).unwrap_or_else(|error| panic!("{}: {error}\n{block}", page.display()));
            read += 1;
        }
    }
    assert!(read >= 3, "only {read} schemas were found");
}

#[test]
fn searches_and_queries_in_json_can_be_read() {
    let text = page("querying.md");
    for block in blocks(&text, "json") {
        Search::from_json(&block).unwrap_or_else(|error| panic!("{error}\n{block}"));
    }
    let mut read = 0;
    for row in text.lines().filter(|line| line.starts_with('|')) {
        for query in row.split('`').filter(|code| code.starts_with("{\"")) {
            Query::from_json(query).unwrap_or_else(|error| panic!("{error}\n{query}"));
            read += 1;
        }
    }
    assert!(read >= 14, "only {read} queries were found");
}

#[test]
fn the_queries_that_are_shown_as_text_can_be_parsed() {
    let schema = r#"{ "key": "name", "fields": [
        { "name": "title", "type": "text" }, { "name": "section", "type": "keyword" },
        { "name": "size", "type": "i64" }, { "name": "embedding", "type": "vector", "dimension": 2 } ] }"#;
    let schema = Schema::from_json(schema).unwrap();
    let parser = QueryParser::new(&schema).param("v", vec![0.1_f32, 0.7]);
    let text = page("querying.md");
    let mut parsed = 0;
    for part in ["Queries as text", "The Lucene syntax:", "The Redis syntax:"] {
        let (_, rest) = text.split_once(part).unwrap_or_else(|| panic!("there is no {part:?}"));
        let rows = rest.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
        for row in rows.take_while(|line| line.starts_with('|')) {
            let cells: Vec<&str> = row.split(" | ").collect();
            let cell = if part.starts_with("Queries") { cells[1] } else { cells[0] };
            let row = cell.replace("\\|", "|").replace("filter=>", "*=>");
            // Operators alone and letters are no queries.
            let shown = row.split('`').skip(1).step_by(2).filter(|code| code.len() > 2 && *code != "( )");
            for query in shown.filter(|code| !matches!(*code, "NOT a" | "`\\`")) {
                parser.parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
                parsed += 1;
            }
        }
    }
    assert!(parsed > 25, "only {parsed} queries were found");
    for refused in ["editor~3", "title:/[ab/"] {
        assert!(parser.parse(refused).is_err(), "{refused}");
    }
}

#[test]
fn the_cli_commands_that_are_shown_exist() {
    let arguments = fs::read_to_string(root().join("tools/src/args/mod.rs")).unwrap();
    let body = arguments.split_once("enum Command {").unwrap().1.split_once("\n}").unwrap().0.to_lowercase();
    let mut checked = 0;
    for (page, text) in pages() {
        let lines = blocks(&text, "sh").into_iter().chain(blocks(&text, "console")).collect::<String>();
        let commands =
            lines.lines().filter_map(|line| line.trim_start_matches("$ ").strip_prefix("lucerne "));
        for command in commands {
            let name = command.split_whitespace().next().unwrap().replace('-', "");
            assert!(body.contains(&format!("    {name}(")), "{}: lucerne {command}", page.display());
            checked += 1;
        }
    }
    assert!(checked > 15, "only {checked} commands were found");
}

//! The README is right: its commands run in CI, its CLI commands exist, it is short and complete. The links of all pages
//! are checked by `guides`.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines inside fences of a language.
fn fenced(text: &str, language: &str) -> Vec<String> {
    let (mut lines, mut inside) = (Vec::new(), None::<String>);
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), &inside) {
            (Some(opened), None) => inside = Some(opened.trim().to_owned()),
            (Some(_), Some(_)) => inside = None,
            (None, Some(now)) if now == language => lines.push(line.to_owned()),
            _ => {}
        }
    }
    assert_eq!(inside, None, "a fence is not closed");
    lines
}

#[test]
fn the_two_commands_are_run_in_ci() {
    let (readme, ci) = (read("README.md"), read(".ci/run"));
    let ci: Vec<String> =
        ci.lines().map(|line| line.trim().replace("--locked ", "").replace(" --locked", "")).collect();
    for command in ["cargo run --release --example quickstart", "cargo test --workspace"] {
        let shown =
            fenced(&readme, "sh").iter().any(|line| line.split('#').next().unwrap_or("").trim() == command);
        assert!(shown, "README.md does not show {command:?}");
        assert!(ci.iter().any(|line| line == command), ".ci/run does not run {command:?}");
    }
}

#[test]
fn every_cli_command_that_is_shown_exists_and_every_one_that_exists_is_shown() {
    let (readme, arguments) = (read("README.md"), read("tools/src/args/mod.rs"));
    let body = arguments.split_once("enum Command {").unwrap().1.split_once("\n}").unwrap().0;
    let variants = body.lines().filter(|line| line.starts_with("    ") && !line.starts_with("     "));
    let variants = variants.filter_map(|line| line.trim().split(['(', ' ', ',']).next());
    let names = variants.filter(|name| name.starts_with(|first: char| first.is_ascii_uppercase()));
    let existing: BTreeSet<String> = names.map(kebab).collect();
    assert!(existing.contains("import"), "{existing:?}");
    let shown: BTreeSet<String> = fenced(&readme, "console")
        .iter()
        .filter_map(|line| line.strip_prefix("$ lucerne ")?.split_whitespace().next().map(str::to_owned))
        .collect();
    let wrong: Vec<_> = shown.difference(&existing).collect();
    assert!(wrong.is_empty(), "README.md shows commands that do not exist: {wrong:?}");
    for must in ["create", "import", "search", "inspect", "check", "eval"] {
        assert!(shown.contains(must), "README.md does not show lucerne {must}");
    }
    let unmentioned = existing.iter().filter(|name| {
        !readme.contains(&format!("lucerne {name}")) && !readme.contains(&format!("`{name}`"))
    });
    assert_eq!(unmentioned.collect::<Vec<_>>(), Vec::<&String>::new(), "not mentioned in README.md");
}

/// `ForceMerge` as the command line says it.
fn kebab(name: &str) -> String {
    let mut kebab = String::new();
    for (at, c) in name.char_indices() {
        if c.is_ascii_uppercase() && at > 0 {
            kebab.push('-');
        }
        kebab.push(c.to_ascii_lowercase());
    }
    kebab
}

#[test]
fn it_is_short_has_one_complete_example_in_each_language_and_names_the_workspaces_rust_version() {
    let readme = read("README.md");
    assert!(readme.lines().count() < 220);
    assert_eq!((readme.matches("```rust").count(), readme.matches("```python").count()), (1, 1));
    let example = fenced(&readme, "rust,no_run");
    assert!((10..=40).contains(&example.len()), "{example:?}");
    assert!(example.iter().any(|line| line.starts_with("fn main()")));
    let version =
        read("Cargo.toml").lines().find_map(|line| line.strip_prefix("rust-version = ").map(str::to_owned));
    let version = version.unwrap();
    assert!(readme.contains(&format!("Rust version is {}", version.trim_matches('"'))), "{version}");
}

//! What the crates that lucerne is built of may be licensed under.

use crate::source::root;
use serde_json::Value;
use std::process::Command;

/// Licenses that ask for no more than that they are named.
const ALLOWED: [&str; 8] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// Whether an SPDX expression allows a use under [`ALLOWED`] licenses: one side of an `OR`, all of an `AND`.
fn allows(expression: &str) -> bool {
    // `MIT/Apache-2.0` is how `OR` was written once.
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    any_of(&words, &mut at) && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize) -> bool {
    let mut allowed = all_of(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        allowed |= all_of(words, at);
    }
    allowed
}

fn all_of(words: &[&str], at: &mut usize) -> bool {
    let mut allowed = one(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        allowed &= one(words, at);
    }
    allowed
}

fn one(words: &[&str], at: &mut usize) -> bool {
    let Some(first) = words.get(*at) else { return false };
    *at += 1;
    if *first == "(" {
        let allowed = any_of(words, at);
        *at += 1;
        return allowed && words.get(*at - 1) == Some(&")");
    }
    if words.get(*at) == Some(&"WITH") {
        *at += 2;
        return words
            .get(*at - 1)
            .is_some_and(|exception| ALLOWED.contains(&&*format!("{first} WITH {exception}")));
    }
    ALLOWED.contains(first)
}

#[test]
fn every_dependency_has_an_allowed_license() {
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    // Of this platform: those of others need not be downloaded.
    let arguments =
        ["metadata", "--format-version=1", "--offline", "--locked", "--all-features", "--filter-platform"];
    let output = Command::new(env!("CARGO")).args(arguments).arg(host).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50, "only {} packages", packages.len());
    let refused = packages.iter().filter(|package| !package["license"].as_str().is_some_and(allows));
    let refused: Vec<String> = refused
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert_eq!(refused, Vec::<String>::new(), "licenses that are not on the list");
}

#[test]
fn expressions_of_licenses_are_understood() {
    for yes in [
        "MIT",
        "GPL-3.0 OR MIT",
        "MIT/Apache-2.0",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(allows(yes), "{yes}");
    }
    for no in [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "(MIT OR GPL-3.0) AND MPL-2.0",
        "MIT WITH Classpath-exception-2.0",
        "(MIT",
    ] {
        assert!(!allows(no), "{no}");
    }
}

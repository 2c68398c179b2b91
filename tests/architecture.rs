//! The house keeps its shape: who may know whom, and who alone may do what (`src/ARCHITECTURE.md`).

#[path = "architecture/source.rs"]
mod source;

use source::{Source, root, rust_files, slashes, sources, without_comments_and_strings};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Every top-level module of the engine, and which it may use. Nothing else.
const ENGINE: [(&str, &[&str]); 15] = [
    ("bits", &[]),
    ("error", &[]),
    ("options", &[]),
    ("analysis", &["error", "options"]),
    ("schema", &["error", "options", "analysis"]),
    ("document", &["bits", "error", "options", "analysis", "schema"]),
    ("directory", &["error", "options"]),
    ("commit", &["error", "options", "schema", "directory"]),
    ("reader", &["error", "options", "analysis", "schema", "document", "directory", "commit"]),
    ("query", &["error", "options", "schema", "document"]),
    ("search", &["error", "options", "analysis", "schema", "document", "reader", "query"]),
    ("segment_write", &["error", "options", "schema", "reader"]),
    ("merge", &["error", "schema", "reader", "segment_write"]),
    ("writer", &["error", "options", "schema", "document", "commit", "reader", "segment_write", "merge"]),
    (
        "index",
        &[
            "error",
            "options",
            "analysis",
            "schema",
            "document",
            "directory",
            "commit",
            "reader",
            "query",
            "search",
            "merge",
            "writer",
        ],
    ),
];

/// Modules above `index`, which nothing below may use.
const TOP: [&str; 2] = ["transfer", "admin"];

/// Crates, their folders, and those of ours that they may depend on.
const CRATES: [(&str, &str, &[&str]); 5] = [
    ("lucerne-simd", "codecs/simd", &[]),
    ("lucerne-codec", "codecs/api", &[]),
    ("lucerne-formats", "codecs/formats", &["lucerne-codec", "lucerne-simd"]),
    ("lucerne", ".", &["lucerne-codec", "lucerne-formats"]),
    ("lucerne-cli", "tools", &["lucerne"]),
];

/// Files above [`MOST_LINES`], with how long they may be and the reason. The list only gets shorter.
const LONG_FILES: [(&str, usize, &str); 0] = [];
const MOST_LINES: usize = 500;

const SRC: [&str; 5] = ["codecs/simd/src", "codecs/api/src", "codecs/formats/src", "src", "tools/src"];

/// Arrows between the top-level modules of a crate. A name that the crate's root re-exports counts as the module it
/// comes from; the root itself is not a module.
fn arrows(src: &str) -> BTreeMap<String, BTreeSet<String>> {
    let sources = sources(src);
    let modules: BTreeSet<&str> =
        sources.iter().map(Source::module).filter(|module| !matches!(*module, "lib" | "main")).collect();
    let exports = exports(&sources);
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources.iter().filter(|source| modules.contains(source.module())) {
        let from = arrows.entry(source.module().to_owned()).or_default();
        for name in source.root_names() {
            let to = match modules.contains(&*name) {
                true => Some(&name),
                false => exports.get(&name),
            };
            from.extend(to.filter(|to| *to != source.module()).cloned());
        }
    }
    arrows
}

/// Names that the crate's root re-exports, and the modules they come from.
fn exports(sources: &[Source]) -> BTreeMap<String, String> {
    let mut exports = BTreeMap::new();
    for source in sources.iter().filter(|source| source.module() == "lib") {
        for statement in source.code.split(';').filter_map(|text| text.rsplit_once("pub use ")) {
            let path = statement.1.split_whitespace().collect::<String>();
            let Some((module, names)) = path.split_once("::") else { continue };
            for name in names.split([',', '{', '}']) {
                let name = name.rsplit("::").next().unwrap_or_default();
                exports.insert(name.to_owned(), module.to_owned());
            }
        }
    }
    exports.remove("");
    exports
}

/// A cycle, if there is one, as a path that ends where it begins.
fn cycle(arrows: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn visit(
        module: &str,
        arrows: &BTreeMap<String, BTreeSet<String>>,
        path: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        if let Some(start) = path.iter().position(|known| known == module) {
            path.push(module.to_owned());
            return Some(path.split_off(start));
        }
        if done.contains(module) {
            return None;
        }
        path.push(module.to_owned());
        for next in arrows.get(module).into_iter().flatten() {
            if let Some(cycle) = visit(next, arrows, path, done) {
                return Some(cycle);
            }
        }
        path.pop();
        done.insert(module.to_owned());
        None
    }
    let mut done = BTreeSet::new();
    arrows.keys().find_map(|module| visit(module, arrows, &mut Vec::new(), &mut done))
}

/// Every `path:line` where non-test code of `src` has one of `texts`, outside files that begin with one of `allowed`.
fn places(src: &str, texts: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources(src) {
        if allowed.iter().any(|allowed| source.path.starts_with(allowed)) {
            continue;
        }
        for text in texts {
            let lines = source.lines_with(text).into_iter();
            found.extend(lines.map(|line| format!("{}:{line}: {text}", source.path)));
        }
    }
    found
}

#[track_caller]
fn assert_none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

#[test]
fn the_engines_modules_use_only_those_below_them() {
    let allowed: BTreeMap<&str, &[&str]> = ENGINE.into_iter().collect();
    let mut wrong = Vec::new();
    for (from, to) in arrows("src") {
        match allowed.get(&*from) {
            None if TOP.contains(&&*from) => {}
            None => wrong
                .push(format!("{from} is a new module: give it a line in ENGINE and in src/ARCHITECTURE.md")),
            Some(allowed) => wrong.extend(
                to.iter().filter(|to| !allowed.contains(&to.as_str())).map(|to| format!("{from} → {to}")),
            ),
        }
    }
    assert_none(wrong, "arrows that are not allowed");
}

#[test]
fn the_table_of_allowed_arrows_has_no_cycle_itself() {
    let table = ENGINE
        .iter()
        .map(|(from, to)| (from.to_string(), to.iter().map(ToString::to_string).collect::<BTreeSet<_>>()));
    assert_eq!(cycle(&table.collect()), None);
}

#[test]
fn no_crate_has_a_cycle_of_modules() {
    let found = SRC.into_iter().filter_map(|src| Some((src, cycle(&arrows(src))?)));
    assert_none(found.map(|(src, cycle)| format!("{src}: {}", cycle.join(" → "))).collect(), "cycles");
}

#[test]
fn crates_depend_only_on_those_below_them() {
    for (name, folder, allowed) in CRATES {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{folder} is not {name}");
        let mut ours = BTreeSet::new();
        let (mut in_dependencies, mut lines) = (false, 0);
        for line in manifest.lines().map(str::trim) {
            if line.starts_with('[') {
                let section = line.trim_matches(['[', ']']);
                // Workspace declarations are not dependencies; those of tests may point anywhere.
                let is_table = section == "dependencies"
                    || section == "build-dependencies"
                    || (section.starts_with("target.") && section.ends_with(".dependencies"));
                if let Some(dependency) = section.strip_prefix("dependencies.") {
                    ours.extend(dependency.starts_with("lucerne").then(|| dependency.to_owned()));
                }
                in_dependencies = is_table;
            } else if in_dependencies && line.starts_with("lucerne") {
                ours.insert(line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned());
            }
            lines += usize::from(in_dependencies && !line.is_empty());
        }
        assert!(lines > 0, "{folder}/Cargo.toml: no dependencies section was found");
        let wrong = ours.iter().filter(|to| !allowed.contains(&to.as_str()));
        assert_none(
            wrong.map(|to| format!("{name} → {to}")).collect(),
            "crates that must not be depended on",
        );
        if name == "lucerne-simd" {
            assert_eq!(lines, 1, "lucerne-simd depends on nothing at all");
        }
    }
}

#[test]
fn only_directory_calls_the_file_system() {
    let calls = [
        "std::fs",
        "std::{fs",
        "fs::File",
        "File::open",
        "File::create",
        "OpenOptions",
        "memmap2",
        "std::os",
    ];
    for src in ["codecs/api/src", "codecs/formats/src", "codecs/simd/src", "src"] {
        assert_none(places(src, &calls, &["src/directory/"]), "the file system is directory's alone");
    }
}

#[test]
fn only_publish_renames() {
    // A directory that wraps another passes the call on.
    let allowed = ["src/directory/", "src/commit/publish.rs", "src/merge/throttle.rs"];
    for src in SRC {
        assert_none(places(src, &[".rename("], &allowed), "a rename publishes a commit and nothing else");
    }
}

#[test]
fn queries_searches_and_readers_never_write() {
    let writes = [".create(", ".delete(", ".rename(", ".sync(", ".sync_dir(", ".lock("];
    for source in sources("src").iter().filter(|source| matches!(source.module(), "query" | "search")) {
        let found = writes.iter().flat_map(|call| source.lines_with(call));
        assert_none(found.map(|line| format!("{}:{line}", source.path)).collect(), "a search that writes");
    }
    let reader = sources("src");
    for source in reader.iter().filter(|source| source.module() == "reader") {
        let found =
            [".create(", ".rename(", ".sync(", ".sync_dir("].iter().flat_map(|call| source.lines_with(call));
        assert_none(found.map(|line| format!("{}:{line}", source.path)).collect(), "a reader that writes");
    }
}

#[test]
fn unsafe_code_lives_in_two_places() {
    for src in SRC {
        let allowed = ["codecs/simd/src/", "src/directory/mmap.rs"];
        assert_none(places(src, &["unsafe"], &allowed), "unsafe outside its fences");
    }
    for (file, attribute) in [
        ("codecs/api/src/lib.rs", "#![forbid(unsafe_code)]"),
        ("codecs/formats/src/lib.rs", "#![forbid(unsafe_code)]"),
        ("src/lib.rs", "#![deny(unsafe_code)]"),
        ("tools/src/main.rs", "#![forbid(unsafe_code)]"),
    ] {
        assert!(fs::read_to_string(root().join(file)).unwrap().contains(attribute), "{file}: {attribute}");
    }
}

#[test]
fn concrete_formats_are_named_in_one_place() {
    let named = places("src", &["lucerne_formats"], &[]);
    assert_eq!(named.len(), 1, "only one place calls builtin(): {named:#?}");
    assert!(named[0].starts_with("src/index.rs:"), "{named:?}");
    assert_none(
        places("tools/src", &["lucerne_formats", "lucerne_codec", "lucerne_simd"], &[]),
        "below the engine",
    );
}

#[test]
fn graphs_never_see_a_vector() {
    let graphs = "codecs/formats/src/hnsw/graph/";
    let all = sources("codecs/formats/src");
    for source in all.iter().filter(|source| source.path.starts_with(graphs)) {
        let names = ["lucerne_simd", "flat_f32", "sq8", "VectorRows", "VectorReader"].into_iter();
        // Links may be fetched ahead: they are no vectors.
        let fetches = source.lines_with("lucerne_simd::prefetch");
        let found = names.filter(|name| source.lines_with(name).iter().any(|line| !fetches.contains(line)));
        assert_none(
            found.map(|name| format!("{}: {name}", source.path)).collect(),
            "a graph scores ordinals",
        );
    }
}

#[test]
fn merge_policies_are_pure_functions() {
    let impure = ["Directory", "SegmentReader", "Instant", "SystemTime", "Mutex", "std::thread", "reader"];
    for source in sources("src").iter().filter(|source| source.path == "src/merge/policy.rs") {
        let found = impure.into_iter().filter(|name| !source.lines_with(name).is_empty());
        assert_none(found.map(str::to_owned).collect(), "the policy knows metadata only");
    }
}

#[test]
fn the_library_prints_nothing_and_reads_no_environment() {
    let talk = ["println!", "print!", "eprintln!", "eprint!", "dbg!", "env::var", "env::vars", "env::args"];
    for src in ["codecs/api/src", "codecs/formats/src", "codecs/simd/src", "src"] {
        assert_none(places(src, &talk, &["codecs/api/src/testing/"]), "a library that talks");
    }
}

#[test]
fn files_stay_short() {
    let mut long = Vec::new();
    for src in SRC {
        let mut files = Vec::new();
        rust_files(&root().join(src), &mut files);
        for file in files {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            let path = slashes(file.strip_prefix(root()).unwrap());
            let excused = LONG_FILES.iter().find(|(file, _, _)| *file == path);
            let most = excused.map_or(MOST_LINES, |(_, most, _)| *most);
            if lines > most {
                long.push(format!("{path}: {lines} lines, at most {most}"));
            } else if excused.is_some() && lines <= MOST_LINES {
                long.push(format!("{path} is short by now: take it off the list"));
            }
        }
    }
    assert_none(long, "files are too long to be read at once");
}

#[test]
fn the_parser_of_these_tests_sees_what_it_should() {
    let text = "a /* b /* c */ */ \"crate::x\" r#\"\"y\"\"# 'z' '\\'' b\"w\" &'a str // unsafe\nbar\n";
    let code = without_comments_and_strings(text);
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "&'a", "str", "bar"]);
    assert_eq!(code.matches('\n').count(), 2);
    let source = Source {
        path: String::new(),
        in_crate: "writer/core.rs".to_owned(),
        code: "use crate::{commit::{gc, x}, reader::R, Error}; crate::options::K; super::super::schema::S; super::y"
            .to_owned(),
    };
    assert_eq!(source.root_names(), ["Error", "commit", "options", "reader", "schema"]);
    let engine = arrows("src");
    for (from, to) in [("writer", "commit"), ("search", "query"), ("admin", "index"), ("index", "reader")] {
        assert!(engine[from].contains(to), "{from} → {to} is there and was not seen");
    }
    assert!(sources("src").iter().all(|source| !source.path.ends_with("/tests.rs")));
}

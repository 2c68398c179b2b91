//! The architecture as tests: who may know whom, and who alone may do what (`src/ARCHITECTURE.md`).

mod circles;
mod imports;
mod licenses;
mod self_check;
mod source;

use circles::{circles, in_words};
use imports::Arrows;
use source::{Source, root, rust_files, slashes, sources};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Every top-level module of the engine, and which it may use. Nothing else.
const ENGINE: [(&str, &[&str]); 18] = [
    ("bits", &[]),
    ("automata", &[]),
    ("stats", &[]),
    ("error", &[]),
    ("limits", &[]),
    ("memory", &["error"]),
    ("analysis", &["error", "limits"]),
    ("schema", &["error", "limits", "analysis"]),
    ("document", &["bits", "error", "limits", "analysis", "schema"]),
    ("directory", &["error", "limits"]),
    ("commit", &["error", "limits", "schema", "directory"]),
    (
        "reader",
        &["error", "limits", "memory", "stats", "analysis", "schema", "document", "directory", "commit"],
    ),
    ("query", &["automata", "error", "limits", "schema", "document"]),
    (
        "search",
        &[
            "automata", "error", "limits", "memory", "stats", "analysis", "schema", "document", "reader",
            "query",
        ],
    ),
    ("segment_write", &["error", "limits", "schema", "reader"]),
    ("merge", &["error", "memory", "schema", "reader", "segment_write"]),
    (
        "writer",
        &[
            "error",
            "limits",
            "memory",
            "stats",
            "schema",
            "document",
            "commit",
            "reader",
            "query",
            "search",
            "segment_write",
            "merge",
        ],
    ),
    (
        "index",
        &[
            "error",
            "limits",
            "memory",
            "stats",
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
const TOP: [&str; 3] = ["transfer", "admin", "shards"];

/// Crates, their folders, and those of ours that they may depend on.
const CRATES: [(&str, &str, &[&str]); 6] = [
    ("lucerne-simd", "codecs/simd", &[]),
    ("lucerne-codec", "codecs/api", &[]),
    ("lucerne-formats", "codecs/formats", &["lucerne-codec", "lucerne-simd"]),
    ("lucerne", ".", &["lucerne-codec", "lucerne-formats"]),
    ("lucerne-pictures", "pictures", &[]),
    ("lucerne-cli", "tools", &["lucerne", "lucerne-pictures"]),
];

/// The most lines of a file: of source, of tests, of benches, of examples.
const MOST_LINES: usize = 500;

/// Files that use each other in a circle. The list only gets shorter.
const FILES_IN_CIRCLES: [&str; 0] = [];

const SRC: [&str; 6] =
    ["codecs/simd/src", "codecs/api/src", "codecs/formats/src", "src", "pictures/src", "tools/src"];

/// Arrows between the top-level modules of a crate. The crate's root is not a module.
fn module_arrows(sources: &[Source]) -> Arrows {
    let module = |path: &str| sources.iter().find(|source| source.path == path).map_or("lib", Source::module);
    let mut arrows = Arrows::new();
    for (from, to) in imports::arrows(sources) {
        let from = module(&from);
        if matches!(from, "lib" | "main") {
            continue;
        }
        let arrows = arrows.entry(from.to_owned()).or_default();
        for (to, names) in to {
            let to = module(&to);
            if to != from && !matches!(to, "lib" | "main") {
                arrows.entry(to.to_owned()).or_default().extend(names);
            }
        }
    }
    arrows
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
    for (from, to) in module_arrows(&sources("src")) {
        match allowed.get(&*from) {
            None if TOP.contains(&&*from) => {}
            None => wrong
                .push(format!("{from} is a new module: give it a line in ENGINE and in src/ARCHITECTURE.md")),
            Some(allowed) => wrong.extend(
                to.keys().filter(|to| !allowed.contains(&to.as_str())).map(|to| format!("{from} → {to}")),
            ),
        }
    }
    assert_none(wrong, "arrows that are not allowed");
}

#[test]
fn no_crate_has_a_circle_of_modules() {
    for src in SRC {
        let arrows = module_arrows(&sources(src));
        let found =
            circles(&arrows).iter().map(|circle| format!("{src}: {}", in_words(circle, &arrows))).collect();
        assert_none(found, "circles");
    }
}

#[test]
fn no_crate_has_a_circle_of_files() {
    let mut known: BTreeSet<&str> = FILES_IN_CIRCLES.into_iter().collect();
    let mut found = Vec::new();
    for src in SRC {
        let arrows = imports::arrows(&sources(src));
        for circle in circles(&arrows) {
            if !circle.iter().all(|file| FILES_IN_CIRCLES.contains(file)) {
                found.push(in_words(&circle, &arrows));
            }
            known.retain(|file| !circle.contains(file));
        }
    }
    found.extend(
        known.into_iter().map(|file| format!("{file} is in no circle: take it off FILES_IN_CIRCLES")),
    );
    assert_none(found, "circles of files");
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
    let wrappers = ["src/commit/owned.rs", "src/commit/new_files.rs", "src/merge/throttle.rs"];
    let allowed = [&["src/directory/", "src/commit/publish.rs"][..], &wrappers].concat();
    for src in SRC {
        assert_none(places(src, &[".rename("], &allowed), "a rename publishes a commit and nothing else");
    }
}

#[test]
fn queries_searches_and_readers_never_write() {
    // A mutex is locked without an argument, a folder with one.
    let writes =
        [".create(", ".delete(", ".rename(", ".sync(", ".sync_dir(", "directory.lock(", "lock::take("];
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
    let mut files = Vec::new();
    rust_files(root(), &mut files);
    let mut long = Vec::new();
    for file in files {
        let path = slashes(file.strip_prefix(root()).unwrap());
        long.extend(too_long(&path, &fs::read_to_string(&file).unwrap()));
    }
    assert_none(long, "files are too long to be read at once");
}

/// What is wrong with the length of a file.
fn too_long(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > MOST_LINES).then(|| format!("{path}: {lines} lines, at most {MOST_LINES}"))
}

//! The files of the page, built into the program.

/// A file of the page.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::commands) struct File {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) text: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// All files; that without a name is the page itself.
const FILES: [File; 15] = [
    File { name: "", kind: HTML, text: include_str!("index.html") },
    File { name: "style.css", kind: CSS, text: include_str!("style.css") },
    File { name: "pictures.css", kind: CSS, text: lucerne_pictures::STYLE },
    File { name: "main.js", kind: SCRIPT, text: include_str!("main.js") },
    File { name: "ask.js", kind: SCRIPT, text: include_str!("ask.js") },
    File { name: "dom.js", kind: SCRIPT, text: include_str!("dom.js") },
    File { name: "units.js", kind: SCRIPT, text: include_str!("units.js") },
    File { name: "charts.js", kind: SCRIPT, text: include_str!("charts.js") },
    File { name: "overview.js", kind: SCRIPT, text: include_str!("overview.js") },
    File { name: "segments.js", kind: SCRIPT, text: include_str!("segments.js") },
    File { name: "vectors.js", kind: SCRIPT, text: include_str!("vectors.js") },
    File { name: "values.js", kind: SCRIPT, text: include_str!("values.js") },
    File { name: "document.js", kind: SCRIPT, text: include_str!("document.js") },
    File { name: "search.js", kind: SCRIPT, text: include_str!("search.js") },
    File { name: "code.js", kind: SCRIPT, text: include_str!("code.js") },
];

/// The scripts.
pub(super) fn scripts() -> impl Iterator<Item = &'static File> {
    FILES.iter().filter(|file| file.kind == SCRIPT)
}

/// The file of a name.
pub(in crate::commands) fn file(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

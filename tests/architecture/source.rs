//! Rust source as the architecture tests see it: code without comments, strings and tests.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file.
pub(crate) struct Source {
    /// Path from the repository's root, with `/` between names.
    pub(crate) path: String,
    /// Path from the crate's `src`.
    pub(crate) in_crate: String,
    /// The code; what is left out is blank, so that lines keep their numbers.
    pub(crate) code: String,
}

impl Source {
    /// The top-level module it belongs to; `lib` or `main` for the crate's root.
    pub(crate) fn module(&self) -> &str {
        let first = self.in_crate.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The names of the modules that lead to the file; none for the crate's root.
    pub(crate) fn module_path(&self) -> Vec<String> {
        let path = self.in_crate.trim_end_matches(".rs");
        let path = path.strip_suffix("/mod").unwrap_or(path);
        let names = path.split('/').map(str::to_owned);
        names.filter(|_| !matches!(path, "lib" | "main" | "mod")).collect()
    }

    /// Line numbers of `text` in the code, where it is no part of a longer name.
    pub(crate) fn lines_with(&self, text: &str) -> Vec<usize> {
        let found = occurrences(&self.code, text).into_iter();
        let mut lines: Vec<_> = found.map(|at| self.code[..at].matches('\n').count() + 1).collect();
        lines.dedup();
        lines
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn occurrences(code: &str, text: &str) -> Vec<usize> {
    let found = code.match_indices(text).map(|(at, _)| at).filter(|&at| {
        let (before, after) = (code[..at].chars().next_back(), code[at + text.len()..].chars().next());
        let begins = !text.starts_with(is_name) || !before.is_some_and(is_name);
        let ends = !text.ends_with(is_name) || !after.is_some_and(is_name);
        begins && ends
    });
    found.collect()
}

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files of a crate's `src` that are not tests.
pub(crate) fn sources(src: &str) -> Vec<Source> {
    let folder = root().join(src);
    let mut files = Vec::new();
    rust_files(&folder, &mut files);
    assert!(!files.is_empty(), "{src} has no source files");
    let texts = files.iter().map(|file| {
        let in_crate = slashes(file.strip_prefix(&folder).unwrap());
        (in_crate, fs::read_to_string(file).unwrap())
    });
    parse(src, texts.collect())
}

/// The files of a crate, as path from its `src` and text: `#[cfg(test)] mod x;` leaves out `x`.
pub(crate) fn parse(src: &str, files: Vec<(String, String)>) -> Vec<Source> {
    let (mut sources, mut tests) = (Vec::new(), Vec::new());
    for (in_crate, text) in files {
        let (code, test_modules) = without_tests(&without_comments_and_strings(&text));
        let source = Source { path: format!("{src}/{in_crate}"), in_crate, code };
        let own = source.module_path();
        tests.extend(test_modules.into_iter().map(|name| [&own[..], &[name]].concat()));
        sources.push(source);
    }
    sources.retain(|source| !tests.iter().any(|test| source.module_path().starts_with(test)));
    sources.sort_by(|left, right| left.path.cmp(&right.path));
    sources
}

/// Every `.rs` file below a folder, outside of what is built and hidden.
pub(crate) fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                rust_files(&path, into);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

pub(crate) fn slashes(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The same text with comments and the contents of literals blanked.
pub(crate) fn without_comments_and_strings(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after_name = out.chars().next_back().is_some_and(is_name);
        let blank = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => string(rest),
            'r' | 'b' | 'c' if !after_name => prefixed_literal(rest),
            '\'' => character(rest),
            _ => 0,
        };
        let taken = if blank == 0 { c.len_utf8() } else { blank };
        match blank {
            0 => out.push(c),
            _ => out.extend(rest[..taken].chars().map(|c| if c == '\n' { '\n' } else { ' ' })),
        }
        rest = &rest[taken..];
    }
    out
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        match text.as_bytes().get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            Some(_) => at += 1,
            None => return text.len(),
        }
        if depth == 0 {
            return at;
        }
    }
}

/// Length of a string literal with escapes.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of a raw, byte or C string; 0 for a name.
fn prefixed_literal(text: &str) -> usize {
    let prefix = text.len() - text.trim_start_matches(['r', 'b', 'c']).len();
    let body = &text[prefix..];
    let hashes = body.len() - body.trim_start_matches('#').len();
    match body[hashes..].chars().next() {
        Some('"') if text[..prefix].ends_with('r') => {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = prefix + hashes + 1;
            text[start..].find(&end).map_or(text.len(), |at| start + at + end.len())
        }
        Some('"') if hashes == 0 => prefix + string(body),
        _ => 0,
    }
}

/// Length of a character literal; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => {
            chars.next();
            chars.find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1)
        }
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

/// The same code without `#[cfg(test)]` items, and the names of such modules that are files of their own.
fn without_tests(code: &str) -> (String, Vec<String>) {
    let (mut out, mut modules) = (String::with_capacity(code.len()), Vec::new());
    let mut rest = code;
    while let Some(at) = ["#[cfg(test)]", "#[cfg(all(test"].iter().filter_map(|cfg| rest.find(cfg)).min() {
        out.push_str(&rest[..at]);
        let item = &rest[at..];
        // The attribute itself has no braces and no semicolon; the item ends with either.
        let open = item.find(['{', ';']).unwrap_or(item.len() - 1);
        let len = match item[open..].starts_with('{') {
            true => open + braces(&item[open..]),
            false => open + 1,
        };
        if let Some((_, name)) = item[..open].rsplit_once("mod ")
            && item[open..].starts_with(';')
        {
            modules.push(name.trim().to_owned());
        }
        out.extend(item[..len].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &item[len..];
    }
    out.push_str(rest);
    (out, modules)
}

/// Length of a block in braces.
fn braces(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

//! Which file uses which: the paths of `use` and of the code, followed to the file that defines what they name.

use crate::source::Source;
use std::collections::{BTreeMap, BTreeSet};

/// Files and the names they take from each other: `arrows[from][to]`.
pub(crate) type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The arrows between the files of one crate.
///
/// A name that a module re-exports counts as the file that defines it. A module has no arrows to its own children:
/// it is made of them, and they may name what it defines for all of them.
pub(crate) fn arrows(sources: &[Source]) -> Arrows {
    let files: Vec<File> = sources.iter().map(File::new).collect();
    let modules = files.iter().enumerate().map(|(at, file)| (file.module.clone(), at)).collect();
    let names = Names { files: &files, modules };
    let mut arrows = Arrows::new();
    for (at, file) in files.iter().enumerate() {
        let from = arrows.entry(file.path.clone()).or_default();
        let mut add = |path: &[String]| {
            if let Some(to) = names.resolve(at, path, &mut BTreeSet::new())
                && !files[to].module.starts_with(&file.module)
            {
                let name = path.last().cloned().unwrap_or_default();
                from.entry(files[to].path.clone()).or_default().insert(name);
            }
        };
        for import in &file.imports {
            match import.name.as_str() {
                GLOB => file.words.iter().for_each(|word| {
                    if names.find(at, word, true, &mut BTreeSet::new()).is_some_and(|found| found.glob) {
                        add(&[&import.path[..], std::slice::from_ref(word)].concat());
                    }
                }),
                name if import.exported && !file.words.contains(name) => {}
                _ => add(&import.path),
            }
        }
        file.paths.iter().for_each(|path| add(path));
    }
    arrows
}

const GLOB: &str = "*";

/// What a file declares, imports and names.
struct File {
    path: String,
    module: Vec<String>,
    defined: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths of two names or more outside `use`.
    paths: BTreeSet<Vec<String>>,
    /// All names outside `use`.
    words: BTreeSet<String>,
}

/// One name of a `use`.
#[derive(Debug, PartialEq)]
struct Import {
    path: Vec<String>,
    /// What it is called in the file; [`GLOB`] for all names of the path.
    name: String,
    exported: bool,
}

impl File {
    fn new(source: &Source) -> Self {
        let mut file = Self {
            path: source.path.clone(),
            module: source.module_path(),
            defined: BTreeSet::new(),
            imports: Vec::new(),
            paths: BTreeSet::new(),
            words: BTreeSet::new(),
        };
        file.read(&tokens(&source.code));
        file
    }

    fn read(&mut self, tokens: &[&str]) {
        // Braces that are open, and whether each is that of a module inside the file.
        let mut open: Vec<bool> = Vec::new();
        let mut at = 0;
        while let Some(&token) = tokens.get(at) {
            let next = tokens.get(at + 1).copied().unwrap_or_default();
            let inner = open.iter().filter(|module| **module).count();
            match token {
                "{" => open.push(at >= 2 && tokens[at - 2] == "mod"),
                "}" => _ = open.pop(),
                "use" if !next.starts_with(['<', '>']) => {
                    let end =
                        tokens[at..].iter().position(|token| *token == ";").map_or(tokens.len(), |n| at + n);
                    let exported = at > 0 && matches!(tokens[at - 1], "pub" | ")");
                    let mut found = Vec::new();
                    use_tree(&tokens[at + 1..end], &mut Vec::new(), &mut found);
                    self.imports.extend(found.into_iter().map(|(path, name)| Import {
                        path: from_file(path, inner),
                        name,
                        exported,
                    }));
                    at = end;
                }
                "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static" | "mod"
                    if open.len() == inner && is_name(next) =>
                {
                    if token != "mod" || tokens.get(at + 2) == Some(&"{") {
                        self.defined.insert(next.to_owned());
                    }
                    at += 1;
                }
                "macro_rules" => self.defined.extend(tokens.get(at + 2).map(|name| (*name).to_owned())),
                _ if is_name(token) => {
                    let mut path = vec![token.to_owned()];
                    while tokens.get(at + 1) == Some(&"::")
                        && tokens.get(at + 2).is_some_and(|token| is_name(token))
                    {
                        path.push(tokens[at + 2].to_owned());
                        at += 2;
                    }
                    self.words.extend(path.first().cloned());
                    if path.len() > 1 {
                        self.paths.insert(from_file(path, inner));
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }
}

/// The path as seen from the file, where it stands in a module `inner` levels inside it.
fn from_file(mut path: Vec<String>, inner: usize) -> Vec<String> {
    let supers = path.iter().take_while(|name| *name == "super").count().min(inner);
    if supers > 0 {
        path.splice(..supers, ["self".to_owned()]);
    }
    path
}

/// The paths of a `use`, and what each is called: `a::{b, c as d, self, e::*}`.
fn use_tree(tokens: &[&str], prefix: &mut Vec<String>, into: &mut Vec<(Vec<String>, String)>) {
    let (mut at, before) = (0, prefix.len());
    let mut alias = None;
    while let Some(&token) = tokens.get(at) {
        match token {
            "{" => {
                let (mut depth, mut start) = (0, at + 1);
                for (end, token) in tokens.iter().enumerate().skip(at) {
                    depth += i32::from(*token == "{");
                    depth -= i32::from(*token == "}");
                    if (depth == 1 && *token == ",") || depth == 0 {
                        use_tree(&tokens[start..end], prefix, into);
                        start = end + 1;
                    }
                    if depth == 0 {
                        break;
                    }
                }
                prefix.truncate(before);
                return;
            }
            "as" => {
                alias = tokens.get(at + 1).map(|name| (*name).to_owned());
                break;
            }
            "self" if !prefix.is_empty() => {}
            "::" => {}
            _ => prefix.push(token.to_owned()),
        }
        at += 1;
    }
    if !tokens.is_empty() {
        let mut path = prefix.clone();
        let last = path.last().cloned().unwrap_or_default();
        if last == GLOB {
            path.pop();
        }
        into.push((path, alias.unwrap_or(last)));
    }
    prefix.truncate(before);
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single signs.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            ':' if rest.starts_with("::") => 2,
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        tokens.push(&rest[..len]);
        rest = rest[len..].trim_start();
    }
    tokens
}

/// The names of a crate.
struct Names<'a> {
    files: &'a [File],
    modules: BTreeMap<Vec<String>, usize>,
}

/// What a name means in a module.
struct Found {
    file: usize,
    /// Further names of a path are looked up in the file.
    module: bool,
    /// It came through `use path::*`.
    glob: bool,
}

impl Names<'_> {
    /// The file that defines what `path` names in the file `from`; `None` for what is not of this crate.
    fn resolve(&self, from: usize, path: &[String], seen: &mut BTreeSet<(usize, String)>) -> Option<usize> {
        Some(self.follow(from, path, seen)?.file)
    }

    fn follow(&self, from: usize, path: &[String], seen: &mut BTreeSet<(usize, String)>) -> Option<Found> {
        let mut found = Found { file: from, module: true, glob: false };
        for (at, name) in path.iter().enumerate() {
            if !found.module {
                break;
            }
            let module = &self.files[found.file].module;
            let rooted = match name.as_str() {
                "crate" => Some(&[][..]),
                "self" => Some(&module[..]),
                "super" => module.split_last().map(|(_, parent)| parent),
                _ => None,
            };
            found = match rooted {
                Some(module) => Found { file: *self.modules.get(module)?, module: true, glob: false },
                None => match self.find(found.file, name, at + 1 == path.len(), seen) {
                    Some(found) => found,
                    // A name that a macro has made.
                    None if at > 0 => Found { module: false, ..found },
                    None => return None,
                },
            };
        }
        Some(found)
    }

    /// A `crate::name` may be a function and a module: where more names follow it is the module.
    fn find(
        &self,
        file: usize,
        name: &str,
        last: bool,
        seen: &mut BTreeSet<(usize, String)>,
    ) -> Option<Found> {
        if !seen.insert((file, name.to_owned())) {
            return None;
        }
        let this = &self.files[file];
        let child = self.modules.get(&[&this.module[..], &[name.to_owned()]].concat());
        let here = this.defined.contains(name).then_some(Found { file, module: false, glob: false });
        let below = child.map(|&file| Found { file, module: true, glob: false });
        if let Some(found) = if last { here.or(below) } else { below.or(here) } {
            return Some(found);
        }
        if let Some(import) = this.imports.iter().find(|import| import.name == name) {
            return self.follow(file, &import.path, seen);
        }
        this.imports.iter().filter(|import| import.name == GLOB).find_map(|import| {
            let module = self.follow(file, &import.path, &mut seen.clone()).filter(|found| found.module)?;
            let found = self.find(module.file, name, last, seen)?;
            Some(Found { glob: true, ..found })
        })
    }
}

#[test]
fn a_use_is_read_name_by_name() {
    let mut found = Vec::new();
    use_tree(&tokens("crate::a::{self, b::{C, D as E}, f::*}"), &mut Vec::new(), &mut found);
    let paths: Vec<_> = found.iter().map(|(path, name)| (path.join("::"), name.as_str())).collect();
    let expected =
        [("crate::a", "a"), ("crate::a::b::C", "C"), ("crate::a::b::D", "E"), ("crate::a::f", GLOB)];
    assert_eq!(paths, expected.map(|(path, name)| (path.to_owned(), name)));
}

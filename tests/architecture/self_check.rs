//! These tests see what they should: small crates with a fault each, and the real one.

use crate::circles::{circles, in_words};
use crate::source::{parse, sources, without_comments_and_strings};
use crate::{MOST_LINES, imports, module_arrows, too_long};

/// The circles of a crate with these files.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let owned = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    let arrows = imports::arrows(&parse("src", owned.collect()));
    circles(&arrows).iter().map(|circle| in_words(circle, &arrows)).collect()
}

const TWO: &str = "a circle of 2\n    src/a/one.rs → src/a/two.rs: Two\n    src/a/two.rs → src/a/one.rs: One";

#[test]
fn a_circle_through_super_is_found() {
    let lib = ("lib.rs", "mod a;");
    let parent = ("a/mod.rs", "mod one; mod two;");
    let one = ("a/one.rs", "use super::two::Two; pub(super) struct One(Two);");
    assert_eq!(
        found(&[lib, parent, one, ("a/two.rs", "pub(super) struct Two(Box<super::one::One>);")]),
        [TWO]
    );
    assert!(found(&[lib, parent, one, ("a/two.rs", "pub(super) struct Two;")]).is_empty());
}

#[test]
fn a_circle_through_a_re_export_is_found() {
    let files = [
        ("lib.rs", "mod a; pub use a::{One, Two};"),
        ("a/mod.rs", "mod one; mod two; pub use one::One; pub(crate) use two::*;"),
        ("a/one.rs", "use crate::Two; pub struct One(Two);"),
        ("a/two.rs", "use crate::a::One; pub struct Two(Box<One>);"),
    ];
    assert_eq!(found(&files), [TWO]);
}

#[test]
fn a_circle_through_a_path_in_the_code_is_found() {
    let files = [
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod one; mod two;"),
        ("a/one.rs", "use super::two; pub(super) fn One() { two::Two() }"),
        ("a/two.rs", "pub(super) fn Two() { mod inside { fn f() { super::super::one::One() } } }"),
    ];
    let arrows = found(&files);
    assert_eq!(arrows.len(), 1, "{arrows:?}");
    assert!(arrows[0].contains("src/a/two.rs → src/a/one.rs: One"), "{arrows:?}");
}

#[test]
fn a_parent_and_its_children_are_no_circle_but_two_of_its_children_are() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use a::Base;"),
        ("a/mod.rs", "mod child; pub use child::Child; pub struct Base; fn f() -> Child { child::new() }"),
        (
            "a/child.rs",
            "use super::Base; pub struct Child(Base); pub(super) fn new() -> Child { crate::b() }",
        ),
    ];
    let uses = |text| [files[0], files[1], files[2], ("b.rs", text)];
    assert!(found(&uses("pub fn b() {}")).is_empty());
    assert!(found(&uses("use crate::Base; pub fn b() -> Base {}")).is_empty());
}

#[test]
fn a_module_and_a_function_of_one_name_are_told_apart() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use b::B; pub fn a() -> B {}"),
        ("a.rs", "use crate::b::B; pub(crate) struct A(B);"),
        ("b.rs", "use crate::a; pub struct B; fn f() { a() }"),
    ];
    assert!(found(&files).is_empty());
    let back = ("b.rs", "use crate::a::A; pub struct B(Box<A>);");
    assert_eq!(found(&[files[0], files[1], back]).len(), 1);
}

#[test]
fn tests_comments_and_strings_make_no_circle() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        (
            "b.rs",
            "// use crate::a::A;\npub struct B; const S: &str = \"crate::a::A\"; #[cfg(test)] mod tests { use crate::a::A; }",
        ),
    ];
    assert!(found(&files).is_empty());
}

#[test]
fn a_long_file_is_found() {
    assert_eq!(too_long("src/a.rs", &"x\n".repeat(MOST_LINES)), None);
    assert!(too_long("src/a.rs", &"x\n".repeat(MOST_LINES + 1)).is_some());
}

#[test]
fn literals_and_comments_are_no_code() {
    let text = "a /* b /* c */ */ \"crate::x\" r#\"\"y\"\"# 'z' '\\'' b\"w\" &'a str // unsafe\nbar\n";
    let code = without_comments_and_strings(text);
    assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "&'a", "str", "bar"]);
    assert_eq!(code.matches('\n').count(), 2);
}

#[test]
fn the_engines_own_arrows_are_seen() {
    let engine = sources("src");
    assert!(engine.iter().all(|source| !source.path.ends_with("/tests.rs")));
    let arrows = module_arrows(&engine);
    for (from, to) in [("writer", "commit"), ("search", "query"), ("admin", "index"), ("index", "reader")] {
        assert!(arrows[from].contains_key(to), "{from} → {to} is there and was not seen");
    }
}

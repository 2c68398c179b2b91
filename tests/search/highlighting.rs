//! Words of the query, marked in stored texts.

use crate::common::documents::in_memory;
use lucerne::analysis::{Language, TextAnalysis};
use lucerne::query::{Boost, DisMax, Fuzziness, Highlight, MoreLike, QueryParser};
use lucerne::schema::{Field, Text};
use lucerne::{
    Bool, Document, Fuse, Fuzzy, Match, MultiMatch, Phrase, Prefix, Query, Regex, Schema, Search, Searcher,
    Term, Terms, Wildcard,
};

const LONG: &str = "The first sentence says nothing. Then an editor comes, a small text editor for programmers. \
                    Later there is much more about other things, among them games and a board game, and also much \
                    about nothing at all. At the end of it all stands one more word about text, and an editor of text.";

fn searcher() -> Searcher {
    let stems = Text::new().analysis(TextAnalysis::new().stemmer(Language::English).fold());
    let schema = Schema::builder().key("id").text("t").field(Field::text_with("stems", stems)).i64("size");
    let schema = schema.field(Field::text("unstored").stored(false)).build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer().unwrap();
    let both = |id: &str, text: &str| Document::new().with("id", id).with("t", text).with("stems", text);
    writer.add(&both("short", "Text editors & <editor> of café résumés: vim-tiny")).unwrap();
    writer.add(&both("long", LONG)).unwrap();
    writer.add(&both("cjk", "iPhoneで東京タワーへ行く。東の京")).unwrap();
    writer.add(&Document::new().with("id", "empty")).unwrap();
    writer.close().unwrap();
    index.searcher().unwrap()
}

#[track_caller]
fn shown(searcher: &Searcher, key: &str, query: impl Into<Query>, highlight: Highlight) -> Vec<String> {
    let field = serde_json::to_value(&highlight).unwrap()["field"].as_str().unwrap().to_owned();
    let search = Search::new(Bool::new().should(query.into()).should(Query::all())).highlight(highlight);
    assert_eq!(Search::from_json(&search.to_json()).unwrap(), search);
    let hits = searcher.search(search).unwrap();
    let hit = hits.hits.iter().find(|hit| hit.key == key).unwrap();
    hit.highlights.get(&field).cloned().unwrap_or_default()
}

fn marks(field: &str) -> Highlight {
    Highlight::new(field).tags("[", "]").fragments(0)
}

#[test]
fn what_a_query_finds_is_marked() {
    let searcher = searcher();
    let all = |query: Query| shown(&searcher, "short", query, marks("t")).concat();
    let plain = "Text editors & <editor> of café résumés: vim-tiny";
    let parsed = |text: &str| QueryParser::new(searcher.schema()).parse_query(text).unwrap();
    for (query, expected) in [
        (Match::new("t", "EDITOR nothing").into(), plain.replace("<editor>", "<[editor]>")),
        (Term::new("t", "editors").into(), plain.replace("editors", "[editors]")),
        (
            Terms::new("t", ["editors", "of"]).into(),
            plain.replace("editors", "[editors]").replace("of", "[of]"),
        ),
        (MoreLike::text("of café").min_doc_freq(1).into(), plain.replace("of café", "[of] [café]")),
        // The words that the two have in common.
        (
            MoreLike::key("long").fields(["t"]).into(),
            plain.replace("of", "[of]").replace("Text", "[Text]").replace("<editor>", "<[editor]>"),
        ),
        (MoreLike::key("long").fields(["stems"]).into(), String::new()),
        (
            Prefix::new("t", "Edit").into(),
            plain.replace("editors", "[editors]").replace("<editor>", "<[editor]>"),
        ),
        (Fuzzy::new("t", "edtor").into(), plain.replace("<editor>", "<[editor]>")),
        (Match::new("t", "txet").fuzziness(Fuzziness::Auto).into(), plain.replace("Text", "[Text]")),
        (Fuzzy::new("t", "ditors").prefix_length(1).into(), String::new()),
        (Wildcard::new("t", "R*S").into(), plain.replace("résumés", "[résumés]")),
        (Regex::new("t", "edit.{3}").into(), plain.replace("editors", "[editors]")),
        (Phrase::new("t", "text editors").into(), plain.replace("Text editors", "[Text] [editors]")),
        (Phrase::new("t", "text editor").into(), String::new()),
        (
            Phrase::new("t", "text editor").slop(1).into(),
            plain.replace("Text", "[Text]").replace("<editor>", "<[editor]>"),
        ),
        (Prefix::new("t", "vim-t").into(), plain.replace("vim-tiny", "[vim]-[tiny]")),
        (Match::new("stems", "editor").into(), String::new()),
        (
            Bool::new().must(Match::new("t", "text")).must_not(Match::new("t", "nothing editor")).into(),
            plain.replace("Text", "[Text]"),
        ),
        (Boost::new(DisMax::new().query(Match::new("t", "of")), 2.0).into(), plain.replace("of", "[of]")),
        (MultiMatch::new("of").field("stems").field("t^2").into(), plain.replace("of", "[of]")),
        (Fuse::rrf().query(Match::new("t", "of")).into(), plain.replace("of", "[of]")),
        (
            parsed("t:\"of café\" OR edit*r"),
            plain.replace("of café", "[of] [café]").replace("<editor>", "<[editor]>"),
        ),
    ] {
        assert_eq!(all(Query::clone(&query)), expected, "{query:?}");
    }
    let stems = shown(&searcher, "short", Match::new("stems", "editor resume"), marks("stems"));
    assert_eq!(stems, ["Text [editors] & <[editor]> of café [résumés]: vim-tiny"]);
    let pairs = shown(&searcher, "cjk", Match::new("t", "東京タワー"), marks("t"));
    assert_eq!(pairs, ["iPhoneで[東京タワー]へ行く。東の京"]);
    assert!(shown(&searcher, "empty", Match::new("t", "text"), marks("t")).is_empty());
}

#[test]
fn the_best_fragments_are_cut_between_words() {
    let searcher = searcher();
    let query = || Match::new("t", "small text editor");
    let cut = |count, size| {
        shown(&searcher, "long", query(), Highlight::new("t").tags("[", "]").fragments(count).size(size))
    };
    let best = cut(1, 60);
    assert_eq!(best.len(), 1);
    assert!(best[0].contains("[small] [text] [editor]"), "{best:?}");
    let two = cut(2, 40);
    assert_eq!(two.len(), 2);
    assert!(two[0].contains("[small] [text] [editor]") && two[1].contains("[editor] of [text]"), "{two:?}");
    for size in [1, 5, 20, 40, 100, 150, 1_000] {
        let fragments = cut(100, size);
        let mut rest = LONG;
        for fragment in &fragments {
            let plain = fragment.replace(['[', ']'], "");
            let at = rest.find(&plain).unwrap_or_else(|| panic!("{size}: {plain:?} is not in order"));
            let before = rest[..at].chars().last().is_none_or(|last| !last.is_alphanumeric());
            rest = &rest[at + plain.len()..];
            let after = rest.chars().next().is_none_or(|next| !next.is_alphanumeric());
            assert!(before && after, "{size}: {plain:?} cuts a word");
            assert!(plain.chars().count() <= size.max("small".len() + 1), "{size}: {plain:?}");
            assert_eq!(plain.trim(), plain);
        }
        let words = fragments.concat().matches('[').count();
        assert_eq!(words, 7, "{size}: every word once: {fragments:?}");
    }
}

#[test]
fn texts_are_escaped_where_asked() {
    let searcher = searcher();
    let shown =
        shown(&searcher, "short", Match::new("t", "editor"), Highlight::new("t").escape_html().size(30));
    assert_eq!(shown.len(), 1);
    assert!(shown[0].contains("&amp; &lt;<b>editor</b>&gt;"), "{shown:?}");
}

#[test]
fn what_cannot_be_highlighted_is_refused() {
    let searcher = searcher();
    for (highlight, problem) in [
        (Highlight::new("size"), "expected a text field"),
        (Highlight::new("nope"), "nope"),
        (Highlight::new("unstored"), "unstored"),
        (Highlight::new("t").size(0), "of 1 to"),
        (Highlight::new("t").fragments(5_000), "at most 1000 fragments"),
    ] {
        let error = searcher.search(Search::new(Query::all()).highlight(highlight)).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
    let terms = searcher.analyze("stems", "Some résumés").unwrap();
    assert_eq!((&*terms[1].term, terms[1].position, terms[1].span.clone()), ("resum", 1, 5..14));
    assert!(searcher.analyze("size", "x").is_err() && searcher.analyze("nope", "x").is_err());
}

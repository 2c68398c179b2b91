//! Queries of text: prefixes, clauses and phrases without terms, words that are too long, characters that cannot be
//! seen.

use crate::common::documents::in_memory;
use lucerne::analysis::{Analyzer, Language, StopWords, TextAnalysis};
use lucerne::codec::Cancel;
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::query::{Boost, Constant, Exists, QueryParser};
use lucerne::schema::{Field, Text};
use lucerne::{Bool, Document, Index, Match, Phrase, Prefix, Query, Range, Schema, Search, Searcher, Term};
use std::sync::Arc;

fn schema() -> Schema {
    let text = |analysis: TextAnalysis| Text::new().analysis(analysis);
    let stops = || StopWords::of(Language::English);
    let schema = Schema::builder().key("id").text("t").keyword("k");
    let schema = schema.field(Field::text_with("white", text(TextAnalysis::new().analyzer("whitespace"))));
    let schema = schema.field(Field::text_with("whole", text(TextAnalysis::new().analyzer("keyword"))));
    let schema = schema.field(Field::text_with("folded", text(TextAnalysis::new().fold())));
    let schema = schema.field(Field::text_with("stops", text(TextAnalysis::new().stop_words(stops()))));
    let schema = schema.field(Field::text_with(
        "stems",
        text(TextAnalysis::new().stemmer(Language::English).stop_words(stops())),
    ));
    schema.build().unwrap()
}

/// Documents of these texts in a field, with the keys 0, 1, 2 …
fn documents(field: &str, texts: &[&str]) -> Searcher {
    fill(in_memory(schema()).1, field, texts)
}

fn fill(index: Index, field: &str, texts: &[&str]) -> Searcher {
    let writer = index.writer().unwrap();
    for (number, text) in texts.iter().enumerate() {
        writer.add(&Document::new().with("id", number.to_string()).with(field, *text)).unwrap();
    }
    writer.close().unwrap();
    index.searcher().unwrap()
}

/// The numbers of the documents that a query finds, in order.
#[track_caller]
fn found(searcher: &Searcher, query: impl Into<Query>) -> Vec<usize> {
    let hits = searcher.search(Search::new(query.into()).limit(100)).unwrap();
    let mut found: Vec<usize> = hits.keys().iter().map(|key| key.parse().unwrap()).collect();
    found.sort_unstable();
    found
}

#[track_caller]
fn typed(searcher: &Searcher, text: &str) -> Vec<usize> {
    found(
        searcher,
        QueryParser::new(searcher.schema()).parse_query(text).unwrap_or_else(|error| panic!("{error}")),
    )
}

#[test]
fn a_prefix_has_the_characters_that_terms_have() {
    let texts = ["Größe Résumé Vim-tiny ﬁne ＦＵＬＬ İstanbul", "vim", "VIM co\u{AD}operate", "Vim tiny"];
    /// Queries, and the numbers of the documents that each finds.
    type Expected = &'static [(&'static str, &'static [usize])];
    let table: [(&str, Expected); 4] = [
        (
            "t",
            &[
                ("Vim", &[0, 1, 2, 3]),
                ("vi", &[0, 1, 2, 3]),
                ("GRÖ", &[0]),
                ("Gro", &[]),
                ("ﬁn", &[0]),
                ("fin", &[0]),
                ("ＦＵ", &[0]),
                ("fu", &[0]),
                ("re\u{301}", &[0]),
                ("co\u{AD}op", &[2]),
                ("COOP", &[2]),
                ("İst", &[0]),
            ],
        ),
        (
            "folded",
            &[
                ("Rés", &[0]),
                ("res", &[0]),
                ("Größ", &[0]),
                ("gross", &[0]),
                ("GROS", &[0]),
                ("Vi", &[0, 1, 2, 3]),
            ],
        ),
        (
            "white",
            &[("Vim", &[0, 3]), ("vim", &[1]), ("VI", &[2]), ("Vim-t", &[0]), ("Rés", &[0]), ("res", &[])],
        ),
        ("whole", &[("Vim", &[3]), ("Vim t", &[3]), ("vim", &[1]), ("VIM", &[2])]),
    ];
    for (field, prefixes) in table {
        let searcher = documents(field, &texts);
        for (prefix, expected) in prefixes {
            assert_eq!(found(&searcher, Prefix::new(field, *prefix)), *expected, "{field}: {prefix}");
            let escaped = prefix.replace(' ', "\\ ");
            assert_eq!(typed(&searcher, &format!("{field}:{escaped}*")), *expected, "{field}:{prefix}*");
        }
    }
    // A sigma is written in another way where a word ends, and a prefix goes on.
    for field in ["t", "folded"] {
        let searcher = documents(field, &["ΟΔΟΣ", "ΟΔΟΣΕΩΝ", "οδοσεων"]);
        for prefix in ["ΟΔΟΣ", "οδος", "οδοσ"] {
            assert_eq!(found(&searcher, Prefix::new(field, prefix)), [0, 1, 2], "{field}: {prefix}");
        }
        assert_eq!(found(&searcher, Match::new(field, "οδος")), [0]);
    }
    // Ranges of terms have them too.
    let searcher = documents("folded", &texts);
    assert_eq!(found(&searcher, Range::new("folded").gte("RÉS").lt("RÉT")), [0]);
    assert_eq!(found(&searcher, Range::new("folded").gt("Größd").lte("Größe")), [0]);
    let searcher = documents("white", &texts);
    assert_eq!(found(&searcher, Range::new("white").gte("Vim").lte("Vim-tiny")), [0, 3]);
}

#[test]
fn a_prefix_of_several_words_is_a_phrase_whose_last_word_goes_on() {
    let texts = [
        "東京タワーへ行く",
        "京都タワー",
        "東京へ、京タ",
        "Vim-tiny is small",
        "tiny vim",
        "vim tinier",
        "iPhone15を買う",
        "ภาษาไทย",
    ];
    let searcher = documents("t", &texts);
    let table: [(&str, &[usize]); 13] = [
        ("東*", &[0, 2]),
        ("東京*", &[0, 2]),
        ("東京タ*", &[0]),
        ("東京タワ*", &[0]),
        ("東京ト*", &[]),
        ("タワ*", &[0, 1]),
        ("Vim-t*", &[3, 5]),
        ("vim-tini*", &[5]),
        ("vim-x*", &[]),
        ("is-sm*", &[3]),
        ("iPhone15を*", &[6]),
        ("iphone1*", &[6]),
        ("ภาษ*", &[7]),
    ];
    for (text, expected) in table {
        assert_eq!(typed(&searcher, text), expected, "{text}");
    }
    let hits = searcher.search(Prefix::new("t", "Vim t")).unwrap();
    assert!(hits.hits.iter().all(|hit| hit.score == 1.0));
    // Words before the last one are analyzed; the last one may yet become another word than a stop word.
    let searcher = documents("stems", &["running theories of vim", "run the vim", "a theory"]);
    assert_eq!(found(&searcher, Prefix::new("stems", "Runs theo")), [0]);
    assert_eq!(found(&searcher, Prefix::new("stems", "the")), [0, 2]);
    assert_eq!(found(&searcher, Prefix::new("stems", "run the vi")), [1]);
    assert_eq!(found(&searcher, Prefix::new("stems", "")), [0, 1, 2]);
}

/// Words between commas, as they are, or in lower case.
#[derive(Debug)]
struct Commas {
    lower: bool,
}

impl Analyzer for Commas {
    fn analyze(&self, text: &str, emit: &mut dyn FnMut(&str, u32)) {
        for (position, term) in (0..).zip(text.split(',')) {
            match self.lower {
                true => emit(&term.trim().to_lowercase(), position),
                false => emit(term.trim(), position),
            }
        }
    }
}

#[test]
fn analyzers_of_ones_own_keep_case_in_prefixes_as_they_do_in_terms() {
    for lower in [true, false] {
        let tags = Text::new().analysis(TextAnalysis::new().analyzer("commas"));
        let schema = Schema::builder().key("id").field(Field::text_with("tags", tags)).build().unwrap();
        let builder = IndexBuilder::new().analyzer("commas", Arc::new(Commas { lower }));
        let index = builder.create(Arc::new(RamDirectory::new()), schema).unwrap();
        let searcher = fill(index, "tags", &["Text Editor, vim", "text editor"]);
        let expected: &[usize] = if lower { &[0, 1] } else { &[0] };
        assert_eq!(found(&searcher, Prefix::new("tags", "Text E")), expected);
    }
}

#[test]
fn clauses_without_terms_are_passed_over() {
    let searcher = documents("stops", &["The soup of the day", "soup day", "the of"]);
    for text in [
        "stops:soup AND stops:the",
        "stops:soup AND stops:\"the\"",
        "stops:soup AND stops:\"of the\"",
        "stops:(+soup +\"of the\")",
        "stops:soup AND stops:\"?!\"",
        "stops:soup AND stops:\"\"",
        "stops:soup AND (stops:\"the\" OR stops:\"of\")",
        "stops:soup AND (t:the OR t:the)^2 OR stops:soup",
        "@stops:soup @stops:\"of the\"",
        "+stops:\"of the\" stops:soup",
        "stops:soup AND stops:\\!*",
        "stops:soup AND stops:\"the\"^3",
        "stops:soup NOT stops:\"the\"",
    ] {
        assert_eq!(typed(&searcher, text), [0, 1], "{text}");
    }
    // Alone they find nothing, also beside a filter or an exclusion.
    for text in ["stops:\"of the\"", "stops:the", "+stops:\"the\" -stops:soup", "stops:\"the\" OR stops:of"] {
        assert_eq!(typed(&searcher, text), [0; 0], "{text}");
    }
    let the = || Phrase::new("stops", "the");
    let soup = || Match::new("stops", "soup");
    assert_eq!(found(&searcher, Bool::new().must(the()).filter(soup())), [0; 0]);
    assert_eq!(found(&searcher, Bool::new().filter(the()).must(soup())), [0; 0]);
    assert_eq!(found(&searcher, Bool::new().should(the()).filter(soup())), [0, 1]);
    assert_eq!(found(&searcher, Bool::new().must_not(the())), [0, 1, 2]);
    assert_eq!(
        found(&searcher, Bool::new().must(Constant::new(Boost::new(the(), 2.0), 1.0)).must(soup())),
        [0, 1]
    );
    let two_of =
        Bool::new().should(the()).should(soup()).should(Match::new("stops", "day")).minimum_should_match(2);
    assert_eq!(found(&searcher, two_of), [0, 1]);
    let three_of = Bool::new().should(soup()).should(Match::new("stops", "day")).minimum_should_match(3);
    assert_eq!(found(&searcher, three_of), [0; 0]);
    let why = searcher.explain(Bool::new().must(the()).must(soup()), "1").unwrap().to_string();
    assert!(why.contains("no terms, passed over"), "{why}");
}

#[test]
fn a_required_word_that_is_too_long_is_refused() {
    let (longest, longer) = ("y".repeat(255), "x".repeat(300));
    let searcher = documents("t", &[&format!("key {longer} apple"), "apple pie", &longest]);
    let parser = QueryParser::new(searcher.schema());
    for text in [
        "+apple +W",
        "apple AND \"W\"",
        "apple AND \"a W b\"",
        "W",
        "W*",
        "white:W",
        "+white:(+a +W)",
        "stops:\"the-W\"",
    ] {
        let query = parser.parse(&text.replace('W', &longer)).unwrap();
        let error = searcher.search(query).unwrap_err().to_string();
        assert!(error.contains("has 300 bytes") && error.len() < 300, "{text}: {error}");
    }
    assert_eq!(typed(&searcher, &longest), [2]);
    // Where other words may do, it is left out.
    assert_eq!(typed(&searcher, &format!("apple {longer}")), [0, 1]);
    assert_eq!(typed(&searcher, &format!("apple -({longer} pie)")), [0]);
    // Characters without spaces between them are no long word.
    assert_eq!(typed(&searcher, &"東".repeat(300)), [0; 0]);
}

#[test]
fn characters_that_cannot_be_seen_hide_no_word() {
    const INVISIBLE: [char; 24] = [
        '\u{200E}',
        '\u{200F}',
        '\u{202A}',
        '\u{202C}',
        '\u{202E}',
        '\u{2060}',
        '\u{2063}',
        '\u{2066}',
        '\u{2069}',
        '\u{FEFF}',
        '\u{61C}',
        '\u{200C}',
        '\u{200D}',
        '\u{AD}',
        '\u{180E}',
        '\u{34F}',
        '\u{115F}',
        '\u{3164}',
        '\u{FFA0}',
        '\u{17B5}',
        '\u{1BCA0}',
        '\u{1D173}',
        '\u{E0001}',
        '\u{E0061}',
    ];
    let mut texts: Vec<String> = Vec::new();
    for invisible in INVISIBLE {
        texts.push(format!("say hello{invisible} again"));
        texts.push(format!("{invisible}hello{invisible}{invisible}, {invisible}"));
        texts.push(format!("he{invisible}llo"));
    }
    let searcher = documents("t", &texts.iter().map(String::as_str).collect::<Vec<_>>());
    let all: Vec<usize> = (0..texts.len()).collect();
    assert_eq!(found(&searcher, Match::new("t", "hello")), all);
    for invisible in INVISIBLE {
        assert_eq!(found(&searcher, Match::new("t", format!("hello{invisible}"))), all, "{invisible:?}");
        assert_eq!(found(&searcher, Phrase::new("t", format!("{invisible}hello"))), all, "{invisible:?}");
        assert_eq!(found(&searcher, Prefix::new("t", format!("hel{invisible}"))), all, "{invisible:?}");
    }
    // In other scripts too; joiners stay where words are written with them.
    let searcher = documents(
        "t",
        &["می\u{200C}خواهم", "میخواهم", "שלום\u{200F}", "👨\u{200D}👩\u{200D}👧 family", "क्\u{200D}ष"],
    );
    assert_eq!(found(&searcher, Match::new("t", "می\u{200C}خواهم\u{200C}")), [0]);
    assert_eq!(found(&searcher, Match::new("t", "میخواهم\u{200F}")), [1]);
    assert_eq!(found(&searcher, Match::new("t", "שלום")), [2]);
    assert_eq!(found(&searcher, Term::new("t", "👨\u{200D}👩\u{200D}👧")), [3]);
    assert_eq!(found(&searcher, Term::new("t", "क्\u{200D}ष")), [4]);
    // The tags of a flag are seen.
    let [england, scotland] = ["gbeng", "gbsct"].map(|region| {
        let tags = region.bytes().map(|byte| char::from_u32(0xE0000 + u32::from(byte)).unwrap());
        format!("\u{1F3F4}{}\u{E007F}", tags.collect::<String>())
    });
    let searcher = documents("t", &[&england, &scotland, "\u{1F3F4}"]);
    assert_eq!(found(&searcher, Match::new("t", scotland)), [1]);
}

#[test]
fn a_text_without_terms_is_a_value() {
    let dynamic = Schema::from_json(
        r#"{"key": "id", "dynamic": true, "fields": [{"name": "t", "type": "text"},
            {"name": "stops", "type": "text", "stop_words": "english"}, {"name": "p", "type": "text", "path": "$.a.b"}]}"#,
    );
    for schema in [dynamic.unwrap(), schema()] {
        let has_path = schema.field("p").is_some();
        let (_, index) = in_memory(schema);
        let writer = index.writer().unwrap();
        let lines = [
            r#"{"id": "missing"}"#,
            r#"{"id": "null", "t": null, "stops": null}"#,
            r#"{"id": "no list", "t": [], "stops": []}"#,
            r#"{"id": "empty", "t": "", "stops": ""}"#,
            r#"{"id": "marks", "t": ["?!", ""], "stops": "?!"}"#,
            r#"{"id": "stop", "t": "the", "stops": "the"}"#,
            r#"{"id": "word", "t": ["", "word"], "stops": "word"}"#,
        ];
        for line in lines {
            writer.add(&Document::from_json(line).unwrap()).unwrap();
        }
        if has_path {
            writer.add(&Document::from_json(r#"{"id": "path", "a": {"b": "..."}}"#).unwrap()).unwrap();
        }
        writer.commit().unwrap();
        for merged in [false, true] {
            if merged {
                writer.add(&Document::new().with("id", "later").with("k", Option::<&str>::None)).unwrap();
                writer.commit().unwrap();
                writer.force_merge(1, &Cancel::new()).unwrap();
                writer.commit().unwrap();
            }
            let searcher = index.searcher().unwrap();
            for field in ["t", "stops"] {
                for query in [Query::from(Exists::new(field)), Range::new(field).into()] {
                    let hits = searcher.search(query).unwrap();
                    assert_eq!(hits.keys(), ["empty", "marks", "stop", "word"], "{field}");
                    assert!(hits.hits.iter().all(|hit| hit.score == 1.0));
                }
                let without = searcher.count(Bool::new().must_not(Exists::new(field))).unwrap();
                assert_eq!(without, 3 + u64::from(has_path) + u64::from(merged), "{field}");
            }
            if has_path {
                assert_eq!(searcher.search(Exists::new("p")).unwrap().keys(), ["path"]);
            }
        }
    }
}

#[test]
fn a_phrase_of_one_word_many_times_is_bounded() {
    let searcher = documents("t", &[&"ho ".repeat(5_000), &"ho ".repeat(1_023), "ho"]);
    assert_eq!(found(&searcher, Phrase::new("t", "ho ".repeat(1_024))), [0]);
    assert_eq!(found(&searcher, Phrase::new("t", "ho ".repeat(1_023))), [0, 1]);
    let error = searcher.search(Phrase::new("t", "ho ".repeat(40_000))).unwrap_err().to_string();
    assert!(error.contains("the phrase has 40000 words, expected at most 1024"), "{error}");
    // With a slop, which lets every occurrence be part of many matches, and as a prefix.
    assert_eq!(found(&searcher, Phrase::new("t", "ho ".repeat(1_024)).slop(100_000)), [0]);
    assert_eq!(found(&searcher, Phrase::new("t", "ho ".repeat(1_024)).slop(u32::MAX)), [0]);
    assert_eq!(found(&searcher, Prefix::new("t", "ho ".repeat(1_023) + "h")), [0]);
    let error = searcher.search(Prefix::new("t", "ho ".repeat(40_000))).unwrap_err().to_string();
    assert!(error.contains("the phrase has 40000 words, expected at most 1024"), "{error}");
}

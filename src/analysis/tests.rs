//! Texts and the terms that are expected of them.

use super::*;
use proptest::prelude::*;
use std::sync::Arc;

fn analyzer(analysis: &TextAnalysis) -> Arc<dyn Analyzer> {
    Analyzers::new().resolve(analysis).unwrap()
}

/// Terms with their positions.
fn terms(analysis: &TextAnalysis, text: &str) -> Vec<(String, u32)> {
    let mut terms = Vec::new();
    analyzer(analysis).analyze(text, &mut |term, position| terms.push((term.to_owned(), position)));
    terms
}

/// Terms as `term` or, where the position is not one behind the one before, `term@position`.
fn shown(analysis: &TextAnalysis, text: &str) -> String {
    let mut next = 0;
    let shown = terms(analysis, text).into_iter().map(|(term, position)| {
        let expected = std::mem::replace(&mut next, position + 1);
        if position == expected { term } else { format!("{term}@{position}") }
    });
    shown.collect::<Vec<_>>().join(" | ")
}

#[track_caller]
fn check(analysis: &TextAnalysis, table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(shown(analysis, text), *expected, "{text:?}");
    }
}

#[test]
fn words_of_every_script() {
    check(
        &TextAnalysis::new(),
        &[
            ("", ""),
            (" \t\r\n…!?", ""),
            (
                "The quick (\"brown\") fox can't jump 32.3 feet, right?",
                "the | quick | brown | fox | can't | jump | 32.3 | feet | right",
            ),
            ("vim-tiny_8.2 C++ e.g. user@example.org", "vim | tiny_8.2 | c | e.g | user | example.org"),
            ("don\u{2019}t co\u{AD}operate", "don't | cooperate"),
            ("Größe STRASSE Straße", "größe | strasse | straße"),
            ("ﬁne ＦＵＬＬ ｗｉｄｔｈ ½ cafe\u{301}", "fine | full | width | 1 | 2 | café"),
            ("ΟΔΥΣΣΕΥΣ Οδυσσεύς Привет", "οδυσσευσ | οδυσσεύσ | привет"),
            ("שלום עולם! مرحبا بالعالم", "שלום | עולם | مرحبا | بالعالم"),
            ("हिन्दी में", "हिन्दी | में"),
            ("party 🎉 👩‍👩‍👧 🇩🇪 ❤️", "party | 🎉 | 👩‍👩‍👧 | 🇩🇪 | ❤"),
        ],
    );
}

#[test]
fn scripts_without_spaces_become_bigrams() {
    check(
        &TextAnalysis::new(),
        &[
            ("我是中国人。", "我是 | 是中 | 中国 | 国人"),
            ("日", "日"),
            ("日 本", "日 | 本"),
            ("東京タワーへ行く", "東京 | 京タ | タワ | ワー | ーへ | へ行 | 行く"),
            ("ﾃﾞｰﾀﾍﾞｰｽ", "デー | ータ | タベ | ベー | ース"),
            ("カタカナ・ひらがな", "カタ | タカ | カナ | ひら | らが | がな"),
            ("한국어 검색", "한국 | 국어 | 검색"),
            ("iPhone15を買う", "iphone15 | を買 | 買う"),
            ("C言語とRust", "c | 言語 | 語と | rust"),
            ("2026年11月", "2026 | 年 | 11 | 月"),
            ("서울abc시", "서울 | abc | 시"),
            ("ไทย", "ไท | ทย"),
            ("น้อง", "น้อ | อง"),
            ("𠮷野家", "𠮷野 | 野家"),
        ],
    );
}

#[test]
fn long_words_are_left_out_and_counted() {
    let word = |letter: &str, count: usize| letter.repeat(count);
    let text = format!("a {} b {} c", word("x", MAX_WORD + 1), word("y", MAX_WORD));
    let expected = format!("a | b@2 | {} | c", word("y", MAX_WORD));
    assert_eq!(shown(&TextAnalysis::new(), &text), expected);
    let whitespace = TextAnalysis::new().analyzer("whitespace");
    assert_eq!(shown(&whitespace, &text), expected);
    let chinese = word("中", 1_000);
    assert_eq!(terms(&TextAnalysis::new(), &chinese).len(), 999);
}

#[test]
fn folding_takes_accents_off() {
    let table = [
        ("Résumé NAÏVE Übergröße Ærø Łódź", "resume | naive | ubergrosse | aero | lodz"),
        ("Tiếng Việt Đà Nẵng", "tieng | viet | da | nang"),
        ("İstanbul ısı Άλφα", "istanbul | isi | αλφα"),
        ("ёлка йод Київ", "елка | йод | київ"),
        ("が हिन्दी", "が | हिन्दी"),
    ];
    check(&TextAnalysis::new().fold(), &table);
}

#[test]
fn stop_words_leave_holes() {
    let english = TextAnalysis::new().stop_words(StopWords::of(Language::English));
    check(
        &english,
        &[
            ("The cat and the hat", "cat@1 | hat@4"),
            ("to be or not to be", ""),
            ("of theories", "theories@1"),
        ],
    );
    let listed = TextAnalysis::new().fold().stop_words(StopWords::list(["ÉTÉ", "don\u{2019}t"]));
    check(&listed, &[("l'été ete été don't go", "l'ete | go@4")]);
}

#[test]
fn words_are_stemmed_in_a_language() {
    for (language, table) in [
        (
            Language::English,
            &[
                ("Running runs connections", "run | run | connect"),
                ("the editors' editor's", "the | editor | editor"),
            ][..],
        ),
        (Language::German, &[("Häuser Automaten", "haus | automat")]),
        (Language::French, &[("continuellement", "continuel")]),
        (Language::Russian, &[("книги", "книг")]),
        (Language::Spanish, &[("canciones", "cancion")]),
    ] {
        check(&TextAnalysis::new().stemmer(language), table);
    }
    let all =
        TextAnalysis::new().stemmer(Language::English).stop_words(StopWords::of(Language::English)).fold();
    check(&all, &[("The RÉSUMÉS of editors 日本語", "resum@1 | editor@3 | 日本 | 本語")]);
}

#[test]
fn other_analyzers_leave_the_text_alone() {
    let whitespace = TextAnalysis::new().analyzer("whitespace");
    check(&whitespace, &[("  Vim-tiny\tC++ 日本語 ", "Vim-tiny | C++ | 日本語"), ("", "")]);
    let keyword = TextAnalysis::new().analyzer("keyword");
    check(&keyword, &[("The Whole Text.", "The Whole Text."), ("", "")]);
    assert_eq!(terms(&keyword, &"x".repeat(100_000)), []);
}

#[test]
fn terms_come_with_the_bytes_they_are_of() {
    let shown = |analysis: &TextAnalysis, text: &str| {
        let mut spans = Vec::new();
        analyzer(analysis)
            .analyze_spans(text, &mut |term, _, span| spans.push(format!("{term}={}", &text[span])));
        spans.join(" | ")
    };
    let folded = TextAnalysis::new().fold().stemmer(Language::English);
    for (text, expected) in [
        ("The Running\u{A0}Editors!", "the=The | run=Running | editor=Editors"),
        ("(Größe) ﬁne ＦＵＬＬ-ｗｉｄｔｈ", "gross=Größe | fine=ﬁne | full=ＦＵＬＬ | width=ｗｉｄｔｈ"),
        ("x cafe\u{301}s co\u{AD}operate", "x=x | cafe=cafe\u{301}s | cooper=co\u{AD}operate"),
        ("don\u{2019}t", "don't=don\u{2019}t"),
        ("東京タワーへ", "東京=東京 | 京タ=京タ | タワ=タワ | ワー=ワー | ーへ=ーへ"),
    ] {
        assert_eq!(shown(&folded, text), expected, "{text}");
    }
    assert_eq!(shown(&TextAnalysis::new().analyzer("whitespace"), " A+ b"), "A+=A+ | b=b");
    assert_eq!(shown(&TextAnalysis::new().analyzer("keyword"), " A b"), " A b= A b");
}

#[derive(Debug)]
struct Letters;

impl Analyzer for Letters {
    fn analyze(&self, text: &str, emit: &mut dyn FnMut(&str, u32)) {
        for (position, letter) in (0..).zip(text.chars()) {
            emit(letter.encode_utf8(&mut [0; 4]), position);
        }
    }
}

#[test]
fn analyzers_are_found_by_name_or_the_known_ones_are_listed() {
    let mut analyzers = Analyzers::new();
    analyzers.register("letters", Arc::new(Letters));
    assert!(analyzers.names().eq(["standard", "whitespace", "keyword", "letters"]));
    let mut found = Vec::new();
    let letters = analyzers.resolve(&TextAnalysis::new().analyzer("letters")).unwrap();
    letters.analyze("ab", &mut |term, _| found.push(term.to_owned()));
    assert_eq!(found, ["a", "b"]);
    for (json, problem) in [
        (
            r#"{"analyzer": "nope"}"#,
            r#"analyzer "nope" is unknown; known: standard, whitespace, keyword, letters"#,
        ),
        (r#"{"stemmer": "english", "nostem": true}"#, "nostem is true and stemmer is english"),
        (
            r#"{"analyzer": "letters", "stemmer": "english"}"#,
            r#"stemmer is an option of analyzer "standard""#,
        ),
        (r#"{"analyzer": "keyword", "fold": true}"#, r#"fold is an option of analyzer "standard""#),
        (r#"{"stop_words": "basque"}"#, "no list of stop words for basque"),
    ] {
        let error = analyzers.resolve(&serde_json::from_str(json).unwrap()).unwrap_err().to_string();
        assert!(error.contains(problem), "{json}: {error}");
    }
}

#[test]
fn options_are_written_and_read_as_json() {
    for (analysis, json) in [
        (TextAnalysis::new(), "{}"),
        (
            TextAnalysis { nostem: true, ..TextAnalysis::new().analyzer("standard") },
            r#"{"analyzer":"standard","nostem":true}"#,
        ),
        (
            TextAnalysis::new().stemmer(Language::German).stop_words(StopWords::list(["der", "die"])).fold(),
            r#"{"stemmer":"german","stop_words":["der","die"],"fold":true}"#,
        ),
        (TextAnalysis::new().stop_words(StopWords::of(Language::English)), r#"{"stop_words":"english"}"#),
    ] {
        assert_eq!(serde_json::to_string(&analysis).unwrap(), json);
        assert_eq!(serde_json::from_str::<TextAnalysis>(json).unwrap(), analysis);
    }
    for (json, problem) in [
        (r#"{"stemmer": "klingon"}"#, "unknown variant `klingon`, expected one of `arabic`"),
        (r#"{"stop_words": 7}"#, "expected a language (\"english\") or a list of words"),
        (r#"{"stemer": "english"}"#, "unknown field `stemer`, expected one of `analyzer`, `stemmer`"),
    ] {
        let error = serde_json::from_str::<TextAnalysis>(json).unwrap_err().to_string();
        assert!(error.contains(problem), "{json}: {error}");
    }
}

/// Every language the enum has, as its names in JSON.
fn languages() -> Vec<Language> {
    let error = serde_json::from_str::<Language>("\"none\"").unwrap_err().to_string();
    let names = error.split('`').skip(3).step_by(2);
    names.map(|name| serde_json::from_value(name.into()).unwrap()).collect()
}

#[test]
fn every_language_has_its_stemmer() {
    let languages = languages();
    assert_eq!(languages.len(), 34);
    for language in languages {
        analyzer(&TextAnalysis::new().stemmer(language));
    }
}

/// Text of any characters, or of those that analysis treats in a way of their own.
fn any_text() -> impl Strategy<Value = String> {
    let special = "[a-zA-Z0-9 '.,_\u{AD}\u{2019}\u{300}-\u{30A}\u{200D}\u{FE0F}ß-éА-яα-ωΣİŉ\u{627}-\u{645}क-ह\u{94D}ก-๎一-中ぁ-ヿｦ-ﾟ가-각ᄀ-ᅢ🎉-🎒🇦-🇿\u{1F3FB}]{0,60}";
    prop_oneof![any::<String>(), proptest::string::string_regex(special).unwrap()]
}

proptest! {
    #[test]
    fn spans_are_of_the_same_terms(text in "(\\PC|[ \u{A0}aé\u{301}\u{200B}\u{AD}\u{200D}ﬁ東京한글ﾃﾞ😀'.\u{1100}\u{1161}]){0,40}") {
        for analysis in [TextAnalysis::new(), TextAnalysis::new().fold().stemmer(Language::English)] {
            let mut found = Vec::new();
            analyzer(&analysis).analyze_spans(&text, &mut |term, position, span| {
                assert!(!text[span].is_empty());
                found.push((term.to_owned(), position));
            });
            prop_assert_eq!(found, terms(&analysis, &text));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_analyzed_the_same_way_each_time(text in any_text(), language in 0usize..34, fold: bool) {
        let mut standard = TextAnalysis::new().stemmer(languages()[language]).stop_words(StopWords::of(Language::English));
        standard.fold = fold;
        for analysis in [standard, TextAnalysis { fold, ..TextAnalysis::new() }, TextAnalysis::new().analyzer("whitespace")] {
            let found = terms(&analysis, &text);
            prop_assert_eq!(&found, &terms(&analysis, &text));
            prop_assert!(found.is_sorted_by(|left, right| left.1 < right.1));
            prop_assert!(found.iter().all(|(term, _)| (1..=MAX_WORD).contains(&term.len())));
        }
    }

    #[test]
    fn terms_are_terms_of_themselves(text in any_text()) {
        // What a document has under a term is found by asking for that term.
        let analysis = TextAnalysis::new();
        for (term, _) in terms(&analysis, &text) {
            let again = terms(&analysis, &term);
            prop_assert_eq!(again.len(), 1, "{:?}: {:?}", term, again);
        }
    }

    #[test]
    fn words_are_the_same_beside_other_scripts(text in "[a-cA-C0-9 '.,;:_@-]{0,40}") {
        // ASCII goes a way of its own.
        let alone = terms(&TextAnalysis::new(), &text);
        let mut beside = terms(&TextAnalysis::new(), &format!("{text} é"));
        prop_assert_eq!(beside.pop().map(|(term, _)| term), Some("é".to_owned()));
        prop_assert_eq!(alone, beside);
    }
}

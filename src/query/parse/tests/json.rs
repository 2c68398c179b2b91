use crate::document::Value;
use crate::query::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[test]
fn a_query_alone_is_a_search() {
    let search = Search::from_json(r#"{"term": {"field": "section", "value": "python"}}"#).unwrap();
    assert_eq!(search, Search::new(Term::new("section", "python")));
    let search = Search::from_json(r#"{"knn": {"field": "e", "vector": [1, 2], "k": 3}}"#).unwrap();
    assert_eq!(search, Search::new(Knn::new("e", [1.0, 2.0]).k(3)).limit(3));
    assert_eq!(Search::from_json("{}").unwrap(), Search::new(Query::all()));
    let search =
        Search::from_json(r#"{"query": {"all": {}}, "limit": 3, "sort": [{"field": "size"}]}"#).unwrap();
    assert_eq!(search, Search::new(Query::all()).limit(3).sort(Sort::asc("size")));
}

#[test]
fn errors_say_where() {
    for (text, expected) in [
        ("{", "the text ends inside an object (character 1)\n  {\n  ^"),
        (
            r#"{"term": {"feld": "a"}}"#,
            "unknown entry `feld`, expected `field` or `value` (character 16)\n  {\"term\": {\"feld\": \"a\"}}\n                 ^",
        ),
        (r#"{"term": {"field": "a"}}"#, "missing entry `value` (character 23)"),
        (r#"{"tern": {}}"#, "unknown name `tern`, expected one of `all`, `none`, `term`"),
        (r#"{"limit": "a"}"#, "invalid type: string \"a\", expected a whole number of at least 0"),
        ("{\"limit\": 3,\n \"filter\": {\"all\": 3}}", "line 2, character"),
        ("[1]", "expected an object, a search or a query (character 1)"),
        ("ä", "expected value (character 1)"),
        (r#"{"all": {}} x"#, "trailing characters (character 13)"),
        ("", "the text ends inside a value"),
    ] {
        let error = Search::from_json(text).unwrap_err().to_string();
        assert!(error.starts_with("query: ") && error.contains(expected), "{text}: {error}");
    }
    let two = r#"{"bool": {"must": [{"all": {}, "none": {}}]}}"#;
    let error = Query::from_json(two).unwrap_err().to_string();
    assert!(error.contains("expected one query in this object; combine several with `bool`"), "{error}");
    let error = Query::from_json(r#"{"query": {"all": {}}, "limit": 3}"#).unwrap_err().to_string();
    assert!(error.contains("a query is expected here, not a whole search"), "{error}");
    assert!(Query::from_json(&nested(41)).is_ok() && Query::from_json(&nested(43)).is_err());
    let deep = format!("{}{{\"all\":{{}}}}{}", "{\"bool\":{\"must\":[".repeat(1000), "]}}".repeat(1000));
    let error = Search::from_json(&deep).unwrap_err().to_string();
    assert!(error.contains("nested more than 127 deep"), "{error}");
}

fn nested(depth: usize) -> String {
    format!("{}{{\"all\":{{}}}}{}", "{\"bool\":{\"must\":[".repeat(depth), "]}}".repeat(depth))
}

fn names() -> impl Strategy<Value = String> {
    "\\PC{0,8}"
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        names().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]
}

fn numbers() -> impl Strategy<Value = f32> {
    prop::num::f32::NORMAL | prop::num::f32::ZERO
}

fn vectors() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(numbers(), 0..4)
}

fn leaves() -> impl Strategy<Value = Query> {
    let bounds = prop::collection::vec(prop::option::of(values()), 4);
    prop_oneof![
        Just(Query::all()),
        Just(Query::none()),
        (names(), values()).prop_map(|(field, value)| Term::new(field, value).into()),
        (names(), prop::collection::vec(values(), 0..4))
            .prop_map(|(field, values)| Terms::new(field, values).into()),
        (names(), bounds).prop_map(|(field, mut bounds)| Query::Range(Range {
            field,
            gt: bounds.pop().flatten(),
            gte: bounds.pop().flatten(),
            lt: bounds.pop().flatten(),
            lte: bounds.pop().flatten(),
        })),
        names().prop_map(|field| Exists::new(field).into()),
        (names(), names()).prop_map(|(field, prefix)| Prefix::new(field, prefix).into()),
        (names(), names(), any::<bool>(), minimums()).prop_map(|(field, text, all, least)| {
            let query = if all { Match::all(field, text) } else { Match::new(field, text) };
            Query::Match(Match { minimum_should_match: least, ..query })
        }),
        (names(), names(), 0..3u8, any::<bool>(), 0..99usize).prop_map(|(field, word, edits, yes, count)| {
            let fuzzy =
                Fuzzy::new(field, word).transpositions(yes).prefix_length(count).max_expansions(count);
            if yes { fuzzy.edits(edits).into() } else { fuzzy.into() }
        }),
        (names(), names()).prop_map(|(field, pattern)| Wildcard::new(field, pattern).into()),
        (names(), names()).prop_map(|(field, pattern)| Regex::new(field, pattern).into()),
        (names(), names(), numbers(), minimums()).prop_map(|(text, field, boost, least)| {
            let words = MultiMatch::new(text).field(BoostedField::new(field, boost)).tie_breaker(boost);
            Query::MultiMatch(MultiMatch { minimum_should_match: least, ..words })
        }),
        (names(), names(), any::<u32>())
            .prop_map(|(field, text, slop)| { Phrase::new(field, text).slop(slop).into() }),
        (names(), any::<bool>(), any::<u64>()).prop_map(|(name, by_key, most)| {
            let like = if by_key { MoreLike::key(name) } else { MoreLike::text(name).fields(["a"]) };
            like.max_doc_freq(most).max_terms(7).min_term_freq(2).into()
        }),
    ]
}

fn minimums() -> impl Strategy<Value = Option<Minimum>> {
    let minimum = (any::<bool>(), -99..99i64);
    let minimum = minimum.prop_map(|(share, number)| match share {
        true => Minimum::Percent(number),
        false => Minimum::Count(number),
    });
    prop::option::of(minimum)
}

fn queries() -> impl Strategy<Value = Query> {
    leaves().prop_recursive(4, 24, 4, |inner| {
        let some = || prop::collection::vec(inner.clone(), 0..3);
        let knn = (names(), vectors(), 0..99usize, prop::option::of(0..99usize), prop::option::of(numbers()));
        let knn = (knn, any::<bool>(), any::<bool>(), prop::option::of(inner.clone()));
        prop_oneof![
            (some(), some(), some(), some(), minimums()).prop_map(
                |(must, should, must_not, filter, minimum_should_match)| {
                    Query::Bool(Bool { must, should, must_not, filter, minimum_should_match })
                }
            ),
            (some(), numbers()).prop_map(|(queries, tie_breaker)| DisMax { queries, tie_breaker }.into()),
            (inner.clone(), numbers()).prop_map(|(query, boost)| Boost::new(query, boost).into()),
            (inner.clone(), numbers()).prop_map(|(query, score)| Constant::new(query, score).into()),
            knn.prop_map(|((field, vector, k, candidates, number), exact, post_filter, filter)| {
                let (rescore, min_score, filter) = (number, number, filter.map(Box::new));
                let fields = None;
                Query::Knn(Knn {
                    field,
                    vector: vector.into(),
                    nprobe: None,
                    k: Some(k),
                    recall: number,
                    candidates,
                    rescore,
                    exact,
                    filter,
                    post_filter,
                    min_score,
                    scale: None,
                    fields,
                })
            }),
            (prop::collection::vec((inner.clone(), numbers()), 0..3), any::<bool>(), 0..99usize).prop_map(
                |(queries, linear, window)| {
                    let fuse = if linear { Fuse::linear() } else { Fuse::rrf() };
                    let add = |fuse: Fuse, (query, weight)| fuse.weighted(query, weight);
                    queries.into_iter().fold(fuse.window(window), add).into()
                }
            ),
        ]
    })
}

fn reranks() -> impl Strategy<Value = Rerank> {
    let vector =
        (names(), vectors(), prop::option::of(0..99usize)).prop_map(|(field, vector, compat_topk)| {
            RerankBy::Vector { field, vector: vector.into(), compat_topk }
        });
    let mmr = (names(), numbers()).prop_map(|(field, lambda)| RerankBy::Mmr { field, lambda });
    let decay = (names(), -9..9i64, any::<bool>()).prop_map(|(field, origin, time)| {
        let scale = if time { Distance::from("10d") } else { Distance::from(2.5) };
        RerankBy::Decay(Decay::new(DecayShape::Exp, field, origin, scale).offset(1.5).to(0.25))
    });
    let value = (names(), numbers()).prop_map(|(field, factor)| {
        let value = FieldValue::new(field).factor(factor.into()).modifier(Modifier::Log1p);
        RerankBy::FieldValue(value.missing(0.5))
    });
    let query = queries().prop_map(|query| RerankBy::Query(Box::new(query)));
    let max_sim = (names(), prop::collection::vec(vectors(), 0..3)).prop_map(|(field, vectors)| {
        RerankBy::MaxSim { field, vectors: vectors.into_iter().map(Into::into).collect() }
    });
    let by = prop_oneof![vector, max_sim, query, mmr, decay, value];
    let combine = prop_oneof![Just(Combine::Add), Just(Combine::Multiply), Just(Combine::Replace)];
    let parts = (by, 0..99usize, numbers(), combine);
    parts.prop_map(|(by, window, weight, combine)| Rerank { by, window, weight, combine })
}

fn sorts() -> impl Strategy<Value = Sort> {
    (names(), any::<bool>(), any::<bool>()).prop_map(|(field, desc, first)| {
        let sort = if desc { Sort::desc(field) } else { Sort::asc(field) };
        sort.missing(if first { Missing::First } else { Missing::Last })
    })
}

fn searches() -> impl Strategy<Value = Search> {
    let what = (queries(), prop::option::of(queries()), prop::option::of(reranks()));
    let which = (0..99usize, 0..99usize, prop::collection::vec(sorts(), 0..3), any::<bool>());
    let fields = prop::option::of(prop::collection::vec(names(), 0..3));
    let scores = (prop::option::of(numbers()), prop::option::of(names()));
    let returned = (fields, prop::collection::vec(names(), 0..3));
    (what, which, returned, scores).prop_map(|(what, which, returned, (min_score, score_as))| {
        let ((query, filter, rerank), (limit, offset, sort, explain)) = (what, which);
        let mut highlight = Vec::new();
        if explain {
            let one = Highlight::new("t").fragments(offset).size(limit).tags("<", ">");
            highlight.push(if offset > 50 { one.escape_html() } else { one });
        }
        let (fields, vectors) = returned;
        let (aggs, collapse, total) = (BTreeMap::new(), None, explain);
        let search = Search {
            query,
            filter,
            limit,
            offset,
            rerank,
            sort,
            fields,
            vectors,
            highlight,
            min_score,
            score_as,
            explain,
            aggs,
            collapse,
            total,
        };
        match (offset % 3, limit) {
            (0, best) => search.facet("a", best).group_by("b", offset),
            _ => search,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_search_reads_back(search in searches()) {
        prop_assert_eq!(Search::from_json(&search.to_json()).unwrap(), search);
    }

    #[test]
    fn every_query_reads_back_and_is_a_search(query in queries()) {
        prop_assert_eq!(Query::from_json(&query.to_json()).unwrap(), query.clone());
        prop_assert_eq!(Search::from_json(&query.to_json()).unwrap(), Search::from(query));
    }

    #[test]
    fn no_json_panics(text in "[{}\\[\\]\":,a-z0-9 \n]{0,60}") {
        let _ = Search::from_json(&text);
    }
}

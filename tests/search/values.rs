//! Bounds of numbers and dates, scores that stay finite, distances in their range, and misspelt fields.

use crate::common::documents::{FORMATS, in_memory, one_field, small_segments};
use crate::common::rng::Rng;
use lucerne::query::{Boost, Constant, Exists, QueryParser};
use lucerne::{
    Bool, Document, Fuse, Index, Knn, Match, Prefix, Query, Range, Rerank, Schema, Search, Searcher,
    Similarity, Sort, Term, Terms, Value, Vector,
};
use serde_json::json;

fn searcher(schema: Schema, lines: &[serde_json::Value]) -> Searcher {
    let (_, index): (_, Index) = in_memory(schema);
    let writer = index.writer().unwrap();
    for line in lines {
        writer.add(&Document::from_value(line.clone()).unwrap()).unwrap();
    }
    writer.close().unwrap();
    index.searcher().unwrap()
}

#[track_caller]
fn keys(searcher: &Searcher, query: impl Into<Query>) -> Vec<String> {
    let hits = searcher.search(Search::new(query.into()).limit(1_000)).unwrap();
    hits.keys().into_iter().map(str::to_owned).collect()
}

#[track_caller]
fn typed(searcher: &Searcher, text: &str) -> Vec<String> {
    let query =
        QueryParser::new(searcher.schema()).parse_query(text).unwrap_or_else(|error| panic!("{error}"));
    keys(searcher, query)
}

/// Whole numbers at the edges of i64 and of the whole numbers that f64 can tell apart.
const WHOLE: [i64; 9] = [i64::MIN, i64::MIN + 1, -1, 0, 1, 1 << 53, (1 << 53) + 1, i64::MAX - 1, i64::MAX];

/// True when `number` compares with the bound, a JSON number, as `holds` says: without rounding.
fn compares(number: i64, bound: &str, holds: fn(std::cmp::Ordering) -> bool) -> bool {
    let order = match bound.parse::<i128>() {
        Ok(bound) => i128::from(number).cmp(&bound),
        Err(_) => {
            let bound: f64 = bound.parse().unwrap();
            let floor =
                if bound.abs() > 1e30 { bound.signum() as i128 * (1 << 100) } else { bound.floor() as i128 };
            i128::from(number).cmp(&floor).then(if bound.fract() != 0.0 {
                std::cmp::Ordering::Less
            } else {
                std::cmp::Ordering::Equal
            })
        }
    };
    holds(order)
}

#[test]
fn bounds_of_whole_numbers_compare_as_numbers_in_text_and_json() {
    let schema = Schema::builder().key("id").i64("n").f64("x").build().unwrap();
    let lines: Vec<_> =
        WHOLE.iter().enumerate().map(|(at, n)| json!({"id": at.to_string(), "n": n})).collect();
    let searcher = searcher(schema, &lines);
    let bounds = [
        "1e19",
        "-1e19",
        "1e300",
        "-1e300",
        "9223372036854775808",
        "9223372036854775808.0",
        "18446744073709551615",
        "18446744073709551616",
        "9223372036854775807",
        "9223372036854775806",
        "-9223372036854775808",
        "-9223372036854775809",
        "1.5",
        "-0.5",
        "0.0",
        "1e0",
        "9007199254740992",
        "9007199254740993",
        "9007199254740993.0",
        "9007199254740994",
        "0.999999",
    ];
    for bound in bounds {
        let exact = bound.strip_suffix(".0").unwrap_or(bound);
        type Holds = fn(std::cmp::Ordering) -> bool;
        let operators: [(&str, &str, Holds); 4] = [
            ("gt", ">", std::cmp::Ordering::is_gt),
            ("gte", ">=", std::cmp::Ordering::is_ge),
            ("lt", "<", std::cmp::Ordering::is_lt),
            ("lte", "<=", std::cmp::Ordering::is_le),
        ];
        for (name, sign, holds) in operators {
            let expected: Vec<String> = (0..WHOLE.len())
                .filter(|at| compares(WHOLE[*at], exact, holds))
                .map(|at| at.to_string())
                .collect();
            assert_eq!(typed(&searcher, &format!("n:{sign}{bound}")), expected, "n:{sign}{bound}");
            // JSON has read a number with a point, or below i64, as the nearest f64.
            if !bound.ends_with("993.0") && !bound.ends_with("809") {
                let json = format!(r#"{{"range": {{"field": "n", "{name}": {bound}}}}}"#);
                assert_eq!(keys(&searcher, Query::from_json(&json).unwrap()), expected, "{json}");
            }
        }
    }
    assert_eq!(typed(&searcher, "n:[* TO 1e19]").len(), WHOLE.len());
    assert_eq!(typed(&searcher, "n:[-1e400 TO 1e400]").len(), WHOLE.len());
    for nothing in ["n:>1e400", "n:<-1e400", "x:>=1e400"] {
        assert_eq!(typed(&searcher, nothing), [""; 0], "{nothing}");
    }
    assert_eq!(typed(&searcher, "@n:[1.5 9007199254740992.5]"), ["5"]);
    assert_eq!(typed(&searcher, "n:{0 TO 1.5}"), ["4"]);
    assert_eq!(typed(&searcher, "n:9007199254740993.0"), ["6"]);
    for nothing in [json!(1e19), json!(u64::MAX), json!(9_223_372_036_854_775_808_u64), json!(0.5)] {
        assert_eq!(keys(&searcher, Term::new("n", Value::from(nothing.clone()))), [""; 0], "{nothing}");
    }
    let error = searcher.search(Range::new("n").gte(f64::NAN)).unwrap_err().to_string();
    assert!(error.contains("expected a number"), "{error}");
    assert_eq!(keys(&searcher, Range::new("n").gte(f64::NEG_INFINITY).lt(f64::INFINITY)).len(), WHOLE.len());
}

#[test]
fn whole_bounds_of_floating_point_numbers_are_not_rounded() {
    let schema = Schema::builder().key("id").f64("x").build().unwrap();
    let searcher = searcher(
        schema,
        &[json!({"id": "a", "x": 9_007_199_254_740_992.0}), json!({"id": "b", "x": 9_007_199_254_740_994.0})],
    );
    let between = 9_007_199_254_740_993_i64;
    assert_eq!(keys(&searcher, Range::new("x").gte(between)), ["b"]);
    assert_eq!(keys(&searcher, Range::new("x").gt(between)), ["b"]);
    assert_eq!(keys(&searcher, Range::new("x").lte(between)), ["a"]);
    assert_eq!(keys(&searcher, Range::new("x").lt(between)), ["a"]);
    assert_eq!(keys(&searcher, Term::new("x", between)), [""; 0]);
    assert_eq!(keys(&searcher, Term::new("x", between - 1)), ["a"]);
    assert_eq!(keys(&searcher, Range::new("x").gte(between + 1)), ["b"]);
}

#[test]
fn whole_numbers_of_undeclared_fields_are_not_rounded() {
    let schema = Schema::from_json(r#"{"key": "id", "dynamic": true, "fields": []}"#).unwrap();
    let numbers = [
        json!(i64::MIN),
        json!(-9_007_199_254_740_993_i64),
        json!(-1.5),
        json!(-0.0),
        json!(0.1),
        json!(9_007_199_254_740_992_i64),
        json!(9_007_199_254_740_993_i64),
        json!(9_007_199_254_740_994_i64),
        json!(i64::MAX - 1),
        json!(i64::MAX),
        json!(u64::MAX - 1),
        json!(u64::MAX),
        json!(1e300),
    ];
    let lines: Vec<_> =
        numbers.iter().enumerate().map(|(at, u)| json!({"id": format!("{at:02}"), "u": u})).collect();
    let searcher = searcher(schema, &lines);
    let ids = |range: std::ops::Range<usize>| range.map(|at| format!("{at:02}")).collect::<Vec<_>>();
    for (at, number) in numbers.iter().enumerate() {
        let value = || Value::from(number.clone());
        assert_eq!(keys(&searcher, Term::new("u", value())), ids(at..at + 1), "{number}");
        assert_eq!(keys(&searcher, Range::new("u").lt(value())), ids(0..at), "{number}");
        assert_eq!(keys(&searcher, Range::new("u").lte(value())), ids(0..at + 1), "{number}");
        assert_eq!(keys(&searcher, Range::new("u").gt(value())), ids(at + 1..numbers.len()), "{number}");
        assert_eq!(typed(&searcher, &format!("u:[{number} TO {number}]")), ids(at..at + 1), "{number}");
        assert_eq!(typed(&searcher, &format!("u:{number}")), ids(at..at + 1), "{number}");
    }
}

#[test]
fn an_object_with_a_value_exists() {
    let schema = Schema::from_json(r#"{"key": "id", "dynamic": true, "fields": []}"#).unwrap();
    let lines = [
        json!({"id": "a", "u": {"w": {"x": 1}}}),
        json!({"id": "b", "u": {"w": ""}}),
        json!({"id": "c", "u": [{"w": false}, {}]}),
        json!({"id": "d", "u": {}}),
        json!({"id": "e", "u": {"w": null, "x": [], "y": [{}]}}),
        json!({"id": "f", "u": [null, []]}),
        json!({"id": "g", "u": [null, 0]}),
    ];
    let searcher = searcher(schema, &lines);
    assert_eq!(keys(&searcher, Exists::new("u")), ["a", "b", "c", "g"]);
    assert_eq!(keys(&searcher, Exists::new("u.w")), ["a", "b", "c"]);
    assert_eq!(keys(&searcher, Exists::new("u.w.x")), ["a"]);
    assert_eq!(keys(&searcher, Bool::new().must_not(Exists::new("u"))), ["d", "e", "f"]);
}

#[test]
fn a_day_covers_the_day_and_a_month_the_month() {
    let dates = [
        ("before", "2024-04-30T23:59:59.999Z"),
        ("first", "2024-05-01"),
        ("noon", "2024-05-01T12:00:00Z"),
        ("last", "2024-05-01T23:59:59.999Z"),
        ("next", "2024-05-02"),
        ("end", "2024-05-31T23:59:59.999Z"),
        ("june", "2024-06-01"),
        ("later", "2025-01-01"),
    ];
    let schema = Schema::builder().key("id").date("d").build().unwrap();
    let lines: Vec<_> = dates.iter().map(|(id, d)| json!({"id": id, "d": d})).collect();
    let searcher = searcher(schema, &lines);
    let day: &[&str] = &["first", "last", "noon"];
    let month: &[&str] = &["end", "first", "last", "next", "noon"];
    let table: [(&str, &[&str]); 16] = [
        ("d:[2024-05-01 TO 2024-05-01]", day),
        ("d:2024-05-01", day),
        ("d:(2024-05-01 2024-06-01)", &["first", "june", "last", "noon"]),
        ("@d:[2024-05-01 2024-05-01]", day),
        ("d:[2024-05-01 TO 2024-05-02}", day),
        ("d:[2024-05 TO 2024-05]", month),
        ("d:2024-05", month),
        ("d:{2024-05-01 TO 2024-05]", &["end", "next"]),
        ("d:<=2024-05-01", &["before", "first", "last", "noon"]),
        ("d:<2024-05-01", &["before"]),
        ("d:>2024-05", &["june", "later"]),
        ("d:>2024", &["later"]),
        ("d:[2024-05-01T00:00:00.000+0200 TO 2024-05-01T02:00:00+02]", &["before", "first"]),
        ("d:\"2024-05-01T12:00:00\"", &["noon"]),
        ("d:\"2024-05-01T14:00+02:00\"", &["noon"]),
        (r#"{"range": {"field": "d", "gte": "2024-05-01", "lte": "2024-05-01"}}"#, day),
    ];
    for (text, expected) in table {
        assert_eq!(typed(&searcher, text), expected, "{text}");
    }
    assert_eq!(
        keys(
            &searcher,
            Range::new("d").gte(Value::date("2024-05-01").unwrap()).lt("2024-05-01T12:00:00.001Z")
        ),
        ["first", "noon"]
    );
    assert_eq!(keys(&searcher, Terms::new("d", ["2024-05-31", "2025"])), ["end", "later"]);
}

#[test]
fn scores_are_finite_and_a_match_is_a_match() {
    let schema = Schema::builder().key("id").text("t").vector("v", Vector::f32(2)).build().unwrap();
    let lines = [json!({"id": "a", "t": "apple pie", "v": [1.0, 0.0]}), json!({"id": "b", "t": "apple"})];
    let searcher = searcher(schema, &lines);
    let apple = || Query::from(Match::new("t", "apple"));
    let boosted = |query: Query, factors: &[f32]| {
        factors.iter().fold(query, |query, factor| Boost::new(query, *factor).into())
    };
    let huge = || boosted(apple(), &[1e38, 1e38]);
    let queries = [
        huge(),
        boosted(huge(), &[0.0]),
        boosted(apple(), &[0.0]),
        boosted(apple(), &[0.0, 1e38]),
        Bool::new().must(huge()).must(huge()).into(),
        Bool::new().should(huge()).should(huge()).into(),
        Bool::new().must(apple()).should(huge()).should(boosted(Query::all(), &[f32::MAX])).into(),
        boosted(Bool::new().should(huge()).should(boosted(huge(), &[0.0])).into(), &[0.0]),
        Constant::new(boosted(Constant::new(apple(), f32::MAX).into(), &[f32::MAX]), 0.0).into(),
        Fuse::linear()
            .weighted(apple(), f32::MAX)
            .weighted(huge(), f32::MAX)
            .weighted(Query::all(), f32::MAX)
            .into(),
        boosted(Fuse::rrf().weighted(apple(), 0.0).into(), &[f32::MAX, f32::MAX]),
    ];
    for query in queries {
        for search in [
            Search::new(query.clone()),
            Search::new(query.clone()).limit(1),
            Search::new(query.clone()).rerank(Rerank::query(huge()).weight(f32::MAX)),
            Search::new(query.clone()).rerank(Rerank::query(huge()).weight(-f32::MAX)),
            Search::new(query.clone()).sort(Sort::desc(Sort::SCORE)),
        ] {
            let hits = searcher.search(&search).unwrap().hits;
            assert!(
                !hits.is_empty() && hits.iter().all(|hit| hit.score.is_finite()),
                "{}: {hits:?}",
                search.to_json()
            );
        }
        assert_eq!(searcher.search(query.clone()).unwrap().hits.len(), 2, "{}", query.to_json());
        let explained = searcher.explain(query, "a").unwrap();
        assert!(explained.matches && explained.score.is_finite(), "{explained}");
    }
    let parser = QueryParser::new(searcher.schema());
    let hits = searcher.search(parser.parse("(apple^1e30)^1e30").unwrap()).unwrap().hits;
    assert_eq!(hits.iter().map(|hit| hit.score).collect::<Vec<_>>(), [f32::MAX, f32::MAX]);
    assert_eq!(searcher.search(parser.parse("apple^0").unwrap()).unwrap().keys(), ["a", "b"]);
}

#[test]
fn estimated_distances_and_scores_stay_in_their_range() {
    for similarity in [Similarity::Cosine, Similarity::DotProduct, Similarity::Euclidean] {
        for (kind, quantization) in FORMATS {
            for dimension in [2, 3, 16] {
                let vector =
                    Vector::f32(dimension).similarity(similarity).index(kind).quantization(quantization);
                let (_, index) = in_memory(one_field(vector));
                let writer = index.writer_with(small_segments(100)).unwrap();
                let mut rng = Rng::new(dimension as u64);
                let vectors: Vec<Vec<f32>> = (0..300)
                    .map(|_| {
                        crate::common::documents::normalized(
                            &rng.vector(dimension).iter().map(|x| x.abs()).collect::<Vec<_>>(),
                        )
                    })
                    .collect();
                for (number, vector) in vectors.iter().enumerate() {
                    writer
                        .add(&Document::new().with("id", number.to_string()).with("v", vector.clone()))
                        .unwrap();
                }
                writer.close().unwrap();
                let searcher = index.searcher().unwrap();
                let least = if similarity == Similarity::DotProduct { -1.0 } else { 0.0 };
                for vector in vectors.iter().step_by(7) {
                    let near = Knn::new("v", vector.clone());
                    for search in [
                        near.clone().into(),
                        near.clone().exact().into(),
                        Search::new(Query::all()).rerank(Rerank::vector("v", vector.clone())),
                    ] {
                        let has_rerank = search != Search::from(near.clone())
                            && search != Search::from(near.clone().exact());
                        let hits = searcher.search(search).unwrap().hits;
                        for hit in &hits {
                            let distance = hit.distance.unwrap();
                            assert!(distance >= least && distance <= 4.1, "{similarity} {distance}");
                            assert!(
                                has_rerank || (0.0..=1.0).contains(&hit.score),
                                "{similarity} {}",
                                hit.score
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_field_that_nothing_has_is_named_in_a_dynamic_schema() {
    let schema = |dynamic: bool| {
        let json = format!(
            r#"{{"key": "id", "dynamic": {dynamic}, "fields": [{{"name": "section", "type": "keyword"}},
            {{"name": "p", "type": "i64", "path": "$.from.path"}}]}}"#
        );
        Schema::from_json(&json).unwrap()
    };
    let lines =
        [json!({"id": "a", "section": "x", "color": "red", "size": {"width": 3}, "from": {"path": 1}})];
    let searcher = searcher(schema(true), &lines);
    let unknown = |search: Search| searcher.search(search).unwrap().unknown_fields;
    for known in ["id", "section", "color", "size", "size.width", "p", "from"] {
        assert_eq!(unknown(Search::new(Query::all()).fields([known])), [""; 0], "{known}");
    }
    assert_eq!(unknown(Term::new("size.width", 3).into()), [""; 0]);
    let knn_like = Bool::new().should(Prefix::new("colour", "r")).must_not(Exists::new("siz"));
    let search = Search::new(Boost::new(knn_like, 2.0))
        .filter(Terms::new("secton", ["x"]))
        .rerank(Rerank::query(Range::new("size.height").gt(1)))
        .fields(["sections", "color"]);
    assert_eq!(unknown(search), ["colour", "sections", "secton", "siz", "size.height"]);
    assert_eq!(searcher.count(Term::new("secton", "x")).unwrap(), 0);
    // Elsewhere it is an error.
    let declared = self::searcher(schema(false), &[json!({"id": "a"})]);
    for search in [Term::new("secton", "x").into(), Search::new(Query::all()).fields(["secton"])] {
        let error = declared.search(search).unwrap_err().to_string();
        assert!(error.contains("secton") && error.contains("section"), "{error}");
    }
}

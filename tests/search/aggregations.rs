//! What is promised of aggregations, totals and groups beside the numbers, which `query_model` compares.

use crate::common::documents::in_memory;
use lucerne::limits::{MAX_AGGREGATION_DEPTH, MAX_BUCKETS};
use lucerne::query::{Aggregation, Calendar};
use lucerne::search::{SearchOptions, Stopped, Total};
use lucerne::{
    Document, ErrorKind, Fuse, Knn, Match, Query, Range, Rerank, Schema, Search, Searcher, Similarity, Sort,
    Term, Value, Vector, WriterOptions,
};
use serde_json::json;
use std::time::Duration;

/// A thousand documents in segments of 100: `d000` to `d999`, with a section of ten and every third in the text "three".
fn thousand() -> Searcher {
    thousand_in(10)
}

fn thousand_in(segments: usize) -> Searcher {
    let vector = Vector::f32(1).similarity(Similarity::Euclidean);
    let schema = Schema::builder().key("id").text("body").keyword("section").i64("n").date("made");
    let schema = schema.f64("price").bool("odd").vector("v", vector).dynamic(true).build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index
        .writer_with(WriterOptions::new().threads(1).flush_docs(1_000 / segments as u32).merge_threads(0))
        .unwrap();
    for n in 0..1_000_i64 {
        let words = if n % 3 == 0 { "all three" } else { "all" };
        let document = Document::new().with("id", format!("d{n:03}")).with("body", words).with("n", n);
        let document = document.with("section", format!("s{}", n % 10)).with("odd", n % 2 == 1);
        let document = document.with("made", Value::Date(n * 86_400_000)).with("price", n as f64 / 4.0);
        writer
            .add(&document.with("v", vec![n as f32]).with("color", ["red", "blue"][n as usize % 2]))
            .unwrap();
    }
    writer.commit().unwrap();
    index.searcher().unwrap()
}

fn buckets(searcher: &Searcher, search: Search, name: &str) -> Vec<(serde_json::Value, u64)> {
    let hits = searcher.search(search).unwrap();
    let buckets = hits.buckets(name).unwrap().iter();
    buckets.map(|bucket| (serde_json::to_value(&bucket.key).unwrap(), bucket.count)).collect()
}

#[test]
fn aggregations_are_over_all_matches_and_not_over_the_page() {
    let searcher = thousand();
    let all = Search::new(Match::new("body", "three")).limit(2).offset(5);
    let hits = searcher.search(all.clone().facet("section", 3)).unwrap();
    assert_eq!((hits.hits.len(), hits.total), (2, Total::Exactly(334)));
    let lucerne::search::Aggregate::Buckets(found) = &hits.aggregations["section"] else {
        panic!("{hits:?}")
    };
    assert_eq!((found.total, found.other, found.buckets.len()), (10, 334 - 3 * 34, 3));
    // Ties are in the order of values.
    let counts = found.buckets.iter().map(|bucket| (bucket.key.clone(), bucket.count));
    assert_eq!(counts.collect::<Vec<_>>(), [("s0".into(), 34), ("s3".into(), 34), ("s6".into(), 34)]);
    assert!(hits.took.total >= hits.took.aggregate);
    let filtered = all.filter(Range::new("n").lt(30)).facet("section", 3);
    assert_eq!(searcher.search(filtered).unwrap().total, Total::Exactly(10));
}

#[test]
fn over_neighbors_and_hybrids_aggregations_are_over_what_these_find() {
    let searcher = thousand();
    let knn = Knn::new("v", [0.0]).k(30).exact();
    let sections = buckets(&searcher, Search::new(knn.clone()).limit(1).facet("section", 20), "section");
    assert!(sections.len() == 10 && sections.iter().all(|(_, count)| *count == 3), "{sections:?}");
    let hybrid = Fuse::rrf().window(30).query(knn).query(Knn::new("v", [999.0]).exact());
    let hits = searcher.search(Search::new(hybrid).facet("section", 20)).unwrap();
    assert_eq!(hits.total, Total::Exactly(60));
    assert!(hits.buckets("section").unwrap().iter().all(|bucket| bucket.count == 6));
    // Without k: as many as the page takes.
    let open = Search::new(Knn::new("v", [0.0]).exact()).limit(20).offset(10).facet("section", 20);
    let hits = searcher.search(open).unwrap();
    assert_eq!(hits.total, Total::AtLeast(30));
    assert!(hits.buckets("section").unwrap().iter().all(|bucket| bucket.count == 3));
}

#[test]
fn histograms_fill_their_gaps_unless_they_are_not_to() {
    let searcher = thousand();
    let search = Search::new(Term::new("section", "s0")).filter(Range::new("n").lt(31));
    let by_fives = Aggregation::histogram("n", 5.0);
    let filled = buckets(&searcher, search.clone().aggregate("a", by_fives.clone()), "a");
    let expected = [(0, 1), (5, 0), (10, 1), (15, 0), (20, 1), (25, 0), (30, 1)];
    assert_eq!(filled, expected.map(|(key, count)| (json!(key), count)));
    assert_eq!(buckets(&searcher, search.clone().aggregate("a", by_fives.min_count(1)), "a").len(), 4);
    let months = search.clone().aggregate("a", Aggregation::dates("made", Calendar::Month));
    let expected = [(json!("1970-01-01T00:00:00Z"), 4)];
    assert_eq!(buckets(&searcher, months, "a"), expected);
    let periods = Aggregation::periods("made", Duration::from_secs(15 * 86_400));
    assert_eq!(buckets(&searcher, search.aggregate("a", periods), "a").len(), 3);
    let years = Search::new(Query::all()).aggregate("a", Aggregation::dates("made", Calendar::Year));
    let expected = [("1970", 365), ("1971", 365), ("1972", 270)];
    let expected = expected.map(|(year, count)| (json!(format!("{year}-01-01T00:00:00Z")), count));
    assert_eq!(buckets(&searcher, years, "a"), expected);
}

#[test]
fn dates_have_numbers_that_are_dates() {
    let searcher = thousand();
    let aggregations = [Aggregation::min("made"), Aggregation::max("made"), Aggregation::avg("made")];
    let mut search = Search::new(Range::new("n").lt(3));
    for (name, aggregation) in ["min", "max", "avg"].into_iter().zip(aggregations) {
        search = search.aggregate(name, aggregation);
    }
    search = search.aggregate("median", Aggregation::percentiles("made", [50.0]));
    let found = serde_json::to_value(searcher.search(search).unwrap().aggregations).unwrap();
    let day = |day: u32| json!({ "value": format!("1970-01-0{day}T00:00:00Z") });
    assert_eq!(found["min"], day(1));
    assert_eq!(found["max"], day(3));
    assert_eq!(found["avg"], day(2));
    assert_eq!(found["median"]["values"]["50.0"], "1970-01-02T00:00:00Z");
    let ranges =
        Aggregation::ranges("made").below("1970-01").between("1970", "1970-02").at_least("1972-09-20");
    let counts = buckets(&searcher, Search::new(Query::all()).aggregate("a", ranges), "a");
    assert_eq!(counts.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [0, 31, 7]);
}

#[test]
fn one_segment_and_several_give_the_same() {
    let (one, several) = (thousand_in(1), thousand_in(10));
    assert!(one.segment_count() == 1 && several.segment_count() > 1);
    for aggregation in [
        Aggregation::terms("n").size(7),
        Aggregation::terms("section").size(3).min_count(34),
        Aggregation::terms("color").size(1),
        Aggregation::terms("section").size(3).sub("n", Aggregation::terms("n").size(2)),
        Aggregation::distinct("n"),
        Aggregation::distinct("section"),
        Aggregation::histogram("price", 10.0),
        Aggregation::percentiles("price", [10.0, 99.0]),
    ] {
        let search = Search::new(Match::new("body", "three")).aggregate("a", aggregation);
        let (one, several) = (one.search(&search).unwrap(), several.search(&search).unwrap());
        assert_eq!(
            (one.total, &one.aggregations),
            (several.total, &several.aggregations),
            "{}",
            search.to_json()
        );
    }
}

#[test]
fn what_cannot_be_aggregated_says_why() {
    let searcher = thousand();
    let deep = (0..MAX_AGGREGATION_DEPTH)
        .fold(Aggregation::terms("section"), |inner, _| Aggregation::terms("section").sub("inner", inner));
    for (aggregation, problem) in [
        (Aggregation::terms("body"), "a text field has no values to aggregate"),
        (Aggregation::terms("v"), "a vector field has no values"),
        (Aggregation::terms("id"), "every document has another key"),
        (Aggregation::avg("section"), "a keyword field has no numbers"),
        (Aggregation::stats("odd"), "a bool field has no numbers"),
        (Aggregation::sum("made"), "dates have no sum"),
        (Aggregation::histogram("made", 1.0), "use date_histogram"),
        (Aggregation::dates("n", Calendar::Day), "expected a date field, it is i64"),
        (Aggregation::dates("color", Calendar::Day), "expected a date field, it is not declared"),
        (Aggregation::periods("made", Duration::ZERO), "at least a millisecond"),
        (Aggregation::histogram("n", 0.0), "the interval above 0"),
        (Aggregation::terms("section").size(0), "size is 0, expected 1 to 65536"),
        (Aggregation::percentiles("n", [101.0]), "expected some, from 0 to 100"),
        (Aggregation::ranges("n"), "0 ranges, expected 1"),
        (Aggregation::ranges("n").below("x"), "expected a number"),
        (Aggregation::avg("n").sub("a", Aggregation::max("n")), "no aggregations inside"),
        (Aggregation::histogram("price", 1e-4), "more than 65536 buckets; ask for fewer"),
        (deep, "more than 4 deep"),
    ] {
        let error =
            searcher.search(Search::new(Query::all()).aggregate("name", aggregation.clone())).unwrap_err();
        assert!(
            error.kind() == ErrorKind::Usage && error.to_string().contains(problem),
            "{aggregation:?}: {error}"
        );
    }
    for (search, problem) in [
        (Search::new(Query::all()).collapse("body"), "a text field has no values"),
        (Search::new(Query::all()).group_by("section", 0), "groups of 0 hits, expected 1 to 100"),
    ] {
        let error = searcher.search(search).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
    assert!(
        searcher.values("section", "", MAX_BUCKETS + 1).unwrap_err().to_string().contains("expected 1 to")
    );
}

#[test]
fn a_misspelt_field_is_an_error_or_a_warning() {
    let searcher = thousand();
    let search = Search::new(Query::all()).facet("colour", 5).collapse("farbe");
    let search = search.aggregate("a", Aggregation::terms("section").sub("b", Aggregation::max("prize")));
    let hits = searcher.search(search).unwrap();
    assert_eq!(hits.unknown_fields, ["colour", "farbe", "prize"]);
    assert_eq!(hits.buckets("colour").unwrap(), []);
    let (_, index) = in_memory(Schema::builder().key("id").keyword("section").build().unwrap());
    let error = index.searcher().unwrap().search(Search::new(Query::all()).facet("sektion", 5)).unwrap_err();
    assert!(error.to_string().contains("sektion"), "{error}");
}

#[test]
fn undeclared_fields_aggregate_and_group_by_what_they_can_be_filtered_by() {
    let searcher = thousand();
    let search = Search::new(Match::new("body", "three"));
    let colors = buckets(&searcher, search.clone().facet("color", 5), "color");
    assert_eq!(colors, [(json!("blue"), 167), (json!("red"), 167)]);
    let groups = searcher.search(search.sort(Sort::asc("n")).collapse("color")).unwrap();
    assert_eq!(groups.keys(), ["d000", "d003"]);
    assert_eq!(searcher.values("color", "", 1).unwrap(), [("blue".into(), 500)]);
}

#[test]
fn totals_are_exact_where_that_costs_nothing_and_where_they_are_asked_for() {
    let searcher = thousand();
    let total = |search: Search| searcher.search(search).unwrap().total;
    assert_eq!(total(Query::all().into()), Total::Exactly(1_000));
    assert_eq!(total(Match::new("body", "three").into()), Total::Exactly(334));
    assert_eq!(total(Search::new(Term::new("section", "s1"))), Total::Exactly(100));
    assert_eq!(total(Search::new(Query::all()).sort(Sort::asc("n")).limit(1)), Total::Exactly(1_000));
    let words = Search::new(Match::new("body", "three all")).limit(1);
    let (most, exact) = (total(words.clone()), total(words.clone().count_total(true)));
    assert!(matches!(most, Total::AtLeast(1..=1_000)), "{most:?}");
    assert_eq!(exact, Total::Exactly(1_000));
    // Fewer than the limit: all are known.
    assert_eq!(total(words.filter(Range::new("n").lt(7)).limit(10)), Total::Exactly(7));
    let best = searcher.search(Match::new("body", "three all")).unwrap().hits[0].score;
    let above = Search::new(Match::new("body", "three all")).min_score(best);
    assert_eq!(total(above.clone().count_total(true)), Total::Exactly(334));
    let reranked = above.rerank(Rerank::query(Query::all()).window(5).weight(-100.0)).count_total(true);
    assert_eq!(total(reranked), Total::Exactly(334 - 5));
    assert_eq!(serde_json::to_value(most).unwrap()["relation"], "gte");
}

#[test]
fn groups_are_found_by_searching_deeper() {
    let searcher = thousand();
    let near = Search::new(Knn::new("v", [0.0]).exact()).limit(10).group_by("section", 3);
    let hits = searcher.search(&near).unwrap();
    let expected: Vec<String> = (0..10).map(|n| format!("d{n:03}")).collect();
    assert_eq!(hits.keys(), expected);
    let next: Vec<&str> = hits.hits[4].group.as_ref().unwrap().next.iter().map(|hit| &*hit.key).collect();
    assert_eq!(next, ["d014", "d024"]);
    let page = searcher.search(near.clone().limit(4).offset(7)).unwrap();
    assert_eq!(page.keys(), &expected[7..]);
    // With k there are no more than k.
    let few = Search::new(Knn::new("v", [0.0]).k(5).exact()).limit(10).group_by("section", 3);
    assert_eq!(searcher.search(few).unwrap().hits.len(), 5);
    // One group is all there is: the search ends.
    let one = Search::new(Match::new("body", "three")).filter(Term::new("section", "s0")).collapse("section");
    let hits = searcher.search(one).unwrap();
    assert_eq!((hits.hits.len(), hits.total), (1, Total::Exactly(34)));
    // Documents without a value are groups of their own.
    let alone = searcher.search(Search::new(Query::all()).collapse("nobody").limit(3)).unwrap();
    assert!(
        alone.hits.len() == 3 && alone.hits.iter().all(|hit| hit.group.as_ref().unwrap().value.is_none())
    );
}

#[test]
fn a_stopped_search_marks_its_aggregations_and_total() {
    let searcher = thousand();
    let search = Search::new(Match::new("body", "three")).facet("section", 10);
    let at_once = SearchOptions::new().timeout(Duration::ZERO);
    let error = searcher.search_with(&search, &at_once).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let part = searcher.search_with(&search, &at_once.clone().partial()).unwrap();
    assert_eq!(part.stopped, Some(Stopped::TimedOut));
    assert!(!part.total.is_exact());
    assert_eq!(searcher.values_with("section", "", 5, &at_once).unwrap_err().kind(), ErrorKind::TimedOut);
}

#[test]
fn a_search_with_aggregations_reads_and_writes_json() {
    let text = r#"{"query": {"all": {}}, "aggregations": {"s": {"terms": {"field": "section"}}},
        "collapse": {"field": "section"}, "track_total_hits": true}"#;
    let search = Search::from_json(text).unwrap();
    let expected = Search::new(Query::all()).aggregate("s", Aggregation::terms("section"));
    assert_eq!(search, expected.collapse("section").count_total(true));
    assert_eq!(Search::from_json(&search.to_json()).unwrap(), search);
    assert_eq!(Search::from_json(r#"{"aggs": {}}"#).unwrap(), Search::new(Query::all()));
    let error =
        Search::from_json(r#"{"aggs": {"s": {"term": {"field": "section"}}}}"#).unwrap_err().to_string();
    assert!(error.contains("unknown entry `term`") && error.contains("`terms`"), "{error}");
}

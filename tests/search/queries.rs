//! Queries of words, filters, vectors and hybrids, and documents as they are changed between queries.

use crate::common::documents::{in_memory, reopen};
use lucerne::codec::Similarity;
use lucerne::query::Exists;
use lucerne::schema::{Field, Keyword, Text};
use lucerne::{
    Bool, Document, Error, Fuse, Hits, Index, Knn, Match, Phrase, Prefix, Query, Range, Rerank, Schema,
    Search, Searcher, Sort, Term, Terms, Value, Vector,
};
use serde_json::json;

fn ids(hits: &Hits) -> Vec<&str> {
    hits.keys()
}

fn documents(index: &Index, json: serde_json::Value) -> Searcher {
    let writer = index.writer().unwrap();
    for document in json.as_array().unwrap() {
        writer.add(&Document::from_value(document.clone()).unwrap()).unwrap();
    }
    writer.commit().unwrap();
    index.searcher().unwrap()
}

/// Ten documents on a line, of which 1, 4, 2, 10 are the nearest to 0, in this order.
fn on_a_line() -> (Index, Searcher) {
    let schema = Schema::builder()
        .key("id")
        .keyword("color")
        .vector("v", Vector::f32(1).similarity(Similarity::Euclidean))
        .build();
    let (_, index) = in_memory(schema.unwrap());
    let places = [("1", 1.0), ("4", 2.0), ("2", 3.0), ("10", 4.0), ("3", 5.0), ("9", 6.0)];
    let places = places.into_iter().chain([("5", 7.0), ("6", 8.0), ("7", 9.0), ("8", 10.0)]);
    let writer = index.writer().unwrap();
    for (id, place) in places {
        let color = if place < 5.5 { "red" } else { "blue" };
        writer.add(&Document::new().with("id", id).with("color", color).with("v", [place])).unwrap();
    }
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    (index, searcher)
}

fn near_zero(k: usize) -> Knn {
    Knn::new("v", [0.0]).k(k)
}

#[test]
fn separators_paths_and_aliases_round_trip() {
    let json = json!({
        "key": "id",
        "dynamic": false,
        "fields": [
            { "name": "model", "type": "text", "path": "$.model" },
            { "name": "type", "type": "keyword", "path": "$.type", "separator": "," },
            { "name": "price", "type": "i64" },
            { "name": "weight", "type": "f64", "path": "$.specs.weight" },
            { "name": "vector", "type": "vector", "path": "$.embedding", "dimension": 2 }
        ]
    });
    let schema = Schema::from_json(&json.to_string()).unwrap();
    let built = Schema::builder()
        .key("id")
        .field(Field::text_with("model", Text::new()).path("$.model"))
        .field(Field::keyword_with("type", Keyword::separated_by(',')).path("$.type"))
        .i64("price")
        .field(Field::f64("weight").path("$.specs.weight"))
        .field(Field::vector("vector", Vector::f32(2)).path("$.embedding"))
        .build()
        .unwrap();
    assert_eq!(schema, built);
    assert_eq!(Schema::from_json(&schema.to_json().to_string()).unwrap(), schema);

    let (_, index) = in_memory(schema);
    let bike = json!({ "id": "bikes:001", "model": "Jigger", "type": "Kids Bikes, Small", "price": 270,
        "specs": { "weight": 10.5, "material": "steel" }, "embedding": [1.0, 0.0] });
    let searcher = documents(&index, json!([bike]));
    let queries: [Query; 6] = [
        Match::new("model", "jigger").into(),
        Term::new("type", "Kids Bikes").into(),
        Term::new("type", "Small").into(),
        Range::new("weight").gt(10).lte(10.5).into(),
        Range::new("price").gte(270).lt(271).into(),
        Knn::new("vector", [1.0, 0.1]).into(),
    ];
    for query in &queries {
        assert_eq!(ids(&searcher.search(query).unwrap()), ["bikes:001"], "{query:?}");
    }
    assert!(ids(&searcher.search(Term::new("type", "Kids Bikes, Small")).unwrap()).is_empty());
    // What was given comes back as it was given; an alias returns what it leads to.
    let hits = searcher.search(Search::new(queries[0].clone()).fields(Vec::<String>::new())).unwrap();
    assert_eq!(serde_json::Value::from(hits.hits[0].fields.clone().unwrap()), bike);
    let hits = searcher.search(Search::new(queries[0].clone()).fields(["weight", "vector"])).unwrap();
    let fields = serde_json::Value::from(hits.hits[0].fields.clone().unwrap());
    assert_eq!(fields, json!({ "weight": 10.5, "vector": [1.0, 0.0] }));
    assert_eq!(searcher.schema().to_json(), index.schema().unwrap().to_json());
}

#[test]
fn a_vector_is_added_later_without_the_rest_of_the_document() {
    let schema = Schema::builder().key("id").text("text").vector("v", Vector::f32(2)).build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer().unwrap();
    for (id, flush) in [("buffered", false), ("flushed", true)] {
        writer.add(&Document::new().with("id", id).with("text", format!("a {id} bike"))).unwrap();
        if flush {
            writer.refresh().unwrap();
        }
    }
    writer.refresh().unwrap();
    let found = |query: &Query| {
        let hits = index.searcher().unwrap().search(query).unwrap();
        hits.keys().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let (text, knn): (Query, Query) = (Match::new("text", "bike").into(), Knn::new("v", [1.0, 0.0]).into());
    assert_eq!((found(&text).len(), found(&knn).len()), (2, 0));
    writer.update("flushed", &Document::new().with("v", [1.0, 0.0])).unwrap();
    // Once more while it is in a buffer: the vector is kept.
    writer.update("flushed", &Document::new().with("text", "a red bike")).unwrap();
    writer.update("buffered", &Document::new().with("v", [0.0, 1.0])).unwrap();
    writer.commit().unwrap();
    assert_eq!((found(&text).len(), found(&knn)), (2, vec!["flushed".to_owned(), "buffered".to_owned()]));
    let searcher = index.searcher().unwrap();
    let flushed = searcher.get("flushed").unwrap().unwrap();
    assert_eq!(flushed.to_json(), json!({ "id": "flushed", "text": "a red bike", "v": [1.0, 0.0] }));
    assert_eq!(ids(&searcher.search(Match::new("text", "red")).unwrap()), ["flushed"]);
    let error = writer.update("nobody", &Document::new().with("text", "x")).unwrap_err();
    assert!(matches!(error, Error::NoSuchDocument { .. }), "{error}");
    let error = writer.update("flushed", &Document::new().with("v", [1.0])).unwrap_err();
    assert!(matches!(error, Error::Document { .. }), "{error}");
    writer.update("flushed", &Document::new().with("v", Value::Null)).unwrap();
    writer.refresh().unwrap();
    assert_eq!(found(&knn), ["buffered"]);
}

#[test]
fn undeclared_fields_are_filterable_in_a_dynamic_schema_and_refused_in_another() {
    let json = json!([
        { "id": "a", "color": "red", "size": 3, "new": true, "deep": { "kind": "x", "n": [1, 2] } },
        { "id": "b", "color": "rose", "size": 30.5, "new": false },
        { "id": "c", "size": -1 }
    ]);
    let (_, index) = in_memory(Schema::builder().key("id").dynamic(true).build().unwrap());
    let searcher = documents(&index, json.clone());
    let cases: [(Query, &[&str]); 11] = [
        (Term::new("color", "red").into(), &["a"]),
        (Terms::new("color", ["red", "rose", "blue"]).into(), &["a", "b"]),
        (Prefix::new("color", "ro").into(), &["b"]),
        (Range::new("size").gt(-1).into(), &["a", "b"]),
        (Range::new("size").lte(3).into(), &["a", "c"]),
        (Range::new("color").gte("red").lt("rose").into(), &["a"]),
        (Term::new("new", false).into(), &["b"]),
        (Term::new("deep.kind", "x").into(), &["a"]),
        (Term::new("deep.n", 2).into(), &["a"]),
        (Exists::new("color").into(), &["a", "b"]),
        (Exists::new("nothing").into(), &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(ids(&searcher.search(&query).unwrap()), expected, "{query:?}");
    }
    let (_, strict) = in_memory(Schema::builder().key("id").build().unwrap());
    let error = strict.writer().unwrap().add(&Document::from_value(json[0].clone()).unwrap()).unwrap_err();
    assert!(error.to_string().contains("\"color\" is not declared"), "{error}");
    let error = strict.searcher().unwrap().search(Term::new("color", "red")).unwrap_err();
    assert!(matches!(error, Error::NoSuchField { .. }), "{error}");
}

#[test]
fn pre_filters_lose_nothing_and_post_filters_intersect() {
    let (_, searcher) = on_a_line();
    let some = || Terms::new("id", ["3", "2", "9", "4"]);
    assert_eq!(ids(&searcher.search(near_zero(4)).unwrap()), ["1", "4", "2", "10"]);
    assert_eq!(ids(&searcher.search(near_zero(4).filter(some()).post_filter()).unwrap()), ["4", "2"]);
    assert_eq!(ids(&searcher.search(near_zero(4).filter(some())).unwrap()), ["4", "2", "3", "9"]);
    for k in 1..=10 {
        let hits = searcher.search(near_zero(k).filter(some())).unwrap();
        assert_eq!(hits.hits.len(), k.min(4), "min(k, matches)");
        let hits = searcher.search(near_zero(k).filter(Query::none())).unwrap();
        assert!(hits.hits.is_empty());
    }
}

#[test]
fn knn_serves_as_a_filter_and_as_a_main_query_with_filters() {
    let (_, searcher) = on_a_line();
    let some = || Terms::new("id", ["1", "2", "3"]);
    // As main query, the filter first: the three documents, nearest first.
    let main = Search::new(near_zero(10)).filter(some());
    assert_eq!(ids(&searcher.search(main).unwrap()), ["1", "2", "3"]);
    // As filter: those of the three that are among the 4 nearest of all, in the order of the main query.
    let filter = Search::new(some()).filter(near_zero(4));
    assert_eq!(ids(&searcher.search(filter).unwrap()), ["1", "2"]);
    let clause = Bool::new().must(some()).filter(near_zero(4));
    assert_eq!(ids(&searcher.search(clause).unwrap()), ["1", "2"]);
    let red = Bool::new().must(near_zero(10)).must_not(Term::new("color", "red"));
    assert_eq!(ids(&searcher.search(red).unwrap()), ["9", "5", "6", "7", "8"]);
}

#[test]
fn reranking_adds_the_exact_similarity_to_every_document_of_the_window() {
    let (_, searcher) = on_a_line();
    let first = || Search::new(Terms::new("id", ["3", "4", "9", "2"])).limit(10);
    assert_eq!(ids(&searcher.search(first()).unwrap()), ["2", "3", "4", "9"]);
    let score = |place: f32| 1.0 / (1.0 + place * place);
    let hits = searcher.search(first().rerank(Rerank::vector("v", [0.0]).window(4))).unwrap();
    assert_eq!(ids(&hits), ["4", "2", "3", "9"]);
    for (hit, place) in hits.hits.iter().zip([2.0, 3.0, 5.0, 6.0]) {
        assert!((hit.score - (1.0 + score(place))).abs() < 1e-6, "{hit:?}");
        assert!((hit.distance.unwrap() - place * place).abs() < 1e-4, "{hit:?}");
    }
    // As Solr does it: 3 and 9 are not among the 4 nearest of all, and get nothing.
    let compat = Rerank::vector("v", [0.0]).window(4).compat_topk(4);
    let hits = searcher.search(first().rerank(compat)).unwrap();
    assert_eq!(ids(&hits), ["4", "2", "3", "9"]);
    assert_eq!(hits.hits.iter().map(|hit| hit.score).collect::<Vec<_>>()[2..], [1.0, 1.0]);
    // A window of 2 reorders 2 and 3; 4 and 9 keep their places below.
    let hits = searcher.search(first().rerank(Rerank::vector("v", [6.0]).window(2).weight(2.0))).unwrap();
    assert_eq!(ids(&hits), ["3", "2", "4", "9"]);
    assert!((hits.hits[0].score - (1.0 + 2.0 * score(1.0))).abs() < 1e-6);
    let second = Rerank::query(Term::new("color", "blue"));
    assert_eq!(ids(&searcher.search(first().rerank(second)).unwrap()), ["9", "2", "3", "4"]);
}

#[test]
fn hybrid_fuses_text_and_vectors_by_rank_or_by_score() {
    let schema = Schema::builder().key("id").text("text").vector("v", Vector::f32(2)).build().unwrap();
    let (_, index) = in_memory(schema);
    let searcher = documents(
        &index,
        json!([
            { "id": "both", "text": "a small bike for kids", "v": [1.0, 0.1] },
            { "id": "text", "text": "bike bike bike" },
            { "id": "vector", "text": "a tricycle", "v": [1.0, 0.0] },
            { "id": "neither", "text": "a car", "v": [-1.0, 0.0] }
        ]),
    );
    let (text, vector) = (Match::new("text", "bike"), Knn::new("v", [1.0, 0.0]).k(2));
    let hits = searcher.search(Fuse::rrf().query(text.clone()).query(vector.clone())).unwrap();
    assert_eq!(ids(&hits), ["both", "text", "vector"]);
    assert!((hits.hits[0].score - 2.0 / 62.0).abs() < 1e-7 && (hits.hits[1].score - 1.0 / 61.0).abs() < 1e-7);
    let weighted = Fuse::linear().weighted(text, 0.0).weighted(vector, 2.0);
    let hits = searcher.search(weighted).unwrap();
    assert_eq!(ids(&hits), ["vector", "both", "text"]);
    assert_eq!((hits.hits[0].score, hits.hits[2].score), (2.0, 0.0));
}

#[test]
fn hits_have_the_chosen_fields_a_named_score_and_the_chosen_order() {
    let schema = Schema::builder()
        .key("id")
        .i64("size")
        .keyword("section")
        .date("day")
        .vector("v", Vector::f32(2))
        .build();
    let (_, index) = in_memory(schema.unwrap());
    let searcher = documents(
        &index,
        json!([
            { "id": "a", "size": 3, "section": "x", "day": "2024-01-01", "v": [1.0, 0.0] },
            { "id": "b", "size": 1, "section": ["y", "z"], "v": [0.0, 1.0] },
            { "id": "c", "section": "w", "day": "2023-01-01", "v": [1.0, 1.0] }
        ]),
    );
    let sorted = |sort| {
        let hits = searcher.search(Search::new(Query::all()).sort(sort)).unwrap();
        ids(&hits).into_iter().map(str::to_owned).collect::<String>()
    };
    assert_eq!(sorted(Sort::asc("size")), "bac");
    assert_eq!(sorted(Sort::desc("size")), "abc");
    assert_eq!(sorted(Sort::desc("size").missing(lucerne::query::Missing::First)), "cab");
    assert_eq!(sorted(Sort::asc("section")), "cab");
    assert_eq!(sorted(Sort::desc("section")), "bac");
    assert_eq!(sorted(Sort::asc("day")), "cab");
    assert_eq!(sorted(Sort::desc("id")), "cba");
    let knn = Search::from(Knn::new("v", [1.0, 0.0]).k(3));
    let hits = searcher.search(knn.clone().fields(["size"]).score_as("vector_score")).unwrap();
    let fields = serde_json::Value::from(hits.hits[0].fields.clone().unwrap());
    assert_eq!(fields["size"], 3);
    assert!(fields["vector_score"].as_f64().unwrap().abs() < 1e-6, "the distance: {fields}");
    assert_eq!(ids(&searcher.search(knn.clone().sort(Sort::asc(Sort::SCORE))).unwrap()), ["b", "c", "a"]);
    // Pages neither repeat nor skip.
    let pages: Vec<String> = (0..4)
        .flat_map(|page| {
            let hits = searcher.search(knn.clone().limit(1).offset(page)).unwrap();
            hits.keys().into_iter().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(pages, ["a", "c", "b"]);
    let near = searcher.search(Knn::new("v", [1.0, 0.0]).k(3).min_score(0.8)).unwrap();
    assert_eq!(ids(&near), ["a", "c"]);
    assert!(searcher.search(Search::new(Query::all()).sort(Sort::asc("v"))).is_err());
}

#[test]
fn words_phrases_and_booleans_find_what_they_say() {
    let (_, index) = in_memory(Schema::builder().key("id").text("text").keyword("tag").build().unwrap());
    let searcher = documents(
        &index,
        json!([
            { "id": "1", "text": "the quick brown fox", "tag": "animal" },
            { "id": "2", "text": ["brown", "quick fox"], "tag": "animal" },
            { "id": "3", "text": "quick quick slow" },
            { "id": "4", "text": "検索エンジン" }
        ]),
    );
    let cases: [(Query, &[&str]); 9] = [
        (Match::new("text", "FOX slow").into(), &["1", "2", "3"]),
        (Match::all("text", "quick fox").into(), &["1", "2"]),
        (Match::new("text", "quick brown fox").minimum_should_match(3).into(), &["1", "2"]),
        (Phrase::new("text", "quick fox").into(), &["2"]),
        (Phrase::new("text", "quick fox").slop(1).into(), &["1", "2"]),
        (Phrase::new("text", "brown quick").slop(5).into(), &["1"]),
        (Prefix::new("text", "qui").into(), &["1", "2", "3"]),
        (Bool::new().must(Match::new("text", "quick")).must_not(Term::new("tag", "animal")).into(), &["3"]),
        (Bool::new().must_not(Exists::new("tag")).into(), &["3", "4"]),
    ];
    for (query, expected) in cases {
        let mut found =
            ids(&searcher.search(&query).unwrap()).into_iter().map(str::to_owned).collect::<Vec<_>>();
        found.sort();
        assert_eq!(found, expected, "{query:?}");
        assert_eq!(searcher.count(query).unwrap(), expected.len() as u64);
    }
    // More of it, in less text, is better.
    assert_eq!(ids(&searcher.search(Match::new("text", "quick")).unwrap()), ["3", "2", "1"]);
    assert_eq!(ids(&searcher.search(Match::new("text", "検索")).unwrap()), ["4"]);
}

#[test]
fn scoring_parameters_are_the_field_s_own_and_may_change() {
    let schema = |options: &str| {
        let json = format!(r#"{{"key": "id", "fields": [{{"name": "text", "type": "text"{options}}}]}}"#);
        Schema::from_json(&json).unwrap()
    };
    let flat = schema(r#", "weight": 2.5, "k1": 0, "b": 0"#);
    assert_eq!(Schema::from_json(&flat.to_json().to_string()).unwrap(), flat);
    let (_, index) = in_memory(flat);
    documents(&index, json!([{ "id": "long", "text": "a b c d" }, { "id": "often", "text": "a a a" }]));
    let hits = || index.searcher().unwrap().search(Match::new("text", "a")).unwrap();
    // Without k1 it only counts whether the word is there: weight × idf.
    let idf = (1.0f32 + 0.5 / 2.5).ln();
    assert!(hits().hits.iter().all(|hit| (hit.score - 2.5 * idf).abs() < 1e-6), "{:?}", hits());
    assert_eq!(ids(&hits()), ["long", "often"]);
    let writer = index.writer().unwrap();
    writer.set_schema(&schema("")).unwrap();
    writer.add(&Document::new().with("id", "none").with("text", "b")).unwrap();
    writer.commit().unwrap();
    assert_eq!(ids(&hits()), ["often", "long"]);
    let error = writer.set_schema(&schema(r#", "stemmer": "english""#)).unwrap_err();
    assert!(matches!(error, Error::Schema { .. }), "{error}");
    for wrong in [r#", "k1": -1"#, r#", "b": 1.5"#, r#", "weight": 0"#] {
        let json = format!(r#"{{"fields": [{{"name": "text", "type": "text"{wrong}}}]}}"#);
        assert!(Schema::from_json(&json).is_err(), "{wrong}");
    }
}

#[test]
fn a_search_says_why_a_document_was_found_or_not() {
    let (directory, index) = on_a_line_with_a_deleted();
    let searcher = reopen(&directory).searcher().unwrap();
    drop(index);
    let why = |search: Search, key: &str| searcher.explain(search, key).unwrap();
    let found = why(near_zero(2).into(), "1");
    assert!(found.matches && found.to_string().contains("rank 1"), "{found}");
    let beyond = why(near_zero(2).into(), "3");
    assert!(!beyond.matches && beyond.to_string().contains("beyond k"), "{beyond}");
    assert!(beyond.to_string().contains("exact rank 4"), "{beyond}");
    let deleted = why(near_zero(2).into(), "10");
    assert!(deleted.to_string().contains("no live document has the key \"10\""), "{deleted}");
    let filtered = why(Search::new(near_zero(2)).filter(Term::new("color", "blue")), "1");
    assert!(!filtered.matches && filtered.to_string().contains("filtered out"), "{filtered}");
    let without = why(near_zero(2).into(), "bare");
    assert!(without.to_string().contains("has no vector"), "{without}");
    let hits = searcher.search(Search::new(near_zero(2)).explain()).unwrap();
    assert!(hits.hits.iter().all(|hit| hit.explanation.as_ref().is_some_and(|why| why.matches)));
    let text = why(Term::new("color", "red").into(), "9");
    assert!(!text.matches, "{text}");
}

fn on_a_line_with_a_deleted() -> (lucerne::directory::RamDirectory, Index) {
    let schema = Schema::builder()
        .key("id")
        .keyword("color")
        .vector("v", Vector::f32(1).similarity(Similarity::Euclidean))
        .build();
    let (directory, index) = in_memory(schema.unwrap());
    let writer = index.writer().unwrap();
    for (id, place) in [("1", 1.0), ("4", 2.0), ("2", 3.0), ("10", 4.0), ("3", 5.0), ("9", 6.0)] {
        let color = if place < 5.5 { "red" } else { "blue" };
        writer.add(&Document::new().with("id", id).with("color", color).with("v", [place])).unwrap();
    }
    writer.add(&Document::new().with("id", "bare")).unwrap();
    writer.delete("10").unwrap();
    writer.commit().unwrap();
    drop(writer);
    (directory, index)
}

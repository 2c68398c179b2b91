//! Deadlines and cancelling: every kind of slow query stops, with an error or with hits that are true.

use crate::common::documents::in_memory;
use crate::common::rng::Rng;
use lucerne::merge::MergePolicy;
use lucerne::query::{Aggregation, Exists, QueryParser};
use lucerne::schema::{Quantization, SignHash, VectorIndex};
use lucerne::search::{Pool, SearchOptions, Stopped};
use lucerne::{
    Bool, Cancel, Document, ErrorKind, Fuse, Fuzzy, Hits, Index, Knn, Match, MultiMatch, Phrase, Prefix,
    Query, Range, Regex, Rerank, Schema, Search, Searcher, Similarity, Sort, Term, Terms, Vector, Wildcard,
    WriterOptions,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const WORDS: [&str; 6] = ["ant", "bee", "cat", "cow", "dog", "eel"];
const DIMENSION: usize = 8;
const DOCS: usize = 3_000;

/// An index of four segments with a field of every kind.
fn index() -> Index {
    let vector = || Vector::f32(DIMENSION).similarity(Similarity::Euclidean);
    let schema = Schema::builder()
        .key("id")
        .text("body")
        .keyword("tag")
        .i64("n")
        .vector("raw", vector().index(VectorIndex::Flat).quantization(Quantization::None))
        .vector("graph", vector())
        .vector("hashes", vector().index(VectorIndex::Flat).sign_hash_by(SignHash::Plain))
        .vector("lists", Vector::bits(64).index(VectorIndex::Ivf));
    let (_, index) = in_memory(schema.build().unwrap());
    let options = WriterOptions::new().threads(1).flush_docs(DOCS as u32 / 4);
    let writer = index.writer_with(options.merge_policy(MergePolicy::None)).unwrap();
    let mut rng = Rng::new(7);
    for number in 0..DOCS {
        let body: Vec<&str> = (0..12).map(|_| *rng.pick(&WORDS)).collect();
        let bits: Vec<f32> = (0..64).map(|_| f32::from(rng.chance(50))).collect();
        let document = Document::new()
            .with("id", format!("d{number:05}"))
            .with("body", body.join(" "))
            .with("tag", format!("t{:04}", rng.below(2_000)))
            .with("n", rng.below(1_000) as i64)
            .with("lists", bits);
        let document = ["raw", "graph", "hashes"]
            .into_iter()
            .fold(document, |document, field| document.with(field, rng.vector(DIMENSION)));
        writer.add(&document).unwrap();
    }
    writer.close().unwrap();
    index
}

/// A name, and a search of that kind.
fn slow_searches(searcher: &Searcher) -> Vec<(&'static str, Search)> {
    let at = vec![0.1f32; DIMENSION];
    let words = WORDS.join(" ");
    let wide = Range::new("n").gte(0);
    let deep = (0..20).fold(Query::from(Match::new("body", "ant")), |query, depth| {
        Bool::new()
            .should(query)
            .should(Match::new("body", WORDS[depth % 6]))
            .must_not(Term::new("tag", "t0003"))
            .into()
    });
    let terms = Terms::new("tag", (0..2_000).map(|tag| format!("t{tag:04}")));
    let by_number = Aggregation::terms("n").sub("tags", Aggregation::distinct("tag"));
    let by_number = by_number.sub("median", Aggregation::percentiles("n", [50.0]));
    let parsed = QueryParser::new(searcher.schema()).parse("body:(ant OR bee) OR tag:t00*");
    vec![
        ("exact", Knn::new("raw", at.clone()).k(50).exact().into()),
        ("scan of codes", Knn::new("hashes", at.clone()).k(50).candidates(500).into()),
        ("graph", Knn::new("graph", at.clone()).k(50).candidates(700).into()),
        ("filtered graph", Knn::new("graph", at.clone()).k(50).filter(wide.clone()).into()),
        ("lists", Knn::new("lists", vec![1.0f32; 64]).k(50).into()),
        ("rescored", Knn::new("graph", at.clone()).k(50).rescore(3.0).into()),
        ("words", Match::new("body", &words).into()),
        ("all words", Match::all("body", &words).into()),
        ("phrase", Phrase::new("body", "ant bee cat").into()),
        ("sloppy phrase", Phrase::new("body", "ant eel dog").slop(8).into()),
        ("deep booleans", Search::new(deep)),
        ("range", wide.clone().into()),
        ("prefix", Prefix::new("tag", "t").into()),
        ("highlighted", Search::new(Match::new("body", "ant")).highlight("body").limit(1_000)),
        ("best of several", MultiMatch::new("ant bee").field("body^2").field("body").into()),
        ("fuzzy", Fuzzy::new("tag", "t1000").edits(2).into()),
        ("wildcard", Wildcard::new("tag", "*0*").into()),
        ("regex of keys", Regex::new("id", "d0.*").into()),
        ("terms", terms.into()),
        ("keys", Terms::new("id", (0..DOCS).map(|key| format!("d{key:05}"))).into()),
        ("key range", Range::new("id").gte("d").into()),
        ("exists", Exists::new("raw").into()),
        ("wide filter", Search::new(Query::all()).filter(wide.clone())),
        ("sorted", Search::new(Query::all()).sort(Sort::desc("tag")).limit(100)),
        ("sorted deep", Search::new(wide).sort(Sort::asc("n")).offset(2_000).limit(100)),
        (
            "reranked by vector",
            Search::new(Match::new("body", "ant")).rerank(Rerank::vector("raw", at.clone()).window(DOCS)),
        ),
        (
            "reranked by query",
            Search::new(Match::new("body", "ant"))
                .rerank(Rerank::query(Phrase::new("body", "bee cat")).window(DOCS)),
        ),
        ("aggregated", Search::new(Match::new("body", &words)).facet("tag", 100).aggregate("n", by_number)),
        ("stored", Search::new(Query::all()).limit(1_000).fields(Vec::<String>::new())),
        ("fused", Fuse::rrf().query(Match::new("body", "ant")).query(Knn::new("raw", at).k(100)).into()),
        ("parsed", parsed.unwrap()),
    ]
}

fn keys(hits: &Hits) -> Vec<(String, f32)> {
    hits.hits.iter().map(|hit| (hit.key.clone(), hit.score)).collect()
}

/// The exact score of every document for a kNN query on a field; of any other search all its hits in their order.
fn truth(searcher: &Searcher, name: &str, search: &Search) -> Vec<(String, f32)> {
    let at = || vec![0.1f32; DIMENSION];
    let exact = match name {
        "exact" => Knn::new("raw", at()),
        "scan of codes" => Knn::new("hashes", at()),
        "graph" | "filtered graph" | "rescored" => Knn::new("graph", at()),
        "lists" => Knn::new("lists", vec![1.0f32; 64]),
        _ => return keys(&searcher.search(search.clone().offset(0).limit(DOCS)).unwrap()),
    };
    keys(&searcher.search(exact.k(DOCS).exact()).unwrap())
}

/// Hits of a search that was stopped are in the order of the truth; distances by codes may be a little off.
fn check_part(name: &str, truth: &[(String, f32)], hits: &Hits) {
    if hits.exact {
        let mut rest = truth.iter();
        for hit in &hits.hits {
            let found = rest.find(|(key, _)| *key == hit.key);
            assert_eq!(found.map(|found| found.1), Some(hit.score), "{name}: {}", hit.key);
        }
    } else {
        for hit in &hits.hits {
            let exact = truth.iter().find(|(key, _)| *key == hit.key).unwrap().1;
            assert!((exact - hit.score).abs() < 0.05, "{name}: {exact}, {}", hit.score);
        }
    }
}

#[test]
fn a_stopped_search_of_any_kind_is_an_error() {
    let searcher = index().searcher().unwrap();
    let cancel = Cancel::new();
    cancel.cancel();
    let cancelled = SearchOptions::new().cancel(&cancel);
    let late = SearchOptions::new().timeout(Duration::ZERO);
    for (name, search) in slow_searches(&searcher) {
        for threads in [1, 3] {
            let error = searcher.search_with(&search, &cancelled.clone().threads(threads)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Cancelled, "{name}: {error}");
            let error = searcher.search_with(&search, &late.clone().threads(threads)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{name}: {error}");
        }
        let count = searcher.count_with(&search, &late.clone().partial()).unwrap_err();
        assert_eq!(count.kind(), ErrorKind::TimedOut, "{name}: a part of a count is none");
        let why = searcher.explain_with(&search, "d00001", &late).unwrap_err();
        assert_eq!(why.kind(), ErrorKind::TimedOut, "{name}: {why}");
        assert_eq!(searcher.search(&search).unwrap().stopped, None, "{name}: nothing is left behind");
    }
}

#[test]
fn hits_of_a_search_that_is_stopped_are_true_and_marked() {
    let searcher = index().searcher().unwrap();
    let (mut parts, mut with_hits) = (0, Vec::new());
    for (name, search) in slow_searches(&searcher) {
        let (truth, whole) = (truth(&searcher, name, &search), searcher.search(&search).unwrap());
        assert!(!whole.hits.is_empty(), "{name}");
        let full = whole.took.total.as_nanos() as u64;
        for share in (0..20).chain(1..20) {
            for threads in [1, 2] {
                let timeout = Duration::from_nanos(full * share / 20);
                let options = SearchOptions::new().timeout(timeout).partial().threads(threads);
                let hits = searcher.search_with(&search, &options).unwrap();
                match hits.stopped {
                    None => assert_eq!(hits.hits, whole.hits, "{name}: whole"),
                    Some(stopped) => {
                        assert_eq!(stopped, Stopped::TimedOut);
                        check_part(name, &truth, &hits);
                        parts += 1;
                        if !hits.hits.is_empty() && !with_hits.contains(&name) {
                            with_hits.push(name);
                        }
                    }
                }
            }
        }
    }
    assert!(parts > 100, "{parts}");
    for name in ["exact", "scan of codes", "lists", "stored", "sorted"] {
        assert!(with_hits.contains(&name), "{name} has returned nothing that it had found: {with_hits:?}");
    }
}

#[test]
fn a_search_is_cancelled_from_another_thread() {
    let searcher = index().searcher().unwrap();
    let (name, search) = slow_searches(&searcher).into_iter().find(|(name, _)| *name == "sorted").unwrap();
    let cancel = Cancel::new();
    let ended = std::thread::scope(|scope| {
        let searching = scope.spawn(|| {
            let options = SearchOptions::new().cancel(&cancel);
            loop {
                if let Err(error) = searcher.search_with(&search, &options) {
                    break (error.kind(), Instant::now());
                }
            }
        });
        std::thread::sleep(Duration::from_millis(30));
        cancel.cancel();
        searching.join().unwrap()
    });
    assert_eq!(ended.0, ErrorKind::Cancelled, "{name}");
    let part = searcher.search_with(&search, &SearchOptions::new().cancel(&cancel).partial()).unwrap();
    assert_eq!(part.stopped, Some(Stopped::Cancelled));
}

/// A thread for each job.
struct ScopedThreads;

impl Pool for ScopedThreads {
    fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| (0..jobs).for_each(|number| drop(scope.spawn(move || job(number)))));
    }
}

#[test]
fn hits_are_the_same_on_any_number_of_threads() {
    let searcher = index().searcher().unwrap();
    let searches = slow_searches(&searcher);
    let alone: Vec<Hits> = searches.iter().map(|(_, search)| searcher.search(search).unwrap()).collect();
    let threads = [2, 3, 7].map(|threads| SearchOptions::new().threads(threads));
    for options in threads.into_iter().chain([SearchOptions::new().pool(Arc::new(ScopedThreads))]) {
        let many = searcher.search_many(searches.iter().map(|(_, search)| search), &options);
        for (((name, search), alone), many) in searches.iter().zip(&alone).zip(many) {
            let hits = searcher.search_with(search, &options).unwrap();
            assert_eq!((&hits.hits, hits.exact), (&alone.hits, alone.exact), "{name}: {options:?}");
            assert_eq!(many.unwrap().hits, alone.hits, "{name} among many");
            let counts =
                [searcher.count(search), searcher.count_with(search, &options)].map(|count| count.unwrap());
            assert_eq!(counts[0], counts[1], "{name}");
        }
    }
}

#[test]
fn each_of_many_searches_has_its_own_error() {
    let searcher = index().searcher().unwrap();
    let good = || Search::from(Match::new("body", "ant"));
    for threads in [1, 4] {
        let searches = [good(), Match::new("nothing", "ant").into(), good()];
        let found = searcher.search_many(searches, &SearchOptions::new().threads(threads));
        assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    }
    assert!(searcher.search_many(Vec::<Search>::new(), &SearchOptions::new().threads(2)).is_empty());
}

#[test]
fn the_writer_and_other_searches_go_on_while_searches_are_stopped() {
    let index = index();
    let (searcher, writer) = (index.searcher().unwrap(), index.writer().unwrap());
    let searches = slow_searches(&searcher);
    let whole: Vec<Hits> = searches.iter().map(|(_, search)| searcher.search(search).unwrap()).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| {
            let mut stopped = 0;
            for micros in (1..).map(|round| 37 * round % 2_000) {
                let options = SearchOptions::new().timeout(Duration::from_micros(micros));
                let newest = index.searcher().unwrap();
                stopped += searches
                    .iter()
                    .filter(|(_, search)| newest.search_with(search, &options).is_err())
                    .count();
                if done.load(Ordering::Relaxed) {
                    return stopped;
                }
            }
            stopped
        });
        for round in 0..4u64 {
            for number in 0..20 {
                writer
                    .add(&Document::new().with("id", format!("n{round}-{number}")).with("body", "ant"))
                    .unwrap();
            }
            writer.commit().unwrap();
            assert_eq!(index.searcher().unwrap().len(), DOCS as u64 + 20 * (round + 1));
            for ((name, search), whole) in searches.iter().zip(&whole) {
                assert_eq!(searcher.search(search).unwrap().hits, whole.hits, "{name}");
            }
        }
        writer.force_merge(1, &Cancel::new()).unwrap();
        done.store(true, Ordering::Relaxed);
        assert!(stopping.join().unwrap() > 0);
    });
}

//! Searches over shards: hits, scores, order, totals and aggregations are those of one index of all documents.
//!
//! A failure prints its seed; `LUCERNE_SEED=n cargo test --test shards model` runs that seed alone.

use crate::common::documents::in_memory;
use crate::common::rng::Rng;
use lucerne::query::{Aggregation, Constant, Decay, FieldValue, MoreLike};
use lucerne::search::{SearchOptions, ShardAnswer, ShardRequest, ShardedSearch, Stopped};
use lucerne::{
    Bool, Cancel, Document, ErrorKind, Fuse, Fuzzy, Hits, Knn, Match, MultiMatch, Phrase, Prefix, Query,
    Range, Rerank, Result, Schema, Search, Searcher, Similarity, Sort, Term, Vector, WriterOptions,
};
use std::time::Duration;

const WORDS: [&str; 12] =
    ["ant", "ants", "bee", "cat", "cow", "cows", "dog", "eel", "elk", "emu", "emus", "owl"];
const TAGS: [&str; 5] = ["red", "rose", "blue", "black", "green"];

fn schema() -> Schema {
    let v = Vector::f32(3).similarity(Similarity::Euclidean);
    let many = Vector::f32(2).similarity(Similarity::Cosine).multiple();
    let schema = Schema::builder().key("id").text("title").text("body").keyword("tag").i64("n").f64("x");
    schema.date("made").vector("v", v).vector("many", many).dynamic(true).build().unwrap()
}

fn document(rng: &mut Rng, key: &str) -> Document {
    let text = |rng: &mut Rng, most| {
        let words: Vec<&str> = (0..rng.below(most)).map(|_| *rng.pick(&WORDS)).collect();
        words.join(" ")
    };
    let vector = |rng: &mut Rng, dimensions| -> Vec<f32> {
        (0..dimensions).map(|_| rng.below(40) as f32 - 19.5).collect()
    };
    let tags: Vec<&str> = (0..rng.below(3)).map(|_| *rng.pick(&TAGS)).collect();
    let many: Vec<Vec<f32>> = (0..rng.below(3)).map(|_| vector(rng, 2)).collect();
    Document::new()
        .with("id", key)
        .with("title", text(rng, 4))
        .with("body", text(rng, 12))
        .with("tag", tags)
        .with("n", rng.chance(80).then(|| rng.below(20) as i64 - 9))
        .with("x", rng.chance(80).then(|| rng.below(1_000) as f64 / 7.0))
        .with("made", rng.chance(70).then(|| format!("2024-0{}-1{}", 1 + rng.below(9), rng.below(9))))
        .with("extra", rng.chance(50).then(|| *rng.pick(&TAGS)))
        .with("v", rng.chance(90).then(|| vector(rng, 3)))
        .with("many", many)
}

/// The same documents in one index, and in some: each in one of these.
struct Both {
    one: Searcher,
    shards: Vec<Searcher>,
}

fn both(rng: &mut Rng) -> Both {
    let options = || WriterOptions::new().threads(1).flush_docs(40);
    let index = |documents: &[Document]| {
        let (_, index) = in_memory(schema());
        let writer = index.writer_with(options()).unwrap();
        documents.iter().for_each(|document| _ = writer.add(document).unwrap());
        writer.commit().unwrap();
        index.searcher().unwrap()
    };
    let all: Vec<Document> = (0..150 + rng.below(100)).map(|n| document(rng, &format!("k{n:03}"))).collect();
    let count = 1 + rng.below(5);
    let mut parts: Vec<Vec<Document>> = vec![Vec::new(); count];
    all.iter().for_each(|document| parts[rng.below(count)].push(document.clone()));
    Both { one: index(&all), shards: parts.iter().map(|part| index(part)).collect() }
}

/// Every request and answer goes through JSON.
fn over(shards: &[Searcher], search: &Search) -> Result<Hits> {
    let mut sharded = ShardedSearch::new(search.clone(), &schema(), shards.len())?;
    while let Some(requests) = sharded.requests() {
        let mut answers = Vec::new();
        for (shard, request) in shards.iter().zip(requests) {
            let request = serde_json::to_string(&request.unwrap()).unwrap();
            let request: ShardRequest = serde_json::from_str(&request).unwrap();
            let answer = serde_json::to_string(&shard.answer(&request, &SearchOptions::new())?).unwrap();
            answers.push(Some(serde_json::from_str::<ShardAnswer>(&answer).unwrap()));
        }
        sharded.answered(answers)?;
    }
    Ok(sharded.hits().unwrap())
}

fn text(rng: &mut Rng) -> String {
    let words: Vec<&str> = (0..1 + rng.below(3)).map(|_| *rng.pick(&WORDS)).collect();
    words.join(" ")
}

fn knn(rng: &mut Rng, depth: usize) -> Knn {
    let component = |rng: &mut Rng| rng.below(40) as f32 - 20.0;
    let mut knn = match rng.below(3) {
        0 => Knn::new("many", [component(rng), 0.25 + component(rng)]),
        _ => Knn::new("v", [component(rng), component(rng), component(rng)]),
    };
    if rng.chance(70) {
        knn = knn.k(1 + rng.below(30));
    }
    if rng.chance(30) {
        knn = knn.filter(query(rng, depth));
    }
    if rng.chance(10) {
        knn = knn.min_score(0.01);
    }
    knn.exact()
}

fn query(rng: &mut Rng, depth: usize) -> Query {
    match rng.below(if depth == 0 { 11 } else { 17 }) {
        0 => Query::all(),
        1 => Term::new("tag", *rng.pick(&TAGS)).into(),
        2 => Range::new("n").gte(rng.below(9) as i64 - 4).into(),
        3 => Term::new("body", *rng.pick(&WORDS)).into(),
        4 => Phrase::new("body", text(rng)).into(),
        5 => Prefix::new("body", "e").into(),
        6 => Fuzzy::new("body", *rng.pick(&WORDS)).max_expansions(1 + rng.below(3)).into(),
        7 => MultiMatch::new(text(rng)).fields(["title^2", "body"]).into(),
        8 => MoreLike::text(format!("{} {}", text(rng), text(rng))).max_terms(3).into(),
        9 => Match::new("body", text(rng)).fuzziness(lucerne::query::Fuzziness::Edits(1)).into(),
        10 => Match::all("body", text(rng)).into(),
        11 | 12 => Bool::new().must(query(rng, depth - 1)).should(query(rng, depth - 1)).into(),
        13 => Bool::new().should(query(rng, depth - 1)).must_not(query(rng, 0)).filter(query(rng, 0)).into(),
        14 => Constant::new(query(rng, depth - 1), 2.0).into(),
        15 => fuse(rng, depth - 1).into(),
        _ => knn(rng, depth - 1).into(),
    }
}

fn fuse(rng: &mut Rng, depth: usize) -> Fuse {
    let fuse = if rng.chance(60) { Fuse::rrf() } else { Fuse::linear() };
    let fuse = fuse.weighted(Match::new("body", text(rng)), 0.7).query(knn(rng, depth));
    let fuse = if rng.chance(40) { fuse.query(query(rng, depth)) } else { fuse };
    fuse.window(1 + rng.below(40))
}

fn rerank(rng: &mut Rng) -> Rerank {
    let rerank = match rng.below(4) {
        0 => Rerank::vector("v", [1.0, 2.0, 3.0]),
        1 => Rerank::query(query(rng, 1)),
        2 => Rerank::decay(Decay::gauss("x", 50.0, 20.0)),
        _ => Rerank::field_value(FieldValue::new("n")),
    };
    rerank.window(1 + rng.below(30)).weight(0.5)
}

fn search(rng: &mut Rng) -> Search {
    let query = match rng.below(5) {
        0 => knn(rng, 1).into(),
        1 => fuse(rng, 1).into(),
        _ => query(rng, 2),
    };
    let mut search = Search::new(query).limit(1 + rng.below(20)).offset(rng.below(3) * rng.below(20));
    if rng.chance(30) {
        search = search.filter(self::query(rng, 1));
    }
    match rng.below(5) {
        0 => search = search.rerank(rerank(rng)),
        1 => search = search.sort(Sort::desc(*rng.pick(&["tag", "n", "x", "extra", "_score"]))),
        2 => {
            search =
                search.sort(Sort::asc(*rng.pick(&["tag", "n", "made", "extra", "id"]))).sort(Sort::asc("x"))
        }
        _ => {}
    }
    if rng.chance(20) {
        search = search.min_score(rng.below(10) as f32 / 8.0);
    }
    if rng.chance(15) {
        search = search.collapse(*rng.pick(&["tag", "n", "x", "made", "extra"]));
    }
    if rng.chance(40) {
        let inner = Aggregation::stats("x");
        search = search
            .facet("tag", 1 + rng.below(3))
            .aggregate("extra", Aggregation::terms("extra").size(2).sub("x", inner))
            .aggregate("n", Aggregation::histogram("n", 4.0))
            .aggregate("x", Aggregation::percentiles("x", [5.0, 50.0, 99.0]))
            .aggregate("made", Aggregation::stats("made"))
            .aggregate("sum", Aggregation::sum("x"))
            .aggregate("distinct", Aggregation::distinct("tag"));
    }
    if rng.chance(50) {
        search = search.count_total(true);
    }
    if rng.chance(50) {
        search = search.fields(["title", "n", "x"]).highlight("body").vectors(["v"]);
    }
    search
}

/// The same, but for the last bits of sums, which depend on their order.
fn same_numbers(left: &serde_json::Value, right: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (left, right) {
        (Array(left), Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same_numbers(left, right))
        }
        (Object(left), Object(right)) => {
            let other = |name: &String| right.get(name).unwrap_or(&serde_json::Value::Null);
            left.len() == right.len() && left.iter().all(|(name, left)| same_numbers(left, other(name)))
        }
        (Number(left), Number(right)) => {
            let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
            (left - right).abs() <= 1e-9 * left.abs().max(1.0)
        }
        (left, right) => left == right,
    }
}

/// True when hits were compared, which those of searches that are refused are not.
fn compare(both: &Both, search: &Search, seed: u64) -> bool {
    let (expected, found) = match (both.one.search(search), over(&both.shards, search)) {
        (Ok(expected), Ok(found)) => (expected, found),
        (Err(expected), Err(found)) if expected.kind() == found.kind() => return false,
        (Ok(_), Err(error)) if error.to_string().contains("not over shards") => return false,
        (expected, found) => panic!("seed {seed}: {expected:?}\n{found:?}\n{}", search.to_json()),
    };
    let told = || format!("seed {seed}, {} shards: {}", both.shards.len(), search.to_json());
    assert_eq!(found.hits, expected.hits, "{}", told());
    assert_eq!(found.exact, expected.exact, "{}", told());
    let (total, of_one) = (found.total, expected.total);
    match (total.is_exact(), of_one.is_exact()) {
        (true, true) => assert_eq!(total, of_one, "{}", told()),
        (false, true) => assert!(total.value() <= of_one.value(), "{total:?} {of_one:?} {}", told()),
        (true, false) => assert!(total.value() >= of_one.value(), "{total:?} {of_one:?} {}", told()),
        (false, false) => {}
    }
    let counted = |hits: &Hits| serde_json::to_value(&hits.aggregations).unwrap();
    assert!(
        same_numbers(&counted(&found), &counted(&expected)),
        "{}\n{:?}\n{:?}",
        told(),
        found.aggregations,
        expected.aggregations
    );
    let mut unknown = found.unknown_fields;
    unknown.retain(|name| !expected.unknown_fields.contains(name));
    assert!(unknown.is_empty(), "{}", told());
    !found.hits.is_empty()
}

#[test]
fn shards_find_what_one_index_finds_with_the_same_scores_totals_and_aggregations() {
    let seeds = match std::env::var("LUCERNE_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..std::env::var("LUCERNE_SEEDS").map_or(12, |count| count.parse().unwrap())).collect(),
    };
    for seed in seeds {
        let mut rng = Rng::new(seed);
        let both = both(&mut rng);
        let compared = (0..60).filter(|_| compare(&both, &search(&mut rng), seed)).count();
        assert!(compared > 20, "seed {seed}: only {compared} searches with hits");
    }
}

#[test]
fn explained_hits_of_words_have_the_scores_of_all_shards() {
    let mut rng = Rng::new(7);
    let both = both(&mut rng);
    let search = Search::new(Match::new("body", "cow emu")).explain().limit(30);
    assert_eq!(over(&both.shards, &search).unwrap().hits, both.one.search(&search).unwrap().hits);
}

#[test]
fn what_shards_cannot_put_together_is_refused() {
    let both = both(&mut Rng::new(3));
    let v = || Knn::new("v", [1.0, 2.0, 3.0]).k(5);
    for search in [
        Search::new(v()).rerank(Rerank::mmr("v", 0.5)),
        Search::new(Query::all()).group_by("tag", 2),
        Search::new(Query::all()).collapse("tag").rerank(Rerank::vector("v", [1.0, 2.0, 3.0])),
        Search::new(MoreLike::key("k001")),
        Search::new(v().filter(Term::new("tag", "red")).post_filter()),
        Search::new(Bool::new().must(Query::all()).should(v())).explain(),
    ] {
        let error = over(&both.shards, &search).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("not over shards"), "{error}");
    }
}

#[test]
fn a_shard_that_does_not_answer_is_told_and_the_others_hits_are_right() {
    let both = both(&mut Rng::new(5));
    assert!(both.shards.len() > 1);
    let search = Search::new(Match::new("body", "cow emu")).facet("tag", 9).limit(20);
    let mut sharded = ShardedSearch::new(search, &schema(), both.shards.len()).unwrap();
    let mut rounds = 0;
    while let Some(requests) = sharded.requests() {
        rounds += 1;
        let answers = both.shards.iter().zip(requests).enumerate().map(|(number, (shard, request))| {
            let request = request.filter(|_| number > 0 || rounds == 1)?;
            Some(shard.answer(&request, &SearchOptions::new()).unwrap())
        });
        let answers = answers.collect();
        sharded.answered(answers).unwrap();
    }
    let hits = sharded.hits().unwrap();
    assert_eq!(rounds, 2, "statistics, hits");
    let shards = hits.shards.unwrap();
    assert_eq!((shards.total, shards.answered), (both.shards.len(), both.shards.len() - 1));
    assert!(!hits.total.is_exact() && !hits.hits.is_empty());
    assert!(hits.hits.iter().all(|hit| both.shards[0].get(&hit.key).unwrap().is_none()));
}

#[test]
fn a_shard_that_is_stopped_marks_the_hits() {
    let both = both(&mut Rng::new(5));
    let mut sharded = ShardedSearch::new(Query::all(), &schema(), both.shards.len()).unwrap();
    let stopped = SearchOptions::new().timeout(Duration::ZERO).partial();
    let requests = sharded.requests().unwrap();
    let answers = both.shards.iter().zip(requests).enumerate().map(|(number, (shard, request))| {
        let options = if number == 0 { stopped.clone() } else { SearchOptions::new() };
        Some(shard.answer(&request.unwrap(), &options).unwrap())
    });
    let answers = answers.collect();
    sharded.answered(answers).unwrap();
    let hits = sharded.hits().unwrap();
    assert_eq!(hits.stopped, Some(Stopped::TimedOut));
    assert!(!hits.total.is_exact());
}

#[test]
fn a_shard_is_stopped_in_each_round() {
    let both = both(&mut Rng::new(6));
    // Statistics of words, a ranking of all shards, hits.
    let fuse = Fuse::rrf().query(Match::new("body", "cow")).query(Match::new("body", "ant cat"));
    let mut sharded = ShardedSearch::new(fuse, &schema(), both.shards.len()).unwrap();
    let (at_once, cancel) = (SearchOptions::new().timeout(Duration::ZERO), Cancel::new());
    cancel.cancel();
    let cancelled = SearchOptions::new().cancel(&cancel);
    let mut rounds = 0;
    while let Some(requests) = sharded.requests() {
        rounds += 1;
        let answers = both.shards.iter().zip(requests).map(|(shard, request)| {
            let request = request.unwrap();
            let kind = |options| shard.answer(&request, options).unwrap_err().kind();
            assert_eq!(kind(&at_once), ErrorKind::TimedOut, "round {rounds}");
            assert_eq!(kind(&cancelled), ErrorKind::Cancelled, "round {rounds}");
            Some(shard.answer(&request, &SearchOptions::new()).unwrap())
        });
        let answers = answers.collect();
        sharded.answered(answers).unwrap();
    }
    assert_eq!(rounds, 3);
    assert!(!sharded.hits().unwrap().hits.is_empty());
}

#[test]
fn an_answer_to_another_request_is_refused() {
    let (_, index) = in_memory(schema());
    let searcher = index.searcher().unwrap();
    let words = ShardedSearch::new(Match::new("body", "cow"), &schema(), 1).unwrap();
    let statistics = words.requests().unwrap().remove(0).unwrap();
    let statistics = searcher.answer(&statistics, &SearchOptions::new()).unwrap();
    let mut all = ShardedSearch::new(Query::all(), &schema(), 1).unwrap();
    assert_eq!(all.answered(vec![Some(statistics)]).unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(all.answered(Vec::new()).unwrap_err().kind(), ErrorKind::Usage);
}

/// The text with one of its digits, or another of its bytes, replaced.
fn damaged(rng: &mut Rng, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..1 + rng.below(3) {
        let at = rng.below(bytes.len());
        let digits =
            (0..bytes.len()).map(|next| (at + next) % bytes.len()).find(|at| bytes[*at].is_ascii_digit());
        match digits {
            Some(at) if rng.chance(80) => {
                let others = rng.pick(&["0", "9", "-1", "99999999", "18446744073709551615", "1e300"]);
                bytes.splice(at..=at, others.bytes());
            }
            _ => bytes[at] = *rng.pick(b"{}[]\",:x0"),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn damaged_requests_and_answers_are_errors_or_answers_and_never_panic() {
    let mut rng = Rng::new(23);
    let both = both(&mut rng);
    let (mut read, mut answered) = (0, 0);
    for _ in 0..400 {
        let Ok(mut sharded) = ShardedSearch::new(search(&mut rng), &schema(), both.shards.len()) else {
            continue;
        };
        while let Some(requests) = sharded.requests() {
            let mut answers = Vec::new();
            for (shard, request) in both.shards.iter().zip(requests) {
                let request = request.unwrap();
                let text = damaged(&mut rng, &serde_json::to_string(&request).unwrap());
                if let Ok(request) = serde_json::from_str::<ShardRequest>(&text) {
                    read += usize::from(shard.answer(&request, &SearchOptions::new()).is_ok());
                }
                let Ok(answer) = shard.answer(&request, &SearchOptions::new()) else { break };
                let text = damaged(&mut rng, &serde_json::to_string(&answer).unwrap());
                answers.push(Some(serde_json::from_str::<ShardAnswer>(&text).unwrap_or(answer)));
            }
            match sharded.answered(answers) {
                Ok(()) => answered += 1,
                Err(_) => break,
            }
        }
        // Whoever shows them gets no further with a panic.
        let hits = sharded.hits();
        hits.iter().for_each(|hits| _ = serde_json::to_string(&hits.aggregations).unwrap());
    }
    assert!(read > 100 && answered > 100, "{read} requests were read, {answered} answers");
}

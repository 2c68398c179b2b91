//! Random queries of every kind on random documents, against an evaluator that looks at every document.
//!
//! Whatever was added, changed, deleted, flushed and merged: a search returns exactly the documents that
//! match, best first. Where nothing deleted is left in a segment (statistics count deleted documents until a
//! merge drops them), every score is that of a plain BM25 to 1e-5 too.
//!
//! A failure prints its seed; `LUCERNE_SEED=n cargo test --test search query_model` runs that seed alone.

use crate::aggregate_model::{MOMENTS, agree, groups_agree, values_agree};
use crate::common::documents::in_memory;
use crate::common::rng::Rng;
use crate::query_rerank::{by_functions, diverse, late};
use lucerne::document::SparseVector;
use lucerne::merge::MergePolicy;
use lucerne::query::{Boost, Constant, Exists, MoreLike};
use lucerne::schema::{Quantization, VectorIndex};
use lucerne::search::SearchOptions;
use lucerne::{
    Bool, Document, Index, Knn, Match, Phrase, Prefix, Query, Range, Rerank, Schema, Search, Similarity,
    Sort, Term, Terms, Value, Vector, Writer, WriterOptions,
};
use std::collections::{BTreeMap, BTreeSet};

mod fused;
mod sparse;
mod synonyms;
mod words;

const WORDS: [&str; 8] = ["ant", "bee", "cat", "cow", "dog", "eel", "elk", "emu"];
const TAGS: [&str; 4] = ["red", "rose", "blue", "black"];

#[derive(Clone, Debug, Default)]
pub(super) struct Doc {
    words: Vec<&'static str>,
    pub(super) tags: BTreeSet<&'static str>,
    pub(super) n: Option<i64>,
    pub(super) x: Option<f64>,
    pub(super) flag: Option<bool>,
    pub(super) v: Option<[f32; 2]>,
    pub(super) extra: Option<&'static str>,
    /// Which of the moments.
    pub(super) made: Option<usize>,
    pub(super) sizes: Vec<i64>,
    pub(super) more: Option<i64>,
    pub(super) s: BTreeMap<u32, f32>,
}

pub(super) type Model = BTreeMap<String, Doc>;

impl Doc {
    fn random(rng: &mut Rng) -> Self {
        let words = (0..rng.below(9)).map(|_| *rng.pick(&WORDS)).collect();
        let tags = (0..rng.below(3)).map(|_| *rng.pick(&TAGS)).collect();
        Self {
            words,
            tags,
            n: rng.chance(70).then(|| rng.below(9) as i64 - 4),
            x: rng.chance(70).then(|| rng.below(9) as f64 / 2.0 - 2.0),
            flag: rng.chance(50).then(|| rng.chance(50)),
            v: rng.chance(80).then(|| [rng.below(7) as f32, rng.below(7) as f32]),
            extra: rng.chance(50).then(|| *rng.pick(&TAGS)),
            made: rng.chance(70).then(|| rng.below(MOMENTS.len())),
            sizes: (0..rng.below(4)).map(|_| rng.below(9) as i64 - 4).collect(),
            more: rng.chance(50).then(|| rng.below(9) as i64 - 4),
            s: sparse::random(rng),
        }
    }

    fn document(&self, key: &str) -> Document {
        let tags = self.tags.iter().copied().collect::<Vec<_>>();
        Document::new()
            .with("id", key)
            .with("body", self.words.join(" "))
            .with("tags", tags)
            .with("n", self.n)
            .with("x", self.x)
            .with("flag", self.flag)
            .with("v", self.v.map(|v| Value::Vector(v.to_vec())))
            .with("extra", self.extra)
            .with("made", self.made.map(|at| MOMENTS[at].0))
            .with("sizes", self.sizes.clone())
            .with("more", self.more)
            .with("s", SparseVector::from(&self.s))
    }
}

// ---- the evaluator ------------------------------------------------------------------------------------

/// The documents that match, with their scores.
type Scores = BTreeMap<String, f64>;

/// A random query together with what it means.
struct Asked {
    query: Query,
    scores: Scores,
}

struct Asker<'a> {
    model: &'a Model,
    /// Neighbors are searched among these.
    among: Option<&'a Scores>,
}

impl Asker<'_> {
    fn all(&self, score: impl Fn(&str, &Doc) -> Option<f64>) -> Scores {
        self.model.iter().filter_map(|(key, doc)| Some((key.clone(), score(key, doc)?))).collect()
    }

    fn bm25(&self, word: &str, freq: f64, doc: &Doc) -> f64 {
        self.idf(word) * self.saturated(freq, doc)
    }

    fn saturated(&self, freq: f64, doc: &Doc) -> f64 {
        let with: Vec<usize> =
            self.model.values().map(|doc| doc.words.len()).filter(|len| *len > 0).collect();
        let average = with.iter().sum::<usize>() as f64 / with.len().max(1) as f64;
        freq / (freq + 1.2 * (1.0 - 0.75 + 0.75 * doc.words.len() as f64 / average))
    }

    fn idf(&self, word: &str) -> f64 {
        let docs = self.model.values().filter(|doc| !doc.words.is_empty()).count() as f64;
        let having = self.model.values().filter(|doc| doc.words.contains(&word)).count() as f64;
        (1.0 + (docs - having + 0.5) / (having + 0.5)).ln()
    }

    fn one(&self, rng: &mut Rng, depth: usize) -> Asked {
        let flat = |query: Query, holds: &dyn Fn(&str, &Doc) -> bool| Asked {
            query,
            scores: self.all(|key, doc| holds(key, doc).then_some(1.0)),
        };
        match rng.below(if depth == 0 { 16 } else { 22 }) {
            0 => flat(Query::all(), &|_, _| true),
            1 => {
                let tag = *rng.pick(&TAGS);
                flat(Term::new("tags", tag).into(), &|_, doc| doc.tags.contains(tag))
            }
            2 => {
                let keys: Vec<String> = (0..3).map(|_| format!("k{}", rng.below(30))).collect();
                flat(Terms::new("id", keys.clone()).into(), &|key, _| keys.iter().any(|one| one == key))
            }
            3 => {
                let (low, high) = (rng.below(9) as i64 - 4, rng.below(9) as i64 - 4);
                let range = Range::new("n").gte(low).lt(high);
                flat(range.into(), &|_, doc| doc.n.is_some_and(|n| (low..high).contains(&n)))
            }
            4 => {
                let low = rng.below(9) as f64 / 2.0 - 2.0;
                flat(Range::new("x").gt(low).into(), &|_, doc| doc.x.is_some_and(|x| x > low))
            }
            5 => {
                let flag = rng.chance(50);
                flat(Term::new("flag", flag).into(), &|_, doc| doc.flag == Some(flag))
            }
            6 => match rng.below(4) {
                0 => flat(Exists::new("extra").into(), &|_, doc| doc.extra.is_some()),
                1 => flat(Exists::new("v").into(), &|_, doc| doc.v.is_some()),
                2 => flat(Exists::new("s").into(), &|_, doc| !doc.s.is_empty()),
                // Every document has a text, some without words.
                _ => flat(Exists::new("body").into(), &|_, _| true),
            },
            7 => match rng.below(3) {
                0 => flat(Prefix::new("tags", "r").into(), &|_, doc| {
                    doc.tags.iter().any(|tag| tag.starts_with('r'))
                }),
                1 => flat(Prefix::new("body", "e").into(), &|_, doc| {
                    doc.words.iter().any(|word| word.starts_with('e'))
                }),
                _ => flat(Prefix::new("extra", "bl").into(), &|_, doc| {
                    doc.extra.is_some_and(|tag| tag.starts_with("bl"))
                }),
            },
            8 if rng.chance(50) => self.synonyms(rng),
            8 => self.words(rng),
            9 if rng.chance(50) => self.like_another(rng),
            9 => self.sparse(rng),
            10 => self.phrase(rng),
            11 => self.nearest(rng),
            12 => self.fuzzy(rng),
            13 => self.mistyped_words(rng),
            14 => self.pattern(rng),
            15 => self.several_fields(rng),
            16 => {
                let inner = self.one(rng, depth - 1);
                let scores = inner.scores.into_iter().map(|(key, score)| (key, score * 2.5)).collect();
                Asked { query: Boost::new(inner.query, 2.5).into(), scores }
            }
            17 => {
                let inner = self.one(rng, depth - 1);
                let scores = inner.scores.into_keys().map(|key| (key, 0.5)).collect();
                Asked { query: Constant::new(inner.query, 0.5).into(), scores }
            }
            18 => self.best_of(rng, depth),
            _ => self.clauses(rng, depth),
        }
    }

    fn words(&self, rng: &mut Rng) -> Asked {
        let words: BTreeSet<&str> = (0..=rng.below(3)).map(|_| *rng.pick(&WORDS)).collect();
        let text = words.iter().map(|word| word.to_uppercase()).collect::<Vec<_>>().join(", ");
        let (query, required): (Query, usize) = match rng.below(4) {
            0 => (Match::all("body", text).into(), words.len()),
            1 => (Match::new("body", text).minimum_should_match(2).into(), 2.min(words.len())),
            2 => (MoreLike::text(text).fields(["body"]).min_doc_freq(1).into(), 1),
            _ => (Match::new("body", text).into(), 1),
        };
        let scores = self.all(|_, doc| {
            let count = |word: &&str| doc.words.iter().filter(|own| *own == word).count();
            let found: Vec<_> = words.iter().filter(|word| count(word) > 0).collect();
            let score = |word: &&&str| self.bm25(word, count(word) as f64, doc);
            (found.len() >= required).then(|| found.iter().map(score).sum())
        });
        Asked { query, scores }
    }

    /// Documents with the words of another one.
    fn like_another(&self, rng: &mut Rng) -> Asked {
        let with_words: Vec<_> = self.model.iter().filter(|(_, doc)| !doc.words.is_empty()).collect();
        if with_words.is_empty() {
            return self.words(rng);
        }
        let (like, own) = *rng.pick(&with_words);
        let words: BTreeSet<&str> = own.words.iter().copied().collect();
        let scores = self.all(|key, doc| {
            let count = |word: &str| doc.words.iter().filter(|own| **own == word).count();
            let found: Vec<&str> = words.iter().copied().filter(|word| count(word) > 0).collect();
            let score = |word: &&str| self.bm25(word, count(word) as f64, doc);
            (!found.is_empty() && key != like).then(|| found.iter().map(score).sum())
        });
        Asked { query: MoreLike::key(like).fields(["body"]).min_doc_freq(1).into(), scores }
    }

    fn phrase(&self, rng: &mut Rng) -> Asked {
        let words: Vec<&str> = (0..2 + rng.below(2)).map(|_| *rng.pick(&WORDS)).collect();
        let slop = if rng.chance(50) { 0 } else { rng.below(6) as u32 };
        let scores = self.all(|_, doc| {
            let freq = words::occurrences(&words, &doc.words, slop);
            let rarity: f64 = words.iter().map(|word| self.idf(word)).sum();
            (freq > 0.0).then(|| rarity * self.saturated(freq, doc))
        });
        Asked { query: Phrase::new("body", words.join(" ")).slop(slop).into(), scores }
    }

    fn nearest(&self, rng: &mut Rng) -> Asked {
        let (at, k) = ([rng.below(7) as f32, rng.below(7) as f32], 1 + rng.below(8));
        let mut knn = Knn::new("v", at).k(k);
        let (mut own, post) = (None, rng.chance(30));
        if rng.chance(50) {
            let filter = Asker { among: None, ..*self }.one(rng, 0);
            knn = knn.filter(filter.query);
            own = Some(filter.scores);
        }
        if post {
            knn = knn.post_filter();
        }
        let passes = |key: &str| {
            own.as_ref().is_none_or(|own| own.contains_key(key))
                && self.among.is_none_or(|among| among.contains_key(key))
        };
        let mut near: Vec<(f64, &String)> = Vec::new();
        for (key, doc) in self.model.iter().filter(|(key, _)| post || passes(key)) {
            let Some(v) = doc.v else { continue };
            near.push((f64::from((v[0] - at[0]).powi(2) + (v[1] - at[1]).powi(2)), key));
        }
        near.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(right.1)));
        near.truncate(k);
        near.retain(|(_, key)| !post || passes(key));
        let scores = near.into_iter().map(|(distance, key)| (key.clone(), 1.0 / (1.0 + distance))).collect();
        Asked { query: knn.into(), scores }
    }

    fn clauses(&self, rng: &mut Rng, depth: usize) -> Asked {
        let mut query = Bool::new();
        let mut roles: [Vec<Scores>; 4] = Default::default();
        for _ in 0..=rng.below(3) {
            let role = rng.below(4);
            let clause = self.one(rng, depth - 1);
            query = match role {
                0 => query.must(clause.query),
                1 => query.should(clause.query),
                2 => query.must_not(clause.query),
                _ => query.filter(clause.query),
            };
            roles[role].push(clause.scores);
        }
        let [must, should, must_not, filter] = roles;
        let mut required = usize::from(must.is_empty() && filter.is_empty() && !should.is_empty());
        if rng.chance(30) {
            let minimum;
            (minimum, required) = words::minimum(should.len(), rng);
            query = query.minimum_should_match(minimum);
        }
        let scores = self.all(|key, _| {
            let in_all = |sets: &[Scores]| sets.iter().all(|set| set.contains_key(key));
            let matched = should.iter().filter(|set| set.contains_key(key)).count();
            let matches = in_all(&must) && in_all(&filter) && matched >= required;
            let matches = matches && !must_not.iter().any(|set| set.contains_key(key));
            matches.then(|| must.iter().chain(&should).filter_map(|set| set.get(key)).sum())
        });
        Asked { query: query.into(), scores }
    }
}

// ---- the comparison -----------------------------------------------------------------------------------

pub(super) fn near(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-5 * left.abs().max(right.abs()).max(1.0)
}

fn compare(index: &Index, model: &Model, rng: &mut Rng, clean: bool) {
    let searcher = index.searcher().unwrap();
    let plain = Asker { model, among: None };
    let filter = rng.chance(40).then(|| plain.one(rng, 1));
    let asker = Asker { model, among: filter.as_ref().map(|filter| &filter.scores) };
    let asked = asker.one(rng, 2);
    let mut expected = asked.scores.clone();
    let mut search = Search::new(asked.query.clone()).limit(100);
    if let Some(filter) = &filter {
        search = search.filter(filter.query.clone());
        expected.retain(|key, _| filter.scores.contains_key(key));
    }
    let context = || serde_json::to_string(&search).unwrap().to_string();
    let hits = searcher.search(&search).unwrap();
    same_on_threads(&searcher, &search, &hits);
    let found: BTreeSet<&str> = hits.keys().into_iter().collect();
    assert_eq!(found, expected.keys().map(|key| &**key).collect(), "{}", context());
    let in_order = |left: &lucerne::Hit, right: &lucerne::Hit| {
        left.score > right.score || left.score == right.score && left.key < right.key
    };
    assert!(hits.hits.is_sorted_by(in_order), "{}: {hits:?}", context());
    if clean {
        for hit in &hits.hits {
            let expected = expected[&hit.key];
            assert!(near(hit.score.into(), expected), "{}: {hit:?}, expected {expected}", context());
        }
    }
    // Fewer hits, pages and other orders are made of the same ones.
    let all = hits.keys();
    let (offset, limit) = (rng.below(5), 1 + rng.below(5));
    let page = searcher.search(search.clone().limit(limit).offset(offset)).unwrap();
    let skipped: Vec<&str> = all.iter().copied().skip(offset).take(limit).collect();
    same_on_threads(&searcher, &search.clone().limit(limit).offset(offset), &page);
    if !matches!(asked.query, Query::Knn(_)) {
        assert_eq!(page.keys(), skipped, "{}", context());
    }
    let by_n = searcher.search(search.clone().sort(Sort::desc("n"))).unwrap();
    same_on_threads(&searcher, &search.clone().sort(Sort::desc("n")), &by_n);
    let mut order: Vec<&str> = all.clone();
    order.sort_by_key(|key| (std::cmp::Reverse(model[*key].n), key.to_owned()));
    assert_eq!(by_n.keys(), order, "{}", context());
    let by_more = searcher.search(search.clone().sort(Sort::asc("more")).sort(Sort::desc("extra"))).unwrap();
    order.sort_by_key(|key| {
        let doc = &model[*key];
        ((doc.more.is_none(), doc.more), std::cmp::Reverse(doc.extra), key.to_owned())
    });
    assert_eq!(by_more.keys(), order, "{}", context());
    agree(&searcher, &search, &hits, model, rng);
    groups_agree(&searcher, &search, &hits, model, rng);
    groups_agree(&searcher, &search.clone().sort(Sort::desc("n")), &by_n, model, rng);
    values_agree(&searcher, model, rng);
    let at = [3.0, 3.0];
    let reranked =
        searcher.search(search.clone().rerank(Rerank::vector("v", at).window(100).weight(2.0))).unwrap();
    let second = Rerank::vector("v", at).window(100).weight(2.0);
    agree(&searcher, &search.clone().rerank(second.clone()), &reranked, model, rng);
    groups_agree(&searcher, &search.clone().rerank(second), &reranked, model, rng);
    for hit in &reranked.hits {
        let first = f64::from(hits.hits.iter().find(|one| one.key == hit.key).unwrap().score);
        let second = model[&hit.key]
            .v
            .map_or(0.0, |v| 1.0 / (1.0 + f64::from((v[0] - at[0]).powi(2) + (v[1] - at[1]).powi(2))));
        assert!(near(hit.score.into(), first + 2.0 * second), "{}: {hit:?}", context());
    }
    by_functions(&searcher, &search, &hits, model);
    diverse(&searcher, &search, &hits, model, rng);
    late(&searcher, &search, &hits, model, rng);
    assert_eq!(searcher.count(&search).unwrap(), all.len() as u64, "{}", context());
    if let Some(key) = all.first() {
        assert!(searcher.explain(&search, key).unwrap().matches, "{}", context());
    }
    if clean {
        fused::agrees(&searcher, &plain, rng);
    }
}

/// The answer does not depend on the number of threads.
fn same_on_threads(searcher: &lucerne::Searcher, search: &Search, alone: &lucerne::Hits) {
    for threads in [2, 3, 7] {
        let hits = searcher.search_with(search, &SearchOptions::new().threads(threads)).unwrap();
        assert_eq!((&hits.hits, hits.exact), (&alone.hits, alone.exact), "{threads} threads: {search:?}");
    }
}

// ---- the life of an index -----------------------------------------------------------------------------

fn schema(half_precision: bool) -> Schema {
    let vector = if half_precision { Vector::f16(2) } else { Vector::f32(2) };
    let vector = vector.similarity(Similarity::Euclidean);
    let vector = vector.index(VectorIndex::Flat).quantization(Quantization::None);
    let schema = Schema::builder().key("id").text("body").keyword("tags").i64("n").f64("x").bool("flag");
    let schema = schema.date("made").i64("sizes").sparse_vector("s");
    schema.vector("v", vector).field(synonyms::field()).dynamic(true).build().unwrap()
}

fn change(writer: &Writer, model: &mut Model, rng: &mut Rng) {
    let key = format!("k{}", rng.below(30));
    match rng.below(10) {
        0 | 1 => {
            assert_eq!(writer.delete(&key).unwrap(), model.remove(&key).is_some());
        }
        2 if model.contains_key(&key) => {
            let other = Doc::random(rng);
            let fields = Document::new()
                .with("n", other.n.map_or(Value::Null, Value::I64))
                .with("v", other.v.map(|v| Value::Vector(v.to_vec())));
            writer.update(&key, &fields).unwrap();
            let doc = model.get_mut(&key).unwrap();
            (doc.n, doc.v) = (other.n, other.v);
        }
        _ => {
            let doc = Doc::random(rng);
            writer.upsert(&doc.document(&key)).unwrap();
            model.insert(key, doc);
        }
    }
}

struct Announce(u64);

impl Drop for Announce {
    #[expect(clippy::print_stderr, reason = "a test says how to run it again")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to run this again: LUCERNE_SEED={}", self.0);
        }
    }
}

#[test]
fn every_query_finds_what_an_evaluator_of_every_document_finds() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match number("LUCERNE_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("LUCERNE_SEEDS").unwrap_or(60),
    };
    for seed in seeds {
        let _announce = Announce(seed);
        let mut rng = Rng::new(seed);
        let (_, index) = in_memory(schema(rng.chance(50)));
        let policy = if rng.chance(50) { MergePolicy::None } else { MergePolicy::default() };
        let options =
            WriterOptions::new().threads(1).flush_docs(1 + rng.below(12) as u32).merge_policy(policy);
        let writer = index.writer_with(options).unwrap();
        let mut model = Model::new();
        for _ in 0..6 {
            for _ in 0..1 + rng.below(25) {
                change(&writer, &mut model, &mut rng);
            }
            let clean = rng.chance(50);
            match clean {
                true => {
                    writer.wait_for_merges();
                    drop(writer.expunge_deletes(0.0, &lucerne::Cancel::new()).unwrap());
                    writer.commit().unwrap();
                }
                false => writer.refresh().unwrap(),
            }
            for _ in 0..8 {
                compare(&index, &model, &mut rng, clean);
            }
        }
    }
}

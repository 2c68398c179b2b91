//! Scorers and collectors find the same documents as scoring every document does.

use super::*;
use lucerne_codec::postings::{FieldPostings, NO_MORE_DOCS, PostingsFormat, PostingsReader};
use lucerne_codec::testing::Bench;
use lucerne_codec::testing::postings_model::{ModelField, ModelPostings, Random};
use lucerne_codec::{Accept, BitSet, Cancel, DocId};
use lucerne_formats::postings_v1::PostingsV1;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Of searches that are not stopped.
static CANCEL: LazyLock<Cancel> = LazyLock::new(Cancel::new);

const BM25: Bm25 = Bm25 { k1: 1.2, b: 0.75 };

/// Documents by their scores.
type Scores = BTreeMap<DocId, f64>;

struct Corpus {
    model: ModelField,
    max_doc: u32,
    reader: Box<dyn PostingsReader>,
    tokens: u64,
    docs: u64,
    words: Vec<Vec<u8>>,
}

impl Corpus {
    fn new(seed: u64, max_doc: u32, words: u32) -> Self {
        let model = ModelField::random(&mut Random(seed), max_doc, words, true);
        let fields = [(0, model.clone())].into();
        let bench = Bench::new();
        let segment = ModelPostings { max_doc, fields };
        let written = PostingsV1.write(&bench.write(max_doc), &mut segment.source()).unwrap();
        let reader = PostingsV1.open(&bench.open(max_doc, &written)).unwrap();
        let stats = reader.field(0).unwrap().stats();
        let mut by_count: Vec<_> =
            model.terms.iter().map(|(word, docs)| (docs.len(), word.clone())).collect();
        by_count.sort();
        let words = by_count.into_iter().rev().map(|(_, word)| word).collect();
        Self { model, max_doc, reader, tokens: stats.tokens, docs: stats.docs.into(), words }
    }

    fn field(&self) -> &dyn FieldPostings {
        self.reader.field(0).unwrap()
    }

    fn idf(&self, word: &[u8]) -> f32 {
        Bm25::idf(self.model.terms[word].len() as u64, self.docs)
    }

    fn term(&self, word: &[u8], boost: f32) -> TermScorer<'_> {
        let entry = self.field().term(word).unwrap().unwrap();
        let weight = BM25.weight(boost, self.idf(word), self.docs, self.tokens);
        TermScorer::new(self.field(), &entry, weight).unwrap()
    }

    fn boxed(&self, word: &[u8], boost: f32) -> Box<dyn Scorer + '_> {
        Box::new(self.term(word, boost))
    }

    /// The formula, in plain words.
    fn bm25(&self, doc: DocId, freq: f64, idf: f64) -> f64 {
        let average = self.tokens as f64 / self.docs as f64;
        let length = f64::from(self.model.lengths[doc as usize]);
        let (k1, b) = (f64::from(BM25.k1), f64::from(BM25.b));
        idf * freq / (freq + k1 * (1.0 - b + b * length / average))
    }

    fn scores(&self, word: &[u8], boost: f32) -> Scores {
        let docs = &self.model.terms[word];
        let (n, docs_in_all) = (docs.len() as f64, self.docs as f64);
        let idf = (1.0 + (docs_in_all - n + 0.5) / (n + 0.5)).ln() * f64::from(boost);
        docs.iter().map(|(doc, at)| (*doc, self.bm25(*doc, at.len() as f64, idf))).collect()
    }

    /// Frequent and rare words, some twice.
    fn pick(&self, random: &mut Random, count: usize) -> Vec<(Vec<u8>, f32)> {
        let all = self.words.len() as u32;
        let boosts = [1.0, 1.0, 2.5, 0.1];
        (0..count)
            .map(|_| {
                let among = [3, 20, all][random.below(3) as usize].min(all);
                (self.words[random.below(among) as usize].clone(), boosts[random.below(4) as usize])
            })
            .collect()
    }
}

fn sum(parts: &[Scores], required: usize) -> Scores {
    let mut sums = BTreeMap::<DocId, (usize, f64)>::new();
    for (doc, score) in parts.iter().flatten() {
        let sum = sums.entry(*doc).or_default();
        *sum = (sum.0 + 1, sum.1 + score);
    }
    sums.into_iter().filter(|(_, sum)| sum.0 >= required).map(|(doc, sum)| (doc, sum.1)).collect()
}

/// Documents in an order that has nothing to do with their numbers.
fn ties(left: DocId, right: DocId) -> std::cmp::Ordering {
    left.wrapping_mul(2_654_435_761).cmp(&right.wrapping_mul(2_654_435_761))
}

/// Holds what was found against all scores; equal f32 scores must come in the order of ties, and none that
/// ties with the last one may have been left out wrongly.
fn check(all: &[(DocId, f32)], expected: &Scores, accept: &Accept<'_>, k: usize, found: &[(DocId, f32)]) {
    let mut sorted: Vec<_> = all.iter().copied().filter(|(doc, _)| accept.accepts(*doc)).collect();
    assert!(all.iter().map(|(doc, _)| doc).eq(expected.keys()), "the documents that match");
    for (doc, score) in all {
        let truth = expected[doc];
        assert!((f64::from(*score) - truth).abs() <= 1e-5 * truth.abs(), "{doc}: {score}, expected {truth}");
    }
    sorted.sort_by(|left, right| right.1.total_cmp(&left.1).then_with(|| ties(left.0, right.0)));
    sorted.truncate(k);
    assert_eq!(found, sorted);
}

/// Every document of a scorer, with its score; seeks now and then.
fn exhaust(scorer: &mut dyn Scorer) -> Vec<(DocId, f32)> {
    let mut all = Vec::new();
    while scorer.doc() != NO_MORE_DOCS {
        let doc = scorer.doc();
        let bound = scorer.bound(doc).unwrap();
        let score = scorer.score().unwrap();
        assert!(bound.last_doc >= doc && bound.score >= score, "{bound:?} for document {doc}: {score}");
        all.push((doc, score));
        let next = match doc % 3 {
            0 => scorer.seek(doc + 1).unwrap(),
            _ => scorer.advance().unwrap(),
        };
        assert!(next > doc && next == scorer.doc());
        assert_eq!(scorer.seek(doc).unwrap(), next, "never back");
    }
    assert_eq!(scorer.advance().unwrap(), NO_MORE_DOCS);
    all
}

/// Runs `fill` for some `k`, sets of accepted documents and minimum scores, and holds it against `all`.
fn check_collector(
    corpus: &Corpus,
    all: &[(DocId, f32)],
    expected: &Scores,
    fill: &dyn Fn(&mut TopDocsCollector<'_>),
) {
    let mut some = BitSet::full(corpus.max_doc);
    (0..corpus.max_doc).filter(|doc| doc % 4 == 1).for_each(|doc| _ = some.remove(doc));
    let cancel = Cancel::new();
    for accept in [Accept::all(corpus.max_doc), Accept::only(&some)] {
        for k in [0, 1, 3, 10, 100, corpus.max_doc as usize] {
            let mut collector = TopDocsCollector::new(k, accept, &ties, &cancel);
            fill(&mut collector);
            let found = collector.into_sorted();
            check(all, expected, &accept, k, &found);
            // Enough better ones known from elsewhere: only those that are not worse come back.
            let Some(&(_, min_score)) = found.get(found.len() / 2) else { continue };
            let mut collector = TopDocsCollector::new(k, accept, &ties, &cancel).with_min_score(min_score);
            fill(&mut collector);
            let high: Vec<_> = found.into_iter().filter(|found| found.1 >= min_score).collect();
            assert_eq!(collector.into_sorted(), high);
        }
    }
}

fn corpora() -> Vec<Corpus> {
    vec![
        Corpus::new(1, 60, 8),
        Corpus::new(2, 900, 120),
        Corpus::new(3, 3_000, 400),
        Corpus::new(4, 5_000, 12),
    ]
}

#[test]
fn terms_and_clauses_find_the_same_as_scoring_every_document() {
    for corpus in corpora() {
        let mut random = Random(77);
        for round in 0..20 {
            let picked = corpus.pick(&mut random, 1 + round % 5);
            let parts: Vec<Scores> = picked.iter().map(|(word, boost)| corpus.scores(word, *boost)).collect();
            let terms = || picked.iter().map(|(word, boost)| corpus.term(word, *boost)).collect::<Vec<_>>();
            let boxed = || picked.iter().map(|(word, boost)| corpus.boxed(word, *boost)).collect::<Vec<_>>();
            for required in [1, 2.min(picked.len()), picked.len()] {
                let expected = sum(&parts, required);
                let all = exhaust(&mut DisjunctionScorer::new(boxed(), required, &CANCEL).unwrap());
                check_collector(&corpus, &all, &expected, &|collector| {
                    collect_scorer(
                        &mut DisjunctionScorer::new(boxed(), required, &CANCEL).unwrap(),
                        collector,
                    )
                    .unwrap();
                });
                if required == 1 {
                    check_collector(&corpus, &all, &expected, &|collector| {
                        collect_any_term(terms(), collector).unwrap()
                    });
                }
                if required == picked.len() {
                    check_collector(&corpus, &all, &expected, &|collector| {
                        collect_all_terms(terms(), collector).unwrap()
                    });
                    assert_eq!(exhaust(&mut ConjunctionScorer::new(boxed(), &CANCEL).unwrap()), all);
                    check_collector(&corpus, &all, &expected, &|collector| {
                        collect_scorer(&mut ConjunctionScorer::new(boxed(), &CANCEL).unwrap(), collector)
                            .unwrap();
                    });
                }
            }
        }
    }
}

#[test]
fn nested_clauses_find_the_same_as_scoring_every_document() {
    for corpus in corpora() {
        let mut random = Random(5);
        for _ in 0..8 {
            let words = corpus.pick(&mut random, 6);
            let part = |at: usize| corpus.scores(&words[at].0, words[at].1);
            let term = |at: usize| corpus.boxed(&words[at].0, words[at].1);
            let mut set = BitSet::empty(corpus.max_doc);
            (0..corpus.max_doc).filter(|_| random.below(3) == 0).for_each(|doc| _ = set.insert(doc));
            let list: Vec<(DocId, f32)> = set.iter().step_by(2).map(|doc| (doc, (doc % 7) as f32)).collect();
            // (0 and 1) or 2 times 3, preferring 4; not 5. Then a set, a list and a constant.
            let build = || -> Box<dyn Scorer + '_> {
                let both = Box::new(ConjunctionScorer::new(vec![term(0), term(1)], &CANCEL).unwrap());
                let scaled = Box::new(BoostScorer { scorer: term(2), factor: 3.0 });
                let any = Box::new(DisjunctionScorer::new(vec![both, scaled], 1, &CANCEL).unwrap());
                let preferring = Box::new(ReqOptScorer { required: any, optional: term(4) });
                let except = Box::new(ReqExclScorer::new(preferring, term(5), &CANCEL).unwrap());
                let members = Box::new(BitSetScorer::new(&set, 1.5));
                let listed =
                    Box::new(ConstantScorer { scorer: Box::new(ScoredDocsScorer::new(&list)), score: 0.5 });
                let found = Box::new(ScoredDocsScorer::new(&list));
                Box::new(DisjunctionScorer::new(vec![except, members, listed, found], 2, &CANCEL).unwrap())
            };
            let scaled = part(2).into_iter().map(|(doc, score)| (doc, score * 3.0)).collect();
            let mut clause = sum(&[sum(&[part(0), part(1)], 2), scaled], 1);
            let (preferred, without) = (part(4), part(5));
            clause.iter_mut().for_each(|(doc, score)| *score += preferred.get(doc).unwrap_or(&0.0));
            clause.retain(|doc, _| !without.contains_key(doc));
            let members = set.iter().map(|doc| (doc, 1.5)).collect();
            let listed = list.iter().map(|(doc, _)| (*doc, 0.5)).collect();
            let found = list.iter().map(|(doc, score)| (*doc, f64::from(*score))).collect();
            let expected = sum(&[clause, members, listed, found], 2);
            let all = exhaust(&mut *build());
            check_collector(&corpus, &all, &expected, &|collector| {
                collect_scorer(&mut *build(), collector).unwrap()
            });
        }
    }
}

#[test]
fn phrases_match_where_the_terms_are() {
    let mut found = [0usize; 2];
    for corpus in corpora() {
        let mut random = Random(9);
        for round in 0..40 {
            let (count, slop) = (1 + round % 3, [0, 0, 1, 4][round % 4]);
            let frequent = corpus.words.len().min(6) as u32;
            let words: Vec<(Vec<u8>, u32)> = (0..count as u32)
                .map(|at| (corpus.words[random.below(frequent) as usize].clone(), at + random.below(2)))
                .collect();
            let idf: f32 = words.iter().map(|(word, _)| corpus.idf(word)).sum();
            let weight = BM25.weight(1.0, idf, corpus.docs, corpus.tokens);
            let entries: Vec<_> = words
                .iter()
                .map(|(word, place)| (corpus.field().term(word).unwrap().unwrap(), *place))
                .collect();
            let phrase = || PhraseScorer::new(corpus.field(), &entries, slop, weight, &CANCEL).unwrap();
            let all = exhaust(&mut phrase());
            let mut expected = Scores::new();
            for doc in 0..corpus.max_doc {
                let at = |word: &[u8]| {
                    let docs = &corpus.model.terms[word];
                    let index = docs.binary_search_by_key(&doc, |found| found.0).ok()?;
                    Some(&docs[index].1)
                };
                let Some(lists) = words.iter().map(|(word, _)| at(word)).collect::<Option<Vec<_>>>() else {
                    continue;
                };
                let freq = match slop {
                    0 => exact(&words, &lists),
                    slop if close(&words, &lists, slop) => {
                        // Which stretches count is the scorer's own business.
                        let own =
                            all.iter().find(|found| found.0 == doc).expect("a document with the phrase");
                        expected.insert(doc, f64::from(own.1));
                        continue;
                    }
                    _ => 0,
                };
                if freq > 0 {
                    expected.insert(doc, corpus.bm25(doc, freq as f64, idf.into()));
                }
            }
            found[usize::from(slop > 0)] += expected.len();
            check_collector(&corpus, &all, &expected, &|collector| {
                collect_scorer(&mut phrase(), collector).unwrap()
            });
        }
    }
    assert!(found.iter().all(|&count| count > 300), "{found:?}");
}

fn exact(words: &[(Vec<u8>, u32)], lists: &[&Vec<u32>]) -> usize {
    let starts = lists[0].iter().map(|&at| i64::from(at) - i64::from(words[0].1));
    let all = |start: &i64| {
        words
            .iter()
            .zip(lists)
            .all(|((_, place), list)| list.iter().any(|&at| i64::from(at) - i64::from(*place) == *start))
    };
    starts.filter(all).count()
}

/// Whether one can choose an occurrence for each word, no two the same, not too far apart.
fn close(words: &[(Vec<u8>, u32)], lists: &[&Vec<u32>], slop: u32) -> bool {
    fn choose(words: &[(Vec<u8>, u32)], lists: &[&Vec<u32>], slop: i64, chosen: &mut Vec<u32>) -> bool {
        let n = chosen.len();
        if n == words.len() {
            return true;
        }
        lists[n].iter().any(|&at| {
            let own = i64::from(at) - i64::from(words[n].1);
            let fits = (0..n).all(|other| {
                let apart = (i64::from(chosen[other]) - i64::from(words[other].1) - own).abs() <= slop;
                apart && (words[other].0 != words[n].0 || chosen[other] != at)
            });
            if !fits {
                return false;
            }
            chosen.push(at);
            let whole = choose(words, lists, slop, chosen);
            chosen.pop();
            whole
        })
    }
    choose(words, lists, slop.into(), &mut Vec::new())
}

#[test]
fn a_cancelled_search_stops() {
    let corpus = Corpus::new(8, 9_000, 4);
    let cancel = Cancel::new();
    cancel.cancel();
    let mut collector = TopDocsCollector::new(9_000, Accept::all(9_000), &ties, &cancel);
    let words: Vec<_> = corpus.words.iter().map(|word| corpus.term(word, 1.0)).collect();
    let boxed: Vec<_> = corpus.words.iter().map(|word| corpus.boxed(word, 1.0)).collect();
    let stopped = [
        collect_all_terms(vec![corpus.term(&corpus.words[0], 1.0)], &mut collector),
        collect_scorer(&mut DisjunctionScorer::new(boxed, 1, &CANCEL).unwrap(), &mut collector),
        collect_any_term(words, &mut collector),
    ];
    assert!(
        stopped.iter().any(|result| matches!(result, Err(lucerne_codec::Error::Cancelled))),
        "{stopped:?}"
    );
}

#[test]
fn no_document_that_may_compete_is_passed_over_for_its_length() {
    for (k1, b) in [(1.2, 0.75), (0.0, 0.5), (2.0, 1.0), (1.2, 0.0)] {
        let weight = Bm25 { k1, b }.weight(1.7, 2.3, 1_000, 40_000);
        let scores = |length: u32| (1..=20u32).map(move |freq| (freq, weight.score(freq as f32, length)));
        for least in (0..400).step_by(7).flat_map(scores).map(|(_, score)| score) {
            let limits = weight.length_limits(least.into());
            for length in (0..400).step_by(11) {
                for (freq, score) in scores(length) {
                    assert!(score < least || limits.may_reach(freq, length), "{freq} of {length}: {score}");
                }
            }
        }
        assert!(weight.length_limits(0.0).may_reach(1, u32::MAX));
    }
}

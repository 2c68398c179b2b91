//! Relevance sets: which passages are right for a query, and how well rankings find them.
//!
//! The file is that of `FlagEmbedding`'s training and evaluation data: a JSON object per line with `query`, `pos` (a
//! list of passages that are right) and `neg` (passages that are wrong); other names are left alone. A passage is
//! the key of a document, or the value of a stored text or keyword field.
//!
//! # Measures, of the first k of a ranking
//! Relevance is yes or no. A passage that several documents have is found with the first of them.
//! - **recall**: share of the query's passages that are found.
//! - **MRR**: 1/r, where r is the rank of the first passage found; 0 when none is.
//! - **nDCG**: Σ 1/log₂(1 + r) over the ranks of passages found, divided by what the best ranking has (Järvelin and
//!   Kekäläinen, 2002).
//! - **negatives**: share of the k places that are taken by passages known to be wrong.

use crate::error::{Error, Result};
use crate::search::Searcher;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};

/// A line of the file.
#[derive(Clone, Debug, Deserialize)]
struct Line {
    query: String,
    pos: Vec<String>,
    #[serde(default)]
    neg: Vec<String>,
}

/// Queries with passages that are right for them, and passages that are not.
///
/// ```
/// use lucerne::admin::RelevanceSet;
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::{Document, Schema};
/// use std::sync::Arc;
///
/// let schema = Schema::builder().key("id").build()?;
/// let index = IndexBuilder::new().create(Arc::new(RamDirectory::new()), schema)?;
/// let writer = index.writer()?;
/// writer.add_batch(&["a", "b", "c"].map(|key| Document::new().with("id", key)))?;
/// writer.commit()?;
///
/// let set = RelevanceSet::from_jsonl(r#"{"query": "first letters", "pos": ["a", "b"], "neg": ["c"]}"#)?;
/// let ranking = vec!["b".to_owned(), "c".to_owned()];
/// let measures = set.judgements(&index.searcher()?, None)?.measure(&[ranking], 2);
/// assert_eq!((measures.recall, measures.mrr, measures.negatives), (0.5, 1.0, 0.5));
/// # Ok::<(), lucerne::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RelevanceSet {
    /// With the number of each line.
    lines: Vec<(usize, Line)>,
}

/// The keys of the documents that have a passage.
type Passage = BTreeSet<String>;

/// A query whose passages are known by the keys of their documents.
#[derive(Clone, Debug)]
struct Judged {
    right: Vec<Passage>,
    wrong: Vec<Passage>,
}

/// A relevance set and the documents of an index.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Judgements {
    /// `None` for a query none of whose right passages is in the index.
    queries: Vec<Option<Judged>>,
    /// Passages of right ones that no document has.
    pub unmatched_right: Vec<Unmatched>,
    /// Passages of wrong ones that no document has.
    pub unmatched_wrong: Vec<Unmatched>,
    /// Passages that some document has, right and wrong, over all queries.
    pub matched: usize,
}

/// A passage that no document has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unmatched {
    /// The line of the file, from 1.
    pub line: usize,
    /// The passage.
    pub passage: String,
}

/// Means over the queries that were measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Measures {
    /// Queries measured: those with a right passage in the index.
    pub queries: usize,
    /// How much of each ranking was looked at.
    pub k: usize,
    /// Share of the right passages that was found.
    pub recall: f64,
    /// Mean reciprocal rank of the first right passage.
    pub mrr: f64,
    /// Normalized discounted cumulative gain.
    pub ndcg: f64,
    /// Share of places taken by passages known to be wrong.
    pub negatives: f64,
}

impl RelevanceSet {
    /// Reads JSON lines; empty lines are skipped.
    ///
    /// # Errors
    /// Names the first line that is not an object with `query`, `pos` and perhaps `neg`, or that has no `pos`.
    pub fn from_jsonl(text: &str) -> Result<Self> {
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let refuse = |problem: String| Error::WrongQuery {
                field: None,
                problem: format!("relevance set, line {number}: {problem}"),
            };
            let line: Line = serde_json::from_str(line).map_err(|error| refuse(error.to_string()))?;
            if line.pos.is_empty() {
                return Err(refuse("\"pos\" is empty, expected at least one passage".to_owned()));
            }
            lines.push((number, line));
        }
        Ok(Self { lines })
    }

    /// The queries, in the order of their lines.
    pub fn queries(&self) -> impl ExactSizeIterator<Item = &str> {
        self.lines.iter().map(|(_, line)| line.query.as_str())
    }

    /// Finds the documents of all passages: by key, or by the exact value of the stored field `field`, for which
    /// every document is read.
    ///
    /// # Errors
    /// When there is no such field, it is not stored, or a file is damaged.
    pub fn judgements(&self, searcher: &Searcher, field: Option<&str>) -> Result<Judgements> {
        let lines = self.lines.iter().map(|(_, line)| line);
        let passages: HashSet<&str> =
            lines.flat_map(|line| line.pos.iter().chain(&line.neg)).map(String::as_str).collect();
        let documents = match field {
            Some(field) => documents_by_value(searcher, field, &passages)?,
            None => documents_by_key(searcher, &passages)?,
        };
        let (mut right_missing, mut wrong_missing, mut matched) = (Vec::new(), Vec::new(), 0);
        let mut find = |line: usize, passages: &[String], missing: &mut Vec<Unmatched>| -> Vec<Passage> {
            let mut found = Vec::new();
            for passage in passages {
                match documents.get(passage.as_str()) {
                    Some(keys) => found.push(keys.clone()),
                    None => missing.push(Unmatched { line, passage: passage.clone() }),
                }
            }
            matched += found.len();
            found
        };
        let queries = self.lines.iter().map(|(number, line)| {
            let right = find(*number, &line.pos, &mut right_missing);
            let wrong = find(*number, &line.neg, &mut wrong_missing);
            (!right.is_empty()).then_some(Judged { right, wrong })
        });
        let queries = queries.collect();
        Ok(Judgements { queries, unmatched_right: right_missing, unmatched_wrong: wrong_missing, matched })
    }
}

impl Judgements {
    /// Queries none of whose right passages is in the index: they are not measured.
    pub fn unanswerable(&self) -> usize {
        self.queries.iter().filter(|query| query.is_none()).count()
    }

    /// Measures rankings: keys, best first, a ranking for each query of the set. Fewer rankings measure fewer
    /// queries.
    pub fn measure<T: AsRef<[String]>>(&self, rankings: &[T], k: usize) -> Measures {
        let mut sum = Measures { k, ..Measures::default() };
        for (query, ranking) in self.queries.iter().zip(rankings) {
            let Some(query) = query else { continue };
            let ranking = ranking.as_ref();
            let ranking = ranking.get(..k).unwrap_or(ranking);
            let ranks = ranks(ranking, &query.right);
            let gain = |rank: usize| 1.0 / (rank as f64 + 1.0).log2();
            let best: f64 = (1..=query.right.len().min(k)).map(gain).sum();
            sum.queries += 1;
            sum.recall += ranks.len() as f64 / query.right.len() as f64;
            sum.mrr += ranks.first().map_or(0.0, |&rank| 1.0 / rank as f64);
            sum.ndcg += ranks.iter().map(|&rank| gain(rank)).sum::<f64>() / best;
            sum.negatives += self::ranks(ranking, &query.wrong).len() as f64 / k.max(1) as f64;
        }
        let count = sum.queries.max(1) as f64;
        for measure in [&mut sum.recall, &mut sum.mrr, &mut sum.ndcg, &mut sum.negatives] {
            *measure /= count;
        }
        sum
    }
}

/// Ranks, from 1, of the first document of each passage that the ranking has.
fn ranks(ranking: &[String], passages: &[Passage]) -> Vec<usize> {
    let rank = |passage: &Passage| Some(ranking.iter().position(|key| passage.contains(key))? + 1);
    let mut ranks: Vec<usize> = passages.iter().filter_map(rank).collect();
    ranks.sort_unstable();
    // One document has one passage, even if it is given twice.
    ranks.dedup();
    ranks
}

fn documents_by_key<'a>(
    searcher: &Searcher,
    passages: &HashSet<&'a str>,
) -> Result<HashMap<&'a str, Passage>> {
    let mut found = HashMap::new();
    for &passage in passages {
        if searcher.get(passage)?.is_some() {
            found.insert(passage, Passage::from([passage.to_owned()]));
        }
    }
    Ok(found)
}

fn documents_by_value<'a>(
    searcher: &Searcher,
    field: &str,
    passages: &HashSet<&'a str>,
) -> Result<HashMap<&'a str, Passage>> {
    searcher.check_returnable(field)?;
    let wanted = [field.to_owned()];
    let mut found: HashMap<&str, Passage> = HashMap::new();
    for segment in &searcher.snapshot().segments {
        for doc in (0..segment.reader.max_doc()).filter(|&doc| segment.is_live(doc)) {
            let fields = searcher.fields(segment, doc, &wanted)?;
            let values = match fields.get(field) {
                Some(Value::Array(values)) => values.as_slice(),
                Some(value) => std::slice::from_ref(value),
                None => &[],
            };
            for text in values.iter().filter_map(Value::as_str) {
                if let Some(&passage) = passages.get(text) {
                    found.entry(passage).or_default().insert(segment.reader.keys().key(doc)?.to_owned());
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judgements(queries: &[(&[&str], &[&str])]) -> Judgements {
        let passages = |keys: &[&str]| keys.iter().map(|key| Passage::from([(*key).to_owned()])).collect();
        let judged = |(right, wrong): &(&[&str], &[&str])| {
            (!right.is_empty()).then(|| Judged { right: passages(right), wrong: passages(wrong) })
        };
        let queries = queries.iter().map(judged).collect();
        Judgements { queries, unmatched_right: Vec::new(), unmatched_wrong: Vec::new(), matched: 0 }
    }

    fn rankings(rankings: &[&str]) -> Vec<Vec<String>> {
        rankings.iter().map(|ranking| ranking.chars().map(String::from).collect()).collect()
    }

    #[test]
    fn measures_are_those_of_the_definitions() {
        let judged = judgements(&[(&["a", "b"], &["x"]), (&["c"], &[]), (&[], &["y"])]);
        let found = judged.measure(&rankings(&["xbza", "zzz", "c"]), 4);
        assert_eq!((found.queries, found.recall, found.mrr, judged.unanswerable()), (2, 0.5, 0.25, 1));
        let best = 1.0 + 1.0 / 3f64.log2();
        let gained = 1.0 / 3f64.log2() + 1.0 / 5f64.log2();
        assert!((found.ndcg - gained / best / 2.0).abs() < 1e-12);
        assert_eq!(found.negatives, 0.125);
        let first = judged.measure(&rankings(&["ax", "c"]), 1);
        assert_eq!((first.recall, first.mrr, first.ndcg), (0.75, 1.0, 1.0));
    }
}

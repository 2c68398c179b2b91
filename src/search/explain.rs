//! Why a document was found, with this score, at this place; or why it was not.

use super::node::{Node, Word};
use super::rank::{Ranked, accepted, first_pass};
use super::resolve::Resolver;
use super::searcher::Searcher;
use super::{knn, rerank, score};
use crate::error::Result;
use crate::limits::MAX_K;
use crate::query::{Fuse, Knn, Query, Search};
use lucerne_codec::DocId;
use serde::Serialize;
use std::fmt;

/// Why a document matches with a score, or does not match.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// Whether the document matches here.
    pub matches: bool,
    /// The score here; 0 when it does not match.
    pub score: f32,
    /// What was asked and what was found.
    pub description: String,
    /// How it came about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Explanation>,
}

impl Explanation {
    fn new(matches: bool, score: f32, description: impl Into<String>) -> Self {
        let score = if matches { score } else { 0.0 };
        Self { matches, score, description: description.into(), details: Vec::new() }
    }

    fn no(description: impl Into<String>) -> Self {
        Self::new(false, 0.0, description)
    }

    fn with(mut self, details: Vec<Explanation>) -> Self {
        self.details = details;
        self
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let mark = if self.matches { format!("{:.6}", self.score) } else { "no match".to_owned() };
        writeln!(f, "{:indent$}{mark}  {}", "", self.description, indent = depth * 2)?;
        self.details.iter().try_for_each(|detail| detail.write(f, depth + 1))
    }
}

/// A tree, one line each, indented.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

/// A document of a snapshot.
#[derive(Clone, Copy)]
struct Place {
    segment: usize,
    doc: DocId,
}

impl Searcher {
    /// Why the document of that key is or is not among the hits of a search: filtered out, deleted, without a
    /// vector, beyond the candidates, lost by quantization, or at which rank.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub fn explain(&self, search: impl Into<Search>, key: &str) -> Result<Explanation> {
        let search = search.into();
        let all = Search {
            offset: 0,
            limit: MAX_K,
            fields: None,
            score_as: None,
            explain: false,
            ..search.clone()
        };
        let hits = self.search(all)?.hits;
        let found = hits.iter().enumerate().find(|(_, hit)| hit.key == key);
        let Some((segment, doc)) = self.find(key)? else {
            return Ok(Explanation::no(format!(
                "no live document has the key {key:?}: deleted, or never added"
            )));
        };
        let place = Place { segment, doc };
        let details = self.parts(&search, place)?;
        let on_page = |rank: usize| rank >= search.offset && rank - search.offset < search.limit;
        let explained = match found {
            None => Explanation::no(format!("document {key:?} is not found")),
            Some((rank, found)) => {
                let of = match on_page(rank) {
                    true => "a hit",
                    false => "found, but not on this page",
                };
                let description = format!(
                    "document {key:?} is {of}: rank {} (offset {}, limit {})",
                    rank + 1,
                    search.offset,
                    search.limit
                );
                Explanation::new(true, found.score, description)
            }
        };
        Ok(explained.with(details))
    }

    /// Explains a hit.
    pub(super) fn explain_ranked(&self, search: &Search, one: &Ranked) -> Result<Explanation> {
        let details = self.parts(search, Place { segment: one.segment, doc: one.doc })?;
        Ok(Explanation::new(true, one.score, "score").with(details))
    }

    fn parts(&self, search: &Search, place: Place) -> Result<Vec<Explanation>> {
        let filter = self.filter(search)?;
        let resolver = self.resolver(filter.as_ref());
        let mut parts = vec![explain(&resolver, &search.query, place)?];
        if let Some(filter) = &search.filter {
            let part = explain(&self.resolver(None), filter, place)?;
            let outcome = if part.matches { "passes the filter" } else { "filtered out" };
            parts.push(Explanation::new(part.matches, 0.0, outcome).with(vec![part]));
        }
        if let Some(second) = &search.rerank {
            let one = Ranked { segment: place.segment, doc: place.doc, score: 0.0, nearest: None };
            let score = rerank::second_score(&resolver, second, one)?;
            let (window, weight) = (second.window, second.weight);
            let of = format!("reranked, when among the best {window}: {weight} × second score {score}");
            parts.push(Explanation::new(true, weight * score, of));
        }
        if let Some(least) = search.min_score {
            parts.push(Explanation::new(true, 0.0, format!("only scores of at least {least}")));
        }
        Ok(parts)
    }
}

fn explain(resolver: &Resolver<'_>, query: &Query, place: Place) -> Result<Explanation> {
    let all = |queries: &[Query], role: &str| {
        let details = queries.iter().map(|query| {
            let mut detail = explain(resolver, query, place)?;
            detail.description = format!("{role}: {}", detail.description);
            Ok(detail)
        });
        details.collect::<Result<Vec<_>>>()
    };
    match query {
        Query::Knn(query) => neighbor(resolver, query, place),
        Query::Fuse(query) => fusion(resolver, query, place),
        Query::Bool(clauses) => {
            let mut details = all(&clauses.must, "must")?;
            details.extend(all(&clauses.should, "should")?);
            details.extend(all(&clauses.filter, "filter")?);
            details.extend(all(&clauses.must_not, "must not")?);
            Ok(leaf(resolver, query, "bool", place)?.with(details))
        }
        Query::Boost(boost) => {
            let detail = explain(resolver, &boost.query, place)?;
            Ok(leaf(resolver, query, &format!("times {}", boost.boost), place)?.with(vec![detail]))
        }
        Query::Constant(constant) => {
            let detail = explain(resolver, &constant.query, place)?;
            Ok(leaf(resolver, query, "constant", place)?.with(vec![detail]))
        }
        query => {
            let name = serde_json::to_string(query).unwrap_or_default();
            let mut explained = leaf(resolver, query, &name, place)?;
            if let Node::Words { words, .. } = resolver.resolve(query)? {
                let details = words.iter().map(|word| of_word(resolver, word, place));
                explained.details = details.collect::<Result<_>>()?;
            }
            Ok(explained)
        }
    }
}

/// Whether a query matches, and its score.
fn leaf(resolver: &Resolver<'_>, query: &Query, name: &str, place: Place) -> Result<Explanation> {
    let node = resolver.resolve(query)?;
    let segment = resolver.snapshot.segments.get(place.segment);
    let Some(segment) = segment else { return Ok(Explanation::no(name)) };
    let matches = super::filter::matching(&node, place.segment, segment)?.contains(place.doc);
    let score = match matches {
        true => {
            score::of_segment(&node, place.segment, segment, &[place.doc])?.first().copied().unwrap_or(0.0)
        }
        false => 0.0,
    };
    Ok(Explanation::new(matches, score, name))
}

fn of_word(resolver: &Resolver<'_>, word: &Word, place: Place) -> Result<Explanation> {
    let term = String::from_utf8_lossy(&word.term);
    let Some(segment) = resolver.snapshot.segments.get(place.segment) else {
        return Ok(Explanation::default());
    };
    let Some((freq, length)) = score::occurrences(word, segment, place.doc)? else {
        let description = format!("{term:?} is not in it ({} documents have it)", word.doc_freq);
        return Ok(Explanation::no(description));
    };
    let node = Node::Words { words: vec![word.clone()], required: 1 };
    let score = score::of_segment(&node, place.segment, segment, &[place.doc])?;
    let average = word.totals.tokens as f64 / word.totals.docs.max(1) as f64;
    let description = format!(
        "{term:?} by BM25: {freq} times among {length} tokens (average {average:.1}), in {} of {} documents, weight {}",
        word.doc_freq, word.totals.docs, word.weight
    );
    Ok(Explanation::new(true, score.first().copied().unwrap_or(0.0), description))
}

fn fusion(resolver: &Resolver<'_>, query: &Fuse, place: Place) -> Result<Explanation> {
    let mut details = Vec::new();
    for ranking in &query.queries {
        let ranked = first_pass(resolver, &ranking.query, query.window)?.ranked;
        let rank = ranked
            .iter()
            .take(query.window)
            .position(|one| one.segment == place.segment && one.doc == place.doc);
        let part = explain(resolver, &ranking.query, place)?;
        let outcome = match rank {
            Some(rank) => format!("rank {} of this ranking, weight {}", rank + 1, ranking.weight),
            None => format!("not among the {} best of this ranking", query.window),
        };
        details.push(Explanation::new(rank.is_some(), part.score, outcome).with(vec![part]));
    }
    let fused = super::fuse::fuse(resolver, query)?.ranked;
    let own = fused.iter().find(|one| one.segment == place.segment && one.doc == place.doc);
    let description = "fused rankings";
    Ok(Explanation::new(own.is_some(), own.map_or(0.0, |one| one.score), description).with(details))
}

/// Why a document is or is not among the nearest.
fn neighbor(resolver: &Resolver<'_>, query: &Knn, place: Place) -> Result<Explanation> {
    let schema = &resolver.snapshot.schema;
    let field = schema.vector_field_named(&query.field)?;
    let row = crate::document::check_query(field, &query.vector)?;
    let name = format!("kNN on {:?}, k {}", query.field, query.k);
    let here = |ranked: &[Ranked]| {
        ranked.iter().position(|one| one.segment == place.segment && one.doc == place.doc)
    };
    let Some(exact) = knn::nearest_of(resolver.snapshot, field.number(), &row, place.segment, place.doc)?
    else {
        return Ok(Explanation::no(format!("{name}: the document has no vector in this field")));
    };
    for filter in [query.filter.as_deref().map(|filter| (filter, "its own filter"))].into_iter().flatten() {
        let detail = explain(&Resolver { filter: None, ..*resolver }, filter.0, place)?;
        if !detail.matches {
            return Ok(Explanation::no(format!("{name}: filtered out by {}", filter.1)).with(vec![detail]));
        }
    }
    if let (Some(filter), Some(segment)) = (resolver.filter, resolver.snapshot.segments.get(place.segment))
        && !accepted(&[filter], place.segment, segment)?.is_some_and(|docs| docs.contains(place.doc))
    {
        return Ok(Explanation::no(format!("{name}: filtered out by the search's filter")));
    }
    let score = field.info().similarity.score(exact.distance);
    let result = knn::search(resolver, query)?;
    let ways = result.segments.iter().map(|segment| {
        let way = format!(
            "segment {}: {}, {} distances, {} documents accepted",
            segment.segment, segment.strategy, segment.visited, segment.accepted
        );
        Explanation::new(true, 0.0, way)
    });
    let ways: Vec<_> = ways.collect();
    let ranked = result.ranked();
    let exactly = format!("exact distance {}", exact.distance);
    if let Some(rank) = here(&ranked) {
        let found = ranked.get(rank).map_or(score, |one| one.score);
        let description = format!("{name}: rank {} of the neighbours found; {exactly}", rank + 1);
        return Ok(Explanation::new(true, found, description).with(ways));
    }
    let oracle = Knn { exact: true, k: MAX_K, min_score: None, ..query.clone() };
    let truth = here(&knn::search(resolver, &oracle)?.ranked());
    let at = truth.map_or(format!("beyond {MAX_K}"), |rank| (rank + 1).to_string());
    let wide =
        Knn { k: query.effective_candidates().min(MAX_K), rescore: None, min_score: None, ..query.clone() };
    let candidate = here(&knn::search(resolver, &wide)?.ranked());
    let why = if truth.is_none_or(|rank| rank >= query.k) {
        "beyond k".to_owned()
    } else if query.min_score.is_some_and(|least| score < least) {
        "below min_score".to_owned()
    } else if let Some(rank) = candidate {
        format!("lost by quantization: its estimated distance puts it at rank {}; rescore finds it", rank + 1)
    } else {
        "not among the candidates; more candidates, or exact, find it".to_owned()
    };
    Ok(Explanation::no(format!("{name}: {why}; {exactly}, exact rank {at}")).with(ways))
}

//! Explains why a document was found with its score, or why it was not found.

use super::explanation::Explanation;
use super::matching::{accepted, matching};
use super::node::{Node, Word};
use super::ranking::DocAddress;
use super::resolve::Resolver;
use super::scorers::finite_score;
use super::{effort, fuse, knn, rerank, score, sparse, terms};
use crate::error::Result;
use crate::limits::{MAX_CANDIDATES, MAX_K};
use crate::query::{Combine, Fuse, Knn, Query, Rerank, RerankBy, Search};

/// The parts of a search that decide about a document: its query, filter, reranking and minimum score.
pub(super) fn parts(
    resolver: &Resolver<'_>,
    search: &Search,
    address: DocAddress,
) -> Result<Vec<Explanation>> {
    let resolver = &resolver.whole();
    let mut parts = vec![explain(resolver, &search.query, address)?];
    if let Some(filter) = &search.filter {
        let part = explain(&resolver.unfiltered(), filter, address)?;
        let outcome = if part.matches { "passes the filter" } else { "filtered out" };
        parts.push(Explanation::new(part.matches, 0.0, outcome).with(vec![part]));
    }
    if let Some(Rerank { by: RerankBy::Mmr { field, lambda }, window, .. }) = &search.rerank {
        let description = format!(
            "reordered, when among the best {window}: the score of the hit, which decides the order, is not a sum but {lambda} × \
             relevance (the score by the query, as a part of the best one) − {} × the largest similarity in {field:?} to a \
             hit before it",
            1.0 - lambda
        );
        parts.push(Explanation::new(true, 0.0, description));
    } else if let Some(rerank) = &search.rerank {
        let score = rerank::second_score(resolver, rerank, address)?;
        let (window, weight) = (rerank.window, rerank.weight);
        let by = match rerank.combine {
            Combine::Add => "",
            Combine::Multiply => "multiplied by ",
            Combine::Replace => "replaced by ",
        };
        let description =
            format!("reranked, when among the best {window}: {by}{weight} × second score {score}");
        let score = finite_score(f64::from(weight) * f64::from(score));
        parts.push(Explanation::new(true, score, description));
    }
    if let Some(least) = search.min_score {
        parts.push(Explanation::new(true, 0.0, format!("only scores of at least {least}")));
    }
    Ok(parts)
}

fn explain(resolver: &Resolver<'_>, query: &Query, address: DocAddress) -> Result<Explanation> {
    match query {
        Query::Knn(query) => knn_query(resolver, query, address),
        Query::Fuse(query) => fusion(resolver, query, address),
        Query::Sparse(vector) => {
            let resolved = resolver.resolve(query)?;
            let name = format!("inner product with {:?}", vector.field);
            let details = sparse::details(resolver, &resolved, address)?;
            Ok(node(resolver, &resolved, &name, address)?.with(details))
        }
        Query::Bool(clauses) => {
            let mut details = clauses_of(resolver, &clauses.must, "must", address)?;
            details.extend(clauses_of(resolver, &clauses.should, "should", address)?);
            details.extend(clauses_of(resolver, &clauses.filter, "filter", address)?);
            details.extend(clauses_of(resolver, &clauses.must_not, "must not", address)?);
            Ok(node(resolver, &resolver.resolve(query)?, "bool", address)?.with(details))
        }
        Query::MultiMatch(words) => {
            let mut explained = explain(resolver, &words.by_field(), address)?;
            explained.description = format!("{:?} in several fields: {}", words.text, explained.description);
            Ok(explained)
        }
        Query::DisMax(best) => {
            let details = clauses_of(resolver, &best.queries, "one of", address)?;
            let name = format!("the best of these, and {} times the others", best.tie_breaker);
            Ok(node(resolver, &resolver.resolve(query)?, &name, address)?.with(details))
        }
        Query::Boost(boost) => {
            let detail = explain(resolver, &boost.query, address)?;
            let name = format!("times {}", boost.boost);
            Ok(node(resolver, &resolver.resolve(query)?, &name, address)?.with(vec![detail]))
        }
        Query::Constant(constant) => {
            let detail = explain(resolver, &constant.query, address)?;
            Ok(node(resolver, &resolver.resolve(query)?, "constant", address)?.with(vec![detail]))
        }
        query => {
            let name = serde_json::to_string(query).unwrap_or_default();
            let resolved = resolver.resolve(query)?;
            let mut explained = node(resolver, &resolved, &name, address)?;
            let details = words_of(&resolved).into_iter().map(|words| match words {
                [word] => term(resolver, word, address),
                words => synonyms(resolver, words, address),
            });
            explained.details = details.collect::<Result<_>>()?;
            // Of many words that one may stand for, those that it has.
            if explained.matches && explained.details.len() > FEW_WORDS {
                explained.details.retain(|detail| detail.matches);
            }
            Ok(explained)
        }
    }
}

/// Words that are all explained, whether a document has them or not.
const FEW_WORDS: usize = 8;

/// The words that a query of words consists of, those together that are scored as one.
fn words_of(node: &Node) -> Vec<&[Word]> {
    match node {
        Node::Words { words, .. } => words.chunks(1).collect(),
        Node::Synonyms(words) => vec![words],
        Node::Bool(clauses) => clauses.must.iter().chain(&clauses.should).flat_map(words_of).collect(),
        Node::DisMax(nodes, _) => nodes.iter().flat_map(words_of).collect(),
        _ => Vec::new(),
    }
}

fn clauses_of(
    resolver: &Resolver<'_>,
    queries: &[Query],
    role: &str,
    address: DocAddress,
) -> Result<Vec<Explanation>> {
    let details = queries.iter().map(|query| {
        let mut detail = explain(resolver, query, address)?;
        detail.description = format!("{role}: {}", detail.description);
        Ok(detail)
    });
    details.collect()
}

/// Whether a resolved query matches, and its score.
fn node(resolver: &Resolver<'_>, node: &Node, name: &str, address: DocAddress) -> Result<Explanation> {
    let DocAddress { segment, doc } = address;
    let Some(part) = resolver.part(segment) else { return Ok(Explanation::no_match(name)) };
    if matches!(node, Node::NoTerms) {
        return Ok(Explanation::no_match(format!("{name}: no terms, passed over")));
    }
    if !matching(node, part)?.contains(doc) {
        return Ok(Explanation::no_match(name));
    }
    let score = score::of_segment(node, part, &[doc])?.first().copied();
    Ok(Explanation::new(true, score.unwrap_or(0.0), name))
}

/// The BM25 score of one term.
fn term(resolver: &Resolver<'_>, word: &Word, address: DocAddress) -> Result<Explanation> {
    let term = String::from_utf8_lossy(&word.term);
    let Some(part) = resolver.part(address.segment) else { return Ok(Explanation::default()) };
    let Some(found) = terms::occurrences(word, part, address.doc)? else {
        let description = format!("{term:?} is not in it ({} documents have it)", word.doc_freq);
        return Ok(Explanation::no_match(description));
    };
    let node = Node::Words { words: vec![word.clone()], required: 1 };
    let score = score::of_segment(&node, part, &[address.doc])?;
    let average = word.totals.tokens as f64 / word.totals.docs.max(1) as f64;
    let description = format!(
        "{term:?} by BM25: {} times among {} tokens (average {average:.1}), in {} of {} documents, weight {}",
        found.freq, found.length, word.doc_freq, word.totals.docs, word.weight
    );
    Ok(Explanation::new(true, score.first().copied().unwrap_or(0.0), description))
}

/// The BM25 score of words that are scored as one.
fn synonyms(resolver: &Resolver<'_>, words: &[Word], address: DocAddress) -> Result<Explanation> {
    let Some(part) = resolver.part(address.segment) else { return Ok(Explanation::default()) };
    let (mut found, mut all) = (Vec::new(), Vec::new());
    for word in words {
        let term = String::from_utf8_lossy(&word.term);
        all.push(format!("{term:?}"));
        if let Some(own) = terms::occurrences(word, part, address.doc)? {
            found.push(format!("{} times {term:?}", own.freq));
        }
    }
    let (all, doc_freq) = (all.join(", "), words.first().map_or(0, |word| word.doc_freq));
    if found.is_empty() {
        return Ok(Explanation::no_match(format!("none of the synonyms {all} is in it")));
    }
    let score = score::of_segment(&Node::Synonyms(words.to_vec()), part, &[address.doc])?;
    let found = found.join(" and ");
    let description = format!(
        "synonyms {all} as one word by BM25: {found}; {doc_freq} documents have the most frequent one"
    );
    Ok(Explanation::new(true, score.first().copied().unwrap_or(0.0), description))
}

fn fusion(resolver: &Resolver<'_>, query: &Fuse, address: DocAddress) -> Result<Explanation> {
    let mut details = Vec::new();
    for input in &query.queries {
        let rank = resolver.rank(&input.query, query.window)?.rank_of(address);
        let rank = rank.filter(|rank| *rank < query.window);
        let part = explain(resolver, &input.query, address)?;
        let outcome = match rank {
            Some(rank) => format!("rank {} of this ranking, weight {}", rank + 1, input.weight),
            None => format!("not among the {} best of this ranking", query.window),
        };
        details.push(Explanation::new(rank.is_some(), part.score, outcome).with(vec![part]));
    }
    let fused = fuse::fuse(resolver, query)?.docs;
    let own = fused.iter().find(|doc| doc.address == address);
    let description = "fused rankings";
    Ok(Explanation::new(own.is_some(), own.map_or(0.0, |doc| doc.score), description).with(details))
}

/// Why a document is or is not among the nearest neighbors.
fn knn_query(resolver: &Resolver<'_>, query: &Knn, address: DocAddress) -> Result<Explanation> {
    let field = resolver.snapshot.schema.vector_field_named(&query.field)?;
    let row = crate::document::check_query(field, &query.vector)?;
    let name = format!("kNN on {:?}, k {}", query.field, query.k_or_default());
    let similarity = field.info().similarity;
    let Some(mut exact) = knn::nearest_vector(resolver.snapshot, field.number(), &row, address)? else {
        return Ok(Explanation::no_match(format!("{name}: the document has no vector in this field")));
    };
    exact.distance = similarity.in_range(exact.distance);
    if let Some(filter) = query.filter.as_deref() {
        let detail = explain(&resolver.unfiltered(), filter, address)?;
        if !detail.matches {
            let description = format!("{name}: filtered out by its own filter");
            return Ok(Explanation::no_match(description).with(vec![detail]));
        }
    }
    if let (Some(filter), Some(part)) = (resolver.filter, resolver.part(address.segment))
        && !accepted(&[filter], part)?.is_some_and(|docs| docs.contains(address.doc))
    {
        return Ok(Explanation::no_match(format!("{name}: filtered out by the search's filter")));
    }
    let by = if field.options().keeps_raw() { "exact" } else { "estimated" };
    let ranking = knn::search(resolver, query)?;
    let strategies = ranking.segments.iter().map(|segment| {
        let description = format!(
            "segment {}: {}, {} distances, {} documents accepted",
            segment.segment, segment.strategy, segment.visited, segment.accepted
        );
        Explanation::new(true, 0.0, description)
    });
    let strategies: Vec<_> = strategies.collect();
    if let Some(found) = ranking.docs.iter().find(|doc| doc.address == address) {
        let rank = ranking.rank_of(address).map_or(0, |rank| rank + 1);
        let description =
            format!("{name}: rank {rank} of the neighbors found; {by} distance {}", exact.distance);
        return Ok(Explanation::new(true, found.score, description).with(strategies));
    }
    let score = similarity.score(exact.distance);
    let reason = why_missed(resolver, query, address, score)?;
    let description =
        format!("{name}: {}; {by} distance {}, {by} rank {}", reason.text, exact.distance, reason.exact_rank);
    Ok(Explanation::no_match(description).with(strategies))
}

/// Why a kNN query did not find a document.
struct Missed {
    text: String,
    exact_rank: String,
}

/// Compares the search with an exact one, and with all the candidates that it kept in the document's segment.
fn why_missed(resolver: &Resolver<'_>, query: &Knn, address: DocAddress, score: f32) -> Result<Missed> {
    let all = Knn { exact: true, k: Some(MAX_K), min_score: None, ..query.clone() };
    let exact_rank = knn::search_known(resolver, &all)?.rank_of(address);
    let text = if exact_rank.is_none_or(|rank| rank >= query.k_or_default()) {
        "beyond k".to_owned()
    } else if query.min_score.is_some_and(|least| score < least) {
        "below min_score".to_owned()
    } else if let Some(rank) = rank_by_estimate(resolver, query, address)? {
        // Rescoring does not come to what codes take to be too far.
        let finds = if query.rescore.is_some() { "exact" } else { "rescore" };
        format!("lost by quantization: its estimated distance puts it at rank {}; {finds} finds it", rank + 1)
    } else {
        "not among the candidates; a higher recall, more candidates, or exact, find it".to_owned()
    };
    let exact_rank = exact_rank.map_or(format!("beyond {MAX_K}"), |rank| (rank + 1).to_string());
    Ok(Missed { text, exact_rank })
}

/// The rank by estimated distance among the candidates that the search kept; `None` when the document is not among
/// them, or when the field's distances are exact without rescoring.
fn rank_by_estimate(resolver: &Resolver<'_>, query: &Knn, address: DocAddress) -> Result<Option<usize>> {
    let number = resolver.snapshot.schema.vector_field_named(&query.field)?.number();
    let segment = resolver.snapshot.segments.get(address.segment);
    let Some(vectors) = segment.and_then(|segment| segment.reader.vector_field(number)) else {
        return Ok(None);
    };
    let filtered = query.filter.is_some() || resolver.filter.is_some();
    let asked = effort::asked(resolver.snapshot, query, filtered, resolver.shards)?;
    let Some(candidates) = asked.candidates(effort::wanted(query), &*vectors.reader) else { return Ok(None) };
    let candidates = candidates.clamp(1, MAX_CANDIDATES);
    let kept = Knn {
        k: Some(candidates.min(MAX_K)),
        candidates: Some(candidates),
        recall: None,
        rescore: None,
        min_score: None,
        ..query.clone()
    };
    let kept = knn::search(resolver, &kept)?;
    Ok(kept.rank_of(address).filter(|_| !kept.exact))
}

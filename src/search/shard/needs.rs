//! What a search needs of all shards before they can be asked for its hits: rankings inside it, inner ones first, and
//! statistics of words. What cannot be put together from what shards have is refused here.

use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::query::{Fuse, LikeWhat, Query, RerankBy, Search};
use crate::schema::{FieldType, Schema};
use crate::search::given::RankingOf;

/// A ranking that is needed of all shards.
pub(super) struct Need {
    pub(super) of: RankingOf,
    /// Rankings of a level need those of lower levels only.
    pub(super) level: usize,
    pub(super) source: Source,
}

/// How a ranking comes about.
pub(super) enum Source {
    /// Every shard makes its own of this search; these are merged, to this depth.
    Shards { search: Box<Search>, order: RankOrder, depth: usize },
    /// From other rankings, which are needed before it.
    Fusion(Fuse, Vec<RankingOf>),
}

/// The order of a ranking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RankOrder {
    Distance,
    Score,
}

/// What a search needs.
pub(super) struct Needs {
    /// Inner ones first.
    pub(super) rankings: Vec<Need>,
    /// The ranking of the search's own query, where hits depend on the place of a document among those of all shards.
    pub(super) top: Option<RankingOf>,
    /// Whether scores depend on statistics of words.
    pub(super) words: bool,
}

impl Needs {
    /// Of a search whose numbers of neighbors are set.
    pub(super) fn of(search: &Search, schema: &Schema) -> Result<Self> {
        refuse(search)?;
        if let Query::Knn(knn) = &search.query {
            refuse_post_filter(knn.post_filter)?;
        }
        let filtered = search.filter.is_some();
        let mut finder = Finder { search, of_filter: 0, rankings: Vec::new() };
        if let Some(filter) = &search.filter {
            finder.of_filter = finder.inside(filter, false)?;
        }
        let mut level = 0;
        if let Some(RerankBy::Query(query)) = search.rerank.as_ref().map(|rerank| &rerank.by) {
            level = finder.inside(query, filtered)?;
        }
        let is_ranking = matches!(search.query, Query::Knn(_) | Query::Fuse(_)) && search.sort.is_empty();
        let depends = search.rerank.is_some() || (is_ranking && !search.aggs.is_empty());
        let mut top = None;
        match &search.query {
            Query::Knn(knn) if is_ranking && knn.k.is_none() && depends => {
                let inner = finder.all_inside(knn.filter.as_deref(), false)?;
                top = Some(finder.own(inner.max(level), RankOrder::Distance));
            }
            // What a shard ranks below its own best hits changes nothing.
            Query::Knn(knn) if is_ranking && !depends && (search.collapse.is_none() || knn.k.is_none()) => {
                finder.all_inside(knn.filter.as_deref(), false)?;
            }
            query @ (Query::Knn(_) | Query::Fuse(_)) => {
                finder.inside(query, filtered)?;
                top = is_ranking.then(|| RankingOf::new(query, filtered, None));
            }
            query => {
                let inner = finder.inside(query, filtered)?;
                top = depends.then(|| finder.own(inner.max(level), RankOrder::Score));
            }
        }
        if search.explain && (is_ranking || !finder.rankings.is_empty()) {
            return Err(unsupported("explanations of rankings", "search the shard that has the document"));
        }
        let reranked = match search.rerank.as_ref().map(|rerank| &rerank.by) {
            Some(RerankBy::Query(query)) => uses_words(query, Use::Scores, schema),
            _ => false,
        };
        let words = reranked
            || uses_words(&search.query, Use::Scores, schema)
            || search.filter.as_ref().is_some_and(|filter| uses_words(filter, Use::Matches, schema));
        Ok(Self { rankings: finder.rankings, top, words })
    }
}

fn unsupported(what: &str, hint: &str) -> Error {
    Error::WrongQuery { field: None, problem: format!("{what}: not over shards; {hint}") }
}

fn refuse_post_filter(post_filter: bool) -> Result<()> {
    match post_filter {
        true => Err(unsupported("post_filter of a knn query", "give the filter without it")),
        false => Ok(()),
    }
}

/// Refuses what would need more than the best documents of each shard.
fn refuse(search: &Search) -> Result<()> {
    match search.rerank.as_ref().map(|rerank| &rerank.by) {
        Some(RerankBy::Mmr { .. }) => {
            return Err(unsupported("reranking by mmr", "rerank the vectors of the hits in the application"));
        }
        Some(RerankBy::Vector { compat_topk: Some(_), .. }) => {
            return Err(unsupported("compat_topk", "rerank without it"));
        }
        _ => {}
    }
    let Some(group) = &search.collapse else { return Ok(()) };
    let open_knn = matches!(&search.query, Query::Knn(knn) if knn.k.is_none());
    let hint = "search for each value, or group the hits in the application";
    match () {
        () if group.size > 1 => Err(unsupported("groups of more than one hit", hint)),
        () if search.rerank.is_some() => Err(unsupported("groups of reranked hits", hint)),
        () if open_knn && !search.aggs.is_empty() => {
            Err(unsupported("groups and aggregations of a knn query without k", "set k"))
        }
        () => Ok(()),
    }
}

struct Finder<'a> {
    search: &'a Search,
    /// The level of the rankings in the filter, which all that are filtered need.
    of_filter: usize,
    rankings: Vec<Need>,
}

impl Finder<'_> {
    /// The ranking of the search's own query, as deep as its page and its reranking take.
    fn own(&mut self, inner: usize, order: RankOrder) -> RankingOf {
        let window = self.search.rerank.as_ref().map_or(0, |rerank| rerank.window);
        let depth = self.search.offset.saturating_add(self.search.limit).max(window);
        let of = RankingOf::new(&self.search.query, self.search.filter.is_some(), None);
        self.add(of.clone(), &self.search.query, inner, order, depth);
        of
    }

    /// Adds a ranking that shards make, which needs those of a level, and returns its own level.
    fn add(&mut self, of: RankingOf, query: &Query, inner: usize, order: RankOrder, depth: usize) -> usize {
        if let Some(known) = self.rankings.iter().find(|known| known.of == of) {
            return known.level;
        }
        let level = 1 + if of.filtered { inner.max(self.of_filter) } else { inner };
        let filter = self.search.filter.clone().filter(|_| of.filtered);
        let search = Box::new(Search { filter, ..Search::new(query.clone()).limit(depth) });
        let source = Source::Shards { search, order, depth };
        self.rankings.push(Need { of, level, source });
        level
    }

    fn all_inside<'q>(
        &mut self,
        queries: impl IntoIterator<Item = &'q Query>,
        filtered: bool,
    ) -> Result<usize> {
        let mut level = 0;
        for query in queries {
            level = level.max(self.inside(query, filtered)?);
        }
        Ok(level)
    }

    /// Adds the rankings that a query consists of, and returns the highest of their levels; 0 without any.
    fn inside(&mut self, query: &Query, filtered: bool) -> Result<usize> {
        let filtered = filtered && self.search.filter.is_some();
        match query {
            Query::Knn(knn) => {
                refuse_post_filter(knn.post_filter)?;
                let inner = self.all_inside(knn.filter.as_deref(), false)?;
                let of = RankingOf::new(query, filtered, None);
                Ok(self.add(of, query, inner, RankOrder::Distance, knn.k_or_default()))
            }
            Query::Fuse(fuse) => {
                if fuse.window == 0 || fuse.window > MAX_K {
                    let problem = format!("window is {}, expected 1 to {MAX_K}", fuse.window);
                    return Err(Error::WrongQuery { field: None, problem });
                }
                let (mut level, mut inputs) = (0, Vec::new());
                for input in &fuse.queries {
                    let mut inner = self.inside(&input.query, filtered)?;
                    let of = RankingOf::new(&input.query, filtered, Some(fuse.window));
                    if of.limit.is_some() {
                        inner = self.add(of.clone(), &input.query, inner, RankOrder::Score, fuse.window);
                    }
                    level = level.max(inner);
                    inputs.push(of);
                }
                let of = RankingOf::new(query, filtered, None);
                if self.rankings.iter().all(|known| known.of != of) {
                    self.rankings.push(Need { of, level, source: Source::Fusion(fuse.clone(), inputs) });
                }
                Ok(level)
            }
            Query::Bool(clauses) => {
                let parts = [&clauses.must, &clauses.should, &clauses.must_not, &clauses.filter];
                self.all_inside(parts.into_iter().flatten(), filtered)
            }
            Query::DisMax(best) => self.all_inside(&best.queries, filtered),
            Query::Boost(boost) => self.inside(&boost.query, filtered),
            Query::Constant(constant) => self.inside(&constant.query, filtered),
            Query::MoreLike(like) if matches!(like.like, LikeWhat::Key(_)) => {
                Err(unsupported("more_like of a key", "give the text of the document"))
            }
            _ => Ok(0),
        }
    }
}

/// What a query is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Scores,
    Matches,
}

/// Whether the answer to a query depends on statistics of words.
fn uses_words(query: &Query, used: Use, schema: &Schema) -> bool {
    let any = |queries: &[Query], used| queries.iter().any(|query| uses_words(query, used, schema));
    let scores = used == Use::Scores;
    match query {
        // Which words are similar to a word, or choose what is like a text, depends on all.
        Query::Fuzzy(_) | Query::MoreLike(_) => true,
        Query::Match(words) => scores || words.fuzziness.is_some(),
        Query::MultiMatch(words) => scores || words.fuzziness.is_some(),
        Query::Phrase(_) => scores,
        Query::Term(term) => {
            let field = schema.field(&term.field).map(|field| field.field_type());
            scores && matches!(field, Some(FieldType::Text(_)))
        }
        Query::Bool(clauses) => {
            any(&clauses.must, used)
                || any(&clauses.should, used)
                || any(&clauses.must_not, Use::Matches)
                || any(&clauses.filter, Use::Matches)
        }
        Query::DisMax(best) => any(&best.queries, used),
        Query::Boost(boost) => uses_words(&boost.query, used, schema),
        Query::Constant(constant) => uses_words(&constant.query, Use::Matches, schema),
        Query::Knn(knn) => knn.filter.iter().any(|filter| uses_words(filter, Use::Matches, schema)),
        Query::Fuse(fuse) => fuse.queries.iter().any(|input| uses_words(&input.query, Use::Scores, schema)),
        Query::All {}
        | Query::None {}
        | Query::Terms(_)
        | Query::Range(_)
        | Query::Exists(_)
        | Query::Prefix(_)
        | Query::Wildcard(_)
        | Query::Regex(_)
        | Query::Sparse(_) => false,
    }
}

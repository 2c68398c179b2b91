//! Which request follows which answer.

use super::known::Known;
use super::merge::Merge;
use super::needs::{Need, Needs, Source};
use super::protocol::{Answer, HitsOfShard, ShardAnswer, ShardRequest, Wanted};
use crate::error::{Error, Result};
use crate::limits::MAX_SHARDS;
use crate::query::Search;
use crate::schema::Schema;
use crate::search::aggregate::{self, Plan};
use crate::search::given::RankingOf;
use crate::search::hits::{Hits, Shards};
use crate::search::statistics::TextStatistics;
use crate::search::{group, run};
use std::time::Instant;

/// A search over shards: indexes of one schema, of which each has some of the documents. It says what to ask them and
/// puts together what they answer; who calls it carries requests and answers, in this process or between processes.
///
/// Hits, scores, order, totals and aggregations are those of one index of all documents, with the same deleted documents in it. An
/// approximate search may find others; it takes the shards to be of about the same size. A search takes one round; one for
/// words, one more before it, in which shards count who has the words; a [`Fuse`](crate::Fuse), a reranked search, and rankings
/// inside other queries, one more for each level. A shard that does not answer in a round is left out of the rest, and
/// [`Hits::shards`] says so.
///
/// Refused, with an error that says so: reranking by MMR, groups of more than one hit, [`MoreLike::key`](crate::query::MoreLike::key),
/// [`Knn::post_filter`](crate::Knn::post_filter), and explanations of rankings.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// use lucerne::search::{SearchOptions, ShardedSearch};
/// use lucerne::{Document, Index, Match, Schema};
///
/// # let folder = tempfile::tempdir().unwrap();
/// let schema = Schema::builder().key("id").text("title").build()?;
/// let mut shards = Vec::new();
/// for (name, key, title) in [("a", "vim", "text editor"), ("b", "nano", "small editor")] {
///     let index = Index::create(folder.path().join(name), schema.clone())?;
///     let writer = index.writer()?;
///     writer.add(&Document::new().with("id", key).with("title", title))?;
///     writer.commit()?;
///     shards.push(index.searcher()?);
/// }
/// let mut search = ShardedSearch::new(Match::new("title", "small editor"), &schema, shards.len())?;
/// while let Some(requests) = search.requests() {
///     let ask = |(shard, request): (&lucerne::Searcher, Option<_>)| {
///         request.map(|request| shard.answer(&request, &SearchOptions::new())).transpose()
///     };
///     let answers = shards.iter().zip(requests).map(ask).collect::<lucerne::Result<Vec<_>>>()?;
///     search.answered(answers)?;
/// }
/// assert_eq!(search.hits().unwrap().keys(), ["nano", "vim"]);
/// # Ok(())
/// # }
/// ```
pub struct ShardedSearch {
    search: Search,
    plans: Vec<Plan>,
    needs: Vec<Need>,
    top: Option<RankingOf>,
    /// Shards that answer no more.
    missing: Vec<bool>,
    statistics: Option<TextStatistics>,
    known: Vec<Known>,
    step: Step,
    begun: Instant,
}

/// What is asked next.
enum Step {
    Statistics,
    /// Rankings of a level.
    Rankings(usize),
    Hits,
    Done(Box<Hits>),
}

impl std::fmt::Debug for ShardedSearch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShardedSearch").field("search", &self.search).finish_non_exhaustive()
    }
}

impl ShardedSearch {
    /// Begins a search over so many shards with this schema.
    ///
    /// # Errors
    /// When a parameter is out of range, an aggregation does not fit the schema, or the search is one of those that are not
    /// supported over shards.
    pub fn new(search: impl Into<Search>, schema: &Schema, shards: usize) -> Result<Self> {
        let (mut search, begun) = (search.into(), Instant::now());
        check_number(shards)?;
        search.set_unset_k();
        run::check(&search)?;
        let plans = aggregate::resolve(schema, &search.aggs)?;
        search.collapse.iter().try_for_each(|by| group::resolve(schema, by).map(drop))?;
        let Needs { rankings: needs, top, words } = Needs::of(&search, schema)?;
        let (missing, known) = (vec![false; shards], Vec::new());
        let step = Step::Statistics;
        let mut new = Self { search, plans, needs, top, missing, statistics: None, known, step, begun };
        if !words {
            new.next_rankings(0)?;
        }
        Ok(new)
    }

    /// What to ask of each shard, by its number; nothing of those that have failed to answer. `None` when all is known.
    pub fn requests(&self) -> Option<Vec<Option<ShardRequest>>> {
        if matches!(self.step, Step::Done(_)) {
            return None;
        }
        let request = |(shard, missing): (usize, &bool)| (!missing).then(|| self.request(shard));
        Some(self.missing.iter().enumerate().map(request).collect())
    }

    /// True when the next answers are the hits.
    pub(super) fn is_last(&self) -> bool {
        matches!(self.step, Step::Hits)
    }

    fn request(&self, shard: usize) -> ShardRequest {
        let wanted = match &self.step {
            Step::Statistics => Wanted::Statistics(Box::new(self.search.clone())),
            Step::Rankings(level) => {
                Wanted::Hits(self.asked(*level).map(|(_, search, ..)| search.clone()).collect())
            }
            Step::Hits | Step::Done(_) => Wanted::Hits(vec![self.search_of(shard)]),
        };
        let given = self.known.iter().map(|known| known.of_shard(shard)).collect();
        ShardRequest { wanted, statistics: self.statistics.clone(), given, shards: self.missing.len() }
    }

    /// The rankings of a level that shards make.
    fn asked(&self, level: usize) -> impl Iterator<Item = (&Need, &Search, super::needs::RankOrder, usize)> {
        self.needs.iter().filter(move |need| need.level == level).filter_map(|need| match &need.source {
            Source::Shards { search, order, depth } => Some((need, &**search, *order, *depth)),
            Source::Fusion(..) => None,
        })
    }

    /// The ranking of the search's own query, if it is needed.
    fn top(&self) -> Option<&Known> {
        self.known.iter().find(|known| self.top.as_ref() == Some(&known.of))
    }

    /// The search whose hits a shard returns: it reranks those of its documents that are in the window of all.
    fn search_of(&self, shard: usize) -> Search {
        let mut search = self.search.clone();
        if let (Some(rerank), Some(top)) = (&mut search.rerank, self.top()) {
            rerank.window = top.docs.iter().take(rerank.window).filter(|(of, _)| *of == shard).count();
        }
        search
    }

    /// Takes the answers to the last requests, by the number of the shard; `None` of a shard that has not answered.
    ///
    /// # Errors
    /// When an answer is not one to its request.
    pub fn answered(&mut self, answers: Vec<Option<ShardAnswer>>) -> Result<()> {
        let shards = self.missing.len();
        if answers.len() != shards {
            return Err(Error::Invalid(format!("{} answers of {shards} shards", answers.len())));
        }
        let answers =
            answers.into_iter().zip(&self.missing).map(|(answer, missing)| answer.filter(|_| !missing));
        let answers: Vec<_> = answers.collect();
        for (missing, answer) in self.missing.iter_mut().zip(&answers) {
            *missing = answer.is_none();
        }
        let answers = answers.into_iter().enumerate().filter_map(|(shard, answer)| Some((shard, answer?.0)));
        let answers: Vec<(usize, Answer)> = answers.collect();
        match self.step {
            Step::Statistics => {
                let mut sum = TextStatistics::default();
                for (_, answer) in answers {
                    match answer {
                        Answer::Statistics(own) => sum.add(&own),
                        Answer::Hits(_) => return Err(unexpected()),
                    }
                }
                self.statistics = Some(sum);
                self.next_rankings(0)
            }
            Step::Rankings(level) => {
                let mut of_shards = all_hits(answers)?;
                let mut merged = Vec::new();
                for (need, search, order, depth) in self.asked(level) {
                    let own = next_of_each(&mut of_shards)?;
                    merged.push(Known::merged((need.of.clone(), &search.query), order, depth, own));
                }
                self.known.extend(merged);
                self.next_rankings(level)
            }
            Step::Hits => {
                let own = next_of_each(&mut all_hits(answers)?)?;
                let answered = self.missing.iter().filter(|missing| !**missing).count();
                let shards = Shards { total: shards, answered };
                let merge = Merge { search: &self.search, plans: &self.plans, top: self.top(), shards };
                let mut hits = merge.hits(own)?;
                hits.took.total = self.begun.elapsed();
                self.step = Step::Done(Box::new(hits));
                Ok(())
            }
            Step::Done(_) => Ok(()),
        }
    }

    /// Goes on with the rankings above a level, all of which are known: fuses, and asks for more.
    fn next_rankings(&mut self, level: usize) -> Result<()> {
        for need in self.needs.iter().filter(|need| need.level == level) {
            if let Source::Fusion(fuse, inputs) = &need.source {
                self.known.push(Known::fused(need.of.clone(), fuse, inputs, &self.known)?);
            }
        }
        let above = self.needs.iter().map(|need| need.level).filter(|above| *above > level);
        self.step = above.min().map_or(Step::Hits, Step::Rankings);
        Ok(())
    }

    /// The hits; `None` as long as there is more to ask.
    pub fn hits(self) -> Option<Hits> {
        match self.step {
            Step::Done(hits) => Some(*hits),
            _ => None,
        }
    }
}

/// Refuses numbers of shards out of their range.
pub(crate) fn check_number(shards: usize) -> Result<()> {
    match shards {
        1..=MAX_SHARDS => Ok(()),
        _ => Err(Error::Invalid(format!("{shards} shards, expected 1 to {MAX_SHARDS}"))),
    }
}

/// What is left of each shard's list of answers.
type OfShards = Vec<(usize, std::vec::IntoIter<HitsOfShard>)>;

fn all_hits(answers: Vec<(usize, Answer)>) -> Result<OfShards> {
    let hits = answers.into_iter().map(|(shard, answer)| match answer {
        Answer::Hits(hits) => Ok((shard, hits.into_iter())),
        Answer::Statistics(_) => Err(unexpected()),
    });
    hits.collect()
}

fn next_of_each(of_shards: &mut OfShards) -> Result<Vec<(usize, HitsOfShard)>> {
    let next = of_shards.iter_mut().map(|(shard, hits)| Ok((*shard, hits.next().ok_or_else(unexpected)?)));
    next.collect()
}

fn unexpected() -> Error {
    Error::Invalid("a shard has answered something else than it was asked".to_owned())
}

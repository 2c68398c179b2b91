//! The true neighbors of each query, and how many of them a search finds.

use super::measure;
use crate::args::{Eval, RecallBy};
use crate::failure::{Failure, In as _, Outcome};
use crate::render::progress::PhaseBar;
use crate::vectors::ids;
use lucerne::codec::Progress as _;
use lucerne::{Hit, Hits, Knn, Searcher};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// The true neighbors of each query.
pub(super) struct Truth {
    ids: Ids,
    /// The distance of the last of them, when recall is counted by distance.
    farthest: Option<Vec<f32>>,
}

enum Ids {
    /// As keys: what exact search found.
    Keys(Vec<HashSet<String>>),
    /// As row numbers, from a file.
    Rows(Vec<HashSet<u32>>),
}

/// The results of all queries together.
pub(super) struct Found {
    /// Mean over the queries of the share of the true neighbors that was found.
    pub(super) recall: f64,
    /// Mean of distances computed.
    pub(super) visited: f64,
    /// Whether all distances come from raw vectors.
    pub(super) exact: bool,
}

impl Truth {
    /// Reads the truth, or computes it.
    pub(super) fn of(args: &Eval, searcher: &Searcher, queries: &[Knn]) -> Outcome<Self> {
        let by_distance = args.recall_by == RecallBy::Distance;
        let exact =
            if args.truth.is_none() || by_distance { exact(args, searcher, queries)? } else { Vec::new() };
        let last = |hits: &Hits| hits.hits.last().and_then(|hit| hit.distance).unwrap_or(f32::INFINITY);
        let farthest = by_distance.then(|| exact.iter().map(last).collect());
        let ids = match &args.truth {
            Some(path) => {
                let truth = ids::Truth::open(path)?;
                let k = args.k;
                if truth.k() < k {
                    let problem = format!("{} neighbors per query, -k {k} needs {k}", truth.k());
                    return Err(Failure::content(path, problem));
                }
                let given = truth.queries().len();
                if given < queries.len() || (given > queries.len() && args.limit.is_none()) {
                    let problem =
                        format!("truth of {given} queries, {} has {}", args.queries.display(), queries.len());
                    return Err(Failure::content(path, problem).hint("--limit N uses the first N queries"));
                }
                let rows = truth.queries().take(queries.len());
                Ids::Rows(rows.map(|ids| ids.iter().take(k).copied().collect()).collect())
            }
            None => {
                let keys = exact.into_iter().map(|hits| hits.hits.into_iter().map(|hit| hit.key).collect());
                Ids::Keys(keys.collect())
            }
        };
        Ok(Self { ids, farthest })
    }

    /// Runs the queries once and counts what they find. Not timed: reading row numbers takes time of its own.
    pub(super) fn compare(&self, args: &Eval, searcher: &Searcher, queries: &[Knn]) -> Outcome<Found> {
        let results = measure::each(args.threads, queries, |query| {
            let query = query.clone();
            let query = match &args.row_field {
                Some(field) => query.fields([field.as_str()]),
                None => query,
            };
            searcher.search(&query).in_index(&args.dir)
        })?;
        let mut recall = 0.0;
        for (query, hits) in results.iter().enumerate() {
            let farthest = self.farthest.as_ref().and_then(|farthest| farthest.get(query)).copied();
            if farthest.is_some() && !hits.exact {
                return Err(Failure::usage("--recall-by distance: the distances found are estimates")
                    .hint("--rescore 1 computes exact distances from the original vectors"));
            }
            recall += match &self.ids {
                Ids::Keys(truth) => share(truth.get(query), hits, farthest, |hit| Ok(hit.key.clone()))?,
                Ids::Rows(truth) => {
                    share(truth.get(query), hits, farthest, |hit| row(hit, args.row_field.as_deref()))?
                }
            };
        }
        let visited: u64 =
            results.iter().flat_map(|hits| &hits.segments).map(|segment| segment.visited).sum();
        let count = results.len().max(1) as f64;
        let exact = results.iter().all(|hits| hits.exact);
        Ok(Found { recall: recall / count, visited: visited as f64 / count, exact })
    }
}

/// What exact searches find.
fn exact(args: &Eval, searcher: &Searcher, queries: &[Knn]) -> Outcome<Vec<Hits>> {
    let (bar, done) = (PhaseBar::new(), AtomicU64::new(0));
    let found = measure::each(args.threads, queries, |query| {
        let hits = searcher.search(query.clone().exact()).in_index(&args.dir)?;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        bar.report("exact searches", done, queries.len() as u64);
        Ok(hits)
    });
    bar.finish();
    found
}

/// The share of the true neighbors among the hits; 1 when there are none to be found. With the distance of the
/// `farthest`, so many hits that are as near against so many.
fn share<T: std::hash::Hash + Eq>(
    truth: Option<&HashSet<T>>,
    hits: &Hits,
    farthest: Option<f32>,
    id: impl Fn(&Hit) -> Outcome<T>,
) -> Outcome<f64> {
    let Some(truth) = truth.filter(|truth| !truth.is_empty()) else { return Ok(1.0) };
    if let Some(farthest) = farthest {
        let near = hits.hits.iter().filter(|hit| hit.distance.is_some_and(|distance| distance <= farthest));
        return Ok(near.count().min(truth.len()) as f64 / truth.len() as f64);
    }
    let found = hits.hits.iter().map(id).collect::<Outcome<HashSet<T>>>()?;
    Ok(found.intersection(truth).count() as f64 / truth.len() as f64)
}

/// The row number of a hit's document.
fn row(hit: &Hit, row_field: Option<&str>) -> Outcome<u32> {
    let (found, hint) = match row_field {
        Some(name) => {
            let value = hit.fields.as_ref().and_then(|fields| fields.get(name));
            let row = value.and_then(serde_json::Value::as_u64).and_then(|row| u32::try_from(row).ok());
            let given = value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
            (
                row.ok_or_else(|| format!("field {name:?} of document {:?} is {given}", hit.key)),
                "--row-field names an integer field that holds the row number",
            )
        }
        None => (
            hit.key.parse().map_err(|_| format!("key {:?} is not a row number", hit.key)),
            "name the integer field that holds the row number with --row-field",
        ),
    };
    found.map_err(|problem| Failure::usage(problem).hint(hint))
}

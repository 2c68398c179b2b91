//! The true neighbors of each query, and how many of them a search finds.

use super::measure;
use crate::args::Eval;
use crate::failure::{Failure, In as _, Outcome};
use crate::render::progress::PhaseBar;
use crate::vectors::ids;
use lucerne::codec::Progress as _;
use lucerne::{Hit, Hits, Knn, Searcher, Terms};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// The true neighbors of each query.
pub(super) struct Truth {
    ids: Ids,
    /// The distance of the last true neighbor of each query, as far as it is known.
    farthest: Vec<Option<f32>>,
}

enum Ids {
    /// As keys: what exact search found.
    Keys(Vec<HashSet<String>>),
    /// As row numbers, from a file.
    Rows(Vec<HashSet<u32>>),
}

/// The results of all queries together.
pub(super) struct Found {
    /// Mean over the queries of the share of the true neighbors that was found, where hits as near as the last of
    /// them count.
    pub(super) recall: f64,
    /// The same, where they do not.
    pub(super) recall_by_id: f64,
    /// Mean of distances computed.
    pub(super) visited: f64,
    /// Whether all distances come from raw vectors.
    pub(super) exact: bool,
}

impl Truth {
    /// Reads the truth, or computes it.
    pub(super) fn of(args: &Eval, searcher: &Searcher, queries: &[Knn]) -> Outcome<Self> {
        let Some(path) = &args.truth else {
            let exact = search_exactly(args, searcher, queries)?;
            let farthest = exact.iter().map(farthest).collect();
            let keys = exact.into_iter().map(|hits| hits.hits.into_iter().map(|hit| hit.key).collect());
            return Ok(Self { ids: Ids::Keys(keys.collect()), farthest });
        };
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
        let rows: Vec<HashSet<u32>> = rows.map(|ids| ids.iter().take(k).copied().collect()).collect();
        let key = searcher.schema().key().name();
        // Exact search among the documents of the true neighbors tells their distances.
        let of_rows = |rows: &HashSet<u32>| match &args.row_field {
            Some(field) if field != key => Terms::new(field, rows.iter().map(|&row| i64::from(row))),
            _ => Terms::new(key, rows.iter().map(u32::to_string)),
        };
        let among: Vec<Knn> =
            queries.iter().zip(&rows).map(|(query, rows)| query.clone().filter(of_rows(rows))).collect();
        let field = searcher.schema().vector_field_named(&args.field).in_index(&args.dir)?;
        let farthest = match field.options().keeps_raw() {
            true => search_exactly(args, searcher, &among)?.iter().map(farthest).collect(),
            // Without raw vectors no distance is exact: true neighbors count, and hits as near as they do not.
            false => vec![None; among.len()],
        };
        Ok(Self { ids: Ids::Rows(rows), farthest })
    }

    /// Runs the queries once and counts what they find; `plain` are the same queries without settings.
    /// Not timed: it reads row numbers and distances besides.
    pub(super) fn compare(
        &self,
        args: &Eval,
        searcher: &Searcher,
        plain: &[Knn],
        queries: &[Knn],
    ) -> Outcome<Found> {
        let results = measure::each(args.threads, queries, |query| {
            let query = query.clone();
            let query = match &args.row_field {
                Some(field) => query.fields([field.as_str()]),
                None => query,
            };
            searcher.search(&query).in_index(&args.dir)
        })?;
        let (mut recall, mut recall_by_id) = (0.0, 0.0);
        for (position, (query, hits)) in plain.iter().zip(&results).enumerate() {
            let count = match &self.ids {
                Ids::Keys(truth) => Count::of(truth.get(position), hits, |hit| Ok(hit.key.clone()))?,
                Ids::Rows(truth) => {
                    Count::of(truth.get(position), hits, |hit| row(hit, args.row_field.as_deref()))?
                }
            };
            let farthest = self.farthest.get(position).copied().flatten();
            let ties = match farthest {
                Some(farthest) if !count.others.is_empty() => {
                    let others = Terms::new(searcher.schema().key().name(), count.others.iter().copied());
                    let exact = query.clone().filter(others).exact();
                    let exact = searcher.search(exact).in_index(&args.dir)?;
                    exact
                        .hits
                        .iter()
                        .filter(|hit| hit.distance.is_some_and(|near| is_tie(near, farthest)))
                        .count()
                }
                _ => 0,
            };
            recall_by_id += count.share(0);
            recall += count.share(ties);
        }
        let visited: u64 =
            results.iter().flat_map(|hits| &hits.segments).map(|segment| segment.visited).sum();
        let count = results.len().max(1) as f64;
        let exact = results.iter().all(|hits| hits.exact);
        Ok(Found {
            recall: recall / count,
            recall_by_id: recall_by_id / count,
            visited: visited as f64 / count,
            exact,
        })
    }
}

/// What exact searches find.
fn search_exactly(args: &Eval, searcher: &Searcher, queries: &[Knn]) -> Outcome<Vec<Hits>> {
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

/// The distance of the last hit.
fn farthest(hits: &Hits) -> Option<f32> {
    hits.hits.last()?.distance
}

/// Whether a distance is that of the last true neighbor, but for rounding. Not whether it is smaller: a document
/// that is nearer and not among the true neighbors says that the truth is not the truth of this index.
fn is_tie(distance: f32, farthest: f32) -> bool {
    (distance - farthest).abs() <= 1e-6 * farthest.abs()
}

/// The hits of one query, counted.
struct Count<'a> {
    /// True neighbors.
    truth: usize,
    /// Those that were found.
    found: usize,
    /// Keys of the other hits.
    others: Vec<&'a str>,
}

impl<'a> Count<'a> {
    fn of<T: std::hash::Hash + Eq>(
        truth: Option<&HashSet<T>>,
        hits: &'a Hits,
        id: impl Fn(&Hit) -> Outcome<T>,
    ) -> Outcome<Self> {
        let mut count = Self { truth: truth.map_or(0, HashSet::len), found: 0, others: Vec::new() };
        for hit in &hits.hits {
            let id = id(hit)?;
            match truth.is_some_and(|truth| truth.contains(&id)) {
                true => count.found += 1,
                false => count.others.push(&hit.key),
            }
        }
        Ok(count)
    }

    /// The share of the true neighbors that was found, `ties` included; 1 when there are none to be found.
    fn share(&self, ties: usize) -> f64 {
        match self.truth {
            0 => 1.0,
            truth => (self.found + ties).min(truth) as f64 / truth as f64,
        }
    }
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

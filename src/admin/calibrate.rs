//! Measuring what the queries of a field take to find a wanted share of their neighbors.

use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::query::Knn;
use crate::schema::{Calibration, CalibrationPoint};
use crate::search::{Hits, SearchOptions, Searcher};
use lucerne_codec::{Cancel, Progress};

/// The recalls that are measured; those between follow from them.
const RECALLS: [f32; 5] = [0.8, 0.9, 0.95, 0.98, 0.99];
/// Scales tried: powers of the square root of 2 from 1/4 to 64.
const SCALES: std::ops::RangeInclusive<i32> = -4..=12;
/// More queries are not needed: they are taken from all over those given.
const MOST_QUERIES: usize = 1_000;
/// With fewer chance decides.
const LEAST_QUERIES: usize = 10;
/// Standard errors that are taken off a measured recall, as segments do with theirs.
const STANDARD_ERRORS: f64 = 2.0;

/// Finds out how much more, or less, than its segments' own measurements the given queries take: these are made with
/// vectors like the stored ones, and queries may lie elsewhere. [`Writer::set_calibration`](crate::Writer::set_calibration)
/// keeps the result with the index. Takes an exact search for each of the queries (at most 1,000 are used), and about
/// twenty approximate ones.
///
/// ```
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::{Cancel, Document, Knn, Schema, Vector, admin};
/// use std::sync::Arc;
///
/// let schema = Schema::builder().vector("v", Vector::f32(2)).build()?;
/// let index = IndexBuilder::new().create(Arc::new(RamDirectory::new()), schema)?;
/// let writer = index.writer()?;
/// for i in 1..=500 {
///     writer.add(&Document::new().with("v", vec![(i as f32).sin(), (i as f32).cos()]))?;
/// }
/// writer.commit()?;
/// let queries: Vec<Vec<f32>> = (0..20).map(|i| vec![i as f32, 1.0]).collect();
/// let found = admin::calibrate(&index.searcher()?, "v", &queries, 10, &Cancel::new(), &())?;
/// writer.set_calibration("v", Some(found))?;
/// writer.commit()?;
/// assert_eq!(index.searcher()?.search(Knn::new("v", [1.0, 0.0]).recall(0.9))?.hits.len(), 10);
/// # Ok::<(), lucerne::Error>(())
/// ```
///
/// # Errors
/// When there is no such vector field, it has no vectors, there are fewer than ten queries or one does not fit the
/// field, `k` is out of its range, or on cancellation.
pub fn calibrate(
    searcher: &Searcher,
    field: &str,
    queries: &[Vec<f32>],
    k: usize,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<Calibration> {
    let wrong = |problem: String| Error::WrongQuery { field: Some(field.to_owned()), problem };
    searcher.schema().vector_field_named(field)?;
    if k == 0 || k > MAX_K {
        return Err(wrong(format!("k is {k}, expected 1 to {MAX_K}")));
    }
    if queries.len() < LEAST_QUERIES {
        let problem = format!("{} queries, expected {LEAST_QUERIES} or more to measure with", queries.len());
        return Err(wrong(problem));
    }
    let step = queries.len().div_ceil(MOST_QUERIES);
    // Rescoring as many as are wanted makes their distances exact, and leaves them the same.
    let query = |vector: &Vec<f32>| Knn::new(field, vector.clone()).k(k).rescore(1.0);
    let queries: Vec<Knn> = queries.iter().step_by(step).map(query).collect();
    let total = (1 + RECALLS.len()) as u64;
    let mut farthest = Vec::with_capacity(queries.len());
    let options = SearchOptions::new().cancel(cancel);
    for query in &queries {
        let hits = searcher.search_with(query.clone().exact(), &options)?;
        farthest.push((hits.hits.len(), last_distance(&hits)));
    }
    if farthest.iter().all(|(hits, _)| *hits == 0) {
        return Err(wrong("the field has no vectors to measure with".to_owned()));
    }
    progress.report("calibration", 1, total);
    let measured = |asked: f32, scale: f64| -> Result<Measured> {
        let mut shares = Vec::with_capacity(queries.len());
        for (query, &(wanted, farthest)) in queries.iter().zip(&farthest) {
            let query = query.clone().recall(asked).scale(scale as f32);
            let hits = searcher.search_with(query, &options)?;
            let near = hits.hits.iter().filter(|hit| hit.distance.is_some_and(|it| it <= farthest)).count();
            shares.push(near.min(wanted) as f64 / wanted.max(1) as f64);
        }
        Ok(Measured::of(&shares))
    };
    let mut points = Vec::with_capacity(RECALLS.len());
    for (done, asked) in (2u64..).zip(RECALLS) {
        // The least power that reaches it, and not only by chance.
        let (mut low, mut high) = (*SCALES.start(), *SCALES.end());
        while low < high {
            let middle = (low + high).div_euclid(2);
            let Measured { recall, error } = measured(asked, scale(middle))?;
            if recall - STANDARD_ERRORS * error >= f64::from(asked) {
                high = middle
            } else {
                low = middle + 1
            }
        }
        let reached = measured(asked, scale(low))?.recall;
        points.push(CalibrationPoint {
            recall: rounded(asked.into()),
            scale: rounded(scale(low)),
            reached: rounded(reached),
        });
        progress.report("calibration", done, total);
    }
    Ok(Calibration { k, queries: queries.len(), points })
}

/// The recall of some queries, and its standard error.
struct Measured {
    recall: f64,
    error: f64,
}

impl Measured {
    fn of(shares: &[f64]) -> Self {
        let count = shares.len().max(1) as f64;
        let recall = shares.iter().sum::<f64>() / count;
        let variance = shares.iter().map(|share| (share - recall).powi(2)).sum::<f64>() / count;
        Self { recall, error: (variance / count).sqrt() }
    }
}

fn scale(power: i32) -> f64 {
    2f64.powf(f64::from(power) / 2.0)
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// The distance of the last hit, and a little for rounding.
fn last_distance(hits: &Hits) -> f32 {
    hits.hits.last().and_then(|hit| hit.distance).map_or(f32::INFINITY, |last| last + 1e-6 * last.abs())
}

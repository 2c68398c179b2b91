//! Pictures of a field of vectors for which vectors are read: a sample of them.

use super::projection::project;
use super::{asked, in_time, short};
use crate::commands::web::watched::Commit;
use crate::failure::{In as _, Outcome};
use lucerne::admin::{self, SampledVector};
use lucerne::search::SearchOptions;
use lucerne::{Knn, Search, Similarity};
use lucerne_pictures::{Axis, Lines, Point, Scale, Series};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Vectors of the figures of codes and graphs.
const FIGURED: usize = 4_096;
/// Vectors of a projection.
const PROJECTED: usize = 600;
/// Vectors whose neighbors are searched, as long as there is time.
const SEARCHED: usize = 100;
const SEARCHING: Duration = Duration::from_secs(3);
/// The neighbors whose distances are shown.
const RANKS: [usize; 3] = [1, 10, 100];

/// How codes are distributed, how far they are from the vectors, how many links nodes have.
pub(super) fn figures(commit: &Commit, question: &Value) -> Outcome<Value> {
    let field = asked(question, "field")?;
    sample(commit, field, PROJECTED)?;
    let figures = admin::vector_figures(&commit.searcher, field, FIGURED, &in_time());
    Ok(json!({ "segments": figures.in_index(&commit.dir)? }))
}

/// For vectors of a sample the exact distances of their neighbors of some ranks, each list ascending.
pub(super) fn distances(commit: &Commit, question: &Value) -> Outcome<Value> {
    let field = asked(question, "field")?;
    let (started, stop) = (Instant::now(), in_time());
    let mut found: [Vec<f32>; RANKS.len()] = Default::default();
    let mut searched = 0;
    let mut sampled = sample(commit, field, SEARCHED)?;
    if similarity(commit, field)? == Similarity::Cosine {
        // They are as far from every other.
        sampled.retain(|sampled| sampled.vector.iter().any(|component| *component != 0.0));
    }
    for sampled in sampled {
        if started.elapsed() > SEARCHING {
            break;
        }
        let most = RANKS.into_iter().max().unwrap_or(0) + 1;
        let knn = Knn::new(field, sampled.vector).k(most).exact();
        let options = SearchOptions::new().cancel(&stop);
        let hits = commit.searcher.search_with(Search::new(knn).limit(most), &options);
        let hits = hits.in_index(&commit.dir)?.hits;
        let others = hits.iter().filter(|hit| hit.key != sampled.key).filter_map(|hit| hit.distance);
        let others: Vec<f32> = others.collect();
        for (found, rank) in found.iter_mut().zip(RANKS) {
            found.extend(others.get(rank - 1));
        }
        searched += 1;
    }
    found.iter_mut().for_each(|distances| distances.sort_by(f32::total_cmp));
    let ranks = RANKS.iter().zip(&found).map(|(rank, distances)| {
        let distances: Vec<f64> = distances.iter().copied().map(short).collect();
        json!({ "rank": rank, "distances": distances })
    });
    let picture = (searched > 0).then(|| shares(&found).draw().svg());
    Ok(json!({ "searched": searched, "ranks": ranks.collect::<Vec<_>>(), "picture": picture }))
}

/// For each rank the share of vectors whose neighbor is within a distance.
fn shares(found: &[Vec<f32>; RANKS.len()]) -> Lines {
    let series = RANKS.iter().zip(found).enumerate().map(|(color, (rank, distances))| {
        let within = |(at, distance): (usize, &f32)| {
            Point::new(f64::from(*distance), (at + 1) as f64 / distances.len() as f64)
        };
        let points = distances.iter().enumerate().map(within).collect();
        Series { name: format!("neighbor {rank}"), color, dashed: false, dots: false, points }
    });
    let axis = |name: &str, from, to| Axis { name: name.to_owned(), scale: Scale::Linear, from, to };
    Lines {
        label: "Share of vectors whose neighbor is within a distance".to_owned(),
        x: axis("distance", None, None),
        y: axis("share of vectors", Some(0.0), Some(1.0)),
        rules: Vec::new(),
        series: series.filter(|series| !series.points.is_empty()).collect(),
    }
}

/// A sample of vectors in two dimensions, with their keys and segments.
pub(super) fn projection(commit: &Commit, question: &Value) -> Outcome<Value> {
    let field = asked(question, "field")?;
    let mut sampled = sample(commit, field, PROJECTED)?;
    if similarity(commit, field)? == Similarity::Cosine {
        sampled.iter_mut().for_each(|sampled| normalize(&mut sampled.vector));
    }
    let vectors: Vec<&[f32]> = sampled.iter().map(|sampled| &*sampled.vector).collect();
    let projected = project(&vectors);
    let points = sampled
        .iter()
        .zip(projected.points)
        .map(|(sampled, [x, y])| json!({ "key": sampled.key, "segment": sampled.segment, "x": short(x), "y": short(y) }));
    Ok(json!({ "shares": projected.shares, "points": points.collect::<Vec<_>>() }))
}

fn similarity(commit: &Commit, field: &str) -> Outcome<Similarity> {
    let declared = commit.searcher.schema().vector_field_named(field).in_index(&commit.dir)?;
    Ok(declared.options().similarity())
}

/// At most so many vectors: of very many segments not of each. Vectors that nobody is likely to have added make it look for
/// damage, of which searches and pictures know nothing.
fn sample(commit: &Commit, field: &str, most: usize) -> Outcome<Vec<SampledVector>> {
    let sampled = admin::sample_vectors(&commit.searcher, field, most, &in_time()).in_index(&commit.dir)?;
    let is_odd = |vector: &[f32]| {
        vector.iter().all(|component| *component == 0.0)
            || vector.iter().any(|component| !component.is_finite())
    };
    if sampled.iter().any(|sampled| is_odd(&sampled.vector)) {
        super::refuse_damage(commit)?;
    }
    let all = sampled.len();
    let kept = |at: usize| all <= most || at * most / all != (at + 1) * most / all;
    Ok(sampled.into_iter().enumerate().filter(|(at, _)| kept(*at)).map(|(_, sampled)| sampled).collect())
}

fn normalize(vector: &mut [f32]) {
    let length = vector.iter().map(|component| component * component).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|component| *component /= length);
    }
}

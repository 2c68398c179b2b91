//! `hash-quality`: measures the recall of sign hashes on the vectors of a field.

use crate::args::HashQuality as Args;
use crate::commands::{searcher, shape};
use crate::failure::{In as _, Outcome};
use crate::render::progress::PhaseBar;
use crate::render::table::{Align, Rows};
use crate::render::{out, units};
use crate::vectors::{Shape, VectorFile};
use lucerne::Cancel;
use lucerne::admin::{HashQuality, HashQualityOptions, HashRecall, hash_quality};
use lucerne::schema::SignHash;
use serde_json::json;
use std::path::Path;

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let searcher = searcher(&args.dir)?;
    let shape = shape(searcher.schema(), &args.field)?;
    let mut options = HashQualityOptions::default();
    (options.sample, options.k) = (args.sample, args.k);
    options.candidates.clone_from(&args.candidates);
    if let Some(path) = &args.queries {
        options.queries = queries(args, path, shape)?;
    }
    let bar = PhaseBar::new();
    let found = hash_quality(&searcher, &args.field, &options, &Cancel::new(), &bar);
    bar.finish();
    let found = found.in_index(&args.dir)?;
    if json {
        out::json(&as_json(args, &found))?;
    } else {
        out::text(&table(&found, shape.dimension))?;
    }
    warn(args, &found);
    Ok(())
}

fn queries(args: &Args, path: &Path, shape: Shape) -> Outcome<Vec<Vec<f32>>> {
    let mut file = VectorFile::open(path, Some(shape))?;
    file.expect(&args.field, shape)?;
    (0..file.rows()).map(|row| file.row(row)).collect()
}

/// Bytes per vector that are compared.
fn bytes(estimator: SignHash, dimension: usize) -> usize {
    let corrections = if estimator == SignHash::Plain { 0 } else { 8 };
    dimension.div_ceil(8) + corrections
}

fn table(found: &HashQuality, dimension: usize) -> String {
    let recall = format!("recall@{}", found.k);
    let heading = [
        ("sign_hash", Align::Left),
        ("bytes per vector", Align::Right),
        ("candidates", Align::Right),
        (&recall, Align::Right),
        ("", Align::Left),
    ];
    let mut rows = Rows::new(heading);
    for &HashRecall { estimator, candidates, recall, .. } in &found.lines {
        let default = if candidates == found.default_candidates { "default" } else { "" };
        rows.push(vec![
            estimator.name().to_owned(),
            bytes(estimator, dimension).to_string(),
            units::grouped(candidates as u64),
            format!("{recall:.4}"),
            default.to_owned(),
        ]);
    }
    let compared = if found.compared as u64 == found.vectors {
        format!("{} vectors", units::grouped(found.vectors))
    } else {
        format!(
            "a sample of {} of {} vectors; recall among all of them is lower",
            units::grouped(found.compared as u64),
            units::grouped(found.vectors)
        )
    };
    format!("{} queries, {compared}\n{}", units::grouped(found.queries as u64), rows.text(None, usize::MAX))
}

fn as_json(args: &Args, found: &HashQuality) -> serde_json::Value {
    let lines = found.lines.iter().map(|line| {
        json!({ "sign_hash": line.estimator.name(), "candidates": line.candidates, "recall": line.recall })
    });
    json!({
        "field": args.field,
        "vectors": found.vectors,
        "compared": found.compared,
        "queries": found.queries,
        "k": found.k,
        "default_candidates": found.default_candidates,
        "threshold": HashQuality::THRESHOLD,
        "poor": found.poor().map(|line| line.estimator.name()).collect::<Vec<_>>(),
        "lines": lines.collect::<Vec<_>>(),
    })
}

fn warn(args: &Args, found: &HashQuality) {
    for line in found.poor() {
        let best = found.lines.iter().filter(|other| other.recall >= HashQuality::THRESHOLD);
        let best = best.min_by_key(|other| (other.candidates, other.estimator.name()));
        let instead = match best {
            Some(HashRecall { estimator, candidates, .. }) => {
                format!("sign_hash {} with {candidates} candidates reaches that", estimator.name())
            }
            None => "none of the lines reaches that; leave sign_hash out and use int8 codes".to_owned(),
        };
        out::warning(&format!(
            "field {:?}: {} hashes with {} candidates have recall {:.4}, below {}: {instead}",
            args.field,
            line.estimator.name(),
            line.candidates,
            line.recall,
            HashQuality::THRESHOLD,
        ));
    }
}

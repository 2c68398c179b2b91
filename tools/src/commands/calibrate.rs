//! `calibrate`: measures what a field's queries take, and keeps it with the index.

use crate::args::Calibrate;
use crate::commands::shape;
use crate::failure::{Failure, In as _, Outcome};
use crate::render::out;
use crate::render::progress::PhaseBar;
use crate::render::table::{Align, Rows};
use crate::vectors::VectorFile;
use lucerne::merge::MergePolicy;
use lucerne::schema::Calibration;
use lucerne::{Cancel, Index, WriterOptions, admin};
use serde_json::json;

/// Of 0.99 fewer miss less than a query does.
const ENOUGH_QUERIES: usize = 100;

pub(super) fn run(args: &Calibrate, json: bool) -> Outcome {
    let dir = &args.dir;
    let index = Index::open(dir).in_index(dir)?;
    let writer = index.writer_with(WriterOptions::new().merge_policy(MergePolicy::None)).in_index(dir)?;
    let schema = writer.schema();
    let shape = shape(&schema, &args.field)?;
    let calibration = match &args.queries {
        None => None,
        Some(path) => {
            let mut file = VectorFile::open(path, Some(shape))?;
            file.expect(&args.field, shape)?;
            let rows = file.rows().min(args.limit.map_or(u64::MAX, |limit| limit as u64));
            let queries = (0..rows).map(|row| file.row(row)).collect::<Result<Vec<_>, Failure>>()?;
            let bar = PhaseBar::new();
            let searcher = index.searcher().in_index(dir)?;
            let found = admin::calibrate(&searcher, &args.field, &queries, args.k, &Cancel::new(), &bar);
            bar.finish();
            Some(found.in_index(dir)?)
        }
    };
    if let Some(found) = calibration.as_ref().filter(|found| found.queries < ENOUGH_QUERIES) {
        let few = found.queries;
        out::warning(&format!(
            "of {few} queries chance decides much; {ENOUGH_QUERIES} or more tell the recall"
        ));
    }
    writer.set_calibration(&args.field, calibration.clone()).in_index(dir)?;
    let generation = writer.commit().in_index(dir)?;
    if json {
        return out::json(&json!({
            "index": dir.display().to_string(),
            "generation": generation,
            "field": args.field,
            "calibration": calibration,
        }));
    }
    match calibration {
        None => out::line(&format!(
            "Field {:?} is not calibrated any more (generation {generation}).",
            args.field
        )),
        Some(calibration) => out::text(&table(&calibration)),
    }
}

fn table(calibration: &Calibration) -> String {
    let reached = format!("recall@{}", calibration.k);
    let mut rows =
        Rows::new([("asked", Align::Right), ("× candidates", Align::Right), (&reached, Align::Right)]);
    for point in &calibration.points {
        rows.push(vec![
            point.recall.to_string(),
            format!("{:.2}", point.scale),
            format!("{:.4}", point.reached),
        ]);
    }
    format!("Calibrated with {} queries\n{}", calibration.queries, rows.text(None, usize::MAX))
}

//! `force-merge`: fewer segments, the plan first.

use crate::args::ForceMerge;
use crate::failure::{In as _, Outcome};
use crate::render::{facts, merges, out, progress::MergeBar, units};
use crate::signals;
use lucerne::{Cancel, Index, MergePolicy, Writer, WriterOptions};
use serde_json::{Value, json};
use std::time::Instant;

pub(super) fn run(args: &ForceMerge, json: bool) -> Outcome {
    let dir = &args.dir;
    let started = Instant::now();
    let bar = MergeBar::new();
    let mut options = WriterOptions::new().merge_policy(MergePolicy::None).on_merge(bar.listener());
    options = args.threads.map_or(options.clone(), |threads| options.threads(threads));
    options = args.seed.map_or(options.clone(), |seed| options.seed(seed));
    let index = Index::open(dir).in_index(dir)?;
    let writer = index.writer_with(options).in_index(dir)?;
    let before = index.searcher().in_index(dir)?.segment_count();
    let plan = plan(args, &writer).in_index(dir)?;
    if !json {
        print_plan(args, before, &plan)?;
    }
    let mut result = json!({ "plan": plan, "segments_before": before });
    if !args.dry_run {
        let stop = signals::stop_flag();
        let records = merge(args, &writer, &stop).in_index(dir);
        bar.finish();
        let records = records?;
        let generation = writer.commit().in_index(dir)?;
        let after = index.searcher().in_index(dir)?.segment_count();
        if !json {
            for record in &records {
                out::line("")?;
                out::text(&merges::record(record))?;
            }
            out::line(&format!(
                "{}: {} → {}, generation {generation}, {}",
                dir.display(),
                units::count(before as u64, "segment"),
                units::count(after as u64, "segment"),
                units::seconds(started.elapsed().as_secs_f64())
            ))?;
        }
        result["sources"] = records.iter().flat_map(sources).collect();
        result["records"] = records.into();
        result["segments_after"] = after.into();
        result["generation"] = generation.into();
        result["seconds"] = started.elapsed().as_secs_f64().into();
    }
    if json { out::json(&result) } else { Ok(()) }
}

fn plan(args: &ForceMerge, writer: &Writer) -> lucerne::Result<Vec<Value>> {
    match args.expunge_deletes {
        true => writer.plan_expunge_deletes(args.above),
        false => writer.plan_force_merge(args.max_segments),
    }
}

fn merge(args: &ForceMerge, writer: &Writer, stop: &Cancel) -> lucerne::Result<Vec<Value>> {
    match args.expunge_deletes {
        true => writer.expunge_deletes(args.above, stop),
        false => writer.force_merge(args.max_segments, stop),
    }
}

fn print_plan(args: &ForceMerge, before: usize, plan: &[Value]) -> Outcome {
    let dir = args.dir.display();
    if plan.is_empty() {
        return out::line(&format!("{dir}: {}, nothing to merge", units::count(before as u64, "segment")));
    }
    out::line(&format!("{dir}: {}, the plan", units::count(before as u64, "segment")))?;
    for merge in plan {
        out::line("")?;
        out::text(&merges::plan(merge))?;
    }
    Ok(())
}

/// Per source and field what became of it, with the segment's name.
fn sources(record: &Value) -> Vec<Value> {
    let fields = record.get("fields").and_then(Value::as_object);
    let of_field = |(field, report): (&String, &Value)| {
        let sources = facts::find(report, "sources").and_then(Value::as_array).cloned().unwrap_or_default();
        sources
            .into_iter()
            .map(|mut source| {
                source["field"] = field.clone().into();
                source
            })
            .collect::<Vec<_>>()
    };
    fields.into_iter().flatten().flat_map(of_field).collect()
}

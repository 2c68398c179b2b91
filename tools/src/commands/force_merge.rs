//! `force-merge`: fewer segments, the plan first.

use super::memory::{self, Sampler};
use super::pictures;
use crate::args::{ForceMerge, Rewriting};
use crate::failure::{In as _, Outcome};
use crate::render::{merges, metadata, out, progress::Merges, units};
use crate::signals;
use lucerne::merge::MergePolicy;
use lucerne::{Cancel, Searcher, Writer, WriterOptions, admin};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;

pub(super) fn run(args: &ForceMerge, json: bool) -> Outcome {
    let rewrite = Rewrite {
        how: &args.how,
        plan: &|searcher| {
            if args.expunge_deletes {
                admin::plan_expunge_deletes(searcher, args.above)
            } else {
                admin::plan_force_merge(searcher, args.max_segments)
            }
        },
        merge: &|writer, stop| {
            if args.expunge_deletes {
                writer.expunge_deletes(args.above, stop)
            } else {
                writer.force_merge(args.max_segments, stop)
            }
        },
        nothing: "nothing to merge",
        plot: args.plot.as_deref(),
    };
    rewrite.run(&args.dir, json)
}

/// A command that rewrites segments: what to ask of the newest commit, and of the writer.
pub(super) struct Rewrite<'a> {
    pub(super) how: &'a Rewriting,
    pub(super) plan: &'a dyn Fn(&Searcher) -> lucerne::Result<Vec<Value>>,
    pub(super) merge: &'a dyn Fn(&Writer, &Cancel) -> lucerne::Result<Vec<Value>>,
    /// Said when the plan is empty.
    pub(super) nothing: &'a str,
    /// Where the picture of the plan goes.
    pub(super) plot: Option<&'a Path>,
}

impl Rewrite<'_> {
    /// The plan, then, unless it is all that was asked for, the merges and their records, in one commit.
    pub(super) fn run(&self, dir: &Path, json: bool) -> Outcome {
        if let Some(path) = self.plot {
            pictures::check_target(path, dir, &[])?;
        }
        let started = Instant::now();
        let (sampler, bar) = (Sampler::start(), Merges::shown());
        let mut options = WriterOptions::new().merge_policy(MergePolicy::None).on_merge(bar.listener());
        options = self.how.threads.map_or(options.clone(), |threads| options.threads(threads));
        options = self.how.seed.map_or(options.clone(), |seed| options.seed(seed));
        let index = super::open_below(dir, self.how.memory).in_index(dir)?;
        // A plan alone changes nothing, not even files that nobody needs, and may be told while others write.
        let writer = (!self.how.dry_run).then(|| index.writer_with(options)).transpose().in_index(dir)?;
        let searcher = index.searcher().in_index(dir)?;
        let before = searcher.segment_count();
        let plan = (self.plan)(&searcher).in_index(dir)?;
        drop(searcher);
        if !json {
            self.print_plan(dir, before, &plan)?;
        }
        if let Some(path) = self.plot {
            let heading = format!("{}: {}, the plan", dir.display(), units::count(before as u64, "segment"));
            let picture = lucerne_pictures::merges(&plan).titled(&heading).file();
            pictures::write(path, &picture, json)?;
        }
        let mut result = json!({ "plan": plan, "segments_before": before });
        if let Some(writer) = writer {
            let stop = signals::stop_flag();
            let records = (self.merge)(&writer, &stop).in_index(dir);
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
            drop(sampler);
            result["peak_anon_mb"] = memory::peak_anon_mb().into();
            result["seconds"] = started.elapsed().as_secs_f64().into();
        }
        if json { out::json(&result) } else { Ok(()) }
    }

    fn print_plan(&self, dir: &Path, before: usize, plan: &[Value]) -> Outcome {
        let (dir, segments) = (dir.display(), units::count(before as u64, "segment"));
        if plan.is_empty() {
            return out::line(&format!("{dir}: {segments}, {}", self.nothing));
        }
        out::line(&format!("{dir}: {segments}, the plan"))?;
        for merge in plan {
            out::line("")?;
            out::text(&merges::plan(merge))?;
        }
        Ok(())
    }
}

/// Per source and field what became of it, with the segment's name.
fn sources(record: &Value) -> Vec<Value> {
    let fields = record.get("fields").and_then(Value::as_object);
    let of_field = |(field, report): (&String, &Value)| {
        let sources =
            metadata::find(report, "sources").and_then(Value::as_array).cloned().unwrap_or_default();
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

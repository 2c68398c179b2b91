//! `check`: verifies an index.

use super::repair;
use crate::args::Check;
use crate::failure::{self, Code, Failure, In as _, Outcome};
use crate::render::{out, progress::PhaseBar, units};
use crate::signals;
use lucerne::admin::{self, RepairRun};
use serde_json::{Value, json};

fn self_search(searches: &admin::SelfSearchCheck) -> Value {
    json!({ "file": searches.file, "searched": searches.searched, "found": searches.found })
}

pub(super) fn run(args: &Check, json: bool) -> Outcome {
    if failure::has_lost_its_commit(&args.dir) {
        return Err(Failure::commit_is_gone(&args.dir, Code::DamageOrNoHit));
    }
    let run = if args.dry_run { RepairRun::DryRun } else { RepairRun::Repair };
    let repaired = args.repair.then(|| repair::repair(args, run)).transpose()?;
    if let (Some(repaired), false) = (&repaired, json) {
        let done = match (repaired.is_whole(), repaired.generation) {
            (true, _) => "nothing to repair".to_owned(),
            (false, Some(generation)) => format!("repaired in commit {generation}"),
            (false, None) => "a repair would do this".to_owned(),
        };
        out::line(&format!("{}: {done}", args.dir.display()))?;
        repair::print(repaired)?;
    }
    let bar = PhaseBar::new();
    let report = admin::check(&args.dir, &signals::stop_flag(), &bar).in_index(&args.dir);
    bar.finish();
    let report = report?;
    // What a repair would do is part of what is wrong.
    let planned = match &repaired {
        None if !report.ok() => Some(repair::repair(args, RepairRun::DryRun)),
        _ => None,
    };
    if json {
        let problem = |problem: &admin::Problem| json!({ "file": problem.file, "problem": problem.problem });
        let problems: Vec<Value> = report.problems.iter().map(problem).collect();
        let self_searches: Vec<Value> = report.self_searches.iter().map(self_search).collect();
        out::json(&json!({
            "ok": report.ok(),
            "generation": report.generation,
            "segments": report.segments,
            "docs": report.docs,
            "bytes": report.bytes,
            "problems": problems,
            "self_searches": self_searches,
            "repair": planned.as_ref().and_then(|it| it.as_ref().ok()).or(repaired.as_ref()).map(repair::to_json),
        }))?;
    } else {
        let read = format!(
            "generation {}, {}, {}, {} read",
            report.generation,
            units::count(report.segments as u64, "segment"),
            units::count(report.docs, "live document"),
            units::bytes(report.bytes)
        );
        match report.problems.len() {
            0 => out::line(&format!("{}: no damage ({read})", args.dir.display()))?,
            found => out::line(&format!(
                "{}: {} ({read})",
                args.dir.display(),
                units::count(found as u64, "problem")
            ))?,
        }
        for searches in report.self_searches.iter().filter(|searches| searches.is_low()) {
            out::line(&format!(
                "  warning: {}: of {} searched for themselves, {} were found",
                searches.file,
                units::count(searches.searched, "stored vector"),
                searches.found
            ))?;
        }
        for problem in &report.problems {
            repair::print_problem(problem)?;
        }
        match &planned {
            None => {}
            Some(Ok(planned)) if planned.is_whole() => out::line("A repair would find nothing to do.")?,
            Some(Ok(planned)) => {
                out::line("Repair:")?;
                repair::print(planned)?;
                out::line(&format!("hint: lucerne check {} --repair", args.dir.display()))?;
            }
            Some(Err(failure)) => {
                let problem = failure.message.as_deref().unwrap_or("stopped");
                out::line(&format!("Beyond repair, restore a backup: {problem}"))?;
            }
        }
    }
    if report.ok() { Ok(()) } else { Err(Failure::silent(Code::DamageOrNoHit)) }
}

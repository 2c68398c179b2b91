//! `check`: verifies an index.

use crate::args::Check;
use crate::failure::{Code, Failure, In as _, Outcome};
use crate::render::{out, progress::PhaseBar, units};
use crate::signals;
use lucerne::admin;
use serde_json::{Value, json};

fn self_search(searches: &admin::SelfSearchCheck) -> Value {
    json!({ "file": searches.file, "searched": searches.searched, "found": searches.found })
}

pub(super) fn run(args: &Check, json: bool) -> Outcome {
    let bar = PhaseBar::new();
    let report = admin::check(&args.dir, &signals::stop_flag(), &bar).in_index(&args.dir);
    bar.finish();
    let report = report?;
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
            // Most problems begin with the name of their file.
            if problem.problem.starts_with(&problem.file) {
                out::line(&format!("  {}", problem.problem))?;
            } else {
                out::line(&format!("  {}: {}", problem.file, problem.problem))?;
            }
        }
    }
    if report.ok() { Ok(()) } else { Err(Failure::silent(Code::DamageOrNoHit)) }
}

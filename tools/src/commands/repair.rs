//! `check --repair`, and what a check says of repairing.

use crate::args::Check;
use crate::failure::{Code, Failure, In as _, Outcome};
use crate::render::{out, progress::PhaseBar, units};
use crate::signals;
use lucerne::admin::{
    self, Deletes, LostDocument, LostInKept, LostPart, RepairOptions, RepairReport, RepairRun,
};
use lucerne::index::IndexBuilder;
use lucerne::{Error, ErrorKind};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::sync::Arc;

/// Keys of lost documents that are printed.
const MOST_LISTED: usize = 20;

/// Repairs the index, or says what a repair would do.
pub(super) fn repair(args: &Check, run: RepairRun) -> Outcome<RepairReport> {
    let mut options = RepairOptions::new().run(run).keep_lost(args.save_lost.is_some());
    if let Some(folder) = &args.damaged_to {
        options = options.damaged_to(folder);
    }
    // Before anything is changed: a file that cannot be written would be noticed too late.
    let lost_file = args.save_lost.as_deref().map(|path| {
        let file = File::create_new(path).map_err(|error| Failure::file(path, "create", &error))?;
        Ok::<_, Failure>((path, BufWriter::new(file)))
    });
    let lost_file = lost_file.transpose()?;
    let directory = lucerne::directory::FsDirectory::open(&args.dir).map_err(lucerne::Error::from);
    let directory = Arc::new(directory.in_index(&args.dir)?);
    let bar = PhaseBar::new();
    let report = admin::repair_in(IndexBuilder::new(), directory, &options, &signals::stop_flag(), &bar);
    bar.finish();
    let report = match report {
        Err(error @ Error::Codec(_)) if error.kind() == ErrorKind::Corrupt => {
            let failure = Failure::new(Code::DamageOrNoHit, error.to_string());
            return Err(failure.hint("this is beyond repair, and nothing was changed: restore a backup"));
        }
        report => report.in_index(&args.dir)?,
    };
    if let Some((path, mut file)) = lost_file {
        let lines = report.lost.iter().try_for_each(|lost| writeln!(file, "{}", lost_json(lost)));
        lines.and_then(|()| file.flush()).map_err(|error| Failure::file(path, "write", &error))?;
    }
    Ok(report)
}

/// One line of the file of lost documents, and one of the report.
fn lost_json(lost: &LostDocument) -> Value {
    let part = match &lost.part {
        LostPart::Stored => json!("stored"),
        LostPart::Vector { field } => json!({ "vector": field }),
    };
    let stored: Option<Value> = lost.stored.as_deref().and_then(|stored| serde_json::from_str(stored).ok());
    let mut line = json!({ "segment": lost.segment, "doc": lost.doc, "key": lost.key, "damaged": part });
    if let Some(fields) = line.as_object_mut() {
        if lost.perhaps_deleted {
            fields.insert("perhaps_deleted".to_owned(), json!(true));
        }
        if let Some(stored) = stored {
            fields.insert("document".to_owned(), stored);
        }
    }
    line
}

fn kept_json(kept: &LostInKept) -> Value {
    let lost: Vec<Value> = kept.lost.iter().map(lost_json).collect();
    json!({ "generation": kept.generation, "tags": kept.tags, "lost": lost })
}

/// The report, for programs.
pub(super) fn to_json(report: &RepairReport) -> Value {
    let problems = |problems: &[admin::Problem]| -> Vec<Value> {
        problems.iter().map(|it| json!({ "file": it.file, "problem": it.problem })).collect()
    };
    let segments = report.segments.iter().map(|segment| {
        let deleted = match segment.deletes {
            Deletes::Forgotten { deleted } => json!(deleted),
            Deletes::Known => Value::Null,
        };
        json!({
            "segment": segment.segment,
            "problems": problems(&segment.problems),
            "rebuilt": segment.rebuilt,
            "docs": segment.docs,
            "lost": segment.lost,
            "emptied_fields": segment.emptied_fields,
            "not_indexed": segment.not_indexed,
            "forgotten_deletes": deleted,
            "unverified": problems(&segment.unverified),
        })
    });
    json!({
        "from": report.from,
        "generation": report.generation,
        "commits": problems(&report.commits),
        "lost_tags": report.lost_tags,
        "segments": segments.collect::<Vec<_>>(),
        "lost": report.lost.iter().map(lost_json).collect::<Vec<_>>(),
        "lost_in_kept": report.lost_in_kept.iter().map(kept_json).collect::<Vec<_>>(),
    })
}

/// The report, for people.
pub(super) fn print(report: &RepairReport) -> Outcome {
    let (made, is_lost) = match report.generation {
        Some(_) => ("was made again", "are lost"),
        None => ("can be made again", "would be lost"),
    };
    for commit in &report.commits {
        print_problem(commit)?;
    }
    for tag in &report.lost_tags {
        out::line(&format!("  tag {tag:?}: its commit is beyond repair"))?;
    }
    for segment in &report.segments {
        let lost = match segment.lost {
            0 => "no document is lost".to_owned(),
            lost => format!("{} {is_lost}", units::count(u64::from(lost), "document")),
        };
        out::line(&format!("  segment {}: {} {made}; {lost}", segment.segment, segment.rebuilt.join(", ")))?;
        if !segment.emptied_fields.is_empty() {
            let fields = segment.emptied_fields.join(", ");
            out::line(&format!("    not stored, so no longer searched in these documents: {fields}"))?;
        }
        if segment.not_indexed > 0 {
            let docs = units::count(u64::from(segment.not_indexed), "document");
            out::line(&format!("    {docs} do not fit the schema: found by key and vectors only"))?;
        }
        for unverified in &segment.unverified {
            out::line(&format!("    not verified: {}: {}", unverified.file, unverified.problem))?;
        }
        if let Deletes::Forgotten { deleted } = segment.deletes {
            let docs = units::count(u64::from(deleted), "document");
            out::line(&format!(
                "    it is not known which {docs} were deleted: those without a newer version come back"
            ))?;
        }
    }
    print_lost(&report.lost, "  lost", "--json or --save-lost")?;
    for kept in &report.lost_in_kept {
        let tags = match &*kept.tags {
            [] => String::new(),
            tags => format!(" (tagged {})", tags.join(", ")),
        };
        let lost = units::count(kept.lost.len() as u64, "document");
        let commit = kept.generation;
        out::line(&format!("  of the older commit {commit}{tags}, {lost} {is_lost}: not to be added again"))?;
        print_lost(&kept.lost, "    lost there", "--json")?;
    }
    Ok(())
}

/// Lists the first of some lost documents; `all` lists all of them.
fn print_lost(lost: &[LostDocument], label: &str, all: &str) -> Outcome {
    for lost in lost.iter().take(MOST_LISTED) {
        let name = match &lost.key {
            Some(key) => format!("{key:?}"),
            None => format!("document {} of segment {}", lost.doc, lost.segment),
        };
        let part = match &lost.part {
            LostPart::Stored => "its stored fields".to_owned(),
            LostPart::Vector { field } => format!("its vector of {field:?}"),
        };
        let deleted = if lost.perhaps_deleted { "; it may have been deleted or replaced" } else { "" };
        out::line(&format!("{label}: {name} ({part}{deleted})"))?;
    }
    match lost.len().checked_sub(MOST_LISTED) {
        Some(more) if more > 0 => out::line(&format!("  and {more} more ({all} lists all)")),
        _ => Ok(()),
    }
}

/// Most problems begin with the name of their file.
pub(super) fn print_problem(problem: &admin::Problem) -> Outcome {
    if problem.problem.starts_with(&problem.file) {
        out::line(&format!("  {}", problem.problem))
    } else {
        out::line(&format!("  {}: {}", problem.file, problem.problem))
    }
}

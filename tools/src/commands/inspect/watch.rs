//! `inspect --watch`: follows commits and merges of whoever writes. A terminal shows the newest state; elsewhere each change is
//! a line.

use super::{overview, totals};
use crate::args::Inspect;
use crate::commands::under_way::{in_words, under_way};
use crate::failure::{In as _, Outcome};
use crate::render::metadata::{Numbers, list, text};
use crate::render::{out, units};
use crate::signals;
use lucerne::{Index, Searcher, admin};
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often it is looked, and how often whether to stop.
const EVERY: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(100);
/// Changes that a terminal shows.
const SHOWN: usize = 5;

/// A commit as it is shown.
struct Seen {
    searcher: Searcher,
    report: Value,
}

impl Seen {
    fn of(args: &Inspect, searcher: Searcher) -> Outcome<Self> {
        let report = admin::inspect(&searcher).in_index(&args.dir)?;
        Ok(Self { searcher, report })
    }

    fn segments(&self) -> BTreeSet<&str> {
        list(&self.report, "segments").iter().map(|segment| text(segment, "name")).collect()
    }
}

pub(super) fn run(args: &Inspect, json: bool) -> Outcome {
    let stop = signals::stop_flag();
    let numbers = if args.bytes { Numbers::Raw } else { Numbers::Units };
    let index = Index::open(&args.dir).in_index(&args.dir)?;
    let mut seen = Seen::of(args, index.searcher().in_index(&args.dir)?)?;
    let on_screen = !json && out::width().is_some();
    let mut changes: VecDeque<(Instant, String)> = VecDeque::new();
    if !on_screen {
        tell(args, json, &seen, &[], numbers)?;
    }
    loop {
        if on_screen {
            out::screen(&screen(args, &seen, &changes, numbers))?;
        }
        let until = Instant::now() + EVERY;
        while Instant::now() < until {
            if stop.is_cancelled() {
                return Ok(());
            }
            sleep(TICK);
        }
        let Some(searcher) = index.reopen_if_newer(&seen.searcher).in_index(&args.dir)? else { continue };
        let newer = Seen::of(args, searcher)?;
        let changed = changed(&seen, &newer);
        seen = newer;
        if !on_screen {
            tell(args, json, &seen, &changed, numbers)?;
        }
        for change in changed {
            changes
                .push_front((Instant::now(), format!("generation {}: {change}", seen.searcher.generation())));
        }
        changes.truncate(SHOWN);
    }
}

/// What a commit has changed, segment by segment.
fn changed(before: &Seen, now: &Seen) -> Vec<String> {
    let (old, new) = (before.segments(), now.segments());
    let added = list(&now.report, "segments").iter().filter(|segment| !old.contains(text(segment, "name")));
    let mut changed: Vec<String> = added
        .map(|segment| {
            let docs = segment.get("docs").and_then(Value::as_u64).unwrap_or(0);
            let (name, docs) = (text(segment, "name"), units::count(docs, "document"));
            let sources = segment.get("merge").map_or(&[][..], |merge| list(merge, "sources"));
            let names: Vec<&str> = sources.iter().map(|source| text(source, "segment")).collect();
            match names.len() {
                0 => format!("{name} flushed, {docs}"),
                1..=8 => format!("{name} merged from {}, {docs}", names.join(", ")),
                many => format!("{name} merged from {many} segments, {docs}"),
            }
        })
        .collect();
    if changed.is_empty() {
        let gone = old.difference(&new).count();
        changed.push(match gone {
            0 => "deletes, settings or tags".to_owned(),
            _ => format!("{} gone", units::count(gone as u64, "segment")),
        });
    }
    changed
}

fn tell(args: &Inspect, json: bool, seen: &Seen, changed: &[String], numbers: Numbers) -> Outcome {
    if json {
        let number = |name: &str| seen.report.get(name).cloned().unwrap_or_default();
        return out::json(&json!({
            "generation": number("generation"),
            "docs": number("docs"),
            "deleted": number("deleted"),
            "bytes": number("bytes"),
            "segments": seen.segments(),
            "changed": changed,
        }));
    }
    let changed = if changed.is_empty() { String::new() } else { format!(" ({})", changed.join("; ")) };
    out::line(&format!("{}{changed}", totals(&args.dir, &seen.report, numbers)))
}

fn screen(args: &Inspect, seen: &Seen, changes: &VecDeque<(Instant, String)>, numbers: Numbers) -> String {
    let mut shown = "following commits, Ctrl-C ends it\n".to_owned();
    if let Some(writing) = in_words(&under_way(&args.dir, &seen.report)) {
        shown += &format!("{writing}\n");
    }
    for (at, change) in changes {
        shown += &format!("{} s ago  {change}\n", at.elapsed().as_secs());
    }
    format!("{shown}\n{}", overview(&args.dir, &seen.searcher, &seen.report, numbers))
}

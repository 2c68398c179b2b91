//! Writes by query, beside a model: all documents of some versions at once.

use super::life::{Content, Trouble};
use lucerne::writer::ByQueryReport;
use lucerne::{Document, Range, Update, Value, Writer};

fn version(document: &Document) -> u64 {
    match document.get("version") {
        Some(Value::I64(version)) => *version as u64,
        other => panic!("the version is {other:?}"),
    }
}

/// In the model: documents of an earlier version are gone.
pub(crate) fn without_below(content: &mut Content, below: u64) {
    content.retain(|_, document| version(document) >= below);
}

/// In the model: documents of this version and later ones have the next version.
pub(crate) fn with_raised(content: &mut Content, from: u64) {
    for document in content.values_mut().filter(|document| version(document) >= from) {
        document.set("version", version(document) + 1);
    }
}

pub(crate) fn delete_below(writer: Option<&Writer>, below: u64, now: &mut Content) -> Result<(), Trouble> {
    let query = Range::new("version").lt(below);
    let report = writer.expect("a writer").delete_by_query(query)?;
    let before = now.len();
    without_below(now, below);
    whole(&report, before - now.len())
}

pub(crate) fn raise_from(writer: Option<&Writer>, from: u64, now: &mut Content) -> Result<(), Trouble> {
    let update = Update::new().increment("version", 1);
    let report = writer.expect("a writer").update_by_query(Range::new("version").gte(from), update)?;
    with_raised(now, from);
    whole(&report, now.values().filter(|document| version(document) > from).count())
}

/// Nobody else writes: what matches is changed.
fn whole(report: &ByQueryReport, expected: usize) -> Result<(), Trouble> {
    match (report.matched, report.changed, report.skipped) == (expected as u64, expected as u64, 0) {
        true => Ok(()),
        false => Err(Trouble::Wrong(format!("{report:?}, expected {expected}"))),
    }
}

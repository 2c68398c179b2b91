//! `inspect DIR FIELD`: what is in a field, by the views of the page. A histogram is a line of text.

use crate::commands::web::views;
use crate::commands::web::watched::Commit;
use crate::failure::Outcome;
use crate::render::metadata::{list, number, scalar, text};
use crate::render::sparkline::{bar, sparkline};
use crate::render::table::{Align, Rows};
use crate::render::{metadata, out, units};
use lucerne::Searcher;
use lucerne::schema::FieldType;
use serde_json::{Value, json};
use std::path::Path;

/// Letters of a histogram of codes.
const BINS: usize = 64;
/// Letters of the longest bar.
const BAR: usize = 40;

/// Whether a name is that of a field: names of segments come first.
pub(super) fn is_field(searcher: &Searcher, name: &str) -> bool {
    searcher.schema().require(name).is_ok()
}

pub(super) fn print(dir: &Path, searcher: Searcher, name: &str, json: bool) -> Outcome {
    let declared = searcher.schema().require(name);
    let of_vectors = declared.is_ok_and(|field| matches!(field.field_type(), FieldType::Vector(_)));
    let commit = Commit::new(dir, searcher);
    let view = if of_vectors { "figures" } else { "values" };
    let found = views::of_commit(view)?(&commit, &json!({ "field": name }))?;
    if json {
        return out::json(&found);
    }
    let shown = if of_vectors { vectors(&found) } else { values(&found) };
    out::text(&format!("{name}: {}\n{shown}", heading(&found)))
}

fn heading(found: &Value) -> String {
    let kind = text(found, "type");
    let docs = units::count(number(found, "docs"), "document");
    match found.get("tokens").and_then(Value::as_u64).filter(|tokens| *tokens > 0) {
        _ if kind.is_empty() => {
            "vectors, by a sample of their codes and of the nodes of the graph".to_owned()
        }
        Some(tokens) => format!("{kind}, {} in {docs} in all", units::count(tokens, "term")),
        None => format!("{kind}, {docs} in all"),
    }
}

/// Frequent terms, a histogram, or what the format reports.
fn values(found: &Value) -> String {
    if let Some(sparse) = found.get("sparse") {
        return metadata::tree(&json!({ "segments": sparse }), metadata::Numbers::Units);
    }
    if found.get("terms").is_some() {
        let terms = list(found, "terms").iter();
        return ranking(terms.map(|it| (text(it, "term").to_owned(), number(it, "docs"))).collect());
    }
    let buckets = |name: &str| {
        let buckets = found.get(name).map_or(&[][..], |it| list(it, "buckets")).iter();
        buckets
            .map(|it| (it.get("key").map(scalar).unwrap_or_default(), number(it, "doc_count")))
            .collect::<Vec<_>>()
    };
    let Some(stats) = found.get("stats") else {
        let dated = buckets("bars");
        return ranking(if dated.is_empty() { buckets("values") } else { dated });
    };
    let counts: Vec<u64> = buckets("bars").into_iter().map(|(_, count)| count).collect();
    if counts.is_empty() {
        return "no document has a value\n".to_owned();
    }
    let how =
        if found.get("logarithmic") == Some(&Value::Bool(true)) { "by equal factors" } else { "evenly" };
    let value = |of: &Value, name: &str| of.get(name).map(scalar).unwrap_or_default();
    let mut rows = Rows::new([("", Align::Left), ("value", Align::Right)]);
    rows.push(vec!["least".to_owned(), value(stats, "min")]);
    let percentiles = found.pointer("/percentiles/values").and_then(Value::as_object).into_iter().flatten();
    let mut percentiles: Vec<(&String, &Value)> = percentiles.collect();
    percentiles.sort_by_key(|(share, _)| share.parse::<f64>().map_or(u64::MAX, |share| (share * 1e3) as u64));
    for (share, value) in percentiles {
        rows.push(vec![format!("{} of 100 are at most", share.trim_end_matches(".0")), scalar(value)]);
    }
    rows.push(vec!["greatest".to_owned(), value(stats, "max")]);
    rows.push(vec!["mean".to_owned(), value(stats, "avg")]);
    let line = sparkline(&counts);
    format!(
        "  │{line}│  least to 99 of 100, {how}; the last bar has what is above\n\n{}",
        rows.text(None, usize::MAX)
    )
}

/// Names with their numbers, and bars.
fn ranking(entries: Vec<(String, u64)>) -> String {
    let most = entries.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let mut rows = Rows::new([("", Align::Left), ("documents", Align::Right), ("", Align::Left)]);
    for (name, count) in entries {
        rows.push(vec![name, units::grouped(count), bar(count, most, BAR)]);
    }
    rows.text(None, usize::MAX)
}

/// For each segment how codes lie between its quantiles, and how many links nodes have.
fn vectors(found: &Value) -> String {
    let mut shown = String::new();
    for segment in list(found, "segments") {
        let figures = segment.get("figures").unwrap_or(&Value::Null);
        let counts =
            |name: &str| -> Vec<u64> { list(figures, name).iter().filter_map(Value::as_u64).collect() };
        shown += &format!(
            "{}, {} sampled\n",
            text(segment, "segment"),
            units::count(number(figures, "sampled"), "vector")
        );
        let codes = counts("codes");
        if let (Some(first), Some(last)) = (codes.first(), codes.last()) {
            let wide = codes.len().div_ceil(BINS).max(1);
            let binned: Vec<u64> = codes.chunks(wide).map(|bin| bin.iter().sum()).collect();
            let at_ends = (first + last) as f64 / codes.iter().sum::<u64>().max(1) as f64;
            shown += &format!(
                "  codes  │{}│  {:.2} % at or beyond a quantile\n",
                sparkline(&binned),
                at_ends * 100.0
            );
        }
        if let Some(error) = figures.get("code_error") {
            let share = |name: &str| error.get(name).and_then(Value::as_f64).unwrap_or(0.0) * 100.0;
            let (median, p99, worst) = (share("median"), share("p99"), share("worst"));
            shown += &format!(
                "  error  median {median:.2} %, 99 of 100 {p99:.2} %, worst {worst:.2} % of the length\n"
            );
        }
        let degrees = counts("degrees");
        if !degrees.is_empty() {
            shown +=
                &format!("  links  │{}│  nodes with 0 to {} links\n", sparkline(&degrees), degrees.len() - 1);
        }
    }
    if shown.is_empty() { "no document has a vector\n".to_owned() } else { shown }
}

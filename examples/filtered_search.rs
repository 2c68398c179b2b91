//! Filtered search: the nearest neighbors among the documents that match a filter, and how the search was done.
//!
//! `cargo run --release --example filtered_search`, from any folder, without arguments.
#![allow(clippy::print_stdout, missing_docs, reason = "an example talks to a person")]

#[path = "common/npy.rs"]
mod npy;
#[path = "common/sample.rs"]
mod sample;
#[path = "common/table.rs"]
#[allow(dead_code, reason = "the number format is for other examples")]
mod table;

use lucerne::Knn;
use lucerne::query::QueryParser;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The query, by its row in `queries.jsonl`.
const QUERY: usize = 9;
/// Filters, as one types them.
const FILTERS: [&str; 6] = [
    "*:*",
    "section:web",
    "section:(web OR devel) AND installed_size:<1000",
    "tags:interface\\:\\:x11 AND NOT section:games",
    "description:browser",
    "section:nowhere",
];

fn main() -> Result<()> {
    print!("{}", report(tempfile::tempdir()?.path())?);
    Ok(())
}

/// For each filter the number of documents that match, and the three nearest of them.
pub(crate) fn report(folder: &Path) -> Result<String> {
    let searcher = sample::index(&folder.join("packages.idx"))?;
    let parser = QueryParser::new(searcher.schema());
    let (words, vector) = sample::query(QUERY)?;
    let mut table = table::Table::new(["filter", "match", "strategy", "compared", "nearest"]);
    for text in FILTERS {
        let filter = parser.parse_query(text)?;
        let matches = searcher.count(filter.clone())?;
        let hits = searcher.search(Knn::new("embedding", &vector).k(3).rescore(2.0).filter(filter))?;
        let strategies: Vec<&str> = hits.segments.iter().map(|segment| segment.strategy).collect();
        let compared: u64 = hits.segments.iter().map(|segment| segment.visited).sum();
        table.row([
            text.to_owned(),
            matches.to_string(),
            strategies.join(", "),
            compared.to_string(),
            hits.keys().join(", "),
        ]);
    }
    let mut report = String::new();
    writeln!(report, "The packages nearest to “{words}”:\n{}", table.text())?;
    // Filtering after the search may return fewer than k.
    let filter = parser.parse_query("description:browser")?;
    let after = searcher.search(Knn::new("embedding", &vector).k(3).filter(filter).post_filter())?;
    writeln!(report, "description:browser, filtered after the search: {}", after.keys().join(", "))?;
    Ok(report)
}

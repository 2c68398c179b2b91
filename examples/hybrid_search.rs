//! Hybrid search: the same queries by text, by vector, by both (reciprocal rank fusion), and by text with the best hits
//! reranked by their vectors.
//!
//! `cargo run --release --example hybrid_search`, from any folder, without arguments.
#![allow(clippy::print_stdout, missing_docs, reason = "an example talks to a person")]

#[path = "common/npy.rs"]
mod npy;
#[path = "common/sample.rs"]
mod sample;
#[path = "common/table.rs"]
#[allow(dead_code, reason = "the number format is for other examples")]
mod table;

use lucerne::{Fuse, Knn, Match, Rerank, Search};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Queries, by their row in `queries.jsonl`.
const QUERIES: [usize; 3] = [9, 15, 65];
const HITS: usize = 5;

fn main() -> Result<()> {
    print!("{}", report(tempfile::tempdir()?.path())?);
    Ok(())
}

/// The hits of each query, a column for each way to search.
pub(crate) fn report(folder: &Path) -> Result<String> {
    let searcher = sample::index(&folder.join("packages.idx"))?;
    let mut report = String::new();
    for row in QUERIES {
        let (words, vector) = sample::query(row)?;
        let text = Match::new("description", &*words);
        // Fusion takes the best 100 of each ranking: the kNN query must find as many.
        let near = Knn::new("embedding", &vector).k(100);
        let rerank = Rerank::vector("embedding", &vector).window(100).weight(20.0);
        let searches = [
            Search::new(text.clone()),
            Search::new(near.clone()),
            Search::new(Fuse::rrf().query(text.clone()).query(near)),
            Search::new(text).rerank(rerank),
        ];
        let hits = searches.map(|search| searcher.search(search.limit(HITS)));
        let mut table = table::Table::new(["text", "vector", "fused", "reranked"]);
        let columns = hits.into_iter().collect::<lucerne::Result<Vec<_>>>()?;
        for rank in 0..HITS {
            table.row(columns.iter().map(|hits| hits.hits.get(rank).map_or("", |hit| &*hit.key)));
        }
        writeln!(report, "“{words}”\n{}", table.text())?;
    }
    Ok(report)
}

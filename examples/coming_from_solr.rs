//! Coming from Solr: a dense vector field, `vectorDimension="4" similarityFunction="cosine" hnswMaxConnections="10"
//! hnswBeamWidth="40"`, its queries, and what they find.
//!
//! `cargo run --release --example coming_from_solr`, from any folder, without arguments.
#![allow(clippy::print_stdout, missing_docs, reason = "an example talks to a person")]

use lucerne::query::QueryParser;
use lucerne::schema::Quantization;
use lucerne::{Document, Hits, Index, Knn, Rerank, Schema, Search, Searcher, Similarity, Vector};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const QUERY: [f32; 4] = [1.0, 2.0, 3.0, 4.0];
const KNN: &str = "{!knn f=vector topK=10}[1.0, 2.0, 3.0, 4.0]";

/// The first documents, one to a line.
const DOCUMENTS: &str = r#"{"id":"1","vector":[1.0,2.5,3.7,4.1]}
{"id":"2","vector":[1.5,5.5,6.7,65.1]}"#;

/// More of them, so that filters and reranking have something to choose from.
const MORE: [(&str, [f32; 4]); 8] = [
    ("3", [3.0, 1.0, 0.0, 1.0]),
    ("4", [1.0, 2.0, 3.0, 2.0]),
    ("5", [4.0, 0.0, 0.0, 1.0]),
    ("6", [1.0, 0.0, 0.0, 0.0]),
    ("7", [2.0, -1.0, 0.0, 0.0]),
    ("8", [-1.0, 0.0, 0.0, 0.0]),
    ("9", [5.0, 1.0, 0.0, 0.0]),
    ("10", [4.0, 3.0, 2.0, 1.0]),
];

fn main() -> Result<()> {
    print!("{}", report(tempfile::tempdir()?.path())?);
    Ok(())
}

/// What the queries find, in an index that is made in this folder.
pub(crate) fn report(folder: &Path) -> Result<String> {
    let mut report = String::new();
    // Solr keeps the vectors as they are: no codes, so that every distance is exact.
    let vector = Vector::f32(4).similarity(Similarity::Cosine).m(10).beam_width(40);
    let schema =
        Schema::builder().key("id").vector("vector", vector.quantization(Quantization::None)).build()?;
    let index = Index::create(folder.join("solr.idx"), schema)?;
    let writer = index.writer()?;
    for line in DOCUMENTS.lines() {
        writer.add(&Document::from_json(line)?)?;
    }
    writer.commit()?;
    let show = |report: &mut String, title: &str, hits: Hits| {
        let scores = hits.hits.iter().map(|hit| format!("  {:>2}  {:.6}\n", hit.key, hit.score));
        write!(report, "{title}\n{}\n", scores.collect::<String>())
    };
    let ask = |searcher: &Searcher, query: &str, filter: Option<&str>| -> Result<Hits> {
        let parser = QueryParser::new(searcher.schema());
        let mut search = parser.parse(query)?;
        if let Some(filter) = filter {
            search = search.filter(parser.parse_query(filter)?);
        }
        Ok(searcher.search(search)?)
    };

    let searcher = index.searcher()?;
    show(&mut report, &format!("q={KNN}"), ask(&searcher, KNN, None)?)?;

    for (id, vector) in MORE {
        writer.add(&Document::new().with("id", id).with("vector", vector))?;
    }
    writer.commit()?;
    let searcher = index.searcher()?;
    let parser = QueryParser::new(searcher.schema());

    show(&mut report, &format!("q={KNN}, fq=id:(1 2 3)"), ask(&searcher, KNN, Some("id:(1 2 3)"))?)?;
    show(&mut report, &format!("q=id:(1 2 3), fq={KNN}"), ask(&searcher, "id:(1 2 3)", Some(KNN))?)?;

    // The nearest four are 1, 4, 2, 10. A filter is applied before the search, or after it.
    let filter = parser.parse_query("id:(3 2 9 4)")?;
    let knn = Knn::new("vector", QUERY).k(4).filter(filter);
    show(&mut report, "topK=4 among id:(3 2 9 4), filtered before", searcher.search(&knn)?)?;
    show(&mut report, "topK=4, of these id:(3 2 9 4), filtered after", searcher.search(knn.post_filter())?)?;

    // Final score: that of the first pass, and the weight times the similarity.
    let first: Search = parser.parse("id:(3 4 9 2)")?;
    let rerank = Rerank::vector("vector", QUERY).window(4).weight(1.0);
    show(
        &mut report,
        "q=id:(3 4 9 2) reranked by the vector, window 4, weight 1",
        searcher.search(first.clone().rerank(rerank.clone()))?,
    )?;
    show(
        &mut report,
        "the same as Solr does it with topK=4: nothing for documents that are not among the 4 nearest",
        searcher.search(first.rerank(rerank.compat_topk(4)))?,
    )?;
    Ok(report)
}

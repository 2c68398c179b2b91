//! `relevance`: measures recall, MRR and nDCG against relevance judgements.

use crate::args::Relevance as Args;
use crate::commands::{searcher, shape};
use crate::failure::{Failure, In as _, Outcome};
use crate::input;
use crate::render::progress::PhaseBar;
use crate::render::table::{Align, Rows};
use crate::render::{out, units};
use crate::vectors::VectorFile;
use lucerne::admin::{Judgements, Measures, RelevanceSet, Unmatched};
use lucerne::codec::Progress as _;
use lucerne::limits::MAX_K;
use lucerne::{Fuse, Knn, Match, Query, Searcher};
use serde_json::json;
use std::path::Path;

/// Unmatched passages that are named.
const NAMED: usize = 5;
/// Characters of a passage that are shown.
const SHOWN: usize = 60;

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let searcher = searcher(&args.dir)?;
    let text = input::read_text(&args.file, "JSON lines of queries and passages")?;
    let set = RelevanceSet::from_jsonl(&text).map_err(|error| Failure::content(&args.file, error))?;
    if set.queries().len() == 0 {
        return Err(Failure::content(&args.file, "no queries"));
    }
    let most = args.k.iter().copied().max().unwrap_or_default();
    if args.k.contains(&0) || most > MAX_K {
        return Err(Failure::usage(format!("-k {most}: expected 1 to {MAX_K}")));
    }
    let judgements = set.judgements(&searcher, args.passages.as_deref()).in_index(&args.dir)?;
    let queries = queries(args, &searcher, &set, most)?;
    let (bar, total) = (PhaseBar::new(), queries.len() as u64);
    let mut rankings = Vec::with_capacity(queries.len());
    for query in queries {
        bar.report("searches", rankings.len() as u64, total);
        let hits = searcher.search(query).in_index(&args.dir)?.hits;
        rankings.push(hits.into_iter().map(|hit| hit.key).collect::<Vec<String>>());
    }
    bar.finish();
    let measures: Vec<Measures> = args.k.iter().map(|&k| judgements.measure(&rankings, k)).collect();
    if json {
        out::json(&as_json(&judgements, &measures))?;
    } else {
        out::text(&table(&judgements, &measures))?;
    }
    warn(args, "right", &judgements.unmatched_right);
    warn(args, "wrong", &judgements.unmatched_wrong);
    Ok(())
}

fn queries(args: &Args, searcher: &Searcher, set: &RelevanceSet, k: usize) -> Outcome<Vec<lucerne::Search>> {
    let words = |text: &str| args.text.as_ref().map(|field| Query::from(Match::new(field, text)));
    let vectors = match (&args.field, &args.queries) {
        (Some(field), Some(path)) => Some(knn(args, searcher, field, path, set.queries().len(), k)?),
        _ => None,
    };
    let mut vectors = vectors.into_iter().flatten();
    let query = |text: &str| match (words(text), vectors.next()) {
        (Some(words), Some(knn)) => {
            lucerne::Search::from(Fuse::rrf().query(words).query(knn).window(k.max(100)))
        }
        (Some(words), None) => lucerne::Search::from(words),
        (None, knn) => lucerne::Search::from(knn.map_or_else(Query::all, Query::from)),
    };
    Ok(set.queries().map(query).map(|search| search.limit(k)).collect())
}

fn knn(
    args: &Args,
    searcher: &Searcher,
    field: &str,
    path: &Path,
    wanted: usize,
    k: usize,
) -> Outcome<Vec<Knn>> {
    let shape = shape(searcher.schema(), field)?;
    let mut file = VectorFile::open(path, Some(shape))?;
    file.expect(field, shape)?;
    if file.rows() != wanted as u64 {
        let problem = format!("{} rows, {} has {wanted} queries", file.rows(), args.file.display());
        return Err(Failure::content(path, problem).hint("one row for each line, in the same order"));
    }
    let query = |row| {
        let knn = Knn::new(field, file.row(row)?).k(k);
        Ok(match args.candidates {
            Some(candidates) => knn.candidates(candidates),
            None => knn,
        })
    };
    (0..wanted as u64).map(query).collect()
}

fn table(judgements: &Judgements, measures: &[Measures]) -> String {
    let heading = ["k", "recall", "MRR", "nDCG", "negatives"].map(|name| (name, Align::Right));
    let mut rows = Rows::new(heading);
    for found in measures {
        let numbers = [found.recall, found.mrr, found.ndcg, found.negatives];
        let numbers = numbers.map(|number| format!("{number:.4}"));
        rows.push([found.k.to_string()].into_iter().chain(numbers).collect());
    }
    format!(
        "queries {}, and {} without a right passage in the index; {} found\n{}",
        measures.first().map_or(0, |found| found.queries),
        judgements.unanswerable(),
        units::count(judgements.matched as u64, "passage"),
        rows.text(None, usize::MAX)
    )
}

fn as_json(judgements: &Judgements, measures: &[Measures]) -> serde_json::Value {
    let unmatched = |all: &[Unmatched]| -> Vec<_> {
        all.iter().map(|one| json!({ "line": one.line, "passage": one.passage })).collect()
    };
    let measures = measures.iter().map(|found| {
        json!({ "k": found.k, "queries": found.queries, "recall": found.recall, "mrr": found.mrr,
            "ndcg": found.ndcg, "negatives": found.negatives })
    });
    json!({
        "measures": measures.collect::<Vec<_>>(),
        "not_measured": judgements.unanswerable(),
        "matched": judgements.matched,
        "unmatched_right": unmatched(&judgements.unmatched_right),
        "unmatched_wrong": unmatched(&judgements.unmatched_wrong),
    })
}

fn warn(args: &Args, kind: &str, unmatched: &[Unmatched]) {
    if unmatched.is_empty() {
        return;
    }
    let named = unmatched.iter().take(NAMED).map(|one| {
        let cut: String = one.passage.chars().take(SHOWN).collect();
        format!("{cut:?} (line {})", one.line)
    });
    let more = if unmatched.len() > NAMED { ", …" } else { "" };
    out::warning(&format!(
        "{}: {} {kind} passages are not in the index: {}{more}",
        args.file.display(),
        unmatched.len(),
        named.collect::<Vec<_>>().join(", ")
    ));
}

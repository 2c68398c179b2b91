//! `drop-raw`: what the raw vectors of a field are worth, then the index without them.

use crate::args::DropRaw;
use crate::commands::shape;
use crate::failure::{In as _, Outcome};
use crate::render::progress::PhaseBar;
use crate::render::table::{Align, Rows};
use crate::render::{out, units};
use lucerne::admin::{self, RawLoss};
use lucerne::merge::MergePolicy;
use lucerne::{Cancel, Index, WriterOptions};
use serde_json::json;

pub(super) fn run(args: &DropRaw, json: bool) -> Outcome {
    let dir = &args.dir;
    let index = Index::open(dir).in_index(dir)?;
    let writer = index.writer_with(WriterOptions::new().merge_policy(MergePolicy::None)).in_index(dir)?;
    shape(&writer.schema(), &args.field)?;
    let bar = PhaseBar::new();
    let loss = admin::raw_loss(&index, &args.field, &Cancel::new(), &bar);
    bar.finish();
    let loss = loss.in_index(dir)?;
    if !json {
        out::text(&table(&args.field, &loss))?;
    }
    let generation = if args.dry_run {
        writer.generation()
    } else {
        writer.drop_raw(&args.field).in_index(dir)?;
        writer.commit().in_index(dir)?
    };
    if json {
        return out::json(&json!({
            "index": dir.display().to_string(),
            "generation": generation,
            "field": args.field,
            "dry_run": args.dry_run,
            "k": loss.k,
            "queries": loss.queries,
            "recall": loss.recall,
            "recall_rescored": loss.rescored,
            "recall_without_raw": loss.without_raw,
            "segments": loss.segments,
            "bytes": loss.bytes,
        }));
    }
    let bytes = units::bytes(loss.bytes);
    match args.dry_run {
        true => out::line(&format!("{bytes} would be won. Nothing was changed (--dry-run).")),
        false => out::line(&format!("{bytes} won; raw vectors are not kept (generation {generation}).")),
    }
}

fn table(field: &str, loss: &RawLoss) -> String {
    let found = format!("recall@{}", loss.k);
    let mut rows = Rows::new([("search", Align::Left), (&found, Align::Right)]);
    for (search, recall) in [
        ("default, now", loss.recall),
        ("rescored, now", loss.rescored),
        ("default, without raw vectors", loss.without_raw),
    ] {
        rows.push(vec![search.to_owned(), format!("{recall:.4}")]);
    }
    let title =
        format!("{field}: searched for {} of its vectors, {} segments\n", loss.queries, loss.segments);
    out::printable(&title) + &rows.text(None, usize::MAX)
}

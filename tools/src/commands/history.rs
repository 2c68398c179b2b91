//! `tag`, `tags`, `untag` and `restore`: commits that are kept.

use crate::args::{Restore, Tag, Tags, Untag};
use crate::failure::{In as _, Outcome};
use crate::render::{out, units};
use lucerne::index::CommitRef;
use lucerne::merge::MergePolicy;
use lucerne::{Index, Writer, WriterOptions};
use serde_json::{Value, json};
use std::path::Path;

/// Does something with a writer that starts no merges, and says which commit there is after it.
fn with_writer(
    dir: &Path,
    json: bool,
    done: &str,
    work: impl FnOnce(&Writer) -> lucerne::Result<u64>,
) -> Outcome {
    let index = Index::open(dir).in_index(dir)?;
    let writer = index.writer_with(WriterOptions::new().merge_policy(MergePolicy::None)).in_index(dir)?;
    let generation = work(&writer).in_index(dir)?;
    let docs = index.searcher().in_index(dir)?.len();
    writer.close().in_index(dir)?;
    if json {
        return out::json(&json!({ "generation": generation, "docs": docs }));
    }
    let docs = units::count(docs, "document");
    out::line(&format!("{}: {done}; generation {generation}, {docs}", dir.display()))
}

pub(super) fn tag(args: &Tag, json: bool) -> Outcome {
    let done = format!("tagged {}", args.tag);
    with_writer(&args.dir, json, &done, |writer| match &args.at {
        None => writer.tag(&args.tag),
        Some(at) => writer.tag_at(&args.tag, at.clone()),
    })
}

pub(super) fn untag(args: &Untag, json: bool) -> Outcome {
    let done = format!("tag {} is gone", args.tag);
    with_writer(&args.dir, json, &done, |writer| writer.untag(&args.tag))
}

pub(super) fn restore(args: &Restore, json: bool) -> Outcome {
    let at = match &args.at {
        CommitRef::Tag(tag) => tag.clone(),
        CommitRef::Generation(generation) => format!("commit {generation}"),
    };
    with_writer(&args.dir, json, &format!("restored {at}"), |writer| writer.restore(args.at.clone()))
}

pub(super) fn tags(args: &Tags, json: bool) -> Outcome {
    let dir = &args.dir;
    let index = Index::open(dir).in_index(dir)?;
    let (tags, generations) = (index.tags().in_index(dir)?, index.commits().in_index(dir)?);
    let mut commits = Vec::new();
    for generation in generations {
        let docs = index.open_at(generation).in_index(dir)?.len();
        let own = tags.iter().filter(|(_, tagged)| **tagged == generation);
        let own: Vec<&str> = own.map(|(tag, _)| &**tag).collect();
        if json {
            commits.push(json!({ "generation": generation, "docs": docs, "tags": own }));
            continue;
        }
        let docs = units::count(docs, "document");
        let names = if own.is_empty() { String::new() } else { format!("  {}", own.join(", ")) };
        out::line(&format!("{generation:>6}  {docs}{names}"))?;
    }
    if json { out::json(&Value::Array(commits)) } else { Ok(()) }
}

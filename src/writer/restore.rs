//! Back to a commit that is kept.

use super::commit::{Committed, collect_garbage, fail};
use super::shared::{Stopped, WriterInner};
use crate::commit::history::CommitRef;
use crate::commit::publish;
use crate::document::FieldAnalyzers;
use crate::error::Result;
use lucerne_codec::Directory as _;
use lucerne_codec::commit::{CommitInfo, CommitOrigin};
use parking_lot::Mutex;
use std::sync::Arc;

/// Publishes a commit that holds what the commit `at` holds, and goes on from there.
pub(crate) fn restore(writer: &WriterInner, committed: &Mutex<Committed>, at: &CommitRef) -> Result<u64> {
    let mut committed = committed.lock();
    writer.check_takes_writes()?;
    committed.check_last(writer, &writer.directory.list()?)?;
    let wanted = writer.store.kept_commit(Default::default(), at)?;
    FieldAnalyzers::of(&wanted.schema, &writer.store.analyzers)?;
    let generation = committed.next_generation;
    let (last, old) = (committed.info(), &wanted.commit.info);
    let info = CommitInfo {
        generation,
        next_segment: writer.next_segment(),
        next_key: last.next_key.max(old.next_key),
        written_by: crate::limits::WRITTEN_BY.to_owned(),
        lineage: last.lineage.or(old.lineage),
        origin: CommitOrigin::Writer,
        tags: last.tags.clone(),
        older_commits: last.older_commits,
        ..old.clone()
    };
    let directory = &*writer.directory;
    committed.next_generation += 1;
    // All its files are durable: the commit `at` has them.
    publish::prepare(directory, &writer.store.registry, &info, &[])
        .map_err(|failure| fail(writer, failure))?;
    publish::publish(directory, generation).map_err(|failure| fail(writer, failure))?;
    let snapshot = writer.store.reopened(wanted, info);
    let gone_back = {
        let _exclusive = writer.commit_barrier.write();
        writer.go_back_to(&snapshot)
    };
    let sequence_number = gone_back.inspect_err(|error| {
        writer.stop(Stopped::Failed(error.to_string())); // What it has is not what was published.
    })?;
    committed.succeed(snapshot);
    writer.store.set_latest(sequence_number, Arc::clone(&committed.snapshot));
    tracing::info!(generation, %at, "restored");
    collect_garbage(writer, &committed);
    Ok(generation)
}

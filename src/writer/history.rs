//! Commits that are kept: naming them, and going back to one.

use super::commit::{Committed, collect_garbage, fail};
use super::shared::{Stopped, WriterInner};
use crate::commit::history::{self, CommitRef};
use crate::commit::publish;
use crate::document::FieldAnalyzers;
use crate::error::{Error, Result};
use crate::reader::Snapshot;
use lucerne_codec::Directory as _;
use lucerne_codec::commit::{CommitInfo, CommitOrigin};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a commit changes beside documents and schema.
pub(crate) enum Change {
    Nothing,
    UserData(BTreeMap<String, String>),
    /// Names the commit itself.
    Tag(String),
    /// Names one before it.
    TagAt(String, CommitRef),
    Untag(String),
}

/// The tags of the commit `generation`, which makes a change and follows `last`.
pub(crate) fn changed_tags(
    last: &CommitInfo,
    change: &Change,
    generation: u64,
    names: &[String],
) -> Result<BTreeMap<String, u64>> {
    let mut tags = last.tags.clone();
    let (tag, tagged) = match change {
        Change::Nothing | Change::UserData(_) => return Ok(tags),
        Change::Untag(tag) => {
            let removed = tags.remove(tag);
            // The error lists what there is.
            removed.map_or_else(|| history::resolve(&CommitRef::Tag(tag.clone()), last, names), Ok)?;
            return Ok(tags);
        }
        Change::Tag(tag) => (tag, generation),
        Change::TagAt(tag, at) => (tag, history::resolve(at, last, names)?),
    };
    history::check_tag(tag)?;
    match tags.insert(tag.clone(), tagged) {
        None => Ok(tags),
        Some(taken) => Err(Error::Invalid(format!(
            "tag {tag:?} names commit {taken} already; untag it first, or choose another name"
        ))),
    }
}

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
    let sequence_number = writer.go_back_to(&snapshot).inspect_err(|error| {
        writer.stop(Stopped::Failed(error.to_string())); // What it has is not what was published.
    })?;
    committed.succeed(snapshot);
    writer.store.set_latest(sequence_number, Arc::clone(&committed.snapshot));
    tracing::info!(generation, %at, "restored");
    collect_garbage(writer, &committed);
    Ok(generation)
}

impl WriterInner {
    /// Drops everything that is not in `snapshot`, its schema is in force; returns the sequence number of that.
    fn go_back_to(&self, snapshot: &Snapshot) -> Result<u64> {
        let _exclusive = self.commit_barrier.write();
        self.replace_schema(&snapshot.schema)?;
        Ok(self.reset_uncommitted(snapshot))
    }
}

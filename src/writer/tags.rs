//! What a commit changes beside documents and schema: user data, and names of commits that are kept.

use crate::commit::history::{self, CommitRef};
use crate::error::{Error, Result};
use lucerne_codec::commit::CommitInfo;
use std::collections::BTreeMap;

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

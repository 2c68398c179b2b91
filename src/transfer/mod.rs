//! Segments from elsewhere: built by many processes and published by one, or taken from other indexes.
//!
//! [`SegmentBuilder`] writes one segment into any folder and returns a [`SegmentHandle`];
//! [`crate::Index::publish`] makes any number of them visible in one commit, all or nothing;
//! [`crate::Index::add_indexes`] does the same with whole indexes; [`crate::Index::sweep_orphans`] removes
//! what was built and never published.

mod builder;
mod copy;
mod handle;
mod publish;

pub use builder::SegmentBuilder;
pub use handle::SegmentHandle;
pub(crate) use publish::{add_indexes, publish, sweep};

/// How the name of every built segment begins. The writer of an index never touches such files.
const BUILT_PREFIX: &str = "built_";

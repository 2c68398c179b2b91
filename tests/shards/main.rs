//! What an index in shards promises: searches find what one index of all documents finds.

#[path = "../common/mod.rs"]
mod common;

mod folders;
mod model;

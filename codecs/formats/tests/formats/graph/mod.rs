//! Graphs: recall, determinism, reachability, merging, and hostile bytes.

mod build;
mod file;
mod merge;
mod search;
mod support;

//! Graphs: recall, determinism, reachability, merging, and hostile bytes.

mod build;
mod bulk;
mod file;
mod merge;
mod reach;
mod refine;
mod search;
mod support;

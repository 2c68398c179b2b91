//! Graphs: recall, determinism, reachability, merging, and hostile bytes.

mod build;
mod file;
mod merge;
mod reach;
mod search;
mod support;

//! Hierarchical navigable small world graphs: the algorithms ([`graph`]) and their bytes ([`mod@file`]).

pub mod file;
pub mod graph;

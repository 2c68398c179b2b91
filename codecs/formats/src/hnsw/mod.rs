//! Hierarchical navigable small world graphs: the algorithms ([`graph`]) and their bytes ([`file`]).

pub mod file;
pub mod graph;

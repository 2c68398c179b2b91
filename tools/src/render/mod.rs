//! Printing: tables, units, progress, metadata.

mod aggregations;
pub(crate) mod hits;
pub(crate) mod merges;
pub(crate) mod metadata;
pub(crate) mod out;
pub(crate) mod progress;
pub(crate) mod sparkline;
pub(crate) mod table;
pub(crate) mod units;

//! Looking after an index: what is in it, and whether it is whole.

mod check;
mod inspect;

pub use check::{CheckReport, Problem, check, check_in};
pub use inspect::inspect;

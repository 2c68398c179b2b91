//! `flat_bits`: raw binary vectors. The file is that of `flat_f32`, rows and nothing else, with eight components in a
//! byte; here is what differs, which is how rows are compared.

pub mod metric;
pub mod pairs;

pub use metric::BitQuery;
pub use pairs::GraphBits;

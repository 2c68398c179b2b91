//! `flat_bits`: raw binary vectors. The file is that of `flat_f32`, rows and nothing else, with eight components in a
//! byte; here is what differs, which is how rows are compared.

pub mod metric;
pub mod pairs;

pub use metric::BitQuery;
pub use pairs::BitPairs;

/// Format name in the header of a `.vec` file of bits.
pub const FORMAT: &str = "flat_bits";
/// Version written.
pub const VERSION: u32 = 1;

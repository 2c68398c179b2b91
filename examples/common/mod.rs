//! What examples and benches share: reading `.npy` files and printing tables.

pub(crate) mod npy;
pub(crate) mod table;

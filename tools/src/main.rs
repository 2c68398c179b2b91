//! The lucerne command line.
fn main() {}

//! Conformance suites: what every format must do, run by one call from a format's own tests.

pub mod ram;

pub use ram::MemoryDirectory;

//! The README and the examples say what is so.

mod examples;
mod readme;

//! The README, the guides and the examples are right.
#![allow(clippy::duplicate_mod, reason = "each example is a program and has its own `mod common`")]

mod examples;
mod guides;
mod readme;

//! The README, the guides and the examples are right.

mod examples;
mod guides;
mod readme;

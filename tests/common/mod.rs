//! What the tests share.
#![allow(dead_code, reason = "no test uses everything")]

pub(crate) mod brute_force;
pub(crate) mod by_query;
pub(crate) mod documents;
pub(crate) mod faults;
pub(crate) mod files;
pub(crate) mod life;
pub(crate) mod rng;
pub(crate) mod sample;
pub(crate) mod sparse;

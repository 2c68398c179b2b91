//! What the tests of promises share.
#![allow(dead_code, reason = "no test uses everything")]

pub(crate) mod documents;
pub(crate) mod faults;
pub(crate) mod files;
pub(crate) mod life;
pub(crate) mod npy;
pub(crate) mod oracle;
pub(crate) mod rng;

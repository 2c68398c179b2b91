//! The built-in formats of a lucerne segment, one folder (or file) per format version.
//!
//! [`builtin`] returns all of them; nothing above this crate names one. Bytes are described in
//! `codecs/FORMATS.md`.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

//! Recall that can be asked for: what a search of a segment finds by how much it does, measured when the segment is
//! written, and the least effort that finds a wanted share.
//!
//! | file | idea |
//! |---|---|
//! | `curve` | the measured curves, kept in the segment's metadata, and what they say of a wish |
//! | `sample` | the queries: some of the segment's own vectors, and their true neighbors |
//! | `measure` | searching for the sample with more and more candidates |
//! | `outcomes` | what these searches found, and the points of a curve that follow |
//! | `threads` | the same for many queries, on several threads |

pub(super) mod curve;
pub(super) mod measure;
mod outcomes;
mod sample;
mod threads;

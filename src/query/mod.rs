//! Queries: what is asked, as plain data.

mod knn;

pub use knn::Knn;

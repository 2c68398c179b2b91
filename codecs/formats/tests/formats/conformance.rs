//! The built-in formats keep every promise of the contract's conformance suites.

use lucerne_codec::testing;
use lucerne_formats::builtin;

#[test]
fn stored() {
    builtin().stored.iter().for_each(|format| testing::check_stored_format(&**format));
}

#[test]
fn keys() {
    builtin().keys.iter().for_each(|format| testing::check_keys_format(&**format));
}

#[test]
fn columns() {
    builtin().columns.iter().for_each(|format| testing::check_columns_format(&**format));
}

#[test]
fn postings() {
    builtin().postings.iter().for_each(|format| testing::check_postings_format(&**format));
}

#[test]
fn sparse() {
    builtin().sparse.iter().for_each(|format| testing::check_sparse_format(&**format));
}

#[test]
fn live_docs() {
    builtin().live_docs.iter().for_each(|format| testing::check_live_docs_format(&**format));
}

#[test]
fn segment_info() {
    testing::check_segment_info_format(&*builtin().segment_info);
}

#[test]
fn commit() {
    testing::check_commit_format(&*builtin().commit);
}

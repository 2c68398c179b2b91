//! What each syntax means, and what its errors say.

mod errors;
mod json;
mod lenient;
mod lucene;
mod redis;
mod solr;
mod syntaxes;

use super::QueryParser;
use crate::query::Search;
use crate::schema::{Schema, Vector};

fn schema() -> Schema {
    let schema = Schema::builder().key("id").text("title").text("body").keyword("section").keyword("tags");
    let schema = schema.i64("size").f64("price").bool("free").date("made").vector("vector", Vector::f32(4));
    schema.build().unwrap()
}

fn parser() -> QueryParser {
    let parser = QueryParser::new(&schema()).param("v", [1.0, 2.0, 3.0, 4.0]).param("k", 7);
    let bytes = lucerne_codec::io::bytes::from_f32s(&[0.5, 1.0, 1.5, 2.0]);
    parser.param_bytes("b", bytes).param("list", "[4, 3, 2.5, 1]").param("most", 10.5).param("name", "perl")
}

/// The query of a text, in JSON.
#[track_caller]
fn query(text: &str) -> serde_json::Value {
    let search = parser().parse(text).unwrap_or_else(|error| panic!("{error}"));
    serde_json::to_value(&search.query).unwrap()
}

/// Compares queries with what they mean, and the JSON form with itself.
#[track_caller]
fn assert_table(table: impl IntoIterator<Item = (&'static str, serde_json::Value)>) {
    for (text, expected) in table {
        assert_eq!(query(text), expected, "{text}");
        let search = parser().parse(text).unwrap();
        assert_eq!(Search::from_json(&search.to_json()).unwrap(), search, "{text}");
    }
}

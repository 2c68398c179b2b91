//! lucerne.

use crate::documents::Doc;
use crate::{Engine, Failure, Mode, SECTIONS};
use lucerne::query::{Fuzzy, Highlight, Regex, Wildcard};
use lucerne::schema::Field;
use lucerne::{
    Cancel, Document, Hits, Index, Knn, Match, Phrase, Prefix, Query, Schema, Search, Searcher, Value,
    Vector, WriterOptions,
};
use std::path::Path;
use std::time::{Duration, Instant};

pub struct Ours(Searcher);

/// Indexes everything into one segment; the time is that until the commit before the merge.
pub fn build(
    folder: &Path,
    docs: &[Doc],
    text: bool,
    vectors: &[Vec<f32>],
) -> Result<(Ours, Duration), Failure> {
    let mut schema =
        Schema::builder().key("name").keyword("section").field(Field::text("description").indexed(text));
    if let Some(first) = vectors.first() {
        schema = schema.vector("embedding", Vector::f32(first.len()));
    }
    let schema = schema.build()?;
    let index = Index::create(folder, schema)?;
    let start = Instant::now();
    let writer = index.writer_with(WriterOptions::new().threads(1).merge_threads(0))?;
    for doc in docs {
        let document = Document::new().with("name", &*doc.name).with("description", &*doc.description);
        let document = document.with("section", &*doc.section);
        let document = match vectors.get(doc.row) {
            Some(vector) => document.with("embedding", vector.clone()),
            None => document,
        };
        writer.upsert(&document)?;
    }
    writer.commit()?;
    let took = start.elapsed();
    writer.force_merge(1, &Cancel::new())?;
    writer.commit()?;
    writer.close()?;
    Ok((Ours(index.searcher()?), took))
}

fn matching(words: &str, mode: Mode) -> Query {
    match mode {
        Mode::Or => Match::new("description", words).into(),
        Mode::And => Match::all("description", words).into(),
        Mode::Phrase => Phrase::new("description", words).into(),
        Mode::Prefix => Prefix::new("description", words).into(),
        // All words that are near, as tantivy.
        Mode::Fuzzy => Fuzzy::new("description", words).edits(1).max_expansions(1_000).into(),
        Mode::Wildcard => Wildcard::new("description", words).into(),
        Mode::Regex => Regex::new("description", words).into(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// How many documents each of the most frequent sections has.
pub fn counts(hits: &Hits) -> Vec<(String, u64)> {
    let buckets = hits.buckets("section").unwrap_or_default().iter();
    buckets.map(|bucket| (text(&bucket.key), bucket.count)).collect()
}

impl Ours {
    /// The nearest neighbors, with their sections counted or without.
    pub fn near(&self, vector: &[f32], k: usize, facets: bool) -> Result<Hits, Failure> {
        let search = Search::new(Knn::new("embedding", vector).k(k)).limit(10);
        Ok(self.0.search(if facets { search.facet("section", SECTIONS) } else { search })?)
    }

    /// The ten best, and all matches counted by section.
    pub fn search_with_facets(&self, words: &str, mode: Mode) -> Result<Hits, Failure> {
        Ok(self.0.search(Search::new(matching(words, mode)).limit(10).facet("section", SECTIONS))?)
    }
}

impl Engine for Ours {
    fn search(&self, words: &str, mode: Mode) -> Result<Vec<f32>, Failure> {
        let hits = self.0.search(Search::new(matching(words, mode)).limit(10))?;
        Ok(hits.hits.iter().map(|hit| hit.score).collect())
    }

    fn count(&self, words: &str, mode: Mode) -> Result<usize, Failure> {
        Ok(self.0.count(Search::new(matching(words, mode)))? as usize)
    }

    fn read(&self, words: &str, highlights: bool) -> Result<Vec<String>, Failure> {
        let search = Search::new(matching(words, Mode::Or)).limit(10).fields(["name", "description"]);
        let highlight = Highlight::new("description").fragments(1).size(150);
        let hits = self.0.search(if highlights { search.highlight(highlight) } else { search })?.hits;
        Ok(hits.into_iter().flat_map(|hit| hit.highlights.into_values().flatten()).collect())
    }
}

//! lucerne.

use crate::documents::Doc;
use crate::{Engine, Failure, Mode};
use lucerne::schema::Field;
use lucerne::{Cancel, Document, Index, Match, Schema, Search, Searcher, WriterOptions};
use std::path::Path;
use std::time::{Duration, Instant};

pub struct Ours(Searcher);

/// Indexes everything into one segment; the time is that until the commit before the merge.
pub fn build(folder: &Path, docs: &[Doc], text: bool) -> Result<(Ours, Duration), Failure> {
    let schema = Schema::builder().key("name").field(Field::text("description").indexed(text)).build()?;
    let index = Index::create(folder, schema)?;
    let start = Instant::now();
    let writer = index.writer_with(WriterOptions::new().threads(1).merge_threads(0))?;
    for doc in docs {
        writer.upsert(&Document::new().with("name", &*doc.name).with("description", &*doc.description))?;
    }
    writer.commit()?;
    let took = start.elapsed();
    writer.force_merge(1, &Cancel::new())?;
    writer.commit()?;
    writer.close()?;
    Ok((Ours(index.searcher()?), took))
}

impl Engine for Ours {
    fn search(&self, words: &str, mode: Mode) -> Result<Vec<f32>, Failure> {
        let query = match mode {
            Mode::Or => Match::new("description", words),
            Mode::And => Match::all("description", words),
        };
        let hits = self.0.search(Search::new(query).limit(10))?;
        Ok(hits.hits.iter().map(|hit| hit.score).collect())
    }
}

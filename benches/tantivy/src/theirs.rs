//! tantivy.

use crate::documents::Doc;
use crate::{Engine, Failure, Mode};
use std::path::Path;
use std::time::{Duration, Instant};
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption, STORED, STRING, Schema, TEXT};
use tantivy::{Index, IndexWriter, Searcher, TantivyDocument, Term};

pub struct Theirs {
    searcher: Searcher,
    description: Field,
}

/// Indexes everything into one segment; the time is that until the commit before the merge.
pub fn build(folder: &Path, docs: &[Doc]) -> Result<(Theirs, Duration), Failure> {
    let mut schema = Schema::builder();
    let name = schema.add_text_field("name", STRING | STORED);
    let description = schema.add_text_field("description", TEXT | STORED);
    let index = Index::create_in_dir(folder, schema.build())?;
    let start = Instant::now();
    let mut writer: IndexWriter<TantivyDocument> = index.writer_with_num_threads(1, 256 << 20)?;
    for doc in docs {
        // As an upsert: the key is unique.
        writer.delete_term(Term::from_field_text(name, &doc.name));
        writer.add_document(tantivy::doc!(name => &*doc.name, description => &*doc.description))?;
    }
    writer.commit()?;
    let took = start.elapsed();
    let segments = index.searchable_segment_ids()?;
    if segments.len() > 1 {
        writer.merge(&segments).wait()?;
    }
    writer.garbage_collect_files().wait()?;
    writer.wait_merging_threads()?;
    let searcher = index.reader()?.searcher();
    Ok((Theirs { searcher, description }, took))
}

impl Engine for Theirs {
    fn search(&self, words: &str, mode: Mode) -> Result<Vec<f32>, Failure> {
        let occur = match mode {
            Mode::Or => Occur::Should,
            Mode::And => Occur::Must,
        };
        let clause = |word: &str| {
            let term = Term::from_field_text(self.description, word);
            let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
            (occur, Box::new(query) as Box<dyn Query>)
        };
        let query = BooleanQuery::new(words.split(' ').map(clause).collect());
        let top = self.searcher.search(&query, &TopDocs::with_limit(10).order_by_score())?;
        Ok(top.into_iter().map(|(score, _)| score).collect())
    }
}

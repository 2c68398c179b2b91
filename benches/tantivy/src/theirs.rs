//! tantivy.

use crate::documents::Doc;
use crate::{Engine, Failure, Mode, SECTIONS};
use std::path::Path;
use std::time::{Duration, Instant};
use tantivy::aggregation::AggregationCollector;
use tantivy::aggregation::agg_req::Aggregations;
use tantivy::aggregation::agg_result::AggregationResults;
use tantivy::collector::{Count, TopDocs};
use tantivy::query::{
    BooleanQuery, FuzzyTermQuery, Occur, PhrasePrefixQuery, PhraseQuery, Query, RegexQuery, TermQuery,
};
use tantivy::schema::{FAST, Field, IndexRecordOption, STORED, STRING, Schema, TEXT};
use tantivy::snippet::SnippetGenerator;
use tantivy::{Index, IndexWriter, Searcher, TantivyDocument, Term};

pub struct Theirs {
    searcher: Searcher,
    description: Field,
    facets: Aggregations,
}

/// Indexes everything into one segment; the time is that until the commit before the merge.
pub fn build(folder: &Path, docs: &[Doc]) -> Result<(Theirs, Duration), Failure> {
    let mut schema = Schema::builder();
    let name = schema.add_text_field("name", STRING | STORED);
    let description = schema.add_text_field("description", TEXT | STORED);
    let section = schema.add_text_field("section", STRING | STORED | FAST);
    let index = Index::create_in_dir(folder, schema.build())?;
    let start = Instant::now();
    let mut writer: IndexWriter<TantivyDocument> = index.writer_with_num_threads(1, 256 << 20)?;
    for doc in docs {
        // As an upsert: the key is unique.
        writer.delete_term(Term::from_field_text(name, &doc.name));
        let (text, section_of) = (&*doc.description, &*doc.section);
        writer.add_document(tantivy::doc!(name => &*doc.name, description => text, section => section_of))?;
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
    let facets = serde_json::json!({"section": {"terms": {"field": "section", "size": SECTIONS}}});
    Ok((Theirs { searcher, description, facets: serde_json::from_value(facets)? }, took))
}

/// How many documents each of the most frequent sections has.
pub fn counts(found: &AggregationResults) -> Result<Vec<(String, u64)>, Failure> {
    let found = serde_json::to_value(found)?;
    let buckets = found["section"]["buckets"].as_array().cloned().unwrap_or_default();
    let bucket = |bucket: &serde_json::Value| {
        (bucket["key"].as_str().unwrap_or_default().to_owned(), bucket["doc_count"].as_u64().unwrap_or(0))
    };
    Ok(buckets.iter().map(bucket).collect())
}

impl Theirs {
    /// The ten best, and all matches counted by section.
    pub fn search_with_facets(&self, words: &str, mode: Mode) -> Result<AggregationResults, Failure> {
        let top = TopDocs::with_limit(10).order_by_score();
        let aggregations = AggregationCollector::from_aggs(self.facets.clone(), Default::default());
        Ok(self.searcher.search(&self.query(words, mode)?, &(top, aggregations))?.1)
    }

    fn query(&self, words: &str, mode: Mode) -> Result<Box<dyn Query>, Failure> {
        let term = |word: &str| Term::from_field_text(self.description, word);
        let boolean = |occur: Occur| {
            let clause = |word: &str| {
                let query = TermQuery::new(term(word), IndexRecordOption::WithFreqs);
                (occur, Box::new(query) as Box<dyn Query>)
            };
            Box::new(BooleanQuery::new(words.split(' ').map(clause).collect()))
        };
        Ok(match mode {
            Mode::Or => boolean(Occur::Should),
            Mode::And => boolean(Occur::Must),
            Mode::Phrase => Box::new(PhraseQuery::new(words.split(' ').map(term).collect())),
            // A phrase of one word that goes on is a range of terms.
            Mode::Prefix => Box::new(PhrasePrefixQuery::new(vec![term(words)])),
            Mode::Fuzzy => Box::new(FuzzyTermQuery::new(term(words), 1, true)),
            Mode::Wildcard => {
                Box::new(RegexQuery::from_pattern(&words.replace('*', ".*"), self.description)?)
            }
            Mode::Regex => Box::new(RegexQuery::from_pattern(words, self.description)?),
        })
    }
}

impl Engine for Theirs {
    fn search(&self, words: &str, mode: Mode) -> Result<Vec<f32>, Failure> {
        let query = self.query(words, mode)?;
        let top = self.searcher.search(&query, &TopDocs::with_limit(10).order_by_score())?;
        Ok(top.into_iter().map(|(score, _)| score).collect())
    }

    fn count(&self, words: &str, mode: Mode) -> Result<usize, Failure> {
        Ok(self.searcher.search(&self.query(words, mode)?, &Count)?)
    }

    fn read(&self, words: &str, highlights: bool) -> Result<Vec<String>, Failure> {
        let query = self.query(words, Mode::Or)?;
        let top = self.searcher.search(&query, &TopDocs::with_limit(10).order_by_score())?;
        let generator = match highlights {
            true => Some(SnippetGenerator::create(&self.searcher, &query, self.description)?),
            false => None,
        };
        let mut shown = Vec::new();
        for (_, address) in top {
            let doc: TantivyDocument = self.searcher.doc(address)?;
            shown.extend(generator.as_ref().map(|generator| generator.snippet_from_doc(&doc).to_html()));
        }
        Ok(shown)
    }
}

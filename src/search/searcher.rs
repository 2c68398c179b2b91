//! The searcher: runs searches on a snapshot and reads documents back.

use super::explanation::Explanation;
use super::given::GivenRanking;
use super::hits::Hits;
use super::options::SearchOptions;
use super::ranking::DocAddress;
use super::run::{OfShard, Run, Scope};
use super::statistics::TextStatistics;
use super::values::wrong;
use super::{effort, stored};
use crate::analysis::Analyzers;
use crate::document::{Document, Value, components};
use crate::error::{Error, Result};
use crate::memory::Memory;
use crate::query::{Knn, Query, Search};
use crate::reader::{Snapshot, SnapshotSegment};
use crate::schema::{FieldType, Schema};
use crate::stats::Counters;
use lucerne_codec::{BitSet, Cancel};
use serde_json::Map;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Searches one point in time of an index: the last commit, or later changes that a writer has refreshed.
///
/// A searcher is cheap to clone and can be used from many threads. Its answers never change, whatever is
/// written, merged or deleted meanwhile; take a new one from [`Index::searcher`](crate::Index::searcher) to see
/// changes. While a searcher exists, the files that it reads are kept.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// use lucerne::{Document, Index, Match, Schema, Search, Term};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path();
/// let index = Index::create(path, Schema::builder().key("id").text("title").keyword("section").build()?)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "vim").with("title", "text editor").with("section", "editors"))?;
/// writer.add(&Document::new().with("id", "sed").with("title", "stream editor").with("section", "utils"))?;
/// writer.commit()?;
///
/// let searcher = index.searcher()?;
/// assert_eq!(searcher.search(Match::new("title", "text editor"))?.keys(), ["vim", "sed"]);
/// assert_eq!(searcher.count(Term::new("section", "utils"))?, 1);
/// let filtered = Search::new(Match::new("title", "editor")).filter(Term::new("section", "utils"));
/// assert_eq!(searcher.search(filtered)?.keys(), ["sed"]);
/// assert_eq!(searcher.get("vim")?.unwrap().get("section"), Some(&"editors".into()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Searcher {
    snapshot: Arc<Snapshot>,
    analyzers: Analyzers,
    counters: Arc<Counters>,
    memory: Memory,
}

impl std::fmt::Debug for Searcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Searcher").field("generation", &self.snapshot.generation()).finish_non_exhaustive()
    }
}

/// A term of a text: [`Searcher::analyze`].
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// let terms = searcher.analyze("title", "Text editors")?;
/// assert_eq!((&*terms[1].term, terms[1].position, terms[1].span.clone()), ("editors", 1, 5..12));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnalyzedTerm {
    /// The term.
    pub term: String,
    /// Its position, which phrases compare.
    pub position: u32,
    /// The bytes of the text that it comes from.
    pub span: Range<usize>,
}

impl Searcher {
    pub(crate) fn new(
        snapshot: Arc<Snapshot>,
        analyzers: Analyzers,
        counters: Arc<Counters>,
        memory: Memory,
    ) -> Self {
        Self { snapshot, analyzers, counters, memory }
    }

    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The schema at this point in time.
    pub fn schema(&self) -> &Schema {
        &self.snapshot.schema
    }

    /// Generation of the commit that this searcher reads, or on which its refreshed changes are based.
    pub fn generation(&self) -> u64 {
        self.snapshot.generation()
    }

    /// The user data of that commit: see [`PreparedCommit`](crate::writer::PreparedCommit).
    pub fn user_data(&self) -> &BTreeMap<String, String> {
        &self.snapshot.commit.info.user_data
    }

    /// Number of documents, without deleted ones.
    pub fn len(&self) -> u64 {
        self.snapshot.live_docs()
    }

    /// True when there are no documents.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of segments.
    pub fn segment_count(&self) -> usize {
        self.snapshot.segments.len()
    }

    /// The number of candidates that a kNN query keeps in a segment, the largest where segments differ: what its
    /// recall asks for ([`Knn::recall`](crate::Knn::recall)), or what it says. `None` when there is no segment whose
    /// format keeps candidates, and for exact searches.
    ///
    /// # Errors
    /// When there is no such vector field, or a parameter is out of its range.
    pub fn candidates(&self, query: &Knn) -> Result<Option<usize>> {
        let field = self.schema().vector_field_named(&query.field)?;
        let asked = effort::asked(&self.snapshot, query, query.filter.is_some(), 1)?;
        let wanted = effort::wanted(query);
        let fields = self.snapshot.segments.iter();
        let fields = fields.filter_map(|segment| segment.reader.vector_field(field.number()));
        Ok(fields.filter_map(|vectors| asked.candidates(wanted, &*vectors.reader)).max())
    }

    /// The terms that a text of this text field becomes: each with its position, and its bytes in the text.
    ///
    /// # Errors
    /// When there is no such text field, or its analyzer is not registered.
    pub fn analyze(&self, field: &str, text: &str) -> Result<Vec<AnalyzedTerm>> {
        let declared = self.schema().require(field)?;
        let FieldType::Text(options) = declared.field_type() else {
            return Err(wrong(
                field,
                format!("expected a text field, it is of type {}", declared.field_type().name()),
            ));
        };
        let analyzer = self.analyzers.resolve(options.text_analysis())?;
        let mut terms = Vec::new();
        analyzer.analyze_spans(text, &mut |term, position, span| {
            terms.push(AnalyzedTerm { term: term.to_owned(), position, span });
        });
        Ok(terms)
    }

    /// Runs a [`Search`]. Every query type converts into one, by value or by reference.
    ///
    /// The same search always returns the same hits. Deleted documents are never returned, and never use up one of
    /// the `limit` (or `k`) hits.
    ///
    /// # Errors
    /// When a field does not exist, is not indexed, or is of another type than the query needs; when a vector does
    /// not fit its field; when a parameter is out of range; when a file is damaged.
    pub fn search(&self, search: impl Into<Search>) -> Result<Hits> {
        self.search_with(search, &SearchOptions::default())
    }

    /// The same with a deadline, a way to cancel it, or several threads: [`SearchOptions`].
    ///
    /// # Errors
    /// As [`Searcher::search`]; of kind [`TimedOut`](crate::ErrorKind::TimedOut) or
    /// [`Cancelled`](crate::ErrorKind::Cancelled) when it was stopped and is not to return a partial result.
    pub fn search_with(&self, search: impl Into<Search>, options: &SearchOptions) -> Result<Hits> {
        self.run(options).search(search.into())
    }

    /// The statistics of the words that a search looks for, of this index alone: what its text scores are computed from.
    /// Those of several indexes add up ([`TextStatistics::add`]).
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub fn text_statistics(&self, search: impl Into<Search>) -> Result<TextStatistics> {
        self.run(&SearchOptions::default()).text_statistics(search.into())
    }

    /// What this index has as one of so many shards, for the statistics and rankings of all of them.
    pub(super) fn search_shard(
        &self,
        mut search: Search,
        statistics: Option<&TextStatistics>,
        given: &[GivenRanking],
        shards: usize,
        options: &SearchOptions,
    ) -> Result<(Hits, OfShard)> {
        search.set_unset_k();
        Run { scope: Scope::Shard { statistics, given, shards }, ..self.run(options) }.search_shard(&search)
    }

    /// Runs many searches, side by side on the threads that the options give. The results are in the order of the
    /// searches; each has its own error. Searches for neighbors that differ only in their vectors share work; those with the same
    /// filter should follow each other.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
    /// use lucerne::Knn;
    /// use lucerne::search::SearchOptions;
    ///
    /// let queries = [[1.0, 0.0], [3.0, 0.0]].map(|vector| Knn::new("v", vector).k(1));
    /// let found = searcher.search_many(queries, &SearchOptions::new().threads(2));
    /// let keys = found.into_iter().map(|hits| Ok(hits?.hits[0].key.clone()));
    /// assert_eq!(keys.collect::<lucerne::Result<Vec<_>>>()?, ["vim", "chess"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn search_many<S: Into<Search>>(
        &self,
        searches: impl IntoIterator<Item = S>,
        options: &SearchOptions,
    ) -> Vec<Result<Hits>> {
        let searches: Vec<Search> = searches.into_iter().map(Into::into).collect();
        self.run(options).search_many(searches)
    }

    /// Counts the documents that match a query, or the query and filter of a [`Search`]. A field of a dynamic schema that
    /// no document has matches none, and is reported by a `tracing` event.
    ///
    /// Of a [`Knn`](crate::Knn) query these are the neighbors that it finds, at most `k`; of a
    /// [`Fuse`](crate::Fuse) the documents within its windows.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub fn count(&self, search: impl Into<Search>) -> Result<u64> {
        self.count_with(search, &SearchOptions::default())
    }

    /// The same with a deadline, a way to cancel it, or several threads. A part of a count is of no use: that of a search
    /// that was stopped is an error, also with [`SearchOptions::partial`].
    ///
    /// # Errors
    /// As [`Searcher::search_with`].
    pub fn count_with(&self, search: impl Into<Search>, options: &SearchOptions) -> Result<u64> {
        self.run(options).count(search.into())
    }

    /// The values that a field has, in their order, with the number of documents that have each: the first `limit` (1 to
    /// 65,536) that begin with `prefix`, `""` for all. It reads the whole column of the field.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
    /// assert_eq!(searcher.values("section", "", 10)?, [("editors".into(), 2), ("games".into(), 1)]);
    /// assert_eq!(searcher.values("section", "ga", 10)?, [("games".into(), 1)]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no such field, or its values cannot be aggregated: see [`Aggregation`](crate::query::Aggregation).
    pub fn values(&self, field: &str, prefix: &str, limit: usize) -> Result<Vec<(Value, u64)>> {
        self.values_with(field, prefix, limit, &SearchOptions::default())
    }

    /// The same with a deadline, a way to cancel it, or several threads. A part of it is of no use: when it is stopped, that
    /// is an error.
    ///
    /// # Errors
    /// As [`Searcher::values`]; of kind [`TimedOut`](crate::ErrorKind::TimedOut) or
    /// [`Cancelled`](crate::ErrorKind::Cancelled) when it was stopped.
    pub fn values_with(
        &self,
        field: &str,
        prefix: &str,
        limit: usize,
        options: &SearchOptions,
    ) -> Result<Vec<(Value, u64)>> {
        self.run(options).values(field, prefix, limit)
    }

    /// Explains why the document with a key is or is not a hit of a search: its rank and the parts of its score, or
    /// that it is filtered out, deleted, without a vector, beyond `k`, not among the candidates, or lost by
    /// quantization.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub fn explain(&self, search: impl Into<Search>, key: &str) -> Result<Explanation> {
        self.explain_with(search, key, &SearchOptions::default())
    }

    /// The same with a deadline, a way to cancel it, or several threads. An explanation is always whole.
    ///
    /// # Errors
    /// As [`Searcher::search_with`].
    pub fn explain_with(
        &self,
        search: impl Into<Search>,
        key: &str,
        options: &SearchOptions,
    ) -> Result<Explanation> {
        self.run(options).explain(search.into(), key)
    }

    /// The stored document with a key, including its vectors where the schema stores them as they were given; `None` when
    /// no live document has the key.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn get(&self, key: &str) -> Result<Option<Document>> {
        let Some(DocAddress { segment, doc }) = stored::find(&self.snapshot, key)? else { return Ok(None) };
        let fields = self.fields(stored::segment(&self.snapshot, segment)?, doc, &[])?;
        Document::from_value(serde_json::Value::Object(fields)).map(Some)
    }

    /// A document's vector as it was added, bit for bit (a binary vector as zeros and ones; a vector of half precision as
    /// it was rounded). `None` when no live document has the key, or when it has no vector in the field.
    ///
    /// # Errors
    /// [`Error::NotStored`] when the schema says `stored: false`; [`Error::NoRawVectors`] when it says `keep_raw: false`;
    /// [`Error::WrongQuery`] when the field may have several ([`Searcher::vectors`]).
    pub fn vector(&self, key: &str, field: &str) -> Result<Option<Vec<f32>>> {
        self.check_raw(field)?;
        self.decoded_vector(key, field)
    }

    /// All vectors of a document in a field, in the order they were given, as [`Searcher::vector`] returns one. None when
    /// no live document has the key.
    ///
    /// # Errors
    /// [`Error::NotStored`] when the schema says `stored: false`; [`Error::NoRawVectors`] when it says `keep_raw: false`.
    pub fn vectors(&self, key: &str, field: &str) -> Result<Vec<Vec<f32>>> {
        self.check_raw(field)?;
        self.decoded_vectors(key, field)
    }

    /// A document's vector as well as it is known: as it was added or, in a field that keeps no raw vectors
    /// ([`Vector::keep_raw`](crate::Vector::keep_raw)), what its codes stand for. That differs from the vector added by
    /// about half a code step in each component, and with cosine and dot products has length 1. `None` as for
    /// [`Searcher::vector`].
    ///
    /// # Errors
    /// [`Error::NotStored`] when the schema says `stored: false`; [`Error::WrongQuery`] as for [`Searcher::vector`].
    pub fn decoded_vector(&self, key: &str, field: &str) -> Result<Option<Vec<f32>>> {
        if self.schema().vector_field_named(field)?.options().is_multiple() {
            let problem = "documents may have several vectors in it; vectors returns all".to_owned();
            return Err(Error::WrongQuery { field: Some(field.to_owned()), problem });
        }
        Ok(self.decoded_vectors(key, field)?.pop())
    }

    /// All vectors of a document in a field, as [`Searcher::decoded_vector`] returns one.
    ///
    /// # Errors
    /// [`Error::NotStored`] when the schema says `stored: false`.
    pub fn decoded_vectors(&self, key: &str, field: &str) -> Result<Vec<Vec<f32>>> {
        self.check_returnable(field)?;
        let field = self.snapshot.schema.vector_field_named(field)?;
        let Some(DocAddress { segment, doc }) = stored::find(&self.snapshot, key)? else {
            return Ok(Vec::new());
        };
        let rows = stored::vectors(stored::segment(&self.snapshot, segment)?, doc, field)?;
        Ok(rows.iter().map(|row| components(field, row)).collect())
    }

    /// Refuses fields without raw vectors.
    fn check_raw(&self, field: &str) -> Result<()> {
        self.check_returnable(field)?;
        match self.snapshot.schema.vector_field_named(field)?.options().keeps_raw() {
            true => Ok(()),
            false => {
                let problem = "decoded_vector gives what the codes stand for".to_owned();
                Err(Error::NoRawVectors { field: field.to_owned(), problem })
            }
        }
    }

    /// The documents of each segment that match a query.
    pub(super) fn matching(&self, query: Query, cancel: &Cancel) -> Result<Vec<BitSet>> {
        let options = SearchOptions::new().cancel(cancel);
        self.run(&options).each_match(Search::new(query), |docs| docs)
    }

    /// Refuses fields whose values cannot be returned.
    pub(crate) fn check_returnable(&self, field: &str) -> Result<()> {
        stored::check_returnable(self.schema(), field)
    }

    /// The stored fields of a document that `wanted` names, or all when it names none.
    pub(crate) fn fields(
        &self,
        segment: &SnapshotSegment,
        doc: u32,
        wanted: &[String],
    ) -> Result<Map<String, serde_json::Value>> {
        stored::fields(self.schema(), segment, doc, wanted)
    }

    pub(super) fn run<'a>(&'a self, options: &'a SearchOptions) -> Run<'a> {
        let Self { snapshot, analyzers, counters, memory } = self;
        Run { snapshot, analyzers, counters, memory, options, scope: Scope::Whole, known: None }
    }
}

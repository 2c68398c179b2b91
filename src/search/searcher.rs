//! The searcher: runs searches on a snapshot and reads documents back.

use super::effort::Asked;
use super::explanation::Explanation;
use super::hits::{Hit, Hits};
use super::node::Node;
use super::ranking::{DocAddress, Ranking, ScoredDoc};
use super::resolve::Resolver;
use super::unknown_fields::unknown_fields;
use super::{explain, knn, matching, rank, rerank, sort, stored};
use crate::analysis::Analyzers;
use crate::document::{Document, components};
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::query::{Knn, Query, Search};
use crate::reader::{Snapshot, SnapshotSegment};
use crate::schema::Schema;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
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
}

impl std::fmt::Debug for Searcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Searcher").field("generation", &self.snapshot.generation).finish_non_exhaustive()
    }
}

impl Searcher {
    pub(crate) fn new(snapshot: Arc<Snapshot>, analyzers: Analyzers) -> Self {
        Self { snapshot, analyzers }
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
        self.snapshot.generation
    }

    /// The user data of that commit: see [`PreparedCommit`](crate::writer::PreparedCommit).
    pub fn user_data(&self) -> &BTreeMap<String, String> {
        &self.snapshot.user_data
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
        let (asked, wanted) = (Asked::of(query, field)?, knn::wanted(query));
        let fields = self.snapshot.segments.iter();
        let fields = fields.filter_map(|segment| segment.reader.vector_field(field.number()));
        Ok(fields.filter_map(|vectors| asked.candidates(wanted, &*vectors.reader)).max())
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
        let mut search = search.into();
        search.set_unset_k();
        self.check(&search)?;
        let filter = self.resolve_filter(&search)?;
        let resolver = self.resolver(filter.as_ref());
        let mut ranking = ranked(&resolver, &search)?;
        if let Some(rerank) = &search.rerank {
            rerank::rerank(&resolver, rerank, &mut ranking.docs)?;
            ranking.exact &= rerank::is_exact(self.schema(), rerank);
        }
        if let Some(least) = search.min_score {
            ranking.docs.retain(|doc| doc.score >= least);
        }
        search.set_k_of_page();
        let page = ranking.docs.iter().skip(search.offset).take(search.limit);
        let hits = page.map(|doc| self.hit(&resolver, &search, doc)).collect::<Result<_>>()?;
        let unknown_fields = unknown_fields(&self.snapshot, &search)?;
        Ok(Hits { hits, exact: ranking.exact, segments: ranking.segments, unknown_fields })
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
        let mut search = search.into();
        search.set_unset_k();
        unknown_fields(&self.snapshot, &search)?;
        let filter = self.resolve_filter(&search)?;
        let node = self.resolver(filter.as_ref()).resolve(&search.query)?;
        let both: Vec<&Node> = [&node].into_iter().chain(&filter).collect();
        let mut count = 0;
        for (index, segment) in self.snapshot.segments.iter().enumerate() {
            let docs = matching::accepted(&both, index, segment)?;
            count += docs.map_or(0, |docs| u64::from(docs.count()));
        }
        Ok(count)
    }

    /// Explains why the document with a key is or is not a hit of a search: its rank and the parts of its score, or
    /// that it is filtered out, deleted, without a vector, beyond `k`, not among the candidates, or lost by
    /// quantization.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub fn explain(&self, search: impl Into<Search>, key: &str) -> Result<Explanation> {
        let mut search = search.into();
        search.set_unset_k();
        let Search { offset, limit, .. } = search;
        search.set_k_of_page();
        let all = Search {
            offset: 0,
            limit: MAX_K,
            fields: None,
            score_as: None,
            explain: false,
            ..search.clone()
        };
        let hits = self.search(all)?.hits;
        let Some(address) = stored::find(&self.snapshot, key)? else {
            return Ok(Explanation::no_match(format!(
                "no live document has the key {key:?}: deleted, or never added"
            )));
        };
        let explained = match hits.iter().enumerate().find(|(_, hit)| hit.key == key) {
            None => Explanation::no_match(format!("document {key:?} is not found")),
            Some((rank, hit)) => {
                let on_page = rank >= offset && rank - offset < limit;
                let outcome = if on_page { "a hit" } else { "found, but not on this page" };
                let rank = rank + 1;
                let description =
                    format!("document {key:?} is {outcome}: rank {rank} (offset {offset}, limit {limit})");
                Explanation::new(true, hit.score, description)
            }
        };
        let filter = self.resolve_filter(&search)?;
        Ok(explained.with(explain::parts(&self.resolver(filter.as_ref()), &search, address)?))
    }

    /// The stored document with a key, including its vectors where the schema stores them as they were given; `None` when
    /// no live document has the key.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn get(&self, key: &str) -> Result<Option<Document>> {
        let Some(DocAddress { segment, doc }) = stored::find(&self.snapshot, key)? else { return Ok(None) };
        let fields = self.fields(stored::segment(&self.snapshot, segment)?, doc, &[])?;
        Document::from_value(Value::Object(fields)).map(Some)
    }

    /// A document's vector as it was added, bit for bit (the first one in a field of several; a binary vector as
    /// zeros and ones). `None` when no live document has the key, or when it has no vector in the field.
    ///
    /// # Errors
    /// [`Error::NotStored`] when the schema says `stored: false`; [`Error::NoRawVectors`] when it says `keep_raw: false`.
    pub fn vector(&self, key: &str, field: &str) -> Result<Option<Vec<f32>>> {
        self.check_returnable(field)?;
        let declared = self.snapshot.schema.vector_field_named(field)?;
        if !declared.options().keeps_raw() {
            let problem = "decoded_vector gives what the codes stand for".to_owned();
            return Err(Error::NoRawVectors { field: field.to_owned(), problem });
        }
        self.decoded_vector(key, field)
    }

    /// A document's vector as well as it is known: as it was added or, in a field that keeps no raw vectors
    /// ([`Vector::keep_raw`](crate::Vector::keep_raw)), what its codes stand for. That differs from the vector added by
    /// about half a code step in each component, and with cosine and dot products has length 1. `None` as for
    /// [`Searcher::vector`].
    ///
    /// # Errors
    /// [`Error::NotStored`] when the schema says `stored: false`.
    pub fn decoded_vector(&self, key: &str, field: &str) -> Result<Option<Vec<f32>>> {
        self.check_returnable(field)?;
        let field = self.snapshot.schema.vector_field_named(field)?;
        let Some(DocAddress { segment, doc }) = stored::find(&self.snapshot, key)? else { return Ok(None) };
        let rows = stored::vectors(stored::segment(&self.snapshot, segment)?, doc, field)?;
        Ok(rows.first().map(|row| components(field, row)))
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
    ) -> Result<Map<String, Value>> {
        stored::fields(self.schema(), segment, doc, wanted)
    }

    fn resolver<'a>(&'a self, filter: Option<&'a Node>) -> Resolver<'a> {
        Resolver { snapshot: &self.snapshot, analyzers: &self.analyzers, filter, rank_query: rank::rank }
    }

    /// The filter of a search. kNN queries in it search all documents.
    fn resolve_filter(&self, search: &Search) -> Result<Option<Node>> {
        search.filter.as_ref().map(|filter| self.resolver(None).resolve(filter)).transpose()
    }

    fn check(&self, search: &Search) -> Result<()> {
        let wrong = |problem: String| Err(Error::WrongQuery { field: None, problem });
        if let Some(fields) = &search.fields {
            fields.iter().try_for_each(|field| self.check_returnable(field))?;
        }
        if search.limit == 0 || search.limit > MAX_K {
            return wrong(format!("limit (k) is {}, expected 1 to {MAX_K}", search.limit));
        }
        if search.min_score.is_some_and(f32::is_nan) {
            return wrong("min_score is not a number".to_owned());
        }
        match &search.rerank {
            Some(_) if !search.sort.is_empty() => {
                wrong("rerank and sort cannot be combined; remove one".to_owned())
            }
            Some(second) => rerank::check(second),
            None => Ok(()),
        }
    }

    fn hit(&self, resolver: &Resolver<'_>, search: &Search, found: &ScoredDoc) -> Result<Hit> {
        let DocAddress { segment, doc } = found.address;
        let segment = stored::segment(&self.snapshot, segment)?;
        let key = segment.reader.keys().key(doc)?.to_owned();
        let mut fields =
            search.fields.as_ref().map(|wanted| self.fields(segment, doc, wanted)).transpose()?;
        let distance = found.vector.map(|vector| vector.neighbor.distance);
        if let Some(name) = &search.score_as {
            let by_distance = matches!(search.query, Query::Knn(_)) && search.rerank.is_none();
            let score = if by_distance { distance.unwrap_or(found.score) } else { found.score };
            fields.get_or_insert_default().insert(name.clone(), score_as_json(score));
        }
        let explanation = if search.explain {
            let parts = explain::parts(resolver, search, found.address)?;
            Some(Explanation::new(true, found.score, "score").with(parts))
        } else {
            None
        };
        let vector = vector_index(segment, found)?;
        Ok(Hit { key, score: found.score, distance, vector, fields, explanation })
    }
}

/// The documents of a search before reranking, as many as its page and its reranking need.
fn ranked(resolver: &Resolver<'_>, search: &Search) -> Result<Ranking> {
    let limit = search.offset.saturating_add(search.limit);
    if search.sort.is_empty() {
        let window = search.rerank.as_ref().map_or(0, |rerank| rerank.window);
        return match &search.query {
            Query::Knn(query) if query.k.is_none() => {
                knn::pages(resolver, query, search.limit.max(window), limit.max(window))
            }
            query => rank::rank(resolver, query, limit.max(window)),
        };
    }
    let node = resolver.resolve(&search.query)?;
    let limit = if search.min_score.is_some() { usize::MAX } else { limit };
    let docs = sort::sorted(resolver.snapshot, &node, resolver.filter, &search.sort, limit)?;
    Ok(Ranking { docs, exact: true, segments: Vec::new() })
}

/// The index of the nearest vector among its document's vectors, in a field with several per document.
fn vector_index(segment: &SnapshotSegment, found: &ScoredDoc) -> Result<Option<u32>> {
    let Some(nearest) = found.vector else { return Ok(None) };
    let vectors = segment.reader.vector_field(nearest.field);
    let Some(vectors) = vectors.filter(|vectors| vectors.field.is_multiple()) else { return Ok(None) };
    let mut ordinals = Vec::new();
    vectors.reader.ordinals(found.address.doc, &mut ordinals)?;
    let index = ordinals.iter().position(|ordinal| *ordinal == nearest.neighbor.ordinal);
    Ok(index.map(|index| index as u32))
}

/// A score as JSON, with the fewest digits that distinguish it from other single-precision numbers.
fn score_as_json(score: f32) -> Value {
    Value::from(score.to_string().parse::<f64>().unwrap_or(score.into()))
}

//! A searcher: a snapshot and the ways to ask it.

use super::hits::{Hit, Hits};
use super::node::Node;
use super::rank::Ranked;
use super::resolve::Resolver;
use super::{fetch, rank, rerank, sort};
use crate::analysis::Analyzers;
use crate::document::{Document, components};
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::query::{Query, Search};
use crate::reader::{Snapshot, SnapshotSegment};
use crate::schema::Schema;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Searches one point in time of an index. Cheap to clone, usable from many threads; its answers never
/// change, whatever is written, merged or deleted meanwhile.
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

    /// Generation of the commit this is, or that this near-real-time snapshot follows.
    pub fn generation(&self) -> u64 {
        self.snapshot.generation
    }

    /// The application's notes in the commit.
    pub fn user_data(&self) -> &BTreeMap<String, String> {
        &self.snapshot.user_data
    }

    /// Documents that are not deleted.
    pub fn len(&self) -> u64 {
        self.snapshot.live_docs()
    }

    /// True when there is no document.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of segments.
    pub fn segment_count(&self) -> usize {
        self.snapshot.segments.len()
    }

    /// Runs a query, or a [`Search`] made of one: a [`crate::Knn`] by reference will do.
    ///
    /// The same search gives the same answer every time. Deleted documents never appear and never use up a
    /// place.
    ///
    /// # Errors
    /// When a field is not there, not indexed or of another type than the query needs, a vector does not fit
    /// its field, or a knob is out of range.
    pub fn search(&self, search: impl Into<Search>) -> Result<Hits> {
        self.run(&search.into())
    }

    /// How many documents match a query, or a search's query and filter.
    ///
    /// # Errors
    /// As [`Searcher::search`].
    pub fn count(&self, search: impl Into<Search>) -> Result<u64> {
        let search = search.into();
        let filter = self.filter(&search)?;
        let node = self.resolver(filter.as_ref()).resolve(&search.query)?;
        let both: Vec<&Node> = [&node].into_iter().chain(&filter).collect();
        let mut count = 0;
        for (index, segment) in self.snapshot.segments.iter().enumerate() {
            let docs = rank::accepted(&both, index, segment)?;
            count += docs.map_or(0, |docs| u64::from(docs.count()));
        }
        Ok(count)
    }

    pub(super) fn resolver<'a>(&'a self, filter: Option<&'a Node>) -> Resolver<'a> {
        Resolver { snapshot: &self.snapshot, analyzers: &self.analyzers, filter }
    }

    /// A search's filter, made ready: neighbours in it are searched among all documents.
    pub(super) fn filter(&self, search: &Search) -> Result<Option<Node>> {
        search.filter.as_ref().map(|filter| self.resolver(None).resolve(filter)).transpose()
    }

    fn run(&self, search: &Search) -> Result<Hits> {
        self.check(search)?;
        let filter = self.filter(search)?;
        let resolver = self.resolver(filter.as_ref());
        let wanted = search.offset.saturating_add(search.limit);
        let window = search.rerank.as_ref().map_or(0, |rerank| rerank.window);
        let mut pass = match &*search.sort {
            [] => rank::first_pass(&resolver, &search.query, wanted.max(window))?,
            sort => {
                let node = resolver.resolve(&search.query)?;
                let wanted = if search.min_score.is_some() { usize::MAX } else { wanted };
                rank::Pass::of(sort::sorted(&self.snapshot, &node, filter.as_ref(), sort, wanted)?)
            }
        };
        if let Some(second) = &search.rerank {
            rerank::rerank(&resolver, second, &mut pass.ranked)?;
        }
        if let Some(least) = search.min_score {
            pass.ranked.retain(|one| one.score >= least);
        }
        let page = pass.ranked.iter().skip(search.offset).take(search.limit);
        let hits = page.map(|one| self.hit(search, one)).collect::<Result<_>>()?;
        Ok(Hits { hits, exact: pass.exact, segments: pass.segments })
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
                wrong("rerank and sort exclude each other: one order or the other".to_owned())
            }
            Some(second) => rerank::check(second),
            None => Ok(()),
        }
    }

    fn hit(&self, search: &Search, one: &Ranked) -> Result<Hit> {
        let segment = self.segment(one.segment)?;
        let key = segment.reader.keys().key(one.doc)?.to_owned();
        let mut fields =
            search.fields.as_ref().map(|wanted| self.fields(segment, one.doc, wanted)).transpose()?;
        let distance = one.nearest.map(|nearest| nearest.neighbor.distance);
        if let Some(name) = &search.score_as {
            let by_distance = matches!(search.query, Query::Knn(_)) && search.rerank.is_none();
            let score = if by_distance { distance.unwrap_or(one.score) } else { one.score };
            fields.get_or_insert_default().insert(name.clone(), short(score));
        }
        let explanation = search.explain.then(|| self.explain_ranked(search, one)).transpose()?;
        Ok(Hit { vector: self.vector_index(one)?, key, score: one.score, distance, fields, explanation })
    }

    /// Which of its document's vectors the nearest is, in a field of several.
    fn vector_index(&self, one: &Ranked) -> Result<Option<u32>> {
        let Some(nearest) = one.nearest else { return Ok(None) };
        let vectors = self.segment(one.segment)?.reader.vector_field(nearest.field);
        let Some(vectors) = vectors.filter(|vectors| vectors.field.is_multiple()) else { return Ok(None) };
        let mut ordinals = Vec::new();
        vectors.reader.ordinals(one.doc, &mut ordinals)?;
        let place = ordinals.iter().position(|ordinal| *ordinal == nearest.neighbor.ordinal);
        Ok(place.map(|place| place as u32))
    }

    /// The stored document of that key, vectors included where the schema stores them; `None` when there
    /// is no live document of that key.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn get(&self, key: &str) -> Result<Option<Document>> {
        let Some((segment, doc)) = self.find(key)? else { return Ok(None) };
        let fields = self.fields(self.segment(segment)?, doc, &[])?;
        Document::from_value(Value::Object(fields)).map(Some)
    }

    /// The vector of a document as it was added, bit for bit (a binary vector as zeros and ones); `None` when there is no live document of that
    /// key or it has no vector in the field.
    ///
    /// # Errors
    /// [`Error::NotStored`] when the schema says `stored: false`.
    pub fn vector(&self, key: &str, field: &str) -> Result<Option<Vec<f32>>> {
        self.check_returnable(field)?;
        let field = self.snapshot.schema.vector_field_named(field)?;
        let Some((segment, doc)) = self.find(key)? else { return Ok(None) };
        let segment = self.segment(segment)?;
        let rows = fetch::vectors(segment, doc, field)?;
        Ok(rows.first().map(|row| components(field, row)))
    }

    pub(super) fn segment(&self, index: usize) -> Result<&SnapshotSegment> {
        let segment = self.snapshot.segments.get(index);
        segment.ok_or_else(|| lucerne_codec::Error::Invalid(format!("no segment {index}")).into())
    }

    /// The live document of a key: its segment's position and its id.
    pub(super) fn find(&self, key: &str) -> Result<Option<(usize, u32)>> {
        for (index, segment) in self.snapshot.segments.iter().enumerate().rev() {
            if let Some(doc) = segment.reader.find_live(key, |doc| !segment.is_live(doc))? {
                return Ok(Some((index, doc)));
            }
        }
        Ok(None)
    }
}

/// A score as JSON, in as few digits as tell it from other single-precision numbers.
fn short(score: f32) -> Value {
    Value::from(score.to_string().parse::<f64>().unwrap_or(score.into()))
}

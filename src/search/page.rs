//! Reads what a search returns of the documents on its page.

use super::explain;
use super::explanation::Explanation;
use super::group::Group;
use super::highlight::Highlighter;
use super::hits::{self, Hit};
use super::ranking::{DocAddress, ScoredDoc};
use super::resolve::Resolver;
use super::stored;
use crate::error::Result;
use crate::query::{Query, Search};
use crate::reader::SnapshotSegment;
use lucerne_codec::{Cancel, DocId};
use serde_json::{Map, Value};

/// Hits whose keys are prefetched together.
const PREFETCHED: usize = 32;

/// Reads the hits of a page. Of a search that is stopped, those that it came to.
pub(super) fn read<'a>(
    resolver: &Resolver<'_>,
    search: &Search,
    page: impl Iterator<Item = &'a ScoredDoc>,
) -> Result<Vec<Hit>> {
    let time = Time::left(resolver);
    match highlighter(resolver, search, &time)? {
        Some(highlighter) => read_hits(resolver, search, &highlighter, time, page),
        None => Ok(Vec::new()),
    }
}

/// The time that reading has.
struct Time {
    rest: Cancel,
    /// True when the search was stopped before, so that there is no more after it.
    is_last: bool,
}

impl Time {
    fn left(resolver: &Resolver<'_>) -> Self {
        Self { rest: resolver.stop.rest(), is_last: resolver.stop.is_part() }
    }
}

/// What shows the words of the query; `None` when the search is stopped before they are known.
fn highlighter<'s>(
    resolver: &Resolver<'_>,
    search: &'s Search,
    time: &Time,
) -> Result<Option<Highlighter<'s>>> {
    let stop = resolver.stop;
    stop.part(Highlighter::new(&Resolver { stop: stop.with(&time.rest), ..*resolver }, search))
}

fn read_hits<'a>(
    resolver: &Resolver<'_>,
    search: &Search,
    highlighter: &Highlighter<'_>,
    mut time: Time,
    page: impl Iterator<Item = &'a ScoredDoc>,
) -> Result<Vec<Hit>> {
    let stop = resolver.stop;
    let page: Vec<&ScoredDoc> = page.collect();
    let mut hits = Vec::with_capacity(page.len());
    while let Some(rest) = page.get(hits.len()..)
        && let Some(doc) = rest.first()
    {
        if hits.len() % PREFETCHED == 0 {
            prefetch_keys(resolver, rest.get(..PREFETCHED).unwrap_or(rest));
        }
        let resolver = Resolver { stop: stop.with(&time.rest), ..*resolver };
        let hit = resolver.stop.check().and_then(|()| read_hit(&resolver, search, highlighter, doc));
        match stop.part(hit)? {
            Some(hit) => hits.push(hit),
            None if time.is_last => break,
            // It is stopped while the page is read: what is found already gets its time.
            None => time = Time { rest: stop.rest(), is_last: true },
        }
    }
    Ok(hits)
}

/// Hints that the keys of these documents are read next: each lies somewhere else.
fn prefetch_keys(resolver: &Resolver<'_>, page: &[&ScoredDoc]) {
    for run in page.chunk_by(|left, right| left.address.segment == right.address.segment) {
        let segment = run.first().and_then(|first| resolver.snapshot.segments.get(first.address.segment));
        if let Some(segment) = segment {
            let docs: Vec<DocId> = run.iter().map(|found| found.address.doc).collect();
            segment.reader.keys().prefetch(&docs);
        }
    }
}

/// Reads the hits of groups. Of a search that is stopped, those that it came to.
pub(super) fn read_groups<'a>(
    resolver: &Resolver<'_>,
    search: &Search,
    groups: impl Iterator<Item = &'a Group>,
) -> Result<Vec<Hit>> {
    let groups: Vec<&Group> = groups.collect();
    let time = Time::left(resolver);
    let Some(highlighter) = highlighter(resolver, search, &time)? else { return Ok(Vec::new()) };
    let best = groups.iter().filter_map(|group| group.docs.first());
    let mut hits = read_hits(resolver, search, &highlighter, time, best)?;
    for (hit, group) in hits.iter_mut().zip(groups) {
        let next = group.docs.iter().skip(1);
        let next = read_hits(resolver, search, &highlighter, Time::left(resolver), next)?;
        hit.group = Some(hits::Group { value: group.value.clone(), next });
    }
    Ok(hits)
}

fn read_hit(
    resolver: &Resolver<'_>,
    search: &Search,
    highlighter: &Highlighter<'_>,
    found: &ScoredDoc,
) -> Result<Hit> {
    let DocAddress { segment, doc } = found.address;
    let segment = stored::segment(resolver.snapshot, segment)?;
    let key = segment.reader.keys().key(doc)?.to_owned();
    let schema = &resolver.snapshot.schema;
    let is_read = search.fields.is_some() || !highlighter.is_empty();
    let stored = if is_read { stored::stored_json(segment, doc)? } else { Map::new() };
    let highlights = highlighter.of_hit(resolver, |name| stored::value_of(schema, &stored, name))?;
    let fields = search.fields.as_deref();
    let fields = fields.map(|wanted| stored::fields_of(stored, schema, segment, doc, (wanted, &[])));
    let mut fields = fields.transpose()?;
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
    let vectors = stored::vectors_of(schema, segment, doc, &search.vectors)?;
    Ok(Hit {
        key,
        score: found.score,
        distance,
        vector,
        fields,
        vectors,
        highlights,
        explanation,
        group: None,
    })
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

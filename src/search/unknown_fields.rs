//! Names in a search that neither the schema nor any document has: in a dynamic schema they may be misspelt.

use crate::document::dynamic::{DYNAMIC_FIELD, existing};
use crate::error::Result;
use crate::query::{Aggregation, Query, RerankBy, Search, Sort};
use crate::reader::Snapshot;
use crate::schema::Schema;
use std::collections::BTreeSet;

/// The names of undeclared fields in a search that no document of the snapshot has.
pub(super) fn unknown_fields(snapshot: &Snapshot, search: &Search) -> Result<Vec<String>> {
    let mut names = BTreeSet::new();
    if !snapshot.schema.is_dynamic() {
        return Ok(Vec::new());
    }
    add(&search.query, &mut names);
    search.filter.iter().for_each(|filter| add(filter, &mut names));
    if let Some(RerankBy::Query(query)) = search.rerank.as_ref().map(|rerank| &rerank.by) {
        add(query, &mut names);
    }
    search.aggs.values().for_each(|aggregation| add_aggregated(aggregation, &mut names));
    let sorted = search.sort.iter().map(|sort| &*sort.field).filter(|field| *field != Sort::SCORE);
    names.extend(sorted);
    names.extend(search.collapse.iter().map(|by| &*by.field));
    names.extend(search.fields.iter().flatten().map(String::as_str));
    let mut unknown = Vec::new();
    for name in names.into_iter().filter(|name| !is_declared(&snapshot.schema, name)) {
        if !has(snapshot, name)? {
            tracing::warn!(field = name, "no document has this field, which the schema does not declare");
            unknown.push(name.to_owned());
        }
    }
    Ok(unknown)
}

fn is_declared(schema: &Schema, name: &str) -> bool {
    schema.field(name).is_some() || name == schema.key().name() || schema.is_path_source(name)
}

/// Whether a document has the field.
fn has(snapshot: &Snapshot, name: &str) -> Result<bool> {
    let existing = existing(name);
    for segment in &snapshot.segments {
        let postings = segment.reader.postings().and_then(|postings| postings.field(DYNAMIC_FIELD));
        let Some(postings) = postings else { continue };
        if postings.term(&existing)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Adds the names of fields that an aggregation reads.
fn add_aggregated<'a>(aggregation: &'a Aggregation, names: &mut BTreeSet<&'a str>) {
    names.insert(&aggregation.field);
    aggregation.aggs.values().for_each(|inner| add_aggregated(inner, names));
}

/// Adds the names of fields that a query searches.
fn add<'a>(query: &'a Query, names: &mut BTreeSet<&'a str>) {
    match query {
        Query::Term(query) => _ = names.insert(&query.field),
        Query::Terms(query) => _ = names.insert(&query.field),
        Query::Range(query) => _ = names.insert(&query.field),
        Query::Exists(query) => _ = names.insert(&query.field),
        Query::Prefix(query) => _ = names.insert(&query.field),
        Query::Fuzzy(query) => _ = names.insert(&query.field),
        Query::Wildcard(query) => _ = names.insert(&query.field),
        Query::Regex(query) => _ = names.insert(&query.field),
        Query::Bool(clauses) => {
            let parts = [&clauses.must, &clauses.should, &clauses.must_not, &clauses.filter];
            parts.into_iter().flatten().for_each(|query| add(query, names));
        }
        Query::DisMax(best) => best.queries.iter().for_each(|query| add(query, names)),
        Query::Boost(boost) => add(&boost.query, names),
        Query::Constant(constant) => add(&constant.query, names),
        Query::Knn(knn) => knn.filter.iter().for_each(|filter| add(filter, names)),
        Query::Fuse(fuse) => fuse.queries.iter().for_each(|input| add(&input.query, names)),
        // These need a declared field, or none.
        Query::All {}
        | Query::None {}
        | Query::Match(_)
        | Query::MultiMatch(_)
        | Query::Phrase(_)
        | Query::MoreLike(_)
        | Query::Sparse(_) => {}
    }
}

//! Words without a field in several fields.

use crate::query::{BoostedField, DisMax, MultiMatch, Query};

/// Stands for all default fields while a text is read. No field has this name.
pub(super) const SEVERAL: &str = "\0";

/// The query with every part of [`SEVERAL`] in each of the fields: a document scores as in the best of them.
pub(super) fn spread(query: Query, fields: &[BoostedField]) -> Query {
    let all = |queries: Vec<Query>| queries.into_iter().map(|query| spread(query, fields)).collect();
    match query {
        Query::Match(words) if words.field == SEVERAL => MultiMatch {
            fields: fields.to_vec(),
            operator: words.operator,
            minimum_should_match: words.minimum_should_match,
            fuzziness: words.fuzziness,
            ..MultiMatch::new(words.text)
        }
        .into(),
        Query::Bool(mut clauses) => {
            clauses.must = all(clauses.must);
            clauses.should = all(clauses.should);
            clauses.must_not = all(clauses.must_not);
            clauses.filter = all(clauses.filter);
            Query::Bool(clauses)
        }
        Query::Boost(mut boost) => {
            boost.query = spread(boost.query, fields);
            Query::Boost(boost)
        }
        mut query => {
            let Some(field) = field_of(&mut query).filter(|field| *field == SEVERAL) else { return query };
            field.clear();
            let queries = fields.iter().map(|field| {
                let mut query = query.clone();
                field_of(&mut query).into_iter().for_each(|name| name.clone_from(&field.name));
                field.boosted(query)
            });
            DisMax { queries: queries.collect(), ..DisMax::new() }.into()
        }
    }
}

/// The field of a query that words and quotes are read as.
fn field_of(query: &mut Query) -> Option<&mut String> {
    match query {
        Query::Phrase(query) => Some(&mut query.field),
        Query::Prefix(query) => Some(&mut query.field),
        Query::Fuzzy(query) => Some(&mut query.field),
        Query::Wildcard(query) => Some(&mut query.field),
        Query::Regex(query) => Some(&mut query.field),
        Query::Exists(query) => Some(&mut query.field),
        _ => None,
    }
}

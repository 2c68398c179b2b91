//! Matches in the order of fields.

use super::node::Node;
use super::rank::{Ranked, accepted};
use super::score;
use super::values::{sortable_score, wrong};
use crate::error::{Error, Result};
use crate::query::{Missing, Order, Sort};
use crate::reader::{Snapshot, SnapshotSegment};
use crate::schema::FieldType;
use lucerne_codec::DocId;
use std::cmp::Ordering;

/// What a document is sorted by.
#[derive(Clone, Debug, PartialEq)]
enum Place<'a> {
    Number(i64),
    Text(&'a str),
    Missing,
}

/// What to look at in every document.
enum Source {
    Score,
    Key,
    Numbers(u32),
    Keywords(u32),
}

struct Rule {
    source: Source,
    order: Order,
    missing: Missing,
}

/// The first `wanted` matches of a node, in this order, ties in the order of keys.
pub(super) fn sorted(
    snapshot: &Snapshot,
    node: &Node,
    filter: Option<&Node>,
    sort: &[Sort],
    wanted: usize,
) -> Result<Vec<Ranked>> {
    let rules = sort.iter().map(|sort| rule(snapshot, sort)).collect::<Result<Vec<_>>>()?;
    let filters: Vec<&Node> = [node].into_iter().chain(filter).collect();
    let mut all: Vec<(Vec<Place<'_>>, Ranked)> = Vec::new();
    for (index, segment) in snapshot.segments.iter().enumerate() {
        let Some(docs) = accepted(&filters, index, segment)? else { continue };
        let docs: Vec<DocId> = docs.iter().collect();
        let scores = score::of_segment(node, index, segment, &docs)?;
        for (doc, score) in docs.into_iter().zip(scores) {
            let places = rules.iter().map(|rule| place(rule, segment, doc, score)).collect::<Result<_>>()?;
            all.push((places, Ranked { segment: index, doc, score, nearest: None }));
        }
    }
    let key = |one: &Ranked| snapshot.segments.get(one.segment)?.reader.keys().key(one.doc).ok();
    let order = |left: &(Vec<Place<'_>>, Ranked), right: &(Vec<Place<'_>>, Ranked)| {
        let places = rules.iter().zip(left.0.iter().zip(&right.0));
        let by_rule = places.map(|(rule, (left, right))| compare(rule, left, right));
        by_rule.fold(Ordering::Equal, Ordering::then).then_with(|| key(&left.1).cmp(&key(&right.1)))
    };
    if wanted > 0 && wanted < all.len() {
        all.select_nth_unstable_by(wanted - 1, order);
        all.truncate(wanted);
    }
    all.sort_by(order);
    Ok(all.into_iter().map(|(_, one)| one).collect())
}

fn rule(snapshot: &Snapshot, sort: &Sort) -> Result<Rule> {
    let schema = &snapshot.schema;
    let source = if sort.field == Sort::SCORE {
        Source::Score
    } else if sort.field == schema.key().name() {
        Source::Key
    } else {
        let field = schema.require(&sort.field)?;
        if !field.is_indexed() {
            return Err(Error::NotIndexed { field: sort.field.clone() });
        }
        match field.field_type() {
            FieldType::Keyword(_) => Source::Keywords(field.number()),
            FieldType::Text(_) | FieldType::Vector(_) => {
                let problem = format!(
                    "a {} field has no order; sort by a keyword, number, date, bool or key field, or {}",
                    field.field_type().name(),
                    Sort::SCORE
                );
                return Err(wrong(&sort.field, problem));
            }
            _ => Source::Numbers(field.number()),
        }
    };
    Ok(Rule { source, order: sort.order, missing: sort.missing })
}

fn place<'a>(rule: &Rule, segment: &'a SnapshotSegment, doc: DocId, score: f32) -> Result<Place<'a>> {
    let columns = segment.reader.columns();
    let place = match rule.source {
        Source::Score => Some(Place::Number(sortable_score(score))),
        Source::Key => Some(Place::Text(segment.reader.keys().key(doc)?)),
        Source::Numbers(field) => match columns.and_then(|columns| columns.numbers(field)) {
            None => None,
            Some(column) if rule.order == Order::Asc => column.least(doc)?.map(Place::Number),
            Some(column) => column.greatest(doc)?.map(Place::Number),
        },
        Source::Keywords(field) => match columns.and_then(|columns| columns.keywords(field)) {
            None => None,
            Some(column) => {
                let ordinal = match rule.order {
                    Order::Asc => column.least(doc)?,
                    Order::Desc => column.greatest(doc)?,
                };
                ordinal.map(|ordinal| column.term(ordinal).map(Place::Text)).transpose()?
            }
        },
    };
    Ok(place.unwrap_or(Place::Missing))
}

fn compare(rule: &Rule, left: &Place<'_>, right: &Place<'_>) -> Ordering {
    let values = match (left, right) {
        (Place::Missing, Place::Missing) => return Ordering::Equal,
        (Place::Missing, _) | (_, Place::Missing) => {
            let left_first = (*left == Place::Missing) == (rule.missing == Missing::First);
            return if left_first { Ordering::Less } else { Ordering::Greater };
        }
        (Place::Number(left), Place::Number(right)) => left.cmp(right),
        (Place::Text(left), Place::Text(right)) => left.cmp(right),
        _ => Ordering::Equal,
    };
    if rule.order == Order::Desc { values.reverse() } else { values }
}

//! Sorts all matching documents by fields.

use super::matching::accepted;
use super::node::Node;
use super::ranking::{DocAddress, ScoredDoc, keep_first};
use super::score;
use super::values::{sortable_score, wrong};
use crate::error::{Error, Result};
use crate::query::{Missing, Order, Sort};
use crate::reader::{Snapshot, SnapshotSegment};
use crate::schema::FieldType;
use lucerne_codec::DocId;
use std::cmp::Ordering;

/// A document's value for one rule.
#[derive(Clone, Debug, PartialEq)]
enum SortValue<'a> {
    Number(i64),
    Text(&'a str),
    Missing,
}

/// Where a rule reads the values from.
enum ValueSource {
    Score,
    Key,
    Numbers(u32),
    Keywords(u32),
}

struct Rule {
    source: ValueSource,
    order: Order,
    missing: Missing,
}

/// A document with its values, one for each rule.
struct SortedDoc<'a> {
    values: Vec<SortValue<'a>>,
    doc: ScoredDoc,
}

/// The first `limit` documents that match a node, in this order, ties in the order of keys.
pub(super) fn sorted(
    snapshot: &Snapshot,
    node: &Node,
    filter: Option<&Node>,
    sort: &[Sort],
    limit: usize,
) -> Result<Vec<ScoredDoc>> {
    let rules = sort.iter().map(|sort| rule(snapshot, sort)).collect::<Result<Vec<_>>>()?;
    let filters: Vec<&Node> = [node].into_iter().chain(filter).collect();
    let mut all: Vec<SortedDoc<'_>> = Vec::new();
    for (index, segment) in snapshot.segments.iter().enumerate() {
        let Some(docs) = accepted(&filters, index, segment)? else { continue };
        let docs: Vec<DocId> = docs.iter().collect();
        let scores = score::of_segment(node, index, segment, &docs)?;
        for (doc, score) in docs.into_iter().zip(scores) {
            let values = rules.iter().map(|rule| value(rule, segment, doc, score)).collect::<Result<_>>()?;
            let address = DocAddress { segment: index, doc };
            all.push(SortedDoc { values, doc: ScoredDoc { address, score, vector: None } });
        }
    }
    let order = |left: &SortedDoc<'_>, right: &SortedDoc<'_>| {
        let values = rules.iter().zip(left.values.iter().zip(&right.values));
        let by_rule = values.map(|(rule, (left, right))| compare(rule, left, right));
        by_rule.fold(Ordering::Equal, Ordering::then)
    };
    keep_first(snapshot, &mut all, limit, |sorted| sorted.doc.address, order);
    Ok(all.into_iter().map(|sorted| sorted.doc).collect())
}

fn rule(snapshot: &Snapshot, sort: &Sort) -> Result<Rule> {
    let schema = &snapshot.schema;
    let source = if sort.field == Sort::SCORE {
        ValueSource::Score
    } else if sort.field == schema.key().name() {
        ValueSource::Key
    } else {
        let field = schema.require(&sort.field)?;
        if !field.is_indexed() {
            return Err(Error::NotIndexed { field: sort.field.clone() });
        }
        match field.field_type() {
            FieldType::Keyword(_) => ValueSource::Keywords(field.number()),
            FieldType::Text(_) | FieldType::Vector(_) => {
                let problem = format!(
                    "a {} field has no order; sort by a keyword, number, date, bool or key field, or {}",
                    field.field_type().name(),
                    Sort::SCORE
                );
                return Err(wrong(&sort.field, problem));
            }
            _ => ValueSource::Numbers(field.number()),
        }
    };
    Ok(Rule { source, order: sort.order, missing: sort.missing })
}

fn value<'a>(rule: &Rule, segment: &'a SnapshotSegment, doc: DocId, score: f32) -> Result<SortValue<'a>> {
    let columns = segment.reader.columns();
    let value = match rule.source {
        ValueSource::Score => Some(SortValue::Number(sortable_score(score))),
        ValueSource::Key => Some(SortValue::Text(segment.reader.keys().key(doc)?)),
        ValueSource::Numbers(field) => match columns.and_then(|columns| columns.numbers(field)) {
            None => None,
            Some(column) if rule.order == Order::Asc => column.least(doc)?.map(SortValue::Number),
            Some(column) => column.greatest(doc)?.map(SortValue::Number),
        },
        ValueSource::Keywords(field) => match columns.and_then(|columns| columns.keywords(field)) {
            None => None,
            Some(column) => {
                let ordinal = match rule.order {
                    Order::Asc => column.least(doc)?,
                    Order::Desc => column.greatest(doc)?,
                };
                ordinal.map(|ordinal| column.term(ordinal).map(SortValue::Text)).transpose()?
            }
        },
    };
    Ok(value.unwrap_or(SortValue::Missing))
}

fn compare(rule: &Rule, left: &SortValue<'_>, right: &SortValue<'_>) -> Ordering {
    let values = match (left, right) {
        (SortValue::Missing, SortValue::Missing) => return Ordering::Equal,
        (SortValue::Missing, _) | (_, SortValue::Missing) => {
            let left_first = (*left == SortValue::Missing) == (rule.missing == Missing::First);
            return if left_first { Ordering::Less } else { Ordering::Greater };
        }
        (SortValue::Number(left), SortValue::Number(right)) => left.cmp(right),
        (SortValue::Text(left), SortValue::Text(right)) => left.cmp(right),
        _ => Ordering::Equal,
    };
    if rule.order == Order::Desc { values.reverse() } else { values }
}

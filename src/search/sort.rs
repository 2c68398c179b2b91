//! Sorts all matching documents by fields.

use super::aggregate::{Column, Key, Source};
use super::matching::accepted;
use super::node::Node;
use super::part::Part;
use super::ranking::{DocAddress, Ranking, ScoredDoc, by_key};
use super::resolve::Resolver;
use super::score::Scores;
use super::sorted_runs::SortedRuns;
use super::total::Total;
use super::values::{sortable_score, wrong};
use crate::error::{Error, Result};
use crate::query::{Missing, Order, Sort};
use crate::reader::{Snapshot, SnapshotSegment};
use crate::schema::FieldType;
use lucerne_codec::{BitSet, DocId};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::HashMap;

/// A document's value for one rule.
#[derive(Clone, Debug, PartialEq)]
enum SortValue<'a> {
    Number(i64),
    Text(&'a str),
    /// Of an undeclared field.
    Other(Key<'a>),
    Missing,
}

/// The same without a snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum SortKey {
    Number(i64),
    Text(String),
    Other(Key<'static>),
    Missing,
}

impl SortKey {
    fn of(value: SortValue<'_>) -> Self {
        match value {
            SortValue::Number(number) => Self::Number(number),
            SortValue::Text(text) => Self::Text(text.to_owned()),
            SortValue::Other(key) => Self::Other(key.into_owned()),
            SortValue::Missing => Self::Missing,
        }
    }

    fn value(&self) -> SortValue<'_> {
        match self {
            Self::Number(number) => SortValue::Number(*number),
            Self::Text(text) => SortValue::Text(text),
            Self::Other(key) => SortValue::Other(key.clone()),
            Self::Missing => SortValue::Missing,
        }
    }
}

/// Where a rule reads the values from.
enum ValueSource {
    Score,
    Key,
    Numbers(u32),
    Keywords(u32),
    /// The terms of an undeclared field.
    Undeclared(Source),
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

/// The first `limit` documents that match a node with at least a score, in this order, ties in the order of keys.
pub(super) fn sorted<'a>(
    resolver: &Resolver<'a>,
    node: &Node,
    sort: &[Sort],
    least: Option<f32>,
    limit: usize,
) -> Result<Ranking> {
    let Resolver { snapshot, filter, stop, .. } = *resolver;
    let rules = sort.iter().map(|sort| rule(snapshot, sort)).collect::<Result<Vec<_>>>()?;
    let filters: Vec<&Node> = [node].into_iter().chain(filter).collect();
    let order = |left: &SortedDoc<'_>, right: &SortedDoc<'_>| {
        let values = rules.iter().zip(left.values.iter().zip(&right.values));
        let by_rule = values.map(|(rule, (left, right))| compare(rule.order, rule.missing, left, right));
        let by_rule = by_rule.fold(Ordering::Equal, Ordering::then);
        by_rule.then_with(|| by_key(snapshot, left.doc.address, right.doc.address))
    };
    let in_segment = |part: Part<'a>| {
        let (mut first, mut matched) = (SortedRuns::new(limit, &order), 0u64);
        let mut add_all = || -> Result<()> {
            let Some(docs) = accepted(&filters, part)? else { return Ok(()) };
            let mut scores = Scores::new(node, part)?;
            let others = rules.iter().map(|rule| others(rule, part, &docs)).collect::<Result<Vec<_>>>()?;
            for doc in docs.iter() {
                let score = scores.of(doc)?;
                if least.is_some_and(|least| score < least) {
                    continue;
                }
                matched += 1;
                let values = rules.iter().zip(&others).map(|(rule, others)| match &rule.source {
                    ValueSource::Undeclared(_) => {
                        Ok(others.get(&doc).cloned().map_or(SortValue::Missing, SortValue::Other))
                    }
                    _ => value(rule, part.segment, doc, score),
                });
                let (values, address) =
                    (values.collect::<Result<_>>()?, DocAddress { segment: part.index, doc });
                first.push(
                    SortedDoc { values, doc: ScoredDoc { address, score, vector: None } },
                    part.cancel,
                )?;
            }
            Ok(())
        };
        stop.part(add_all())?;
        let rest = stop.rest();
        Ok(stop.part(first.finish(&rest))?.map(|first| (first, matched)))
    };
    let of_segments = resolver.each_segment(in_segment)?;
    let total = Total::Exactly(of_segments.iter().map(|(_, matched)| matched).sum());
    let rest = stop.rest();
    let mut first = SortedRuns::new(limit, &order);
    let merge = || {
        of_segments.into_iter().try_for_each(|(sorted, _)| first.push_sorted(sorted, &rest))?;
        first.finish(&rest)
    };
    let sorted = stop.part(merge())?.unwrap_or_default();
    let docs = sorted.into_iter().map(|sorted| sorted.doc).collect();
    Ok(Ranking { docs, exact: true, segments: Vec::new(), total })
}

/// The values that documents are sorted by, one for each rule.
pub(super) fn keys<'d>(
    resolver: &Resolver<'_>,
    sort: &[Sort],
    docs: impl Iterator<Item = &'d ScoredDoc>,
) -> Result<Vec<Vec<SortKey>>> {
    let rules = sort.iter().map(|sort| rule(resolver.snapshot, sort)).collect::<Result<Vec<_>>>()?;
    let of_doc = |doc: &ScoredDoc| {
        let DocAddress { segment, doc: number } = doc.address;
        let Some(part) = resolver.part(segment) else { return Ok(vec![SortKey::Missing; rules.len()]) };
        let mut only = BitSet::empty(part.segment.reader.max_doc());
        only.insert(number);
        let key = |rule: &Rule| match &rule.source {
            ValueSource::Undeclared(_) => {
                let mut others = others(rule, part, &only)?;
                Ok(others.remove(&number).map_or(SortKey::Missing, |key| SortKey::Other(key.into_owned())))
            }
            _ => value(rule, part.segment, number, doc.score).map(SortKey::of),
        };
        rules.iter().map(key).collect()
    };
    docs.map(of_doc).collect()
}

/// The order of documents with these values, but for ties.
pub(super) fn compare_keys(sort: &[Sort], left: &[SortKey], right: &[SortKey]) -> Ordering {
    let of_rule = |(sort, (left, right)): (&Sort, (&SortKey, &SortKey))| {
        compare(sort.order, sort.missing, &left.value(), &right.value())
    };
    sort.iter().zip(left.iter().zip(right)).map(of_rule).fold(Ordering::Equal, Ordering::then)
}

fn rule(snapshot: &Snapshot, sort: &Sort) -> Result<Rule> {
    let schema = &snapshot.schema;
    let source = if sort.field == Sort::SCORE {
        ValueSource::Score
    } else if sort.field == schema.key().name() {
        ValueSource::Key
    } else if schema.is_dynamic() && schema.field(&sort.field).is_none() {
        ValueSource::Undeclared(Source::Undeclared { name: sort.field.clone(), numbers_only: false })
    } else {
        let field = schema.require(&sort.field)?;
        if !field.is_indexed() {
            return Err(Error::NotIndexed { field: sort.field.clone() });
        }
        match field.field_type() {
            FieldType::Keyword(_) => ValueSource::Keywords(field.number()),
            FieldType::Text(_) | FieldType::Vector(_) | FieldType::SparseVector => {
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

/// The values of an undeclared field that documents are sorted by; none when the rule sorts by something else.
fn others<'a>(rule: &Rule, part: Part<'a>, docs: &BitSet) -> Result<HashMap<DocId, Key<'a>>> {
    let ValueSource::Undeclared(source) = &rule.source else { return Ok(HashMap::new()) };
    let column = Column::open(source, part, docs)?;
    let mut chosen: HashMap<DocId, i64> = HashMap::new();
    column.take(docs, part.cancel, &mut |docs, values| {
        for (&doc, &value) in docs.iter().zip(values) {
            let own = chosen.entry(doc).or_insert(value);
            if rule.order == Order::Desc {
                *own = value;
            }
        }
        Ok(())
    })?;
    chosen.into_iter().map(|(doc, value)| Ok((doc, column.key(value)?))).collect()
}

fn value<'a>(rule: &Rule, segment: &'a SnapshotSegment, doc: DocId, score: f32) -> Result<SortValue<'a>> {
    let columns = segment.reader.columns();
    let value = match rule.source {
        ValueSource::Undeclared(_) => None,
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

fn compare(order: Order, missing: Missing, left: &SortValue<'_>, right: &SortValue<'_>) -> Ordering {
    let values = match (left, right) {
        (SortValue::Missing, SortValue::Missing) => return Ordering::Equal,
        (SortValue::Missing, _) | (_, SortValue::Missing) => {
            let left_first = (*left == SortValue::Missing) == (missing == Missing::First);
            return if left_first { Ordering::Less } else { Ordering::Greater };
        }
        (SortValue::Number(left), SortValue::Number(right)) => left.cmp(right),
        (SortValue::Text(left), SortValue::Text(right)) => left.cmp(right),
        (SortValue::Other(left), SortValue::Other(right)) => left.cmp(right),
        _ => Ordering::Equal,
    };
    if order == Order::Desc { values.reverse() } else { values }
}

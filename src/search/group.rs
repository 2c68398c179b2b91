//! Groups: the documents of a ranking by the values of a field.

use super::aggregate::{Column, Key, Source, Unit, source};
use super::ranking::{DocAddress, ScoredDoc};
use super::resolve::Resolver;
use crate::document::Value;
use crate::error::{Error, Result};
use crate::limits::MAX_GROUP_SIZE;
use crate::query::GroupBy;
use crate::schema::Schema;
use lucerne_codec::{BitSet, DocId};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Documents between two looks at the cancel flag.
const CANCEL_STEP: usize = 1_024;

/// What groups are made by.
pub(super) struct Grouping {
    source: Source,
    unit: Unit,
    /// Documents of a group.
    size: usize,
}

/// The best documents of a value, or a document without a value.
pub(super) struct Group {
    pub(super) value: Option<Value>,
    /// Best first, at least one.
    pub(super) docs: Vec<ScoredDoc>,
}

/// Looks the field up.
pub(super) fn resolve(schema: &Schema, GroupBy { field, size }: &GroupBy) -> Result<Grouping> {
    if *size == 0 || *size > MAX_GROUP_SIZE {
        let problem = format!("groups of {size} hits, expected 1 to {MAX_GROUP_SIZE}");
        return Err(Error::WrongQuery { field: Some(field.clone()), problem });
    }
    let (source, unit) = source(schema, field, false)?;
    Ok(Grouping { source, unit, size: *size })
}

impl Grouping {
    /// Whether a deeper ranking would not change the groups from `offset` to `end`.
    pub(super) fn is_complete(&self, groups: &[Group], offset: usize, end: usize) -> bool {
        let full = |group: &Group| group.value.is_none() || group.docs.len() == self.size;
        groups.len() >= end && groups.iter().take(end).skip(offset).all(full)
    }

    /// Groups of ranked documents, in the order of the best document of each.
    pub(super) fn groups(&self, resolver: &Resolver<'_>, docs: &[ScoredDoc]) -> Result<Vec<Group>> {
        let keys = self.keys(resolver, docs)?;
        let (mut groups, mut places): (Vec<Group>, HashMap<&Key<'_>, usize>) = Default::default();
        for (done, doc) in docs.iter().enumerate() {
            resolver.stop.cancel.check_every(CANCEL_STEP, done)?;
            let Some(key) = keys.get(&doc.address) else {
                groups.push(Group { value: None, docs: vec![*doc] });
                continue;
            };
            match places.entry(key) {
                Entry::Vacant(place) => {
                    place.insert(groups.len());
                    groups.push(Group { value: Some(key.value(self.unit)), docs: vec![*doc] });
                }
                Entry::Occupied(place) => {
                    let group = groups.get_mut(*place.get()).filter(|group| group.docs.len() < self.size);
                    group.into_iter().for_each(|group| group.docs.push(*doc));
                }
            }
        }
        Ok(groups)
    }

    /// The least value of each document that has any.
    fn keys<'a>(&self, resolver: &Resolver<'a>, docs: &[ScoredDoc]) -> Result<HashMap<DocAddress, Key<'a>>> {
        let mut sets: HashMap<usize, BitSet> = HashMap::new();
        for DocAddress { segment, doc } in docs.iter().map(|doc| doc.address) {
            let len = resolver.part(segment).map_or(0, |part| part.segment.reader.max_doc());
            sets.entry(segment).or_insert_with(|| BitSet::empty(len)).insert(doc);
        }
        let mut keys = HashMap::with_capacity(docs.len());
        for (segment, set) in &sets {
            let Some(part) = resolver.part(*segment) else { continue };
            let column = Column::open(&self.source, part, set)?;
            let mut firsts: Vec<(DocId, i64)> = Vec::new();
            column.take(set, part.cancel, &mut |docs, values| {
                for (&doc, &value) in docs.iter().zip(values) {
                    if firsts.last().is_none_or(|(last, _)| *last != doc) {
                        firsts.push((doc, value));
                    }
                }
                Ok(())
            })?;
            for (doc, value) in firsts {
                keys.insert(DocAddress { segment: *segment, doc }, column.key(value)?);
            }
        }
        Ok(keys)
    }
}

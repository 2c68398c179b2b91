//! What a segment's columns should be, for the suite of column formats.

use crate::columns::{ColumnData, ColumnField, ColumnKind, ColumnsSource};
use crate::random::SplitMix64;
use crate::{DocId, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Values by document.
pub(super) type Values<T> = BTreeMap<DocId, Vec<T>>;

/// What a segment's columns should be.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) max_doc: u32,
    pub(super) numbers: BTreeMap<u32, Values<i64>>,
    pub(super) keywords: BTreeMap<u32, Values<String>>,
}

impl Model {
    /// Columns of all kinds: which documents have values, how many, and of what range.
    pub(super) fn new(max_doc: u32, seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut model = Self { max_doc, ..Self::default() };
        type Has = fn(DocId, u32, &mut SplitMix64) -> u64;
        let has: [Has; 7] = [
            |_, _, _| 1,
            |_, _, random| random.below(2),
            |_, _, random| u64::from(random.below(300) == 0),
            |_, _, random| random.below(4),
            |doc, _, _| u64::from((1_100..2_000).contains(&doc)) * 2,
            |doc, max_doc, _| u64::from(doc + 1 == max_doc),
            |doc, _, random| 1 + 50 * u64::from(doc % 500 == 7) + u64::from(random.below(90) == 0),
        ];
        type Of = fn(DocId, &mut SplitMix64) -> i64;
        let of: [Of; 8] = [
            |_, random| random.below(200) as i64,
            |_, _| -7,
            |doc, random| 1_700_000_000_000 + i64::from(doc) * 1_000 + random.below(900) as i64,
            |_, random| random.next() as i64,
            |_, random| [i64::MIN, i64::MAX, 0, -1][random.below(4) as usize],
            |_, _| i64::MAX,
            |doc, random| i64::from(doc / 1_024) * 100_000 + random.below(60_000) as i64,
            |_, random| i64::MIN + random.below(2) as i64,
        ];
        let word: [fn(&mut SplitMix64) -> String; 4] = [
            |random| ["", "größe", "a", "ab", "\0", "日本"][random.below(6) as usize].to_owned(),
            |random| format!("key-{}", random.below(100_000)),
            |_| "same".to_owned(),
            |random| "long ".repeat(random.below(9_000) as usize * usize::from(random.below(100) == 0)),
        ];
        // Field numbers have gaps, and kinds alternate.
        for (shape, has) in (0..).zip(has) {
            for (kind, of) in (0..).zip(of) {
                model.add_numbers(shape * 100 + kind * 3, &mut random, has, of);
            }
            for (kind, word) in (0..).zip(word) {
                model.add_keywords(shape * 100 + kind * 3 + 1, &mut random, has, word);
            }
        }
        model
    }

    fn add_numbers(
        &mut self,
        number: u32,
        random: &mut SplitMix64,
        has: impl Fn(DocId, u32, &mut SplitMix64) -> u64,
        of: impl Fn(DocId, &mut SplitMix64) -> i64,
    ) {
        for doc in 0..self.max_doc {
            let mut own: Vec<i64> = (0..has(doc, self.max_doc, random)).map(|_| of(doc, random)).collect();
            own.sort_unstable();
            if !own.is_empty() {
                self.numbers.entry(number).or_default().insert(doc, own);
            }
        }
    }

    fn add_keywords(
        &mut self,
        number: u32,
        random: &mut SplitMix64,
        has: impl Fn(DocId, u32, &mut SplitMix64) -> u64,
        word: impl Fn(&mut SplitMix64) -> String,
    ) {
        for doc in 0..self.max_doc {
            let own: BTreeSet<String> = (0..has(doc, self.max_doc, random)).map(|_| word(random)).collect();
            if !own.is_empty() {
                self.keywords.entry(number).or_default().insert(doc, own.into_iter().collect());
            }
        }
    }

    /// Its columns, by ascending field number.
    pub(super) fn columns(&self) -> Columns {
        let mut columns: Vec<(ColumnField, ColumnData)> = Vec::new();
        for (&number, values) in &self.numbers {
            let docs = values.iter().flat_map(|(&doc, own)| own.iter().map(move |_| doc)).collect();
            let values = values.values().flatten().copied().collect();
            columns.push((field(number, ColumnKind::Numbers), ColumnData::Numbers { docs, values }));
        }
        for (&number, values) in &self.keywords {
            let dictionary = dictionary(values);
            let docs = values.iter().flat_map(|(&doc, own)| own.iter().map(move |_| doc)).collect();
            let ordinals = values.values().flatten().map(|term| ordinal(&dictionary, term)).collect();
            let dictionary = dictionary.into_iter().map(Into::into).collect();
            let data = ColumnData::Keywords { docs, ordinals, dictionary };
            columns.push((field(number, ColumnKind::Keywords), data));
        }
        columns.sort_by_key(|(field, _)| field.number);
        Columns(columns.into_iter())
    }
}

pub(super) fn field(number: u32, kind: ColumnKind) -> ColumnField {
    ColumnField { number, name: format!("field {number}"), kind }
}

pub(super) fn dictionary(values: &Values<String>) -> Vec<&str> {
    let terms: BTreeSet<&str> = values.values().flatten().map(String::as_str).collect();
    terms.into_iter().collect()
}

pub(super) fn ordinal(dictionary: &[&str], term: &str) -> u32 {
    dictionary.binary_search(&term).expect("it is in the dictionary") as u32
}

pub(super) struct Columns(pub(super) std::vec::IntoIter<(ColumnField, ColumnData)>);

impl ColumnsSource for Columns {
    fn next_column(&mut self) -> Result<Option<(ColumnField, ColumnData)>> {
        Ok(self.0.next())
    }
}

/// A column of each layout, small.
pub(super) fn small() -> Model {
    let mut model = Model { max_doc: 90, ..Model::default() };
    let mut random = SplitMix64::new(5);
    let number = |doc: DocId, _: &mut SplitMix64| i64::from(doc) * 3 - 70;
    model.add_numbers(0, &mut random, |_, _, _| 1, number);
    model.add_numbers(1, &mut random, |doc, _, _| u64::from(doc % 9 > 1), |_, _| 1);
    model.add_numbers(2, &mut random, |doc, _, _| u64::from(doc % 30 == 4), |doc, _| i64::from(doc) << 40);
    model.add_numbers(3, &mut random, |doc, _, _| u64::from(doc % 29 == 4) * 2, number);
    let word = |random: &mut SplitMix64| ["", "größe", "vim", "zstd"][random.below(4) as usize].to_owned();
    model.add_keywords(4, &mut random, |doc, _, _| u64::from(doc % 8 == 0) * 2, word);
    model
}

//! Fuzzing of columns.

use super::{FORMATS, Plan, body_of, put};
use lucerne::codec::columns::{
    ColumnData, ColumnField, ColumnKind, ColumnsSource, KeywordColumn, NumberColumn,
};
use lucerne::codec::envelope::NO_FIELD;
use lucerne::codec::format::Written;
use lucerne::codec::testing::Bench;
use lucerne::codec::{BitSet, Cancel, Metadata};
use std::sync::LazyLock;

/// One column of each layout, in 1,100 documents.
struct SoundColumns(u32);

impl ColumnsSource for SoundColumns {
    fn next_column(&mut self) -> lucerne::codec::Result<Option<(ColumnField, ColumnData)>> {
        let number = self.0;
        self.0 += 1;
        let kind = if number == 3 { ColumnKind::Keywords } else { ColumnKind::Numbers };
        let dense = || (0..COLUMN_DOCS).collect::<Vec<u32>>();
        let numbers = |docs: Vec<u32>, value: fn(u32) -> i64| {
            let values = docs.iter().map(|&doc| value(doc)).collect();
            ColumnData::Numbers { docs, values }
        };
        let data = match number {
            0 => numbers(dense(), |doc| i64::from(doc % 250)),
            1 => numbers(dense().into_iter().filter(|doc| doc % 3 == 0).collect(), |_| i64::MIN),
            2 => numbers(vec![7, 7, 9, 1_030], |doc| i64::from(doc) << 30),
            3 => ColumnData::Keywords {
                docs: vec![1, 1, 1_040],
                ordinals: vec![0, 2, 1],
                dictionary: ["", "größe", "vim"].map(Into::into).to_vec(),
            },
            _ => return Ok(None),
        };
        Ok(Some((ColumnField { number, name: format!("f{number}"), kind }, data)))
    }
}

const COLUMN_DOCS: u32 = 1_100;

fn sound_columns() -> (Vec<u8>, Metadata) {
    let bench = Bench::new();
    let format = FORMATS.default_columns().unwrap();
    let written = format.write(&bench.write(COLUMN_DOCS), &mut SoundColumns(0)).unwrap();
    (body_of(&bench.directory, "_0.cols"), written.meta)
}

/// Columns: a body over the sound one, metadata about the sound body, or a body with metadata made up for it.
pub(crate) fn columns(data: &[u8]) {
    static SOUND: LazyLock<(Vec<u8>, Metadata)> = LazyLock::new(sound_columns);
    let Some((plan, data)) = Plan::split(data) else { return };
    let (mut body, mut meta) = SOUND.clone();
    match plan.choice(4) {
        // What lies far behind is reached with few bytes: the input covers the end of the body.
        0 => {
            let end = body.len() - data.len().min(body.len());
            body[end..].iter_mut().zip(data).for_each(|(byte, &mask)| *byte ^= mask);
        }
        1 => meta = serde_json::from_slice(data).unwrap_or_default(),
        choice => {
            let [blocks, terms, bytes, ..] = *data else { return };
            body = data[3..].to_vec();
            let keywords = choice == 3;
            let kind = if keywords { "keywords" } else { "numbers" };
            let mut column = serde_json::json!({
                "field": { "number": 3, "name": "f", "kind": kind }, "at": 64, "len": body.len(), "docs": 300,
                "values": 1_000, "least": 0, "greatest": 500, "blocks": blocks % 4 });
            if keywords {
                column["dictionary"] = serde_json::json!({ "terms": terms, "bytes": bytes });
                column["greatest"] = i64::from(terms).saturating_sub(1).into();
            }
            meta = serde_json::json!({ "columns": [column] });
        }
    }
    let bench = Bench::new();
    let entry = put(&bench.directory, "_0.cols", "columns", Bench::ID, NO_FIELD, &body);
    let written = Written { files: vec![entry], meta };
    let format = FORMATS.default_columns().unwrap();
    let Ok(reader) = format.open(&bench.open(COLUMN_DOCS, &written)) else { return };
    let sound = reader.verify(&Cancel::new()).unwrap().is_empty();
    let _ = reader.inspect();
    for field in reader.fields().to_vec() {
        match (reader.numbers(field.number), reader.keywords(field.number)) {
            (Some(column), None) => use_numbers(column, sound),
            (None, Some(column)) => use_keywords(column, sound),
            _ => panic!("field {} is of one kind", field.number),
        }
    }
}

fn use_numbers(column: &dyn NumberColumn, sound: bool) {
    let (least, greatest) = column.bounds();
    assert!(column.docs() <= COLUMN_DOCS && least <= greatest);
    let (mut existing, mut values) = (BitSet::empty(COLUMN_DOCS), Vec::new());
    let _ = column.existing(&Cancel::new(), &mut existing);
    for range in [i64::MIN..=i64::MAX, 100..=200, least..=least, greatest..=i64::MAX] {
        let mut found = BitSet::empty(COLUMN_DOCS);
        let answered = column.in_range(range.clone(), &Cancel::new(), &mut found).is_ok();
        for doc in (0..COLUMN_DOCS).step_by(7).chain([COLUMN_DOCS, u32::MAX]) {
            let read = column.values(doc, &mut values).is_ok();
            let ends = (column.least(doc), column.greatest(doc));
            if sound {
                assert!(answered && read && values.is_sorted());
                assert_eq!(found.contains(doc), values.iter().any(|value| range.contains(value)));
                assert_eq!(existing.contains(doc), !values.is_empty());
                assert_eq!(
                    (ends.0.unwrap(), ends.1.unwrap()),
                    (values.first().copied(), values.last().copied())
                );
            }
        }
    }
}

fn use_keywords(column: &dyn KeywordColumn, sound: bool) {
    let (mut existing, mut ordinals) = (BitSet::empty(COLUMN_DOCS), Vec::new());
    let _ = column.existing(&Cancel::new(), &mut existing);
    for doc in (0..COLUMN_DOCS).chain([u32::MAX]) {
        let read = column.ordinals(doc, &mut ordinals).is_ok();
        let _ = (column.least(doc), column.greatest(doc));
        assert!(!sound || read && ordinals.is_sorted() && existing.contains(doc) != ordinals.is_empty());
    }
    for ordinal in (0..column.terms().min(300)).chain([column.terms(), u32::MAX]) {
        let term = column.term(ordinal);
        assert_eq!(term.is_ok() || !sound, ordinal < column.terms() || !sound);
    }
}

/// What fuzzing starts from.
pub(super) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds = vec![("columns", vec![0; 200])];
    let (body, metadata) = sound_columns();
    seeds.push(("columns", [&[4u8][..], metadata.to_string().as_bytes()].concat()));
    let part = |choice: u8, counts: [u8; 3], from: &str| {
        let column =
            metadata["columns"].as_array().unwrap().iter().find(|column| column["field"]["name"] == from);
        let place = |name: &str| column.unwrap()[name].as_u64().unwrap() as usize;
        [&[choice << 2][..], &counts, &body[place("at") - 64..place("at") - 64 + place("len")]].concat()
    };
    seeds.push(("columns", part(2, [2, 0, 0], "f1")));
    seeds.push(("columns", part(2, [2, 0, 0], "f2")));
    seeds.push(("columns", part(3, [2, 3, 10], "f3")));
    seeds
}

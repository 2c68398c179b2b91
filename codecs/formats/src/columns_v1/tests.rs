//! Layouts take the room they should; forged counts end in errors.

use super::*;
use lucerne_codec::columns::{ColumnData, ColumnField, ColumnKind};
use lucerne_codec::testing::{Bench, reseal};
use lucerne_codec::{BitSet, Cancel, Error, MergeInput};
use serde_json::{Value, json};

struct One(Option<(ColumnField, ColumnData)>);

impl ColumnsSource for One {
    fn next_column(&mut self) -> Result<Option<(ColumnField, ColumnData)>> {
        Ok(self.0.take())
    }
}

fn numbers(max_doc: u32, docs: Vec<DocId>, values: Vec<i64>) -> (Bench, Written) {
    let bench = Bench::new();
    let field = ColumnField { number: 0, name: "n".to_owned(), kind: ColumnKind::Numbers };
    let mut source = One(Some((field, ColumnData::Numbers { docs, values })));
    let written = ColumnsV1.write(&bench.write(max_doc), &mut source).unwrap();
    (bench, written)
}

fn keywords(words: &[&str]) -> (Bench, Written) {
    let bench = Bench::new();
    let field = ColumnField { number: 0, name: "k".to_owned(), kind: ColumnKind::Keywords };
    let docs: Vec<DocId> = (0..words.len() as u32).collect();
    let dictionary = words.iter().map(|&word| word.into()).collect();
    let mut source = One(Some((field, ColumnData::Keywords { ordinals: docs.clone(), docs, dictionary })));
    let written = ColumnsV1.write(&bench.write(words.len() as u32), &mut source).unwrap();
    (bench, written)
}

/// Bytes of blocks, without envelope and table.
fn room(max_doc: u32, docs: Vec<DocId>, value: impl Fn(DocId) -> i64) -> u64 {
    let values = docs.iter().map(|&doc| value(doc)).collect();
    let (_, written) = numbers(max_doc, docs, values);
    let blocks = written.meta["columns"][0]["blocks"].as_u64().unwrap();
    written.files[0].len - 80 - 40 * blocks
}

#[test]
fn a_value_takes_the_bytes_it_needs() {
    let all = || (0..2_048).collect::<Vec<DocId>>();
    assert_eq!(room(2_048, all(), |_| 1 << 50), 0);
    assert_eq!(room(2_048, all(), |doc| (1 << 50) + i64::from(doc)), 2 * 2_048);
    assert_eq!(room(2_048, all(), |doc| i64::from(doc % 256)), 2_048);
    assert_eq!(room(2_048, all(), |doc| i64::from(doc) << 20), 4 * 2_048);
    assert_eq!(room(2_048, all(), |doc| if doc == 0 { i64::MIN } else { i64::MAX }), 8 * 1_024);
    assert_eq!(room(2_048, (0..63).collect(), |_| 1), 63 * 2);
    assert_eq!(room(2_048, (0..64).collect(), |_| 1), 128);
    assert_eq!(room(1_000_000, vec![5, 999_999], |_| 1), 4);
    // Two values each: ends, and a byte a value although all are the same.
    assert_eq!(room(10, (0..20).map(|i| i / 2).collect(), |_| 1), 10 * 4 + 20);
}

#[test]
fn blocks_that_a_range_decides_are_not_read() {
    let (bench, mut written) = numbers(4_096, (0..4_096).collect(), (0..4_096).collect());
    let name = written.files[0].name.clone();
    let mut bytes = bench.directory.get(&name).unwrap().to_vec();
    // Values that would be anything.
    bytes[64..64 + 2 * 4_096].fill(0xAB);
    written.files[0] = reseal(&name, &mut bytes);
    bench.directory.put(&name, bytes);
    let reader = ColumnsV1.open(&bench.open(4_096, &written)).unwrap();
    let mut found = BitSet::empty(4_096);
    reader.numbers(0).unwrap().in_range(1_024..=3_071, &Cancel::new(), &mut found).unwrap();
    assert!(found.iter().eq(1_024..3_072));
    assert!(!reader.verify(&Cancel::new()).unwrap().is_empty());
}

#[test]
fn forged_metadata_is_refused() {
    let (bench, written) = keywords(&["", "größe", "vim"]);
    ColumnsV1.open(&bench.open(3, &written)).unwrap();
    let places = ["at", "len", "docs", "values", "least", "greatest", "blocks"];
    let places = places.map(|name| format!("/columns/0/{name}")).into_iter();
    let places = places.chain(["terms", "bytes"].map(|name| format!("/columns/0/dictionary/{name}")));
    let impossible =
        [json!(0), json!(-1), json!(2), json!(1_000), json!(u32::MAX), json!(u64::MAX), json!(null)];
    for place in places {
        for value in &impossible {
            let mut forged = written.clone();
            let old = std::mem::replace(forged.meta.pointer_mut(&place).unwrap(), value.clone());
            if old == *value {
                continue;
            }
            // Counts that are possible show in the thorough check.
            match ColumnsV1.open(&bench.open(3, &forged)) {
                Ok(reader) => {
                    assert!(!reader.verify(&Cancel::new()).unwrap().is_empty(), "{place} = {value}");
                }
                Err(error) => assert!(matches!(error, Error::Corrupt { .. }), "{place} = {value}: {error}"),
            }
        }
    }
    for (place, value) in [
        ("/columns/0/field/kind", json!("numbers")),
        ("/columns/0/dictionary", Value::Null),
        ("/columns", json!([])),
    ] {
        let mut forged = written.clone();
        *forged.meta.pointer_mut(place).unwrap() = value;
        assert!(ColumnsV1.open(&bench.open(3, &forged)).is_err(), "{place}");
    }
}

#[test]
fn terms_of_no_length_are_one_at_most() {
    let (bench, written) = keywords(&[""]);
    let mut forged = written.clone();
    for (place, value) in
        [("docs", 4_000_000u32), ("values", u32::MAX), ("blocks", 1), ("greatest", u32::MAX - 1)]
    {
        forged.meta["columns"][0][place] = value.into();
    }
    forged.meta["columns"][0]["dictionary"]["terms"] = u32::MAX.into();
    let error = ColumnsV1.open(&bench.open(u32::MAX, &forged)).err().unwrap();
    assert!(error.to_string().contains("terms"), "{error}");
    let reader = ColumnsV1.open(&bench.open(1, &written)).unwrap();
    assert_eq!(reader.keywords(0).unwrap().term(0).unwrap(), "");
}

#[test]
fn a_merge_is_written_as_if_it_had_never_been_in_parts() {
    use lucerne_codec::DocMap;
    let value = |doc: DocId| i64::from(doc.wrapping_mul(7_919) % 1_000);
    let part = |docs: std::ops::Range<u32>| {
        let len = docs.end - docs.start;
        let (bench, written) = numbers(len, (0..len).collect(), docs.map(value).collect());
        ColumnsV1.open(&bench.open(len, &written)).unwrap()
    };
    let (first, second) = (part(0..1_500), part(1_500..4_000));
    // Every fourth document is deleted.
    let new = |doc: DocId| (!doc.is_multiple_of(4)).then(|| doc - doc / 4 - 1);
    let maps = [DocMap::new((0..1_500).map(new)), DocMap::new((1_500..4_000).map(new))];
    let inputs = [
        MergeInput { segment: "_s", reader: Some(&*first), docs: &maps[0] },
        MergeInput { segment: "_s", reader: Some(&*second), docs: &maps[1] },
    ];
    let live: Vec<DocId> = (0..4_000).filter(|&doc| new(doc).is_some()).collect();
    let bench = Bench::new();
    let merged = ColumnsV1.merge(&bench.write(live.len() as u32), &inputs).unwrap();
    let docs = (0..live.len() as u32).collect();
    let (fresh_bench, fresh) = numbers(live.len() as u32, docs, live.into_iter().map(value).collect());
    assert_eq!(merged.meta, fresh.meta);
    assert!(bench.directory.files() == fresh_bench.directory.files());
}

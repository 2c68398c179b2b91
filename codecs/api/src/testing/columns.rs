//! What every format of columns must do.

use super::column_model::{Columns, Model, Values, dictionary, field, ordinal, small};
use crate::columns::{ColumnData, ColumnField, ColumnKind, ColumnsFormat, ColumnsReader};
use crate::envelope::{FileEntry, verify_checksum};
use crate::format::{OpenContext, Written};
use crate::random::SplitMix64;
use crate::testing::{Bench, Verdict, check_damage};
use crate::{BitSet, Cancel, Directory, DocId, DocMap, Error, MergeInput, Result};
use std::ops::RangeInclusive;

/// Runs the whole suite; panics where the format breaks a promise.
pub fn check_columns_format(format: &dyn ColumnsFormat) {
    for max_doc in [1, 63, 64, 65, 1_023, 1_024, 1_025, 5_000] {
        values_come_back(format, &Model::new(max_doc, u64::from(max_doc)));
    }
    values_come_back(format, &Model { max_doc: 70, ..Model::default() });
    merging_keeps_the_live(format);
    misuse_is_refused(format);
    damage_is_noticed(format);
}

fn write(format: &dyn ColumnsFormat, bench: &Bench, model: &Model) -> Written {
    format.write(&bench.write(model.max_doc), &mut model.columns()).expect("written")
}

fn expect(reader: &dyn ColumnsReader, model: &Model) {
    let fields: Vec<ColumnField> = model.columns().0.map(|(field, _)| field).collect();
    assert_eq!(reader.fields(), fields);
    assert!(reader.numbers(u32::MAX).is_none() && reader.keywords(u32::MAX).is_none());
    for (&number, values) in &model.numbers {
        assert!(reader.keywords(number).is_none(), "field {number} is of another kind");
        expect_numbers(reader, number, values, model.max_doc).expect("numbers");
    }
    for (&number, values) in &model.keywords {
        assert!(reader.numbers(number).is_none(), "field {number} is of another kind");
        expect_keywords(reader, number, values, model.max_doc).expect("keywords");
    }
    assert!(reader.verify(&Cancel::new()).expect("verified").is_empty());
    assert!(reader.inspect().is_object());
}

fn expect_numbers(reader: &dyn ColumnsReader, number: u32, values: &Values<i64>, max_doc: u32) -> Result<()> {
    let column = reader.numbers(number).expect("a column");
    let all = || values.values().flatten().copied();
    let bounds = (all().min().expect("a value"), all().max().expect("a value"));
    assert_eq!((column.docs() as usize, column.bounds()), (values.len(), bounds), "field {number}");
    let mut own = vec![1];
    for doc in 0..max_doc {
        let expected = values.get(&doc).map(Vec::as_slice).unwrap_or_default();
        column.values(doc, &mut own)?;
        assert_eq!(own, expected, "field {number}, document {doc}");
        assert_eq!(column.least(doc)?, expected.first().copied(), "field {number}, document {doc}");
        assert_eq!(column.greatest(doc)?, expected.last().copied(), "field {number}, document {doc}");
    }
    let same = |found: &BitSet, expected: &dyn Fn(&[i64]) -> bool, what: &dyn std::fmt::Debug| {
        let expected = values.iter().filter(|(_, own)| expected(own)).map(|(&doc, _)| doc);
        assert!(found.iter().eq(expected), "field {number}: {what:?}");
    };
    let mut found = BitSet::empty(max_doc);
    column.existing(&Cancel::new(), &mut found)?;
    same(&found, &|_| true, &"existing");
    for range in ranges(&all().collect::<Vec<_>>(), u64::from(number)) {
        let mut found = BitSet::empty(max_doc);
        column.in_range(range.clone(), &Cancel::new(), &mut found)?;
        same(&found, &|own| own.iter().any(|value| range.contains(value)), &range);
    }
    for docs in subsets(max_doc) {
        let mut taken = Vec::new();
        column.take_values(&docs, &Cancel::new(), &mut |docs, values| {
            assert_eq!(docs.len(), values.len());
            taken.extend(docs.iter().copied().zip(values.iter().copied()));
            Ok(())
        })?;
        let members = values.iter().filter(|(doc, _)| docs.contains(**doc));
        let expected = members.flat_map(|(&doc, own)| own.iter().map(move |&value| (doc, value)));
        assert!(taken.into_iter().eq(expected), "field {number}: values taken together");
    }
    // What is in the set already stays.
    let mut found = BitSet::full(max_doc);
    column.in_range(i64::MIN..=i64::MIN, &Cancel::new(), &mut found)?;
    assert_eq!(found, BitSet::full(max_doc));
    Ok(())
}

/// Sets of documents: all, none, some, and the last alone.
fn subsets(max_doc: u32) -> [BitSet; 5] {
    let mut subsets = [(); 5].map(|()| BitSet::empty(max_doc));
    subsets[0] = BitSet::full(max_doc);
    (0..max_doc).filter(|doc| doc % 7 < 3).for_each(|doc| _ = subsets[2].insert(doc));
    subsets[3].insert(max_doc - 1);
    (0..max_doc).filter(|doc| doc % 7 < 5).for_each(|doc| _ = subsets[4].insert(doc));
    subsets
}

/// Ranges that matter: of everything, of nothing, of one value, and between any two.
fn ranges(values: &[i64], seed: u64) -> Vec<RangeInclusive<i64>> {
    let mut random = SplitMix64::new(seed);
    let mut pick = || values[random.below(values.len() as u64) as usize];
    let mut ranges = vec![
        i64::MIN..=i64::MAX,
        i64::MIN..=i64::MIN,
        i64::MAX..=i64::MAX,
        i64::MIN..=-1,
        0..=i64::MAX,
        RangeInclusive::new(1, 0),
        RangeInclusive::new(i64::MAX, i64::MIN),
    ];
    for _ in 0..8 {
        let (left, right) = (pick(), pick());
        let (low, high) = (left.min(right), left.max(right));
        ranges.extend([
            low..=high,
            low..=low,
            RangeInclusive::new(low.saturating_add(1), high.saturating_sub(1)),
        ]);
        ranges.extend([i64::MIN..=high, low..=i64::MAX]);
    }
    ranges
}

fn expect_keywords(
    reader: &dyn ColumnsReader,
    number: u32,
    values: &Values<String>,
    max_doc: u32,
) -> Result<()> {
    let column = reader.keywords(number).expect("a column");
    let dictionary = dictionary(values);
    assert_eq!((column.docs() as usize, column.terms() as usize), (values.len(), dictionary.len()));
    for (ordinal, term) in (0..).zip(&dictionary) {
        assert_eq!(column.term(ordinal)?, *term, "field {number}");
    }
    assert!(column.term(column.terms()).is_err() && column.term(u32::MAX).is_err());
    let mut own = vec![1];
    for doc in 0..max_doc {
        let terms = values.get(&doc).map(Vec::as_slice).unwrap_or_default();
        let expected: Vec<u32> = terms.iter().map(|term| ordinal(&dictionary, term)).collect();
        column.ordinals(doc, &mut own)?;
        assert_eq!(own, expected, "field {number}, document {doc}");
        assert_eq!(column.least(doc)?, expected.first().copied(), "field {number}, document {doc}");
        assert_eq!(column.greatest(doc)?, expected.last().copied(), "field {number}, document {doc}");
    }
    let mut found = BitSet::empty(max_doc);
    column.existing(&Cancel::new(), &mut found)?;
    assert!(found.iter().eq(values.keys().copied()), "field {number}");
    for docs in subsets(max_doc) {
        let mut taken = Vec::new();
        column.take_ordinals(&docs, &Cancel::new(), &mut |docs, ordinals| {
            assert_eq!(docs.len(), ordinals.len());
            taken.extend(docs.iter().copied().zip(ordinals.iter().copied()));
            Ok(())
        })?;
        let members = values.iter().filter(|(doc, _)| docs.contains(**doc));
        let expected = members
            .flat_map(|(&doc, own)| own.iter().map(move |term| (doc, term)))
            .map(|(doc, term)| (doc, ordinal(&dictionary, term)));
        let mut counts = vec![0; dictionary.len()];
        column.count(&docs, docs.count(), &Cancel::new(), &mut counts)?;
        for (ordinal, count) in (0..).zip(counts) {
            let counted = taken.iter().filter(|(_, other)| *other == ordinal).count() as u64;
            assert_eq!(count, counted, "field {number}: term {ordinal} counted");
        }
        assert!(taken.into_iter().eq(expected), "field {number}: keywords taken together");
    }
    Ok(())
}

fn values_come_back(format: &dyn ColumnsFormat, model: &Model) {
    let (bench, again) = (Bench::new(), Bench::new());
    let written = write(format, &bench, model);
    let reader = format.open(&bench.open(model.max_doc, &written)).expect("opened");
    expect(&*reader, model);
    let other = write(format, &again, model);
    assert!(bench.directory.files() == again.directory.files(), "the same bytes twice");
    assert_eq!(written.meta, other.meta, "the same metadata twice");
}

fn merging_keeps_the_live(format: &dyn ColumnsFormat) {
    // The second has no columns at all; the third has none of its own fields.
    let mut models = [Model::new(1_500, 1), Model::default(), Model::new(700, 2), Model::new(40, 3)];
    models[1].max_doc = 30;
    models[2].numbers.retain(|number, _| *number < 300);
    for keep in [1u32, 3, 211, 100_000] {
        let mut merged = Model::default();
        let mut opened = Vec::new();
        for model in &models {
            let bench = Bench::new();
            let written = write(format, &bench, model);
            let lives = |doc: DocId| doc.is_multiple_of(keep) && (keep < 100_000 || model.max_doc == 40);
            let map = DocMap::new((0..model.max_doc).map(|doc| {
                lives(doc).then(|| {
                    let new = merged.max_doc;
                    for (number, values) in &model.numbers {
                        let own = values.get(&doc).map(|own| (new, own.clone()));
                        own.into_iter()
                            .for_each(|own| merged.numbers.entry(*number).or_default().extend([own]));
                    }
                    for (number, values) in &model.keywords {
                        let own = values.get(&doc).map(|own| (new, own.clone()));
                        own.into_iter()
                            .for_each(|own| merged.keywords.entry(*number).or_default().extend([own]));
                    }
                    merged.max_doc += 1;
                    new
                })
            }));
            let reader = format.open(&bench.open(model.max_doc, &written)).expect("opened");
            opened.push(((model.max_doc != 30).then_some(reader), map));
        }
        let inputs: Vec<_> = opened
            .iter()
            .map(|(reader, docs)| MergeInput { segment: "_s", reader: reader.as_deref(), docs })
            .collect();
        let bench = Bench::new();
        let written = format.merge(&bench.write(merged.max_doc), &inputs).expect("merged");
        expect(&*format.open(&bench.open(merged.max_doc, &written)).expect("opened"), &merged);

        let bench = Bench::new();
        bench.cancel.cancel();
        let cancelled = format.merge(&bench.write(merged.max_doc), &inputs);
        assert!(matches!(cancelled, Err(Error::Cancelled)), "a merge can be cancelled");
    }
}

fn misuse_is_refused(format: &dyn ColumnsFormat) {
    let model = Model::new(70, 4);
    let bench = Bench::new();
    let written = write(format, &bench, &model);
    let reader = format.open(&bench.open(70, &written)).expect("opened");
    for &number in model.numbers.keys() {
        let column = reader.numbers(number).expect("a column");
        for doc in [70, 1_024, u32::MAX] {
            assert!(column.least(doc).is_ok_and(|least| least.is_none()), "no document {doc}");
        }
        let stop = Cancel::new();
        stop.cancel();
        let stopped = column.take_values(&BitSet::full(70), &stop, &mut |_, _| Ok(()));
        assert!(matches!(stopped, Err(Error::Cancelled)), "taking values can be cancelled");
    }
    let stop = Cancel::new();
    stop.cancel();
    assert!(matches!(reader.verify(&stop), Err(Error::Cancelled)));
    let refused = |context: OpenContext<'_>| format.open(&context).err().expect("refused");
    refused(bench.open(69, &written));
    refused(bench.open(70, &Written::default()));
    refused(OpenContext { segment_id: Bench::OTHER, ..bench.open(70, &written) });

    let numbers = |docs: &[DocId], values: &[i64]| {
        let data = ColumnData::Numbers { docs: docs.to_vec(), values: values.to_vec() };
        (field(3, ColumnKind::Numbers), data)
    };
    let keywords = |ordinals: &[u32], dictionary: &[&str]| {
        let docs = (0..ordinals.len() as u32).collect();
        let dictionary = dictionary.iter().map(|&term| term.into()).collect();
        (
            field(3, ColumnKind::Keywords),
            ColumnData::Keywords { docs, ordinals: ordinals.to_vec(), dictionary },
        )
    };
    let wrong = [
        vec![numbers(&[0, 9], &[1, 1])],
        vec![numbers(&[0, 1], &[1])],
        vec![numbers(&[1, 0], &[1, 1])],
        vec![numbers(&[1, 1], &[2, 1])],
        vec![numbers(&[0], &[1]), numbers(&[0], &[1])],
        vec![keywords(&[0, 2], &["a", "b"])],
        vec![keywords(&[0, 2], &["a", "b", "c"])],
        vec![keywords(&[0, 1], &["b", "a"])],
        vec![keywords(&[0, 1], &["a", "a"])],
        vec![(field(3, ColumnKind::Keywords), numbers(&[0], &[1]).1)],
    ];
    for columns in wrong {
        let what = format!("{columns:?}");
        let result = format.write(&Bench::new().write(9), &mut Columns(columns.into_iter()));
        assert!(matches!(result, Err(Error::Invalid(_))), "{what}: {result:?}");
    }
}

fn damage_is_noticed(format: &dyn ColumnsFormat) {
    let model = small();
    let bench = Bench::new();
    let written = write(format, &bench, &model);
    for (index, entry) in written.files.iter().enumerate() {
        check_damage(&bench.directory, entry, &|entry: &FileEntry| {
            let mut written = written.clone();
            written.files[index] = entry.clone();
            read(format, &bench, &written, &model)?;
            // Values have no checksums of their own; the thorough check computes the file's.
            verify_checksum(&bench.directory.open(&entry.name)?)?;
            Ok(Verdict::Right)
        });
    }
    for meta in [serde_json::json!(null), serde_json::json!({}), serde_json::json!([1])] {
        let written = Written { meta, ..written.clone() };
        assert!(format.open(&bench.open(model.max_doc, &written)).is_err(), "metadata are checked");
    }
}

/// Reads all there is, whatever it is.
fn read(format: &dyn ColumnsFormat, bench: &Bench, written: &Written, model: &Model) -> Result<()> {
    let reader = format.open(&bench.open(model.max_doc, written))?;
    reader.verify(&Cancel::new())?;
    let (mut numbers, mut ordinals) = (Vec::new(), Vec::new());
    for number in model.numbers.keys() {
        let Some(column) = reader.numbers(*number) else { continue };
        let mut found = BitSet::empty(model.max_doc);
        column.existing(&Cancel::new(), &mut found)?;
        for range in [i64::MIN..=i64::MAX, -20..=40, 1..=1, 0..=i64::MAX] {
            column.in_range(range, &Cancel::new(), &mut found)?;
        }
        for doc in 0..model.max_doc {
            column.values(doc, &mut numbers)?;
            column.least(doc)?;
            column.greatest(doc)?;
        }
    }
    for number in model.keywords.keys() {
        let Some(column) = reader.keywords(*number) else { continue };
        column.existing(&Cancel::new(), &mut BitSet::empty(model.max_doc))?;
        for doc in 0..model.max_doc {
            column.ordinals(doc, &mut ordinals)?;
            for &ordinal in &ordinals {
                column.term(ordinal)?;
            }
        }
    }
    Ok(())
}

//! What every format of sparse vectors must do.

use crate::envelope::{FileEntry, verify_checksum};
use crate::format::Written;
use crate::random::SplitMix64;
use crate::sparse::{
    BLOCK_DOCS, MAX_CODE, SparseField, SparseFormat, SparseReader, SparseRow, SparseSource, TakeRow,
};
use crate::testing::{Bench, Verdict, check_damage};
use crate::{Cancel, Directory, DocId, DocMap, Error, MergeInput, Result};
use std::collections::BTreeMap;

/// Rows by field and document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelSparse {
    /// Documents of the segment.
    pub max_doc: u32,
    /// Of each field: each document's dimensions, ascending, with their weights.
    pub fields: BTreeMap<u32, BTreeMap<DocId, Vec<(u32, f32)>>>,
}

impl ModelSparse {
    /// Random rows of two fields: of few dimensions that many documents have, and of some that only one has.
    pub fn random(max_doc: u32, seed: u64) -> Self {
        let (mut random, mut fields) = (SplitMix64::new(seed), BTreeMap::new());
        for number in [2, 5] {
            let mut rows = BTreeMap::new();
            for doc in 0..max_doc {
                let mut row = BTreeMap::new();
                for _ in 0..random.below(6) {
                    let common = random.below(4) > 0;
                    let dimension = if common { random.below(7) as u32 } else { random.next() as u32 };
                    row.insert(dimension, (1 + random.below(1_000)) as f32 * 0.013);
                }
                if !row.is_empty() {
                    rows.insert(doc, row.into_iter().collect());
                }
            }
            if !rows.is_empty() {
                fields.insert(number, rows);
            }
        }
        Self { max_doc, fields }
    }

    fn live(&self, is_live: impl Fn(DocId) -> bool) -> Self {
        let mut model = self.clone();
        model.fields.values_mut().for_each(|rows| rows.retain(|doc, _| is_live(*doc)));
        model.fields.retain(|_, rows| !rows.is_empty());
        model
    }
}

impl SparseSource for ModelSparse {
    fn fields(&self) -> Vec<SparseField> {
        self.fields.keys().map(|&number| SparseField { number, name: format!("field {number}") }).collect()
    }

    fn each_row(&self, number: u32, take: &mut TakeRow<'_>) -> Result<()> {
        for (doc, row) in &self.fields[&number] {
            take(*doc, SparseRow::new(&SparseRow::bytes_of(row)))?;
        }
        Ok(())
    }
}

/// Runs the whole suite; panics where the format breaks a promise.
pub fn check_sparse_format(format: &dyn SparseFormat) {
    for max_doc in [1, 2, 255, 256, 257, 1_500] {
        let model = ModelSparse::random(max_doc, u64::from(max_doc) + 1);
        expect(&*written(format, &Bench::new(), &model).1, &model);
    }
    let none = ModelSparse { max_doc: 9, ..ModelSparse::default() };
    expect(&*written(format, &Bench::new(), &none).1, &none);
    extremes(format);
    merging_keeps_the_live(format);
    misuse_is_refused(format);
    damage_is_noticed(format);
}

fn written(
    format: &dyn SparseFormat,
    bench: &Bench,
    model: &ModelSparse,
) -> (Written, Box<dyn SparseReader>) {
    let written = format.write(&bench.write(model.max_doc), model).expect("written");
    let reader = format.open(&bench.open(model.max_doc, &written)).expect("opened");
    (written, reader)
}

fn expect(reader: &dyn SparseReader, model: &ModelSparse) {
    assert_eq!(reader.fields(), model.fields());
    assert!(reader.field(u32::MAX).is_none());
    for (&number, rows) in &model.fields {
        let vectors = reader.field(number).expect("the field");
        assert_eq!(vectors.docs() as usize, rows.len());
        let mut lists: BTreeMap<u32, Vec<(DocId, f32)>> = BTreeMap::new();
        for doc in 0..model.max_doc {
            let expected = rows.get(&doc).map(Vec::as_slice).unwrap_or_default();
            let row = vectors.row(doc).expect("read");
            assert!(row.iter().eq(expected.iter().copied()) && row.len() == expected.len(), "document {doc}");
            expected.iter().for_each(|(one, weight)| lists.entry(*one).or_default().push((doc, *weight)));
        }
        assert!(vectors.row(model.max_doc).is_err() && vectors.row(u32::MAX).is_err());
        for (dimension, expected) in &lists {
            let list = vectors.list(*dimension).expect("read").expect("a list");
            assert_eq!(list.docs() as usize, expected.len());
            let greatest = expected.iter().map(|(_, weight)| *weight).fold(0.0, f32::max);
            assert_eq!(list.max, greatest);
            let (step, mut found) = (f64::from(greatest) / f64::from(MAX_CODE), Vec::new());
            for block in list.blocks() {
                let (places, codes) = list.of_block(block);
                assert!(!places.is_empty() && places.is_sorted_by(|left, right| left < right));
                assert_eq!(codes.iter().max(), Some(&block.max_code));
                let docs = places.iter().map(|place| block.number * BLOCK_DOCS + u32::from(*place));
                found.extend(docs.zip(codes.iter().copied()));
            }
            assert!(found.iter().map(|(doc, _)| doc).eq(expected.iter().map(|(doc, _)| doc)));
            for ((_, code), (doc, weight)) in found.iter().zip(expected) {
                let (upper, weight) = (f64::from(*code) * step * (1.0 + 1e-12), f64::from(*weight));
                assert!(*code > 0 && upper >= weight && upper - weight <= step * 1.001, "document {doc}");
            }
        }
        let missing = (0..).find(|dimension| !lists.contains_key(dimension)).expect("one");
        assert!(vectors.list(missing).expect("read").is_none());
    }
    assert_eq!(reader.verify(&Cancel::new()).expect("verified"), []);
    assert!(reader.inspect().is_object());
}

/// Weights and dimensions at their bounds, a row of very many dimensions, copies.
fn extremes(format: &dyn SparseFormat) {
    let tiny = f32::from_bits(1);
    let rows = BTreeMap::from([
        (0, vec![(0, f32::MAX), (1, tiny), (u32::MAX, f32::MIN_POSITIVE)]),
        (1, vec![(0, tiny), (1, tiny), (u32::MAX, 1.0)]),
        (300, (0..100_000).map(|dimension| (dimension * 7, 0.5)).collect()),
        (301, vec![(0, f32::MAX), (1, tiny), (u32::MAX, f32::MIN_POSITIVE)]),
    ]);
    let model = ModelSparse { max_doc: 400, fields: BTreeMap::from([(1, rows)]) };
    expect(&*written(format, &Bench::new(), &model).1, &model);
}

fn merging_keeps_the_live(format: &dyn SparseFormat) {
    let models = [ModelSparse::random(300, 3), ModelSparse::random(280, 4)];
    let benches = [Bench::new(), Bench::new()];
    let readers: Vec<_> =
        models.iter().zip(&benches).map(|(model, bench)| written(format, bench, model).1).collect();
    let is_live = |doc: DocId| doc % 3 != 1;
    let mut next = 0;
    let maps = [300u32, 280].map(|len| {
        DocMap::new((0..len).map(|doc| {
            is_live(doc).then(|| {
                next += 1;
                next - 1
            })
        }))
    });
    let mut expected = ModelSparse { max_doc: next, ..ModelSparse::default() };
    for (model, map) in models.iter().zip(&maps) {
        for (number, rows) in model.live(is_live).fields {
            let moved = rows.into_iter().map(|(doc, row)| (map.get(doc).expect("live"), row));
            expected.fields.entry(number).or_default().extend(moved);
        }
    }
    let mut inputs: Vec<MergeInput<'_, dyn SparseReader>> = readers
        .iter()
        .zip(&maps)
        .map(|(reader, docs)| MergeInput { segment: "_1", reader: Some(&**reader), docs })
        .collect();
    let none = DocMap::new((0..5).map(|_| None));
    inputs.insert(1, MergeInput { segment: "_2", reader: None, docs: &none });
    let (merged, flushed) = (Bench::new(), Bench::new());
    let by_merge = format.merge(&merged.write(next), &inputs).expect("merged");
    expect(&*format.open(&merged.open(next, &by_merge)).expect("opened"), &expected);
    // Weights are not rounded a second time.
    let at_once = written(format, &flushed, &expected).0;
    for (one, other) in by_merge.files.iter().zip(&at_once.files) {
        assert_eq!(merged.directory.get(&one.name), flushed.directory.get(&other.name), "{}", one.name);
    }
    let bench = Bench::new();
    bench.cancel.cancel();
    assert!(matches!(format.merge(&bench.write(next), &inputs), Err(Error::Cancelled)));
}

fn misuse_is_refused(format: &dyn SparseFormat) {
    let of = |doc: DocId, row: &[(u32, f32)]| ModelSparse {
        max_doc: 3,
        fields: BTreeMap::from([(1, BTreeMap::from([(doc, row.to_vec())]))]),
    };
    for wrong in [
        of(3, &[(1, 1.0)]),
        of(0, &[]),
        of(0, &[(1, 0.0)]),
        of(0, &[(1, -1.0)]),
        of(0, &[(1, f32::NAN)]),
        of(0, &[(1, f32::INFINITY)]),
        of(0, &[(1, 1.0), (1, 1.0)]),
        of(0, &[(2, 1.0), (1, 1.0)]),
    ] {
        let result = format.write(&Bench::new().write(3), &wrong);
        assert!(matches!(result, Err(Error::Invalid(_))), "{wrong:?}: {result:?}");
    }
}

fn damage_is_noticed(format: &dyn SparseFormat) {
    let model = ModelSparse::random(30, 9);
    let bench = Bench::new();
    let written = written(format, &bench, &model).0;
    for (index, entry) in written.files.iter().enumerate() {
        check_damage(&bench.directory, entry, &|entry: &FileEntry| {
            let mut written = written.clone();
            written.files[index] = entry.clone();
            read(format, &bench, &written, &model)?;
            // Weights have no checksums of their own; the thorough check computes the file's.
            verify_checksum(&bench.directory.open(&entry.name)?)?;
            Ok(Verdict::Right)
        });
    }
    for meta in [serde_json::json!(null), serde_json::json!({}), serde_json::json!([1])] {
        let written = Written { meta, ..written.clone() };
        assert!(format.open(&bench.open(model.max_doc, &written)).is_err(), "metadata are checked");
    }
    // Rows outlive their lists.
    let lists = written.files.last().expect("a file");
    let whole = bench.directory.get(&lists.name).expect("it is there");
    bench.directory.put(&lists.name, &whole[..whole.len() / 2]);
    let context = bench.open(model.max_doc, &written);
    assert!(format.open(&context).is_err());
    if let Ok(left) = format.salvage(&context, &Cancel::new()) {
        let map = DocMap::new((0..model.max_doc).map(Some));
        let input = MergeInput { segment: "_0", reader: Some(&*left), docs: &map };
        let again = Bench::new();
        let merged = format.merge(&again.write(model.max_doc), &[input]).expect("merged");
        expect(&*format.open(&again.open(model.max_doc, &merged)).expect("opened"), &model);
    }
}

/// Reads all there is, whatever it is.
fn read(format: &dyn SparseFormat, bench: &Bench, written: &Written, model: &ModelSparse) -> Result<()> {
    let reader = format.open(&bench.open(model.max_doc, written))?;
    reader.verify(&Cancel::new())?;
    for (number, rows) in &model.fields {
        let Some(vectors) = reader.field(*number) else { continue };
        for doc in 0..model.max_doc {
            vectors.row(doc)?.dot(&[(0, 1.0), (3, 0.5), (9, 1.0)]);
        }
        for (dimension, _) in rows.values().flatten() {
            let Some(list) = vectors.list(*dimension)? else { continue };
            list.blocks().for_each(|block| assert!(list.of_block(block).0.len() <= BLOCK_DOCS as usize));
        }
    }
    Ok(())
}

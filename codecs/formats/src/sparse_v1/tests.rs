//! What the conformance suite does not see.

use super::*;
use lucerne_codec::sparse::{SparseField, SparseRow, TakeRow};
use lucerne_codec::testing::Bench;

struct Source(Vec<Vec<(u32, f32)>>);

impl SparseSource for Source {
    fn fields(&self) -> Vec<SparseField> {
        vec![SparseField { number: 3, name: "s".to_owned() }]
    }

    fn each_row(&self, _number: u32, take: &mut TakeRow<'_>) -> Result<()> {
        for (doc, row) in (0..).zip(&self.0).filter(|(_, row)| !row.is_empty()) {
            take(doc, SparseRow::new(&SparseRow::bytes_of(row)))?;
        }
        Ok(())
    }
}

#[test]
fn lists_are_the_same_however_many_are_made_at_once() {
    let rows = (0..1_000u32)
        .map(|doc| (0..doc % 7).map(|at| (at * at * (doc % 3 + 1), 0.1 * (1 + doc) as f32)).collect());
    let rows: Vec<Vec<(u32, f32)>> = rows
        .map(|mut row: Vec<(u32, f32)>| {
            row.dedup_by_key(|entry| entry.0);
            row
        })
        .collect();
    let source = Source(rows);
    let written = [1, 100, TOGETHER].map(|together| {
        let bench = Bench::new();
        let written = writer::write(&bench.write(1_000), &source, together).unwrap();
        let reader = SparseV1.open(&bench.open(1_000, &written)).unwrap();
        assert_eq!(reader.verify(&Cancel::new()).unwrap(), []);
        (written.meta, written.files)
    });
    assert!(written[0] == written[1] && written[1] == written[2]);
}

#[test]
fn a_code_is_never_below_its_weight() {
    for max in [f32::MAX, 3.7, 1.0, 1e-30, f32::MIN_POSITIVE, f32::from_bits(1)] {
        assert_eq!(code(max, max), 255);
        for step in 0..1_000 {
            let weight = (max * (step as f32 / 999.0)).max(f32::from_bits(1));
            let upper = f64::from(max) / 255.0 * f64::from(code(weight, max));
            assert!(upper * (1.0 + 1e-12) >= f64::from(weight), "{weight} of {max}");
            assert!(upper - f64::from(weight) <= f64::from(max) / 255.0 * (1.0 + 1e-12));
        }
    }
}

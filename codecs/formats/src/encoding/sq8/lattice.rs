//! Vectors whose components lie on a lattice of at most 256 values (pixels, counts, zeros and ones): codes of the values as
//! they are lose nothing.

use super::quantiles::Quantiles;
use crate::encoding::rows::{Rows, for_each_index};
use crate::encoding::sample::evenly;
use lucerne_codec::io::bytes::f32s;
use lucerne_codec::{Cancel, Result};

/// The greatest code.
const MOST: f64 = 255.0;
/// Vectors that the lattice is guessed from before all are compared with it.
const GUESSED_FROM: usize = 256;
/// Share of a step that a value may lie beside the lattice.
const TOLERANCE: f64 = 1e-4;

/// Quantiles whose codes stand for exactly the values that the vectors have; `None` if there are none.
pub(super) fn find(rows: &dyn Rows, cancel: &Cancel) -> Result<Option<Quantiles>> {
    let Some(mut lattice) = guess(rows, cancel)? else { return Ok(None) };
    let mut fits = true;
    for_each_index(0..rows.len(), cancel, |index| {
        fits = fits && lattice.takes_in(f32s(&rows.vector(index)?));
        Ok(())
    })?;
    Ok(lattice.quantiles().filter(|_| fits))
}

/// Values `origin + i·step`, with i from `first` to `last`.
#[derive(Clone, Copy, Debug)]
struct Lattice {
    origin: f64,
    step: f64,
    first: f64,
    last: f64,
}

impl Lattice {
    /// Widens the range so that it has the values; false if they are not on the lattice, or the range gets too wide.
    fn takes_in(&mut self, values: impl Iterator<Item = f32>) -> bool {
        let mut beside = 0f64;
        for value in values {
            let at = (f64::from(value) - self.origin) / self.step;
            let place = at.round();
            beside = beside.max((at - place).abs());
            self.first = self.first.min(place);
            self.last = self.last.max(place);
        }
        beside <= TOLERANCE && self.last - self.first <= MOST
    }

    /// Codes as far apart as 256 of them allow, so that the upper four bits of the codes differ, too.
    fn quantiles(&self) -> Option<Quantiles> {
        let steps = self.last - self.first;
        let step = self.step / (MOST / steps).floor();
        let lower = self.origin + self.first * self.step;
        let quantiles = Quantiles { lower: lower as f32, upper: (lower + MOST * step) as f32 };
        (steps >= 1.0 && quantiles.is_valid()).then_some(quantiles)
    }
}

/// The lattice of some of the vectors, if they have few values.
fn guess(rows: &dyn Rows, cancel: &Cancel) -> Result<Option<Lattice>> {
    let mut values: Vec<f32> = Vec::new();
    for index in evenly(rows.len(), GUESSED_FROM) {
        cancel.check()?;
        for value in f32s(&rows.vector(index)?) {
            if let Err(at) = values.binary_search_by(|known| known.total_cmp(&(value + 0.0))) {
                values.insert(at, value + 0.0);
            }
            if values.len() > 256 {
                return Ok(None);
            }
        }
    }
    let (Some(&lower), Some(&upper)) = (values.first(), values.last()) else { return Ok(None) };
    let gaps = values.windows(2).filter_map(|pair| match pair {
        [a, b] => Some(f64::from(*b) - f64::from(*a)),
        _ => None,
    });
    let step = gaps.fold(f64::INFINITY, f64::min);
    let (lower, upper) = (f64::from(lower), f64::from(upper));
    // Steps too small beside the values are not precise in f32.
    let precise = step.is_finite() && step > 1e-4 * lower.abs().max(upper.abs());
    let mut lattice = Lattice { origin: lower, step, first: 0.0, last: 0.0 };
    Ok((precise && lattice.takes_in(values.into_iter())).then_some(lattice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::rows::BufferedRows;
    use lucerne_codec::io::bytes::from_f32s;

    fn found(values: &[f32]) -> Option<Quantiles> {
        let bytes = from_f32s(values);
        find(&BufferedRows::new(&bytes, lucerne_codec::Component::F32, 8), &Cancel::new()).unwrap()
    }

    #[test]
    fn lattices_of_few_values_are_found_and_others_are_not() {
        assert_eq!(found(&[0.0, 1.0, -0.0, 1.0]), Some(Quantiles { lower: 0.0, upper: 1.0 }));
        assert_eq!(found(&[0.0, 255.0, 7.0, 8.0]), Some(Quantiles { lower: 0.0, upper: 255.0 }));
        assert_eq!(found(&[-1.0, -0.5, 99.0, 9.0]), Some(Quantiles { lower: -1.0, upper: 126.5 }));
        assert_eq!(found(&[0.0, 1.0, 300.0, 2.0]), None);
        assert_eq!(found(&[0.0, 1.0, 2.5, 4.0]), None);
        assert_eq!(found(&[3.0, 3.0, 3.0, 3.0]), None);
        assert_eq!(found(&[]), None);
    }
}

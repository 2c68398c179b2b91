//! How far estimated distances are from exact ones, and so which vectors may be nearer than they seem.

/// An estimate is taken to be off by at most this many root mean squares of the errors seen: of 30,000 normal errors one is greater.
const ERRORS: f64 = 4.0;
/// So many times that divided by the number of errors seen are added, for the same odds: their root mean square may be too small
/// by chance (Student's t).
const FOR_FEW: f64 = 6.0;

/// The error of any estimate is taken to be at least this share of the largest distance seen: of vectors that are as near some may
/// be rounded and others not.
const ROUNDING: f64 = 1e-6;

/// The errors of some estimated distances.
#[derive(Clone, Copy, Debug, Default)]
pub struct EstimateErrors {
    squares: f64,
    /// Estimates that are off at all.
    count: usize,
    /// Estimates that are exact.
    without: usize,
    /// The largest distance, whatever its sign.
    largest: f64,
}

impl EstimateErrors {
    /// Vectors whose errors are looked at before any is left out for its estimate.
    pub const LEAST: usize = 10;

    /// Adds the error of one estimate.
    pub fn add(&mut self, estimate: f32, exact: f32) {
        if estimate == exact {
            self.without += 1;
        } else {
            self.squares += (f64::from(estimate) - f64::from(exact)).powi(2);
            self.count += 1;
        }
        self.largest = self.largest.max(f64::from(estimate).abs()).max(f64::from(exact).abs());
    }

    /// How many of the estimates, which are sorted, are of vectors that may be no farther than `distance`. All of them while
    /// too few errors are known, and where most estimates are exact: what the others are off by is rounding, of any size.
    pub fn within(&self, distance: f32, estimates: impl IntoIterator<Item = f32>) -> usize {
        let count = self.count.max(1) as f64;
        let error = ERRORS * (1.0 + FOR_FEW / count) * (self.squares / count).sqrt();
        let bound = f64::from(distance) + error.max(ROUNDING * self.largest);
        // What is not a number is no reason to leave out anything.
        let is_known =
            self.count + self.without >= Self::LEAST && self.count > self.without && !bound.is_nan();
        let bound = if is_known { bound } else { f64::INFINITY };
        estimates.into_iter().take_while(|&estimate| f64::from(estimate) <= bound).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_as_near_is_within_and_nothing_is_left_out_on_little_evidence() {
        let mut errors = EstimateErrors::default();
        for number in 0..9 {
            errors.add(number as f32, number as f32 + 0.5);
        }
        assert_eq!(errors.within(1.0, [0.0, 5.0, 1e9]), 3);
        errors.add(9.0, 8.5);
        assert_eq!(errors.within(1.0, [0.0, 4.2, 4.201, 5.0]), 2);
        assert_eq!(errors.within(f32::NAN, [0.0, 3.0]), 2);
        let mut none = EstimateErrors::default();
        (0..10).for_each(|_| none.add(2.0, 2.0));
        assert_eq!(none.within(2.0, [2.0, 2.000_001, 2.1]), 3);
        (0..11).for_each(|_| none.add(2.0, 2.0 - f32::EPSILON));
        assert_eq!(none.within(2.0, [2.0, 2.000_001, 2.1]), 2);
    }
}

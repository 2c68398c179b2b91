//! What the queries of a field take beyond what its segments measure with their own vectors.

use serde::{Deserialize, Serialize};

/// The scale that one recall takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationPoint {
    /// The recall asked for, above 0 and below 1.
    pub recall: f64,
    /// How many times the candidates that the segments' own measurements ask for, 1/1,024 to 1,024.
    pub scale: f64,
    /// The recall that was reached with it, 0 to 1; less than was asked for where more does not help.
    pub reached: f64,
}

/// What the queries of a field take ([`calibrate`](crate::admin::calibrate)): kept with the schema, so that it holds for
/// all segments, and survives flushes and merges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Neighbors searched for.
    pub k: usize,
    /// Queries it was measured with.
    pub queries: usize,
    /// By ascending recall; at least one.
    pub points: Vec<CalibrationPoint>,
}

impl Calibration {
    /// What makes it unusable, if anything.
    pub(super) fn check(&self) -> Result<(), String> {
        let in_range = |point: &CalibrationPoint| {
            point.recall > 0.0
                && point.recall < 1.0
                && (1.0 / 1024.0..=1024.0).contains(&point.scale)
                && (0.0..=1.0).contains(&point.reached)
        };
        let ascending =
            self.points.windows(2).all(|pair| matches!(pair, [low, high] if low.recall < high.recall));
        if self.points.is_empty() || !ascending || !self.points.iter().all(in_range) {
            let expected =
                "points of ascending recall (above 0, below 1), scale (1/1024 to 1024), reached (0 to 1)";
            return Err(format!("calibration: expected {expected}"));
        }
        Ok(())
    }

    /// The scale for a recall: between two points in proportion, beyond the last that of the last.
    pub(crate) fn scale(&self, recall: f64) -> f64 {
        let at = self.points.iter().position(|point| point.recall >= recall);
        let (low, high) = match at {
            Some(0) | None => {
                let point = if at.is_some() { self.points.first() } else { self.points.last() };
                return point.map_or(1.0, |point| point.scale);
            }
            Some(at) => (self.points.get(at - 1), self.points.get(at)),
        };
        let (Some(low), Some(high)) = (low, high) else { return 1.0 };
        let share = (recall - low.recall) / (high.recall - low.recall);
        (low.scale.ln() + share * (high.scale.ln() - low.scale.ln())).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_lies_between_those_of_its_neighbors() {
        let point = |recall, scale| CalibrationPoint { recall, scale, reached: recall };
        let calibration = Calibration { k: 10, queries: 9, points: vec![point(0.8, 1.0), point(0.9, 4.0)] };
        assert!(calibration.check().is_ok());
        for (recall, scale) in [(0.5, 1.0), (0.8, 1.0), (0.85, 2.0), (0.9, 4.0), (0.99, 4.0)] {
            assert!((calibration.scale(recall) - scale).abs() < 1e-9, "{recall}");
        }
        for points in [
            vec![],
            vec![point(0.9, 1.0), point(0.8, 1.0)],
            vec![point(f64::NAN, 1.0)],
            vec![point(1.0, 1.0)],
            vec![point(0.9, 0.0)],
            vec![point(0.9, f64::INFINITY)],
        ] {
            assert!(Calibration { points, ..calibration.clone() }.check().is_err());
        }
    }
}

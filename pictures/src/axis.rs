//! Round numbers along an axis.

use crate::units::grouped;

/// Numbers at round distances from `low` to `high`, about `wanted` of them.
pub(crate) fn even(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let span = if high > low { high - low } else { 1.0 };
    let rough = span / wanted.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
    let step = steps.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(rough);
    let first = (low / step - 1e-6).ceil() as i64;
    let last = (high / step + 1e-6).floor() as i64;
    (first..=last.min(first.saturating_add(100))).map(|at| at as f64 * step).collect()
}

/// 1, 2 and 5 times powers of ten between two numbers above 0; the ends where there are fewer than two of them.
pub(crate) fn geometric(low: f64, high: f64) -> Vec<f64> {
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let all = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|times| times * 10f64.powi(power)));
    let within: Vec<f64> = all.filter(|it| (low * 0.999..=high * 1.001).contains(it)).collect();
    if within.len() < 2 { vec![low, high] } else { within }
}

/// A number in four digits: `0.95`, `12,345`, `1.2M`.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if !value.is_finite() => "–".to_owned(),
        0.0 => "0".to_owned(),
        1e15.. | ..1e-4 => format!("{value:.2e}"),
        1e6.. => format!("{}M", trimmed(value / 1e6, 2)),
        1e3.. if value < 0.0 => format!("-{}", grouped(size.round() as u64)),
        1e3.. => grouped(size.round() as u64),
        100.0.. => trimmed(value, 1),
        10.0.. => trimmed(value, 2),
        1.0.. => trimmed(value, 3),
        _ => trimmed(value, 4),
    }
}

fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_within() {
        let close = |found: Vec<f64>, wanted: &[f64]| {
            assert_eq!(found.len(), wanted.len(), "{found:?}");
            assert!(found.iter().zip(wanted).all(|(left, right)| (left - right).abs() < 1e-9), "{found:?}");
        };
        close(even(0.9, 1.0, 5), &[0.9, 0.92, 0.94, 0.96, 0.98, 1.0]);
        close(even(0.0, 7.0, 4), &[0.0, 2.0, 4.0, 6.0]);
        close(even(3.0, 3.0, 4), &[3.0]);
        close(geometric(10.0, 640.0), &[10.0, 20.0, 50.0, 100.0, 200.0, 500.0]);
        close(geometric(11.0, 13.0), &[11.0, 13.0]);
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.95, "0.95"),
            (12_345.0, "12,345"),
            (1_250_000.0, "1.25M"),
            (0.0, "0"),
            (100.0, "100"),
            (-3.0, "-3"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}

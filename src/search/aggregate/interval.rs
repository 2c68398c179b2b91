//! Intervals: which bucket of a histogram a value is in, and where a bucket begins.

use super::key::Unit;
use crate::document::{Value, month, month_start};
use crate::query::{Calendar, Every};
use lucerne_codec::ordered;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// A number up to which every whole number is an f64.
const WHOLE: f64 = (1u64 << 53) as f64;

/// How values are put into buckets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Interval {
    /// Whole numbers: `size` column values each, from `offset`.
    Whole { size: i64, offset: i64, unit: Unit },
    /// Numbers of a unit.
    Float { size: f64, offset: f64, unit: Unit },
    /// So many months each.
    Months(i64),
}

impl Interval {
    /// Equal intervals of numbers; `None` when the size is none.
    pub(super) fn of_numbers(size: f64, offset: f64, unit: Unit) -> Option<Self> {
        let is_whole = |number: f64| number.fract() == 0.0 && number.abs() <= WHOLE;
        if !(size.is_finite() && size > 0.0 && offset.is_finite()) {
            return None;
        }
        Some(match unit {
            Unit::I64 if is_whole(size) && is_whole(offset) => {
                let (size, offset) = (size as i64, offset as i64);
                // The least one that begins the same buckets: then all of them have a number.
                Self::Whole { size, offset: offset.rem_euclid(size), unit }
            }
            _ => Self::Float { size, offset, unit },
        })
    }

    /// Periods of dates; `None` when they are shorter than a millisecond or longer than all dates.
    pub(super) fn of_dates(every: Every) -> Option<Self> {
        let whole = |size: i64, offset: i64| Self::Whole { size, offset, unit: Unit::Date };
        Some(match every {
            Every::Fixed(length) => {
                whole(i64::try_from(length.as_millis()).ok().filter(|millis| *millis > 0)?, 0)
            }
            Every::Calendar(Calendar::Minute) => whole(60_000, 0),
            Every::Calendar(Calendar::Hour) => whole(3_600_000, 0),
            Every::Calendar(Calendar::Day) => whole(DAY, 0),
            // 1970 began on a Thursday.
            Every::Calendar(Calendar::Week) => whole(7 * DAY, -3 * DAY),
            Every::Calendar(Calendar::Month) => Self::Months(1),
            Every::Calendar(Calendar::Quarter) => Self::Months(3),
            Every::Calendar(Calendar::Year) => Self::Months(12),
        })
    }

    /// The number of the bucket that a column value is in. It ascends with the values.
    #[inline]
    pub(super) fn bucket(self, value: i64) -> i64 {
        match self {
            Self::Whole { size, offset, .. } => match value.checked_sub(offset) {
                Some(from) => from.div_euclid(size),
                None => (i128::from(value) - i128::from(offset)).div_euclid(size.into()) as i64,
            },
            Self::Float { size, offset, unit } => {
                let from = (unit.number(value) - offset).clamp(f64::MIN, f64::MAX);
                let number = (from / size).floor();
                // Beyond, neighboring numbers are farther apart than the buckets: each is the only one of its own. As
                // an integer of the same order it is above all bucket numbers before, since `size` is at least 2^-1074.
                if number.abs() < WHOLE { number as i64 } else { ordered::from_f64(from) }
            }
            Self::Months(months) => month(value).div_euclid(months),
        }
    }

    /// Where a bucket begins.
    pub(super) fn start(self, bucket: i64) -> Value {
        match self {
            Self::Whole { size, offset, unit } => {
                let start = i128::from(bucket) * i128::from(size) + i128::from(offset);
                unit.value(start.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
            }
            Self::Float { size, offset, .. } => {
                let from = match bucket.unsigned_abs() < WHOLE as u64 {
                    true => bucket as f64 * size,
                    false => ordered::to_f64(bucket),
                };
                let start = (from + offset + 0.0).clamp(f64::MIN, f64::MAX);
                Unit::F64.value(ordered::from_f64(start))
            }
            Self::Months(months) => Value::Date(month_start(bucket.saturating_mul(months))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_begins_at_or_before_its_values() {
        let date = |text: &str| match Value::date(text) {
            Some(Value::Date(millis)) => millis,
            _ => panic!("{text}"),
        };
        for (calendar, start) in [
            (Calendar::Minute, "2024-05-16T13:45:00Z"),
            (Calendar::Hour, "2024-05-16T13:00:00Z"),
            (Calendar::Day, "2024-05-16"),
            (Calendar::Week, "2024-05-13"),
            (Calendar::Month, "2024-05-01"),
            (Calendar::Quarter, "2024-04-01"),
            (Calendar::Year, "2024-01-01"),
        ] {
            let interval = Interval::of_dates(Every::Calendar(calendar)).unwrap();
            let bucket = interval.bucket(date("2024-05-16T13:45:59.999Z"));
            assert_eq!(interval.start(bucket), Value::Date(date(start)), "{calendar:?}");
            let before = interval.bucket(date(start) - 1);
            assert_eq!((interval.bucket(date(start)), before), (bucket, bucket - 1), "{calendar:?}");
        }
        let tens = Interval::of_numbers(10.0, 5.0, Unit::I64).unwrap();
        assert_eq!([-6, -5, 4, 5, i64::MAX].map(|value| tens.bucket(value)), [-2, -1, -1, 0, i64::MAX / 10]);
        assert_eq!(tens.start(-1), Value::I64(-5));
        assert!(tens.bucket(i64::MIN) < 0);
        let by_half = Interval::of_numbers(0.5, 0.0, Unit::F64).unwrap();
        assert_eq!(by_half.bucket(ordered::from_f64(-0.25)), -1);
        assert_eq!(by_half.start(-1), Value::F64(-0.5));
        assert!(
            [0.0, -1.0, f64::NAN, f64::INFINITY].into_iter().all(|size| Interval::of_numbers(
                size,
                0.0,
                Unit::F64
            )
            .is_none())
        );
        assert!(Interval::of_dates(Every::Fixed(std::time::Duration::from_micros(900))).is_none());
    }

    #[test]
    fn buckets_ascend_with_numbers_of_any_size() {
        let tiny = f64::from_bits(1);
        for (size, offset) in
            [(1.0, 0.0), (1.5, -7.0), (1e-300, 0.0), (tiny, 0.0), (1e300, 1e308), (0.1, 0.0)]
        {
            let interval = Interval::of_numbers(size, offset, Unit::F64).unwrap();
            let mut numbers =
                vec![0.0, 0.25, 1.0, 1.5, WHOLE - 1.0, WHOLE, WHOLE + 2.0, 1e16, 1e20, 1e300, f64::MAX];
            numbers.extend([tiny, tiny * 2.0, WHOLE * tiny, f64::MIN_POSITIVE, 1e-290]);
            numbers.extend(numbers.clone().into_iter().map(|number| -number));
            numbers.sort_by(f64::total_cmp);
            let buckets: Vec<i64> =
                numbers.iter().map(|number| interval.bucket(ordered::from_f64(*number))).collect();
            assert!(buckets.is_sorted(), "{size} {offset}: {buckets:?}");
            for (number, bucket) in numbers.iter().zip(buckets) {
                let Value::F64(start) = interval.start(bucket) else { panic!("not a number") };
                let slack = number.abs().max(offset.abs()) * 1e-15;
                assert!(start <= number + slack && number - start <= size + slack, "{number}: {start}");
            }
        }
        let ones = Interval::of_numbers(1.0, 0.0, Unit::F64).unwrap();
        for number in [1e20, 1e300, -1e20, -1e300, WHOLE, WHOLE + 2.0, -WHOLE - 2.0] {
            assert_eq!(ones.start(ones.bucket(ordered::from_f64(number))), Value::F64(number));
        }
        let shifted = Interval::of_numbers(1.0, -WHOLE, Unit::I64).unwrap();
        for number in [i64::MIN, -1, i64::MAX] {
            assert_eq!(shifted.start(shifted.bucket(number)), Value::I64(number));
        }
    }
}

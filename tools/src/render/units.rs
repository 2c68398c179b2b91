//! Numbers for people.

pub(crate) use lucerne_pictures::units::{bytes, count, grouped, three_digits};

/// `0.53 s`, `12.3 s`, `4 min 5 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        short if short < 99.95 => format!("{} s", three_digits(short)),
        long => format!("{} min {} s", long as u64 / 60, long as u64 % 60),
    }
}

/// A number in as few digits as tell it from other single-precision numbers.
pub(crate) fn short(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_times_are_in_minutes() {
        assert_eq!(seconds(0.5), "0.50 s");
        assert_eq!(seconds(245.3), "4 min 5 s");
    }
}

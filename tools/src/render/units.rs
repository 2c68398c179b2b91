//! Numbers for people.

/// `1 segment`, `12,345 segments`.
pub(crate) fn count(number: u64, of: &str) -> String {
    match number {
        1 => format!("1 {of}"),
        _ => format!("{} {of}s", grouped(number)),
    }
}

/// `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `512 B`, `1.50 KiB`, `114 MiB`: three digits.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    // 999.5 would be rounded to four digits.
    while value >= 999.5 {
        let Some(next) = units.next() else { break };
        value /= 1024.0;
        unit = Some(next);
    }
    format!("{} {}", three_digits(value), unit.unwrap_or(&"B"))
}

/// `1.23`, `12.3`, `123`.
pub(crate) fn three_digits(value: f64) -> String {
    match value.abs() {
        small if small < 9.995 => format!("{value:.2}"),
        middle if middle < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

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
    fn numbers_are_grouped_and_have_units() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(77_815_123), "77,815,123");
        assert_eq!(count(1, "segment"), "1 segment");
        assert_eq!(count(0, "segment"), "0 segments");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.50 KiB");
        assert_eq!(bytes(1000 * 1024), "0.98 MiB");
        assert_eq!(bytes(119_523_840), "114 MiB");
        assert_eq!(bytes(u64::MAX), "16.0 EiB");
        assert_eq!(three_digits(9.999), "10.0");
        assert_eq!(seconds(0.5), "0.50 s");
        assert_eq!(seconds(245.3), "4 min 5 s");
    }
}

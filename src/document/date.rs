//! Dates of RFC 3339: `YYYY-MM-DD`, or `YYYY-MM-DDThh:mm:ss[.fff]` followed by `Z` or `±hh:mm`, in years
//! 0000 to 9999. A date without a time is its midnight in UTC; digits beyond milliseconds are cut off; leap
//! seconds are refused.

use std::ops::RangeInclusive;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// 0000-01-01T00:00:00Z.
pub(super) const FIRST: i64 = -719_528 * DAY;
/// 9999-12-31T23:59:59.999Z.
pub(super) const LAST: i64 = 2_932_897 * DAY - 1;

/// Milliseconds since 1970-01-01T00:00:00Z, or `None` when the text is not a date.
pub(super) fn parse(text: &str) -> Option<i64> {
    let mut rest = text.as_bytes();
    let year = digits(&mut rest, 4)?;
    literal(&mut rest, b"-")?;
    let month = digits(&mut rest, 2).filter(|month| (1..=12).contains(month))?;
    literal(&mut rest, b"-")?;
    let day = digits(&mut rest, 2).filter(|day| (1..=days_in_month(year, month)).contains(day))?;
    let midnight = days_since_epoch(year, month, day) * DAY;
    if rest.is_empty() {
        return Some(midnight);
    }
    literal(&mut rest, b"Tt ")?;
    let time = time_of_day(&mut rest, 59)?;
    literal(&mut rest, b":")?;
    let second = digits(&mut rest, 2).filter(|second| *second <= 59)?;
    let millis = fraction(&mut rest)?;
    let offset = offset(&mut rest)?;
    let moment = midnight + time * 60_000 + second * 1_000 + millis - offset * 60_000;
    (rest.is_empty() && (FIRST..=LAST).contains(&moment)).then_some(moment)
}

/// The milliseconds since 1970-01-01T00:00:00Z that a date of a query stands for: a moment, or all of a minute, day,
/// month or year. Beside the dates of documents it may be `YYYY`, `YYYY-MM` or without seconds; the offset may lack its
/// colon or minutes, and without an offset a time is in UTC.
pub(crate) fn span(text: &str) -> Option<RangeInclusive<i64>> {
    let mut rest = text.as_bytes();
    let year = digits(&mut rest, 4)?;
    if rest.is_empty() {
        return Some(days_since_epoch(year, 1, 1) * DAY..=days_since_epoch(year + 1, 1, 1) * DAY - 1);
    }
    literal(&mut rest, b"-")?;
    let month = digits(&mut rest, 2).filter(|month| (1..=12).contains(month))?;
    let (first, days) = (days_since_epoch(year, month, 1), days_in_month(year, month));
    if rest.is_empty() {
        return Some(first * DAY..=(first + days) * DAY - 1);
    }
    literal(&mut rest, b"-")?;
    let day = digits(&mut rest, 2).filter(|day| (1..=days).contains(day))?;
    let midnight = (first + day - 1) * DAY;
    if rest.is_empty() {
        return Some(midnight..=midnight + DAY - 1);
    }
    literal(&mut rest, b"Tt ")?;
    let minute = midnight + time_of_day(&mut rest, 59)? * 60_000;
    let (first, len) = match rest.strip_prefix(b":") {
        None => (minute, 60_000),
        Some(tail) => {
            rest = tail;
            let second = digits(&mut rest, 2).filter(|second| *second <= 59)?;
            (minute + second * 1_000 + fraction(&mut rest)?, 1)
        }
    };
    let first = first - loose_offset(&mut rest)? * 60_000;
    let span = first..=first + len - 1;
    (rest.is_empty() && FIRST <= first && *span.end() <= LAST).then_some(span)
}

/// Nothing, `Z`, or `±hh:mm`, `±hhmm`, `±hh`, in minutes.
fn loose_offset(rest: &mut &[u8]) -> Option<i64> {
    let Some((sign, mut tail)) = rest.split_first() else { return Some(0) };
    if !b"+-".contains(sign) {
        return offset(rest);
    }
    let hours = digits(&mut tail, 2).filter(|hours| *hours <= 23)?;
    tail = tail.strip_prefix(b":").unwrap_or(tail);
    let minutes = if tail.is_empty() { 0 } else { digits(&mut tail, 2).filter(|minutes| *minutes <= 59)? };
    *rest = tail;
    let offset = hours * 60 + minutes;
    Some(if *sign == b'-' { -offset } else { offset })
}

/// The shortest text form, in UTC.
pub(super) fn format(moment: i64) -> String {
    let (days, millis) = (moment.div_euclid(DAY), moment.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (millis / 3_600_000, millis / 60_000 % 60, millis / 1_000 % 60);
    let date = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    match millis % 1_000 {
        0 => format!("{date}Z"),
        millis => format!("{date}.{millis:03}Z"),
    }
}

/// The month of a moment, counted from the first of the year 0, in UTC.
pub(crate) fn month(moment: i64) -> i64 {
    let (year, month, _) = civil(moment.div_euclid(DAY));
    year * 12 + month - 1
}

/// When a month begins that is counted as [`month`] does.
pub(crate) fn month_start(month: i64) -> i64 {
    days_since_epoch(month.div_euclid(12), month.rem_euclid(12) + 1, 1).saturating_mul(DAY)
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (found, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    found.iter().try_fold(0, |number, byte| Some(number * 10 + digit(byte)?))
}

fn literal(rest: &mut &[u8], accepted: &[u8]) -> Option<u8> {
    let (first, tail) = rest.split_first()?;
    *rest = tail;
    accepted.contains(first).then_some(*first)
}

/// `hh:mm` in minutes.
fn time_of_day(rest: &mut &[u8], last_minute: i64) -> Option<i64> {
    let hour = digits(rest, 2).filter(|hour| *hour <= 23)?;
    literal(rest, b":")?;
    let minute = digits(rest, 2).filter(|minute| *minute <= last_minute)?;
    Some(hour * 60 + minute)
}

/// `.f…` in milliseconds; 0 when there is none.
fn fraction(rest: &mut &[u8]) -> Option<i64> {
    let Some(tail) = rest.strip_prefix(b".") else {
        return Some(0);
    };
    let count = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, tail) = tail.split_at_checked(count).filter(|(digits, _)| !digits.is_empty())?;
    *rest = tail;
    let digits = digits.iter().map(|byte| i64::from(byte - b'0')).chain([0, 0]);
    Some(digits.take(3).fold(0, |millis, digit| millis * 10 + digit))
}

/// `Z` or `±hh:mm` in minutes.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    match literal(rest, b"Zz+-")? {
        b'+' => time_of_day(rest, 59),
        b'-' => time_of_day(rest, 59).map(|minutes| -minutes),
        _ => Some(0),
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01, in the proleptic Gregorian calendar. Years are counted from March, so that the
/// leap day is a year's last, in eras of 400 years (146,097 days).
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_since_epoch`].
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_milliseconds_since_1970_in_utc() {
        for (text, moment) in [
            ("1970-01-01", 0),
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T12:34:56.789Z", 951_827_696_789),
            ("2024-02-29t12:00:00+02:00", 1_709_200_800_000),
            ("2024-02-29 12:00:00-05:30", 1_709_227_800_000),
            ("2024-01-01T00:00:00.5z", 1_704_067_200_500),
            ("2024-01-01T00:00:00.123456789Z", 1_704_067_200_123),
            ("0000-01-01", FIRST),
            ("9999-12-31T23:59:59.999Z", LAST),
        ] {
            assert_eq!(parse(text), Some(moment), "{text}");
        }
    }

    #[test]
    fn months_begin_with_their_first_moment() {
        for text in ["2024-02-01", "1970-01-01", "1969-12-01", "0000-01-01", "9999-12-01"] {
            let moment = parse(text).unwrap();
            assert_eq!(month_start(month(moment)), moment, "{text}");
            assert_eq!(month(moment - 1), month(moment) - 1, "{text}");
        }
        assert_eq!(month(parse("2024-02-29T23:59:59.999Z").unwrap()), 2024 * 12 + 1);
    }

    #[test]
    fn a_date_of_a_query_stands_for_all_of_it() {
        let at = |text: &str| parse(text).unwrap();
        for (text, first, after) in [
            ("2024", "2024-01-01", "2025-01-01"),
            ("2024-02", "2024-02-01", "2024-03-01"),
            ("2023-12", "2023-12-01", "2024-01-01"),
            ("2024-02-29", "2024-02-29", "2024-03-01"),
            ("2024-02-29T12:30Z", "2024-02-29T12:30:00Z", "2024-02-29T12:31:00Z"),
            ("2024-02-29 12:30", "2024-02-29T12:30:00Z", "2024-02-29T12:31:00Z"),
            ("2024-02-29T12:30:10", "2024-02-29T12:30:10Z", "2024-02-29T12:30:10.001Z"),
            ("2024-02-29T12:30:10.5+0200", "2024-02-29T10:30:10.5Z", "2024-02-29T10:30:10.501Z"),
            ("2024-02-29T12:30:10-05", "2024-02-29T17:30:10Z", "2024-02-29T17:30:10.001Z"),
            ("2024-02-29T12:30:10+05:30", "2024-02-29T07:00:10Z", "2024-02-29T07:00:10.001Z"),
        ] {
            assert_eq!(span(text), Some(at(first)..=at(after) - 1), "{text}");
        }
        assert_eq!(span("9999"), Some(at("9999-01-01")..=LAST));
        for text in [
            "",
            "24",
            "2024-",
            "2024-13",
            "2024-2",
            "2023-02-29",
            "2024-02-29T",
            "2024-02-29T12",
            "2024-02-29T1:30",
            "2024-02-29T12:30:10+2",
            "2024-02-29T12:30:10+02:0",
            "2024-02-29T12:30:10+2400",
            "2024-02-29T12:30:10Zx",
            "0000-01-01T00:00:00+0100",
            "2024-02-29T12:30Z ",
            "yesterday",
        ] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_date_is_refused() {
        for text in [
            "",
            "2024",
            "2024-1-01",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2023-02-29",
            "1900-02-29",
            "2024-04-31",
            "2024-01-01T",
            "2024-01-01T00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T24:00:00Z",
            "2024-01-01T00:60:00Z",
            "2024-12-31T23:59:60Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+0200",
            "2024-01-01T00:00:00Z ",
            "0000-01-01T00:00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            "+024-01-01",
            "２０２４-01-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_is_written_and_read_back(moment in FIRST..=LAST) {
            prop_assert_eq!(parse(&format(moment)), Some(moment));
            prop_assert_eq!(span(&format(moment)), Some(moment..=moment));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}", date in "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]?[0-9:.Z+-]{0,18}") {
            parse(&text);
            parse(&date);
            span(&text);
            span(&date);
        }

        #[test]
        fn any_number_is_written(moment: i64) {
            prop_assert!(format(moment).ends_with('Z'));
        }
    }
}

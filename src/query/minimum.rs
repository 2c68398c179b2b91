//! How many of several clauses have to match.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many of several words or clauses have to match, as in Lucene and Elasticsearch.
///
/// | | of 5 | in JSON |
/// |---|---|---|
/// | `Minimum::Count(3)` | 3 | `3` |
/// | `Minimum::Count(-2)`: all but two | 3 | `-2` |
/// | `Minimum::Percent(75)`, rounded down | 3 | `"75%"` |
/// | `Minimum::Percent(-25)`: all but a quarter, which is rounded down | 4 | `"-25%"` |
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Match;
/// use lucerne::query::Minimum;
///
/// let words = Match::new("title", "small text editor");
/// assert_eq!(searcher.search(words.clone().minimum_should_match(Minimum::Percent(67)))?.keys(), ["nano", "vim"]);
/// assert_eq!(searcher.search(words.minimum_should_match(-1))?.keys(), ["nano", "vim"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Minimum {
    /// This number; all but this number when it is negative.
    Count(i64),
    /// This per cent; all but this per cent when it is negative.
    Percent(i64),
}

impl Minimum {
    /// How many of `clauses` it is; more than there are when it asks for that.
    pub(crate) fn of(self, clauses: usize) -> usize {
        let all = i64::try_from(clauses).unwrap_or(i64::MAX);
        let share = |percent: i64| (i128::from(all) * i128::from(percent.unsigned_abs()) / 100) as i64;
        let least = match self {
            Self::Count(count @ 0..) => count,
            Self::Count(count) => all.saturating_add(count),
            Self::Percent(percent @ 0..) => share(percent),
            Self::Percent(percent) => all.saturating_sub(share(percent)),
        };
        usize::try_from(least.max(0)).unwrap_or(usize::MAX)
    }
}

impl From<i32> for Minimum {
    fn from(count: i32) -> Self {
        Self::Count(count.into())
    }
}

impl From<u32> for Minimum {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl Serialize for Minimum {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => to.serialize_i64(*count),
            Self::Percent(percent) => to.serialize_str(&format!("{percent}%")),
        }
    }
}

impl<'de> Deserialize<'de> for Minimum {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(from)?;
        let percent = value.as_str().and_then(|text| text.strip_suffix('%')?.trim().parse().ok());
        match (value.as_i64(), percent) {
            (Some(count), _) => Ok(Self::Count(count)),
            (_, Some(percent)) => Ok(Self::Percent(percent)),
            _ => Err(serde::de::Error::custom(format!("expected a whole number or \"75%\", found {value}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimum_is_a_number_or_a_share_of_what_there_is() {
        for (minimum, clauses, expected) in [
            (Minimum::Count(3), 5, 3),
            (Minimum::Count(7), 5, 7),
            (Minimum::Count(-2), 5, 3),
            (Minimum::Count(-7), 5, 0),
            (Minimum::Percent(75), 5, 3),
            (Minimum::Percent(-25), 5, 4),
            (Minimum::Percent(-100), 5, 0),
            (Minimum::Percent(i64::MIN), 5, 0),
            (Minimum::Count(i64::MIN), 5, 0),
            (Minimum::Percent(100), 0, 0),
        ] {
            assert_eq!(minimum.of(clauses), expected, "{minimum:?} of {clauses}");
            let json = serde_json::to_string(&minimum).unwrap();
            assert_eq!(serde_json::from_str::<Minimum>(&json).unwrap(), minimum, "{json}");
        }
        for json in ["\"most\"", "1.5", "\"%\"", "\"1,5%\"", "null"] {
            assert!(serde_json::from_str::<Minimum>(json).is_err(), "{json}");
        }
    }
}

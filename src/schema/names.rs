//! What a field may be called.

/// Bytes of a field name at most.
const MAX_NAME_LEN: usize = 255;

/// Says what is wrong with a field name, if anything is.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let problem = if name.is_empty() {
        "the name is empty; a name has at least one character"
    } else if name.len() > MAX_NAME_LEN {
        return Err(format!("the name has {} bytes; at most {MAX_NAME_LEN} are allowed", name.len()));
    } else if name.chars().any(char::is_control) {
        "the name has control characters"
    } else if name.starts_with('_') {
        "names that start with an underscore are reserved"
    } else {
        return Ok(());
    };
    Err(problem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_printable_and_not_reserved() {
        for good in ["id", "größe", "a.b", "$.price", &"x".repeat(255)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "_score", "a\nb", "a\0", &"x".repeat(256)] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}

//! What verifications of vectors have in common.

use lucerne_codec::format::Problem;
use lucerne_codec::{Cancel, Ordinal, Result};

/// Problems listed per file; one more says how many there are.
const LISTED: usize = 8;

/// Runs `check` for every vector of `len` and lists what it says, as problems of `file`.
pub fn each_vector(
    len: usize,
    cancel: &Cancel,
    file: &str,
    mut check: impl FnMut(Ordinal) -> Result<Option<String>>,
) -> Result<Vec<Problem>> {
    let (mut problems, mut more) = (Vec::new(), 0u64);
    for ordinal in 0..len as u32 {
        cancel.check_every(1_024, ordinal as usize)?;
        let Some(problem) = check(ordinal).unwrap_or_else(|error| Some(error.to_string())) else {
            continue;
        };
        if problems.len() < LISTED {
            problems.push(Problem { file: file.to_owned(), problem: format!("vector {ordinal}: {problem}") });
        } else {
            more += 1;
        }
    }
    if more > 0 {
        let problem = format!("{more} more vectors have problems");
        problems.push(Problem { file: file.to_owned(), problem });
    }
    Ok(problems)
}

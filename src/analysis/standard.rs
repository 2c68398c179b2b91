//! Words in lower case.

use super::Analyzer;

#[derive(Debug)]
pub(super) struct Standard;

impl Analyzer for Standard {
    fn analyze(&self, text: &str, emit: &mut dyn FnMut(&str, u32)) {
        let words = text.split(|character: char| !character.is_alphanumeric());
        for (position, word) in (0..).zip(words.filter(|word| !word.is_empty())) {
            emit(&word.to_lowercase(), position);
        }
    }
}

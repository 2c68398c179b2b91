//! Histograms and shares in a line of text.

const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A letter for each number, as high as it is to the greatest; a blank for 0.
pub(crate) fn sparkline(numbers: &[u64]) -> String {
    let most = numbers.iter().copied().max().unwrap_or(0).max(1);
    let letter = |number: &u64| match number {
        0 => ' ',
        _ => {
            let eighth = (u128::from(*number) * 8).div_ceil(u128::from(most)) as usize;
            EIGHTHS.get(eighth.clamp(1, 8) - 1).copied().unwrap_or(' ')
        }
    };
    numbers.iter().map(letter).collect()
}

/// A bar of at most `wide` letters.
pub(crate) fn bar(number: u64, most: u64, wide: usize) -> String {
    let letters = (u128::from(number) * wide as u128).div_ceil(u128::from(most.max(1))) as usize;
    "█".repeat(letters.min(wide))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_as_high_as_their_numbers_and_only_nothing_is_blank() {
        assert_eq!(sparkline(&[0, 1, 50, 100, 800, 400]), " ▁▁▁█▄");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[0, 0]), "  ");
        assert_eq!((&*bar(1, 1000, 20), &*bar(1000, 1000, 4), &*bar(5, 0, 3)), ("█", "████", "███"));
    }
}

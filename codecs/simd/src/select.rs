//! Taking the bytes out of a row that a set of bits has.

/// Bytes that a word of bits is about.
pub(crate) const WORD: usize = u64::BITS as usize;

/// Writes the bytes whose bits are 1 and returns how many they are. Four are written for each look at how many are left: where
/// ones are rare, a processor guesses that once for a word.
#[inline(always)]
pub(crate) fn select(words: &[u64], bytes: &[u8], out: &mut [u8]) -> usize {
    let mut len = 0;
    for (word, chunk) in words.iter().zip(bytes.chunks(WORD)) {
        let mut padded = [0; WORD];
        let (bytes, mut rest) = match chunk.first_chunk() {
            Some(whole) => (whole, *word),
            None => {
                padded.iter_mut().zip(chunk).for_each(|(to, byte)| *to = *byte);
                (&padded, word & ((1 << chunk.len()) - 1))
            }
        };
        let (count, mut at) = (rest.count_ones() as usize, len);
        while rest != 0 {
            if let Some(four) = out.get_mut(at..at + 4) {
                for to in four {
                    *to = bytes[rest.trailing_zeros() as usize % WORD];
                    rest &= rest.wrapping_sub(1);
                }
            }
            at += 4;
        }
        len += count;
    }
    len
}

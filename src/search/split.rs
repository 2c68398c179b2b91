//! Ranges of keys of about the same size: parts of a snapshot that several processes read.

use super::searcher::Searcher;
use crate::error::Result;

/// Keys looked at, at most twice as many.
const SAMPLE: u64 = 1 << 16;

impl Searcher {
    /// Keys that split the documents of this snapshot into at most `parts` ranges of about the same size: each range ends
    /// with its key, and the last one is open. Ascending by bytes, and fewer where there are fewer documents. The same
    /// snapshot gives the same keys, in any process.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
    /// let ends = searcher.split_keys(2)?;
    /// assert_eq!(ends.len(), 1); // keys up to and with it, and those after it
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn split_keys(&self, parts: usize) -> Result<Vec<String>> {
        let step = (self.len() / SAMPLE).max(1);
        let (mut keys, mut seen) = (Vec::new(), 0);
        for segment in &self.snapshot().segments {
            for doc in (0..segment.reader.max_doc()).filter(|doc| segment.is_live(*doc)) {
                if seen % step == 0 {
                    keys.push(segment.reader.keys().key(doc)?);
                }
                seen += 1;
            }
        }
        keys.sort_unstable();
        let parts = parts.clamp(1, keys.len().max(1));
        let ends = (1..parts).filter_map(|part| keys.get((part * keys.len() / parts).checked_sub(1)?));
        Ok(ends.map(|key| (*key).to_owned()).collect())
    }
}

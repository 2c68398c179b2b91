//! All documents of a snapshot, in the order of their keys.

use super::ranking::DocAddress;
use super::searcher::Searcher;
use super::stored;
use crate::error::Result;
use crate::query::Query;
use lucerne_codec::{BitSet, Cancel};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Documents whose addresses are held at once: this many, or one of so many when the snapshot has more.
const CHUNK: usize = 1 << 14;
const CHUNKS: usize = 32;
/// Keys between two looks at the cancel flag.
const CANCEL_STEP: usize = 1_024;

/// Which documents [`Searcher::scan`] goes through, and what it returns of each. The default is all documents whole.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::search::Scan;
/// use lucerne::query::Exists;
///
/// let scan = Scan::new().filter(Exists::new("title")).fields(["size"]).vectors(["v"]);
/// let mut last = None;
/// for document in searcher.scan(&scan)?.take(2) {
///     let document = document?;
///     println!("{} {:?} {:?}", document.key, document.fields, document.vectors["v"]);
///     last = Some(document.key);
/// }
/// // Later, perhaps in another process, after the last key that was seen:
/// let rest: lucerne::Result<Vec<_>> = searcher.scan(&scan.after(last.unwrap()))?.collect();
/// assert_eq!(rest?[0].key, "vim");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Scan {
    filter: Option<Query>,
    after: Option<String>,
    fields: Vec<String>,
    vectors: Vec<String>,
    cancel: Cancel,
}

impl Scan {
    /// All documents, with all their stored fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only documents that match a query; of a kNN query the neighbors that it finds.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<Query>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// Only documents with later keys, by the bytes of keys. The key of the last document seen is a cursor, which stays
    /// valid whatever is written, and in other searchers.
    #[must_use]
    pub fn after(mut self, key: impl Into<String>) -> Self {
        self.after = Some(key.into());
        self
    }

    /// The stored fields to return; an empty list, the default, returns all.
    #[must_use]
    pub fn fields<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Vector fields to return as numbers in [`ScannedDocument::vectors`], and not among the fields.
    #[must_use]
    pub fn vectors<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.vectors = fields.into_iter().map(Into::into).collect();
        self
    }

    /// What stops it; the documents after that are an error.
    #[must_use]
    pub fn cancel(mut self, cancel: &Cancel) -> Self {
        self.cancel = cancel.clone();
        self
    }
}

/// A document of a [`Scan`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ScannedDocument {
    /// Its key.
    pub key: String,
    /// Its stored fields, as far as they were asked for.
    pub fields: Map<String, Value>,
    /// Its vectors in each field of [`Scan::vectors`], as [`Hit::vectors`](super::Hit::vectors).
    pub vectors: BTreeMap<String, Vec<Vec<f32>>>,
}

/// The documents of a [`Scan`] in the order of their keys' bytes. It keeps its snapshot open. An error ends it.
pub struct Scanner {
    searcher: Searcher,
    scan: Scan,
    /// The documents that match, of each segment; `None` without a filter.
    matching: Option<Vec<BitSet>>,
    /// The next documents, the last one first.
    next: Vec<DocAddress>,
    /// The documents after the chunk have later keys than this.
    after: Option<String>,
    chunk: usize,
    ended: bool,
}

impl Searcher {
    /// Goes through all documents in the order of their keys, whatever is written meanwhile: each document of this snapshot
    /// once. Heap: 1 MiB, or 2 bytes for each document of the snapshot if that is more, and with a filter a bit for each. The
    /// first document takes a pass over all keys, and so does each chunk of 16,384 documents (or a 32nd of them) after it.
    ///
    /// # Errors
    /// When a field does not exist or is not stored, or the filter cannot be searched. Later errors are items.
    pub fn scan(&self, scan: &Scan) -> Result<Scanner> {
        Scanner::new(self.clone(), scan.clone())
    }
}

impl std::fmt::Debug for Scanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scanner").field("scan", &self.scan).finish_non_exhaustive()
    }
}

impl Scanner {
    fn new(searcher: Searcher, scan: Scan) -> Result<Self> {
        let snapshot = searcher.snapshot();
        stored::check_wanted(&snapshot.schema, &scan.fields, &scan.vectors)?;
        let matching =
            scan.filter.clone().map(|filter| searcher.matching(filter, &scan.cancel)).transpose()?;
        let chunk = CHUNK.max(searcher.len() as usize / CHUNKS);
        let after = scan.after.clone();
        Ok(Self { searcher, scan, matching, next: Vec::new(), after, chunk, ended: false })
    }

    /// Finds the documents of the next chunk: those with the smallest keys after the last one, in one pass over all keys.
    fn fill(&mut self) -> Result<()> {
        let (after, cancel) = (self.after.as_deref(), &self.scan.cancel);
        let mut found: Vec<(&str, DocAddress)> = Vec::new();
        // Keys from this one on are of later chunks.
        let mut end: Option<&str> = None;
        for (index, segment) in self.searcher.snapshot().segments.iter().enumerate() {
            let matching = match &self.matching {
                None => segment.live.as_deref(),
                Some(matching) => match matching.get(index) {
                    None => continue,
                    docs => docs,
                },
            };
            for doc in 0..segment.reader.max_doc() {
                cancel.check_every(CANCEL_STEP, doc as usize)?;
                if matching.is_some_and(|docs| !docs.contains(doc)) {
                    continue;
                }
                let key = segment.reader.keys().key(doc)?;
                if after.is_some_and(|after| key <= after) || end.is_some_and(|end| key >= end) {
                    continue;
                }
                found.push((key, DocAddress { segment: index, doc }));
                if found.len() == 2 * self.chunk {
                    let (_, first, _) = found.select_nth_unstable(self.chunk);
                    end = Some(first.0);
                    found.truncate(self.chunk);
                }
            }
        }
        found.sort_unstable();
        found.truncate(self.chunk);
        self.ended = found.len() < self.chunk;
        let last = found.last().map(|(key, _)| (*key).to_owned());
        self.next = found.into_iter().rev().map(|(_, address)| address).collect();
        self.after = last;
        Ok(())
    }

    fn read(&self, DocAddress { segment, doc }: DocAddress) -> Result<ScannedDocument> {
        self.scan.cancel.check()?;
        let (scan, snapshot) = (&self.scan, self.searcher.snapshot());
        let segment = stored::segment(snapshot, segment)?;
        Ok(ScannedDocument {
            key: segment.reader.keys().key(doc)?.to_owned(),
            fields: stored::fields_of(
                stored::stored_json(segment, doc)?,
                &snapshot.schema,
                segment,
                doc,
                (&scan.fields, &scan.vectors),
            )?,
            vectors: stored::vectors_of(&snapshot.schema, segment, doc, &scan.vectors)?,
        })
    }
}

impl Iterator for Scanner {
    type Item = Result<ScannedDocument>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next.is_empty()
            && !self.ended
            && let Err(error) = self.fill()
        {
            self.ended = true;
            return Some(Err(error));
        }
        let address = self.next.pop()?;
        let read = self.read(address);
        if read.is_err() {
            (self.next, self.ended) = (Vec::new(), true);
        }
        Some(read)
    }
}

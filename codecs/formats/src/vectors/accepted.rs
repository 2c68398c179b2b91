//! The vectors that a filter accepts, a block at a time.

use super::documents::Documents;
use lucerne_codec::{Accept, BitSet, DocId, Ordinal};

/// Cost of finding a document's vectors, in vectors asked one after the other.
const LOOKUP: u64 = 8;

/// Goes through the accepted vectors, each once.
pub(super) struct AcceptedVectors<'a> {
    documents: Documents<'a>,
    way: Way<'a>,
}

/// How they are found.
enum Way<'a> {
    /// All are accepted.
    All { next: Ordinal },
    /// Each vector is asked for its document.
    Asked { docs: &'a BitSet, next: Ordinal },
    /// Every document has one vector, and a list says which.
    OneEach { docs: Members<'a> },
    /// The vectors of each document are looked up. What the last guess missed by, the next one probably does too.
    LookedUp { docs: Members<'a>, missed: i64 },
}

impl<'a> AcceptedVectors<'a> {
    /// Those of an accepted document.
    pub(super) fn new(documents: Documents<'a>, accept: &Accept<'a>) -> Self {
        let way = match accept.docs() {
            None => Way::All { next: 0 },
            Some(docs) if documents.one_each() => Way::OneEach { docs: Members::of(docs) },
            Some(docs) if u64::from(accept.count()) * LOOKUP < documents.len() as u64 => {
                Way::LookedUp { docs: Members::of(docs), missed: 0 }
            }
            Some(docs) => Way::Asked { docs, next: 0 },
        };
        Self { documents, way }
    }

    /// Replaces the content of `into` by the next vectors: `count` as long as there are so many, and more only where a document
    /// has several. All exist; a damaged map may name some that are not accepted.
    pub(super) fn next_block(&mut self, count: usize, into: &mut Vec<Ordinal>) {
        into.clear();
        let documents = self.documents;
        let len = documents.len() as Ordinal;
        match &mut self.way {
            Way::All { next } => {
                let end = next.saturating_add(count as Ordinal).min(len);
                into.extend(*next..end);
                *next = end;
            }
            Way::Asked { docs, next } => {
                while into.len() < count && *next < len {
                    if docs.contains(documents.raw_doc(*next)) {
                        into.push(*next);
                    }
                    *next += 1;
                }
            }
            Way::OneEach { docs } => {
                while into.len() < count
                    && let Some(doc) = docs.next()
                {
                    into.extend(documents.only_vector(doc).filter(|&ordinal| ordinal < len));
                }
            }
            Way::LookedUp { docs, missed } => {
                while into.len() < count
                    && let Some(doc) = docs.next()
                {
                    let guess = documents.guess(doc);
                    let start = documents.position(doc, (guess as i64 + *missed).max(0) as usize);
                    *missed = start as i64 - guess as i64;
                    let own = documents.pairs_from(start).take_while(|pair| pair.0 == doc);
                    into.extend(own.map(|pair| pair.1).filter(|&ordinal| ordinal < len));
                }
            }
        }
    }
}

/// The members of a set, ascending: what is left of a word, and the words after it.
struct Members<'a> {
    rest: u64,
    first: DocId,
    words: &'a [u64],
    next: DocId,
}

impl<'a> Members<'a> {
    fn of(docs: &'a BitSet) -> Self {
        Self { rest: 0, first: 0, words: docs.words(), next: 0 }
    }
}

impl Iterator for Members<'_> {
    type Item = DocId;

    #[inline]
    fn next(&mut self) -> Option<DocId> {
        while self.rest == 0 {
            let (word, words) = self.words.split_first()?;
            (self.rest, self.first, self.words) = (*word, self.next, words);
            self.next = self.next.saturating_add(u64::BITS);
        }
        let bit = self.rest.trailing_zeros();
        self.rest &= self.rest - 1;
        Some(self.first + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucerne_codec::io::bytes::PutLe as _;

    #[test]
    fn every_accepted_vector_comes_once_in_blocks() {
        // The documents of the vectors, by ordinal: one each, some without, some with several.
        let one_each: Vec<DocId> = (0..500).map(|at| at * 7 % 500).collect();
        let some: Vec<DocId> = (0..300).map(|at| at * 7 % 500).collect();
        let several: Vec<DocId> = (0..700).map(|at| at * at % 500).collect();
        for documents in [one_each, some, several, Vec::new()] {
            let mut bytes = Vec::new();
            documents.iter().for_each(|&doc| bytes.put_u32(doc));
            let mut pairs: Vec<(DocId, Ordinal)> = documents.iter().copied().zip(0..).collect();
            pairs.sort_unstable();
            pairs.iter().for_each(|&(_, ordinal)| bytes.put_u32(ordinal));
            let one_each = pairs.iter().map(|pair| pair.0).eq(0..500);
            let view = Documents::new(bytes.as_chunks().0, documents.len(), 500, one_each);
            for step in [1, 2, 3, 50, 499] {
                let mut docs = BitSet::empty(500);
                (0..500).step_by(step).for_each(|doc| _ = docs.insert(doc));
                for accept in [Accept::only(&docs), Accept::all(500)] {
                    let mut all = AcceptedVectors::new(view, &accept);
                    let (mut block, mut found) = (Vec::new(), Vec::new());
                    loop {
                        all.next_block(16, &mut block);
                        if block.is_empty() {
                            break;
                        }
                        found.extend_from_slice(&block);
                    }
                    found.sort_unstable();
                    let accepted = (0..).zip(&documents).filter(|(_, doc)| accept.accepts(**doc));
                    assert!(found.into_iter().eq(accepted.map(|(ordinal, _)| ordinal)), "every {step}th");
                }
            }
        }
    }
}

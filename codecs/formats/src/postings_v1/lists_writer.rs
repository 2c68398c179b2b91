//! Writes the documents of one term after the other, with bounded memory.

use super::impacts::{self, Frontier};
use super::packing::{self, Run};
use super::sink::Sink;
use super::{Handle, RANK_STEP, has_members, members_len, varint};
use lucerne_codec::io::bytes::PutLe;
use lucerne_codec::postings::BLOCK_LEN;
use lucerne_codec::{DocId, Error, Result};

/// A term's documents as the dictionary keeps them.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrittenList {
    pub(super) doc_freq: u32,
    pub(super) handle: Handle,
}

/// Writes lists to `.post`, and their positions to `.pos`.
pub(super) struct ListsWriter<'a> {
    post: &'a mut Sink,
    /// `None` in a field without positions.
    pos: Option<&'a mut Sink>,
    average_length: f32,
    max_doc: u32,
    docs: Run,
    freqs: Run,
    /// Documents of the open block.
    len: usize,
    /// The last document of the block before.
    before: Option<DocId>,
    doc_freq: u32,
    data_start: u64,
    pos_start: u64,
    gaps: PositionRun,
    block: Frontier,
    whole: Frontier,
    table: Table,
    members: Members,
    bytes: Vec<u8>,
}

/// The documents of the closed blocks as bits.
struct Members {
    bits: Vec<u8>,
    /// True when a bit may be 1.
    marked: bool,
}

impl Members {
    /// How many there are before every so many documents.
    fn ranks(&self) -> Vec<u8> {
        let (mut ranks, mut before) = (Vec::new(), 0);
        for bits in self.bits.chunks(RANK_STEP as usize / 8) {
            ranks.put_u32(before);
            before += bits.iter().map(|byte| byte.count_ones()).sum::<u32>();
        }
        ranks
    }
}

/// What is kept of each block until the list ends.
#[derive(Default)]
struct Table {
    last_docs: Vec<u8>,
    data_ends: Vec<u8>,
    pos_starts: Vec<u8>,
    impacts: Vec<u8>,
}

/// Gaps between positions that are not written yet: less than a run, and the rest of the open block.
struct PositionRun {
    values: Run,
    len: usize,
}

impl<'a> ListsWriter<'a> {
    pub(super) fn new(
        post: &'a mut Sink,
        pos: Option<&'a mut Sink>,
        average_length: f32,
        max_doc: u32,
    ) -> Self {
        Self {
            post,
            pos,
            average_length,
            max_doc,
            docs: [0; BLOCK_LEN],
            freqs: [1; BLOCK_LEN],
            len: 0,
            before: None,
            doc_freq: 0,
            data_start: 0,
            pos_start: 0,
            gaps: PositionRun { values: [0; BLOCK_LEN], len: 0 },
            block: Frontier::default(),
            whole: Frontier::default(),
            table: Table::default(),
            members: Members { bits: vec![0; members_len(max_doc)], marked: false },
            bytes: Vec::new(),
        }
    }

    /// Starts the next term's list.
    pub(super) fn start(&mut self) {
        (self.len, self.before, self.doc_freq, self.gaps.len) = (0, None, 0, 0);
        self.data_start = self.post.position();
        self.pos_start = self.pos.as_ref().map_or(0, |pos| pos.position());
        if std::mem::take(&mut self.members.marked) {
            self.members.bits.fill(0);
        }
        self.block.clear();
        self.whole.clear();
        [&mut self.table.last_docs, &mut self.table.data_ends].into_iter().for_each(Vec::clear);
        [&mut self.table.pos_starts, &mut self.table.impacts].into_iter().for_each(Vec::clear);
        if let Some(pos) = &self.pos {
            self.table.pos_starts.put_u64(pos.position());
        }
    }

    /// The last document added.
    pub(super) fn last(&self) -> Option<DocId> {
        let open = self.len.checked_sub(1).and_then(|last| self.docs.get(last)).copied();
        open.or(self.before)
    }

    /// Adds a document after those before; `positions` ascend, `length` is the document's.
    pub(super) fn add(&mut self, doc: DocId, positions: &[u32], length: u32) -> Result<()> {
        // A full block is closed when another document comes, so that a list of one document stays open.
        if self.len == BLOCK_LEN {
            self.close_block()?;
        }
        let freq = (positions.len() as u32).max(1);
        if let (Some(to), Some(count)) = (self.docs.get_mut(self.len), self.freqs.get_mut(self.len)) {
            (*to, *count) = (doc, freq);
        }
        self.len += 1;
        self.doc_freq += 1;
        if self.pos.is_some() {
            self.block.add(freq, length);
            let mut before = 0;
            for &position in positions {
                self.add_gap(position - before)?;
                before = position;
            }
        }
        Ok(())
    }

    fn add_gap(&mut self, gap: u32) -> Result<()> {
        if let Some(to) = self.gaps.values.get_mut(self.gaps.len) {
            *to = gap;
        }
        self.gaps.len += 1;
        if let (BLOCK_LEN, Some(pos)) = (self.gaps.len, &mut self.pos) {
            self.bytes.clear();
            self.bytes.push(0);
            // At least a bit each: a count read from a file is then bounded by the file.
            let bits = packing::pack(&self.gaps.values, 1, &mut self.bytes);
            self.bytes.iter_mut().take(1).for_each(|byte| *byte = bits);
            pos.write(&self.bytes)?;
            self.gaps.len = 0;
        }
        Ok(())
    }

    /// Writes the open block.
    fn close_block(&mut self) -> Result<()> {
        self.bytes.clear();
        let docs = self.docs.get(..self.len).unwrap_or_default();
        if self.len == BLOCK_LEN {
            self.bytes.extend_from_slice(&[0, 0]);
            let doc_bits = packing::pack_docs(self.before, &self.docs, &mut self.bytes);
            let less_one = self.freqs.map(|freq| freq - 1);
            let freq_bits = packing::pack(&less_one, 0, &mut self.bytes);
            self.bytes.iter_mut().zip([doc_bits, freq_bits]).for_each(|(byte, bits)| *byte = bits);
        } else {
            let mut next = self.before.map_or(0, |before| before + 1);
            for (&doc, &freq) in docs.iter().zip(&self.freqs) {
                let gap = u64::from(doc - next);
                next = doc + 1;
                match (&self.pos, freq) {
                    (None, _) => varint::put(&mut self.bytes, gap),
                    (Some(_), 1) => varint::put(&mut self.bytes, gap << 1),
                    (Some(_), freq) => {
                        varint::put(&mut self.bytes, gap << 1 | 1);
                        varint::put(&mut self.bytes, u64::from(freq - 2));
                    }
                }
            }
        }
        // Lists of less than a block have no set of members.
        if self.members.marked || self.len == BLOCK_LEN {
            self.members.marked = true;
            for doc in docs {
                let byte = self.members.bits.get_mut((doc / 8) as usize);
                byte.into_iter().for_each(|byte| *byte |= 1 << (doc % 8));
            }
        }
        self.before = docs.last().copied();
        self.post.write(&self.bytes)?;
        self.close_positions()?;
        self.remember_block()?;
        self.len = 0;
        Ok(())
    }

    fn close_positions(&mut self) -> Result<()> {
        let Some(pos) = &mut self.pos else { return Ok(()) };
        self.bytes.clear();
        let rest = self.gaps.values.get(..self.gaps.len).unwrap_or_default();
        rest.iter().for_each(|&gap| varint::put(&mut self.bytes, gap.into()));
        self.gaps.len = 0;
        pos.write(&self.bytes)
    }

    fn remember_block(&mut self) -> Result<()> {
        let last = self.before.unwrap_or(0);
        self.table.last_docs.put_u32(last);
        let end = u32::try_from(self.post.position() - self.data_start);
        let end = end.map_err(|_| Error::Invalid("postings_v1: a list of more than 4 GiB".to_owned()))?;
        self.table.data_ends.put_u32(end);
        if let Some(pos) = &self.pos {
            self.table.pos_starts.put_u64(pos.position());
            impacts::put(&self.block.impact(last, self.average_length), &mut self.table.impacts);
            self.whole.extend(&self.block);
            self.block.clear();
        }
        Ok(())
    }

    /// Ends the list; `None` when no document was added.
    pub(super) fn end(&mut self) -> Result<Option<WrittenList>> {
        let doc_freq = self.doc_freq;
        if doc_freq == 0 {
            return Ok(None);
        }
        if let Some(handle) = self.inlined() {
            return Ok(Some(WrittenList { doc_freq, handle }));
        }
        self.close_block()?;
        let handle = self.post.position();
        self.bytes.clear();
        varint::put(&mut self.bytes, handle - self.data_start);
        if self.pos.is_some() {
            varint::put(&mut self.bytes, self.pos_start);
            let whole = self.whole.impact(0, self.average_length);
            self.bytes.push(whole.len);
            for &(freq, length) in whole.pairs() {
                varint::put(&mut self.bytes, freq.into());
                varint::put(&mut self.bytes, length.into());
            }
        }
        self.post.write(&self.bytes)?;
        if doc_freq as usize >= BLOCK_LEN {
            let blocks = (doc_freq as usize).div_ceil(BLOCK_LEN);
            let starts = self.table.pos_starts.get(..if self.pos.is_some() { blocks * 8 } else { 0 });
            self.post.write(&self.table.last_docs)?;
            self.post.write(&self.table.data_ends)?;
            self.post.write(&self.table.impacts)?;
            self.post.write(starts.unwrap_or_default())?;
        }
        if has_members(doc_freq, self.max_doc) {
            self.post.write(&self.members.bits)?;
            self.post.write(&self.members.ranks())?;
        }
        Ok(Some(WrittenList { doc_freq, handle: Handle::List(handle) }))
    }

    /// A list of one document that needs no bytes of its own.
    fn inlined(&self) -> Option<Handle> {
        let (1, Some(&doc), Some(&freq)) = (self.doc_freq, self.docs.first(), self.freqs.first()) else {
            return None;
        };
        match &self.pos {
            None => Some(Handle::Inline { doc, position: 0 }),
            Some(_) => {
                let position = self.gaps.values.first().copied().unwrap_or(0);
                let fits = freq == 1 && position <= Handle::MAX_POSITION;
                fits.then_some(Handle::Inline { doc, position })
            }
        }
    }
}

//! The lists of one field, open for reading.

use super::HEAD_LEN;
use super::meta::FieldMeta;
use byteorder::{ByteOrder, LittleEndian};
use lucerne_codec::io::bytes::u32_at;
use lucerne_codec::sparse::WeightList;
use lucerne_codec::{Input, Result};

#[derive(Clone, Debug)]
pub(super) struct Lists {
    pub(super) lists: Input,
    heads: Input,
    dimensions: Input,
}

/// What the table says of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) at: u64,
    pub(super) blocks: u32,
    pub(super) docs: u32,
    pub(super) max: f32,
}

impl Head {
    pub(super) fn len(&self) -> u64 {
        u64::from(self.blocks) * 5 + u64::from(self.docs) * 2
    }
}

impl Lists {
    /// Bytes that a field takes in the file.
    pub(super) fn len(meta: &FieldMeta) -> u64 {
        meta.lists.saturating_add(u64::from(meta.dimensions) * (HEAD_LEN + 4))
    }

    /// The lists that begin at `at` of a file.
    pub(super) fn open(file: &Input, at: u64, meta: &FieldMeta) -> Result<Self> {
        let part = file.sub(at, Self::len(meta))?;
        let heads = u64::from(meta.dimensions) * HEAD_LEN;
        Ok(Self {
            lists: part.sub(0, meta.lists)?,
            heads: part.sub(meta.lists, heads)?,
            dimensions: part.sub(meta.lists + heads, u64::from(meta.dimensions) * 4)?,
        })
    }

    /// The `index`-th dimension.
    pub(super) fn dimension(&self, index: usize) -> Option<u32> {
        u32_at(self.dimensions.bytes(), index)
    }

    /// The position of a dimension among those that there are.
    fn find(&self, dimension: u32) -> Option<usize> {
        let all = self.dimensions.bytes().as_chunks::<4>().0;
        all.binary_search_by_key(&dimension, |bytes| LittleEndian::read_u32(bytes)).ok()
    }

    pub(super) fn head(&self, index: usize) -> Result<Head> {
        let bytes = self.heads.slice(index as u64 * HEAD_LEN, HEAD_LEN)?;
        let number = |at| u32_at(bytes, at).unwrap_or_default();
        let at = u64::from(number(0)) | u64::from(number(1)) << 32;
        let head = Head { at, blocks: number(2), docs: number(3), max: f32::from_bits(number(4)) };
        if !head.max.is_finite() || head.max <= 0.0 || head.blocks == 0 || head.blocks > head.docs {
            let problem =
                format!("{} documents in {} blocks, weights up to {}", head.docs, head.blocks, head.max);
            return Err(self.heads.corrupt(index as u64 * HEAD_LEN, problem));
        }
        Ok(head)
    }

    pub(super) fn list_at(&self, head: &Head) -> Result<WeightList<'_>> {
        let bytes = self.lists.slice(head.at, head.len())?;
        let split = |bytes: &'_ [u8], at: u32| -> usize { (at as usize).min(bytes.len()) };
        let (blocks, rest) = bytes.split_at(split(bytes, head.blocks.saturating_mul(4)));
        let (counts, rest) = rest.split_at(split(rest, head.blocks));
        let (places, codes) = rest.split_at(split(rest, head.docs));
        // Sums of 256 counts need 16 bits.
        let sums = counts.chunks(256).map(|some| some.iter().map(|count| u16::from(*count)).sum::<u16>());
        let docs = sums.map(u64::from).sum::<u64>() + u64::from(head.blocks);
        if docs != u64::from(head.docs) {
            return Err(self.lists.corrupt(head.at, format!("{docs} documents, expected {}", head.docs)));
        }
        Ok(WeightList { max: head.max, blocks, counts, places, codes })
    }

    pub(super) fn list(&self, dimension: u32) -> Result<Option<WeightList<'_>>> {
        let Some(index) = self.find(dimension) else { return Ok(None) };
        self.list_at(&self.head(index)?).map(Some)
    }
}

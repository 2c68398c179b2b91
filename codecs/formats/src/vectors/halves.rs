//! The upper halves of codes while a graph is built: what the searches of insertions see.

use super::encode::Encoded;
use super::settings::Settings;
use super::spill::Spill;
use crate::sq8::coarse;
use lucerne_codec::format::WriteContext;
use lucerne_codec::{FieldInfo, Input, Result};

/// Never part of a segment.
const EXTENSION: &str = "halves";

/// Rows of a `.sq4` file in the order of the codes, in memory or on disk.
pub(super) struct Halves<'a> {
    memory: Vec<u8>,
    // Before the file it shows.
    moved: Option<Input>,
    _spill: Option<Spill<'a>>,
}

impl<'a> Halves<'a> {
    /// The halves of all codes; none for fields whose walks see whole codes.
    pub(super) fn of(
        context: &'a WriteContext<'a>,
        field: &FieldInfo,
        settings: &Settings,
        encoded: Option<&Encoded>,
    ) -> Result<Option<Self>> {
        let Some(encoded) = encoded.filter(|_| settings.search_bits == 4) else {
            return Ok(None);
        };
        let codes = &encoded.codes;
        let bytes = codes.len().saturating_mul(coarse::row_len(codes.dimension));
        let mut spill = Spill::new(context, field, EXTENSION, bytes)?;
        let mut memory = Vec::with_capacity(if spill.is_some() { 0 } else { bytes });
        for rows in codes.rows().codes.chunks(codes.dimension * coarse::STEP) {
            context.cancel.check()?;
            rows.chunks_exact(codes.dimension).for_each(|row| coarse::pack(row, &mut memory));
            if let Some(spill) = &mut spill {
                spill.write(&memory)?;
                memory.clear();
            }
        }
        let moved = spill.as_mut().map(Spill::finish).transpose()?;
        Ok(Some(Self { memory, moved, _spill: spill }))
    }

    pub(super) fn rows(&self) -> &[u8] {
        self.moved.as_ref().map_or(&self.memory, Input::bytes)
    }
}

//! Deciding about a merge: the centre, the merged quantiles, and each source's outcome.

use super::Layers;
use super::encode::{ChosenCenter, sample_quantiles};
use super::hashes::PlannedHashes;
use super::merge::Gathered;
use super::reader::LayeredReader;
use super::settings::Settings;
use super::spill::Spill;
use crate::flat_f32::Rows;
use crate::sq8::Quantiles;
use crate::sq8::center::LEAST;
use crate::sq8::codes::Codes;
use crate::sq8::meta::Center;
use crate::sq8::plan::{Plan, SourceCodes, plan};
use crate::sq8::quantizer::{Quantizer, transform};
use crate::vectors::encode::Encoded;
use lucerne_codec::{Cancel, FieldInfo, Result};

/// A decided merge of codes or hashes; nothing for formats without.
pub(super) struct Planned {
    pub(super) codes: Option<PlannedCodes>,
    pub(super) hashes: Option<PlannedHashes>,
}

/// What is decided about codes.
pub(super) struct PlannedCodes {
    /// Quantiles that new codes are encoded with.
    pub(super) quantiles: Quantiles,
    pub(super) center: ChosenCenter,
    /// What the sources are known by, in their order.
    pub(super) sources: Vec<SourceCodes>,
    pub(super) plan: Plan,
}

impl Planned {
    pub(super) fn new(
        layers: Layers,
        field: &FieldInfo,
        settings: &Settings,
        gathered: &Gathered<'_>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let codes = match layers.codes {
            true => Some(PlannedCodes::new(field, settings, gathered, cancel)?),
            false => None,
        };
        let hashes = match layers.hashes {
            true => Some(PlannedHashes::new(field, settings, gathered, cancel)?),
            false => None,
        };
        Ok(Self { codes, hashes })
    }
}

impl PlannedCodes {
    fn new(field: &FieldInfo, settings: &Settings, gathered: &Gathered<'_>, cancel: &Cancel) -> Result<Self> {
        let chosen = match inherited_center(settings, gathered) {
            Some(chosen) => chosen,
            None => ChosenCenter::decide(field, settings, gathered, cancel)?,
        };
        let mut sources = Vec::new();
        for (index, source) in gathered.sources.iter().enumerate() {
            let meta = source.own.and_then(LayeredReader::codes).map(|codes| codes.meta());
            let comparable = meta.filter(|meta| {
                chosen.comparable(meta.center) && meta.confidence_interval == settings.confidence
            });
            sources.push(match comparable {
                Some(meta) => SourceCodes {
                    live: source.live() as u64,
                    quantiles: meta.quantiles,
                    encodings: meta.encodings.iter().map(|encoding| encoding.quantiles).collect(),
                },
                None => SourceCodes {
                    live: source.live() as u64,
                    quantiles: sample_quantiles(
                        field,
                        settings,
                        &gathered.part(index),
                        chosen.slice(),
                        cancel,
                    )?,
                    encodings: Vec::new(),
                },
            });
        }
        let plan = plan(&sources, settings.thresholds);
        let (quantiles, center) = match plan.quantiles {
            Some(quantiles) => (quantiles, chosen),
            None => {
                let chosen = ChosenCenter::decide(field, settings, gathered, cancel)?;
                (sample_quantiles(field, settings, gathered, chosen.slice(), cancel)?, chosen)
            }
        };
        Ok(Self { quantiles, center, sources, plan })
    }

    /// Whether a source keeps the codes that have encoding `number`.
    fn keeps(&self, source: usize, number: usize) -> bool {
        let plan = self.plan.sources.get(source);
        plan.and_then(|plan| plan.keeps.get(number)).copied().unwrap_or(false)
    }

    /// Carries the plan out, codes going to `spill` if there is one; also returns, per source, how many vectors
    /// were encoded anew.
    pub(super) fn encode(
        &self,
        field: &FieldInfo,
        settings: &Settings,
        gathered: &Gathered<'_>,
        mut spill: Option<&mut Spill<'_>>,
        cancel: &Cancel,
    ) -> Result<(Encoded, Vec<u64>)> {
        let new = if spill.is_some() { Codes::in_parts } else { Codes::new };
        let mut codes = new(field.dimension as usize, gathered.len());
        let quantizer = Quantizer::new(field.similarity, self.quantiles);
        let mut vector = Vec::new();
        let mut renewed = vec![0u64; gathered.sources.len()];
        for (index, entry) in gathered.entries.iter().enumerate() {
            if index % 1_024 == 0 {
                cancel.check()?;
                if let Some(spill) = &mut spill {
                    codes.take_part(|part| spill.write(part))?;
                }
            }
            let number_of_source = entry.source as usize;
            let source = gathered.sources.get(number_of_source);
            if let Some(file) = source.and_then(|source| source.own).and_then(LayeredReader::codes) {
                let rows = file.rows();
                let encoding = rows.encoding(entry.ordinal as usize);
                if self.keeps(number_of_source, encoding) {
                    let number = codes.number(file.encoding(entry.ordinal)?.quantiles);
                    let correction = rows.correction(entry.ordinal as usize);
                    codes.copy(number, file.codes(entry.ordinal)?, correction);
                    continue;
                }
            }
            transform(field.similarity, self.center.slice(), gathered.row(index)?, &mut vector);
            let number = codes.number(self.quantiles);
            codes.encode(&quantizer, number, &vector);
            if let Some(renewed) = renewed.get_mut(number_of_source) {
                *renewed += 1;
            }
        }
        if let Some(spill) = spill {
            codes.take_part(|part| spill.write(part))?;
            codes.moved_to(spill.finish()?);
        }
        let encoded = Encoded::new(codes, self.quantiles, settings.confidence, self.center.clone());
        Ok((encoded, renewed))
    }
}

/// The centre that most live vectors have, or that most know to be needless; `None` when it must be
/// decided now. A field that may not have one has none.
fn inherited_center(settings: &Settings, gathered: &Gathered<'_>) -> Option<ChosenCenter> {
    if !settings.center {
        return Some(ChosenCenter::without(Center::None));
    }
    let mut weights: Vec<(ChosenCenter, usize)> = Vec::new();
    for source in gathered.sources.iter().filter(|source| source.live() > 0) {
        let Some(chosen) = source.own.and_then(ChosenCenter::of) else {
            continue;
        };
        if chosen.kind == Center::Undecided {
            continue;
        }
        match weights.iter_mut().find(|(known, _)| *known == chosen) {
            Some((_, weight)) => *weight += source.live(),
            None => weights.push((chosen, source.live())),
        }
    }
    // The first of the heaviest.
    let heaviest = weights.iter().map(|(_, weight)| *weight).max()?;
    weights
        .into_iter()
        .find(|(_, weight)| *weight == heaviest && (*weight >= LEAST || gathered.len() < 4 * LEAST))
        .map(|(chosen, _)| chosen)
}

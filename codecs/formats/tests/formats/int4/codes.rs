//! The codes of a segment being written.

use lucerne_codec::io::bytes::f32s;
use lucerne_codec::{Cancel, FieldInfo, Ordinal, Result, Similarity};
use lucerne_formats::distance::{DistanceComputer, GraphVectors, NodeDistances};
use lucerne_formats::encoding::raw::ExactQuery;
use lucerne_formats::encoding::sample::Sample;
use lucerne_formats::encoding::{EncodeContext, NewVectors, Rows, WrittenVectors};
use serde::{Deserialize, Serialize};

pub fn row_len(field: &FieldInfo) -> usize {
    (field.dimension as usize).div_ceil(2)
}

/// The values of codes 0 and 15.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    pub lower: f32,
    pub upper: f32,
}

impl Bounds {
    /// The least and the greatest component of a sample.
    pub fn of(rows: &dyn Rows, cancel: &Cancel) -> Result<Self> {
        let mut bounds = Self { lower: f32::MAX, upper: f32::MIN };
        Sample::new(rows, Similarity::Euclidean, None, cancel).for_each(|vector| {
            for &value in vector {
                bounds = Self { lower: bounds.lower.min(value), upper: bounds.upper.max(value) };
            }
        })?;
        Ok(bounds)
    }

    fn step(self) -> f64 {
        ((f64::from(self.upper) - f64::from(self.lower)) / 15.0).max(f64::MIN_POSITIVE)
    }

    fn code(self, value: f32) -> u8 {
        ((f64::from(value) - f64::from(self.lower)) / self.step()).round().clamp(0.0, 15.0) as u8
    }

    /// A vector's codes, two in a byte.
    pub fn encode(self, row: &[u8]) -> Vec<u8> {
        let codes: Vec<u8> = f32s(row).map(|value| self.code(value)).collect();
        codes.chunks(2).map(|two| two[0] | two.get(1).map_or(0, |code| code << 4)).collect()
    }

    /// The row that codes stand for.
    pub fn decode(self, codes: &[u8], dimension: usize) -> Vec<u8> {
        let both = codes.iter().flat_map(|byte| [byte & 15, byte >> 4]).take(dimension);
        let value = |code: u8| (f64::from(self.lower) + self.step() * f64::from(code)) as f32;
        both.flat_map(|code| value(code).to_le_bytes()).collect()
    }
}

pub struct NewInt4<'a> {
    pub field: &'a FieldInfo,
    pub bounds: Bounds,
    pub codes: Vec<u8>,
}

impl<'a> NewInt4<'a> {
    pub fn new(field: &'a FieldInfo, bounds: Bounds) -> Self {
        Self { field, bounds, codes: Vec::new() }
    }

    pub fn encode(&mut self, row: &[u8]) {
        self.codes.extend(self.bounds.encode(row));
    }

    fn decoded(&self, ordinal: Ordinal) -> Vec<u8> {
        let row_len = row_len(self.field);
        let codes = &self.codes[ordinal as usize * row_len..][..row_len];
        self.bounds.decode(codes, self.field.dimension as usize)
    }
}

impl NewVectors for NewInt4<'_> {
    fn graph_vectors(&self) -> Result<Box<dyn GraphVectors + '_>> {
        Ok(Box::new(GraphInt4(self)))
    }

    fn write(&self, context: &EncodeContext<'_>, order: &[Ordinal]) -> Result<WrittenVectors> {
        let mut file = context.write.create("int4", "int4", 1, self.field.number)?;
        let row_len = row_len(self.field);
        for &from in order {
            file.write(&self.codes[from as usize * row_len..][..row_len])?;
        }
        let meta = serde_json::to_value(self.bounds).unwrap();
        Ok(WrittenVectors { files: vec![file.finish()?], meta, spare: Vec::new() })
    }
}

struct GraphInt4<'a>(&'a NewInt4<'a>);

impl GraphVectors for GraphInt4<'_> {
    fn len(&self) -> usize {
        self.0.codes.len() / row_len(self.0.field)
    }

    fn computer(&self) -> Box<dyn NodeDistances + '_> {
        Box::new(Decoded { codes: self.0, query: None })
    }
}

struct Decoded<'a> {
    codes: &'a NewInt4<'a>,
    query: Option<ExactQuery>,
}

impl DistanceComputer for Decoded<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        let query = self.query.as_ref().unwrap();
        for (&ordinal, out) in ordinals.iter().zip(out) {
            *out = query.distance(&self.codes.decoded(ordinal));
        }
    }
}

impl NodeDistances for Decoded<'_> {
    fn set_query(&mut self, node: Ordinal) {
        self.query = Some(ExactQuery::new(self.codes.field.similarity, &self.codes.decoded(node)));
    }
}

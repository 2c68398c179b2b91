//! The codes of an open segment.

use super::codes::{Bounds, row_len};
use lucerne_codec::envelope::body;
use lucerne_codec::format::Problem;
use lucerne_codec::{Cancel, Error, Input, Ordinal, Result};
use lucerne_formats::distance::DistanceComputer;
use lucerne_formats::encoding::raw::{ExactQuery, RawVectors};
use lucerne_formats::encoding::report::number;
use lucerne_formats::encoding::{
    EncodedVectors, FieldReport, OpenContext, Precision, QueryComputers, ScanCost,
};
use lucerne_formats::verify::each_vector;
use serde::Deserialize;
use std::any::Any;

pub struct Int4Vectors {
    pub bounds: Bounds,
    codes: Input,
    row_len: usize,
    dimension: usize,
    raw: RawVectors,
}

impl Int4Vectors {
    pub fn open(context: &OpenContext<'_>) -> Result<Self> {
        let name = context.files.first().map_or("", |file| file.name.as_str());
        let refuse = |problem: &str| Error::corrupt(name, 0, problem.to_owned());
        let bounds = Bounds::deserialize(context.meta).map_err(|error| refuse(&error.to_string()))?;
        let [file] = context.files else { return Err(refuse("not one file")) };
        let codes = body(&context.segment.open(file, "int4", 1, context.field.number)?)?;
        let row_len = row_len(context.field);
        if codes.len() != row_len * context.len {
            return Err(refuse("not as many codes as vectors"));
        }
        let dimension = context.field.dimension as usize;
        Ok(Self { bounds, codes, row_len, dimension, raw: context.require_raw()?.clone() })
    }

    pub fn codes(&self, ordinal: Ordinal) -> &[u8] {
        let codes = self.codes.bytes().get(ordinal as usize * self.row_len..).unwrap_or_default();
        codes.get(..self.row_len).unwrap_or_default()
    }
}

impl EncodedVectors for Int4Vectors {
    fn query<'a>(&'a self, row: &[u8]) -> QueryComputers<'a> {
        let query = ExactQuery::new(self.raw.similarity(), row);
        QueryComputers { distances: Box::new(Decoded { vectors: self, query }), traversal: None }
    }

    fn precision(&self) -> Precision {
        Precision::CandidatesOnly
    }

    fn scan_cost(&self) -> ScanCost {
        ScanCost { sequential: 1.0, gathered: 1.0, shorter: None, graph_budget: 1.0 }
    }

    fn scan_name(&self) -> &'static str {
        "scan int4"
    }

    fn report(&self, report: &mut FieldReport) {
        report.set("bounds", vec![number(self.bounds.lower), number(self.bounds.upper)]);
        report.set_bytes("codes", self.codes.len());
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        each_vector(self.raw.len(), cancel, self.codes.name(), |ordinal| {
            let same = self.bounds.encode(self.raw.row(ordinal)?) == self.codes(ordinal);
            Ok((!same).then(|| "its codes are not those of the raw vector".to_owned()))
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct Decoded<'a> {
    vectors: &'a Int4Vectors,
    query: ExactQuery,
}

impl DistanceComputer for Decoded<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        let Self { vectors, query } = self;
        for (&ordinal, out) in ordinals.iter().zip(out) {
            *out = query.distance(&vectors.bounds.decode(vectors.codes(ordinal), vectors.dimension));
        }
    }
}

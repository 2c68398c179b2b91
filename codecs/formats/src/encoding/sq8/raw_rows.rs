//! Raw vectors in place of codes, where codes would not pay or not do.

use super::meta::RawReason;
use crate::encoding::encoded::{EncodedVectors, Precision, QueryComputers, ScanCost};
use crate::encoding::raw::RawVectors;
use crate::encoding::report::FieldReport;
use lucerne_codec::format::Problem;
use lucerne_codec::{Cancel, Result};
use std::any::Any;

/// The raw vectors of an open segment that has no codes.
pub(super) struct RawRows {
    pub(super) raw: RawVectors,
    pub(super) reason: RawReason,
}

impl EncodedVectors for RawRows {
    fn query<'a>(&'a self, row: &[u8]) -> QueryComputers<'a> {
        self.raw.query(row)
    }

    fn precision(&self) -> Precision {
        self.raw.precision()
    }

    fn scan_cost(&self) -> ScanCost {
        self.raw.scan_cost()
    }

    fn scan_name(&self) -> &'static str {
        self.raw.scan_name()
    }

    fn report(&self, report: &mut FieldReport) {
        report.set("codes", "none");
        match self.reason {
            RawReason::FewComponents => {
                report.set("codes_reason", "raw vectors of so few components are as small")
            }
            RawReason::Quality(quality) => {
                report.set("codes_reason", "codes do not tell nearest neighbors apart");
                report.set("code_quality", quality.report());
            }
        }
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        self.raw.verify(cancel)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

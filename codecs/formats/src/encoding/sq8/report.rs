//! Words and numbers of reports.

use super::meta::Center;
use super::quantiles::Quantiles;
use crate::encoding::report::number;
use serde_json::{Value, json};

pub(super) fn pair(quantiles: Quantiles) -> Value {
    json!([number(quantiles.lower), number(quantiles.upper)])
}

/// The word for a decision about the center.
pub(super) fn center(center: Center) -> Value {
    match center {
        Center::Undecided => json!("undecided"),
        Center::None => json!("none"),
        Center::Crc32(crc) => json!(format!("{crc:08x}")),
    }
}

//! Words and numbers of reports.

use super::meta::Center;
use super::quantiles::Quantiles;
use crate::encoding::report::number;
use lucerne_codec::Facts;
use serde_json::json;

pub(super) fn pair(quantiles: Quantiles) -> Facts {
    json!([number(quantiles.lower), number(quantiles.upper)])
}

/// The word for a decision about the center.
pub(super) fn center(center: Center) -> Facts {
    match center {
        Center::Undecided => json!("undecided"),
        Center::None => json!("none"),
        Center::Crc32(crc) => json!(format!("{crc:08x}")),
    }
}

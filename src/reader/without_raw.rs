//! What a segment is without the raw vectors of a field: the same files but those.

use crate::error::{Error, Result};
use crate::schema::VectorField;
use lucerne_codec::segment_info::{SegmentInfo, StructureInfo, VectorInfo};
use lucerne_codec::{FieldInfo, Registry};

/// The info of a segment without the raw vectors of `field`, which says that they are not kept; `None` when there are none.
///
/// # Errors
/// When the segment's vectors cannot be searched without them.
pub(crate) fn info_without_raw(
    registry: &Registry,
    field: VectorField<'_>,
    info: &SegmentInfo,
) -> Result<Option<SegmentInfo>> {
    let Some(place) = info.vectors.iter().position(|vectors| vectors.field.number == field.number()) else {
        return Ok(None);
    };
    let mut info = info.clone();
    let Some(VectorInfo { field: own, structure }) = info.vectors.get_mut(place) else { return Ok(None) };
    let format = registry.vectors(&structure.format, &info.name)?;
    own.params.insert(FieldInfo::KEEP_RAW.to_owned(), false.into());
    let without =
        format.without_raw(own, &structure.files, &structure.meta).map_err(|error| match error {
            lucerne_codec::Error::Invalid(problem) => {
                Error::Invalid(format!("segment {}: {problem}", info.name))
            }
            other => other.into(),
        })?;
    let Some(written) = without else { return Ok(None) };
    *structure = StructureInfo::new(format.name(), written);
    Ok(Some(info))
}

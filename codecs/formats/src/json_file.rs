//! Files whose body is one JSON value: `u32` length, then that many bytes of UTF-8.
//!
//! Metadata files are small and read once per open, so they are JSON inside the envelope: names instead of
//! offsets, and a checksum over every byte. Depth is bounded by the parser (128 levels), size by the file.

use lucerne_codec::envelope::{self, EnvelopeWriter, FileEntry, Header};
use lucerne_codec::{Directory, Error, Input, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes `value` as the body of a new file.
pub(crate) fn write<T: Serialize>(
    directory: &dyn Directory,
    name: &str,
    header: Header<'_>,
    value: &T,
) -> Result<FileEntry> {
    let invalid = |problem: String| Error::Invalid(format!("{name}: {problem}"));
    let json = serde_json::to_vec(value).map_err(|error| invalid(error.to_string()))?;
    let len = u32::try_from(json.len())
        .map_err(|_| invalid(format!("{} bytes of JSON do not fit, at most 4 GiB do", json.len())))?;
    let mut file = EnvelopeWriter::create(directory, name, header)?;
    file.write_u32(len)?;
    file.write(&json)?;
    file.finish()
}

/// Verifies the checksum of a structurally checked file and parses its body.
pub(crate) fn read<T: DeserializeOwned>(input: &Input) -> Result<T> {
    envelope::verify_checksum(input)?;
    let body = envelope::body(input)?;
    let mut cursor = body.cursor(0);
    let len = u64::from(cursor.u32()?);
    if len != cursor.remaining() {
        return Err(
            body.corrupt(0, format!("{len} bytes of JSON announced, {} are there", cursor.remaining()))
        );
    }
    let at = cursor.position();
    serde_json::from_slice(cursor.take(len)?).map_err(|error| body.corrupt(at, error.to_string()))
}

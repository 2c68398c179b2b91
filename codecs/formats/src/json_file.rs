//! Files whose body is one JSON value, twice (`twice`).
//!
//! Metadata files are small and read once per open, so they are JSON inside the envelope: names instead of
//! offsets, and a checksum over every byte. Depth is bounded by the parser (128 levels), size by the file.

use crate::twice;
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
    let json = serde_json::to_vec(value).map_err(|error| Error::Invalid(format!("{name}: {error}")))?;
    let mut file = EnvelopeWriter::create(directory, name, header)?;
    twice::write(&mut file, &json)?;
    file.finish()
}

/// Verifies the checksum of a structurally checked file and parses its body.
pub(crate) fn read<T: DeserializeOwned>(input: &Input) -> Result<T> {
    envelope::verify_checksum(input)?;
    let body = envelope::body(input)?;
    serde_json::from_slice(twice::read(&body)?).map_err(|error| body.corrupt(8, error.to_string()))
}

/// Parses what is left of a damaged file.
pub(crate) fn salvage<T: DeserializeOwned>(directory: &dyn Directory, name: &str) -> Result<T> {
    let json = twice::salvage(directory, name)?;
    serde_json::from_slice(&json).map_err(|error| Error::corrupt(name, 72, error.to_string()))
}

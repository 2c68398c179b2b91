//! Bytes that a file has twice: what nothing else could tell again survives damage anywhere in it.
//!
//! ```text
//! 0  u32     length
//! 4  u32     CRC-32 of the bytes
//! 8  …       the bytes
//!    …       zeros up to a multiple of 4096 in the file
//!    …       the bytes once more
//!    u32     CRC-32 again
//!    u32     length again
//! ```
//! A disk loses whole blocks: no block of 4096 bytes, nor a part of one, has both copies.

use byteorder::{ByteOrder, LittleEndian};
use lucerne_codec::envelope::{self, EnvelopeWriter, HEADER_LEN};
use lucerne_codec::io::bytes::u32_at;
use lucerne_codec::{Directory, Error, Input, Result};

const HEAD: usize = 8;
/// The second copy begins at a multiple of it.
const BLOCK: u64 = 4096;

/// Where the second copy of so many bytes begins in the body.
fn second_copy(len: u64) -> Option<u64> {
    let end = len.checked_add(HEAD as u64 + HEADER_LEN)?;
    Some(end.checked_next_multiple_of(BLOCK)? - HEADER_LEN)
}

/// Writes the body of a file.
pub(crate) fn write(file: &mut EnvelopeWriter, bytes: &[u8]) -> Result<()> {
    let len = u32::try_from(bytes.len())
        .map_err(|_| Error::Invalid(format!("{} bytes of metadata, at most 4 GiB fit", bytes.len())))?;
    let crc = crc32fast::hash(bytes);
    file.write_u32s([len, crc])?;
    file.write(bytes)?;
    file.align(BLOCK)?;
    file.write(bytes)?;
    file.write_u32s([crc, len])
}

/// The bytes in the body of a file whose checksum was verified, and where in the file they are.
pub(crate) fn read(body: &Input) -> Result<&[u8]> {
    let len = u64::from(body.cursor(0).u32()?);
    let second = second_copy(len).filter(|second| second + len + HEAD as u64 == body.len() as u64);
    let Some(second) = second else {
        return Err(body.corrupt(0, format!("{len} bytes, twice, do not make {} bytes", body.len())));
    };
    let (first, again) = (body.slice(HEAD as u64, len)?, body.slice(second, len)?);
    let (head, tail) = (body.slice(0, HEAD as u64)?, body.slice(second + len, HEAD as u64)?);
    let sound = head.get(4..) == tail.get(..4) && head.get(..4) == tail.get(4..);
    if first != again || !sound || u32_at(head, 1) != Some(crc32fast::hash(first)) {
        return Err(body.corrupt(HEAD as u64, "what is there twice is not the same"));
    }
    Ok(first)
}

/// The bytes in a file that is damaged anywhere, header and footer included; of another length, even.
///
/// # Errors
/// When neither copy is whole, or there is no such file.
pub(crate) fn salvage(directory: &dyn Directory, name: &str) -> Result<Vec<u8>> {
    let input = directory.open(name)?;
    let body = input.bytes().get(HEADER_LEN as usize..).unwrap_or_default();
    let tail = body.len().checked_sub(envelope::FOOTER_LEN as usize + HEAD);
    let tail = tail.and_then(|at| body.get(at..at + HEAD)).unwrap_or(&[0; HEAD]);
    let (crc_there, len_there) = tail.split_at(4);
    let (crc_there, len_there) = (LittleEndian::read_u32(crc_there), LittleEndian::read_u32(len_there));
    let (len_here, crc_here) = (u32_at(body, 0).unwrap_or(0), u32_at(body, 1).unwrap_or(0));
    for len in [len_here as usize, len_there as usize] {
        let first = HEAD.checked_add(len).and_then(|end| body.get(HEAD..end));
        let at = second_copy(len as u64).and_then(|at| usize::try_from(at).ok());
        let second = at.and_then(|at| body.get(at..at.checked_add(len)?));
        let whole = |copy: &&[u8]| !copy.is_empty() && [crc_here, crc_there].contains(&crc32fast::hash(copy));
        if let Some(copy) = [first, second].into_iter().flatten().find(whole) {
            return Ok(copy.to_vec());
        }
    }
    Err(input.corrupt(HEADER_LEN, "what is there twice is damaged twice"))
}

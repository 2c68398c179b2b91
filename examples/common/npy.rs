//! Just enough of NumPy's `.npy` format: two dimensions, half or single precision, little endian, C order.

use std::error::Error;
use std::fs;
use std::path::Path;

/// The rows of a `.npy` file, in single precision.
pub(crate) fn read_rows(path: &Path) -> Result<Vec<Vec<f32>>, Box<dyn Error>> {
    let refuse = |problem: &str| format!("{}: {problem}", path.display());
    let bytes = fs::read(path).map_err(|error| refuse(&error.to_string()))?;
    let (header, data) = split(&bytes).ok_or_else(|| refuse("not a .npy file of version 1 to 3"))?;
    let (rows, columns) = shape(header).ok_or_else(|| refuse("expected two dimensions"))?;
    if header.contains("'fortran_order': True") {
        return Err(refuse("expected C order, it is Fortran order").into());
    }
    let components: Vec<f32> = if header.contains("'<f2'") {
        data.as_chunks().0.iter().map(|pair| from_half(u16::from_le_bytes(*pair))).collect()
    } else if header.contains("'<f4'") {
        data.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
    } else {
        return Err(refuse("expected numbers of type <f2 or <f4").into());
    };
    if columns == 0 || components.len() != rows * columns {
        return Err(refuse(&format!("{} numbers are not {rows} × {columns}", components.len())).into());
    }
    Ok(components.chunks_exact(columns).map(<[f32]>::to_vec).collect())
}

/// The header's text and the numbers' bytes.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (version, rest) = rest.split_first_chunk::<2>()?;
    let (len, rest) = match version {
        [1, _] => rest.split_first_chunk().map(|(len, rest)| (usize::from(u16::from_le_bytes(*len)), rest)),
        _ => rest.split_first_chunk().map(|(len, rest)| (u32::from_le_bytes(*len) as usize, rest)),
    }?;
    let (header, data) = rest.split_at_checked(len)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

/// Rows and columns.
fn shape(header: &str) -> Option<(usize, usize)> {
    let shape = header.split_once("'shape':")?.1.split_once('(')?.1.split_once(')')?.0;
    let (rows, columns) = shape.split_once(',')?;
    Some((rows.trim().parse().ok()?, columns.trim().trim_end_matches(',').parse().ok()?))
}

/// IEEE half precision to single precision, exactly.
fn from_half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (bits >> 15, bits >> 10 & 31, f32::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(i32::from(exponent) - 15),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

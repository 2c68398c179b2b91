//! The real sample of `examples/data`: just enough of `.npy` and `.ibin` to read it.

use lucerne::Document;
use std::path::PathBuf;

/// A file of `examples/data`.
pub(crate) fn sample_file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "examples", "data", name].iter().collect()
}

/// The rows of a `.npy` file of half precision numbers in C order.
pub(crate) fn read_f16_rows(name: &str) -> Vec<Vec<f32>> {
    let bytes = std::fs::read(sample_file(name)).unwrap();
    assert!(bytes.starts_with(b"\x93NUMPY\x01\x00"), "{name}");
    let body = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8_lossy(&bytes[10..body]);
    assert!(header.contains("'<f2'") && header.contains("'fortran_order': False"), "{header}");
    let shape = header.split_once('(').unwrap().1.split_once(')').unwrap().0;
    let shape: Vec<usize> = shape.split(',').map(|size| size.trim().parse().unwrap()).collect();
    let rows = bytes[body..].chunks_exact(2 * shape[1]);
    let half = |pair: &[u8]| from_half(u16::from_le_bytes([pair[0], pair[1]]));
    let rows: Vec<Vec<f32>> = rows.map(|row| row.chunks_exact(2).map(half).collect()).collect();
    assert_eq!(rows.len(), shape[0]);
    rows
}

/// IEEE half precision to single, exactly. Neither infinity nor NaN occurs here.
fn from_half(bits: u16) -> f32 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    let magnitude = match exponent {
        0 => fraction * 2f32.powi(-24),
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// The nearest rows of every query, from an `.ibin` file.
pub(crate) fn read_truth(name: &str) -> Vec<Vec<usize>> {
    let bytes = std::fs::read(sample_file(name)).unwrap();
    let number = |four: &[u8]| u32::from_le_bytes(four.try_into().unwrap()) as usize;
    let k = number(&bytes[4..8]);
    let rows = bytes[8..].chunks_exact(4 * k);
    let rows: Vec<Vec<usize>> = rows.map(|row| row.chunks_exact(4).map(number).collect()).collect();
    assert_eq!(rows.len(), number(&bytes[..4]));
    rows
}

/// The documents of the sample, embeddings included.
pub(crate) fn sample_documents() -> Vec<Document> {
    let text = std::fs::read_to_string(sample_file("packages.jsonl")).unwrap();
    let rows = read_f16_rows("packages.f16.npy");
    let documents = text
        .lines()
        .zip(&rows)
        .map(|(line, row)| Document::from_json(line).unwrap().with("embedding", row.clone()));
    documents.collect()
}

/// The sample's schema.
pub(crate) fn sample_schema() -> lucerne::Schema {
    lucerne::Schema::from_json(&std::fs::read_to_string(sample_file("schema.json")).unwrap()).unwrap()
}

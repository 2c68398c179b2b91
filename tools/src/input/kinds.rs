//! Kinds of files that are not read, told by their first bytes.

/// A kind of file, and what to do with one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// Completes "this is …".
    pub(crate) name: &'static str,
    /// What to do; empty when there is nothing to say.
    pub(crate) hint: &'static str,
}

/// First bytes, name, hint.
const KINDS: [(&[u8], &str, &str); 15] = [
    (b"\x1f\x8b", "compressed with gzip", "decompress it with: gunzip -k FILE"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "decompress it with: unzstd FILE"),
    (
        b"PK\x03\x04",
        "a zip archive (such as .zip, .npz or .xlsx)",
        "unpack it first, with unzip or numpy.load",
    ),
    (b"\xfd7zXZ\x00", "compressed with xz", "decompress it first: xzcat FILE | lucerne …"),
    (b"BZh", "compressed with bzip2", "decompress it first: bzcat FILE | lucerne …"),
    (b"\x04\x22\x4d\x18", "compressed with lz4", "decompress it first: lz4cat FILE | lucerne …"),
    (
        b"PAR1",
        "a Parquet file",
        "convert it, for example with Python: pandas.read_parquet(…).to_json(…, orient=\"records\", lines=True)",
    ),
    (
        b"ARROW1",
        "an Arrow file",
        "convert it, for example with Python: pandas.read_feather(…).to_json(…, orient=\"records\", lines=True)",
    ),
    (b"SQLite format 3\x00", "an SQLite database", ""),
    (b"\x93NUMPY", "a NumPy file (.npy)", ""),
    (b"\x89HDF\r\n", "an HDF5 file", ""),
    (b"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself with: git lfs pull"),
    (b"<!DOCTYPE", "an HTML page", "was the download an error page?"),
    (b"<html", "an HTML page", "was the download an error page?"),
    (b"%PDF-", "a PDF file", ""),
];

/// The kind of a file with these first bytes, if it is one of those that are not text.
pub(crate) fn named(head: &[u8]) -> Option<Kind> {
    if head.starts_with(b"\xff\xfe\x00\x00") || head.starts_with(b"\x00\x00\xfe\xff") {
        return Some(Kind { name: "in UTF-32", hint: "convert it with: iconv -t UTF-8 FILE" });
    }
    let found = KINDS.iter().find(|(magic, _, _)| head.starts_with(magic));
    found.map(|&(_, name, hint)| Kind { name, hint })
}

/// True for the first line of a table of values separated by commas, semicolons or tabs.
pub(crate) fn csv(line: &[u8]) -> bool {
    let separated = line.iter().any(|byte| b",;\t".contains(byte));
    separated && !line.trim_ascii_start().starts_with(b"{") && !line.trim_ascii_start().starts_with(b"[")
}

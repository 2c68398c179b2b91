//! Text from files and standard input: decompressed and decoded to UTF-8. Files that are no text are named.
//!
//! What a file holds is told by its first bytes, not by its name, so that standard input and files with wrong
//! extensions are read too.

mod kinds;
mod utf16;

pub(crate) use kinds::{csv, named};

use crate::failure::{Failure, Outcome};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;
use utf16::{Order, Utf16};

const BUFFER: usize = 1 << 18;
/// Bytes that tell what a file holds.
const HEAD: usize = 32;

/// Something that is read, perhaps on another thread.
pub(crate) type Input = Box<dyn Read + Send>;

/// The text of an input in UTF-8: gzip and zstd are decompressed, UTF-16 is decoded, a byte order mark is left
/// out. An input of another kind that can be told is refused; `expected` says what it should have been.
pub(crate) fn text(path: &Path, input: Input, expected: &str) -> Outcome<Box<dyn BufRead + Send>> {
    let cannot = |error: io::Error| Failure::file(path, "read", &error);
    let (head, input) = decompressed(input).map_err(cannot)?;
    if let Some(kind) = named(&head) {
        let failure = Failure::content(path, format!("this is {}; expected {expected}", kind.name));
        return Err(match kind.hint {
            "" => failure,
            hint => failure.hint(hint),
        });
    }
    if let Some(order) = Order::of(&head) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, Utf16::new(input, order))));
    }
    let mut text = BufReader::with_capacity(BUFFER, input);
    if head.starts_with(b"\xef\xbb\xbf") {
        text.read_exact(&mut [0; 3]).map_err(cannot)?; // A byte order mark.
    }
    Ok(Box::new(text))
}

/// Reads a whole text: a file, or standard input for `-`.
pub(crate) fn read_text(path: &Path, expected: &str) -> Outcome<String> {
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidData => Failure::content(path, format!("{error}; expected {expected}")),
        _ => Failure::file(path, "read", &error),
    };
    let input: Input = match path.as_os_str() == "-" {
        true => Box::new(io::stdin()),
        false => Box::new(File::open(path).map_err(cannot)?),
    };
    let mut bytes = Vec::new();
    text(path, input, expected)?.read_to_end(&mut bytes).map_err(cannot)?;
    String::from_utf8(bytes).map_err(|error| {
        let position = error.utf8_error().valid_up_to();
        Failure::content(path, format!("not UTF-8 at byte {position}; expected {expected}"))
    })
}

/// The first bytes of what an input holds, and all of it, decompressed.
fn decompressed(input: Input) -> io::Result<(Vec<u8>, Input)> {
    let (first, input) = head(input)?;
    if first.starts_with(b"\x1f\x8b") {
        head(Box::new(flate2::read::MultiGzDecoder::new(input)))
    } else if first.starts_with(b"\x28\xb5\x2f\xfd") {
        head(Box::new(zstd::Decoder::new(input)?))
    } else {
        Ok((first, input))
    }
}

/// The first bytes of an input, and the whole input. Waits for no more than the first line.
fn head(mut input: Input) -> io::Result<(Vec<u8>, Input)> {
    let mut head = vec![0; HEAD];
    let mut filled = 0;
    while let Some(rest) = head.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if filled >= 4 && head.get(..filled).is_some_and(|head| head.contains(&b'\n')) {
            break;
        }
    }
    head.truncate(filled);
    let whole = Box::new(Cursor::new(head.clone()).chain(input));
    Ok((head, whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    const TEXT: &str = "{\"id\":\"é東😀\"}\n{}\n";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn utf16(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn read(bytes: Vec<u8>) -> Outcome<String> {
        let mut read = String::new();
        let path = Path::new("docs.jsonl");
        let mut input = text(path, Box::new(Cursor::new(bytes)), "JSON lines")?;
        input.read_to_string(&mut read).map_err(|error| Failure::file(path, "read", &error))?;
        Ok(read)
    }

    #[test]
    fn every_way_to_write_a_text_is_read() {
        let marked = format!("\u{feff}{TEXT}");
        for bytes in [
            TEXT.into(),
            marked.clone().into(),
            gzip(TEXT.as_bytes()),
            gzip(marked.as_bytes()),
            [gzip(&TEXT.as_bytes()[..7]), gzip(&TEXT.as_bytes()[7..])].concat(),
            zstd::encode_all(TEXT.as_bytes(), 1).unwrap(),
            zstd::encode_all(marked.as_bytes(), 1).unwrap(),
            utf16(&marked, u16::to_le_bytes),
            utf16(&marked, u16::to_be_bytes),
            utf16(TEXT, u16::to_le_bytes),
            utf16(TEXT, u16::to_be_bytes),
            gzip(&utf16(&marked, u16::to_le_bytes)),
        ] {
            assert_eq!(read(bytes.clone()).unwrap(), TEXT, "{bytes:?}");
        }
        assert_eq!(read(Vec::new()).unwrap(), "");
        assert_eq!(read(gzip(b"")).unwrap(), "");
        // Surrogates on either side of a buffer's end.
        let long = format!("{{{}", "😀".repeat(100_000));
        assert_eq!(read(utf16(&long, u16::to_le_bytes)).unwrap(), long);
    }

    #[test]
    fn what_is_no_text_is_named() {
        for (bytes, name) in [
            (&b"PK\x03\x04rest"[..], "a zip archive"),
            (b"\xfd7zXZ\x00rest", "compressed with xz"),
            (b"BZh91AY&SY", "compressed with bzip2"),
            (b"PAR1rest", "a Parquet file"),
            (b"\x93NUMPY\x01\x00", "a NumPy file"),
            (b"SQLite format 3\x00", "an SQLite database"),
            (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
            (b"<!DOCTYPE html>", "an HTML page"),
            (b"\xff\xfe\x00\x00{\x00\x00\x00", "in UTF-32"),
        ] {
            for bytes in [bytes.to_vec(), gzip(bytes)] {
                let failure = read(bytes).unwrap_err();
                assert_eq!(failure.code as u8, 2);
                let message = failure.message.unwrap();
                assert!(message.contains(name) && message.contains("expected JSON lines"), "{message}");
            }
        }
    }

    #[test]
    fn a_cut_file_is_an_error() {
        let whole = gzip(TEXT.repeat(1_000).as_bytes());
        assert!(read(whole[..whole.len() / 2].to_vec()).is_err());
        let whole = zstd::encode_all(TEXT.repeat(1_000).as_bytes(), 1).unwrap();
        assert!(read(whole[..whole.len() - 4].to_vec()).is_err());
        let text = utf16(TEXT, u16::to_le_bytes);
        assert!(read(text[..text.len() - 1].to_vec()).is_err());
        let lone = [utf16("{", u16::to_le_bytes), vec![0x3d, 0xd8], utf16("}", u16::to_le_bytes)].concat();
        assert!(read(lone).is_err());
    }
}

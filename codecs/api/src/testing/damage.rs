//! Damages a file in every small way there is and watches what its reader says.

use crate::envelope::{self, FOOTER_LEN, FileEntry, HEADER_LEN};
use crate::testing::MemoryDirectory;
use crate::{Directory, Error, Result};
use byteorder::{ByteOrder, LittleEndian};

/// What a reader made of a damaged file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It read what was written.
    Right,
    /// It read something else and said nothing.
    Wrong,
}

/// Damages `entry`'s file and reads it with `read`, which opens it, reads all of it and compares.
///
/// * Cut to any length, or with bytes after its end, it must be refused.
/// * With any bit flipped, it must be refused, or read right. The checksum must find every flip.
/// * With any byte changed and the envelope's checksums recomputed, as an attacker would, reading must
///   end: in an error or an answer, without panic.
///
/// Errors must be [`Error::Corrupt`] or [`Error::UnsupportedVersion`] and name the file.
pub fn check_damage(
    directory: &MemoryDirectory,
    entry: &FileEntry,
    read: &dyn Fn(&FileEntry) -> Result<Verdict>,
) {
    let whole = directory.get(&entry.name).expect("the file is there");
    assert_eq!(read(entry).expect("the undamaged file"), Verdict::Right, "undamaged");

    for len in 0..whole.len() {
        directory.put(&entry.name, &whole[..len]);
        refused(entry, read(entry), &format!("cut to {len} bytes"));
    }
    for extra in [1, 4, 16, 80] {
        let mut longer = whole.to_vec();
        longer.resize(whole.len() + extra, 0);
        directory.put(&entry.name, longer);
        refused(entry, read(entry), &format!("{extra} bytes too long"));
    }
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        directory.put(&entry.name, flipped);
        match read(entry) {
            Ok(Verdict::Right) => {}
            Ok(Verdict::Wrong) => panic!("{}: bit {bit} flipped: wrong data, no error", entry.name),
            Err(error) => named(entry, &error, &format!("bit {bit} flipped")),
        }
        let input = directory.open(&entry.name).expect("it opens");
        assert!(envelope::verify_checksum(&input).is_err(), "bit {bit}: not found");
    }
    for at in 0..whole.len() {
        for byte in [0x00, 0x01, 0x7F, 0x80, 0xFF, whole[at].wrapping_add(1)] {
            let mut forged = whole.to_vec();
            forged[at] = byte;
            let forged_entry = reseal(&entry.name, &mut forged);
            directory.put(&entry.name, forged);
            if let Err(error) = read(&forged_entry) {
                named(entry, &error, &format!("byte {at} forged to {byte:#04x}"));
            }
        }
    }
    directory.put(&entry.name, whole.to_vec());
}

fn refused(entry: &FileEntry, result: Result<Verdict>, what: &str) {
    match result {
        Ok(_) => panic!("{}: {what}: not refused", entry.name),
        Err(error) => named(entry, &error, what),
    }
}

fn named(entry: &FileEntry, error: &Error, what: &str) {
    match error {
        Error::Corrupt { file, .. } | Error::UnsupportedVersion { file, .. } => {
            assert_eq!(*file, entry.name, "{what}: the error names another file: {error}");
        }
        error => panic!("{}: {what}: an error of another kind: {error:?}", entry.name),
    }
}

/// Makes header checksum, length and footer checksum fit changed bytes again.
pub fn reseal(name: &str, bytes: &mut [u8]) -> FileEntry {
    let (header, footer) = (HEADER_LEN as usize, bytes.len() - FOOTER_LEN as usize);
    let len = bytes.len() as u64;
    let crc = crc32fast::hash(&bytes[..header - 4]);
    LittleEndian::write_u32(&mut bytes[header - 4..], crc);
    LittleEndian::write_u64(&mut bytes[footer + 4..], len);
    let crc32 = crc32fast::hash(&bytes[..footer + 12]);
    LittleEndian::write_u32(&mut bytes[footer + 12..], crc32);
    FileEntry { name: name.to_owned(), len, crc32 }
}

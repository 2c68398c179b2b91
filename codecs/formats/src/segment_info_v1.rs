//! Segment info, version 1: `{segment}.si`, what a segment consists of, as JSON; `{segment}_{generation}.si` when a
//! later commit took files out of it.
//!
//! Read completely and verified at open, then held against what the commit remembers of it. Names in it
//! are checked before anything opens them.

use crate::{json_file, names, reconstruct};
use lucerne_codec::envelope::{self, Expected, FileEntry, Header, NO_FIELD};
use lucerne_codec::segment_info::{SegmentInfo, SegmentInfoFormat};
use lucerne_codec::{Component, Directory, Error, FieldInfo, Result, SegmentId};
use std::collections::HashSet;

const FORMAT: &str = "segment_info";
const VERSION: u32 = 1;

/// The format of segment infos.
#[derive(Clone, Copy, Debug, Default)]
pub struct SegmentInfoV1;

impl SegmentInfoFormat for SegmentInfoV1 {
    fn file_name(&self, segment: &str, generation: Option<u64>) -> String {
        match generation {
            None => format!("{segment}.si"),
            Some(generation) => format!("{segment}_{generation}.si"),
        }
    }

    fn write(
        &self,
        directory: &dyn Directory,
        info: &SegmentInfo,
        generation: Option<u64>,
    ) -> Result<FileEntry> {
        let name = self.file_name(&info.name, generation);
        check(info, &name).map_err(|problem| Error::Invalid(format!("{name}: {problem}")))?;
        let header = Header { format: FORMAT, version: VERSION, segment: info.id, field: NO_FIELD };
        json_file::write(directory, &name, header, info)
    }

    fn read(&self, directory: &dyn Directory, entry: &FileEntry, id: SegmentId) -> Result<SegmentInfo> {
        let expected =
            Expected { format: FORMAT, versions: (VERSION, VERSION), segment: id, field: NO_FIELD };
        let (input, _) = envelope::open_entry(directory, entry, expected)?;
        check_read(&entry.name, json_file::read(&input)?, id)
    }

    fn salvage(&self, directory: &dyn Directory, entry: &FileEntry, id: SegmentId) -> Result<SegmentInfo> {
        check_read(&entry.name, json_file::salvage(directory, &entry.name)?, id)
    }

    fn reconstruct(
        &self,
        directory: &dyn Directory,
        segment: &str,
        id: SegmentId,
        fields: &[FieldInfo],
    ) -> Result<SegmentInfo> {
        reconstruct::segment_info(directory, segment, id, fields)
    }
}

fn check_read(file: &str, info: SegmentInfo, id: SegmentId) -> Result<SegmentInfo> {
    let corrupt = |problem| Error::corrupt(file, envelope::HEADER_LEN, problem);
    if info.id != id {
        return Err(corrupt(format!("describes segment {}, expected {id}", info.id)));
    }
    if !is_info_of(&info.name, file) {
        return Err(corrupt(format!("describes a segment called {:?}", info.name)));
    }
    check(&info, file).map_err(corrupt)?;
    Ok(info)
}

/// Whether a file is called as the info of a segment is: `_1.si`, or `_1_7.si`.
fn is_info_of(segment: &str, file: &str) -> bool {
    let between = file.strip_prefix(segment).and_then(|rest| rest.strip_suffix(".si"));
    between.is_some_and(|between| match between.strip_prefix('_') {
        None => between.is_empty(),
        Some(generation) => !generation.is_empty() && generation.bytes().all(|digit| digit.is_ascii_digit()),
    })
}

/// What makes a segment info unusable, if anything. Asked before writing one and after reading one.
fn check(info: &SegmentInfo, own_file: &str) -> Result<(), String> {
    names::check_segment(&info.name)?;
    if info.max_doc == 0 {
        return Err("a segment without documents".to_owned());
    }
    let mut seen = HashSet::from([own_file]);
    for file in info.files() {
        names::check_file(file, &info.name, &['.'], &mut seen)?;
    }
    let mut previous = None;
    for field in info.vectors.iter().map(|vector| &vector.field) {
        if field.number == NO_FIELD || previous.is_some_and(|previous| previous >= field.number) {
            return Err(format!("vector field {} is out of order", field.number));
        }
        let fits = match field.component() {
            Component::Bit => field.dimension.is_multiple_of(8) && (8..=65_536).contains(&field.dimension),
            _ => (1..=4_096).contains(&field.dimension),
        };
        if !fits {
            return Err(format!("field {:?} has {} dimensions", field.name, field.dimension));
        }
        previous = Some(field.number);
    }
    Ok(())
}

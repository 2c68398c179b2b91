//! What every format of segment infos and of commits must do.

use crate::commit::{CommitFormat, CommitInfo, CommitOrigin, CommitSegment, LiveDocsInfo};
use crate::envelope::FileEntry;
use crate::segment_info::{SegmentInfo, SegmentInfoFormat, StructureInfo, VectorInfo};
use crate::testing::{Bench, Verdict, check_damage};
use crate::{Error, FieldInfo, Metadata, Params, SegmentId, Similarity};
use serde_json::json;

fn file(name: &str) -> FileEntry {
    FileEntry { name: name.to_owned(), len: 1 << 40, crc32: 0xDEAD_BEEF }
}

fn structure(format: &str, files: &[&str], meta: Metadata) -> StructureInfo {
    StructureInfo { format: format.to_owned(), files: files.iter().map(|name| file(name)).collect(), meta }
}

/// A segment info with everything in it.
fn segment_info() -> SegmentInfo {
    let field = FieldInfo {
        number: 2,
        name: "embedding".to_owned(),
        dimension: 384,
        similarity: Similarity::Cosine,
        params: Params::new(),
    };
    SegmentInfo {
        name: Bench::SEGMENT.to_owned(),
        id: Bench::ID,
        max_doc: 3,
        written_by: "0.1.0".to_owned(),
        stored: structure("stored_v1", &["_0.stored"], Metadata::Null),
        keys: structure("keys_v1", &["_0.keys"], Metadata::Null),
        postings: None,
        columns: None,
        sparse: None,
        vectors: vec![VectorInfo {
            field,
            structure: structure("x", &["_0.2.x", "_0.2.y"], json!({"quantiles": [-0.75, 0.86]})),
        }],
        merge: Some(json!({"sources": [{"drift": 0.1}]})),
    }
}

/// A commit with everything in it.
fn commit() -> CommitInfo {
    let segment = |name: &str, id| CommitSegment {
        name: name.to_owned(),
        id,
        info: file(&format!("{name}.si")),
        live_docs: None,
    };
    let mut commit = CommitInfo {
        generation: 3,
        next_segment: 2,
        next_key: 1,
        written_by: "0.1.0".to_owned(),
        schema: json!({"key": "id"}),
        segments: vec![segment("_0", Bench::ID), segment("_1", Bench::OTHER)],
        user_data: [("note".to_owned(), "ü".to_owned())].into(),
        lineage: Some(Bench::OTHER),
        origin: CommitOrigin::Backup,
        tags: [("v1".to_owned(), 2), ("now".to_owned(), 3)].into(),
        older_commits: 4,
    };
    commit.segments[1].live_docs = Some(LiveDocsInfo {
        format: "live_docs_v1".to_owned(),
        generation: 4,
        deleted: 2,
        file: file("_1_4.live"),
    });
    commit
}

/// File names that must not be accepted from a metadata file of segment `_0`.
const BAD_NAMES: [&str; 8] = ["", "_0", "../x", "_0/../../x", "_0.a/b", "_0..x", "_00.x", "/etc/x"];

/// Runs the whole suite; panics where the format breaks a promise.
pub fn check_segment_info_format(format: &dyn SegmentInfoFormat) {
    let bench = Bench::new();
    let directory = &bench.directory;
    let info = segment_info();
    let entry = format.write(directory, &info, None).expect("written");
    assert_eq!(entry.name, format.file_name(&info.name, None));
    assert_eq!(format.read(directory, &entry, info.id).expect("read"), info);
    assert!(format.read(directory, &entry, Bench::OTHER).is_err(), "another id");
    check_damage(directory, &entry, &|entry| {
        let found = format.read(directory, entry, info.id)?;
        Ok(if found == info { Verdict::Right } else { Verdict::Wrong })
    });

    let refused = |what: &str, change: &dyn Fn(&mut SegmentInfo)| {
        let mut info = segment_info();
        change(&mut info);
        let error = format.write(&Bench::new().directory, &info, None).expect_err(what);
        assert!(matches!(error, Error::Invalid(_)), "{what}: {error}");
    };
    for name in BAD_NAMES {
        refused(name, &|info| info.keys.files[0].name = name.to_owned());
        refused(name, &|info| info.vectors[0].structure.files[1].name = name.to_owned());
    }
    refused("twice", &|info| info.keys.files[0].name = "_0.stored".to_owned());
    refused("own file", &|info| info.keys.files[0].name = "_0.si".to_owned());
    refused("empty", &|info| info.max_doc = 0);
    refused("a folder", &|info| info.name = "a/b".to_owned());
    refused("fields twice", &|info| info.vectors.push(info.vectors[0].clone()));
    refused("no dimension", &|info| info.vectors[0].field.dimension = 0);
}

/// Runs the whole suite; panics where the format breaks a promise.
pub fn check_commit_format(format: &dyn CommitFormat) {
    let bench = Bench::new();
    let (directory, name) = (&bench.directory, "segments_3");
    let commit = commit();
    let entry = format.write(directory, name, &commit).expect("written");
    assert_eq!(entry.name, name);
    assert_eq!(format.read(directory, name, 3).expect("read"), commit);
    assert!(format.read(directory, name, 2).is_err(), "another generation");
    check_damage(directory, &entry, &|_| {
        let found = format.read(directory, name, 3)?;
        Ok(if found == commit { Verdict::Right } else { Verdict::Wrong })
    });
    let empty = CommitInfo { segments: Vec::new(), ..commit };
    format.write(directory, "segments_4", &empty).expect("written");
    assert_eq!(format.read(directory, "segments_4", 3).expect("read"), empty);

    let refused = |what: &str, change: &dyn Fn(&mut CommitInfo)| {
        let mut commit = self::commit();
        change(&mut commit);
        let error = format.write(&Bench::new().directory, name, &commit);
        assert!(matches!(error, Err(Error::Invalid(_))), "{what}");
    };
    let live = |commit: &mut CommitInfo, name: &str| {
        let live = commit.segments[1].live_docs.as_mut();
        live.expect("there are").file.name = name.to_owned();
    };
    for name in BAD_NAMES {
        refused(name, &|commit| commit.segments[0].info.name = name.to_owned());
        refused(name, &|commit| live(commit, name));
    }
    refused("twice", &|commit| live(commit, "_1.si"));
    refused("same name", &|commit| commit.segments[1].name = "_0".to_owned());
    refused("same id", &|commit| commit.segments[1].id = Bench::ID);
    refused("a tag of a later commit", &|commit| commit.tags.extend([("x".to_owned(), 4)]));
    refused("no lineage", &|commit| commit.lineage = Some(SegmentId([0; 16])));
    refused("no id", &|commit| commit.segments[1].id.0 = [0; 16]);
    refused("a folder", &|commit| commit.segments[0].name = "..".to_owned());
}

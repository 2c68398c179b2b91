//! Commits that arrive from elsewhere: all of them or nothing, whatever the other end sends.

use crate::common::documents::{document, in_memory, one_field, small_segments};
use lucerne::codec::Directory;
use lucerne::codec::SegmentId;
use lucerne::codec::commit::{CommitInfo, CommitSegment};
use lucerne::codec::envelope::FileEntry;
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::transfer::{BackupReport, CommitFiles, Incoming, ReceivedCommit, receive};
use lucerne::{Error, ErrorKind, Index, Vector};
use std::sync::Arc;

/// An index in memory with documents, some of them deleted.
fn filled() -> Index {
    let (_, index) = in_memory(one_field(Vector::f32(4)));
    more(&index, 0..20);
    index
}

fn more(index: &Index, keys: std::ops::Range<usize>) {
    let writer = index.writer_with(small_segments(8)).unwrap();
    for key in keys {
        writer.upsert(&document(key.to_string(), [key as f32, 1.0, 2.0, 3.0])).unwrap();
    }
    writer.close().unwrap();
}

fn bring(incoming: &Incoming, file: &FileEntry, bytes: &[u8]) -> Result<(), Error> {
    let mut output = incoming.create(file)?;
    output.write(bytes)?;
    output.finish()?;
    incoming.finish(file)
}

fn bytes<'a>(sent: &'a CommitFiles, file: &FileEntry) -> &'a [u8] {
    sent.files.iter().find(|sent| sent.entry == *file).expect("a file of the commit").input.bytes()
}

fn receive_from(
    sent: &CommitFiles,
    to: &RamDirectory,
    fetch: impl FnMut(&Incoming, &[FileEntry]) -> Result<(), Error>,
) -> Result<BackupReport, Error> {
    let commit = ReceivedCommit { generation: sent.generation, bytes: &sent.commit_bytes };
    receive(IndexBuilder::new(), Arc::new(to.clone()), commit, fetch)
}

fn receive_all(sent: &CommitFiles, to: &RamDirectory) -> Result<BackupReport, Error> {
    receive_from(sent, to, |incoming, files| {
        files.iter().try_for_each(|file| bring(incoming, file, bytes(sent, file)))
    })
}

fn docs_in(directory: &RamDirectory) -> u64 {
    IndexBuilder::new().open(Arc::new(directory.clone())).unwrap().searcher().unwrap().len()
}

#[test]
fn a_commit_arrives_as_a_backup_would_and_only_new_files_are_asked_for() {
    let (index, to, backup) = (filled(), RamDirectory::new(), RamDirectory::new());
    let first = receive_all(&index.commit_files().unwrap(), &to).unwrap();
    assert_eq!((first.docs, first.copied_files), (20, first.files));
    more(&index, 15..25);
    let sent = index.commit_files().unwrap();
    assert_eq!((sent.docs, sent.lineage.is_some()), (25, true));
    let second = receive_all(&sent, &to).unwrap();
    assert!(second.copied_files < second.files && second.docs == 25, "{second:?}");
    index.backup_in(Arc::new(backup.clone()), &Default::default(), &()).unwrap();
    assert_eq!(to.list().unwrap(), backup.list().unwrap());
    for name in to.list().unwrap().iter().filter(|name| !name.ends_with(".lock")) {
        assert_eq!(to.open(name).unwrap().bytes(), backup.open(name).unwrap().bytes(), "{name}");
    }
    assert_eq!(receive_all(&sent, &to).unwrap().copied_files, 0);
}

#[test]
fn an_interrupted_arrival_goes_on_where_it_was_and_shows_nothing_before() {
    let index = filled();
    let (sent, to) = (index.commit_files().unwrap(), RamDirectory::new());
    let (mut asked, mut brought) = (0, 0);
    loop {
        let mut room = 3;
        let received = receive_from(&sent, &to, |incoming, files| {
            asked += files.len();
            for file in files {
                if room == 0 {
                    let mut output = incoming.create(file)?;
                    output.write(&bytes(&sent, file)[..9])?;
                    return Err(Error::Cancelled);
                }
                room -= 1;
                bring(incoming, file, bytes(&sent, file))?;
                brought += 1;
            }
            Ok(())
        });
        match received {
            Ok(_) => break,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}"),
        }
        assert!(IndexBuilder::new().open(Arc::new(to.clone())).is_err());
    }
    assert_eq!((brought, docs_in(&to)), (sent.files.len(), 20), "no file was brought twice");
    assert!(asked > brought, "{asked}");
    assert!(to.list().unwrap().iter().all(|name| !name.ends_with(".part")));
}

#[test]
fn bytes_that_are_not_the_file_s_are_refused_and_may_be_brought_again() {
    let index = filled();
    let (sent, to) = (index.commit_files().unwrap(), RamDirectory::new());
    receive_from(&sent, &to, |incoming, files| {
        for file in files {
            let own = bytes(&sent, file);
            let mut changed = own.to_vec();
            changed[own.len() / 2] ^= 4;
            let other = sent.files.iter().find(|other| other.entry.name != file.name).unwrap().input.bytes();
            for wrong in [&changed, &own[..own.len() - 1], &own[1..], other, b"", &[own, b"x"].concat()] {
                assert_eq!(bring(incoming, file, wrong).unwrap_err().kind(), ErrorKind::Corrupt);
            }
            bring(incoming, file, own)?;
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(docs_in(&to), 20);
    more(&index, 0..3);
    let error = receive_from(&index.commit_files().unwrap(), &to, |_, _| Ok(())).unwrap_err();
    assert!(error.to_string().contains("did not arrive"), "{error}");
    assert_eq!(docs_in(&to), 20);
}

#[test]
fn commits_that_name_what_cannot_be_theirs_are_damage() {
    let (index, to, formats) = (filled(), RamDirectory::new(), IndexBuilder::new());
    receive_all(&index.commit_files().unwrap(), &to).unwrap();
    let before = to.list().unwrap();
    let sent = index.commit_files().unwrap();
    let schema = index.schema().unwrap().to_json();
    let mut refused = 0;
    for name in ["_1", "_1.si.part", "_1.si~", "_1/../x", "_1.lock", "segments_2", "lucerne-backup", "../x"] {
        let info = FileEntry { name: name.to_owned(), len: 99, crc32: 7 };
        let segment = CommitSegment { name: "_1".to_owned(), id: SegmentId([1; 16]), info, live_docs: None };
        let commit = CommitInfo {
            generation: 50,
            next_segment: 9,
            schema: schema.clone(),
            segments: vec![segment],
            lineage: sent.lineage,
            ..Default::default()
        };
        let memory = RamDirectory::new();
        if formats.registry().commit.write(&memory, "segments_50", &commit).is_err() {
            continue; // The format asks for the name of the segment in front, in commits that it reads as well.
        }
        let bytes = memory.open("segments_50").unwrap().bytes().to_vec();
        let commit = ReceivedCommit { generation: 50, bytes: &bytes };
        let error = receive(IndexBuilder::new(), Arc::new(to.clone()), commit, |_, _| Ok::<_, Error>(()))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}: {error}");
        assert_eq!(to.list().unwrap(), before, "{name}");
        refused += 1;
    }
    assert!(refused > 1, "{refused}");
    let own = index.commit_files().unwrap();
    for at in 0..own.commit_bytes.len() {
        let mut changed = own.commit_bytes.clone();
        changed[at] ^= 1;
        let commit = ReceivedCommit { generation: own.generation, bytes: &changed };
        let error = receive(IndexBuilder::new(), Arc::new(to.clone()), commit, |_, _| Ok::<_, Error>(()))
            .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Incompatible), "byte {at}: {error}");
    }
    assert_eq!((to.list().unwrap(), docs_in(&to)), (before, 20));
}

#[test]
fn a_searcher_gives_the_files_of_the_commit_that_it_shows() {
    let index = filled();
    let old = index.searcher().unwrap();
    more(&index, 0..30);
    let (sent, to) = (old.commit_files().unwrap(), RamDirectory::new());
    assert_eq!(sent.generation, old.generation());
    receive_all(&sent, &to).unwrap();
    assert_eq!(docs_in(&to), 20);
    let writer = index.writer().unwrap();
    writer.delete("1").unwrap();
    writer.refresh().unwrap();
    let error = index.searcher().unwrap().commit_files().unwrap_err();
    assert!(error.to_string().contains("not committed"), "{error}");
}

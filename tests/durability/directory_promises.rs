//! The promises of `Directory`, the same suite over every kind of directory.

use lucerne::directory::fault::FaultDirectory;
use lucerne::directory::{FsDirectory, RamDirectory};
use lucerne_codec::io::Access;
use lucerne_codec::{Directory, Error};
use std::io;
use std::io::{BufRead, Write};
use std::process::{Command, Stdio};

fn write(directory: &dyn Directory, name: &str, bytes: &[u8]) {
    let mut output = directory.create(name).unwrap();
    output.write(bytes).unwrap();
    output.finish().unwrap();
}

fn read(directory: &dyn Directory, name: &str) -> Vec<u8> {
    directory.open(name).unwrap().bytes().to_vec()
}

fn kind<T>(result: Result<T, Error>) -> io::ErrorKind {
    match result.err().expect("an error") {
        Error::Io { source, .. } => source.kind(),
        other => panic!("not an i/o error: {other}"),
    }
}

fn names(directory: &dyn Directory) -> Vec<String> {
    directory.list().unwrap()
}

/// Everything a directory promises while the power is on.
fn promises(directory: &dyn Directory) {
    assert!(names(directory).is_empty());
    files_are_read_as_they_were_written(directory);
    a_missing_file_is_not_found(directory);
    an_existing_file_is_not_created_again(directory);
    a_view_outlives_its_file(directory);
    a_rename_replaces(directory);
    names_are_plain(directory);
    a_lock_has_one_holder(directory);
}

fn files_are_read_as_they_were_written(directory: &dyn Directory) {
    let pattern: Vec<u8> = (0..300_000u32).map(|i| (i ^ (i >> 8)) as u8).collect();
    // Steps around the buffers' sizes.
    let steps = [1, 7, 511, 4095, 4096, 4097, 131_071, 131_072];
    for (i, step) in steps.into_iter().enumerate() {
        let mut output = directory.create(&format!("b{i}")).unwrap();
        pattern.chunks(step).for_each(|chunk| output.write(chunk).unwrap());
        output.finish().unwrap();
    }
    write(directory, "c_empty", b"");
    write(directory, "A", b"x");
    for i in 0..steps.len() {
        let name = format!("b{i}");
        let input = directory.open(&name).unwrap();
        for access in [Access::Random, Access::Resident] {
            input.advise(access);
            input.sub(5000, 100).unwrap().advise(access);
        }
        assert!(input.bytes() == pattern, "{name}");
        assert_eq!(directory.file_len(&name).unwrap(), pattern.len() as u64);
        assert_eq!(input.name(), name);
        directory.sync(&name).unwrap();
    }
    assert_eq!(directory.file_len("c_empty").unwrap(), 0);
    assert!(directory.open("c_empty").unwrap().is_empty());
    directory.sync("c_empty").unwrap();
    directory.sync_dir().unwrap();
    let sorted = ["A", "b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "c_empty"];
    assert_eq!(names(directory), sorted);
    for name in names(directory) {
        directory.delete(&name).unwrap();
    }
    assert!(names(directory).is_empty());
}

fn a_missing_file_is_not_found(directory: &dyn Directory) {
    assert_eq!(kind(directory.open("none")), io::ErrorKind::NotFound);
    assert_eq!(kind(directory.file_len("none")), io::ErrorKind::NotFound);
    assert_eq!(kind(directory.delete("none")), io::ErrorKind::NotFound);
    assert_eq!(kind(directory.sync("none")), io::ErrorKind::NotFound);
    assert_eq!(kind(directory.rename("none", "other")), io::ErrorKind::NotFound);
    let message = directory.open("none").unwrap_err().to_string();
    assert!(message.starts_with("none: cannot open: "), "{message}");
}

fn an_existing_file_is_not_created_again(directory: &dyn Directory) {
    write(directory, "once", b"first");
    assert_eq!(kind(directory.create("once")), io::ErrorKind::AlreadyExists);
    assert_eq!(read(directory, "once"), b"first");
    // Also when the file was never finished.
    drop(directory.create("unfinished").unwrap());
    assert_eq!(kind(directory.create("unfinished")), io::ErrorKind::AlreadyExists);
    directory.delete("unfinished").unwrap();
    directory.delete("once").unwrap();
    write(directory, "once", b"second");
    assert_eq!(read(directory, "once"), b"second");
    directory.delete("once").unwrap();
}

fn a_view_outlives_its_file(directory: &dyn Directory) {
    let bytes = vec![7u8; 100_000];
    write(directory, "doomed", &bytes);
    write(directory, "replaced", &bytes);
    write(directory, "other", b"other");
    let views = ["doomed", "replaced"].map(|name| directory.open(name).unwrap());
    directory.delete("doomed").unwrap();
    directory.rename("other", "replaced").unwrap();
    for view in &views {
        assert!(view.bytes() == bytes);
        assert!(view.clone().sub(50_000, 10).unwrap().bytes() == [7; 10]);
    }
    assert_eq!(kind(directory.open("doomed")), io::ErrorKind::NotFound);
    assert_eq!(read(directory, "replaced"), b"other");
    directory.delete("replaced").unwrap();
}

fn a_rename_replaces(directory: &dyn Directory) {
    write(directory, "old", b"old");
    write(directory, "new", b"new");
    directory.rename("new", "old").unwrap();
    assert_eq!(names(directory), ["old"]);
    assert_eq!(read(directory, "old"), b"new");
    directory.rename("old", "old").unwrap();
    assert_eq!(read(directory, "old"), b"new");
    // A file may be renamed while it is written.
    let mut output = directory.create("early").unwrap();
    output.write(b"late ").unwrap();
    directory.rename("early", "late").unwrap();
    output.write(b"bytes").unwrap();
    output.finish().unwrap();
    assert_eq!(read(directory, "late"), b"late bytes");
    directory.delete("late").unwrap();
    directory.delete("old").unwrap();
}

fn names_are_plain(directory: &dyn Directory) {
    write(directory, "fine", b"x");
    let long = "x".repeat(256);
    let refused =
        ["", ".", "..", "/", "a/b", "/etc/passwd", "../up", "..\\up", "C:up", "a\0b", "a\nb", &long];
    // Locks are not data.
    for name in refused.into_iter().chain(["write.lock"]) {
        let results = [
            directory.create(name).map(drop),
            directory.open(name).map(drop),
            directory.delete(name),
            directory.rename(name, "other"),
            directory.rename("fine", name),
            directory.sync(name),
        ];
        for result in results {
            assert!(matches!(result, Err(Error::Invalid(_))), "{name:?}: {result:?}");
        }
    }
    for name in refused {
        assert!(matches!(directory.file_len(name), Err(Error::Invalid(_))), "{name:?}");
        let lock = directory.lock(&format!("{name}/.lock"), "x");
        assert!(matches!(lock, Err(Error::Invalid(_))), "{name:?}");
    }
    assert!(matches!(directory.lock("fine", "x"), Err(Error::Invalid(_))));
    assert_eq!(names(directory), ["fine"]);
    directory.delete("fine").unwrap();
}

fn a_lock_has_one_holder(directory: &dyn Directory) {
    for owner in ["the first", "the second"] {
        let held = directory.lock("write.lock", owner).unwrap();
        let other = directory.lock("other.lock", "someone else").unwrap();
        match directory.lock("write.lock", "too late") {
            Err(Error::Locked { file, holder }) => {
                assert_eq!(file, "write.lock");
                assert_eq!(holder, format!("process {}, {owner}", std::process::id()));
            }
            result => panic!("{result:?}"),
        }
        drop(held);
        drop(other);
    }
    // The files of locks stay.
    assert_eq!(names(directory), ["other.lock", "write.lock"]);
}

#[test]
fn in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    promises(&FsDirectory::create(folder.path().join("index")).unwrap());
}

#[test]
fn in_memory() {
    promises(&RamDirectory::new());
}

#[test]
fn on_the_simulated_disk() {
    promises(&FaultDirectory::new());
}

#[test]
fn clones_share_the_memory() {
    let directory = RamDirectory::new();
    write(&directory.clone(), "a", b"x");
    assert_eq!(names(&directory), ["a"]);
}

#[test]
fn a_folder_must_exist_to_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("a/b/c");
    assert_eq!(kind(FsDirectory::open(&missing)), io::ErrorKind::NotFound);
    FsDirectory::create(&missing).unwrap();
    let directory = FsDirectory::create(&missing).unwrap();
    write(&directory, "file", b"x");
    assert_eq!(directory.path(), std::path::absolute(&missing).unwrap());
    assert_eq!(kind(FsDirectory::open(missing.join("file"))), io::ErrorKind::NotADirectory);
    assert!(FsDirectory::create(missing.join("file")).is_err());
    assert_eq!(read(&FsDirectory::open(&missing).unwrap(), "file"), b"x");
}

#[test]
fn only_files_are_listed_and_opened() {
    let folder = tempfile::tempdir().unwrap();
    let directory = FsDirectory::open(folder.path()).unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    write(&directory, "file", b"x");
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        std::os::unix::fs::symlink("nowhere", folder.path().join("dangling")).unwrap();
        let not_unicode = std::ffi::OsString::from_vec(vec![b'a', 0xff]);
        std::fs::write(folder.path().join(not_unicode), "x").unwrap();
        // Opening a pipe would wait for ever.
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(kind(directory.open("pipe")), io::ErrorKind::InvalidInput);
        assert_eq!(kind(directory.sync("pipe")), io::ErrorKind::InvalidInput);
        assert_eq!(kind(directory.file_len("pipe")), io::ErrorKind::InvalidInput);
    }
    assert_eq!(names(&directory), ["file"]);
    assert!(directory.open("sub").is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_link_to_a_device_is_neither_written_nor_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let directory = FsDirectory::open(folder.path()).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("full")).unwrap();
    assert_eq!(kind(directory.create("full")), io::ErrorKind::AlreadyExists);
    assert_eq!(kind(directory.open("full")), io::ErrorKind::InvalidInput);
}

const CHILD_FOLDER: &str = "LUCERNE_TEST_LOCK_FOLDER";

/// The child of the next test: takes the lock, says so, and waits to be killed.
#[test]
#[ignore = "a helper of a_lock_dies_with_its_process"]
fn lock_child() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER) else {
        return;
    };
    let directory = FsDirectory::open(folder).unwrap();
    let _held = directory.lock("write.lock", "the child").unwrap();
    writeln!(io::stdout(), "\nlocked").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(60));
}

#[test]
fn a_lock_dies_with_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let directory = FsDirectory::open(folder.path()).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "directory_promises::lock_child", "--ignored", "--nocapture"])
        .env(CHILD_FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = io::BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map(|line| line.unwrap()).any(|line| line == "locked"));
    let error = directory.lock("write.lock", "the parent").unwrap_err();
    let expected = format!("write.lock: locked by process {}, the child", child.id());
    assert_eq!(error.to_string(), expected);
    child.kill().unwrap();
    child.wait().unwrap();
    directory.lock("write.lock", "the parent").unwrap();
}

#[test]
fn a_temporary_file_has_no_name_and_its_bytes_stay_as_long_as_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let directory = FsDirectory::open(folder.path()).unwrap();
    let mut output = directory.create_temporary().unwrap().unwrap();
    output.write(b"codes ").unwrap();
    output.write(b"of a merge").unwrap();
    assert_eq!(directory.list().unwrap(), [""; 0]);
    let view = output.finish().unwrap();
    assert_eq!(directory.list().unwrap(), [""; 0]);
    assert_eq!(view.bytes(), b"codes of a merge");
    assert!(directory.create_temporary().unwrap().unwrap().finish().unwrap().bytes().is_empty());
}

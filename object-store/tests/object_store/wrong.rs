//! What goes wrong is told with its name, and leaves what was there.

use crate::index::{content, create, write};
use crate::server::Server;
use crate::transfers::push_now;
use lucerne::{Cancel, ErrorKind, Index, admin};
use lucerne_object_store::{Error, PullOptions, Remote, pull};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

struct Scene {
    server: Server,
    remote: Remote,
    folder: tempfile::TempDir,
    index: Index,
}

impl Scene {
    /// An index of which a first commit was pushed and pulled, and a second one pushed.
    fn new() -> Self {
        let (server, folder) = (Server::start(5), tempfile::tempdir().unwrap());
        let (remote, index) = (server.remote("notes"), create(&folder.path().join("live")));
        let scene = Self { server, remote, folder, index };
        write(&scene.index, 0..20, 1);
        push_now(&scene.index, &scene.remote).unwrap();
        scene.pull().unwrap();
        scene.restore();
        write(&scene.index, 10..30, 2);
        push_now(&scene.index, &scene.remote).unwrap();
        scene
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn pull(&self) -> Result<lucerne_object_store::PullReport, Error> {
        pull(&self.remote, self.cache(), &PullOptions::new(), &Cancel::new(), &())
    }

    /// The folder as it was after the first commit: failed pulls have left files in it.
    fn restore(&self) {
        let first = self.folder.path().join("first");
        let (from, to) = if first.exists() { (first, self.cache()) } else { (self.cache(), first) };
        let _ = std::fs::remove_dir_all(&to);
        std::fs::create_dir(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }

    /// The pull fails with an error that names the object, and the folder holds the first commit.
    fn refused(&self, object: &Path, kind: ErrorKind) {
        self.restore();
        let error = self.pull().unwrap_err();
        let name = object.file_name().unwrap().to_str().unwrap();
        assert!(error.kind() == kind && error.to_string().contains(name), "{name}: {error}");
        let searcher = Index::open(self.cache()).unwrap().searcher().unwrap();
        assert_eq!((searcher.len(), content(&searcher)["k15"]), (20, 1));
        assert!(admin::check(self.cache(), &Cancel::new(), &()).unwrap().ok());
    }

    /// Objects of the second commit that the first one does not have.
    fn new_objects(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for segment in std::fs::read_dir(self.server.folder("notes/files")).unwrap() {
            for file in std::fs::read_dir(segment.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                let name = path.file_stem().unwrap();
                if !self.cache().join(name).exists() {
                    found.push(path);
                }
            }
        }
        found.push(self.server.folder("notes/commits/0000000002.commit"));
        found
    }
}

#[test]
fn objects_that_are_damaged_cut_off_or_gone_are_named_and_the_folder_keeps_its_commit() {
    let scene = Scene::new();
    let objects = scene.new_objects();
    assert!(objects.len() > 3);
    for object in objects {
        let bytes = std::fs::read(&object).unwrap();
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            std::fs::write(&object, changed).unwrap();
            scene.refused(&object, ErrorKind::Corrupt);
        }
        for len in [bytes.len() - 1, bytes.len() / 2] {
            std::fs::write(&object, &bytes[..len]).unwrap();
            scene.restore();
            let error = scene.pull().unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Io), "{error}");
        }
        if object.extension().is_some_and(|extension| extension != "commit") {
            std::fs::remove_file(&object).unwrap();
            scene.refused(&object, ErrorKind::NotFound);
            assert_eq!(push_now(&scene.index, &scene.remote).unwrap().uploaded_files, 1);
        } else {
            std::fs::write(&object, &bytes).unwrap();
        }
    }
    scene.pull().unwrap();
    let pulled = Index::open(scene.cache()).unwrap().searcher().unwrap();
    assert_eq!(content(&pulled), content(&scene.index.searcher().unwrap()));
}

/// The commit object with other JSON in it, and checksums that fit.
fn with_head(object: &[u8], change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    let line_end = object.iter().position(|&byte| byte == b'\n').unwrap();
    let line = std::str::from_utf8(&object[..line_end]).unwrap();
    let head_len: usize = line.rsplit(' ').next().unwrap().parse().unwrap();
    let (head, commit) = object[line_end + 1..].split_at(head_len);
    let mut head = serde_json::from_slice(head).unwrap();
    change(&mut head);
    let rest = [head.to_string().as_bytes(), commit].concat();
    let line = format!("lucerne-commit 1 {:08x} {}\n", crc32fast::hash(&rest), head.to_string().len());
    [line.as_bytes(), &rest].concat()
}

/// A change of the JSON.
type Lie<'a> = &'a dyn Fn(&mut serde_json::Value);

#[test]
fn a_commit_object_that_lies_brings_nothing_into_the_folder() {
    let scene = Scene::new();
    let object = scene.server.folder("notes/commits/0000000002.commit");
    let own = std::fs::read(&object).unwrap();
    assert_eq!(with_head(&own, |_| ()), own);
    let files = |head: &mut serde_json::Value, change: Lie<'_>| {
        head["files"].as_array_mut().unwrap().iter_mut().for_each(change);
    };
    let lies: [(&str, Lie<'_>); 8] = [
        ("names outside", &|head| files(head, &|file| file["name"] = "../../escaped".into())),
        ("another commit", &|head| files(head, &|file| file["name"] = "segments_9".into())),
        ("one name for all", &|head| files(head, &|file| file["name"] = "_0.keys".into())),
        ("endless files", &|head| files(head, &|file| file["len"] = u64::MAX.into())),
        ("other checksums", &|head| files(head, &|file| file["crc32"] = 1.into())),
        ("no files", &|head| head["files"] = serde_json::json!([])),
        ("another generation", &|head| head["generation"] = 99.into()),
        ("no generation", &|head| head["generation"] = serde_json::Value::Null),
    ];
    for (what, lie) in lies {
        std::fs::write(&object, with_head(&own, lie)).unwrap();
        scene.restore();
        let before: Vec<_> =
            std::fs::read_dir(scene.cache()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        let error = scene.pull().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}");
        let after = std::fs::read_dir(scene.cache()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(after.collect::<Vec<_>>().iter().all(|name| before.contains(name)), "{what}");
        assert_eq!(Index::open(scene.cache()).unwrap().searcher().unwrap().len(), 20, "{what}");
    }
    assert!(!scene.folder.path().join("escaped").exists());
    // One of somebody else's, of the greatest number there could be.
    std::fs::write(&object, own).unwrap();
    std::fs::write(object.with_file_name("18446744073709551615.commit"), "not lucerne's").unwrap();
    assert_eq!(scene.pull().unwrap().number, 2);
    let error =
        pull(&scene.remote, scene.folder.path(), &PullOptions::new(), &Cancel::new(), &()).unwrap_err();
    assert!(matches!(error, Error::Lucerne(lucerne::Error::NotABackup { .. })), "{error}");
}

#[test]
fn a_file_of_the_index_that_is_damaged_is_named_and_never_pushed() {
    let scene = Scene::new();
    write(&scene.index, 0..3, 3);
    let live = scene.folder.path().join("live");
    let files = || std::fs::read_dir(&live).unwrap().map(|entry| entry.unwrap().path());
    let newest =
        files().filter(|path| path.extension().is_some_and(|extension| extension == "stored")).max().unwrap();
    let mut bytes = std::fs::read(&newest).unwrap();
    bytes[70] ^= 1;
    std::fs::write(&newest, bytes).unwrap();
    let error = push_now(&Index::open(&live).unwrap(), &scene.remote).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.to_string().contains(newest.file_name().unwrap().to_str().unwrap()), "{error}");
    assert_eq!(scene.pull().unwrap().number, 2);
}

#[test]
fn an_interrupted_push_or_pull_goes_on_where_it_was() {
    let scene = Scene::new();
    let objects = scene.new_objects();
    let object = objects.iter().find(|path| path.to_str().unwrap().contains(".keys.")).unwrap();
    let away = scene.folder.path().join("away");
    std::fs::rename(object, &away).unwrap();
    scene.refused(object, ErrorKind::NotFound);
    std::fs::rename(&away, object).unwrap();
    let pulled = scene.pull().unwrap();
    assert!(pulled.downloaded_files < objects.len() - 1, "{pulled:?} of {}", objects.len());

    // Nothing can be created among the commits: the files arrive, and the commit does not.
    write(&scene.index, 0..30, 3);
    let commits = scene.server.folder("notes/commits");
    let hidden = scene.server.folder("notes/hidden");
    std::fs::rename(&commits, &hidden).unwrap();
    std::fs::write(&commits, "").unwrap();
    assert!(push_now(&scene.index, &scene.remote).is_err());
    std::fs::remove_file(&commits).unwrap();
    std::fs::rename(&hidden, &commits).unwrap();
    assert_eq!(scene.pull().unwrap().number, 2);
    let pushed = push_now(&scene.index, &scene.remote).unwrap();
    assert_eq!((pushed.number, pushed.uploaded_files), (3, 0));
}

#[test]
fn wrong_credentials_prefixes_and_urls_are_told_at_once() {
    let scene = Scene::new();
    let begun = Instant::now();
    let error =
        push_now(&scene.index, &scene.server.client("notes", "wrong", Duration::from_secs(5))).unwrap_err();
    assert!(error.to_string().contains("check the credentials"), "{error}");
    assert!(matches!(error, Error::Store { attempts: 1, .. }), "{error}");
    let nothing =
        pull(&scene.server.remote("nothing"), scene.cache(), &PullOptions::new(), &Cancel::new(), &());
    assert!(matches!(nothing.unwrap_err(), Error::NoCommit { .. }));
    let never = pull(&scene.remote, scene.cache(), &PullOptions::new().generation(99), &Cancel::new(), &());
    assert!(matches!(never.unwrap_err(), Error::NoSuchCommit { .. }));
    for url in ["", "bucket/prefix", "ftp://host/x", "s3:///x"] {
        let error = Remote::from_url(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{url}: {error}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_store_that_stays_away_is_an_error_after_so_many_attempts() {
    let mut scene = Scene::new();
    scene.remote = scene.server.impatient_remote("notes");
    let error = scene.server.with_faults(1_000, || scene.pull()).unwrap_err();
    assert!(error.to_string().contains("(5 attempts)"), "{error}");
    assert!(matches!(error.kind(), ErrorKind::Io), "{error}");
    scene.remote = scene.server.remote("notes");
    scene.pull().unwrap();
}

#[test]
fn a_cancelled_call_ends_soon_and_changes_nothing() {
    let scene = Scene::new();
    let cancel = Cancel::new();
    let slow = scene.server.impatient_remote("notes").retries(lucerne_object_store::Retries {
        pause: Duration::from_secs(60),
        longest_pause: Duration::from_secs(60),
        ..Default::default()
    });
    let begun = Instant::now();
    let error = scene.server.with_faults(1_000, || {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(100));
                cancel.cancel();
            });
            pull(&slow, scene.cache(), &PullOptions::new(), &cancel, &()).unwrap_err()
        })
    });
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    let late = Cancel::new().until(Instant::now());
    let error = pull(&slow, scene.cache(), &PullOptions::new(), &late, &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(Index::open(scene.cache()).unwrap().searcher().unwrap().len(), 20);
}

#[test]
fn a_folder_that_holds_anything_else_is_left_alone() {
    let scene = Scene::new();
    let live = scene.folder.path().join("live");
    let error = pull(&scene.remote, &live, &PullOptions::new(), &Cancel::new(), &()).unwrap_err();
    assert!(error.to_string().contains("was written to"), "{error}");
    let photos = scene.folder.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    std::fs::write(photos.join("a.jpg"), "x").unwrap();
    let error = pull(&scene.remote, &photos, &PullOptions::new(), &Cancel::new(), &()).unwrap_err();
    assert!(error.to_string().contains("other files"), "{error}");
    assert_eq!(std::fs::read_dir(&photos).unwrap().count(), 1);
    let writer = Index::open(scene.cache()).unwrap().writer().unwrap();
    assert_eq!(scene.pull().unwrap_err().kind(), ErrorKind::Locked);
    drop(writer);
    scene.pull().unwrap();
}

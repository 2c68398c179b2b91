//! Segments from elsewhere: built by many processes and published by one, or taken from other indexes; all or
//! nothing.

use crate::common::brute_force;
use crate::common::documents::{document, one_field, small_segments};
use crate::common::files::{contents, replace};
use crate::common::sample;
use lucerne::admin::check;
use lucerne::codec::Directory;
use lucerne::directory::FsDirectory;
use lucerne::merge::MergePolicy;
use lucerne::transfer::{PublishOptions, Published, SegmentBuilder, SegmentHandle};
use lucerne::{
    Cancel, Document, Error, ErrorKind, Index, Knn, Searcher, Similarity, Value, Vector, WriterOptions,
};
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

const CHILD_FOLDER: &str = "LUCERNE_TEST_BUILD_FOLDER";
const CHILD_QUARTER: &str = "LUCERNE_TEST_BUILD_QUARTER";
const QUARTERS: usize = 4;

/// The sample by section: every quarter of it is biased.
fn by_section() -> Vec<Document> {
    let mut documents = sample::sample_documents();
    documents.sort_by_key(|document| (text(document, "section"), text(document, "name")));
    documents
}

fn text(document: &Document, field: &str) -> String {
    match document.get(field) {
        Some(Value::Text(text)) => text.clone(),
        other => panic!("{field} is {other:?}"),
    }
}

fn options() -> WriterOptions {
    WriterOptions::new().threads(1).seed(7).merge_policy(MergePolicy::None)
}

/// The child: builds its quarter and prints the handle.
#[test]
#[ignore = "a helper of four_processes_build_and_one_publishes"]
fn building_child() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER) else { return };
    let quarter: usize = std::env::var(CHILD_QUARTER).unwrap().parse().unwrap();
    let documents = by_section();
    let mut builder = SegmentBuilder::new(sample::sample_schema(), folder, options()).unwrap();
    let size = documents.len().div_ceil(QUARTERS);
    documents.iter().skip(quarter * size).take(size).for_each(|document| builder.add(document).unwrap());
    let handle = builder.finish().unwrap();
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nhandle {}", serde_json::to_string(&handle).unwrap()).unwrap();
}

fn start(folder: &Path, quarter: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "transfer::building_child", "--ignored", "--nocapture"])
        .env(CHILD_FOLDER, folder)
        .env(CHILD_QUARTER, quarter.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn finished(mut child: Child) -> SegmentHandle {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(|line| line.ok());
    let handle = lines.filter_map(|line| Some(line.strip_prefix("handle ")?.to_owned())).last();
    assert!(child.wait().unwrap().success());
    serde_json::from_str(&handle.expect("a handle")).unwrap()
}

fn built_files(folder: &Path) -> Vec<String> {
    let names = FsDirectory::open(folder).unwrap().list().unwrap();
    names.into_iter().filter(|name| name.starts_with("built_")).collect()
}

/// Kills a child as soon as the first file of its segment is there; true when it came in time.
fn kill_half_way(mut child: Child, folder: &Path) -> bool {
    let started = Instant::now();
    while built_files(folder).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(60), "the child writes nothing");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap(); // SIGKILL
    !child.wait().unwrap().success()
}

/// Mean recall@10 with default settings, over all queries of the sample.
fn recall(searcher: &Searcher, rows: &HashMap<String, usize>) -> f64 {
    let (queries, truth) =
        (sample::read_f16_rows("queries.f16.npy"), sample::read_truth("truth.cosine.ibin"));
    let found = queries.iter().zip(&truth).map(|(query, truth)| {
        let hits = searcher.search(Knn::new("embedding", query.clone()).k(10)).unwrap();
        hits.keys().iter().filter(|key| truth[..10].contains(&rows[**key])).count()
    });
    found.sum::<usize>() as f64 / (10 * queries.len()) as f64
}

fn assert_all_once(searcher: &Searcher, documents: &[Document]) {
    assert_eq!(searcher.len(), documents.len() as u64);
    for document in documents {
        let found = searcher.get(&text(document, "name")).unwrap().expect("a document");
        assert_eq!(found.to_json(), document.to_json());
    }
}

fn assert_whole(folder: &Path, docs: u64) {
    let report = check(folder, &Cancel::new(), &()).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
    assert_eq!(report.docs, docs);
}

#[cfg(unix)]
fn names_of(path: &Path) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(&std::fs::metadata(path).unwrap())
}

#[test]
#[cfg(unix)]
fn four_processes_build_and_one_publishes() {
    let documents = sample::sample_documents();
    let rows: HashMap<_, _> = (0..).zip(&documents).map(|(row, found)| (text(found, "name"), row)).collect();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let index = Index::create(folder, sample::sample_schema()).unwrap();

    // One is killed while it writes; nobody would take what it left for a segment.
    assert!(kill_half_way(start(folder, 2), folder), "the child was done before it was killed");
    let left = built_files(folder);
    assert!(!left.is_empty() && !left.iter().any(|name| name.ends_with(".si")), "{left:?}");
    let children: Vec<Child> = (0..QUARTERS).map(|quarter| start(folder, quarter)).collect();
    let handles: Vec<SegmentHandle> = children.into_iter().map(finished).collect();
    assert_eq!(handles.iter().map(|handle| handle.docs).sum::<u32>(), 2_400);
    assert_eq!(index.searcher().unwrap().len(), 0);

    let before = index.searcher().unwrap().generation();
    let published = publish(&index, &handles, &at(before)).unwrap();
    assert_eq!((published.generation, published.docs, published.replaced), (before + 1, 2_400, 0));
    let index = Index::open(folder).unwrap();
    assert_eq!(index.searcher().unwrap().segment_count(), QUARTERS);
    assert_all_once(&index.searcher().unwrap(), &documents);
    assert_whole(folder, 2_400);
    // On one file system the files of the index are those of the builders, under a second name.
    for name in built_files(folder).iter().filter(|name| !left.contains(name) && !name.ends_with(".si")) {
        assert_eq!(names_of(&folder.join(name)), 2, "{name}");
    }

    // What was published, and what was left half way, can go: the index has names of its own.
    let swept = index.sweep_orphans(Duration::ZERO).unwrap();
    assert!(swept > left.len() && built_files(folder).is_empty());
    let biased = recall(&index.searcher().unwrap(), &rows);
    let writer = index.writer_with(options()).unwrap();
    writer.force_merge(1, &Cancel::new()).unwrap();
    writer.close().unwrap();
    let merged = recall(&index.searcher().unwrap(), &rows);
    assert_all_once(&index.searcher().unwrap(), &documents);
    assert_whole(folder, 2_400);

    let alone = tempfile::tempdir().unwrap();
    let single = Index::create(alone.path(), sample::sample_schema()).unwrap();
    let writer = single.writer_with(options()).unwrap();
    documents.iter().for_each(|document| drop(writer.add(document).unwrap()));
    writer.close().unwrap();
    assert_eq!(single.searcher().unwrap().segment_count(), 1);
    let fresh = recall(&single.searcher().unwrap(), &rows);
    let figures = format!("recall@10: four segments {biased}, merged {merged}, one process {fresh}");
    assert!(merged >= fresh - 0.005 && biased >= fresh - 0.005, "{figures}");
}

/// Publishing that expects a generation.
fn at(generation: u64) -> PublishOptions {
    PublishOptions::new().expected_generation(generation)
}

fn publish(index: &Index, handles: &[SegmentHandle], options: &PublishOptions) -> lucerne::Result<Published> {
    index.publish(handles, options, &Cancel::new())
}

const DIMENSION: usize = 8;

fn vector(number: usize) -> Vec<f32> {
    (0..DIMENSION).map(|at| ((number * 31 + at * 17) % 101) as f32).collect()
}

fn schema() -> lucerne::Schema {
    one_field(Vector::f32(DIMENSION).similarity(Similarity::Euclidean).advanced("graph_threshold", 0))
}

fn build(folder: &Path, schema: lucerne::Schema, numbers: std::ops::Range<usize>) -> SegmentHandle {
    let mut builder = SegmentBuilder::new(schema, folder, options()).unwrap();
    numbers.for_each(|number| builder.add(&document(format!("d{number}"), vector(number))).unwrap());
    builder.finish().unwrap()
}

fn fill(folder: &Path, numbers: std::ops::Range<usize>, deleted: &[usize]) -> Index {
    let index = Index::create(folder, schema()).unwrap();
    let writer = index.writer_with(small_segments(40)).unwrap();
    numbers.for_each(|number| drop(writer.add(&document(format!("d{number}"), vector(number))).unwrap()));
    writer.commit().unwrap();
    deleted.iter().for_each(|number| assert!(writer.delete(&format!("d{number}")).unwrap()));
    writer.close().unwrap();
    index
}

fn assert_numbers(index: &Index, numbers: impl IntoIterator<Item = usize>) {
    let searcher = index.searcher().unwrap();
    let documents: BTreeMap<String, Vec<f32>> =
        numbers.into_iter().map(|number| (format!("d{number}"), vector(number))).collect();
    assert_eq!(searcher.len(), documents.len() as u64);
    for (key, vector) in &documents {
        assert_eq!(searcher.vector(key, "v").unwrap().as_ref(), Some(vector), "{key}");
    }
    let query = vector(7);
    let hits = searcher.search(Knn::new("v", query.clone()).k(20).exact()).unwrap();
    let documents = documents.iter().map(|(key, vector)| (&**key, &**vector));
    brute_force::assert_exact(&hits, Similarity::Euclidean, &query, documents, 20);
}

/// Runs what must be refused and returns the error: no file and not the generation has changed.
#[track_caller]
fn refused<T: std::fmt::Debug>(
    folder: &Path,
    index: &Index,
    attempt: impl FnOnce(&Index) -> lucerne::Result<T>,
) -> Error {
    let directory = FsDirectory::open(folder).unwrap();
    let before = (contents(&directory), index.searcher().unwrap().generation());
    let error = attempt(index).unwrap_err();
    let after = (contents(&directory), index.searcher().unwrap().generation());
    assert!(before == after, "{error}: something has changed");
    error
}

#[test]
fn publishing_anything_but_what_was_built_is_refused_and_changes_nothing() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let index = fill(folder.path(), 0..50, &[3]);
    let handles = [build(folder.path(), schema(), 100..180), build(elsewhere.path(), schema(), 200..260)];
    let generation = index.searcher().unwrap().generation();
    let expecting = |generation| at(generation).folder(elsewhere.path());
    let publishing = |handles: &[SegmentHandle]| {
        let handles = handles.to_vec();
        move |index: &Index| publish(index, &handles, &expecting(generation))
    };
    // Nobody says where the files are.
    let error = refused(folder.path(), &index, |index| publish(index, &handles, &at(generation)));
    assert_eq!(error.kind(), ErrorKind::NotFound);

    // Another generation.
    for other in [generation - 1, generation + 1] {
        let error = refused(folder.path(), &index, |index| publish(index, &handles, &expecting(other)));
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(matches!(error, Error::GenerationMoved { expected, found }
            if expected == other && found == generation));
    }
    // A changed byte of any file; the good handle beside it is not taken either.
    let built = FsDirectory::open(elsewhere.path()).unwrap();
    for name in built.list().unwrap() {
        let bytes = built.open(&name).unwrap().bytes().to_vec();
        for at in [bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            replace(&built, &name, &changed);
            let error = refused(folder.path(), &index, publishing(&handles));
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{name}, byte {at}: {error}");
            assert!(error.to_string().contains(&name), "{error}");
        }
        replace(&built, &name, &bytes);
    }
    // A file that is missing.
    let name = built.list().unwrap().into_iter().find(|name| !name.ends_with(".si")).unwrap();
    let bytes = built.open(&name).unwrap().bytes().to_vec();
    built.delete(&name).unwrap();
    assert_eq!(refused(folder.path(), &index, publishing(&handles)).kind(), ErrorKind::NotFound);
    std::fs::write(elsewhere.path().join(&name), &bytes).unwrap();
    // Another checksum, length or id in the handle.
    let changes: [fn(&mut SegmentHandle); 3] =
        [|handle| handle.info.crc32 ^= 1, |handle| handle.info.len += 1, |handle| handle.id.0[5] ^= 1];
    for change in changes {
        let mut changed = handles.clone();
        change(&mut changed[1]);
        assert_eq!(refused(folder.path(), &index, publishing(&changed)).kind(), ErrorKind::Corrupt);
    }
    // Another number of documents.
    let mut fewer = handles.clone();
    fewer[1].docs -= 1;
    let error = refused(folder.path(), &index, publishing(&fewer));
    assert!(error.to_string().contains("has 60 documents, its handle says 59"), "{error}");
    // Another schema, whether the handle says so or hides it.
    let other = one_field(Vector::f32(DIMENSION).similarity(Similarity::Cosine));
    let mut stranger = build(elsewhere.path(), other, 300..310);
    let error = refused(folder.path(), &index, publishing(&[handles[0].clone(), stranger.clone()]));
    assert!(matches!(error, Error::Schema { .. }), "{error:?}");
    stranger.schema = handles[0].schema.clone();
    refused(folder.path(), &index, publishing(&[handles[0].clone(), stranger]));
    // A key that is there already, in the index or in another handle.
    for twin in [build(elsewhere.path(), schema(), 40..60), build(elsewhere.path(), schema(), 179..181)] {
        let error = refused(folder.path(), &index, publishing(&[handles[0].clone(), twin]));
        assert!(
            matches!(&error, Error::DuplicateKey { key } | Error::KeyTwice { key } if ["d40", "d179"].contains(&&**key)),
            "{error}"
        );
    }
    // The same segment twice in one call.
    refused(folder.path(), &index, publishing(&[handles[0].clone(), handles[0].clone()]));

    // The good ones are taken, once; what was deleted may come again.
    let again = build(elsewhere.path(), schema(), 3..4);
    let all = [&handles[..], &[again]].concat();
    let next = publish(&index, &all, &expecting(generation)).unwrap().generation;
    assert_eq!(next, generation + 1);
    for current in [generation, next] {
        refused(folder.path(), &index, |index| publish(index, &all, &expecting(current)));
    }
    assert_numbers(&index, (0..50).chain(100..180).chain(200..260));
    assert_whole(folder.path(), 190);
    // Not even after a merge, when the segment's id is gone.
    let writer = index.writer_with(options()).unwrap();
    writer.force_merge(1, &Cancel::new()).unwrap();
    let merged = writer.commit().unwrap();
    drop(writer);
    refused(folder.path(), &index, |index| publish(index, &all, &expecting(merged)));
    assert_numbers(&Index::open(folder.path()).unwrap(), (0..50).chain(100..180).chain(200..260));
    assert_whole(folder.path(), 190);
}

#[test]
fn a_builder_refuses_what_a_writer_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let mut builder = SegmentBuilder::new(schema(), folder.path(), options()).unwrap();
    builder.add(&document("a", vector(1))).unwrap();
    assert!(matches!(builder.add(&document("a", vector(2))), Err(Error::KeyTwice { .. })));
    assert!(matches!(builder.add(&document("b", [1.0])), Err(Error::Document { .. })));
    assert_eq!(builder.len(), 1);
    drop(builder);
    assert!(built_files(folder.path()).is_empty());
    let empty = SegmentBuilder::new(schema(), folder.path(), options()).unwrap();
    assert!(empty.is_empty() && empty.finish().is_err());
    let automatic = lucerne::Schema::builder().vector("v", Vector::f32(2)).build().unwrap();
    let error = SegmentBuilder::new(automatic, folder.path(), options()).unwrap_err();
    assert!(error.to_string().contains("keys are automatic"), "{error}");
}

/// Makes all files of a segment look as if they had been written an hour ago.
fn an_hour_old(folder: &Path, segment: &str) {
    for name in built_files(folder).iter().filter(|name| name.starts_with(segment)) {
        written_at(&folder.join(name), SystemTime::now() - Duration::from_secs(3_600));
    }
}

fn written_at(file: &Path, time: SystemTime) {
    std::fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
}

#[test]
fn sweeping_deletes_old_built_files_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let index = fill(folder, 0..50, &[]);
    let [published, old, new] =
        [100..110, 200..210, 300..310].map(|numbers| build(folder, schema(), numbers));
    std::fs::write(folder.join("notes.txt"), "not ours").unwrap();
    publish(&index, std::slice::from_ref(&published), &PublishOptions::new()).unwrap();
    let half_an_hour = Duration::from_secs(1_800);
    assert_eq!(index.sweep_orphans(half_an_hour).unwrap(), 0);
    an_hour_old(folder, &published.name);
    an_hour_old(folder, &old.name);
    // A segment that is being written: most of its files are old, one is new.
    an_hour_old(folder, &new.name);
    written_at(&folder.join(&new.info.name), SystemTime::now());
    let directory = FsDirectory::open(folder).unwrap();
    let mut expected = contents(&directory);
    expected.retain(|name, _| !name.starts_with(&published.name) && !name.starts_with(&old.name));
    // The writer leaves them alone; a builder may be at work.
    drop(index.writer().unwrap());
    let all = contents(&directory).len();
    assert_eq!(index.sweep_orphans(half_an_hour).unwrap(), all - expected.len());
    assert_eq!(contents(&directory), expected);
    let anywhere = PublishOptions::new();
    let error = refused(folder, &index, |index| publish(index, std::slice::from_ref(&old), &anywhere));
    assert_eq!(error.kind(), ErrorKind::NotFound);
    publish(&index, &[new], &anywhere).unwrap();
    assert_numbers(&Index::open(folder).unwrap(), (0..50).chain(100..110).chain(300..310));
    assert_whole(folder, 70);
}

#[test]
fn indexes_are_joined_without_their_deleted_documents() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [all, first, second] = [0, 1, 2].map(|at: usize| folders[at].path());
    let index = fill(all, 0..100, &[5, 60]);
    fill(first, 100..220, &[101, 150, 219]);
    fill(second, 300..330, &[]);
    let sources = [first, second].map(|folder| contents(&FsDirectory::open(folder).unwrap()));

    // Cancelled, a common key, the index itself, the same one twice, no index: nothing has changed.
    let cancelled = Cancel::new();
    cancelled.cancel();
    let error = refused(all, &index, |index| index.add_indexes(&[first, second], &cancelled));
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let clash = tempfile::tempdir().unwrap();
    fill(clash.path(), 99..110, &[]);
    for paths in [[second, clash.path()], [second, all], [second, second]] {
        let error = refused(all, &index, |index| index.add_indexes(&paths, &Cancel::new()));
        assert!(matches!(error.kind(), ErrorKind::Usage | ErrorKind::AlreadyExists), "{error}");
    }
    refused(all, &index, |index| index.add_indexes(&[second, &all.join("none")], &Cancel::new()));
    let other = tempfile::tempdir().unwrap();
    Index::create(other.path(), one_field(Vector::f32(3))).unwrap();
    let error = refused(all, &index, |index| index.add_indexes(&[second, other.path()], &Cancel::new()));
    assert!(matches!(error, Error::Schema { .. }), "{error:?}");

    let before = index.searcher().unwrap();
    let generation = index.add_indexes(&[first, second], &Cancel::new()).unwrap();
    assert_eq!(generation, before.generation() + 1);
    assert_eq!(before.len(), 98);
    let expected = || {
        let deleted = [5, 60, 101, 150, 219];
        (0..100).chain(100..220).chain(300..330).filter(move |number| !deleted.contains(number))
    };
    let index = Index::open(all).unwrap();
    assert_eq!(index.searcher().unwrap().segment_count(), 3 + 3 + 1);
    assert_numbers(&index, expected());
    assert_whole(all, 245);
    #[cfg(unix)]
    {
        let names = contents(&FsDirectory::open(first).unwrap());
        let linked = names.keys().filter(|name| names_of(&first.join(name)) == 2).count();
        assert!(linked >= 3 * 3, "{linked} of {:?}", names.keys());
    }
    let writer = index.writer_with(options()).unwrap();
    writer.force_merge(1, &Cancel::new()).unwrap();
    writer.close().unwrap();
    assert_numbers(&index, expected());
    assert_whole(all, 245);
    // The others are as they were, also now that the joined index has deleted its links.
    assert_eq!(sources, [first, second].map(|folder| contents(&FsDirectory::open(folder).unwrap())));
    assert_numbers(&Index::open(second).unwrap(), 300..330);
}

#[cfg(unix)]
#[test]
fn an_index_of_symbolic_links_is_copied_not_linked() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [all, source, links] = [0, 1, 2].map(|at: usize| folders[at].path());
    fill(source, 100..150, &[101]);
    for name in FsDirectory::open(source).unwrap().list().unwrap() {
        if name != "write.lock" {
            std::os::unix::fs::symlink(source.join(&name), links.join(&name)).unwrap();
        }
    }
    let index = fill(all, 0..10, &[]);
    index.add_indexes(&[links], &Cancel::new()).unwrap();
    for entry in std::fs::read_dir(all).unwrap() {
        let entry = entry.unwrap();
        assert!(entry.file_type().unwrap().is_file(), "{entry:?}");
        assert_eq!(names_of(&entry.path()), 1, "{entry:?}");
    }
    std::fs::remove_dir_all(source).unwrap();
    assert_numbers(&Index::open(all).unwrap(), (0..10).chain(100..150).filter(|number| *number != 101));
    assert_whole(all, 59);
}

#[test]
fn an_index_is_added_whole_while_another_process_writes_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let other = fill(&folder.path().join("other"), 0..20, &[]);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let writer = other.writer_with(options()).unwrap();
            while !stop.load(Ordering::Relaxed) {
                (0..20).for_each(|number| {
                    drop(writer.upsert(&document(format!("d{number}"), vector(number))).unwrap())
                });
                writer.commit().unwrap();
                writer.force_merge(1, &Cancel::new()).unwrap();
                writer.commit().unwrap();
            }
        });
        for round in 0..15 {
            let index = Index::create(folder.path().join(format!("{round}")), schema()).unwrap();
            // A thread that panics would leave the writer running.
            let added = index.add_indexes(&[&folder.path().join("other")], &Cancel::new());
            if let Err(error) = added {
                stop.store(true, Ordering::Relaxed);
                panic!("round {round}: {error}");
            }
            assert_eq!(index.searcher().unwrap().len(), 20);
        }
        stop.store(true, Ordering::Relaxed);
        writing.join().unwrap();
    });
}

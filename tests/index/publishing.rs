//! Publishing by many: random publishes, upserts, deletes and merges, some of them made apart, compared with a map.
//!
//! `LUCERNE_SEEDS=1000` runs more histories than on every push, `LUCERNE_SEED=n` replays one.

use crate::common::faults::{number_from_environment, on_all_cores};
use crate::common::life::{Content, Made, difference, document, key, options, schema, whole};
use crate::common::rng::Rng;
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::transfer::{PublishOptions, Published, SegmentBuilder, SegmentHandle, merge_segments};
use lucerne::writer::OnExisting;
use lucerne::{Cancel, Document, Error, ErrorKind, Index, Searcher, WriterOptions, admin};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const KEYS: usize = 40;

fn apart() -> WriterOptions {
    options(5).merge_policy(MergePolicy::None)
}

fn build(folder: &Path, made: &[Made]) -> SegmentHandle {
    let mut builder = SegmentBuilder::new(schema(), folder, apart()).unwrap();
    made.iter().for_each(|&made| builder.add(&document(made)).unwrap());
    builder.finish().unwrap()
}

/// Documents of different keys.
fn some(rng: &mut Rng) -> Vec<Made> {
    let first = rng.below(KEYS);
    (0..1 + rng.below(8)).map(|at| ((first + at) % KEYS, rng.next() >> 20)).collect()
}

/// Merges that are planned now and made apart.
fn merges(searcher: &Searcher, folder: &Path, segments: usize) -> Vec<SegmentHandle> {
    let plans = admin::plan_even_merges(searcher, segments).unwrap();
    let merge = |plan: &serde_json::Value| {
        let sources = plan["sources"].as_array().unwrap().iter();
        let names: Vec<&str> = sources.map(|source| source["segment"].as_str().unwrap()).collect();
        merge_segments(searcher, &names, folder, &apart(), &Cancel::new(), &()).unwrap()
    };
    plans.iter().map(merge).collect()
}

/// What publishing these documents does to the content; `None` when it must be refused.
fn expected(content: &Content, parts: &[Vec<Made>], on_existing: OnExisting) -> Option<(Content, Published)> {
    let (mut next, mut counts) = (content.clone(), Published::default());
    let mut given = BTreeMap::new();
    for &made in parts.iter().flatten() {
        if given.insert(made.0, made).is_some() {
            return None;
        }
        match (content.contains_key(&key(made.0)), on_existing) {
            (true, OnExisting::Fail) => return None,
            (true, OnExisting::Skip) => {
                counts.skipped += 1;
                continue;
            }
            (exists, _) => {
                counts.docs += 1;
                counts.replaced += u64::from(exists);
            }
        }
        next.insert(key(made.0), document(made));
    }
    Some((next, counts))
}

struct Story {
    index: Index,
    folder: tempfile::TempDir,
    content: Content,
    /// Merges that nobody has published yet.
    waiting: Vec<SegmentHandle>,
}

impl Story {
    fn options(&self, on_existing: OnExisting) -> PublishOptions {
        PublishOptions::new().folder(self.folder.path()).on_existing(on_existing)
    }

    fn publish(&mut self, rng: &mut Rng, with_merges: bool) {
        let parts: Vec<Vec<Made>> = (0..1 + rng.below(3)).map(|_| some(rng)).collect();
        let on_existing = *rng.pick(&[OnExisting::Fail, OnExisting::Replace, OnExisting::Skip]);
        let mut handles: Vec<_> = parts.iter().map(|part| build(self.folder.path(), part)).collect();
        let merged = if with_merges { std::mem::take(&mut self.waiting) } else { Vec::new() };
        handles.extend(merged.clone());
        let before = self.index.searcher().unwrap().generation();
        let published = self.index.publish(&handles, &self.options(on_existing), &Cancel::new());
        match (published, expected(&self.content, &parts, on_existing)) {
            (Ok(published), Some((content, counts))) => {
                let found = (published.docs, published.replaced, published.skipped);
                assert_eq!(found, (counts.docs, counts.replaced, counts.skipped));
                self.content = content;
            }
            (Err(Error::DuplicateKey { .. } | Error::KeyTwice { .. }), None) => {
                assert_eq!(self.index.searcher().unwrap().generation(), before);
                self.waiting.extend(merged); // They are still there.
            }
            (Err(Error::SourcesGone { .. }), _) if !merged.is_empty() => {
                assert_eq!(self.index.searcher().unwrap().generation(), before);
            }
            (published, expected) => panic!("{published:?}, expected {:?}", expected.map(|it| it.1)),
        }
    }

    /// One after the other: some of the sources may have been merged meanwhile.
    fn publish_merges(&mut self) -> (u64, u64) {
        let (mut taken, mut gone) = (0, 0);
        for handle in std::mem::take(&mut self.waiting) {
            let options = self.options(OnExisting::Fail);
            match self.index.publish(std::slice::from_ref(&handle), &options, &Cancel::new()) {
                Ok(published) => {
                    assert!((1..=handle.sources.len() as u64).contains(&published.merged));
                    taken += 1;
                }
                Err(error @ Error::SourcesGone { .. }) => {
                    assert_eq!(error.kind(), ErrorKind::Conflict);
                    gone += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        (taken, gone)
    }

    fn write(&mut self, rng: &mut Rng) {
        let writer = self.index.writer_with(apart()).unwrap();
        for _ in 0..1 + rng.below(12) {
            let number = rng.below(KEYS);
            if rng.chance(60) {
                let made = (number, rng.next() >> 20);
                writer.upsert(&document(made)).unwrap();
                self.content.insert(key(number), document(made));
            } else {
                let there = self.content.remove(&key(number)).is_some();
                assert_eq!(writer.delete(&key(number)).unwrap(), there);
            }
        }
        if rng.chance(20) {
            writer.force_merge(1 + rng.below(3), &Cancel::new()).unwrap();
        }
        writer.close().unwrap();
    }
}

#[test]
fn the_last_published_version_of_every_key_is_there_once_whatever_is_merged_meanwhile() {
    let seeds = match number_from_environment("LUCERNE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number_from_environment("LUCERNE_SEEDS").unwrap_or(40),
    };
    let whole_run = seeds.end - seeds.start > 1;
    let (taken, gone) = (AtomicU64::new(0), AtomicU64::new(0));
    on_all_cores(seeds, |seed| {
        let rng = &mut Rng::new(seed);
        let directory = RamDirectory::new();
        let index = IndexBuilder::new().create(Arc::new(directory.clone()), schema()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut story = Story { index, folder, content: Content::new(), waiting: Vec::new() };
        for step in 0..12 {
            match rng.below(10) {
                0..3 => story.publish(rng, false),
                3..5 => story.publish(rng, true),
                5..7 => story.write(rng),
                7..9 => {
                    let searcher = story.index.searcher().unwrap();
                    let made = merges(&searcher, story.folder.path(), 1 + rng.below(3));
                    story.waiting.extend(made);
                }
                _ => {
                    let (more, fewer) = story.publish_merges();
                    taken.fetch_add(more, Ordering::Relaxed);
                    gone.fetch_add(fewer, Ordering::Relaxed);
                }
            }
            let searcher = IndexBuilder::new().open(Arc::new(directory.clone())).unwrap().searcher().unwrap();
            difference(&searcher, &story.content)
                .map_err(|trouble| format!("step {step}: {trouble}; LUCERNE_SEED={seed}"))?;
        }
        whole(&(Arc::new(directory) as Arc<_>)).map_err(|trouble| format!("{trouble}; LUCERNE_SEED={seed}"))
    })
    .unwrap();
    let (taken, gone) = (taken.into_inner(), gone.into_inner());
    assert!(!whole_run || taken > 5 && gone > 5, "{taken} merges published, {gone} too late");
}

#[test]
fn a_merge_made_apart_is_the_one_that_a_writer_makes_with_the_deletes_that_came_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::create(folder.path().join("index"), schema()).unwrap();
    let built = folder.path().join("built");
    // Dealt out, so that the segments are about as large: some documents have long texts.
    let parts: Vec<Vec<Made>> =
        (0..4).map(|part| (0..10).map(|at| (at * 4 + part, at as u64)).collect()).collect();
    let handles: Vec<_> = parts.iter().map(|part| build(&built, part)).collect();
    let options = PublishOptions::new().folder(&built);
    index.publish(&handles, &options, &Cancel::new()).unwrap();
    let mut content: Content = parts.iter().flatten().map(|&made| (key(made.0), document(made))).collect();

    let planned = index.searcher().unwrap();
    let merged = merges(&planned, &built, 2);
    assert_eq!(merged.iter().map(|handle| handle.sources.len()).collect::<Vec<_>>(), [2, 2]);
    let writer = index.writer_with(apart()).unwrap();
    for number in [0, 13, 38] {
        writer.delete(&key(number)).unwrap();
        content.remove(&key(number));
    }
    writer.upsert(&document((20, 99))).unwrap();
    content.insert(key(20), document((20, 99)));
    // Not while somebody writes; with a wait, as soon as he is done.
    let refused = index.publish(&merged, &options, &Cancel::new()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    let closing = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        writer.close().unwrap();
    });
    let patient = options.clone().wait(Duration::from_secs(60));
    // One publish: merges, and documents that replace others in what is merged.
    let newer = build(&built, &[(5, 77), (31, 77)]);
    let all = [merged.clone(), vec![newer]].concat();
    let published = index.publish(&all, &patient.on_existing(OnExisting::Replace), &Cancel::new()).unwrap();
    closing.join().unwrap();
    assert_eq!((published.docs, published.replaced, published.merged), (2, 2, 4));
    content.extend([(key(5), document((5, 77))), (key(31), document((31, 77)))]);
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.segment_count(), 4, "two merged, one of the writer, one published");
    difference(&searcher, &content).unwrap_or_else(|trouble| panic!("{trouble}"));
    // What was merged is gone; nobody merges or publishes it again.
    let error = index.publish(&merged[..1], &options, &Cancel::new()).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "it is there: {error}");
    let names: Vec<&str> = ["_0", "_1"].to_vec();
    let late = merge_segments(&planned, &names, &built, &apart(), &Cancel::new(), &()).unwrap();
    let error = index.publish(&[late], &options, &Cancel::new()).unwrap_err();
    assert!(matches!(error, Error::SourcesGone { .. }), "{error}");
    let error = merge_segments(&searcher, &names, &built, &apart(), &Cancel::new(), &()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    let nothing: [&str; 0] = [];
    for wrong in [&nothing[..], &["_0", "_0"]] {
        let error = merge_segments(&planned, wrong, &built, &apart(), &Cancel::new(), &()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
    difference(&index.searcher().unwrap(), &content).unwrap_or_else(|trouble| panic!("{trouble}"));
    let report = admin::check(folder.path().join("index"), &Cancel::new(), &()).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
}

#[test]
fn a_merge_takes_the_place_of_what_is_left_of_its_sources() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::create(folder.path(), schema()).unwrap();
    let options = PublishOptions::new();
    for number in 1..=4 {
        let built = build(folder.path(), &[(number, 1)]);
        index.publish(&[built], &options, &Cancel::new()).unwrap();
    }
    let planned = index.searcher().unwrap();
    let merge = |names: &[&str]| {
        merge_segments(&planned, names, folder.path(), &apart(), &Cancel::new(), &()).unwrap()
    };
    let (three, two) = (merge(&["_0", "_1", "_2"]), merge(&["_2", "_3"]));
    // The first is emptied, and the third is merged by somebody else.
    let writer = index.writer_with(apart()).unwrap();
    writer.delete(&key(1)).unwrap();
    writer.commit().unwrap();
    drop(writer);
    assert_eq!(index.publish(&[two], &options, &Cancel::new()).unwrap().merged, 2);
    assert_eq!(index.publish(&[three], &options, &Cancel::new()).unwrap().merged, 1);
    let content = (2..=4).map(|number| (key(number), document((number, 1)))).collect();
    difference(&index.searcher().unwrap(), &content).unwrap_or_else(|trouble| panic!("{trouble}"));
}

#[test]
fn a_segment_that_says_it_was_merged_and_was_not_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::create(folder.path(), schema()).unwrap();
    let first = build(folder.path(), &[(1, 1), (2, 1), (3, 1)]);
    index.publish(std::slice::from_ref(&first), &PublishOptions::new(), &Cancel::new()).unwrap();
    let writer = index.writer_with(apart()).unwrap();
    writer.tag("whole").unwrap();
    let mut liar = build(folder.path(), &[(1, 1), (3, 1), (2, 1)]);
    liar.sources = vec![first.id];
    drop(writer);
    let publish = |handle: &SegmentHandle| {
        index.publish(std::slice::from_ref(handle), &PublishOptions::new(), &Cancel::new())
    };
    assert!(matches!(publish(&liar), Err(Error::SourcesGone { .. })), "another order of keys");
    liar.sources = vec![first.id, first.id];
    assert!(matches!(publish(&liar), Err(Error::SourcesGone { .. })), "a source twice");
    // A merge without a document that was there again when it was published: an older commit was restored.
    let writer = index.writer_with(apart()).unwrap();
    writer.delete(&key(2)).unwrap();
    writer.commit().unwrap();
    let merged = merges(&index.searcher().unwrap(), folder.path(), 1);
    writer.restore("whole").unwrap();
    drop(writer);
    assert!(matches!(publish(&merged[0]), Err(Error::SourcesGone { .. })), "a document is back");
    assert_eq!(index.searcher().unwrap().len(), 3);
}

#[test]
fn publishers_that_come_at_once_all_succeed_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    Index::create(path, schema()).unwrap();
    std::thread::scope(|scope| {
        for publisher in 0..4 {
            scope.spawn(move || {
                let index = Index::open(path).unwrap();
                for round in 0..5 {
                    let made = (0..3).map(|at| (publisher * 15 + round * 3 + at, 1)).collect::<Vec<_>>();
                    let handle = build(path, &made);
                    let options = PublishOptions::new().wait(Duration::from_secs(60));
                    index.publish(&[handle], &options, &Cancel::new()).unwrap();
                }
            });
        }
    });
    assert_eq!(Index::open(path).unwrap().searcher().unwrap().len(), 60);
}

#[test]
fn handles_are_published_again_after_the_generation_has_moved_and_built_once() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::create(folder.path(), schema()).unwrap();
    let seen = index.searcher().unwrap().generation();
    let handles = [build(folder.path(), &[(1, 1)]), build(folder.path(), &[(2, 1)])];
    let writer = index.writer_with(apart()).unwrap();
    writer.add(&Document::new().with("id", "other")).unwrap();
    writer.close().unwrap();
    let publish = |generation| {
        index.publish(&handles, &PublishOptions::new().expected_generation(generation), &Cancel::new())
    };
    let Err(Error::GenerationMoved { found, .. }) = publish(seen) else { panic!("it has moved") };
    assert_eq!(publish(found).unwrap().docs, 2);
    assert_eq!(index.searcher().unwrap().len(), 3);
}

#[test]
fn split_keys_give_ranges_of_about_the_same_size() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::create(folder.path(), schema()).unwrap();
    assert!(index.searcher().unwrap().split_keys(4).unwrap().is_empty());
    let handles: Vec<_> = (0..3)
        .map(|part| build(folder.path(), &(0..20).map(|at| (at * 3 + part, 1)).collect::<Vec<_>>()))
        .collect();
    index.publish(&handles, &PublishOptions::new(), &Cancel::new()).unwrap();
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.split_keys(4).unwrap(), ["k014", "k029", "k044"]);
    assert_eq!((searcher.split_keys(1).unwrap().len(), searcher.split_keys(1_000).unwrap().len()), (0, 59));
}

//! A panic of a format or an analyzer is an error; nothing waits for ever, and what was buffered is still there.

use lucerne::analysis::{Analyzer, TextAnalysis};
use lucerne::codec::format::{OpenContext, WriteContext, Written};
use lucerne::codec::stored::{StoredFormat, StoredReader};
use lucerne::codec::{Directory, DocId, MergeInput, Result};
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::schema::{Field, Text};
use lucerne::{Cancel, Document, Error, ErrorKind, Match, Schema, WriterOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The built-in format, that panics as often as it is told to.
struct Panics {
    inner: Arc<dyn StoredFormat>,
    left: Arc<AtomicU32>,
}

impl Panics {
    fn strike(&self, after: &str) {
        let less = |left: u32| left.checked_sub(1);
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            panic!("{after} is too much for me");
        }
    }
}

impl StoredFormat for Panics {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn write(
        &self,
        context: &WriteContext<'_>,
        next: &mut dyn FnMut(DocId, &mut Vec<u8>) -> Result<()>,
    ) -> Result<Written> {
        let written = self.inner.write(context, next)?;
        self.strike("a flush");
        Ok(written)
    }

    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn StoredReader>> {
        self.inner.open(context)
    }

    fn merge(
        &self,
        context: &WriteContext<'_>,
        sources: &[MergeInput<'_, dyn StoredReader>],
    ) -> Result<Written> {
        let written = self.inner.merge(context, sources)?;
        self.strike("a merge");
        Ok(written)
    }
}

#[derive(Debug)]
/// Words, with positions that go back; panics at the word `boom`.
struct Backwards;

impl Analyzer for Backwards {
    fn analyze(&self, text: &str, emit: &mut dyn FnMut(&str, u32)) {
        for (position, word) in text.split(' ').enumerate() {
            assert!(word != "boom", "no such word");
            emit(word, 1_000 - position as u32);
        }
    }
}

fn within_a_minute(work: impl FnOnce() + Send + 'static) {
    let (done, when_done) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        work();
        done.send(()).unwrap();
    });
    if when_done.recv_timeout(Duration::from_secs(60)).is_err() {
        assert!(thread.is_finished(), "it waits for ever");
    }
    thread.join().unwrap();
}

fn document(key: impl Into<String>) -> Document {
    Document::new().with("id", key.into()).with("text", "one two one")
}

#[track_caller]
fn assert_panicked<T: std::fmt::Debug>(result: lucerne::Result<T>, message: &str) {
    let error = result.unwrap_err();
    assert!(matches!(&error, Error::Panicked { message: found, .. } if found.contains(message)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Internal);
}

#[test]
fn a_panic_in_a_format_fails_the_call_and_loses_nothing() {
    within_a_minute(|| {
        let left = Arc::new(AtomicU32::new(0));
        let mut registry = IndexBuilder::new().registry().clone();
        let inner = Arc::clone(&registry.stored[0]);
        registry.stored = vec![Arc::new(Panics { inner, left: Arc::clone(&left) })];
        let directory = RamDirectory::new();
        let schema = Schema::builder().key("id").text("text").build().unwrap();
        let index = IndexBuilder::new().formats(registry);
        let index = index.create(Arc::new(directory.clone()), schema).unwrap();
        let options = WriterOptions::new().flush_docs(3).merge_policy(MergePolicy::None);
        let writer = index.writer_with(options).unwrap();
        writer.add(&document("a")).unwrap();
        for call in
            [&|| writer.commit().map(drop), &|| writer.refresh()] as [&dyn Fn() -> lucerne::Result<()>; 2]
        {
            left.store(1, Ordering::SeqCst);
            assert_panicked(call(), "a flush is too much");
        }
        left.store(1, Ordering::SeqCst);
        assert_panicked(writer.force_merge(1, &Cancel::new()), "a flush is too much");
        // In the middle of adding: the document is not taken, the others stay.
        ["b", "c", "d"].iter().for_each(|key| drop(writer.add(&document(*key)).unwrap()));
        left.store(1, Ordering::SeqCst);
        assert_panicked(writer.add(&document("e")), "a flush is too much");
        writer.add(&document("e")).unwrap();
        writer.commit().unwrap();
        writer.add(&document("f")).unwrap();
        writer.refresh().unwrap();
        left.store(1, Ordering::SeqCst);
        assert_panicked(writer.force_merge(1, &Cancel::new()), "a merge is too much");
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.close().unwrap();
        let searcher = index.searcher().unwrap();
        assert_eq!(searcher.len(), 6);
        assert_eq!(searcher.search(Match::new("text", "two")).unwrap().hits.len(), 6);
        let leaked = directory.list().unwrap().into_iter().filter(|name| name.ends_with(".stored")).count();
        assert_eq!(leaked, 1);
    });
}

#[test]
fn a_background_merge_that_panics_leaves_its_sources() {
    within_a_minute(|| {
        let left = Arc::new(AtomicU32::new(0));
        let mut registry = IndexBuilder::new().registry().clone();
        let inner = Arc::clone(&registry.stored[0]);
        registry.stored = vec![Arc::new(Panics { inner, left: Arc::clone(&left) })];
        let schema = Schema::builder().key("id").text("text").build().unwrap();
        let index = IndexBuilder::new().formats(registry);
        let index = index.create(Arc::new(RamDirectory::new()), schema).unwrap();
        for merge_threads in [0, 2] {
            let writer =
                index.writer_with(WriterOptions::new().flush_docs(1).merge_threads(merge_threads)).unwrap();
            for number in 0..60 {
                if number % 13 == 12 {
                    writer.refresh().unwrap();
                    writer.wait_for_merges();
                    left.store(1, Ordering::SeqCst);
                }
                // A flush may be struck as well.
                while writer.upsert(&document(number.to_string())).is_err() {}
            }
            while writer.commit().is_err() {}
            writer.close().unwrap();
            assert_eq!(index.searcher().unwrap().len(), 60);
        }
    });
}

#[test]
fn an_analyzer_that_panics_or_goes_back_harms_nobody() {
    within_a_minute(|| {
        let analysis = TextAnalysis::new().analyzer("backwards");
        let field = Field::text_with("text", Text::new().analysis(analysis));
        let schema = Schema::builder().key("id").field(field).build().unwrap();
        let index = IndexBuilder::new().analyzer("backwards", Arc::new(Backwards));
        let index = index.create(Arc::new(RamDirectory::new()), schema).unwrap();
        let writer = index.writer().unwrap();
        writer.add(&document("a")).unwrap();
        let bad = Document::new().with("id", "b").with("text", "one boom");
        assert_panicked(writer.add(&bad), "no such word");
        assert_panicked(writer.upsert_batch(&[document("c"), bad.clone()]), "no such word");
        assert_panicked(writer.update("a", bad.clone().with("id", "a")), "no such word");
        writer.close().unwrap();
        let searcher = index.searcher().unwrap();
        assert_eq!(searcher.search(Match::new("text", "one")).unwrap().keys(), ["a"]);
    });
}

//! Collecting files nobody needs while other threads write: a file somebody needs stays.

use crate::common::life::{Made, document, key, options, schema};
use lucerne::codec::{Directory, Input, Lock, Output, Result};
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

/// Holds a flush up in its last file until the folder is listed, and the listing until the flush has ended.
#[derive(Debug)]
struct Staged {
    directory: RamDirectory,
    stage: Mutex<Option<Stage>>,
    renamed: AtomicBool,
}

/// What the two threads wait for.
#[derive(Debug)]
struct Stage {
    published: SyncSender<()>,
    in_flush: (SyncSender<()>, Receiver<()>),
    listed: (SyncSender<()>, Receiver<()>),
    flushed: Receiver<()>,
}

impl Staged {
    fn stage(&self) -> std::sync::MutexGuard<'_, Option<Stage>> {
        self.stage.lock().unwrap()
    }
}

impl Directory for Staged {
    fn create(&self, name: &str) -> Result<Box<dyn Output>> {
        let output = self.directory.create(name)?;
        if name.ends_with(".si") {
            // The other files of the segment are there; the commit has been renamed.
            let listed = self.stage().as_mut().map(|stage| {
                stage.in_flush.0.send(()).unwrap();
                std::mem::replace(&mut stage.listed.1, sync_channel(1).1)
            });
            if let Some(listed) = listed {
                listed.recv().unwrap();
            }
        }
        Ok(output)
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.directory.rename(from, to)?;
        self.renamed.store(true, Ordering::SeqCst);
        let in_flush = self.stage().as_mut().map(|stage| {
            stage.published.send(()).unwrap();
            std::mem::replace(&mut stage.in_flush.1, sync_channel(1).1)
        });
        if let Some(in_flush) = in_flush {
            in_flush.recv().unwrap();
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<String>> {
        // A commit lists the folder before it is published, too.
        let stage = if self.renamed.load(Ordering::SeqCst) { self.stage().take() } else { None };
        if let Some(stage) = stage {
            stage.listed.0.send(()).unwrap();
            stage.flushed.recv().unwrap();
        }
        self.directory.list()
    }

    fn open(&self, name: &str) -> Result<Input> {
        self.directory.open(name)
    }

    fn file_len(&self, name: &str) -> Result<u64> {
        self.directory.file_len(name)
    }

    fn delete(&self, name: &str) -> Result<()> {
        self.directory.delete(name)
    }

    fn sync(&self, name: &str) -> Result<()> {
        self.directory.sync(name)
    }

    fn sync_dir(&self) -> Result<()> {
        self.directory.sync_dir()
    }

    fn lock(&self, name: &str, owner: &str) -> Result<Box<dyn Lock>> {
        self.directory.lock(name, owner)
    }
}

#[test]
fn a_flush_that_ends_while_old_files_are_collected_keeps_its_files() {
    let staged =
        Arc::new(Staged { directory: RamDirectory::new(), stage: Mutex::new(None), renamed: false.into() });
    let directory: Arc<dyn Directory> = staged.clone();
    let index = IndexBuilder::new().create(Arc::clone(&directory), schema()).unwrap();
    let writer = index.writer_with(options(2).merge_policy(MergePolicy::None)).unwrap();
    let upsert = &|made: Made| drop(writer.upsert(&document(made)).unwrap());
    upsert((0, 1));
    writer.refresh().unwrap();
    let ((published, when_published), (flushed, when_flushed)) = (sync_channel(1), sync_channel(1));
    let (in_flush, listed) = (sync_channel(1), sync_channel(1));
    staged.renamed.store(false, Ordering::SeqCst);
    *staged.stage() = Some(Stage { published, in_flush, listed, flushed: when_flushed });
    std::thread::scope(|scope| {
        scope.spawn(move || {
            when_published.recv().unwrap();
            (1..4).for_each(|key| upsert((key, 1)));
            flushed.send(()).unwrap();
        });
        writer.commit().unwrap();
    });
    writer.close().unwrap();
    let searcher = IndexBuilder::new().open(directory).unwrap().searcher().unwrap();
    assert_eq!(searcher.len(), 4);
    for number in 0..4 {
        let found = searcher.get(&key(number)).unwrap().unwrap();
        assert_eq!(found.to_json(), document((number, 1)).to_json());
    }
}

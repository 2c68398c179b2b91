//! Repair: what is damaged of an index is made again from what is whole.
//!
//! A document's own bytes are the block of its stored fields and its vectors; everything else follows from these, or is
//! there twice. A damaged segment is written again under another name by the formats' own mergers (`rebuild`), and one
//! commit takes its place (`publish`): a crash leaves the one or the other.

mod commits;
mod damage;
mod deletes;
mod publish;
mod rebuild;
mod report;

pub use report::{
    Deletes, LostDocument, LostInKept, LostPart, RepairOptions, RepairReport, RepairRun, SegmentRepair,
};

use crate::commit::{NewFiles, OwnedDirectory, lock, manifest};
use crate::directory::FsDirectory;
use crate::document::FieldAnalyzers;
use crate::error::Result;
use crate::index::IndexBuilder;
use crate::limits::{DEFAULT_RAM_BUDGET, MIN_RAM_BUDGET};
use crate::memory::Memory;
use crate::reader::Store;
use crate::schema::{FieldType, Schema};
use damage::{Place, Remains};
use deletes::{Live, LiveState, SegmentKey, key_of};
use lucerne_codec::commit::{CommitInfo, CommitSegment};
use lucerne_codec::{Cancel, Directory, Progress};
use rebuild::{Means, Rebuilt};
use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Repairs the index in the folder `path`. Terms, columns, keys, codes, hashes, graphs and lists are made again from
/// stored documents and raw vectors (from codes, where raw vectors are not kept). Lost are documents whose own bytes are
/// damaged, and only these: those of a damaged block of stored documents (about 16 KiB), and those with a vector in
/// 512 damaged bytes. The report names them.
///
/// Every byte is read, as [`check`](super::check) does, and damaged segments are written again. Commits that are kept
/// beside the newest one are repaired, too. Needs room for the new segments beside the old ones, which are deleted when the
/// new commit is durable. When the process ends before that, the index is as it was.
///
/// ```
/// use lucerne::admin::{self, RepairOptions};
/// use lucerne::{Document, Index, Schema};
///
/// let folder = tempfile::tempdir()?;
/// let index = Index::create(folder.path(), Schema::builder().key("id").text("t").build()?)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "a").with("t", "lost and found"))?;
/// writer.close()?;
/// std::fs::remove_file(folder.path().join("_0.post"))?; // The index does not open any more.
///
/// let report = admin::repair(folder.path(), &RepairOptions::new())?;
/// assert!(report.lost.is_empty());
/// assert_eq!(report.segments[0].rebuilt, ["terms"]);
/// let searcher = Index::open(folder.path())?.searcher()?;
/// assert_eq!(searcher.search(lucerne::Match::new("t", "found"))?.keys(), ["a"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Locked`](crate::Error::Locked) while a writer is open; [`Error::NotAnIndex`](crate::Error::NotAnIndex) when
/// there is no commit; an error that names the file when both copies of a commit's or segment info's contents are damaged
/// and no older commit is there: then a backup must be restored. Nothing has changed then.
pub fn repair(path: impl AsRef<Path>, options: &RepairOptions) -> Result<RepairReport> {
    let directory = Arc::new(FsDirectory::open(path.as_ref())?);
    repair_in(IndexBuilder::new(), directory, options, &Cancel::new(), &())
}

/// Like [`repair`], for any directory and formats; it can be cancelled, and its progress watched.
///
/// # Errors
/// As [`repair`].
pub fn repair_in(
    formats: IndexBuilder,
    directory: Arc<dyn Directory>,
    options: &RepairOptions,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<RepairReport> {
    let store =
        Store::new(directory, formats.registry().clone(), formats.analyzers().clone(), Memory::unlimited());
    match options.run {
        RepairRun::DryRun => Repair::new(&store, &*store.directory, options, cancel, progress).run(),
        RepairRun::Repair => {
            let lock = lock::take(&*store.directory, "repairing the index")?;
            let owned = OwnedDirectory::new(Arc::clone(&store.directory), lock);
            // As a writer does: the newest commit may not be durable yet.
            owned.sync_dir()?;
            Repair::new(&store, &owned, options, cancel, progress).run()
        }
    }
}

struct Repair<'a> {
    store: &'a Store,
    directory: &'a dyn Directory,
    options: &'a RepairOptions,
    cancel: &'a Cancel,
    progress: &'a dyn Progress,
    report: RepairReport,
    /// What takes the place of damaged segments.
    rebuilt: HashMap<SegmentKey, Rebuilt>,
}

impl<'a> Repair<'a> {
    fn new(
        store: &'a Store,
        directory: &'a dyn Directory,
        options: &'a RepairOptions,
        cancel: &'a Cancel,
        progress: &'a dyn Progress,
    ) -> Self {
        let (report, rebuilt) = Default::default();
        Self { store, directory, options, cancel, progress, report, rebuilt }
    }

    fn place(&self) -> Place<'a> {
        Place { directory: self.directory, registry: &self.store.registry, cancel: self.cancel }
    }

    fn run(mut self) -> Result<RepairReport> {
        let names = self.directory.list()?;
        let commits::Commits { all, problems, lost_tags, gone } =
            commits::read(self.directory, &self.store.registry, &names)?;
        (self.report.commits, self.report.lost_tags) = (problems, lost_tags);
        let Some(newest) = all.first().map(|commit| &commit.info) else { return Ok(self.report) };
        self.report.from = newest.generation;
        if let Some(problem) = manifest::exhausted(newest) {
            let file = manifest::commit_file(newest.generation);
            return Err(lucerne_codec::Error::corrupt(file, 0, problem).into());
        }
        let next = manifest::next_numbers(newest, &self.directory.taken_names()?);
        let files = NewFiles::new(self.directory);
        let means = Means {
            directory: &files,
            registry: &self.store.registry,
            pins: &self.store.pins,
            threads: self.options.threads.unwrap_or(1).max(1),
            ram_budget: self.options.ram_budget.unwrap_or(DEFAULT_RAM_BUDGET).max(MIN_RAM_BUDGET),
            next_segment: Cell::new(next.segment),
            cancel: self.cancel,
            progress: self.progress,
        };
        // The segments of the newest commit first, then others that older ones have.
        let mut seen: HashMap<SegmentKey, u32> = HashMap::new();
        let mut lives: HashMap<(u64, SegmentKey), Live> = HashMap::new();
        let total = all.iter().map(|commit| commit.info.segments.len() as u64).sum();
        let mut done = 0;
        for commit in &all {
            let schema = Schema::from_value(&commit.info.schema)?;
            let analyzers = FieldAnalyzers::of(&schema, &self.store.analyzers)?;
            for segment in &commit.info.segments {
                self.progress.report("segments", done, total);
                done += 1;
                let key = key_of(segment);
                if let Some(&max_doc) = seen.get(&key) {
                    let live = deletes::read(&self.place(), max_doc, segment)?;
                    self.report_live(segment, max_doc, &live);
                    lives.insert((commit.info.generation, key), live);
                    continue;
                }
                let left = damage::examine(&self.place(), &schema, segment)?;
                seen.insert(key.clone(), left.info.max_doc);
                let live = deletes::read(&self.place(), left.info.max_doc, segment)?;
                if !left.is_whole() {
                    self.report_segment(&schema, segment, &left);
                    self.report_lost_of_all(&all, newest, &key, &left)?;
                    if self.options.run == RepairRun::Repair {
                        self.rebuild(&means, (&schema, &analyzers), segment, &left)?;
                    }
                }
                self.report_live(segment, left.info.max_doc, &live);
                lives.insert((commit.info.generation, key), live);
            }
        }
        self.progress.report("segments", total, total);
        if self.report.is_whole() || self.options.run == RepairRun::DryRun {
            return Ok(self.report);
        }
        let publishing = publish::Publishing {
            store: self.store,
            directory: self.directory,
            rebuilt: &self.rebuilt,
            lives: &lives,
            gone: &gone,
            next_segment: means.next_segment.get(),
            generation: next.generation,
        };
        self.report.generation = Some(publishing.publish(all, files)?);
        tracing::info!(from = self.report.from, generation = next.generation, "repaired");
        Ok(self.report)
    }

    /// Makes a damaged segment again.
    fn rebuild(
        &mut self,
        means: &Means<'_>,
        (schema, analyzers): (&Schema, &FieldAnalyzers),
        segment: &CommitSegment,
        left: &Remains,
    ) -> Result<()> {
        if let Some(folder) = &self.options.damaged_to {
            publish::copy_aside(self.directory, folder, &left.info, segment, self.cancel)?;
        }
        let rebuilt = rebuild::rebuild(means, schema, analyzers, left)?;
        if let Some(last) = self.report.segments.last_mut() {
            last.not_indexed = rebuilt.not_indexed;
        }
        self.rebuilt.insert(key_of(segment), rebuilt);
        Ok(())
    }

    /// Notes which documents of a damaged segment each commit that has it loses.
    fn report_lost_of_all(
        &mut self,
        all: &[commits::Commit],
        newest: &CommitInfo,
        key: &SegmentKey,
        left: &Remains,
    ) -> Result<()> {
        for holder in all {
            for own in holder.info.segments.iter().filter(|own| key_of(own) == *key) {
                let live = deletes::read(&self.place(), left.info.max_doc, own)?;
                self.report_lost(&holder.info, newest, own, left, &live);
            }
        }
        Ok(())
    }

    /// Notes which documents of a damaged segment a commit loses: those that are live in it. An old commit's documents are
    /// not the newest one's: there they may be replaced or deleted.
    fn report_lost(
        &mut self,
        commit: &CommitInfo,
        newest: &CommitInfo,
        segment: &CommitSegment,
        left: &Remains,
        live: &Live,
    ) {
        let is_newest = commit.generation == newest.generation;
        let lost = left.lost.iter().filter(|(doc, _)| live.is_live(**doc)).map(|(&doc, part)| {
            let of_vector = matches!(part, LostPart::Vector { .. });
            let stored = self.options.keep_lost && is_newest && of_vector;
            LostDocument {
                segment: segment.name.clone(),
                doc,
                key: left.key(doc),
                part: part.clone(),
                perhaps_deleted: matches!(live.state, LiveState::Forgotten(..)),
                stored: if stored { left.stored(doc) } else { None },
            }
        });
        let lost: Vec<LostDocument> = lost.collect();
        if is_newest {
            if let Some(last) = self.report.segments.last_mut() {
                last.lost = lost.len() as u32;
            }
            self.report.lost.extend(lost);
            return;
        }
        if lost.is_empty() {
            return;
        }
        let kept = &mut self.report.lost_in_kept;
        match kept.iter_mut().find(|kept| kept.generation == commit.generation) {
            Some(kept) => kept.lost.extend(lost),
            None => {
                let tags = newest.tags.iter().filter(|(_, tagged)| **tagged == commit.generation);
                let tags = tags.map(|(tag, _)| tag.clone()).collect();
                kept.push(LostInKept { generation: commit.generation, tags, lost });
                kept.sort_by_key(|kept| std::cmp::Reverse(kept.generation));
            }
        }
    }

    /// Notes what is damaged of a segment.
    fn report_segment(&mut self, schema: &Schema, segment: &CommitSegment, left: &Remains) {
        let of_terms = |kind: &FieldType| matches!(kind, FieldType::Text(_) | FieldType::Keyword(_));
        let emptied = schema.fields().iter().filter(|field| {
            let only_searched = field.is_indexed() && !field.is_stored() && field.field_path().is_none();
            let kind = field.field_type();
            let terms = left.postings.is_damaged() && of_terms(kind);
            let is_sparse = matches!(kind, FieldType::SparseVector);
            let values = left.columns.is_damaged() && !is_sparse && !matches!(kind, FieldType::Text(_));
            let sparse = left.sparse.is_damaged() && is_sparse;
            only_searched && field.as_vector().is_none() && (terms || values || sparse)
        });
        self.report.segments.push(SegmentRepair {
            segment: segment.name.clone(),
            problems: left.problems.clone(),
            rebuilt: left.rebuilt.clone(),
            docs: left.survivors().count() as u32,
            lost: 0,
            emptied_fields: emptied.map(|field| field.name().to_owned()).collect(),
            not_indexed: 0,
            deletes: Deletes::Known,
            unverified: left.unverified.clone(),
        });
    }

    /// Notes what is damaged of a segment's live docs.
    fn report_live(&mut self, segment: &CommitSegment, max_doc: u32, live: &Live) {
        let Some(problem) = live.problem() else { return };
        let known = self.report.segments.iter().position(|known| known.segment == segment.name);
        let place = known.unwrap_or_else(|| {
            self.report.segments.push(SegmentRepair::of(&segment.name, max_doc));
            self.report.segments.len() - 1
        });
        let Some(repair) = self.report.segments.get_mut(place) else { return };
        if !repair.problems.contains(problem) {
            repair.problems.push(problem.clone());
        }
        if !repair.rebuilt.iter().any(|part| part == "live docs") {
            repair.rebuilt.push("live docs".to_owned());
        }
        if let LiveState::Forgotten(_, deleted) = live.state {
            repair.deletes = Deletes::Forgotten { deleted };
        }
    }
}

//! `import`: documents from JSON lines, vectors from files of their own.
//!
//! Each thread takes the next line from the source, which is behind a lock, and adds it to the writer; no
//! line waits in a queue, so memory is that of the writer and of one line per thread. Lines of one key are written in
//! their order (`turns`).

mod array;
mod layout;
mod lines;
mod parquet;
mod readers;
mod source;
mod turns;
mod work;

use crate::args::{BitOrder, Import};
use crate::commands::memory::{self, Sampler};
use crate::commands::shape;
use crate::failure::{Code, Failure, In as _, Outcome};
use crate::render::{out, progress::Merges, units};
use crate::signals;
use crate::vectors::VectorFile;
use lucerne::merge::MergePolicy;
use lucerne::{Schema, WriterOptions, admin};
use serde::Serialize;
use source::Source;
use std::time::Instant;
use work::{Job, Plan};

pub(super) fn run(args: &Import, json: bool) -> Outcome {
    if parquet::is_parquet(&args.docs) {
        return parquet::run(args, json);
    }
    let index = super::open_below(&args.dir, args.memory).in_index(&args.dir)?;
    let options = options(args);
    let (threads, background_merges) = (options.threads, options.merge_threads > 0);
    let merges = Merges::default();
    let writer = index.writer_with(options.on_merge(merges.listener())).in_index(&args.dir)?;
    let vectors = vectors(args, &writer.schema())?;
    let stop = signals::stop_flag();
    let started = Instant::now();
    let sampler = Sampler::start();
    let source = Source::open(args, vectors, &stop)?;
    let plan = Plan {
        dir: &args.dir,
        upsert: args.upsert,
        skip_bad: args.skip_bad,
        commit_every: args.commit_every,
        threads,
        background_merges,
    };
    let job = Job::new(plan, &writer, source, stop);
    let taken = job.run();
    let generation = match taken {
        Ok(()) => job.commit(&merges),
        Err(failure) => Err(failure),
    };
    job.finish();
    let generation = generation?;
    let seconds = started.elapsed().as_secs_f64();
    drop(sampler);
    job.warn_of_rows_left(args);
    let metadata = index.searcher().and_then(|searcher| admin::inspect(&searcher)).in_index(&args.dir)?;
    let number = |name: &str| metadata.get(name).and_then(serde_json::Value::as_u64).unwrap_or_default();
    let report = Report {
        docs: job.taken(),
        seconds,
        docs_per_s: job.taken() as f64 / seconds.max(1e-9),
        segments: metadata.get("segments").and_then(|list| list.as_array()).map_or(0, Vec::len),
        bytes: number("bytes"),
        generation,
        skipped: job.skipped(),
        interrupted: job.is_interrupted(),
        index_docs: number("docs"),
        peak_rss_mb: memory::peak_rss_mb(),
        peak_anon_mb: memory::peak_anon_mb(),
    };
    if json {
        out::json(&report)?;
    } else {
        report.print()?;
    }
    if report.interrupted {
        return Err(Failure::new(
            Code::Interrupted,
            format!("interrupted; {} taken before it are committed", units::count(report.docs, "document")),
        ));
    }
    Ok(())
}

fn options(args: &Import) -> WriterOptions {
    let mut options = WriterOptions::new();
    if let Some(mib) = args.ram_mb {
        options = options.ram_budget((mib as usize).saturating_mul(1 << 20));
    }
    if let Some(docs) = args.flush_docs {
        options = options.flush_docs(docs);
    }
    if let Some(threads) = args.threads {
        // With one thread merges run on it too, at points that only the documents determine.
        options = options.threads(threads).merge_threads(threads / 2);
    }
    if args.no_merge {
        options = options.merge_policy(MergePolicy::None);
    }
    if let Some(seed) = args.seed {
        options = options.seed(seed);
    }
    options
}

/// Opens the vector files; a field that is not there, or has another dimension, is found before anything is
/// written.
fn vectors(args: &Import, schema: &Schema) -> Outcome<Vec<(String, VectorFile)>> {
    let mut opened: Vec<(String, VectorFile)> = Vec::new();
    for (field, path) in &args.vectors {
        if opened.iter().any(|(name, _)| name == field) {
            return Err(Failure::usage(format!("--vectors names field {field:?} twice")));
        }
        let shape = shape(schema, field)?;
        let mut file = VectorFile::open(path, Some(shape))?;
        file.expect(field, shape)?;
        if args.bit_order == BitOrder::Msb && shape.binary {
            file.most_significant_first(shape.dimension);
        }
        opened.push((field.clone(), file));
    }
    Ok(opened)
}

/// What an import did. Sizes called `mb` are in MiB.
#[derive(Debug, Serialize)]
struct Report {
    docs: u64,
    seconds: f64,
    docs_per_s: f64,
    segments: usize,
    bytes: u64,
    generation: u64,
    skipped: u64,
    interrupted: bool,
    index_docs: u64,
    peak_rss_mb: Option<f64>,
    peak_anon_mb: Option<f64>,
}

impl Report {
    fn print(&self) -> Outcome {
        out::line(&format!(
            "Imported {} in {} ({} per second).",
            units::count(self.docs, "document"),
            units::seconds(self.seconds),
            units::grouped(self.docs_per_s as u64)
        ))?;
        if self.skipped > 0 {
            out::line(&format!("Skipped {}.", units::count(self.skipped, "bad line")))?;
        }
        out::line(&format!(
            "The index has {} in {}, {} (generation {}).",
            units::count(self.index_docs, "document"),
            units::count(self.segments as u64, "segment"),
            units::bytes(self.bytes),
            self.generation
        ))?;
        match (self.peak_rss_mb, self.peak_anon_mb) {
            (Some(rss), Some(anon)) => {
                out::line(&format!("Peak memory {rss:.0} MiB; {anon:.0} MiB without the pages of files."))
            }
            _ => Ok(()),
        }
    }
}

//! Distributed build: four processes build a segment each, one of them is killed half way and run again, and one process
//! publishes all segments in one commit.
//!
//! `cargo run --release --example distributed_build [DOCS.jsonl VECTORS.npy QUERIES.npy [ORDER.u32]]`, from any
//! folder. A document's key is its `name`. ORDER holds row numbers, so that each part can have similar documents.
//! Without arguments the example builds the sample of this repository.
#![allow(clippy::print_stdout, missing_docs, reason = "an example talks to a person")]

#[path = "common/npy.rs"]
mod npy;

use lucerne::merge::MergePolicy;
use lucerne::transfer::{PublishOptions, Published, SegmentBuilder, SegmentHandle};
use lucerne::{
    Cancel, Document, Index, Knn, Schema, Searcher, Similarity, Value, Vector, WriterOptions, admin,
};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const PARTS: usize = 4;

/// The files to index: the arguments, or the sample.
struct Data(Vec<PathBuf>);

fn main() -> Result<()> {
    let mut arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let own = (arguments.first().is_some_and(|first| first.as_os_str() == "--part"))
        .then(|| arguments.drain(..3).collect::<Vec<_>>());
    if arguments.is_empty() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join("data");
        let files = ["packages.jsonl", "packages.f16.npy", "queries.f16.npy"];
        arguments.extend(files.map(|file| sample.join(file)));
    }
    if !(3..=4).contains(&arguments.len()) {
        return Err("expected DOCS.jsonl VECTORS.npy QUERIES.npy [ORDER.u32], or nothing".into());
    }
    let data = Data(arguments);
    match own.as_deref() {
        Some([_, folder, part]) => data.build(folder, part.to_string_lossy().parse()?),
        _ => coordinate(&data),
    }
}

impl Data {
    /// The documents, in order of arrival.
    fn documents(&self) -> Result<Vec<Document>> {
        let lines = BufReader::new(fs::File::open(&self.0[0])?).lines();
        let documents = lines.zip(npy::read_rows(&self.0[1])?).map(|(line, vector)| {
            let found = Document::from_json(&line?)?;
            let name = found.get("name").ok_or("a document without a name")?.clone();
            Ok(Document::new().with("name", name).with("embedding", vector))
        });
        let documents = documents.collect::<Result<Vec<_>>>()?;
        let Some(order) = self.0.get(3) else { return Ok(documents) };
        let bytes = fs::read(order)?;
        let rows = bytes.as_chunks().0.iter().map(|row| u32::from_le_bytes(*row) as usize);
        let row = |row| documents.get(row).cloned().ok_or_else(|| format!("there is no row {row}").into());
        rows.map(row).collect()
    }

    fn schema(&self) -> Result<Schema> {
        let vectors = npy::read_rows(&self.0[2])?;
        let dimension = vectors.first().map_or(1, Vec::len);
        let embedding = Vector::f32(dimension).similarity(Similarity::Cosine);
        Ok(Schema::builder().key("name").vector("embedding", embedding).build()?)
    }

    /// Runs in the process of a part: builds its segment and prints its handle on standard output.
    fn build(&self, folder: &Path, part: usize) -> Result<()> {
        let documents = self.documents()?;
        let size = documents.len().div_ceil(PARTS);
        let mut builder = SegmentBuilder::new(self.schema()?, folder, options())?;
        for document in documents.iter().skip(part * size).take(size) {
            builder.add(document)?;
        }
        println!("{}", serde_json::to_string(&builder.finish()?)?);
        Ok(())
    }

    fn start(&self, folder: &Path, part: usize) -> Result<Child> {
        let mut command = Command::new(env::current_exe()?);
        command.arg("--part").arg(folder).arg(part.to_string()).args(&self.0);
        Ok(command.stdout(Stdio::piped()).spawn()?)
    }
}

fn options() -> WriterOptions {
    WriterOptions::new().threads(1).seed(1).ram_budget(1 << 30).merge_policy(MergePolicy::None)
}

/// Runs in the process that starts the others.
fn coordinate(data: &Data) -> Result<()> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    let (folder, alone) = (fresh(&target, "distributed.idx")?, fresh(&target, "distributed-single.idx")?);
    let index = Index::create(&folder, data.schema()?)?;
    let documents = data.documents()?;
    println!("{} documents, {PARTS} processes", documents.len());

    let mut child = data.start(&folder, 2)?;
    while built(&folder)?.is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    child.kill()?;
    let (status, left) = (child.wait()?, built(&folder)?);
    println!("part 2 killed while it wrote ({status}); left {} files and no segment info", left.len());
    require(!status.success() && !left.iter().any(|name| name.ends_with(".si")), "it was done already")?;

    let started = Instant::now();
    let children = (0..PARTS).map(|part| data.start(&folder, part)).collect::<Result<Vec<_>>>()?;
    let handles = children.into_iter().map(handle).collect::<Result<Vec<_>>>()?;
    let docs: Vec<u32> = handles.iter().map(|handle| handle.docs).collect();
    println!("built {docs:?} documents in {:.1?}", started.elapsed());

    let expected = index.searcher()?.generation();
    let publish = |index: &Index, generation| {
        index.publish(&handles, &PublishOptions::new().expected_generation(generation), &Cancel::new())
    };
    refused(&folder, &index, "another generation", |index| publish(index, expected + 1))?;
    let victim = folder.join(&handles[1].name).with_extension("stored");
    let whole = fs::read(&victim)?;
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    fs::write(&victim, &changed)?;
    refused(&folder, &index, "a changed byte", |index| publish(index, expected))?;
    fs::write(&victim, &whole)?;
    let generation = publish(&index, expected)?.generation;
    refused(&folder, &index, "the generation of before", |index| publish(index, expected))?;
    refused(&folder, &index, "the same handles again", |index| publish(index, generation))?;
    let swept = index.sweep_orphans(Duration::ZERO)?;
    println!("published as generation {generation}; {swept} files of builders swept");
    all_once(&folder, &documents)?;

    let queries = npy::read_rows(&data.0[2])?;
    let before = recall(&index.searcher()?, &queries)?;
    let started = Instant::now();
    let writer = index.writer_with(options())?;
    writer.force_merge(1, &Cancel::new())?;
    writer.close()?;
    println!("merged into one segment in {:.1?}", started.elapsed());
    all_once(&folder, &documents)?;
    let merged = recall(&index.searcher()?, &queries)?;

    let started = Instant::now();
    let single = Index::create(&alone, data.schema()?)?;
    let writer = single.writer_with(options())?;
    documents.iter().try_for_each(|document| writer.add(document).map(drop))?;
    writer.close()?;
    println!("built by one process in {:.1?}", started.elapsed());
    let (segments, fresh) = (single.searcher()?.segment_count(), recall(&single.searcher()?, &queries)?);
    println!(
        "recall@10: {PARTS} parts {before:.4}, merged {merged:.4}, one process {fresh:.4} ({segments} segment)"
    );
    require(merged >= fresh - 0.005, "the merged index finds less than the one built by one process")?;
    fs::remove_dir_all(&folder)?;
    Ok(fs::remove_dir_all(&alone)?)
}

fn fresh(target: &Path, name: &str) -> Result<PathBuf> {
    let folder = target.join(name);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(folder),
    }
}

/// Files of builders in the folder.
fn built(folder: &Path) -> Result<Vec<String>> {
    Ok(files(folder)?.into_keys().filter(|name| name.starts_with("built_")).collect())
}

/// The checksum of every file.
fn files(folder: &Path) -> Result<BTreeMap<String, u32>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A builder renames its files when it is done.
        let Ok(bytes) = fs::read(entry.path()) else { continue };
        files.insert(entry.file_name().to_string_lossy().into_owned(), crc32fast::hash(&bytes));
    }
    files.remove("write.lock");
    Ok(files)
}

fn handle(child: Child) -> Result<SegmentHandle> {
    let output = child.wait_with_output()?;
    require(output.status.success(), "a part has failed")?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn refused(
    folder: &Path,
    index: &Index,
    what: &str,
    publish: impl FnOnce(&Index) -> lucerne::Result<Published>,
) -> Result<()> {
    let before = (files(folder)?, index.searcher()?.generation());
    let error = publish(index).err().ok_or_else(|| format!("{what}: was published"))?;
    require((files(folder)?, index.searcher()?.generation()) == before, what)?;
    println!("{what}: refused, nothing changed ({error})");
    Ok(())
}

/// Every document is there, once, and every byte is what was written.
fn all_once(folder: &Path, documents: &[Document]) -> Result<()> {
    let searcher = Index::open(folder)?.searcher()?;
    require(searcher.len() == documents.len() as u64, "another number of documents")?;
    for document in documents {
        let Some(Value::Text(name)) = document.get("name") else {
            return Err("a name that is no text".into());
        };
        let found = searcher.get(name)?.ok_or_else(|| format!("{name} is missing"))?;
        require(found.to_json() == document.to_json(), name)?;
    }
    let report = admin::check(folder, &Cancel::new(), &())?;
    require(report.ok(), &format!("{:?}", report.problems))?;
    println!("all {} documents are there once, the check finds nothing", searcher.len());
    Ok(())
}

/// Mean recall@10 with default settings against exact search.
fn recall(searcher: &Searcher, queries: &[Vec<f32>]) -> Result<f64> {
    let mut right = 0;
    for query in queries {
        let truth = searcher.search(Knn::new("embedding", &**query).exact())?;
        let found = searcher.search(Knn::new("embedding", &**query))?;
        right += found.keys().iter().filter(|key| truth.keys().contains(key)).count();
    }
    Ok(right as f64 / (10 * queries.len()) as f64)
}

fn require(held: bool, otherwise: &str) -> Result<()> {
    if held { Ok(()) } else { Err(otherwise.into()) }
}

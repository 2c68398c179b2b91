//! What the benches share: arguments, data that is the same everywhere, clocks, memory.
#![allow(dead_code, reason = "no bench uses everything")]

#[path = "../../examples/common/mod.rs"]
mod shared;

pub(crate) use shared::npy;
pub(crate) use shared::table::{Table, thousands};

use lucerne::{Document, Schema, Vector};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

pub(crate) type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// What was said after `cargo bench --bench NAME --`.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// Vectors instead of synthetic ones.
    pub(crate) file: Option<PathBuf>,
    /// Queries instead of the last of the vectors.
    pub(crate) queries: Option<PathBuf>,
    pub(crate) docs: usize,
    pub(crate) dimension: usize,
    /// What a child process is to do; empty in the bench itself.
    pub(crate) child: Vec<String>,
}

/// The arguments, or `None` when this is not `cargo bench` (`cargo test --all-targets` runs benches too).
pub(crate) fn arguments(docs: usize) -> Result<Option<Arguments>> {
    let mut arguments = Arguments { file: None, queries: None, docs, dimension: 384, child: Vec::new() };
    let (mut given, mut bench) = (env::args().skip(1), false);
    while let Some(argument) = given.next() {
        let mut number = || -> Result<usize> {
            let value = given.next().ok_or_else(|| format!("{argument} wants a number"))?;
            Ok(value.parse().map_err(|error| format!("{argument} {value}: {error}"))?)
        };
        match argument.as_str() {
            "--bench" => bench = true,
            "--docs" => arguments.docs = number()?,
            "--dim" => arguments.dimension = number()?,
            "--child" => arguments.child = given.by_ref().collect(),
            file if !file.starts_with('-') && arguments.file.is_none() => arguments.file = Some(file.into()),
            file if !file.starts_with('-') => arguments.queries = Some(file.into()),
            other => {
                let expected = "[--docs N] [--dim N] [FILE.npy [QUERIES.npy]]";
                return Err(format!("{other}: expected {expected}").into());
            }
        }
    }
    Ok((bench || !arguments.child.is_empty()).then_some(arguments))
}

/// Vectors and queries.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) vectors: Vec<Vec<f32>>,
    pub(crate) queries: Vec<Vec<f32>>,
    /// Where they come from, for the heading.
    pub(crate) source: String,
}

impl Data {
    /// The file's rows, of which the last `queries` are queries unless those have a file of their own; or synthetic
    /// ones.
    pub(crate) fn new(arguments: &Arguments, queries: usize) -> Result<Self> {
        let Some(file) = &arguments.file else {
            let Arguments { docs, dimension, .. } = *arguments;
            let mut clusters = Clusters::new(dimension);
            let mut take = |count: usize| (0..count).map(|_| clusters.next()).collect();
            let source = format!("{} synthetic vectors of {dimension} components", thousands(docs as u64));
            return Ok(Self { vectors: take(docs), queries: take(queries), source });
        };
        let mut vectors = npy::read_rows(file)?;
        if vectors.len() <= queries {
            return Err(format!("{}: more than {queries} rows are needed", file.display()).into());
        }
        let queries = match &arguments.queries {
            Some(file) => npy::read_rows(file)?.into_iter().take(queries).collect(),
            None => vectors.split_off(vectors.len() - queries),
        };
        vectors.truncate(arguments.docs);
        let dimension = vectors.first().map_or(0, Vec::len);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let source = format!("{} vectors of {dimension} components, {name}", thousands(vectors.len() as u64));
        Ok(Self { vectors, queries, source })
    }

    pub(crate) fn dimension(&self) -> usize {
        self.vectors.first().map_or(0, Vec::len)
    }
}

/// Unit vectors in clusters, of low intrinsic dimension as embeddings are: the same on every machine.
#[derive(Debug)]
pub(crate) struct Clusters {
    dimension: usize,
    centers: Vec<Vec<f32>>,
    basis: Vec<Vec<f32>>,
    state: u64,
}

const CLUSTERS: usize = 200;
const INTRINSIC: usize = 24;

impl Clusters {
    pub(crate) fn new(dimension: usize) -> Self {
        let mut this = Self { dimension, centers: Vec::new(), basis: Vec::new(), state: 20_260_101 };
        this.centers = (0..CLUSTERS).map(|_| this.normals(INTRINSIC)).collect();
        this.basis = (0..INTRINSIC).map(|_| this.normals(dimension)).collect();
        this
    }

    /// SplitMix64.
    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Near enough to a normal distribution: the sum of four uniform ones.
    fn normal(&mut self) -> f32 {
        let bits = self.bits();
        let sum: f32 = (0..4).map(|part| f32::from((bits >> (16 * part)) as u16) / 65_536.0 - 0.5).sum();
        sum * 1.732
    }

    fn normals(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.normal()).collect()
    }

    pub(crate) fn next(&mut self) -> Vec<f32> {
        let cluster = (self.bits() % CLUSTERS as u64) as usize;
        let noise = self.normals(INTRINSIC);
        let mut vector: Vec<f32> = (0..self.dimension).map(|_| 0.3 * self.normal()).collect();
        let latent = self.centers[cluster].iter().zip(&noise).map(|(center, noise)| center + 0.7 * noise);
        for (weight, row) in latent.zip(&self.basis) {
            vector.iter_mut().zip(row).for_each(|(component, base)| *component += weight * base);
        }
        let norm = vector.iter().map(|component| component * component).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|component| *component /= norm);
        vector
    }
}

/// Key, a line of text, a number and the vector field `v`.
pub(crate) fn schema(vector: Vector) -> Result<Schema> {
    Ok(Schema::builder().key("id").text("title").i64("row").vector("v", vector).build()?)
}

pub(crate) fn document(row: usize, vector: &[f32]) -> Document {
    let title = format!("document number {row}, with a line of text of the usual length beside its vector");
    Document::new()
        .with("id", format!("doc-{row:07}"))
        .with("title", title)
        .with("row", row as i64)
        .with("v", vector.to_vec())
}

/// An empty folder for an index, below `target`.
pub(crate) fn fresh_folder(name: &str) -> Result<PathBuf> {
    let folder = folder(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    Ok(folder)
}

pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join("bench-indexes").join(name)
}

/// Runs this bench once more, in a process of its own, and returns the cells of the row it prints.
pub(crate) fn child(arguments: &Arguments, task: &[&str]) -> Result<Vec<String>> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--docs", &arguments.docs.to_string(), "--dim", &arguments.dimension.to_string()]);
    command.args(&arguments.file).arg("--child").args(task);
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{task:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().split('\t').map(str::to_owned).collect())
}

/// A line of `/proc/self/status` in MiB; NaN where there is none (other systems than Linux).
pub(crate) fn memory(line: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kib = value.and_then(|value| value.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64())
}

pub(crate) fn micros(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e6)
}

/// Bytes of all files of a folder.
pub(crate) fn folder_bytes(folder: &Path) -> Result<u64> {
    let lengths = fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len()));
    lengths.sum::<Result<u64>>()
}

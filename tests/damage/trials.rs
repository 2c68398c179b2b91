//! A small index with everything in it, ways to damage its files, and a look at what the engine does then.
//!
//! **The bounds** every trial is held to, whatever the bytes: no panic; an end within [`PATIENCE`]; no single
//! allocation above [`allocation_bound`].

use crate::common::rng::Rng;
use crate::counting;
use crate::fuzz::twice;
use lucerne::admin::{self, CheckReport};
use lucerne::codec::Error as CodecError;
use lucerne::codec::testing::{MemoryDirectory, reseal};
use lucerne::codec::{Cancel, Directory};
use lucerne::document::SparseVector;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::query::Exists;
use lucerne::schema::Quantization;
use lucerne::{
    Document, Error, Knn, Match, Phrase, Prefix, Range, Rerank, Schema, Search, Searcher, Similarity, Sort,
    Sparse, Term, Terms, Vector, WriterOptions,
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Once};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// A trial takes less than a millisecond. One that takes this long hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The largest single allocation that `bytes` bytes of files may lead to.
pub(crate) fn allocation_bound(bytes: usize) -> usize {
    4 * bytes + (1 << 20)
}

/// The files of an index by name.
pub(crate) type Image = BTreeMap<String, Vec<u8>>;

/// Documents of the first segment.
pub(crate) const FIRST: u32 = 24;
/// Documents of the second segment.
pub(crate) const SECOND: u32 = 12;

/// Key, all field kinds, a graph over int8 codes, raw vectors alone, and inverted lists of bits.
fn schema() -> Schema {
    let near = Vector::f32(9).similarity(Similarity::Euclidean).m(2).beam_width(8);
    let flat = Vector::f16(3).similarity(Similarity::Cosine).flat().quantization(Quantization::None);
    let builder = Schema::builder().key("id").text("t").keyword("w").i64("i").f64("x").bool("b").date("d");
    let near = near.advanced("graph_threshold", 0).advanced("search_bits", 4);
    let bits = Vector::bits(40).ivf().nlist(2);
    builder.vector("near", near).vector("flat", flat).vector("bits", bits).sparse_vector("s").build().unwrap()
}

fn document(number: u32, rng: &mut Rng) -> Document {
    let document = Document::new().with("id", format!("{number}")).with("near", rng.vector(9));
    let weights = SparseVector::new([(number % 4, 1.0 + number as f32 / 8.0), (70 + number % 3, 0.25)]);
    let document = document.with("s", weights);
    if !number.is_multiple_of(6) {
        return document;
    }
    let document = document
        .with("t", format!("a little text {number}"))
        .with("w", ["word", "other"][number as usize / 6 % 2])
        .with("i", i64::from(number));
    let document = document.with("bits", [number as u8, (number * 37) as u8, 0, 0, 255]);
    document.with("x", 0.5).with("b", true).with("d", "2024-02-29T12:00:00Z").with("flat", rng.vector(3))
}

fn options(seed: u64) -> WriterOptions {
    WriterOptions::new().threads(1).seed(seed).merge_policy(MergePolicy::None).merge_threads(0)
}

/// The index after three commits: a first segment; two of its documents deleted and a second segment; one
/// more document of each deleted.
pub(crate) fn generations(seed: u64) -> [Image; 3] {
    let directory = MemoryDirectory::new();
    let index = IndexBuilder::new().create(Arc::new(directory.clone()), schema()).unwrap();
    let writer = index.writer_with(options(seed)).unwrap();
    let mut rng = Rng::new(seed);
    let mut add = |numbers: std::ops::Range<u32>| {
        numbers.for_each(|number| drop(writer.add(&document(number, &mut rng)).unwrap()));
    };
    let commit = |deleted: &[&str]| {
        deleted.iter().for_each(|key| assert!(writer.delete(key).unwrap()));
        writer.commit().unwrap();
        image(&directory)
    };
    add(0..FIRST);
    let first = commit(&[]);
    add(FIRST..FIRST + SECOND);
    let second = commit(&["7", "18"]);
    [first, second, commit(&["10", "31"])]
}

/// Every file with its bytes; the lock's is left out.
pub(crate) fn image(directory: &MemoryDirectory) -> Image {
    let files = directory.files().into_iter().filter(|(name, _)| !name.ends_with(".lock"));
    files.map(|(name, bytes)| (name, bytes.to_vec())).collect()
}

/// A folder with these files.
pub(crate) fn folder(image: &Image) -> MemoryDirectory {
    let directory = MemoryDirectory::new();
    image.iter().for_each(|(name, bytes)| directory.put(name, bytes.as_slice()));
    directory
}

/// Bytes of all files.
pub(crate) fn total(image: &Image) -> usize {
    image.values().map(Vec::len).sum()
}

/// Files read and verified completely at open.
pub(crate) fn is_metadata(file: &str) -> bool {
    is_commit(file) || file.ends_with(".si") || file.ends_with(".live")
}

pub(crate) fn is_commit(file: &str) -> bool {
    file.starts_with("segments_")
}

/// Queries of every kind.
pub(crate) fn queries() -> Vec<Search> {
    let near = || Knn::new("near", [0.1, -0.3, 0.0].repeat(3));
    vec![
        near().k(1).candidates(1).into(),
        near().k(3).candidates(20).fields(["i", "near"]).into(),
        near().k(2).rescore(2.0).into(),
        near().k(3).exact().into(),
        Knn::new("flat", [0.3, 0.2, -0.9]).k(3).fields(Vec::<String>::new()).into(),
        near().k(3).filter(Term::new("w", "word")).into(),
        Knn::new("bits", "d92a0000ff").k(2).nprobe(1).into(),
        Match::new("t", "little text 12").into(),
        Sparse::new("s", [(1, 1.0), (71, 3.0)]).into(),
        Phrase::new("t", "little text").into(),
        Search::new(Prefix::new("t", "te")).filter(Range::new("i").gt(3)).sort(Sort::desc("x")),
        Search::new(Terms::new("b", [true])).sort(Sort::asc("w")).sort(Sort::asc("d")),
        Search::new(Exists::new("x")).rerank(Rerank::vector("near", [1.0; 9])),
    ]
}

/// Runs every query and reads documents; each answer or error as text.
pub(crate) fn ask(searcher: &Searcher) -> Vec<Result<String, Error>> {
    let hits = |query: &Search| Ok(format!("{:?}", searcher.search(query)?.hits));
    let mut answers: Vec<_> = queries().iter().map(hits).collect();
    for key in ["0", "18", "24", "33", "none"] {
        let read = || Ok(format!("{:?} {:?}", searcher.get(key)?, searcher.vector(key, "near")?));
        answers.push(read());
    }
    answers
}

/// What the engine made of a folder.
pub(crate) struct Seen {
    /// Answers in the order of [`ask`], or why the index does not open.
    pub(crate) open: Result<Vec<Result<String, Error>>, Error>,
    pub(crate) report: Result<CheckReport, Error>,
    pub(crate) largest: usize,
}

impl Seen {
    /// Panics unless opening was refused with an error about `file`.
    pub(crate) fn refused(&self, file: &str, what: &dyn Fn() -> String) {
        match &self.open {
            Ok(_) => panic!("{}: opened", what()),
            Err(error) => assert_eq!(named(error), Some(file), "{}: {error} ({error:?})", what()),
        }
    }

    /// Panics unless the check found damage of `file`.
    pub(crate) fn found(&self, file: &str, what: &dyn Fn() -> String) {
        let report = self.report.as_ref().unwrap_or_else(|error| panic!("{}: check: {error}", what()));
        let problems = &report.problems;
        assert!(problems.iter().any(|problem| problem.file == file), "{}: found only {problems:?}", what());
    }
}

/// The file an error is about.
pub(crate) fn named(error: &Error) -> Option<&str> {
    match error {
        Error::Codec(
            CodecError::Io { file, .. }
            | CodecError::Corrupt { file, .. }
            | CodecError::UnsupportedVersion { file, .. }
            | CodecError::UnknownFormat { file, .. },
        ) => Some(file),
        _ => None,
    }
}

/// Opens, asks and checks, within the bounds.
pub(crate) fn look(directory: &MemoryDirectory, bytes: usize, what: &dyn Fn() -> String) -> Seen {
    let (mut seen, largest) = bounded(what, || {
        let open = IndexBuilder::new().open(Arc::new(directory.clone())).and_then(|index| index.searcher());
        let open = open.map(|searcher| ask(&searcher));
        Seen { open, report: check(directory), largest: 0 }
    });
    assert!(largest <= allocation_bound(bytes), "{}: {largest} bytes in one allocation", what());
    seen.largest = largest;
    seen
}

/// The thorough check.
pub(crate) fn check(directory: &MemoryDirectory) -> Result<CheckReport, Error> {
    let directory: Arc<dyn Directory> = Arc::new(directory.clone());
    admin::check_in(IndexBuilder::new(), directory, &Cancel::new(), &())
}

/// Runs `work`: fails when it panics, stops the process when it hangs, and says what it returned and its
/// largest allocation.
pub(crate) fn bounded<T>(what: &dyn Fn() -> String, work: impl FnOnce() -> T) -> (T, usize) {
    let watched = Watched::new(what());
    counting::take_largest();
    let result = catch_unwind(AssertUnwindSafe(work));
    let largest = counting::take_largest();
    drop(watched);
    match result {
        Ok(value) => (value, largest),
        Err(_) => panic!("{}: panicked", what()),
    }
}

type Trials = Mutex<HashMap<ThreadId, (Instant, String)>>;

static TRIALS: Mutex<Option<Arc<Trials>>> = Mutex::new(None);

/// A trial that another thread keeps an eye on.
struct Watched(Arc<Trials>);

impl Watched {
    fn new(what: String) -> Self {
        static START: Once = Once::new();
        START.call_once(|| {
            let trials = Arc::new(Trials::default());
            *TRIALS.lock().unwrap() = Some(Arc::clone(&trials));
            std::thread::spawn(move || watch(&trials));
        });
        let trials = TRIALS.lock().unwrap().clone().unwrap();
        trials.lock().unwrap().insert(std::thread::current().id(), (Instant::now(), what));
        Self(trials)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.lock().unwrap().remove(&std::thread::current().id());
    }
}

#[expect(clippy::print_stderr, reason = "the process ends here, a panic would not end the trial")]
fn watch(trials: &Trials) {
    loop {
        std::thread::sleep(Duration::from_millis(500));
        for (since, what) in trials.lock().unwrap().values() {
            if since.elapsed() > PATIENCE {
                eprintln!("{what}: no end after {PATIENCE:?}");
                std::process::abort();
            }
        }
    }
}

/// An index to be forged: what is changed gets the right checksums and lengths, in the file and wherever
/// other files remember them.
#[derive(Clone)]
pub(crate) struct Forge {
    pub(crate) image: Image,
}

impl Forge {
    pub(crate) fn new(image: &Image) -> Self {
        Self { image: image.clone() }
    }

    /// The commit's file name.
    pub(crate) fn commit_file(&self) -> String {
        self.image.keys().find(|name| is_commit(name)).unwrap().clone()
    }

    /// Changes a file's body.
    pub(crate) fn body(&mut self, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
        self.rewrite(file, change);
        self.remember(file);
    }

    /// Changes a metadata file's JSON.
    pub(crate) fn json(&mut self, file: &str, change: impl FnOnce(&mut Value)) {
        self.body(file, |body| {
            let mut json = serde_json::from_slice(first_copy(body)).unwrap();
            change(&mut json);
            *body = twice(&serde_json::to_vec(&json).unwrap());
        });
    }

    /// The JSON of a metadata file.
    pub(crate) fn read(&self, file: &str) -> Value {
        serde_json::from_slice(first_copy(&self.image[file][64..])).unwrap()
    }

    fn rewrite(&mut self, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let bytes = self.image.get_mut(file).unwrap();
        let mut body = bytes[64..bytes.len() - 16].to_vec();
        change(&mut body);
        let footer = bytes.split_off(bytes.len() - 16);
        bytes.truncate(64);
        bytes.extend(body);
        bytes.extend(footer);
        reseal(file, bytes);
    }

    /// Lets the file that names `file` know its new length and checksum, and so on up to the commit.
    fn remember(&mut self, file: &str) {
        let bytes = &self.image[file];
        let entry = serde_json::json!({
            "name": file,
            "len": bytes.len(),
            "crc32": u32::from_le_bytes(bytes[bytes.len() - 4..].try_into().unwrap()),
        });
        let is_above = |name: &&String| (name.ends_with(".si") && *name != file) || is_commit(name);
        let above: Vec<String> = self.image.keys().filter(is_above).cloned().collect();
        for above in above.into_iter().filter(|above| above != file) {
            let mut json = self.read(&above);
            if replace_entry(&mut json, &entry) {
                self.json(&above, |old| *old = json);
            }
        }
    }
}

/// What a body has twice.
fn first_copy(body: &[u8]) -> &[u8] {
    &body[8..8 + u32::from_le_bytes(body[..4].try_into().unwrap()) as usize]
}

/// Replaces every file entry of that name.
fn replace_entry(json: &mut Value, entry: &Value) -> bool {
    match json {
        Value::Object(fields) if fields.contains_key("crc32") && fields.get("name") == entry.get("name") => {
            *json = entry.clone();
            true
        }
        Value::Object(fields) => {
            fields.values_mut().fold(false, |any, value| any | replace_entry(value, entry))
        }
        Value::Array(values) => values.iter_mut().fold(false, |any, value| any | replace_entry(value, entry)),
        _ => false,
    }
}

/// The seed of everything random here; `LUCERNE_SEED=n` tries another.
pub(crate) fn seed() -> u64 {
    std::env::var("LUCERNE_SEED").map_or(1, |seed| seed.parse().unwrap())
}

/// The files of the index after its third commit.
pub(crate) fn the_index() -> Image {
    let [_, _, image] = generations(1);
    image
}

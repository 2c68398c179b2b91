//! One process's life with an index, beside a model of what must be in it: the same steps drive the tests of
//! power cuts, input and output errors and full disks.

pub(crate) use super::files::leaked;
use super::rng::Rng;
use super::{brute_force, by_query, sparse};
use lucerne::codec::{Cancel, Directory};
use lucerne::index::IndexBuilder;
use lucerne::schema::Quantization;
use lucerne::{
    Document, Error, Index, Knn, Schema, Searcher, Similarity, Vector, Writer, WriterOptions, admin,
};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Documents by key.
pub(crate) type Content = BTreeMap<String, Document>;

/// What a commit holds: documents, and the number the test gave it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) content: Content,
    pub(crate) number: u64,
}

/// What an index may be; `None` is a folder without one.
pub(crate) type Allowed = Vec<Option<State>>;

/// Why a step was not done.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The engine says why.
    Error(Error),
    /// The engine's answer is not the model's.
    Wrong(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => write!(f, "error: {error}"),
            Self::Wrong(what) => write!(f, "wrong: {what}"),
        }
    }
}

/// A key and a version: together they determine a document.
pub(crate) type Made = (usize, u64);

/// What the process does next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Create,
    /// A reader only: everything is compared.
    Read,
    /// Index and writer.
    Open,
    Add(Made),
    Upsert(Made),
    Batch(Vec<Made>),
    Delete(usize),
    /// All documents of an earlier version.
    DeleteBelow(u64),
    /// Raises the version of all documents of this version and later ones by one.
    RaiseFrom(u64),
    Refresh,
    Search,
    /// Keeps a searcher; `Release` compares what it shows then.
    Hold,
    Release,
    /// Through `commit()`, the number stays.
    PlainCommit,
    /// With a new number.
    Commit,
    /// Both phases, with upserts between them.
    TwoPhase(Vec<Made>),
    /// The first phase, upserts, and the commit taken back.
    Abort(Vec<Made>),
    Rollback,
    /// Until at most so many segments are left.
    ForceMerge(usize),
    Close,
    /// `Leave` and `Open`.
    Reopen,
    /// The writer is dropped with what it has.
    Leave,
    Check,
}

/// The process: what it has open, and what must be in the index.
pub(crate) struct Life {
    directory: Arc<dyn Directory>,
    options: WriterOptions,
    index: Option<Index>,
    pub(crate) writer: Option<Writer>,
    held: Vec<(Searcher, Content)>,
    /// Everything written, committed or not.
    pub(crate) now: Content,
    /// What a searcher of this process shows.
    visible: Content,
    /// The last acknowledged commit, or those the last process may have left.
    before: Allowed,
    /// A commit that was being published when an error came.
    attempt: Option<State>,
    number: u64,
}

const FLAT: &str = "near";
const GRAPH: &str = "graph";
const BITS: &str = "bits";

/// Three kinds of vector fields: raw vectors compared one by one, codes and a graph, inverted lists of bits.
pub(crate) fn schema() -> Schema {
    let flat = Vector::f16(4).similarity(Similarity::Euclidean).flat().quantization(Quantization::None);
    let graph = Vector::f32(12).similarity(Similarity::Euclidean).m(4).beam_width(8);
    let graph = graph.advanced("search_bits", 4);
    let schema = Schema::builder().key("id").text("note").i64("version").vector(FLAT, flat);
    let bits = Vector::bits(16).ivf().nlist(3);
    schema.vector(GRAPH, graph).vector(BITS, bits).sparse_vector(sparse::FIELD).build().unwrap()
}

pub(crate) fn key(number: usize) -> String {
    format!("k{number:03}")
}

/// The document of a key and version. Components are whole numbers, so distances are exact.
pub(crate) fn document((number, version): Made) -> Document {
    let mut rng = Rng::new(version.wrapping_mul(1_000_003) ^ number as u64);
    let words = if rng.chance(10) { 200 } else { 2 };
    let note: Vec<String> = (0..words).map(|_| format!("{:x}", rng.next())).collect();
    let document = Document::new().with("id", key(number)).with("note", note.join(" "));
    let mut document = document.with("version", version as i64);
    // Those of the graph have too many values to be encoded without loss.
    for (field, dimension, most) in [(FLAT, 4, 8), (GRAPH, 12, 500)] {
        let component = |_| rng.below(2 * most + 1) as f32 - most as f32;
        let vector: Vec<f32> = (0..dimension).map(component).collect();
        if !rng.chance(20) {
            document.set(field, vector);
        }
    }
    if !rng.chance(20) {
        document.set(sparse::FIELD, sparse::vector(version));
    }
    if !rng.chance(20) {
        document.set(BITS, [rng.below(256) as u8, rng.below(4) as u8]);
    }
    document
}

/// Small segments, no other threads, the same bytes each time.
pub(crate) fn options(flush_docs: u32) -> WriterOptions {
    WriterOptions::new().threads(1).merge_threads(0).seed(7).flush_docs(flush_docs)
}

/// What differs between a searcher's answers and the content, if anything does.
pub(crate) fn difference(searcher: &Searcher, content: &Content) -> Result<(), Trouble> {
    let wrong = |what: String| Err(Trouble::Wrong(what));
    if searcher.len() != content.len() as u64 {
        return wrong(format!("{} documents, expected {}", searcher.len(), content.len()));
    }
    for (key, document) in content {
        let found = searcher.get(key)?.map(|found| found.to_json());
        if found != Some(document.to_json()) {
            return wrong(format!("{key} is {found:?}, expected {}", document.to_json()));
        }
        for field in [FLAT, GRAPH, BITS] {
            if searcher.vector(key, field)? != vector(document, field) {
                return wrong(format!("the vector of {key} in {field}"));
            }
        }
    }
    if let Some(difference) = sparse::difference(searcher, content)? {
        return wrong(difference);
    }
    let queries = [
        (FLAT, vec![1.0; 4]),
        (FLAT, vec![-8.0, 8.0, 0.0, 3.0]),
        (GRAPH, vec![2.0; 12]),
        (BITS, vec![1.0; 16]),
    ];
    for (field, query) in queries {
        let vectors: Vec<(&str, Vec<f32>)> =
            content.iter().filter_map(|(key, document)| Some((&**key, vector(document, field)?))).collect();
        let similarity = if field == BITS { Similarity::Hamming } else { Similarity::Euclidean };
        let documents = vectors.iter().map(|(key, vector)| (*key, vector.as_slice()));
        let mut expected = brute_force::ranked(similarity, &query, documents);
        let with_vector = expected.len();
        expected.truncate(5);
        let hits = searcher.search(Knn::new(field, query.clone()).k(5).exact())?;
        let found: Vec<_> =
            hits.hits.iter().map(|hit| (f64::from(hit.distance.unwrap()), &*hit.key)).collect();
        if found != expected {
            return wrong(format!("the nearest in {field}: {found:?}, expected {expected:?}"));
        }
        let near = searcher.search(Knn::new(field, query).k(5))?;
        let known = |key: &&str| content.get(*key).is_some_and(|document| vector(document, field).is_some());
        if near.hits.len() != with_vector.min(5) || !near.keys().iter().all(known) {
            return wrong(format!("approximate search in {field} found {:?}", near.keys()));
        }
    }
    Ok(())
}

/// Components; bits as zeros and ones.
fn vector(document: &Document, field: &str) -> Option<Vec<f32>> {
    match document.get(field)? {
        lucerne::Value::Vector(components) => Some(components.clone()),
        lucerne::Value::Bits(bytes) => {
            let bits = lucerne::bits::unpack(bytes, lucerne::bits::BitOrder::LsbFirst);
            Some(bits.into_iter().map(|bit| f32::from(u8::from(bit))).collect())
        }
        other => panic!("{field} is {other:?}"),
    }
}

fn user_data(number: u64) -> BTreeMap<String, String> {
    [("number".to_owned(), number.to_string())].into()
}

/// The number of a searcher's commit; 0 when it has none.
pub(crate) fn number_of(searcher: &Searcher) -> u64 {
    searcher.user_data().get("number").map_or(0, |number| number.parse().unwrap())
}

/// Which of the allowed states a new reader finds.
pub(crate) fn find_state(
    directory: &Arc<dyn Directory>,
    allowed: &[Option<State>],
) -> Result<Option<State>, Trouble> {
    match IndexBuilder::new().open(Arc::clone(directory)) {
        Ok(index) => state_of(&index.searcher()?, allowed).map(Some),
        Err(Error::NotAnIndex { .. }) if allowed.contains(&None) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn state_of(searcher: &Searcher, allowed: &[Option<State>]) -> Result<State, Trouble> {
    let number = number_of(searcher);
    let mut result = Err(Trouble::Wrong(format!("commit number {number}")));
    for state in allowed.iter().flatten().filter(|state| state.number == number) {
        result = difference(searcher, &state.content);
        if result.is_ok() {
            return Ok(state.clone());
        }
    }
    let numbers: Vec<_> = allowed.iter().map(|state| state.as_ref().map(|state| state.number)).collect();
    let trouble = result.err().map(|trouble| trouble.to_string()).unwrap_or_default();
    Err(Trouble::Wrong(format!("found commit {number} where {numbers:?} are allowed: {trouble}")))
}

/// A check of every byte finds nothing.
pub(crate) fn whole(directory: &Arc<dyn Directory>) -> Result<(), Trouble> {
    let report = admin::check_in(IndexBuilder::new(), Arc::clone(directory), &Cancel::new(), &())?;
    match report.ok() {
        true => Ok(()),
        false => Err(Trouble::Wrong(format!("the check found {:?}", report.problems))),
    }
}

/// The end of a story: a writer opens (the lock is free) and closes, and nothing is left over.
pub(crate) fn reopens(directory: &Arc<dyn Directory>, state: &State) -> Result<(), Trouble> {
    let mut life = Life::resume(Arc::clone(directory), options(4), vec![Some(state.clone())], 1 << 40);
    life.apply_all(&[Step::Open, Step::Leave])?;
    nothing_left_over(directory)
}

/// A longer end: the check finds nothing, and new commits hold what was there and what is new.
pub(crate) fn lives_on(directory: &Arc<dyn Directory>, state: &State) -> Result<(), Trouble> {
    reopens(directory, state)?;
    whole(directory)?;
    let mut life = Life::resume(Arc::clone(directory), options(4), vec![Some(state.clone())], 1 << 40);
    life.apply(&Step::Open)?;
    let upserts: Vec<Step> = (0..6).map(|key| Step::Upsert((3 * key, 1 << 40))).collect();
    life.apply_all(&upserts)?;
    life.apply_all(&[Step::Delete(1), Step::Commit, Step::Upsert((1, 1 << 40)), Step::Close])?;
    life.apply_all(&[Step::Read, Step::Check])?;
    nothing_left_over(directory)
}

fn nothing_left_over(directory: &Arc<dyn Directory>) -> Result<(), Trouble> {
    let leaked = leaked(directory)?;
    if leaked.is_empty() { Ok(()) } else { Err(Trouble::Wrong(format!("files left over: {leaked:?}"))) }
}

impl Life {
    /// The life of a process that starts on an empty folder.
    pub(crate) fn new(directory: Arc<dyn Directory>, options: WriterOptions) -> Self {
        Self::resume(directory, options, vec![None], 1)
    }

    /// The life of a process that finds one of several states; its commits are numbered from `number`.
    pub(crate) fn resume(
        directory: Arc<dyn Directory>,
        options: WriterOptions,
        before: Allowed,
        number: u64,
    ) -> Self {
        Self {
            directory,
            options,
            index: None,
            writer: None,
            held: Vec::new(),
            now: Content::new(),
            visible: Content::new(),
            before,
            attempt: None,
            number,
        }
    }

    /// The states the index may be in: the last acknowledged commit, or a later one that was being published.
    pub(crate) fn allowed(&self) -> Allowed {
        let mut allowed = self.before.clone();
        allowed.extend(self.attempt.clone().map(Some));
        allowed
    }

    /// The last acknowledged commit, or those the process before this one may have left.
    pub(crate) fn before(&self) -> Allowed {
        self.before.clone()
    }

    /// True when a commit failed while it was being published.
    pub(crate) fn was_publishing(&self) -> bool {
        self.attempt.is_some()
    }

    /// The last acknowledged commit.
    pub(crate) fn acknowledged(&self) -> &State {
        match &*self.before {
            [Some(state)] => state,
            other => panic!("not one acknowledged commit but {}", other.len()),
        }
    }

    pub(crate) fn apply_all(&mut self, steps: &[Step]) -> Result<(), Trouble> {
        steps.iter().try_for_each(|step| self.apply(step))
    }

    /// Does a step and follows with the model.
    pub(crate) fn apply(&mut self, step: &Step) -> Result<(), Trouble> {
        match step {
            Step::Create => return self.create(),
            Step::Read => return find_state(&self.directory, &self.allowed()).map(drop),
            Step::Open => return self.open(),
            Step::Search => return difference(&self.searcher()?, &self.visible),
            Step::Hold => self.held.push((self.searcher()?, self.visible.clone())),
            Step::Release => {
                let held = self.held.pop();
                return held.map_or(Ok(()), |(searcher, content)| difference(&searcher, &content));
            }
            Step::Add(made) => return self.add(*made),
            Step::Upsert(made) => {
                self.writer().upsert(&document(*made))?;
                self.now.insert(key(made.0), document(*made));
            }
            Step::Batch(made) => {
                let documents: Vec<Document> = made.iter().map(|&made| document(made)).collect();
                self.writer().upsert_batch(&documents)?;
                self.now.extend(made.iter().map(|made| key(made.0)).zip(documents));
            }
            Step::Delete(number) => {
                let deleted = self.writer().delete(&key(*number))?;
                if deleted != self.now.remove(&key(*number)).is_some() {
                    return Err(Trouble::Wrong(format!("delete of {} said {deleted}", key(*number))));
                }
            }
            Step::DeleteBelow(version) => {
                return by_query::delete_below(self.writer.as_ref(), *version, &mut self.now);
            }
            Step::RaiseFrom(version) => {
                return by_query::raise_from(self.writer.as_ref(), *version, &mut self.now);
            }
            Step::Refresh => {
                self.writer().refresh()?;
                self.visible = self.now.clone();
                return difference(&self.searcher()?, &self.visible);
            }
            Step::PlainCommit => {
                let state = State { content: self.now.clone(), number: self.acknowledged().number };
                let result = self.writer().commit().map(drop);
                return self.published(state, result);
            }
            Step::Commit => return self.two_phases(&[], true),
            Step::TwoPhase(during) => return self.two_phases(during, true),
            Step::Abort(during) => return self.two_phases(during, false),
            Step::Rollback => {
                self.writer().rollback()?;
                self.now = self.acknowledged().content.clone();
                self.visible = self.now.clone();
            }
            Step::ForceMerge(segments) => {
                // As the merge itself does; what is visible when it fails is then known.
                self.writer().refresh()?;
                self.visible = self.now.clone();
                self.writer().force_merge(*segments, &Cancel::new())?;
            }
            Step::Reopen => return self.open(),
            Step::Close => {
                let number = self.acknowledged().number;
                let state = State { content: std::mem::take(&mut self.now), number };
                let result = self.writer.take().expect("a writer").close();
                return self.published(state, result);
            }
            Step::Leave => drop(self.writer.take()),
            Step::Check => return whole(&self.directory),
        }
        Ok(())
    }

    fn create(&mut self) -> Result<(), Trouble> {
        let tried_before = self.was_publishing();
        self.attempt = Some(State::default());
        match IndexBuilder::new().create(Arc::clone(&self.directory), schema()) {
            Err(Error::AlreadyExists { .. }) if tried_before => Ok(()), // `Open` makes it durable.
            Err(error) => Err(error.into()),
            Ok(_) => {
                self.acknowledge();
                Ok(())
            }
        }
    }

    fn open(&mut self) -> Result<(), Trouble> {
        (self.writer, self.index) = (None, None);
        let index = IndexBuilder::new().open(Arc::clone(&self.directory))?;
        let writer = index.writer_with(self.options.clone())?;
        let found = state_of(&index.searcher()?, &self.allowed())?;
        (self.index, self.writer) = (Some(index), Some(writer));
        self.attempt = Some(found);
        self.acknowledge();
        self.now = self.visible.clone();
        Ok(())
    }

    fn add(&mut self, made: Made) -> Result<(), Trouble> {
        let exists = self.now.contains_key(&key(made.0));
        match self.writer().add(&document(made)) {
            Ok(_) if !exists => {
                self.now.insert(key(made.0), document(made));
                Ok(())
            }
            Ok(_) => Err(Trouble::Wrong(format!("a second {} was added", key(made.0)))),
            Err(Error::DuplicateKey { .. }) if exists => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn two_phases(&mut self, during: &[Made], publish: bool) -> Result<(), Trouble> {
        let state = State { content: self.now.clone(), number: self.number };
        self.number += 1;
        let writer = self.writer.as_ref().expect("a writer");
        let prepared = writer.prepare_commit_with(user_data(state.number))?;
        for &made in during {
            writer.upsert(&document(made))?;
            self.now.insert(key(made.0), document(made));
        }
        if !publish {
            return Ok(prepared.abort()?);
        }
        self.attempt = Some(state);
        prepared.commit()?;
        self.acknowledge();
        Ok(())
    }

    /// A commit of both phases at once was acknowledged, or may be there all the same.
    fn published(&mut self, state: State, result: Result<(), Error>) -> Result<(), Trouble> {
        if !matches!(result, Err(Error::WriterFailed { .. })) {
            self.attempt = Some(state);
        }
        result?;
        self.acknowledge();
        Ok(())
    }

    /// The attempt is a commit now.
    fn acknowledge(&mut self) {
        let state = self.attempt.take().expect("an attempt");
        self.visible = state.content.clone();
        self.before = vec![Some(state)];
    }

    fn writer(&self) -> &Writer {
        self.writer.as_ref().expect("a writer")
    }

    fn searcher(&self) -> Result<Searcher, Error> {
        self.index.as_ref().expect("an index").searcher()
    }
}

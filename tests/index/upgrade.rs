//! An index of an older release: read as it is, rewritten by an upgrade, and refused with the command that helps
//! once a format has given its version up. The release is a built-in format with one more file, which has versions.

use crate::common::documents::{add_all, one_field, small_segments};
use crate::common::rng::Rng;
use lucerne::admin::{check_in, inspect};
use lucerne::codec::envelope::{self, Expected};
use lucerne::codec::format::{OpenContext, Problem, WriteContext, Written};
use lucerne::codec::vector::{VectorFormat, VectorHits, VectorReader, VectorRows, VectorSearch};
use lucerne::codec::{
    Cancel, DocId, Error as CodecError, FieldInfo, MergeInput, Neighbor, Ordinal, Registry, Report, Result,
};
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::{Error, ErrorKind, Hits, Index, Knn, Similarity, Vector, Writer};
use std::any::Any;
use std::sync::Arc;

const NAME: &str = "aging";

/// A format as one release has it.
struct Aging {
    inner: Arc<dyn VectorFormat>,
    writes: u32,
    reads: (u32, u32),
}

impl Aging {
    fn stamped(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        mut written: Written,
    ) -> Result<Written> {
        written.files.push(context.create("age", NAME, self.writes, field.number)?.finish()?);
        Ok(written)
    }
}

impl VectorFormat for Aging {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, field: &FieldInfo) -> Result<()> {
        self.inner.check(field)
    }

    fn buffered_bytes(&self, field: &FieldInfo) -> usize {
        self.inner.buffered_bytes(field)
    }

    fn write(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        vectors: VectorRows<'_>,
        _sibling: Option<&dyn VectorReader>,
    ) -> Result<Written> {
        self.stamped(context, field, self.inner.write(context, field, vectors, None)?)
    }

    fn open(&self, context: &OpenContext<'_>, field: &FieldInfo) -> Result<Box<dyn VectorReader>> {
        let (age, files) = context.files.split_last().expect("a file");
        let expected =
            Expected { format: NAME, versions: self.reads, segment: context.segment_id, field: field.number };
        let (_, version) = envelope::open_entry(context.directory, age, expected)
            .map_err(|error| error.upgraded_by("aging 2.0 to 2.4"))?;
        let inner = self.inner.open(&OpenContext { files, ..*context }, field)?;
        Ok(Box::new(AgingReader { inner, current: version == self.writes }))
    }

    fn plan_merge(&self, field: &FieldInfo, sources: &[MergeInput<'_, dyn VectorReader>]) -> Result<Report> {
        self.inner.plan_merge(field, sources)
    }

    fn merge(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        sources: &[MergeInput<'_, dyn VectorReader>],
    ) -> Result<(Written, Report)> {
        let (written, report) = self.inner.merge(context, field, sources)?;
        Ok((self.stamped(context, field, written)?, report))
    }
}

struct AgingReader {
    inner: Box<dyn VectorReader>,
    current: bool,
}

impl VectorReader for AgingReader {
    fn is_current(&self) -> bool {
        self.current
    }

    fn len(&self) -> usize {
        self.inner.len()
    }

    fn doc(&self, ordinal: Ordinal) -> Result<DocId> {
        self.inner.doc(ordinal)
    }

    fn ordinal(&self, doc: DocId) -> Result<Option<Ordinal>> {
        self.inner.ordinal(doc)
    }

    fn row(&self, ordinal: Ordinal) -> Result<&[u8]> {
        self.inner.row(ordinal)
    }

    fn search(&self, search: &VectorSearch<'_>) -> Result<VectorHits> {
        self.inner.search(search)
    }

    fn rescore(&self, query: &[u8], neighbors: &mut [Neighbor]) -> Result<()> {
        self.inner.rescore(query, neighbors)
    }

    fn inspect(&self) -> Report {
        let mut report = self.inner.inspect();
        report["current"] = self.current.into();
        report
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        self.inner.verify(cancel)
    }

    fn as_any(&self) -> &dyn Any {
        self.inner.as_any()
    }
}

/// The release that writes version `writes` and reads versions from `oldest` to it.
fn release(writes: u32, oldest: u32) -> IndexBuilder {
    let builder = IndexBuilder::new();
    let registry: Registry = builder.registry().clone();
    let inner = registry.vectors.iter().find(|format| format.name() == "flat_sq8").unwrap();
    let format = Aging { inner: Arc::clone(inner), writes, reads: (oldest, writes) };
    builder.formats(registry.with_vectors(Arc::new(format)))
}

fn rows() -> Vec<(String, Vec<f32>)> {
    let mut rng = Rng::new(34);
    (0..60).map(|number| (format!("d{number:02}"), rng.vector(8))).collect()
}

/// Three segments of the first release and one of the second, with deletes in both.
fn aged() -> RamDirectory {
    let directory = RamDirectory::new();
    let field = Vector::f32(8).similarity(Similarity::Euclidean).format(NAME);
    let index = release(1, 1).create(Arc::new(directory.clone()), one_field(field)).unwrap();
    let rows = rows();
    let rows: Vec<_> = rows.iter().map(|(key, row)| (&**key, &**row)).collect();
    add_all(&index, small_segments(15), rows[..45].iter().copied());
    let index = open(&directory, 2, 1);
    add_all(&index, small_segments(15), rows[45..].iter().copied());
    let writer = writer(&index);
    for key in ["d03", "d20", "d21", "d50"] {
        assert!(writer.delete(key).unwrap());
    }
    writer.close().unwrap();
    directory
}

fn open(directory: &RamDirectory, writes: u32, oldest: u32) -> Index {
    release(writes, oldest).open(Arc::new(directory.clone())).unwrap()
}

/// The keys of all documents, their vectors, and what searches say.
fn answers(index: &Index) -> (Vec<Option<Vec<f32>>>, Vec<Hits>) {
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.len(), 56);
    let vectors = rows().into_iter().map(|(key, _)| searcher.vector(&key, "v").unwrap()).collect();
    let queries = rows().into_iter().step_by(7).map(|(_, row)| Knn::new("v", row).k(20).exact());
    (vectors, queries.map(|knn| searcher.search(&knn).unwrap()).collect())
}

fn hits(answers: &[Hits]) -> Vec<Vec<(String, f32)>> {
    let of = |hits: &Hits| hits.hits.iter().map(|hit| (hit.key.clone(), hit.distance.unwrap())).collect();
    answers.iter().map(of).collect()
}

/// Per segment: name, whether its version is the one that is written now, deletes.
fn segments(index: &Index) -> Vec<(String, bool, u64)> {
    let report = inspect(&index.searcher().unwrap()).unwrap();
    let of = |segment: &Report| {
        let current = segment["fields"]["v"]["current"].as_bool().unwrap();
        (segment["name"].as_str().unwrap().to_owned(), current, segment["deleted"].as_u64().unwrap())
    };
    report["segments"].as_array().unwrap().iter().map(of).collect()
}

fn writer(index: &Index) -> Writer {
    index.writer_with(small_segments(15)).unwrap()
}

fn sources(report: &[Report]) -> Vec<&str> {
    let of = |report: &'_ Report| report["sources"].as_array().unwrap().len();
    assert!(report.iter().all(|report| of(report) == 1), "each alone: {report:#?}");
    report.iter().map(|report| report["sources"][0]["segment"].as_str().unwrap()).collect()
}

#[test]
fn an_upgrade_rewrites_what_is_older_and_documents_deletes_and_answers_stay() {
    let directory = aged();
    let index = open(&directory, 2, 1);
    let before = segments(&index);
    let expected: [(&str, bool, u64); 4] =
        [("_0", false, 1), ("_1", false, 2), ("_2", false, 0), ("_3", true, 1)];
    assert_eq!(before, expected.map(|(name, current, deleted)| (name.to_owned(), current, deleted)));
    let (vectors, found) = answers(&index);
    let generation = index.searcher().unwrap().generation();

    let writer = writer(&index);
    let plan = writer.plan_upgrade().unwrap();
    assert_eq!(sources(&plan), ["_0", "_1", "_2"]);
    assert_eq!(segments(&index), before, "a plan changes nothing");
    let records = writer.upgrade(&Cancel::new()).unwrap();
    assert_eq!(sources(&records), ["_0", "_1", "_2"]);
    assert_eq!(writer.commit().unwrap(), generation + 1, "one commit");
    assert!(writer.upgrade(&Cancel::new()).unwrap().is_empty(), "nothing is left to do");
    assert_eq!(writer.commit().unwrap(), generation + 1);
    drop((writer, index));

    // The second release, and a third that reads no version 1, see the same documents.
    for (writes, oldest, current) in [(2, 1, true), (3, 2, false)] {
        let index = open(&directory, writes, oldest);
        let now = segments(&index);
        assert_eq!(now.iter().map(|segment| segment.1).collect::<Vec<_>>(), [current; 4]);
        assert_eq!(now.iter().map(|segment| segment.2).collect::<Vec<_>>(), [0, 0, 0, 1], "deletes are gone");
        let (now, found_now) = answers(&index);
        assert!(now == vectors && hits(&found_now) == hits(&found));
        let report =
            check_in(release(writes, oldest), Arc::new(directory.clone()), &Cancel::new(), &()).unwrap();
        assert_eq!((report.problems, report.docs), (Vec::new(), 56));
    }
}

#[test]
fn a_cancelled_upgrade_changes_nothing() {
    let directory = aged();
    let index = open(&directory, 2, 1);
    let before = segments(&index);
    let cancel = Cancel::new();
    cancel.cancel();
    let writer = writer(&index);
    assert_eq!(writer.upgrade(&cancel).unwrap_err().kind(), ErrorKind::Cancelled);
    drop((writer, index));
    let index = open(&directory, 2, 1);
    assert_eq!(segments(&index), before);
    assert_eq!(answers(&index).0.iter().flatten().count(), 56);
}

#[test]
fn a_version_out_of_range_is_refused_with_file_version_range_and_command() {
    let directory = aged();
    for (writes, oldest, found, file, words) in [
        (4, 3, 1, "_0.0.age", "run `lucerne upgrade DIR` with aging 2.0 to 2.4"),
        (1, 1, 2, "_3.0.age", "written by a newer release"),
    ] {
        let error = release(writes, oldest).open(Arc::new(directory.clone())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Incompatible);
        let told = error.to_string();
        let parts = [file, &format!("version {found} "), &format!("versions {oldest} to {writes} "), words];
        assert!(parts.iter().all(|part| told.contains(part)), "{told}");
        let Error::Codec(CodecError::UnsupportedVersion { file: named, found: version, .. }) = error else {
            panic!("{told}");
        };
        assert_eq!((&*named, version), (file, found));
    }
    assert_eq!(answers(&open(&directory, 2, 1)).0.iter().flatten().count(), 56, "nothing was touched");
}

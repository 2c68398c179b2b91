//! The proof of the seam: a vector format that lucerne does not know, defined here, is written, searched,
//! merged, inspected and checked like a built-in one. Nothing else changes.

use lucerne::codec::envelope::{self, Expected, FileEntry};
use lucerne::codec::format::{OpenContext, Problem, WriteContext, Written};
use lucerne::codec::io::bytes::f32s;
use lucerne::codec::top_k::TopK;
use lucerne::codec::vector::{VectorFormat, VectorHits, VectorReader, VectorRows, VectorSearch};
use lucerne::codec::{
    Cancel, DocId, Error as CodecError, FieldInfo, Input, MergeInput, Neighbor, Ordinal, Registry, Report,
    Result,
};
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::{Document, Error, ErrorKind, Index, Knn, Schema, Similarity, Vector, WriterOptions, admin};
use serde_json::json;
use std::any::Any;
use std::sync::Arc;

const NAME: &str = "toy_rows";

/// One file: for each vector its document (u32), then its row. Searches compare with every row.
struct ToyRows;

impl ToyRows {
    fn entry(field: &FieldInfo) -> usize {
        4 + field.row_len()
    }

    fn put<'a>(
        context: &WriteContext<'_>,
        field: &FieldInfo,
        rows: impl Iterator<Item = Result<(DocId, &'a [u8])>>,
    ) -> Result<Written> {
        let mut file = context.create("toy", NAME, 1, field.number)?;
        let mut vectors = 0u32;
        for row in rows {
            context.cancel.check()?;
            let (doc, row) = row?;
            file.write_u32(doc)?;
            file.write(row)?;
            vectors += 1;
        }
        Ok(Written { files: vec![file.finish()?], meta: json!({ "vectors": vectors }) })
    }
}

impl VectorFormat for ToyRows {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, field: &FieldInfo) -> Result<()> {
        field.only(&[])?;
        match field.similarity {
            Similarity::Euclidean => Ok(()),
            other => Err(CodecError::Invalid(format!("{NAME} knows euclidean only, given {other}"))),
        }
    }

    fn buffered_bytes(&self, field: &FieldInfo) -> usize {
        Self::entry(field)
    }

    fn write(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        vectors: VectorRows<'_>,
        _sibling: Option<&dyn VectorReader>,
    ) -> Result<Written> {
        let rows = vectors.rows.chunks_exact(field.row_len());
        Self::put(context, field, vectors.docs.iter().copied().zip(rows).map(Ok))
    }

    fn open(&self, context: &OpenContext<'_>, field: &FieldInfo) -> Result<Box<dyn VectorReader>> {
        let [file] = context.files else {
            return Err(CodecError::corrupt("segment info", 0, "expected one file for toy_rows"));
        };
        let expected =
            Expected { format: NAME, versions: (1, 1), segment: context.segment_id, field: field.number };
        let (input, _) = envelope::open_entry(context.directory, file, expected)?;
        let body = envelope::body(&input)?;
        let vectors = context.meta["vectors"].as_u64().unwrap_or(u64::MAX);
        if vectors.checked_mul(Self::entry(field) as u64) != Some(body.len() as u64) {
            return Err(body.corrupt(0, format!("{} bytes are not {vectors} vectors", body.len())));
        }
        Ok(Box::new(ToyReader { body, field: field.clone(), file: file.clone(), max_doc: context.max_doc }))
    }

    fn plan_merge(&self, _field: &FieldInfo, sources: &[MergeInput<'_, dyn VectorReader>]) -> Result<Report> {
        Ok(report(sources))
    }

    fn merge(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        sources: &[MergeInput<'_, dyn VectorReader>],
    ) -> Result<(Written, Report)> {
        let rows = sources.iter().flat_map(|source| {
            let reader = source.reader.into_iter();
            reader.flat_map(|reader| {
                let live = |ordinal| match reader.doc(ordinal) {
                    Ok(doc) => source.docs.get(doc).map(|doc| reader.row(ordinal).map(|row| (doc, row))),
                    Err(error) => Some(Err(error)),
                };
                (0..reader.len() as Ordinal).filter_map(live)
            })
        });
        Ok((Self::put(context, field, rows)?, report(sources)))
    }
}

fn report(sources: &[MergeInput<'_, dyn VectorReader>]) -> Report {
    let sources = sources.iter().map(|source| json!({ "segment": source.segment, "outcome": "copied" }));
    json!({ "sources": sources.collect::<Vec<_>>(), "by": NAME })
}

struct ToyReader {
    body: Input,
    field: FieldInfo,
    file: FileEntry,
    max_doc: u32,
}

impl ToyReader {
    fn at(&self, ordinal: Ordinal) -> u64 {
        u64::from(ordinal) * ToyRows::entry(&self.field) as u64
    }

    fn distance(&self, query: &[u8], ordinal: Ordinal) -> Result<f32> {
        let components = f32s(query).zip(f32s(self.row(ordinal)?));
        Ok(components.map(|(q, x)| (q - x) * (q - x)).sum())
    }
}

impl VectorReader for ToyReader {
    fn len(&self) -> usize {
        self.body.len() / ToyRows::entry(&self.field)
    }

    fn doc(&self, ordinal: Ordinal) -> Result<DocId> {
        self.body.cursor(self.at(ordinal)).u32()
    }

    fn ordinal(&self, doc: DocId) -> Result<Option<Ordinal>> {
        for ordinal in 0..self.len() as Ordinal {
            if self.doc(ordinal)? == doc {
                return Ok(Some(ordinal));
            }
        }
        Ok(None)
    }

    fn row(&self, ordinal: Ordinal) -> Result<&[u8]> {
        self.body.slice(self.at(ordinal) + 4, self.field.row_len() as u64)
    }

    fn search(&self, search: &VectorSearch<'_>) -> Result<VectorHits> {
        let mut top = TopK::new(search.k, search.ties);
        let mut visited = 0;
        for ordinal in 0..self.len() as Ordinal {
            search.cancel.check()?;
            let doc = self.doc(ordinal)?;
            if search.accept.accepts(doc) {
                top.offer(Neighbor { distance: self.distance(search.query, ordinal)?, ordinal, doc });
                visited += 1;
            }
        }
        Ok(VectorHits {
            neighbors: top.into_sorted(),
            exact: true,
            visited,
            partial: false,
            strategy: "toy scan",
        })
    }

    fn rescore(&self, _query: &[u8], _neighbors: &mut [Neighbor]) -> Result<()> {
        Ok(()) // Distances are exact already.
    }

    fn inspect(&self) -> Report {
        json!({ "vectors": self.len(), "bytes": { "raw": self.body.len() }, "toy": true })
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        for ordinal in 0..self.len() as Ordinal {
            cancel.check()?;
            let doc = self.doc(ordinal)?;
            if doc >= self.max_doc {
                let problem = format!("vector {ordinal} belongs to document {doc} of {}", self.max_doc);
                problems.push(Problem { file: self.file.name.clone(), problem });
            }
        }
        Ok(problems)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn with_toy() -> IndexBuilder {
    let builder = IndexBuilder::new();
    let registry: Registry = builder.registry().clone().with_vectors(Arc::new(ToyRows));
    builder.formats(registry)
}

fn toy_field() -> Vector {
    Vector::f32(4).similarity(Similarity::Euclidean).format(NAME)
}

/// Seven documents in segments of three and less, one without a vector, one deleted.
fn toy_index() -> (RamDirectory, Index) {
    let schema = Schema::builder().key("id").vector("v", toy_field()).build().unwrap();
    let directory = RamDirectory::new();
    let index = with_toy().create(Arc::new(directory.clone()), schema).unwrap();
    let options = WriterOptions::new().threads(1).merge_policy(MergePolicy::None);
    let writer = index.writer_with(options.flush_docs(3)).unwrap();
    for number in 0..7i16 {
        let mut document = Document::new().with("id", format!("doc-{number}"));
        if number != 5 {
            document.set("v", vec![f32::from(number), 0.0, 0.0, 1.0]);
        }
        writer.add(&document).unwrap();
    }
    writer.commit().unwrap();
    assert!(writer.delete("doc-2").unwrap());
    writer.close().unwrap();
    (directory, index)
}

fn nearest(index: &Index, knn: Knn) -> Vec<(String, f32)> {
    let hits = index.searcher().unwrap().search(&knn).unwrap();
    assert!(hits.exact);
    assert!(hits.segments.iter().all(|segment| segment.strategy == "toy scan"));
    hits.hits.into_iter().map(|hit| (hit.key, hit.distance.unwrap())).collect()
}

/// The answers, whatever the segments.
fn assert_answers(index: &Index) {
    let query = [2.0, 0.0, 0.0, 1.0];
    let all = [("doc-1", 1.0), ("doc-3", 1.0), ("doc-0", 4.0), ("doc-4", 4.0), ("doc-6", 16.0)];
    let all = all.map(|(key, distance)| (key.to_owned(), distance));
    assert_eq!(nearest(index, Knn::new("v", query)), all);
    assert_eq!(nearest(index, Knn::new("v", query).exact()), all);
    assert_eq!(nearest(index, Knn::new("v", query).rescore(2.0).k(3)), all[..3]);
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.vector("doc-6", "v").unwrap(), Some(vec![6.0, 0.0, 0.0, 1.0]));
    assert_eq!(searcher.vector("doc-5", "v").unwrap(), None);
}

#[test]
fn a_format_of_ones_own_is_written_reopened_searched_inspected_and_checked() {
    let (directory, index) = toy_index();
    assert_answers(&index);
    let reopened = with_toy().open(Arc::new(directory.clone())).unwrap();
    assert_answers(&reopened);

    let report = admin::inspect(&reopened.searcher().unwrap()).unwrap();
    let segments = report["segments"].as_array().unwrap();
    assert!(segments.len() > 1, "{report:#}");
    for segment in segments {
        let field = &segment["fields"]["v"];
        assert_eq!((&field["format"], &field["toy"]), (&json!(NAME), &json!(true)), "{report:#}");
    }

    let report = admin::check_in(with_toy(), Arc::new(directory), &Cancel::new(), &()).unwrap();
    assert_eq!((report.problems, report.docs), (Vec::new(), 6));
}

#[test]
fn segments_of_a_format_of_ones_own_merge_and_the_engine_hands_on_the_formats_report() {
    let (directory, index) = toy_index();
    let writer = index.writer_with(WriterOptions::new().threads(1)).unwrap();
    let records = writer.force_merge(1, &Cancel::new()).unwrap();
    let report = &records[0]["fields"]["v"];
    assert_eq!(report["by"], NAME, "{records:#?}");
    assert!(report["sources"].as_array().unwrap().iter().all(|source| source["outcome"] == "copied"));
    writer.close().unwrap();

    let reopened = with_toy().open(Arc::new(directory.clone())).unwrap();
    let searcher = reopened.searcher().unwrap();
    assert_eq!((searcher.segment_count(), searcher.len()), (1, 6));
    assert_answers(&reopened);
    let report = admin::inspect(&searcher).unwrap();
    assert_eq!(report["segments"][0]["fields"]["v"]["vectors"], 5, "{report:#}");
    assert_eq!(report["segments"][0]["merge"]["fields"]["v"]["by"], NAME, "{report:#}");
    let report = admin::check_in(with_toy(), Arc::new(directory), &Cancel::new(), &()).unwrap();
    assert_eq!((report.problems, report.docs), (Vec::new(), 6));
}

#[test]
fn without_it_the_index_is_refused_with_its_name() {
    let (directory, index) = toy_index();
    drop(index);
    let error = IndexBuilder::new().open(Arc::new(directory.clone())).unwrap_err();
    let Error::Codec(CodecError::UnknownFormat { format, known, .. }) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(format, NAME);
    let builtin: Vec<_> = IndexBuilder::new().registry().vectors.iter().map(|format| format.name()).collect();
    assert_eq!(*known, builtin.join(", "));
    assert_eq!(error.kind(), ErrorKind::Incompatible);

    let report = admin::check_in(IndexBuilder::new(), Arc::new(directory), &Cancel::new(), &()).unwrap();
    assert!(report.problems.iter().any(|found| found.problem.contains(NAME)), "{report:?}");
}

#[test]
fn a_schema_with_an_unregistered_format_or_parameters_the_format_refuses_makes_no_index() {
    let schema = |vector| Schema::builder().key("id").vector("v", vector).build().unwrap();
    let create = |builder: IndexBuilder, vector| {
        let error = builder.create(Arc::new(RamDirectory::new()), schema(vector)).unwrap_err();
        error.to_string()
    };
    let error = create(IndexBuilder::new(), toy_field());
    assert!(error.contains(NAME) && error.contains("not registered"), "{error}");
    let error = create(with_toy(), toy_field().similarity(Similarity::Cosine));
    assert!(error.contains("toy_rows knows euclidean only, given cosine"), "{error}");
    let error = create(with_toy(), toy_field().m(8));
    assert!(error.contains(r#"unknown parameter "m""#), "{error}");
}

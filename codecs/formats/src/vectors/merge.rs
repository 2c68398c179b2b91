//! Merging: live vectors of all sources, in the order of the sources, then like a flush.
//!
//! Raw rows are read where they are and written through, codes and their upper halves beyond a few MiB are on disk (`spill`); what is
//! held in memory is the graph, 16 m bytes per vector with the distances of its links, and about 50 bytes more
//! per vector, whatever the dimension.

use super::Layers;
use super::halves::Halves;
use super::lists::Lists;
use super::plan::Planned;
use super::reader::LayeredReader;
use super::report;
use super::settings::Settings;
use super::spill::Spill;
use super::write::{Built, build, build_params, finish, graph_vectors};
use crate::flat_f32::Rows;
use crate::hnsw::graph::{self, Graph, GraphView, SourceGraph};
use crate::vectors::encode::Encoded;
use lucerne_codec::vector::{MergeSource, VectorReader, WriteContext, Written};
use lucerne_codec::{Cancel, DocId, Error, Facts, FieldInfo, Ordinal, Result};
use std::ops::Range;
use std::time::Instant;

/// Extension of the file that codes are in during a merge; never part of a segment.
const CODES: &str = "tmp";

/// A live vector of a merge: where it is and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) source: u32,
    pub(super) ordinal: Ordinal,
    pub(super) doc: DocId,
}

/// One source, and where its live vectors are in the list.
pub(super) struct Source<'a> {
    pub(super) segment: &'a str,
    pub(super) reader: Option<&'a dyn VectorReader>,
    /// The reader, if it is of one of these formats.
    pub(super) own: Option<&'a LayeredReader>,
    pub(super) range: Range<usize>,
}

impl Source<'_> {
    pub(super) fn live(&self) -> usize {
        self.range.len()
    }

    pub(super) fn deleted(&self) -> usize {
        self.reader.map_or(0, |reader| reader.len()).saturating_sub(self.live())
    }
}

/// The live vectors of all sources.
pub(super) struct Gathered<'a> {
    pub(super) sources: Vec<Source<'a>>,
    pub(super) entries: Vec<Entry>,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(field: &FieldInfo, sources: &[MergeSource<'a>], cancel: &Cancel) -> Result<Self> {
        let mut gathered = Self { sources: Vec::with_capacity(sources.len()), entries: Vec::new() };
        for (number, source) in (0u32..).zip(sources) {
            let start = gathered.entries.len();
            if let Some(reader) = source.reader {
                gathered.add(number, reader, source)?;
            }
            cancel.check()?;
            let own = source.reader.map(|reader| reader.as_any());
            let own = own.and_then(|reader| reader.downcast_ref::<LayeredReader>());
            if own.is_some_and(|own| own.field.similarity != field.similarity) {
                return Err(Error::Invalid(format!(
                    "field {:?}: segment {} has another similarity",
                    field.name, source.segment
                )));
            }
            gathered.sources.push(Source {
                segment: source.segment,
                reader: source.reader,
                own,
                range: start..gathered.entries.len(),
            });
        }
        if gathered.entries.len() >= u32::MAX as usize {
            let problem = format!("field {:?}: more vectors than a segment can have", field.name);
            return Err(Error::Invalid(problem));
        }
        if let Some(index) = (0..gathered.sources.len()).find(|&index| !gathered.fits(field, index)) {
            let segment = gathered.sources.get(index).map_or("", |source| source.segment);
            return Err(Error::Invalid(format!(
                "field {:?}: segment {segment} has vectors of another dimension than {}",
                field.name, field.dimension
            )));
        }
        Ok(gathered)
    }

    fn add(&mut self, number: u32, reader: &dyn VectorReader, source: &MergeSource<'_>) -> Result<()> {
        for ordinal in 0..reader.len() as u32 {
            if let Some(doc) = source.docs.get(reader.doc(ordinal)?) {
                self.entries.push(Entry { source: number, ordinal, doc });
            }
        }
        Ok(())
    }

    fn fits(&self, field: &FieldInfo, index: usize) -> bool {
        let part = self.part(index);
        part.is_empty() || part.row(0).is_ok_and(|row| row.len() == field.row_len())
    }

    /// The vectors of one source.
    pub(super) fn part(&self, index: usize) -> Part<'_> {
        let range = self.sources.get(index).map_or(0..0, |source| source.range.clone());
        Part { gathered: self, range }
    }
}

impl Rows for Gathered<'_> {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn row(&self, index: usize) -> Result<&[u8]> {
        let entry = self.entries.get(index);
        let row = entry.and_then(|entry| {
            let source = self.sources.get(entry.source as usize)?;
            Some(source.reader?.row(entry.ordinal))
        });
        row.unwrap_or_else(|| Err(Error::Invalid(format!("there is no vector {index}"))))
    }
}

/// Part of the vectors.
pub(super) struct Part<'a> {
    gathered: &'a Gathered<'a>,
    range: Range<usize>,
}

impl Rows for Part<'_> {
    fn len(&self) -> usize {
        self.range.len()
    }

    fn row(&self, index: usize) -> Result<&[u8]> {
        self.gathered.row(self.range.start + index)
    }
}

/// Seconds spent in each phase.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seconds {
    pub(super) quantiles: f64,
    pub(super) codes: f64,
    pub(super) graph: f64,
    pub(super) files: f64,
}

/// Merges sources of any format.
pub(super) fn merge(
    layers: Layers,
    context: &WriteContext<'_>,
    field: &FieldInfo,
    sources: &[MergeSource<'_>],
) -> Result<(Written, Facts)> {
    let settings = Settings::of(layers, field)?;
    let gathered = Gathered::new(field, sources, context.cancel)?;
    let mut seconds = Seconds::default();
    let mut clock = Instant::now();
    let mut lap = |phase: &mut f64| {
        *phase = clock.elapsed().as_secs_f64();
        clock = Instant::now();
    };
    let planned = Planned::new(layers, field, &settings, &gathered, context.cancel)?;
    lap(&mut seconds.quantiles);
    let mut spill = match &planned.codes {
        Some(_) => {
            Spill::new(context, field, CODES, gathered.len().saturating_mul(field.dimension as usize))?
        }
        None => None,
    };
    let (encoded, renewed) = match &planned.codes {
        Some(codes) => {
            let (encoded, renewed) =
                codes.encode(field, &settings, &gathered, spill.as_mut(), context.cancel)?;
            (Some(encoded), renewed)
        }
        None => (None, Vec::new()),
    };
    let (hashes, renewed) = match &planned.hashes {
        Some(hashes) => {
            let (hashes, renewed) = hashes.encode(field, &gathered, context.cancel)?;
            (Some(hashes), renewed)
        }
        None => (None, renewed),
    };
    lap(&mut seconds.codes);
    let graph = match layers.graph && gathered.len() as u64 >= settings.graph_threshold {
        true => Some(join(context, field, &settings, &gathered, encoded.as_ref())?),
        false => None,
    };
    let lists = match layers.lists {
        true => Some(Lists::of(context, field, settings.nlist, &gathered)?),
        false => None,
    };
    lap(&mut seconds.graph);
    let docs: Vec<DocId> = gathered.entries.iter().map(|entry| entry.doc).collect();
    let built = Built { codes: encoded, hashes, graph, lists };
    let written = finish(context, field, &settings, &gathered, &docs, built)?;
    drop(spill);
    lap(&mut seconds.files);
    let mut facts = report::merge_facts(layers, &settings, &gathered, &planned);
    report::add_outcome(&mut facts, &renewed, seconds);
    Ok((written, facts))
}

/// A graph from the sources' graphs, and from the vectors of those that have none.
fn join(
    context: &WriteContext<'_>,
    field: &FieldInfo,
    settings: &Settings,
    gathered: &Gathered<'_>,
    encoded: Option<&Encoded>,
) -> Result<Graph> {
    let mut maps: Vec<(&dyn GraphView, Vec<u32>)> = Vec::new();
    let mut loose = Vec::new();
    for source in gathered.sources.iter().filter(|source| source.live() > 0) {
        let new = source.range.start as u32..source.range.end as u32;
        match source.own.and_then(LayeredReader::graph) {
            Some(graph) => {
                let mut ordinals = vec![u32::MAX; graph.len()];
                let entries = gathered.entries.get(source.range.clone()).unwrap_or_default();
                for (new, entry) in new.zip(entries) {
                    if let Some(slot) = ordinals.get_mut(entry.ordinal as usize) {
                        *slot = new;
                    }
                }
                maps.push((graph, ordinals));
            }
            None => loose.extend(new),
        }
    }
    if maps.is_empty() {
        return build(context, field, settings, gathered, encoded);
    }
    let sources: Vec<SourceGraph<'_>> =
        maps.iter().map(|(graph, ordinals)| SourceGraph { graph: *graph, ordinals }).collect();
    let params = build_params(context, settings);
    let halves = Halves::of(context, field, settings, encoded)?;
    let halves = halves.as_ref().map(Halves::rows);
    let vectors = graph_vectors(field, gathered, encoded, halves)?;
    graph::merge_graphs(&params, &*vectors, &sources, &loose, context.cancel, context.progress)
}

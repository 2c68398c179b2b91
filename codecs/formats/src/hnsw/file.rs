//! The bytes of a graph: one file, read where it lies.
//!
//! ```text
//! body (64-byte boundary)
//!   level 0        len × 2m u32   rows of linked ordinals, unused end 0xFFFF_FFFF
//!   then for each level from 1 up, n nodes:
//!     nodes        n u32          ordinals, ascending (in the highest level the entry point comes first)
//!     below        n u32          position of each in the level below (level 1: the ordinal)
//!     rows         n × m u32      linked positions in this level, unused end 0xFFFF_FFFF
//! ```
//! All counts are in [`GraphMeta`], which is kept under the segment info's checksum; every offset follows
//! from them and is checked against the file's length when it is opened. What the words say is not: a search
//! checks each before it uses it, and [`GraphFile::verify`] checks them all.

use super::graph::{Graph, GraphView, MAX_NODES, NO_NODE, SelfSearch, unreachable};
use lucerne_codec::envelope::{FOOTER_LEN, FileEntry, HEADER_LEN};
use lucerne_codec::format::{Problem, WriteContext};
use lucerne_codec::io::Access;
use lucerne_codec::io::bytes;
use lucerne_codec::{Cancel, Error, FieldInfo, Input, Ordinal, Result};
use serde::{Deserialize, Serialize};

/// Extension of the file's name.
pub const EXTENSION: &str = "hnsw";
/// Name in the file's envelope.
pub const FORMAT: &str = "hnsw";
/// Version written; no other is read.
pub const VERSION: u32 = 1;

/// More levels than this are never written.
const MAX_LEVELS: usize = 32;
/// Words written between two checks of the cancel flag.
const CANCEL_STEP: usize = 1 << 14;

/// What must be known to open a graph's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GraphMeta {
    /// Links of a node on an upper level; on level 0 it has up to twice as many.
    pub m: u32,
    /// Candidates kept while the graph was built (efConstruction).
    pub beam_width: u32,
    /// Number of nodes.
    pub len: u32,
    /// Nodes of each level, level 0 first.
    pub levels: Vec<u32>,
    /// What searches for its own nodes have found when it was built; absent for inner products.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_search: Option<SelfSearch>,
}

/// Writes a graph with other ordinals: node `order[new]` becomes node `new`.
pub fn write(
    context: &WriteContext<'_>,
    field: &FieldInfo,
    graph: &Graph,
    order: &[Ordinal],
) -> Result<(FileEntry, GraphMeta)> {
    let mut writer = context.create(EXTENSION, FORMAT, VERSION, field.number)?;
    writer.align(64)?;
    let levels = (0..graph.level_count()).map(|number| graph.level_len(number) as u32).collect();
    graph.for_each_renumbered(order, |level| {
        for words in [&level.nodes, &level.below] {
            for words in words.chunks(CANCEL_STEP) {
                context.cancel.check()?;
                writer.write_u32s(words.iter().copied())?;
            }
        }
        let mut words = level.words().peekable();
        while words.peek().is_some() {
            context.cancel.check()?;
            writer.write_u32s(words.by_ref().take(CANCEL_STEP))?;
        }
        Ok(())
    })?;
    let meta = GraphMeta {
        m: graph.m() as u32,
        beam_width: graph.beam_width() as u32,
        len: graph.len() as u32,
        levels,
        self_search: graph.self_search(),
    };
    Ok((writer.finish()?, meta))
}

#[derive(Clone, Copy, Debug)]
struct LevelAt {
    len: usize,
    /// Offsets in the file; `nodes` and `below` are not there on level 0.
    nodes: usize,
    below: usize,
    rows: usize,
    /// Bytes in a row.
    row_bytes: usize,
}

/// A graph in an open file.
#[derive(Debug)]
pub struct GraphFile {
    input: Input,
    m: usize,
    levels: Vec<LevelAt>,
    self_search: Option<SelfSearch>,
}

impl GraphFile {
    /// Opens a whole file whose envelope is checked. `len` is the number of vectors the graph must have.
    pub fn open(input: Input, meta: &GraphMeta, len: usize) -> Result<Self> {
        let fail = |problem: String| Err(input.corrupt(HEADER_LEN, problem));
        if meta.m < 2 || meta.m > 4_096 || meta.levels.is_empty() || meta.levels.len() > MAX_LEVELS {
            let levels = meta.levels.len();
            return fail(format!("a graph with m {} and {levels} levels", meta.m));
        }
        if meta.len as usize != len || len > MAX_NODES || meta.levels.first() != Some(&meta.len) {
            return fail(format!("a graph of {} nodes for {len} vectors", meta.len));
        }
        let shrinking =
            meta.levels.windows(2).all(|pair| matches!(pair, [lower, upper] if upper <= lower && *upper > 0));
        if !shrinking {
            return fail(format!("levels of {:?} nodes", meta.levels));
        }
        // m is at most 2¹², counts below 2³², levels at most 2⁵: nothing overflows 64 bits.
        let mut at = HEADER_LEN;
        let mut levels = Vec::with_capacity(meta.levels.len());
        for (number, &count) in meta.levels.iter().enumerate() {
            let (count, m) = (u64::from(count), u64::from(meta.m));
            let lists = if number == 0 { 0 } else { 4 * count };
            let row_bytes = if number == 0 { 8 * m } else { 4 * m };
            let (nodes, below, rows) = (at, at + lists, at + 2 * lists);
            at = rows + count * row_bytes;
            if at > input.len() as u64 {
                return fail(format!("{count} nodes on level {number} do not fit into the file"));
            }
            levels.push(LevelAt {
                len: count as usize,
                nodes: nodes as usize,
                below: below as usize,
                rows: rows as usize,
                row_bytes: row_bytes as usize,
            });
        }
        if at + FOOTER_LEN != input.len() as u64 {
            return fail(format!("the graph ends at {at}, the file has {} bytes", input.len()));
        }
        // Nearly every search reads it.
        input.advise(Access::Resident);
        Ok(Self { input, m: meta.m as usize, levels, self_search: meta.self_search })
    }

    /// The file.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// What searches for its own nodes have found when it was built; `None` for inner products.
    pub fn self_search(&self) -> Option<SelfSearch> {
        self.self_search
    }

    fn word(&self, start: usize, index: u32) -> u32 {
        let words = self.input.bytes().get(start..).unwrap_or_default();
        bytes::u32_at(words, index as usize).unwrap_or(NO_NODE)
    }

    fn row(&self, level: usize, position: u32) -> &[u8] {
        let Some(level) = self.levels.get(level) else {
            return &[];
        };
        if position as usize >= level.len {
            return &[];
        }
        let start = level.rows + position as usize * level.row_bytes;
        self.input.bytes().get(start..start + level.row_bytes).unwrap_or_default()
    }

    /// Checks every word, and that every node can be reached.
    pub fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut words = Vec::new();
        for (number, level) in self.levels.iter().enumerate() {
            if number > 0 {
                self.verify_lists(number, level.len, &mut problems);
            }
            for position in 0..level.len as u32 {
                cancel.check_every(1_024, position as usize)?;
                words.clear();
                words.extend(bytes::u32s(self.row(number, position)));
                if let Some(problem) = row_problem(&mut words, position, level.len) {
                    self.report(&mut problems, format!("level {number}, node {position}: {problem}"));
                }
                if problems.len() >= MAX_PROBLEMS {
                    return Ok(problems);
                }
            }
        }
        if problems.is_empty() {
            let unreachable = unreachable(self)?;
            if let Some(first) = unreachable.first() {
                let problem = format!("{} nodes cannot be reached, the first is {first}", unreachable.len());
                self.report(&mut problems, problem);
            }
        }
        Ok(problems)
    }

    fn verify_lists(&self, level: usize, len: usize, problems: &mut Vec<Problem>) {
        let highest = level + 1 == self.levels.len();
        let mut before = None;
        for position in 0..len as u32 {
            let node = self.node(level, position);
            let below = self.below(level, position);
            let sorted = before.is_none_or(|before| before < node) || highest && position == 1;
            let lower = self.level_len(level - 1);
            if !sorted || below as usize >= lower || self.node(level - 1, below) != node {
                let problem =
                    format!("level {level}, position {position}: node {node} at {below} in the level below");
                self.report(problems, problem);
            }
            if problems.len() >= MAX_PROBLEMS {
                return;
            }
            before = Some(node);
        }
    }

    fn report(&self, problems: &mut Vec<Problem>, problem: String) {
        let file = self.input.name().to_owned();
        problems.push(Problem { file, problem });
    }
}

/// A check says no more than this about one graph.
const MAX_PROBLEMS: usize = 20;

fn row_problem(words: &mut [u32], position: u32, len: usize) -> Option<&'static str> {
    let used = words.iter().position(|&word| word == NO_NODE).unwrap_or(words.len());
    let (links, padding) = words.split_at_mut_checked(used)?;
    if padding.iter().any(|&word| word != NO_NODE) {
        return Some("a link after the end of the row");
    }
    if links.contains(&position) {
        return Some("a link to itself");
    }
    if links.iter().any(|&link| link as usize >= len) {
        return Some("a link out of range");
    }
    links.sort_unstable();
    let twice = links.windows(2).any(|pair| pair.first() == pair.last());
    twice.then_some("the same link twice")
}

impl GraphView for GraphFile {
    fn len(&self) -> usize {
        self.level_len(0)
    }

    fn m(&self) -> usize {
        self.m
    }

    fn level_count(&self) -> usize {
        self.levels.len()
    }

    fn level_len(&self, level: usize) -> usize {
        self.levels.get(level).map_or(0, |level| level.len)
    }

    fn node(&self, level: usize, position: u32) -> Ordinal {
        match self.levels.get(level) {
            Some(at) if level > 0 && (position as usize) < at.len => self.word(at.nodes, position),
            Some(_) if level == 0 => position,
            _ => NO_NODE,
        }
    }

    fn below(&self, level: usize, position: u32) -> u32 {
        match self.levels.get(level) {
            Some(at) if level > 0 && (position as usize) < at.len => self.word(at.below, position),
            _ => NO_NODE,
        }
    }

    #[inline]
    fn neighbors(&self, level: usize, position: u32, row: &mut Vec<u32>) {
        row.clear();
        // The whole row, then where it ends: neither needs a branch for each link.
        row.extend(bytes::u32s(self.row(level, position)));
        row.truncate(row.partition_point(|&link| link != NO_NODE));
    }

    #[inline]
    fn prefetch(&self, position: u32) {
        if let Some(level) = self.levels.first() {
            let start = level.rows.saturating_add((position as usize).saturating_mul(level.row_bytes));
            lucerne_simd::prefetch(self.input.bytes(), start, level.row_bytes);
        }
    }

    fn corrupt(&self, problem: String) -> Error {
        self.input.corrupt(HEADER_LEN, problem)
    }
}

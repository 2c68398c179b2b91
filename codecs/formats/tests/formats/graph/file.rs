//! Graphs in files, sound and hostile.

use super::support::*;
use lucerne_codec::format::{Working, WriteContext};
use lucerne_codec::testing::MemoryDirectory;
use lucerne_codec::{Cancel, Directory, Error, FieldInfo, Input, SegmentId, Similarity};
use lucerne_formats::hnsw::file::{GraphFile, GraphMeta, write};
use lucerne_formats::hnsw::graph::{
    Graph, GraphView, SearchScratch, SourceGraph, bfs_order, merge_graphs, unreachable,
};
use std::sync::Arc;

fn written(graph: &Graph) -> (Vec<u8>, GraphMeta) {
    let directory = MemoryDirectory::new();
    let cancel = Cancel::new();
    let context = WriteContext {
        directory: &directory,
        segment: "_0",
        segment_id: SegmentId([1; 16]),
        max_doc: graph.len() as u32,
        seed: 42,
        threads: 1,
        working: Working::Heap,
        cancel: &cancel,
        progress: &(),
    };
    let field = FieldInfo {
        number: 0,
        name: "embedding".into(),
        dimension: DIMENSION as u32,
        similarity: Similarity::Euclidean,
        params: Default::default(),
    };
    let order: Vec<u32> = (0..graph.len() as u32).collect();
    let (entry, meta) = write(&context, &field, graph, &order).unwrap();
    let bytes = directory.open(&entry.name).unwrap().bytes().to_vec();
    assert_eq!(bytes.len() as u64, entry.len);
    (bytes, meta)
}

fn opened(bytes: Vec<u8>, meta: &GraphMeta, len: usize) -> lucerne_codec::Result<GraphFile> {
    GraphFile::open(Input::new("_0.0.hnsw", Arc::new(bytes)), meta, len)
}

#[test]
fn a_file_answers_like_the_graph_written_to_it() {
    for n in [1, 2, 2_000] {
        let vectors = Vectors::clustered(n, 10);
        let graph = built(&vectors, 1);
        let (bytes, meta) = written(&graph);
        let file = opened(bytes.clone(), &meta, n).unwrap();
        assert_eq!(file.verify(&Cancel::new()).unwrap(), []);
        for query in &Vectors::clustered(20, 12).0 {
            assert_eq!(find(&graph, &vectors, query, 30), find(&file, &vectors, query, 30));
        }
        // A cut file and meta that does not fit are refused.
        for cut in [0, 63, 64, 80, bytes.len() / 2, bytes.len() - 1] {
            assert!(opened(bytes[..cut].to_vec(), &meta, n).is_err());
        }
        for wrong in [0, 1, meta.m + 1, u32::MAX] {
            let with = |change: &dyn Fn(&mut GraphMeta)| {
                let mut changed = meta.clone();
                change(&mut changed);
                changed
            };
            assert!(opened(bytes.clone(), &with(&|meta| meta.m = wrong), n).is_err());
            assert!(opened(bytes.clone(), &with(&|meta| meta.levels.push(wrong)), n).is_err());
            assert!(
                opened(bytes.clone(), &with(&|meta| meta.levels = vec![wrong.max(n as u32 + 1)]), n).is_err()
            );
        }
        assert!(opened(bytes, &meta, n + 1).is_err());
    }
}

#[test]
fn hostile_words_give_errors_or_answers_but_never_a_panic() {
    let vectors = Vectors::clustered(1_500, 13);
    let graph = built(&vectors, 1);
    let (good, meta) = written(&graph);
    let mut random = Random(14);
    let mut scratch = SearchScratch::new();
    let (mut refused, mut out) = (0, Vec::new());
    for round in 0..300 {
        let mut bytes = good.clone();
        let body = 64..bytes.len() - 16;
        match round % 3 {
            // All garbage, garbage in range, single words.
            0 => bytes[body].iter_mut().for_each(|byte| *byte = random.next() as u8),
            1 => bytes[body].chunks_exact_mut(4).for_each(|word| {
                word.copy_from_slice(&(random.below(1_500) as u32).to_le_bytes());
            }),
            _ => (0..20).for_each(|_| {
                let at = 64 + 4 * random.below((good.len() - 80) / 4);
                bytes[at..at + 4].copy_from_slice(&(random.next() as u32).to_le_bytes());
            }),
        }
        let file = opened(bytes, &meta, 1_500).unwrap();
        let cancel = Cancel::new();
        for query in &Vectors::clustered(3, round).0 {
            match search(&file, &vectors, query, 1_500, |_| true, &mut scratch, &mut out) {
                Ok(stats) => assert!(stats.visited < 1_500 * 3 && out.len() <= 1_500),
                Err(error) => {
                    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
                    refused += 1;
                }
            }
        }
        let clean = file.verify(&cancel).is_ok_and(|problems| problems.is_empty());
        assert!(!clean, "round {round}: damage not seen");
        let _ = (unreachable(&file), bfs_order(&file));
        let ordinals: Vec<u32> = (0..1_500).collect();
        let source = SourceGraph { graph: &file, ordinals: &ordinals };
        if round % 25 < 3 {
            match merge_graphs(&params(1), &vectors, &[source], &[], &cancel, &()) {
                Ok(merged) => assert!(unreachable(&merged).unwrap().is_empty()),
                Err(error) => assert!(matches!(error, Error::Corrupt { .. }), "{error}"),
            }
        }
    }
    assert!(refused > 100);
}

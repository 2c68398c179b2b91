//! Bits of every byte of every file of a small index, flipped: two of each byte, or as many as `LUCERNE_BITS` says.
//!
//! The index has two segments, deleted documents, all kinds of fields, a graph over int8 codes and a field of
//! raw vectors alone. For each flip: opening, searching in every way, reading documents and checking end
//! without panic, within the bounds of `trials.rs` (no allocation above 4 × the index + 1 MiB); the
//! check finds the flip and names the file; metadata (commit, segment info, live docs) and every file's header
//! and footer are refused at open with an error that names the file.

use crate::common::faults::number_from_environment;
use crate::trials::{
    Forge, Image, Seen, allocation_bound, bounded, folder, generations, is_commit, is_metadata, look, named,
    total,
};
use lucerne::codec::format::OpenContext;
use lucerne::codec::segment_info::SegmentInfo;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What became of the flips of one kind of file.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    flips: u64,
    /// Refused at open.
    refused: u64,
    /// Opened; a query or a read says what is damaged.
    reported: u64,
    /// Opened; every answer is that of the undamaged index.
    same: u64,
    /// Opened; an answer differs and nothing says so.
    silent: u64,
    largest: usize,
}

impl Tally {
    fn count(&mut self, file: &str, seen: Seen, expected: &[String], what: &dyn Fn() -> String) {
        self.flips += 1;
        self.largest = self.largest.max(seen.largest);
        match seen.open {
            Err(error) => {
                assert_eq!(named(&error), Some(file), "{}: {error}", what());
                self.refused += 1;
            }
            Ok(answers) if answers.iter().any(Result::is_err) => self.reported += 1,
            Ok(answers) if answers.iter().flatten().eq(expected) => self.same += 1,
            Ok(_) => self.silent += 1,
        }
    }

    fn add(&mut self, other: &Tally) {
        self.flips += other.flips;
        self.refused += other.refused;
        self.reported += other.reported;
        self.same += other.same;
        self.silent += other.silent;
        self.largest = self.largest.max(other.largest);
    }
}

/// Flips bits of every byte of every file, and holds what happens against the promises.
#[expect(clippy::print_stdout, reason = "the figures are the point")]
fn flip_bits(image: &Image) -> Tally {
    let flips = number_from_environment("LUCERNE_BITS").unwrap_or(2).clamp(1, 8) as usize;
    let bytes = total(image);
    let undamaged = look(&folder(image), bytes, &|| "undamaged".to_owned());
    let expected: Vec<String> = undamaged.open.unwrap().into_iter().map(Result::unwrap).collect();
    assert!(undamaged.report.unwrap().ok());

    let places: Vec<(&str, usize)> =
        image.iter().flat_map(|(file, whole)| (0..whole.len()).map(move |at| (file.as_str(), at))).collect();
    let next = AtomicUsize::new(0);
    let tallies = Mutex::new(BTreeMap::<String, Tally>::new());
    let work = || {
        let directory = folder(image);
        while let Some(&(file, at)) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
            let whole = &image[file];
            let mut tally = Tally::default();
            // Others in each byte.
            for bit in (0..flips).map(|number| (at + number * (8 / flips)) % 8) {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                directory.put(file, flipped);
                let what = || format!("{file}: bit {bit} of byte {at} flipped");
                let seen = look(&directory, bytes, &what);
                seen.found(file, &what);
                if is_metadata(file) || at < 64 || at >= whole.len() - 16 {
                    seen.refused(file, &what);
                }
                tally.count(file, seen, &expected, &what);
            }
            directory.put(file, whole.as_slice());
            tallies.lock().unwrap().entry(kind(file).to_owned()).or_default().add(&tally);
        }
    };
    // Two at once: more would only help on machines that have more cores.
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });

    let mut sum = Tally::default();
    println!("{} files, {} bytes; the check found every flip", image.len(), places.len());
    for (kind, tally) in &tallies.into_inner().unwrap() {
        println!("{kind:>9}: {tally:?}");
        sum.add(tally);
    }
    println!("{:>9}: {sum:?}", "all");
    assert_eq!(sum.flips, (places.len() * flips) as u64);
    sum
}

/// `_0.si`: `si`, `_0_3.live`: `live`, `segments_4`: `segments`.
fn kind(file: &str) -> &str {
    if is_commit(file) { "commit" } else { file.rsplit('.').next().unwrap_or(file) }
}

#[test]
fn flipped_bits_of_every_byte_are_survived_and_found() {
    let [_, _, image] = generations(1);
    let sum = flip_bits(&image);
    // Without reading every byte at open, a flip in a vector, a code or the map from vectors to documents may
    // change an answer. In so small an index every query meets a large share of them.
    let share = sum.silent as f64 / sum.flips as f64;
    assert!(share <= 0.05, "{:.2} % silent answers: {sum:?}", 100.0 * share);
}

/// A search traverses graphs of many vectors only, so a graph's bits are tried on the graph's own reader.
#[test]
fn every_flipped_bit_of_a_graph_is_survived_by_a_traversal() {
    let [_, _, image] = generations(1);
    for (segment, file) in [("_0.si", "_0.6.hnsw"), ("_1.si", "_1.6.hnsw")] {
        let directory = folder(&image);
        let info = Forge::new(&image).read(segment);
        let info: SegmentInfo = serde_json::from_value(info).unwrap();
        let vectors = &info.vectors[0];
        let registry = lucerne_formats::builtin();
        let format = registry.vectors(&vectors.structure.format, segment).unwrap();
        let whole = &image[file];
        // Header and footer are refused at open.
        for bit in 64 * 8..(whole.len() - 16) * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            directory.put(file, flipped);
            let what = || format!("{file}: bit {bit} flipped");
            let (_, largest) = bounded(&what, || {
                let (files, meta) = (&vectors.structure.files, &vectors.structure.meta);
                let (segment_id, max_doc) = (info.id, info.max_doc);
                let context = OpenContext { directory: &directory, segment_id, max_doc, files, meta };
                let reader = format.open(&context, &vectors.field).unwrap();
                crate::fuzz::traverse(&*reader);
            });
            assert!(largest <= allocation_bound(total(&image)), "{}: {largest}", what());
        }
    }
}

//! The inputs that the fuzzers found worth keeping, through the same functions.

use crate::trials::{allocation_bound, bounded};
use std::path::{Path, PathBuf};

fn corpus() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "fuzz", "corpus"].iter().collect()
}

fn replay(target: crate::fuzz::Target, name: &str, input: &[u8], file: &Path) {
    let what = || format!("{name}: {}", file.display());
    let (_, largest) = bounded(&what, || target(input));
    // Stored documents unpack to at most the longest document that can be added, 16 MiB; JSON is as above.
    let bound = allocation_bound(25 * input.len()) + (17 << 20);
    assert!(largest <= bound, "{}: {largest} bytes in one allocation", what());
}

/// What the fuzzers found worth keeping, and what they start from.
#[test]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
fn the_fuzzers_corpus_is_survived() {
    for (name, target) in crate::fuzz::TARGETS {
        let folder = corpus().join(name);
        let mut files: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "no corpus for {name}");
        files.iter().for_each(|file| replay(target, name, &std::fs::read(file).unwrap(), file));
        println!("{name}: {} inputs", files.len());
    }
    for (name, input) in crate::fuzz::seeds() {
        let target = crate::fuzz::TARGETS.iter().find(|target| target.0 == name).unwrap().1;
        replay(target, name, &input, Path::new("(a seed)"));
    }
}

/// `cargo test --test damage fuzz_corpus -- --ignored` writes the inputs that fuzzing starts from.
#[test]
#[ignore = "writes to fuzz/corpus"]
fn write_the_fuzzers_seeds() {
    for (number, (name, input)) in crate::fuzz::seeds().into_iter().enumerate() {
        let folder = corpus().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("seed-{number:02}")), input).unwrap();
    }
}

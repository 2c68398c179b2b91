//! Words searched by lucerne and by tantivy: the same documents, the same words, the ten best.
//!
//! `cargo run --release -- docs.jsonl.zst [--docs N] [--queries N] [--rounds N]`. With `--facets` all matches are counted
//! by section instead, and with `--vectors base.npy queries.npy` also neighbors, which only lucerne finds. `--only And`
//! runs the searches of one kind (`Or`, `And`, `Phrase`, `Prefix`, `Fuzzy`, `Wildcard`, `Regex`, `Highlight`). A line of the
//! file is a JSON object with `name`, `description` and `section`, and `row` if there are vectors. Both engines index with one thread, keep the same stored fields, and are merged
//! into one segment. Each query runs in turns, first here, then there; its time is the least of all rounds, which a
//! busy machine disturbs least.

mod documents;
mod facets;
#[path = "../../../examples/common/npy.rs"]
mod npy;
mod ours;
mod theirs;

use std::path::Path;
use std::time::{Duration, Instant};

pub type Failure = Box<dyn std::error::Error>;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// Any of the words.
    Or,
    /// All of the words.
    And,
    /// The words in this order, side by side.
    Phrase,
    /// A word that begins so.
    Prefix,
    /// A word at most one edit away.
    Fuzzy,
    /// A word of this pattern.
    Wildcard,
    Regex,
}

/// Searches of one kind: the words of a query, from the fewest to the most.
const KINDS: [(Mode, usize, usize); 7] = [
    (Mode::Or, 1, 4),
    (Mode::And, 1, 4),
    (Mode::Phrase, 2, 4),
    (Mode::Prefix, 1, 1),
    (Mode::Fuzzy, 1, 1),
    (Mode::Wildcard, 1, 1),
    (Mode::Regex, 1, 1),
];

/// How many sections are counted.
pub const SECTIONS: usize = 20;

/// A score of the ten best, best first.
pub trait Engine {
    fn search(&self, words: &str, mode: Mode) -> Result<Vec<f32>, Failure>;

    /// How many documents match.
    fn count(&self, words: &str, mode: Mode) -> Result<usize, Failure>;

    /// The ten best documents with their names and descriptions, with a fragment of each that shows the words or without.
    fn read(&self, words: &str, highlights: bool) -> Result<Vec<String>, Failure>;
}

/// The `at`-th argument after a name.
fn argument(name: &str, at: usize) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(at + 1)
}

fn number(name: &str, default: usize) -> Result<usize, Failure> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    Ok(arguments.next().map(|value| value.parse()).transpose()?.unwrap_or(default))
}

fn folder_len(folder: &Path) -> Result<u64, Failure> {
    let mut len = 0;
    for entry in std::fs::read_dir(folder)? {
        len += entry?.metadata()?.len();
    }
    Ok(len)
}

fn report_build(name: &str, docs: usize, took: Duration, folder: &Path) -> Result<(), Failure> {
    let mib = folder_len(folder)? as f64 / f64::from(1 << 20);
    println!("{name:<22} {:>9.0} docs/s  {mib:>7.2} MiB", docs as f64 / took.as_secs_f64());
    Ok(())
}

fn main() -> Result<(), Failure> {
    let path = std::env::args().nth(1).ok_or("usage: lucerne-tantivy-bench docs.jsonl[.zst] [--docs N]")?;
    let docs = documents::read(Path::new(&path), number("--docs", usize::MAX)?)?;
    let (count, rounds) = (number("--queries", 200)?, number("--rounds", 5)?);
    println!("{} documents\n", docs.len());

    if std::env::args().any(|argument| argument == "--facets") {
        return facets::run(&docs, count, rounds);
    }
    let (plain, own, other) = (tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?);
    let (_, took) = ours::build(plain.path(), &docs, false, &[])?;
    report_build("lucerne, stored only", docs.len(), took, plain.path())?;
    let (ours, took) = ours::build(own.path(), &docs, true, &[])?;
    report_build("lucerne, with text", docs.len(), took, own.path())?;
    let (theirs, took) = theirs::build(other.path(), &docs)?;
    report_build("tantivy, with text", docs.len(), took, other.path())?;

    println!(
        "\n{:<8} {:>5} {:>12} {:>12} {:>7} {:>9}",
        "", "words", "lucerne/s", "tantivy/s", "ratio", "agree"
    );
    let only = argument("--only", 0);
    let is_wanted = |kind: &str| only.as_ref().is_none_or(|only| only == kind);
    for (mode, fewest, most) in KINDS.into_iter().filter(|(mode, ..)| is_wanted(&format!("{mode:?}"))) {
        let mut all = [Duration::ZERO; 2];
        for words in fewest..=most {
            let queries = documents::queries(&docs, mode, words, count);
            let (times, agree) = compare(&ours, &theirs, &queries, mode, rounds)?;
            print_row(&format!("{mode:?}"), &words.to_string(), count, times, agree);
            all = [all[0] + times[0], all[1] + times[1]];
        }
        if most > fewest {
            let kinds = most - fewest + 1;
            print_row(&format!("{mode:?}"), &format!("{fewest}-{most}"), kinds * count, all, f64::NAN);
        }
    }
    if is_wanted("Highlight") {
        highlights(&ours, &theirs, &documents::queries(&docs, Mode::Or, 2, count), rounds)?;
    }
    Ok(())
}

/// Prints what it takes to show the words in ten hits beside reading these.
fn highlights(
    ours: &dyn Engine,
    theirs: &dyn Engine,
    queries: &[String],
    rounds: usize,
) -> Result<(), Failure> {
    println!("\n{:<12} {:>14} {:>14} {:>14}", "ten hits", "read, µs", "highlight, µs", "slowest, µs");
    for (name, engine) in [("lucerne", ours), ("tantivy", theirs)] {
        let mut least = vec![[Duration::MAX; 2]; queries.len()];
        for _ in 0..rounds {
            for (words, least) in queries.iter().zip(&mut least) {
                // Both keep blocks of stored documents that were read: all reads that are timed find them there.
                engine.read(words, false)?;
                for (highlights, least) in [false, true].into_iter().zip(least) {
                    let start = Instant::now();
                    engine.read(words, highlights)?;
                    *least = (*least).min(start.elapsed());
                }
            }
        }
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        let mean = |times: &dyn Fn(&[Duration; 2]) -> Duration| {
            least.iter().map(|one| micros(times(one))).sum::<f64>() / least.len().max(1) as f64
        };
        let slowest = least.iter().map(|one| micros(one[1].saturating_sub(one[0]))).fold(0.0, f64::max);
        let (read, shown) = (mean(&|one| one[0]), mean(&|one| one[1]));
        println!("{name:<12} {read:>14.0} {:>14.0} {slowest:>14.0}", shown - read);
    }
    Ok(())
}

fn print_row(mode: &str, words: &str, count: usize, times: [Duration; 2], agree: f64) {
    let rates = times.map(|time| count as f64 / time.as_secs_f64());
    let agree = if agree.is_nan() { String::new() } else { format!("{agree:.3}") };
    println!(
        "{mode:<8} {words:>5} {:>12.0} {:>12.0} {:>7.2} {agree:>9}",
        rates[0],
        rates[1],
        rates[0] / rates[1]
    );
}

/// The least times of both engines, added up over the queries, and the share of queries that find the same: scores of the same
/// ratios, or about as many documents.
fn compare(
    ours: &dyn Engine,
    theirs: &dyn Engine,
    queries: &[String],
    mode: Mode,
    rounds: usize,
) -> Result<([Duration; 2], f64), Failure> {
    let mut least = vec![[Duration::MAX; 2]; queries.len()];
    let mut agree = 0;
    for round in 0..rounds {
        for (words, least) in queries.iter().zip(&mut least) {
            let mut found = [Vec::new(), Vec::new()];
            for (index, engine) in [ours, theirs].into_iter().enumerate() {
                let start = Instant::now();
                found[index] = engine.search(words, mode)?;
                least[index] = least[index].min(start.elapsed());
            }
            let is_same = match mode {
                Mode::Or | Mode::And | Mode::Phrase => same(&found[0], &found[1]),
                // Both score 1, or each in its own way.
                _ if round == 0 => same_count(ours.count(words, mode)?, theirs.count(words, mode)?),
                _ => false,
            };
            agree += usize::from(round == 0 && is_same);
        }
    }
    let sum = |index: usize| least.iter().map(|least| least[index]).sum();
    Ok(([sum(0), sum(1)], agree as f64 / queries.len() as f64))
}

/// tantivy rounds lengths to a byte and multiplies by k1 + 1: scores agree to some percent up to that factor.
fn same(ours: &[f32], theirs: &[f32]) -> bool {
    let close = |(own, other): (&f32, &f32)| (own * 2.2 - other).abs() <= 0.08 * other.abs();
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(close)
}

/// The two do not split words alike.
fn same_count(ours: usize, theirs: usize) -> bool {
    ours.abs_diff(theirs) as f64 <= 0.08 * theirs as f64
}

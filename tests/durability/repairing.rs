//! Power cuts and kills while an index is repaired or raw vectors are dropped: it is what it was, or what it was to become,
//! and the next attempt ends at the same.
//!
//! `LUCERNE_CUTS=5000` cuts more often than on every push, `LUCERNE_KILLS=100` kills more often.
#![expect(clippy::print_stdout, reason = "the figures of a run")]

use crate::common::faults::number_from_environment;
use crate::common::rng::Rng;
use lucerne::admin::{self, RepairOptions, RepairReport};
use lucerne::codec::Directory;
use lucerne::directory::fault::{FaultDirectory, Model};
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::{Cancel, Document, Index, Knn, Match, Schema, Vector, WriterOptions};
use std::sync::Arc;

const DIMENSION: usize = 16;
const DOCS: usize = 90;

fn options() -> WriterOptions {
    WriterOptions::new().merge_policy(MergePolicy::None).threads(1)
}

/// Three segments, a tag on the commit of the first two, deletes in all of them.
fn fill(index: &Index) {
    let writer = index.writer_with(options()).unwrap();
    let mut rng = Rng::new(3);
    for id in 0..DOCS {
        let pad: String = (0..60).map(|_| format!("{:016x}", rng.next())).collect();
        let document = Document::new().with("id", id.to_string()).with("t", format!("word{} all", id % 7));
        writer.add(&document.with("pad", pad).with("v", rng.vector(DIMENSION))).unwrap();
        if id % 30 == 29 {
            writer.commit().unwrap();
        }
        if id == 59 {
            writer.delete("4").unwrap();
            writer.tag("v1").unwrap();
        }
    }
    writer.delete("7").unwrap();
    writer.delete("61").unwrap();
    writer.close().unwrap();
}

fn schema() -> Schema {
    let vector = Vector::f32(DIMENSION).m(4).beam_width(8).advanced("graph_threshold", 0);
    Schema::builder().key("id").dynamic(true).text("t").vector("v", vector).build().unwrap()
}

/// Damages the terms and the graph of the first segment, stored documents of the second, and the third's segment info.
fn damage(directory: &dyn Directory) {
    let info =
        directory.list().unwrap().into_iter().find(|name| name.starts_with("_2") && name.ends_with(".si"));
    for file in ["_0.post", "_0.1.hnsw", "_1.stored", &info.unwrap()] {
        let mut bytes = directory.open(file).unwrap().bytes().to_vec();
        let at = bytes.len() / 3;
        bytes[at] ^= 0x55;
        directory.delete(file).unwrap();
        let mut output = directory.create(file).unwrap();
        output.write(&bytes).unwrap();
        output.finish().unwrap();
        directory.sync(file).unwrap();
    }
    directory.sync_dir().unwrap();
}

fn repair(directory: &Arc<dyn Directory>) -> lucerne::Result<RepairReport> {
    let (cancel, directory) = (Cancel::new(), Arc::clone(directory));
    admin::repair_in(IndexBuilder::new(), directory, &RepairOptions::new(), &cancel, &())
}

/// Everything that a repaired index must hold; panics on anything else.
fn repaired(directory: &Arc<dyn Directory>, lost: usize) {
    let index = IndexBuilder::new().open(Arc::clone(directory)).unwrap();
    for (searcher, live) in [(index.searcher().unwrap(), DOCS - 3), (index.open_at("v1").unwrap(), 59)] {
        assert_eq!(searcher.len() as usize, live - lost);
        let found = searcher.search(lucerne::Search::new(Match::new("t", "all")).limit(500)).unwrap();
        assert_eq!(found.hits.len(), live - lost);
        assert_eq!(searcher.search(Knn::new("v", [0.5; DIMENSION]).k(20)).unwrap().hits.len(), 20);
    }
    let report = admin::check_in(IndexBuilder::new(), Arc::clone(directory), &Cancel::new(), &()).unwrap();
    assert_eq!(report.problems, []);
}

#[test]
fn a_power_cut_during_a_repair_leaves_the_damaged_index_or_the_repaired_one() {
    let base = FaultDirectory::new();
    fill(&IndexBuilder::new().create(Arc::new(base.clone()), schema()).unwrap());
    damage(&base);
    let shared = |disk: FaultDirectory| Arc::new(disk) as Arc<dyn Directory>;
    let whole = shared(base.crash(Model::ALL[0], 0));
    let expected = repair(&whole).unwrap();
    let lost = expected.lost.len();
    assert!(lost > 0 && lost < 30 && expected.segments.len() == 3, "{expected:?}");
    repaired(&whole, lost);

    let cuts = number_from_environment("LUCERNE_CUTS").unwrap_or(240);
    let rehearsal = base.crash(Model::ALL[0], 0);
    repair(&shared(rehearsal.clone())).unwrap();
    let (operations, mut rng, mut done) = (rehearsal.operations(), Rng::new(9), 0);
    for cut in 0..cuts {
        let model = Model::ALL[cut as usize % Model::ALL.len()];
        // Half of the time among the last operations, which publish and delete.
        let last = if rng.chance(50) { 40 } else { operations };
        let at = operations - rng.next() % last.min(operations);
        let disk = base.crash(model, 0);
        disk.cut_at(at);
        let _ = repair(&shared(disk.clone()));
        let after = shared(disk.crash(model, rng.next()));
        // Tagged and newest commit are replaced one after the other: each is damaged or whole.
        let again = repair(&after).unwrap();
        match again.is_whole() {
            true => done += 1,
            false => assert!(again.lost.iter().all(|lost| expected.lost.contains(lost)), "cut at {at}"),
        }
        repaired(&after, lost);
    }
    println!("{cuts} power cuts while repairing, {done} after the commit: {lost} documents lost every time");
    assert!(done > 0);
}

/// `kill -9` of a process that repairs, and of one that drops raw vectors.
#[cfg(unix)]
mod killed {
    use super::*;
    use lucerne::directory::FsDirectory;
    use std::io::{BufRead, BufReader};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    const CHILD_FOLDER: &str = "LUCERNE_TEST_REPAIR_FOLDER";
    const CHILD_WORK: &str = "LUCERNE_TEST_REPAIR_WORK";

    fn drop_raw(folder: &Path) {
        let writer = Index::open(folder).unwrap().writer_with(options()).unwrap();
        writer.drop_raw("v").unwrap();
        writer.close().unwrap();
    }

    /// The child: one piece of work.
    #[test]
    #[ignore = "a helper of the tests of kills"]
    fn repairing_child() {
        let Some(folder) = std::env::var_os(CHILD_FOLDER) else { return };
        let folder = Path::new(&folder);
        println!("\nbegins");
        match std::env::var(CHILD_WORK).as_deref() {
            Ok("repair") => drop(admin::repair(folder, &RepairOptions::new()).unwrap()),
            _ => drop_raw(folder),
        }
    }

    fn copy(from: &Path, to: &Path) {
        std::fs::create_dir(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }

    /// Lets a child do `work` in a copy of `template` again and again, and kills it on the way; `look` at each copy.
    fn kill(work: &str, template: &Path, look: impl Fn(&Path)) -> u64 {
        let kills = number_from_environment("LUCERNE_KILLS").unwrap_or(8);
        let (mut rng, mut took, mut killed) = (Rng::new(5), Duration::from_millis(200), 0);
        for number in 0..=kills {
            let folder = template.with_file_name(format!("{work}{number}"));
            copy(template, &folder);
            let begun = Instant::now();
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "repairing::killed::repairing_child", "--ignored", "--nocapture"])
                .env(CHILD_FOLDER, &folder)
                .env(CHILD_WORK, work)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
            assert!(lines.any(|line| line == "begins"));
            if number == 0 {
                // The first one is not disturbed, to know how long it takes.
                assert!(child.wait().unwrap().success());
                took = begun.elapsed();
            } else {
                std::thread::sleep(took.mul_f64(rng.below(1_000) as f64 / 1_000.0));
                child.kill().unwrap();
                killed += u64::from(!child.wait().unwrap().success());
            }
            look(&folder);
            std::fs::remove_dir_all(&folder).unwrap();
        }
        println!("{work}: {kills} kills, {killed} before the end: nothing lost");
        killed
    }

    #[test]
    fn a_killed_repair_is_begun_again_and_loses_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        let template = folder.path().join("template");
        fill(&Index::create(&template, schema()).unwrap());
        damage(&FsDirectory::open(&template).unwrap());
        let whole = folder.path().join("whole");
        copy(&template, &whole);
        let lost = admin::repair(&whole, &RepairOptions::new()).unwrap().lost.len();
        let killed = kill("repair", &template, |folder| {
            admin::repair(folder, &RepairOptions::new()).unwrap();
            repaired(&(Arc::new(FsDirectory::open(folder).unwrap()) as Arc<dyn Directory>), lost);
        });
        assert!(killed > 0);
    }

    #[test]
    fn a_killed_drop_of_raw_vectors_is_done_or_not_begun() {
        let folder = tempfile::tempdir().unwrap();
        let template = folder.path().join("template");
        fill(&Index::create(&template, schema()).unwrap());
        let killed = kill("drop_raw", &template, |folder| {
            repaired(&(Arc::new(FsDirectory::open(folder).unwrap()) as Arc<dyn Directory>), 0);
            drop_raw(folder);
            let searcher = Index::open(folder).unwrap().searcher().unwrap();
            assert!(searcher.search(Knn::new("v", [0.5; DIMENSION]).exact()).is_err());
            assert_eq!(searcher.search(Knn::new("v", [0.5; DIMENSION]).k(20)).unwrap().hits.len(), 20);
        });
        assert!(killed > 0);
    }
}

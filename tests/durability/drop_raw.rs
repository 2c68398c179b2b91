//! Power cuts while raw vectors are dropped: the index has them or has them not, and every document in either case.

use crate::common::faults::number_from_environment;
use crate::common::rng::Rng;
use lucerne::codec::Directory;
use lucerne::directory::fault::{FaultDirectory, Model};
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::{Cancel, Document, Knn, Schema, Vector, WriterOptions, admin};
use std::sync::Arc;

const DIMENSION: usize = 16;

fn options() -> WriterOptions {
    WriterOptions::new().merge_policy(MergePolicy::None).threads(1)
}

fn open(disk: &FaultDirectory) -> lucerne::Result<lucerne::Index> {
    IndexBuilder::new().open(Arc::new(disk.clone()) as Arc<dyn Directory>)
}

/// Three segments of 40 documents, all durable.
fn filled() -> FaultDirectory {
    let disk = FaultDirectory::new();
    let schema = Schema::builder().key("id").vector("v", Vector::f32(DIMENSION)).build().unwrap();
    let index = IndexBuilder::new().create(Arc::new(disk.clone()), schema).unwrap();
    let writer = index.writer_with(options()).unwrap();
    let mut rng = Rng::new(3);
    for id in 0..120 {
        let document = Document::new().with("id", id.to_string()).with("v", rng.vector(DIMENSION));
        writer.add(&document).unwrap();
        if id % 40 == 39 {
            writer.commit().unwrap();
        }
    }
    writer.delete("7").unwrap();
    writer.close().unwrap();
    disk
}

fn drop_raw(disk: &FaultDirectory) -> lucerne::Result<()> {
    let index = open(disk)?;
    let writer = index.writer_with(options())?;
    writer.drop_raw("v")?;
    writer.close()
}

/// Whether raw vectors are there; all else must be as it was.
fn look(disk: &FaultDirectory) -> bool {
    let index = open(disk).unwrap();
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.len(), 119);
    let kept = searcher.schema().vector_field_named("v").unwrap().options().keeps_raw();
    let query = || Knn::new("v", vec![0.5; DIMENSION]).k(10);
    assert_eq!(searcher.search(query()).unwrap().hits.len(), 10);
    assert_eq!(searcher.search(query().exact()).is_ok(), kept);
    let directory = Arc::new(disk.clone()) as Arc<dyn Directory>;
    let report = admin::check_in(IndexBuilder::new(), directory, &Cancel::new(), &()).unwrap();
    assert_eq!(report.problems, []);
    kept
}

#[test]
fn a_power_cut_at_any_operation_leaves_all_of_it_or_nothing() {
    let base = filled();
    let seeds = number_from_environment("LUCERNE_CUTS").map_or(2, |cuts| cuts.div_ceil(120));
    let (mut kept, mut gone, mut cuts) = (0, 0, 0);
    for model in Model::ALL {
        for at in 1.. {
            let disk = base.crash(model, 0);
            disk.cut_at(at);
            // An error, or done before the cut.
            let _ = drop_raw(&disk);
            for seed in 0..seeds {
                let after = disk.crash(model, at * 31 + seed);
                cuts += 1;
                match look(&after) {
                    true => kept += 1,
                    false => gone += 1,
                }
                // Whatever was left behind: the next one does it.
                drop_raw(&after).unwrap();
                assert!(!look(&after), "cut at {at}");
                let names = after.list().unwrap();
                assert!(!names.iter().any(|name| name.ends_with(".vec")), "{names:?}");
                assert_eq!(names.iter().filter(|name| name.ends_with(".si")).count(), 3, "{names:?}");
            }
            if !disk.power_is_cut() {
                break;
            }
        }
    }
    assert!(cuts > 100 && kept > 20 && gone > 5, "{cuts} cuts: {kept} kept, {gone} gone");
}

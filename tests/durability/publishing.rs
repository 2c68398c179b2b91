//! Publishing: whatever happens to the disk while segments are published, all of them are in the index or none, and no
//! document twice.
//!
//! `LUCERNE_CUTS=5000` cuts the power more often than on every push, `LUCERNE_SEED=n` replays one seed.
#![expect(clippy::print_stdout, reason = "the figures of a run")]

use crate::common::faults::{number_from_environment, on_all_cores, tail};
use crate::common::life::{
    Content, Made, State, difference, document, find_state, key, lives_on, options, schema,
};
use crate::common::rng::Rng;
use lucerne::codec::{Cancel, Directory};
use lucerne::directory::fault::{FaultDirectory, Model, Times, is_power_cut};
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::transfer::{PublishOptions, Published, SegmentBuilder, SegmentHandle, merge_segments};
use lucerne::writer::OnExisting;
use lucerne::{Error, admin};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An index on a disk, with its built and merged segments in a folder beside it.
struct Scene {
    disk: FaultDirectory,
    built: tempfile::TempDir,
    handles: Vec<SegmentHandle>,
    before: State,
    after: State,
}

fn scene(rng: &mut Rng) -> Scene {
    let (disk, built) = (FaultDirectory::new(), tempfile::tempdir().unwrap());
    let index = IndexBuilder::new().create(Arc::new(disk.clone()), schema()).unwrap();
    let options = options(4).merge_policy(MergePolicy::None);
    let writer = index.writer_with(options.clone()).unwrap();
    let mut content = Content::new();
    for _ in 0..8 + rng.below(16) {
        let made = (rng.below(24), rng.next() >> 20);
        writer.upsert(&document(made)).unwrap();
        content.insert(key(made.0), document(made));
    }
    writer.close().unwrap();
    let before = State { content: content.clone(), number: 0 };
    let searcher = index.searcher().unwrap();
    let mut handles = Vec::new();
    for plan in admin::plan_even_merges(&searcher, 1 + rng.below(2)).unwrap() {
        let sources = plan["sources"].as_array().unwrap().iter();
        let names: Vec<&str> = sources.map(|source| source["segment"].as_str().unwrap()).collect();
        let merged = merge_segments(&searcher, &names, built.path(), &options, &Cancel::new(), &());
        handles.push(merged.unwrap());
    }
    for part in 0..2 {
        let made: Vec<Made> = (0..6).map(|at| (part * 12 + 2 * at, rng.next() >> 20)).collect();
        let mut builder = SegmentBuilder::new(schema(), built.path(), options.clone()).unwrap();
        made.iter().for_each(|&made| builder.add(&document(made)).unwrap());
        handles.push(builder.finish().unwrap());
        content.extend(made.into_iter().map(|made| (key(made.0), document(made))));
    }
    Scene { disk, built, handles, before, after: State { content, number: 0 } }
}

fn publish(disk: &FaultDirectory, built: &Path, handles: &[SegmentHandle]) -> Result<Published, Error> {
    let index = IndexBuilder::new().open(Arc::new(disk.clone()))?;
    let options = PublishOptions::new().folder(built).on_existing(OnExisting::Replace);
    index.publish(handles, &options, &Cancel::new())
}

fn seeds(each: u64, all: u64) -> std::ops::Range<u64> {
    match number_from_environment("LUCERNE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number_from_environment("LUCERNE_CUTS").unwrap_or(all).div_ceil(each),
    }
}

/// The index is at one of the two commits; where it is still at the first, the same handles can be published again.
fn follow(image: FaultDirectory, scene: &Scene, allowed: &[Option<State>]) -> Result<bool, String> {
    let trouble = |what: &str, trouble: &dyn std::fmt::Display| format!("{what}: {trouble}");
    let directory: Arc<dyn Directory> = Arc::new(image.clone());
    let state_of = || {
        let searcher = IndexBuilder::new().open(Arc::clone(&directory)).and_then(|index| index.searcher());
        let searcher = searcher.map_err(|error| trouble("opening", &error))?;
        let at = allowed.iter().flatten().position(|state| difference(&searcher, &state.content).is_ok());
        at.map(|at| allowed.get(at).cloned().flatten()).ok_or_else(|| "neither of the two commits".to_owned())
    };
    let published = state_of()?.as_ref() == Some(&scene.after);
    if !published {
        publish(&image, scene.built.path(), &scene.handles).map_err(|error| trouble("again", &error))?;
    }
    let after = [Some(scene.after.clone())];
    find_state(&directory, &after).map_err(|error| trouble("in the end", &error))?;
    lives_on(&directory, &scene.after).map_err(|error| trouble("in the end", &error))?;
    Ok(published)
}

#[test]
fn a_power_cut_leaves_all_published_segments_or_none_and_they_can_be_published_again() {
    let (cut, at_new) = (AtomicU64::new(0), AtomicU64::new(0));
    on_all_cores(seeds(20, 400), |seed| {
        let rng = &mut Rng::new(seed);
        let scene = scene(rng);
        let rehearsal = scene.disk.crash(Model::Journalled, 0);
        let begun = rehearsal.operations();
        publish(&rehearsal, scene.built.path(), &scene.handles)
            .map_err(|error| format!("seed {seed}: {error}"))?;
        let operations = rehearsal.operations() - begun;
        for _ in 0..20 {
            let at = 1 + rng.next() % operations;
            let disk = scene.disk.crash(Model::Journalled, 0);
            disk.cut_at(at);
            let context = |what: String| {
                format!("cut at {at} of {operations}: {what}; LUCERNE_SEED={seed}{}", tail(&disk.log()))
            };
            let result = publish(&disk, scene.built.path(), &scene.handles);
            let allowed = match &result {
                Ok(_) => vec![Some(scene.after.clone())],
                Err(error) if is_power_cut(error) => {
                    vec![Some(scene.before.clone()), Some(scene.after.clone())]
                }
                Err(error) => return Err(context(error.to_string())),
            };
            cut.fetch_add(1, Ordering::Relaxed);
            let model = Model::ALL[rng.below(2)];
            let image = if rng.chance(20) { disk.kill() } else { disk.crash(model, rng.next()) };
            let published = follow(image, &scene, &allowed).map_err(context)?;
            at_new.fetch_add(u64::from(published), Ordering::Relaxed);
        }
        Ok(())
    })
    .unwrap();
    let (cut, at_new) = (cut.into_inner(), at_new.into_inner());
    println!(
        "{cut} power cuts while publishing: 0 segments lost, 0 documents twice; {at_new} at the new commit"
    );
    assert!(at_new > 0 && at_new < cut);
}

#[test]
fn an_error_of_the_disk_leaves_the_commit_before_it_and_the_same_handles_can_be_published_again() {
    let failed = AtomicU64::new(0);
    on_all_cores(seeds(20, 60), |seed| {
        let rng = &mut Rng::new(1_000 + seed);
        let scene = scene(rng);
        let rehearsal = scene.disk.crash(Model::Journalled, 0);
        let begun = rehearsal.operations();
        publish(&rehearsal, scene.built.path(), &scene.handles)
            .map_err(|error| format!("seed {seed}: {error}"))?;
        // One of three, so that in three scenes each comes to its turn.
        for at in (1 + seed % 3..=rehearsal.operations() - begun).step_by(3) {
            let disk = scene.disk.crash(Model::Journalled, 0);
            disk.fail_at(at, Times::Once, io::ErrorKind::StorageFull);
            let result = publish(&disk, scene.built.path(), &scene.handles);
            disk.clear_faults();
            failed.fetch_add(u64::from(result.is_err()), Ordering::Relaxed);
            // A rename that is said to have failed may have been done.
            let allowed = match result {
                Ok(_) => vec![Some(scene.after.clone())],
                Err(_) => vec![Some(scene.before.clone()), Some(scene.after.clone())],
            };
            follow(disk, &scene, &allowed).map_err(|what| format!("error at {at}: {what}; seed {seed}"))?;
        }
        Ok(())
    })
    .unwrap();
    assert!(failed.into_inner() > 100);
}

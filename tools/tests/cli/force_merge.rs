//! `force-merge` and `add-index`.

use crate::support::{Place, documents};
use serde_json::Value;
use std::collections::BTreeMap;

/// Every file with its bytes, the lock's left out.
fn files(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(place.dir()).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.path().extension().is_none_or(|end| end != "lock"));
    files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())).collect()
}

fn segments(place: &Place) -> usize {
    place.run("inspect @ --json").expect(0).json()["segments"].as_array().unwrap().len()
}

fn outcomes(facts: &Value) -> Vec<&str> {
    match facts {
        Value::Object(map) => {
            let own = map.get("outcome").and_then(Value::as_str);
            own.into_iter().chain(map.values().flat_map(outcomes)).collect()
        }
        Value::Array(values) => values.iter().flat_map(outcomes).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_dry_run_says_what_becomes_of_each_segment_and_changes_nothing() {
    let place = Place::sample(1_200, "--flush-docs 300");
    let before = (segments(&place), files(&place));
    assert!(before.0 > 2, "{}", before.0);
    let shown = place.run("force-merge @ --dry-run").expect(0).out;
    assert!(["kept", "requantized", "resampled"].iter().any(|outcome| shown.contains(outcome)), "{shown}");
    let plan = place.run("force-merge @ --dry-run --json").expect(0).json();
    let planned = &plan["plan"][0];
    assert_eq!(outcomes(planned).len(), before.0, "{planned:#}");
    assert_eq!(planned["docs"], 1_200);
    assert!(planned["bytes_to_read"].as_u64() > Some(1_200 * 384 * 4), "{planned:#}");
    assert_eq!((segments(&place), files(&place)), before);

    // Fewer, then one; what was planned is done.
    let ran = place.run("force-merge @ --max-segments 2 --json").expect(0).json();
    assert_eq!((&ran["segments_before"], &ran["segments_after"]), (&before.0.into(), &2.into()));
    let plan = place.run("force-merge @ --dry-run --json").expect(0).json();
    let ran = place.run("force-merge @ --threads 1 --seed 3 --json").expect(0).json();
    assert_eq!(outcomes(&ran["plan"]), outcomes(&plan["plan"]));
    assert_eq!(outcomes(&ran["records"]), outcomes(&plan["plan"]));
    assert!(cfg!(not(target_os = "linux")) || ran["peak_anon_mb"].as_f64() > Some(1.0), "{ran:#}");
    assert_eq!((segments(&place), place.docs()), (1, 1_200));
    place.run("check @").expect(0);
    let again = place.run("force-merge @").expect(0).out;
    assert!(again.contains("nothing to merge"), "{again}");
}

#[test]
fn a_plan_can_be_drawn() {
    let place = Place::sample(1_200, "--flush-docs 300");
    let said = place.run("force-merge @ --dry-run --plot plan.svg").expect(0).out;
    assert!(said.ends_with("Wrote plan.svg.\n"), "{said}");
    let svg = std::fs::read_to_string(place.path("plan.svg")).unwrap();
    for part in
        ["4 segments become 1", ">embedding</text>", "1 segment, 1,200 vectors", "<title>_0: 300 vectors, "]
    {
        assert!(svg.contains(part), "{part}: {svg}");
    }
    place.run("force-merge @ --plot plan.svg").expect(2);
    place.run("force-merge @ --dry-run --plot no/such/folder.svg").expect(3);
    place.run("force-merge @ --dry-run --plot test.idx/_0.si").expect(2);
    place.run("inspect @ --html test.idx/report.html").expect(2);
    place.run("force-merge @ --quiet").expect(0);
    place.run("force-merge @ --dry-run --plot plan.svg").expect(0);
    let svg = std::fs::read_to_string(place.path("plan.svg")).unwrap();
    assert!(svg.contains("There is nothing to merge."), "{svg}");
}

#[test]
fn a_force_merge_refuses_wrong_arguments_and_a_held_lock() {
    let place = Place::small();
    for line in ["--max-segments 0", "--max-segments 1 --expunge-deletes", "--above 0.3", "--threads 0"] {
        place.run(&format!("force-merge @ {line}")).expect(2);
    }
    place.run("force-merge missing.idx").expect(3);
    let index = lucerne::Index::open(place.dir()).unwrap();
    let _writer = index.writer().unwrap();
    let ran = place.run("force-merge @").expect(4);
    assert!(ran.err.contains(&format!("process {}", std::process::id())), "{ran:?}");
}

/// Ctrl-C while the merge builds its graph: the old commit is in force and whole, nothing is left over.
#[test]
#[cfg(unix)]
fn an_interrupted_merge_leaves_the_old_commit() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let place = Place::sample(2_400, "--flush-docs 1200");
    let (before, count) = (files(&place), segments(&place));
    assert!(count > 1, "{count}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucerne"));
    command.arg("force-merge").arg(place.dir()).args(["--threads", "1"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The first file of the merged segment is there.
    let started = Instant::now();
    while std::fs::read_dir(place.dir()).unwrap().count() <= before.len() + 1 {
        assert!(started.elapsed() < Duration::from_secs(60), "the merge does not begin");
        assert!(child.try_wait().unwrap().is_none(), "the merge has ended unseen");
        std::thread::sleep(Duration::from_micros(200));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(files(&place), before);
    place.run("check @").expect(0);
    place.run("force-merge @").expect(0);
    assert_eq!((segments(&place), place.docs()), (1, 2_400));
}

#[test]
fn expunging_rewrites_what_has_many_deletes() {
    let place = Place::small();
    place.import(&documents(100), "").expect(0);
    let index = lucerne::Index::open(place.dir()).unwrap();
    let options = lucerne::WriterOptions::new().merge_policy(lucerne::merge::MergePolicy::None);
    let writer = index.writer_with(options).unwrap();
    (0..30).for_each(|number| assert!(writer.delete(&format!("d{number}")).unwrap()));
    writer.close().unwrap();
    let deleted = || place.run("inspect @ --json").expect(0).json()["deleted"].as_u64();
    place.run("force-merge @ --expunge-deletes --above 0.5").expect(0);
    assert_eq!((deleted(), place.docs()), (Some(30), 70));
    place.run("force-merge @ --expunge-deletes").expect(0);
    assert_eq!((deleted(), place.docs()), (Some(0), 70));
    place.run("check @").expect(0);
}

#[test]
fn add_index_joins_indexes_and_refuses_a_common_key() {
    let [place, other] = [Place::small(), Place::small()];
    place.import(&documents(50), "").expect(0);
    other.import(&documents(80).lines().skip(50).collect::<Vec<_>>().join("\n"), "").expect(0);
    let command = format!("add-index @ {}", other.dir().display());
    let said = place.run(&format!("{command} --json")).expect(0).json();
    assert_eq!((&said["docs"], &said["segments"]), (&80.into(), &2.into()));
    let before = files(&place);
    place.run(&command).expect(2);
    other.import("{\"name\":\"more\",\"size\":1,\"e\":[1,1]}", "").expect(0);
    let twin = place.run(&command).expect(2);
    assert!(twin.err.starts_with("error: "), "{twin:?}");
    place.run("add-index @ missing.idx").expect(3);
    place.run("add-index @").expect(2);
    assert_eq!(files(&place), before);
    place.run("check @").expect(0);
}

#[test]
fn a_ceiling_of_memory_is_kept_or_said_to_be_too_small() {
    let place = Place::small();
    place.import(&documents(3_000), "--flush-docs 1000 --no-merge --memory 16MiB").expect(0);
    let merged = place.run("force-merge @ --memory 16MiB --json").expect(0).json();
    assert_eq!(merged["segments_after"], 1);
    assert!(merged["plan"][0]["memory_least"].as_u64() <= merged["plan"][0]["memory"].as_u64());
    for size in ["much", "16", "0MiB", "16MiX", "99999999999TiB"] {
        let ran = place.run(&format!("force-merge @ --memory {size}")).expect(2);
        assert!(ran.err.contains("expected a whole number with a unit"), "{ran:?}");
    }
}

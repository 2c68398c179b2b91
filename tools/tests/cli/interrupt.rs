//! Ctrl-C.
#![cfg(unix)]

use crate::support::{Place, documents};
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what} takes too long");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// An import that has committed 100 documents, taken 20 more and half of another, and waits for the rest.
fn waiting(place: &Place, threads: usize) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucerne"));
    command.arg("import").arg(place.dir()).args(["-", "--json", "--commit-every", "50"]);
    command.args(["--threads", &threads.to_string()]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let text = format!("{}{{\"name\":\"half", documents(120));
    child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    let index = lucerne::Index::open(place.dir()).unwrap();
    // A commit on the way may just have replaced the one that is being opened.
    wait_until("the second commit", || index.searcher().is_ok_and(|searcher| searcher.len() >= 100));
    std::thread::sleep(Duration::from_millis(200));
    child
}

#[test]
fn an_interrupted_import_commits_what_it_took() {
    for threads in [1, 3] {
        let place = Place::small();
        let mut child = waiting(&place, threads);
        let input = child.stdin.take(); // Stays open: nothing but the signal ends the import.
        signal(&child, "-INT");
        let output = child.wait_with_output().unwrap();
        drop(input);
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&report["docs"], &report["interrupted"]), (&120.into(), &true.into()));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("interrupted; 120 documents"), "{said}");
        assert_eq!(place.docs(), 120);
        place.run("check @").expect(0);
    }
}

#[test]
fn a_killed_import_keeps_its_commits() {
    let place = Place::small();
    let mut child = waiting(&place, 1);
    signal(&child, "-KILL");
    assert_eq!(child.wait().unwrap().code(), None);
    assert_eq!(place.docs(), 100);
    place.run("check @").expect(0);
    // Nothing is in the way of the next import.
    place.import(&documents(120), "--upsert").expect(0);
    assert_eq!(place.docs(), 120);
}

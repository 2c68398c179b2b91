//! The program.

use crate::index::{create, write};
use crate::server::Server;
use std::process::{Command, Output};

pub(crate) fn program(server: &Server) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucerne-object-store"));
    command.envs(server.environment());
    command
}

fn run(server: &Server, arguments: &[&str]) -> Output {
    program(server).args(arguments).output().unwrap()
}

#[test]
fn pushes_pulls_lists_and_sweeps_with_the_usual_variables() {
    let (server, folder) = (Server::start(7), tempfile::tempdir().unwrap());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (live, cache, url) = (path("live"), path("cache"), server.url("notes"));
    let index = create(live.as_ref());
    write(&index, 0..12, 1);
    let json = |arguments: &[&str]| {
        let output = run(&server, arguments);
        assert!(output.status.success(), "{output:?}");
        let lines = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str::<serde_json::Value>(lines.trim()).unwrap()
    };
    let pushed = json(&["push", &live, &url, "--json"]);
    assert_eq!((&pushed["number"], &pushed["docs"]), (&1.into(), &12.into()));
    let pulled = json(&["pull", &url, &cache, "--json"]);
    assert_eq!(pulled["downloaded_bytes"], pushed["bytes"]);
    assert_eq!(json(&["commits", &url, "--json"])["generation"], pushed["generation"]);
    assert_eq!(json(&["sweep", &url, "--older-than", "7", "--json"])["kept_commits"], 1);
    let words = String::from_utf8(run(&server, &["push", &live, &url]).stdout).unwrap();
    assert!(words.contains("0 files of 0 bytes uploaded"), "{words}");

    let other = path("other");
    let empty = format!("file://{}", path("empty"));
    write(&create(other.as_ref()), 0..2, 1);
    write(&index, 0..12, 2);
    for (arguments, code, said) in [
        (&["push", &other, &url][..], 2, "another index"),
        (&["push", &live, &url, "--expected-generation", "9"], 4, "was expected"),
        (&["pull", &server.url("nothing"), &cache], 3, "no commit was pushed there"),
        (&["pull", &empty, &cache], 3, "/empty): no commit was pushed there"),
        (&["push", &path("none"), &url], 3, "none"),
        (&["sweep", &url, "--older-than", "0"], 2, "at least 24 hours"),
        (&["sweep", &url], 2, "usage:"),
        (&["push", &live], 2, "usage:"),
        (&["pull", &url, &cache, "--generation", "x"], 2, "no whole number"),
        (&[], 2, "usage:"),
    ] {
        let output = run(&server, arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
        assert!(message.contains(said), "{arguments:?}: {message}");
    }
    for (variable, value) in [
        ("AWS_ENDPOINT_URL", "localhost:9000"),
        ("AWS_ENDPOINT_URL", "http://"),
        ("AWS_ACCESS_KEY_ID", "key\n"),
        ("AWS_REGION", "here\n"),
    ] {
        let output = program(&server).env(variable, value).args(["push", &live, &url]).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && message.contains(variable), "{variable}: {message}");
    }
    assert!(run(&server, &["--help"]).status.success());
    let file_url = format!("file://{}", path("as folder"));
    assert_eq!(json(&["push", &live, &file_url.replace(' ', "%20"), "--json"])["docs"], 12);
}

//! `web`: a page that shows an index, for a browser on this machine. It reads and never writes.
//!
//! | file | idea |
//! |---|---|
//! | `server` | HTTP on loopback, everything bounded |
//! | `gate` | which requests are answered: host, token, origin, method, path |
//! | `answer` | responses with the headers that keep a browser from doing anything else |
//! | `watched` | the index, its newest commit, and what was computed of that |
//! | `views` | a plain function for each view: from a commit and a question in JSON to JSON |
//! | `page` | the files of the page |
//! | `report` | the same in one file, for `inspect --html` |

mod answer;
mod gate;
mod page;
pub(super) mod report;
mod server;
pub(super) mod views;
pub(super) mod watched;

use crate::args::Web;
use crate::failure::{Code, Failure, Outcome};
use crate::render::out;
use crate::signals;
use gate::Gate;
use lucerne::ErrorKind;
use serde_json::json;
use server::Site;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use watched::Watched;

/// Random bytes of the token.
const TOKEN_BYTES: usize = 16;

pub(super) fn run(args: &Web, json: bool) -> Outcome {
    let watched = Watched::new(&args.dir);
    // Damage is shown by the page. What is no index is an error here.
    if let Err(error) = watched.open() {
        if error.kind() != ErrorKind::Corrupt {
            return Err(Failure::engine(&args.dir, &error));
        }
        out::warning(&format!("{error}; until that is mended the page says no more than this"));
    }
    // Every page begins with it: whoever opens the address need not wait.
    prepare(&watched, "overview", b"null");
    let problem = |action: &str, error: &dyn std::fmt::Display| {
        Failure::new(Code::Io, format!("cannot {action}: {error}"))
    };
    let listen = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))?;
        listener.set_nonblocking(true)?;
        Ok((listener.local_addr()?.port(), listener))
    };
    let (port, listener) = listen().map_err(|error: std::io::Error| {
        problem(&format!("listen on 127.0.0.1:{}", args.port), &error)
            .hint("without --port a free port is taken")
    })?;
    let token = token().map_err(|error| problem("make a random token", &error))?;
    let url = format!("http://127.0.0.1:{port}/{token}/");
    if json {
        out::json(&json!({ "url": url }))?;
    } else {
        out::line(&url)?;
        out::note("only this machine can open it, and only with this address; Ctrl-C ends it");
    }
    let site = Arc::new(Site { gate: Gate::new(port, token), watched });
    // While the browser starts.
    let own = Arc::clone(&site);
    let _not_started =
        std::thread::Builder::new().spawn(move || prepare(&own.watched, "plan", views::FIRST_PLAN));
    server::serve(listener, site, &signals::stop_flag()).map_err(|error| problem("serve", &error))
}

/// Computes a view before anybody asks; what fails is told to who does.
fn prepare(watched: &Watched, view: &str, question: &[u8]) {
    let _told_later = views::answer(watched, view, question);
}

/// What the address must have, so that no other program or page of this machine gets an answer.
fn token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

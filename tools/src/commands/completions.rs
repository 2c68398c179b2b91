//! `completions`: scripts for shells.

use crate::args::Arguments;
use crate::failure::Outcome;
use crate::render::out;
use clap::CommandFactory as _;

pub(super) fn run(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "lucerne", &mut script);
    out::text(&String::from_utf8_lossy(&script))
}

//! The `lucerne` command line: it says what to do, the engine does it.
//!
//! `args` is what was said, as plain data; `commands` make sense of it and call the engine's public API;
//! `vectors` reads vector files; `render` prints. Everything printed goes through `render::out`.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod failure;
mod render;
mod signals;
mod vectors;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    match commands::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            render::out::failure(&failure);
            ExitCode::from(failure.code as u8)
        }
    }
}

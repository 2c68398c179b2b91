//! The `lucerne` command line, a thin layer over the engine's public API.
//!
//! `args` declares the arguments as plain data; `commands` interpret them and call the engine; `vectors`
//! reads vector files; `render` formats results. Everything printed goes through `render::out`.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod failure;
mod input;
mod render;
mod signals;
mod vectors;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = args::Arguments::read();
    if arguments.quiet {
        render::out::be_quiet();
    }
    match commands::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            render::out::failure(&failure);
            ExitCode::from(failure.code as u8)
        }
    }
}

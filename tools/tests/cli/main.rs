//! The command line from outside: what it prints, and its exit codes.

mod alter;
mod backup;
mod drop_raw;
mod eval;
mod exit_codes;
mod export;
mod force_merge;
mod hashes;
mod import;
mod import_order;
mod input_formats;
mod inspect;
mod inspect_more;
mod interrupt;
mod repair;
mod search;
mod search_queries;
mod search_sparse;
mod support;
mod upgrade;
mod vector_files;
mod web;
mod writes;

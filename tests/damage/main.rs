//! Files that are damaged, cut off, forged or in the place of others: refused, or bounded in time and memory.

#[path = "../common/mod.rs"]
mod common;

mod bit_rot;
mod counting;
mod forged_files;
#[allow(dead_code, reason = "each fuzz target uses its own")]
mod fuzz;
mod fuzz_corpus;
mod overwritten_files;
mod repair;
mod repair_kept;
mod repair_truth;
mod trials;
mod truncation;
mod wrong_contents;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;

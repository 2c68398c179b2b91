//! What survives power cuts, killed processes, full disks and errors of the disk.

#[path = "../common/mod.rs"]
mod common;

mod backup;
mod directory_promises;
mod disk_full;
mod drop_raw;
mod history;
mod io_errors;
mod kill9;
mod power_cut;
mod publishing;
mod repairing;

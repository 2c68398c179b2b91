//! Commits to stores and from them: a real S3 server on loopback (s3s), folders, memory.

mod command;
mod index;
mod rounds;
mod server;
mod sweeping;
mod transfers;
mod wrong;

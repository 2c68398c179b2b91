//! What is to go wrong, and when.

use lucerne_codec::Error;
use std::fmt;
use std::io;

/// What the simulated disk counts, logs, and can be told to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// A new file.
    Create,
    /// A buffer of an output reaching the operating system.
    Write,
    /// Closing an output after its last write.
    Finish,
    /// A view of a file.
    Open,
    /// A file's length.
    FileLen,
    /// The listing of the folder.
    List,
    /// Removing a name.
    Delete,
    /// Changing a name.
    Rename,
    /// Making a file's bytes durable.
    Sync,
    /// Making the names durable.
    SyncDir,
    /// Taking a lock.
    Lock,
}

impl Operation {
    /// Every operation.
    pub const ALL: &'static [Operation] = &[
        Operation::Create,
        Operation::Write,
        Operation::Finish,
        Operation::Open,
        Operation::FileLen,
        Operation::List,
        Operation::Delete,
        Operation::Rename,
        Operation::Sync,
        Operation::SyncDir,
        Operation::Lock,
    ];

    /// The operations that change what a crash can leave behind.
    pub const MUTATING: &'static [Operation] = &[
        Operation::Create,
        Operation::Write,
        Operation::Delete,
        Operation::Rename,
        Operation::Sync,
        Operation::SyncDir,
    ];

    /// The word for messages, the same as the real directory's.
    pub(super) fn action(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Write => "write",
            Operation::Finish => "finish",
            Operation::Open => "open",
            Operation::FileLen => "read the length",
            Operation::List => "list",
            Operation::Delete => "delete",
            Operation::Rename => "rename",
            Operation::Sync | Operation::SyncDir => "sync",
            Operation::Lock => "lock",
        }
    }
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// At one operation; the next ones work again.
    Once,
    /// At that operation and all later ones.
    Forever,
}

/// An injected error. A failed write has written a part, a failed sync has lost pages (see
/// [`super::FaultDirectory`]), any other failed operation has done nothing, unless
/// [`Fault::but_applied`] is set.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) trigger: Trigger,
    pub(super) times: Times,
    pub(super) error: io::ErrorKind,
    pub(super) applied: bool,
}

impl Fault {
    /// The `n`-th operation from now fails; the next one is the first.
    pub fn at(n: u64, times: Times, error: io::ErrorKind) -> Self {
        Self { trigger: Trigger::new(n, Operation::ALL), times, error, applied: false }
    }

    /// Only these operations are counted and fail.
    pub fn only(mut self, operations: &'static [Operation]) -> Self {
        self.trigger.operations = operations;
        self
    }

    /// The operation takes effect all the same and only its success is not reported, as when a network
    /// file system loses the answer.
    pub fn but_applied(mut self) -> Self {
        self.applied = true;
        self
    }
}

/// Counts down over some operations.
#[derive(Clone, Debug)]
pub(super) struct Trigger {
    left: u64,
    operations: &'static [Operation],
}

impl Trigger {
    pub(super) fn new(n: u64, operations: &'static [Operation]) -> Self {
        Self { left: n, operations }
    }

    /// Counts one operation; true at the n-th and at all later ones.
    pub(super) fn strikes(&mut self, operation: Operation) -> bool {
        if !self.operations.contains(&operation) {
            return false;
        }
        self.left = self.left.saturating_sub(1);
        self.left == 0
    }
}

/// The error of every operation from a power cut on.
#[derive(Debug)]
pub(super) struct PowerCut;

impl fmt::Display for PowerCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the power of the simulated disk is cut")
    }
}

impl std::error::Error for PowerCut {}

/// The error of an injected fault.
#[derive(Debug)]
pub(super) struct Injected(pub(super) u64);

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "injected at operation {}", self.0)
    }
}

impl std::error::Error for Injected {}

/// An error of the simulated disk.
pub(super) fn disk_error(operation: Operation, name: &str, source: io::Error) -> Error {
    let name = if name.is_empty() { "the folder" } else { name };
    Error::io(name, operation.action(), source)
}

/// True when the error, or what it was caused by, is a simulated power cut.
pub fn is_power_cut(error: &(dyn std::error::Error + 'static)) -> bool {
    caused_by::<PowerCut>(error)
}

/// True when the error, or what it was caused by, is an injected [`Fault`].
pub fn is_injected(error: &(dyn std::error::Error + 'static)) -> bool {
    caused_by::<Injected>(error)
}

fn caused_by<E: std::error::Error + 'static>(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| {
        let error = error.downcast_ref::<io::Error>();
        error.and_then(io::Error::get_ref).is_some_and(|inner| inner.is::<E>())
    })
}

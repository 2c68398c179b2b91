//! Errors.

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// What goes wrong between Arrow and an index.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The index refuses a document, or cannot be read.
    #[error(transparent)]
    Lucerne(#[from] lucerne::Error),
    /// The stream of batches has failed.
    #[error("arrow: {0}")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// A column that fits no field.
    #[error("column {column:?}: {problem}")]
    Column {
        /// The column's name.
        column: String,
        /// What is wrong, and what is expected.
        problem: String,
    },
}

impl Error {
    pub(crate) fn column(column: &str, problem: impl Into<String>) -> Self {
        Self::Column { column: column.to_owned(), problem: problem.into() }
    }
}

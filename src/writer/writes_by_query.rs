//! The writer's calls for all documents that match a query.

use super::by_query::{self, ByQueryReport};
use super::{Writer, merging};
use crate::document::{Update, Value};
use crate::error::{Error, Result};
use crate::query::{Query, Range};
use crate::schema::{FieldType, Schema};
use lucerne_codec::{Cancel, Progress};
use std::time::SystemTime;

impl Writer {
    /// Deletes all documents that match a query.
    ///
    /// Everything written so far takes part, committed or not, and is not shown to searchers by this. All is done at one
    /// point in time: a refresh or commit sees the whole of it, a rollback takes it back. A document that another thread
    /// replaces or deletes meanwhile is left as that thread wants it, and counts as skipped. Other writes and merges go on.
    /// Of a [`Knn`](crate::Knn) query the neighbors that it finds are deleted, at most `k`.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// use lucerne::{Document, Index, Range, Schema};
    ///
    /// let index = Index::create(folder.path(), Schema::builder().key("id").i64("year").build()?)?;
    /// let writer = index.writer()?;
    /// for (key, year) in [("a", 1987), ("b", 1991), ("c", 2004)] {
    ///     writer.add(&Document::new().with("id", key).with("year", year))?;
    /// }
    /// let report = writer.delete_by_query(Range::new("year").lt(2000))?;
    /// assert_eq!((report.matched, report.changed), (2, 2));
    /// writer.commit()?;
    /// assert_eq!(index.searcher()?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Searcher::search`](crate::Searcher::search) and [`Writer::refresh`]. Nothing is deleted then.
    pub fn delete_by_query(&self, query: impl Into<Query>) -> Result<ByQueryReport> {
        self.delete_by_query_with(query, &Cancel::new())
    }

    /// The same with a way to cancel it, or a deadline ([`Cancel::until`]).
    ///
    /// # Errors
    /// As [`Writer::delete_by_query`].
    pub fn delete_by_query_with(&self, query: impl Into<Query>, cancel: &Cancel) -> Result<ByQueryReport> {
        self.merge_or_stall();
        let report = by_query::delete(&self.inner, query.into(), cancel)?;
        merging::maybe_merge(&self.inner);
        Ok(report)
    }

    /// Deletes the documents whose date in `field` is not after `now`. Those without a date stay; of several dates one
    /// is enough.
    ///
    /// Nothing expires by itself: until this is called, and refreshed or committed, expired documents are found as before.
    /// Call it as often as they may linger. Searches that must not find one add a filter:
    /// `Bool::new().must_not(Range::new("expires_at").lte(SystemTime::now()))`.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// use lucerne::{Document, Index, Schema};
    /// use std::time::{Duration, SystemTime};
    ///
    /// let index = Index::create(folder.path(), Schema::builder().key("id").date("expires_at").build()?)?;
    /// let writer = index.writer()?;
    /// let now = SystemTime::now();
    /// writer.add(&Document::new().with("id", "a").with("expires_at", now - Duration::from_secs(1)))?;
    /// writer.add(&Document::new().with("id", "b").with("expires_at", now + Duration::from_secs(60)))?;
    /// writer.add(&Document::new().with("id", "c"))?; // never expires
    /// assert_eq!(writer.delete_expired("expires_at", now)?.changed, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::WrongQuery`] when `field` is not a date; else as [`Writer::delete_by_query`].
    pub fn delete_expired(&self, field: &str, now: SystemTime) -> Result<ByQueryReport> {
        self.delete_expired_with(field, now, &Cancel::new())
    }

    /// The same with a way to cancel it, or a deadline ([`Cancel::until`]).
    ///
    /// # Errors
    /// As [`Writer::delete_expired`].
    pub fn delete_expired_with(
        &self,
        field: &str,
        now: SystemTime,
        cancel: &Cancel,
    ) -> Result<ByQueryReport> {
        self.delete_by_query_with(expired(&self.schema(), field, now)?, cancel)
    }

    /// Updates all documents that match a query. Fields that are not named stay as they are, vectors bit for bit (those of
    /// a field without raw vectors as their codes have them).
    ///
    /// What takes part, and when it takes effect, is as for [`Writer::delete_by_query`]. The new versions are written
    /// beside the old ones, which are replaced once all are there: a call that fails has changed nothing. Heap: a buffer of
    /// the writer's budget, and 8 bytes for each document.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// use lucerne::{Document, Index, Schema, Term, Update, Value};
    ///
    /// let schema = Schema::builder().key("id").keyword("section").i64("views").build()?;
    /// let index = Index::create(folder.path(), schema)?;
    /// let writer = index.writer()?;
    /// writer.add(&Document::new().with("id", "vim").with("section", "editors").with("views", 7))?;
    /// writer.add(&Document::new().with("id", "chess").with("section", "games"))?;
    ///
    /// let update = Update::new().set("section", "tools").increment("views", 1);
    /// assert_eq!(writer.update_by_query(Term::new("section", "editors"), update)?.changed, 1);
    /// writer.commit()?;
    /// let vim = index.searcher()?.get("vim")?.unwrap();
    /// assert_eq!((vim.get("section"), vim.get("views")), (Some(&"tools".into()), Some(&Value::I64(8))));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Writer::delete_by_query`]; as [`Writer::update`] for the first document that cannot be updated; when the
    /// schema is changed meanwhile. Nothing is updated then.
    pub fn update_by_query(
        &self,
        query: impl Into<Query>,
        update: impl Into<Update>,
    ) -> Result<ByQueryReport> {
        self.update_by_query_with(query, update, &Cancel::new(), &())
    }

    /// The same with a way to cancel it, or a deadline ([`Cancel::until`]), and a report of its progress in documents.
    ///
    /// # Errors
    /// As [`Writer::update_by_query`].
    pub fn update_by_query_with(
        &self,
        query: impl Into<Query>,
        update: impl Into<Update>,
        cancel: &Cancel,
        progress: &dyn Progress,
    ) -> Result<ByQueryReport> {
        self.merge_or_stall();
        let report = by_query::update(&self.inner, query.into(), &update.into(), cancel, progress)?;
        merging::maybe_merge(&self.inner);
        Ok(report)
    }
}

/// What has expired.
fn expired(schema: &Schema, field: &str, now: SystemTime) -> Result<Query> {
    let of_type = schema.require(field)?.field_type();
    if !matches!(of_type, FieldType::Date) {
        let problem = format!("expected a date field, it is of type {}", of_type.name());
        return Err(Error::WrongQuery { field: Some(field.to_owned()), problem });
    }
    Ok(Range::new(field).lte(Value::from(now)).into())
}

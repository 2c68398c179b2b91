//! Columns by field.

use super::keywords::Keywords;
use super::meta::{ColumnMeta, Meta};
use super::numbers::Numbers;
use super::{FORMAT, VERSION};
use crate::names::only_file;
use lucerne_codec::columns::{ColumnField, ColumnsReader, KeywordColumn, NumberColumn};
use lucerne_codec::envelope::{FOOTER_LEN, HEADER_LEN, NO_FIELD};
use lucerne_codec::format::{OpenContext, Problem};
use lucerne_codec::{Cancel, Error, Input, Report, Result};
use serde_json::json;

enum Column {
    Numbers(Numbers),
    Keywords(Keywords),
}

pub(super) struct Reader {
    input: Input,
    metas: Vec<ColumnMeta>,
    fields: Vec<ColumnField>,
    columns: Vec<Column>,
}

impl Reader {
    pub(super) fn open(context: &OpenContext<'_>) -> Result<Self> {
        let entry = only_file(context, "columns_v1")?;
        let input = context.open(entry, FORMAT, VERSION, NO_FIELD)?;
        let metas = Meta::read(context, &entry.name)?.columns;
        let (mut columns, mut end) = (Vec::with_capacity(metas.len()), HEADER_LEN);
        for meta in &metas {
            if meta.at != end {
                let problem = format!("column of field {} is not here but at {}", meta.field.number, meta.at);
                return Err(input.corrupt(end, problem));
            }
            let column = input.sub(meta.at, meta.len)?;
            end = meta.at.saturating_add(meta.len);
            columns.push(match meta.dictionary {
                Some(terms) => Column::Keywords(Keywords::open(&column, context.max_doc, meta, terms)?),
                None => Column::Numbers(Numbers::open(&column, column.len() as u64, context.max_doc, meta)?),
            });
        }
        if end.checked_add(FOOTER_LEN) != Some(input.len() as u64) {
            return Err(input.corrupt(end, "the columns do not fill the file"));
        }
        let fields = metas.iter().map(|meta| meta.field.clone()).collect();
        Ok(Self { input, metas, fields, columns })
    }

    fn column(&self, number: u32) -> Option<&Column> {
        let at = self.fields.binary_search_by_key(&number, |field| field.number).ok()?;
        self.columns.get(at)
    }
}

impl ColumnsReader for Reader {
    fn fields(&self) -> &[ColumnField] {
        &self.fields
    }

    fn numbers(&self, number: u32) -> Option<&dyn NumberColumn> {
        match self.column(number)? {
            Column::Numbers(numbers) => Some(numbers),
            Column::Keywords(_) => None,
        }
    }

    fn keywords(&self, number: u32) -> Option<&dyn KeywordColumn> {
        match self.column(number)? {
            Column::Keywords(keywords) => Some(keywords),
            Column::Numbers(_) => None,
        }
    }

    fn inspect(&self) -> Report {
        let columns = self.metas.iter().zip(&self.columns).map(|(meta, column)| {
            let kind = match column {
                Column::Numbers(_) => json!({ "least": meta.least, "greatest": meta.greatest }),
                Column::Keywords(keywords) => {
                    json!({ "terms": keywords.terms(), "dictionary_bytes": keywords.dictionary.len() })
                }
            };
            json!({
                "field": meta.field,
                "documents": meta.docs,
                "values": meta.values,
                "blocks": meta.blocks,
                "bytes": meta.len,
                "of": kind,
            })
        });
        json!({ "columns": columns.collect::<Vec<_>>(), "bytes": self.input.len() })
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        cancel.check()?;
        let mut problems = Vec::new();
        for column in &self.columns {
            let verified = match column {
                Column::Numbers(numbers) => numbers.verify(cancel, &mut |_| Ok(())),
                Column::Keywords(keywords) => keywords.verify(cancel),
            };
            match verified {
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => {
                    problems.push(Problem { file: self.input.name().to_owned(), problem: error.to_string() });
                }
                Ok(()) => {}
            }
        }
        Ok(problems)
    }
}

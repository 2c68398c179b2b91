//! Analyzers by name.

use super::options::StopWords;
use super::standard::Standard;
use super::synonyms::SynonymMap;
use super::whole::{Keyword, Whitespace};
use super::{Analyzer, TextAnalysis, stop_words};
use crate::error::{Error, Result};
use frostem::Stemmer;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The analyzers that text fields can name: `standard`, `whitespace` (splits at white space and changes nothing),
/// `keyword` (the whole text is one term), and those that are registered.
#[derive(Clone, Debug, Default)]
pub struct Analyzers {
    custom: BTreeMap<String, Arc<dyn Analyzer>>,
    /// Rules of synonyms that were read: there may be many, and every query needs them.
    synonyms: Arc<Mutex<Vec<Known>>>,
}

/// Rules of synonyms, how their words were analyzed, and what they are.
type Known = (Arc<[String]>, TextAnalysis, Arc<SynonymMap>);

/// Rules that are kept: a query or an index has fields with a few different ones.
const KEPT: usize = 64;

const BUILT_IN: [&str; 3] = ["standard", "whitespace", "keyword"];

impl Analyzers {
    /// The built-in analyzers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an analyzer under a name; a later one of the same name replaces an earlier one, or one that is
    /// built in.
    pub fn register(&mut self, name: impl Into<String>, analyzer: Arc<dyn Analyzer>) {
        self.custom.insert(name.into(), analyzer);
        self.synonyms = Arc::default();
    }

    /// Names that are known, the built-in ones first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let custom = self.custom.keys().map(String::as_str).filter(|name| !BUILT_IN.contains(name));
        BUILT_IN.into_iter().chain(custom)
    }

    /// The synonyms by these rules in a field of these options.
    ///
    /// # Errors
    /// [`Error::Schema`] when a rule says nothing or leads in a circle, or the analyzer cannot be had.
    pub(crate) fn synonyms(&self, rules: &Arc<[String]>, analysis: &TextAnalysis) -> Result<Arc<SynonymMap>> {
        let is_same = |(own, of, _): &&Known| (Arc::ptr_eq(own, rules) || own == rules) && of == analysis;
        if let Some((.., known)) = self.synonyms.lock().iter().find(is_same) {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(SynonymMap::new(rules, &*self.resolve(analysis)?).map_err(refuse)?);
        let mut known = self.synonyms.lock();
        if known.len() == KEPT {
            known.remove(0);
        }
        known.push((Arc::clone(rules), analysis.clone(), Arc::clone(&read)));
        Ok(read)
    }

    /// The analyzer for these options.
    ///
    /// # Errors
    /// [`Error::Schema`] when the analyzer is unknown, or does not take one of the options.
    pub fn resolve(&self, analysis: &TextAnalysis) -> Result<Arc<dyn Analyzer>> {
        if let (true, Some(language)) = (analysis.nostem, analysis.stemmer) {
            return Err(refuse(format!("nostem is true and stemmer is {language}, expected one of them")));
        }
        let name = analysis.analyzer.as_deref().unwrap_or("standard");
        let analyzer: Arc<dyn Analyzer> = match (self.custom.get(name), name) {
            (Some(custom), _) => Arc::clone(custom),
            (None, "standard") => return Ok(Arc::new(standard(analysis)?)),
            (None, "whitespace") => Arc::new(Whitespace),
            (None, "keyword") => Arc::new(Keyword),
            (None, _) => {
                let known = self.names().collect::<Vec<_>>().join(", ");
                return Err(refuse(format!("analyzer {name:?} is unknown; known: {known}")));
            }
        };
        let options = [
            ("stemmer", analysis.stemmer.is_some()),
            ("stop_words", analysis.stop_words.is_some()),
            ("fold", analysis.fold),
        ];
        match options.iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                Err(refuse(format!("{option} is an option of analyzer \"standard\", not of {name:?}")))
            }
            None => Ok(analyzer),
        }
    }
}

fn standard(analysis: &TextAnalysis) -> Result<Standard> {
    let stop_words: Vec<&str> = match &analysis.stop_words {
        None => Vec::new(),
        Some(StopWords::List(words)) => words.iter().map(String::as_str).collect(),
        Some(StopWords::Of(language)) => {
            let list = stop_words::of(*language).ok_or_else(|| {
                refuse(format!("there is no list of stop words for {language}; give the words in a list"))
            })?;
            list.to_vec()
        }
    };
    let stemmer = analysis.stemmer.map(|language| Stemmer::try_from_name(&language.to_string()));
    let stemmer = stemmer.transpose().map_err(|error| refuse(error.to_string()))?;
    Ok(Standard::new(analysis.fold, stop_words.into_iter(), stemmer))
}

fn refuse(problem: String) -> Error {
    Error::Schema { field: None, problem }
}

//! The commits of a damaged index: the newest one that can be read, and those kept beside it.

use super::damage::is_damage;
use crate::admin::check::problem_of;
use crate::commit::history::kept_generations;
use crate::commit::{manifest, recover};
use crate::error::{Error, Result};
use lucerne_codec::commit::CommitInfo;
use lucerne_codec::format::Problem;
use lucerne_codec::{Directory, Registry};

/// A commit that could be read.
pub(super) struct Commit {
    pub(super) info: CommitInfo,
    /// Whether its file is to be written again.
    pub(super) damaged: bool,
}

pub(super) struct Commits {
    /// Newest first; there is at least one.
    pub(super) all: Vec<Commit>,
    pub(super) problems: Vec<Problem>,
    /// Tags of commits that cannot be read.
    pub(super) lost_tags: Vec<String>,
    /// Files of commits of which nothing is left.
    pub(super) gone: Vec<String>,
}

/// Reads the newest commit of which anything is left, and the older ones that it keeps.
///
/// # Errors
/// [`Error::NotAnIndex`] when there is no commit; that of the newest one when none can be read.
pub(super) fn read(directory: &dyn Directory, registry: &Registry, names: &[String]) -> Result<Commits> {
    let mut found =
        Commits { all: Vec::new(), problems: Vec::new(), lost_tags: Vec::new(), gone: Vec::new() };
    let (mut first_error, mut passed_over) = (None, false);
    for generation in manifest::generations(names) {
        match found.read(directory, registry, generation) {
            Ok(commit) => {
                let damaged = commit.damaged || passed_over;
                if passed_over {
                    found.passed_over(generation);
                }
                found.all.push(Commit { damaged, ..commit });
                break;
            }
            Err(error) if !is_damage(&error) => return Err(error),
            Err(error) => {
                passed_over = true;
                first_error.get_or_insert(error);
            }
        }
    }
    let Some(newest) = found.all.first_mut() else {
        let none = || recover::no_commit(directory, names);
        return Err(first_error.unwrap_or_else(none));
    };
    let info = newest.info.clone();
    for generation in kept_generations(&info, names) {
        match found.read(directory, registry, generation) {
            Ok(commit) => found.all.push(commit),
            Err(error) if !is_damage(&error) => return Err(error),
            Err(_) => {
                let tags = info.tags.iter().filter(|(_, tagged)| **tagged == generation);
                found.lost_tags.extend(tags.map(|(tag, _)| tag.clone()));
            }
        }
    }
    let is_gone = |generation: u64| !names.contains(&manifest::commit_file(generation));
    for (tag, &generation) in info.tags.iter().filter(|(_, tagged)| is_gone(**tagged)) {
        let (file, problem) =
            (manifest::commit_file(generation), format!("tag {tag:?} names it, and it is gone"));
        found.problems.push(Problem { file, problem });
        found.lost_tags.push(tag.clone());
    }
    let (lost, newest) = (&found.lost_tags, found.all.first_mut());
    if let Some(newest) = newest.filter(|_| !lost.is_empty()) {
        newest.info.tags.retain(|tag, _| !lost.contains(tag));
        newest.damaged = true;
    }
    Ok(found)
}

impl Commits {
    fn read(&mut self, directory: &dyn Directory, registry: &Registry, generation: u64) -> Result<Commit> {
        let file = manifest::commit_file(generation);
        let error = match registry.commit.read(directory, &file, generation) {
            Ok(info) => return Ok(Commit { info, damaged: false }),
            Err(error) => error,
        };
        let mut problem = problem_of(&file, Error::from(error));
        let salvaged = registry.commit.salvage(directory, &file, generation);
        problem.problem.push_str(match &salvaged {
            Ok(_) => "; one of its two copies is whole and is used",
            Err(_) => "; nothing of it is left",
        });
        self.problems.push(problem);
        let info = salvaged.inspect_err(|_| self.gone.push(file))?;
        Ok(Commit { info, damaged: true })
    }

    /// Says which commit takes the place of newer ones of which nothing is left.
    fn passed_over(&mut self, used: u64) {
        let gone = self.problems.iter_mut().filter(|problem| self.gone.contains(&problem.file));
        gone.for_each(|it| {
            it.problem.push_str(&format!(": the older commit {used} is used, what came after it is lost"))
        });
    }
}

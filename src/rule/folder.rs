//! The rules of a user: every `.toml` file of the folders that `--checks` names.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Problem, Rule};
use crate::check::AnyCheck;

/// The topic of all rules that are not ours: no built-in check has it, so that theirs cannot pass for ours.
pub const TOPIC: &str = "house";

/// Why rules could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Not there, or not readable.
    #[error("{} cannot be read: {why}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// Nothing to load.
    #[error("{} has no rule files", .0.display())]
    Empty(PathBuf),
    /// The file's name cannot be an id.
    #[error("{} cannot be the id of a check", .0.display())]
    Name(PathBuf),
    /// Two rules with one id.
    #[error("{id} would be the id of two checks: {} and {}", first.display(), second.display())]
    Taken {
        /// The id.
        id: String,
        /// The one that has it.
        first: PathBuf,
        /// The one that wants it.
        second: PathBuf,
    },
    /// A mistake in a file.
    #[error(transparent)]
    Problem(#[from] Problem),
}

impl FolderError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "check the path of --checks".into(),
            Self::Empty(_) => "--checks takes a folder with .toml files, see docs/rules.md".into(),
            Self::Name(_) => "a rule file and its folders are named in lower case: letters, digits, - and _".into(),
            Self::Taken { .. } => {
                "rename one of the two files: the id of a rule is house/ and the name of its file".into()
            }
            Self::Problem(problem) => problem.hint().into(),
        }
    }
}

/// Loads every rule file of these folders, sorted within each. The id of `DIR/tokens/short_lived.toml` is
/// `house/tokens/short-lived`. `taken` are the checks whose ids are given away already.
///
/// # Errors
/// The first thing that is wrong with a folder or a file.
pub fn load_all(folders: &[PathBuf], taken: &[&dyn AnyCheck]) -> Result<Vec<&'static dyn AnyCheck>, FolderError> {
    let mut ids: HashMap<String, PathBuf> =
        taken.iter().map(|c| (c.card().id.to_owned(), PathBuf::from("a built-in one"))).collect();
    let mut rules: Vec<&'static dyn AnyCheck> = Vec::new();
    for folder in folders {
        let mut files = Vec::new();
        collect(folder, &mut files)?;
        if files.is_empty() {
            return Err(FolderError::Empty(folder.clone()));
        }
        files.sort();
        for file in files {
            let id = id(folder, &file)?;
            if let Some(first) = ids.insert(id.clone(), file.clone()) {
                return Err(FolderError::Taken { id, first, second: file });
            }
            let text = std::fs::read_to_string(&file).map_err(|error| unreadable(&file, &error))?;
            // It lives as long as the program, as the checks that are compiled in do.
            rules.push(Box::leak(Box::new(Rule::load(&id, &file.display().to_string(), &text, None)?)));
        }
    }
    Ok(rules)
}

/// Hidden folders are left alone, links to folders as well: they may lead in circles.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), FolderError> {
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        match entry.file_type() {
            _ if hidden => {}
            Ok(kind) if kind.is_dir() => collect(&path, files)?,
            _ if path.extension().is_some_and(|e| e == "toml") && path.is_file() => files.push(path),
            _ => {}
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> FolderError {
    FolderError::Unreadable { path: path.to_owned(), why: error.to_string() }
}

fn id(folder: &Path, file: &Path) -> Result<String, FolderError> {
    let parts = file.strip_prefix(folder).unwrap_or(file).with_extension("");
    let name = parts.components().map(|part| part.as_os_str().to_str()).collect::<Option<Vec<_>>>();
    let name = name.map(|parts| parts.join("/").replace('_', "-")).unwrap_or_default();
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '/');
    match !name.is_empty() && name.chars().all(legal) {
        true => Ok(format!("{TOPIC}/{name}")),
        false => Err(FolderError::Name(file.to_owned())),
    }
}

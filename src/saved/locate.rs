//! Where in a folder a document lies: beside the others, or at its well-known path, which may go on below the name.

use std::path::{Path, PathBuf};

use url::Url;

use super::SavedError;

const NAMES: [&str; 4] = [super::RESOURCE, super::SERVER, super::OPENID, super::JWKS];

/// Deeper than this no path of an issuer or a resource was seen to be.
const DEEPEST: usize = 8;

/// The file of a document, relative to the folder: `NAME.json`, `NAME`, or the same below `.well-known`; or, as a
/// well-known path goes on with that of the resource or the issuer, a file below a folder `NAME`.
pub(super) fn locate(folder: &Path, name: &'static str, url: Option<&str>) -> Result<Option<PathBuf>, SavedError> {
    let bases = ["", ".well-known"].map(PathBuf::from);
    for base in &bases {
        for file in [base.join(format!("{name}.json")), base.join(name)] {
            if folder.join(&file).is_file() {
                return Ok(Some(file));
            }
        }
    }
    for base in bases.map(|base| base.join(name)) {
        let mut below = Vec::new();
        files_below(folder, &base, DEEPEST, &mut below);
        below.sort();
        let path = url.and_then(|url| Url::parse(url).ok()).map(|url| url.path().trim_matches('/').to_owned());
        let meant = path.and_then(|path| {
            let wanted = base.join(path);
            below.iter().find(|file| **file == wanted || file.with_extension("") == wanted).cloned()
        });
        match (meant, below.as_slice()) {
            (Some(file), _) => return Ok(Some(file)),
            (None, []) => {}
            (None, [file]) => return Ok(Some(file.clone())),
            (None, several) => {
                return Err(SavedError::Several {
                    folder: folder.display().to_string(),
                    name,
                    files: several.iter().map(|file| file.display().to_string()).collect(),
                });
            }
        }
    }
    Ok(None)
}

/// The JSON files that nobody looks at, and somebody may have meant: all in `.well-known`, and at the top those whose
/// names are nearly right.
pub(super) fn others(folder: &Path, known: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for base in ["", ".well-known"].map(PathBuf::from) {
        files_below(folder, &base, 1, &mut found);
    }
    let is_json = |file: &&PathBuf| file.extension().is_some_and(|extension| extension == "json");
    let meant = |file: &&PathBuf| {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        file.parent() != Some(Path::new("")) || NAMES.iter().any(|name| strsim::jaro_winkler(&stem, name) > 0.85)
    };
    let names = found.iter().filter(is_json).filter(meant).map(|file| file.display().to_string());
    let mut names: Vec<String> = names.filter(|file| !known.contains(file)).collect();
    names.sort();
    names
}

fn files_below(folder: &Path, base: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder.join(base)) else { return };
    for entry in entries.flatten() {
        let file = base.join(entry.file_name());
        let path = folder.join(&file);
        if path.is_file() {
            found.push(file);
        } else if depth > 1 && path.is_dir() {
            files_below(folder, &file, depth - 1, found);
        }
    }
}

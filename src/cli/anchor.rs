//! Where code scanning shows findings. Every one needs a place in a file of the repository, and a server is none: it is the
//! line of its configuration that names it, else the workflow that audits it.

use std::path::{Path, PathBuf};

use crate::config::{Config, FILE};
use crate::report::sarif::Anchor;

/// The folders that CI servers check a repository out to.
const WORKSPACES: [&str; 2] = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"];

/// The place. `named` are the addresses that were audited; `document` is the one that was judged offline.
pub(super) fn anchor<'a>(
    given: Option<&str>,
    config: Option<&Config>,
    named: impl IntoIterator<Item = &'a str>,
    document: Option<&Path>,
) -> Anchor {
    let root = root();
    let configured = config.map(|config| (config, line(config, named)));
    if let Some(file) = given {
        let is_the_file =
            |config: &Config| matches!((real(&config.file), real(Path::new(file))), (Some(a), Some(b)) if a == b);
        let line = configured.filter(|(config, _)| is_the_file(config)).map_or(1, |(_, line)| line);
        return Anchor { file: file.into(), line, is_there: true };
    }
    let inside = |path: &Path| within(&root, path);
    // What was judged is shown even where it is no file of the repository.
    let document = document.map(|path| (inside(path).unwrap_or_else(|| path.display().to_string()), 1));
    let configured = || configured.and_then(|(config, line)| Some((inside(&config.file)?, line)));
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let of_workflow = || workflow(&variable("GITHUB_WORKFLOW_REF"), &variable("GITHUB_REPOSITORY"));
    match document.or_else(configured).or_else(|| Some((of_workflow()?, 1))) {
        Some((file, line)) => Anchor { file, line, is_there: true },
        None => Anchor { file: FILE.into(), line: 1, is_there: false },
    }
}

/// The line on which a file names what was audited; the first, if it names something else.
fn line<'a>(config: &Config, named: impl IntoIterator<Item = &'a str>) -> usize {
    let named: Vec<&str> = named.into_iter().collect();
    let keys = ["target", "issuer", "resource.url"];
    let entry = keys.iter().filter(|key| config.text(key).is_some_and(|url| named.contains(&url)));
    entry.filter_map(|key| config.get(key)).map(|entry| entry.line).next().unwrap_or(1)
}

/// The folder that paths in a repository are relative to, as far as it can be known.
fn root() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let here = real(&here).unwrap_or(here);
    let workspaces = WORKSPACES.iter().filter_map(std::env::var_os).filter_map(|folder| real(Path::new(&folder)));
    let repository = || here.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned);
    let found = workspaces.into_iter().find(|folder| here.starts_with(folder)).or_else(repository);
    found.unwrap_or(here)
}

fn real(path: &Path) -> Option<PathBuf> {
    std::fs::canonicalize(path).ok()
}

/// The path of a file as a relative reference of a URI; `None` if it is not in the folder.
fn within(root: &Path, path: &Path) -> Option<String> {
    let path = real(path)?;
    let parts = path.strip_prefix(root).ok()?.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    Some(parts.map(|part| encoded(&part)).collect::<Vec<_>>().join("/"))
}

fn encoded(part: &str) -> String {
    let byte = |byte: u8| match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    part.bytes().map(byte).collect()
}

/// The file of the workflow that runs on GitHub, if it is of this repository: `owner/name/.github/workflows/x.yml@ref`.
fn workflow(reference: &str, repository: &str) -> Option<String> {
    let file = reference.strip_prefix(repository).filter(|_| !repository.is_empty())?.strip_prefix('/')?;
    let file = file.split('@').next()?;
    file.starts_with(".github/workflows/").then(|| file.split('/').map(encoded).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_is_a_file_of_its_own_repository() {
        let of = |reference| workflow(reference, "o/r");
        assert_eq!(of("o/r/.github/workflows/a b.yml@refs/heads/x").as_deref(), Some(".github/workflows/a%20b.yml"));
        assert_eq!(of("o/other/.github/workflows/a.yml@main"), None);
        assert_eq!(of("o/r2/.github/workflows/a.yml@main"), None);
        assert_eq!((of(""), workflow("o/r/.github/workflows/a.yml@x", "")), (None, None));
    }

    #[test]
    fn a_file_is_named_from_the_root_and_only_within_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = real(folder.path()).unwrap();
        std::fs::create_dir(root.join("a b")).unwrap();
        std::fs::write(root.join("a b/oaudit.toml"), "").unwrap();
        assert_eq!(within(&root, &root.join("a b/../a b/oaudit.toml")).as_deref(), Some("a%20b/oaudit.toml"));
        assert_eq!(within(&root.join("a b"), &root), None);
        assert_eq!(within(&root, &root.join("gone.toml")), None);
    }

    #[test]
    fn the_line_is_that_of_what_was_audited() {
        let text = "# a file\nprofile = \"mcp\"\n\ntarget = \"https://a.example/\"\nissuer = \"https://b.example\"\n";
        let config = Config::parse(Path::new("x/oaudit.toml"), text).unwrap();
        assert_eq!(line(&config, ["https://a.example/"]), 4);
        assert_eq!(line(&config, ["https://b.example"]), 5);
        assert_eq!(line(&config, ["https://elsewhere.example"]), 1);
        let given = anchor(Some("deploy/x.toml"), Some(&config), ["https://a.example/"], None);
        assert_eq!(given, Anchor { file: "deploy/x.toml".into(), line: 1, is_there: true });
    }
}

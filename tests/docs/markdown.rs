//! Reads Markdown as far as a link checker must: fenced blocks, headings and their anchors, links and images.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

/// A page.
pub(crate) struct Page {
    /// Its path in the repository, with slashes.
    pub(crate) file: String,
    /// The whole text.
    pub(crate) text: String,
    /// The links out of prose.
    pub(crate) links: Vec<Link>,
    /// The fenced blocks.
    pub(crate) blocks: Vec<Block>,
    anchors: Vec<String>,
    root: PathBuf,
}

/// A link, and where it stands.
pub(crate) struct Link {
    pub(crate) line: usize,
    pub(crate) to: String,
}

/// A fenced block; the line is that of its first line of text.
pub(crate) struct Block {
    pub(crate) line: usize,
    pub(crate) language: String,
    pub(crate) text: String,
}

/// Every page of the repository that is written by its authors.
pub(crate) fn pages(root: &Path) -> Vec<Page> {
    let mut files = Vec::new();
    walk(root, &mut files);
    files.sort();
    files.iter().map(|file| Page::read(root, file)).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        // What is built or downloaded belongs to others, and a worktree within the tree to another branch.
        let left_out = ["target", "node_modules", ".git", ".interop", ".venv", "dist"];
        if path.is_dir() && !path.is_symlink() {
            if !left_out.iter().any(|out| name == *out) && !path.join(".git").exists() {
                walk(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
}

impl Page {
    fn read(root: &Path, path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let file = path.strip_prefix(root).unwrap_or(path).components().map(|c| c.as_os_str().to_string_lossy());
        let file = file.collect::<Vec<_>>().join("/");
        let (mut links, mut blocks, mut anchors) = (Vec::new(), Vec::<Block>::new(), Vec::new());
        let mut counts: HashMap<String, usize> = HashMap::new();
        let mut fence: Option<String> = None;
        for (at, line) in text.lines().enumerate() {
            let trimmed = line.trim_start();
            let marks: String = trimmed.chars().take_while(|c| *c == '`' || *c == '~').collect();
            match &fence {
                Some(open) if marks.starts_with(open.as_str()) && trimmed.trim_end() == marks => fence = None,
                Some(_) => {
                    if let Some(block) = blocks.last_mut() {
                        block.text.push_str(line);
                        block.text.push('\n');
                    }
                }
                None if marks.len() >= 3 => {
                    let language = trimmed[marks.len()..].split_whitespace().next().unwrap_or_default().to_owned();
                    blocks.push(Block { line: at + 2, language, text: String::new() });
                    fence = Some(marks);
                }
                None => {
                    if let Some(heading) = heading(line) {
                        let slug = slug(heading);
                        let before = counts.entry(slug.clone()).or_insert(0);
                        anchors.push(if *before == 0 { slug } else { format!("{slug}-{before}") });
                        *before += 1;
                    }
                    anchors.extend(named(line));
                    links.extend(links_in(line).into_iter().map(|to| Link { line: at + 1, to }));
                }
            }
        }
        Self { file, text, links, blocks, anchors, root: root.to_owned() }
    }

    /// Why a link leads nowhere. Those that leave the repository by a scheme are not followed.
    pub(crate) fn broken(&self, link: &Link, pages: &[Self]) -> Option<String> {
        let has_scheme = link.to.split_once(':').is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric() || ['+', '-', '.'].contains(&c))
        });
        if has_scheme {
            return None;
        }
        let (path, anchor) = link.to.split_once('#').map_or((link.to.as_str(), None), |(path, a)| (path, Some(a)));
        let path = path.split('?').next().unwrap_or_default();
        let Some(file) = resolve(&self.file, path) else { return Some("leaves the repository".into()) };
        if !self.root.join(&file).exists() {
            return Some(format!("there is no {file}"));
        }
        let anchor = anchor.filter(|anchor| !anchor.is_empty())?;
        let there = pages.iter().find(|page| page.file == file)?;
        match there.anchors.iter().any(|known| known == anchor) {
            true => None,
            false => Some(format!("{file} has no heading #{anchor}; it has {}", there.anchors.join(", "))),
        }
    }
}

/// A path from the page, or from the root if it begins with a slash, as one from the root.
fn resolve(from: &str, to: &str) -> Option<String> {
    if to.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<String> = match to.starts_with('/') {
        true => Vec::new(),
        false => from.split('/').map(str::to_owned).collect(),
    };
    if !to.starts_with('/') {
        parts.pop();
    }
    for component in Path::new(to.trim_start_matches('/')).components() {
        match component {
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::Normal(part) => parts.push(part.to_string_lossy().replace("%20", " ")),
            _ => {}
        }
    }
    Some(parts.join("/"))
}

fn heading(line: &str) -> Option<&str> {
    let level = line.chars().take_while(|c| *c == '#').count();
    let rest = line.get(level..)?;
    ((1..=6).contains(&level) && rest.starts_with(' ')).then(|| rest.trim().trim_end_matches('#').trim())
}

/// The anchor of a heading, as GitHub makes it: words and hyphens in lower case, the text of links alone.
fn slug(heading: &str) -> String {
    let mut text = String::new();
    let mut rest = heading;
    while let Some(open) = rest.find("](") {
        text.push_str(&rest[..open]);
        rest = rest[open..].split_once(')').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let kept =
        text.to_lowercase().chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c)).collect::<String>();
    kept.replace(' ', "-")
}

/// The anchors that stand as HTML.
fn named(line: &str) -> Vec<String> {
    let marks = ["<a id=\"", "<a name=\""];
    let of =
        |mark: &&str| line.split(mark).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect();
    marks.iter().flat_map(|mark| -> Vec<String> { of(mark) }).collect()
}

/// The targets of links and images, and of definitions `[x]: target`. What stands in backticks is no link.
fn links_in(line: &str) -> Vec<String> {
    let prose: String = line.split('`').enumerate().map(|(at, part)| if at % 2 == 0 { part } else { "code" }).collect();
    let mut found = Vec::new();
    let mut rest = prose.as_str();
    while let Some(open) = rest.find("](") {
        rest = &rest[open + 2..];
        let mut depth = 1;
        let end = rest.find(|c| {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        let Some(end) = end else { break };
        // A title may follow.
        found.extend(rest[..end].trim().split(" \"").next().map(|to| to.trim_matches(['<', '>']).to_owned()));
        rest = &rest[end..];
    }
    if prose.starts_with('[')
        && let Some((_, to)) = prose.split_once("]: ")
    {
        found.extend(to.split_whitespace().next().map(str::to_owned));
    }
    found
}

#[test]
fn what_is_a_link_and_what_is_an_anchor() {
    assert_eq!(links_in("see [a](b.md#c), `[no](x)` and ![i](d(1).png \"t\")"), ["b.md#c", "d(1).png"]);
    assert_eq!(links_in("[name]: docs/x.md"), ["docs/x.md"]);
    assert_eq!(slug("Exit codes: what `--strict` does"), "exit-codes-what---strict-does");
    assert_eq!(slug("See [the page](x.md), twice"), "see-the-page-twice");
    assert_eq!(resolve("docs/ci.md", "../ci/gitlab.yml").as_deref(), Some("ci/gitlab.yml"));
    assert_eq!(resolve("README.md", "../x"), None);
    assert_eq!(heading("## Words "), Some("Words"));
    assert_eq!(heading("#!/bin/sh"), None);
}

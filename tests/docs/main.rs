//! The documentation holds: every link inside the repository leads somewhere, every command line can be typed, and those
//! that cost nothing do what is said of them.

mod commands;
mod markdown;
#[expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]
mod typed;

#[expect(clippy::unwrap_used, reason = "a test that cannot set up its stage has failed")]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use assert_cmd::cargo::CommandCargoExt;

    use super::commands::{Typed, commands};
    use super::markdown::{Page, pages};

    fn root() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    }

    fn read() -> Vec<Page> {
        let pages = pages(&root());
        assert!(pages.len() > 100, "only {} pages were found", pages.len());
        pages
    }

    #[test]
    fn every_link_leads_somewhere() {
        let pages = read();
        let mut broken = Vec::new();
        for page in &pages {
            let here = page.links.iter().filter_map(|link| Some((link, page.broken(link, &pages)?)));
            broken.extend(here.map(|(link, why)| format!("{}:{}: [{}] {why}", page.file, link.line, link.to)));
        }
        assert!(broken.is_empty(), "{} links lead nowhere:\n{}", broken.len(), broken.join("\n"));
    }

    /// Those of the fenced blocks of `sh` and `console`.
    fn typed() -> Vec<(String, Typed)> {
        let pages = read();
        let of = |page: &Page| -> Vec<(String, Typed)> {
            let blocks = page.blocks.iter().filter(|block| ["sh", "console"].contains(&block.language.as_str()));
            let typed = blocks.flat_map(|block| commands(block.line, &block.text));
            typed.map(|typed| (format!("{}:{}", page.file, typed.line), typed)).collect()
        };
        pages.iter().flat_map(of).collect()
    }

    #[test]
    fn every_command_line_can_be_typed() {
        let typed = typed();
        assert!(typed.len() > 15, "only {} commands were found", typed.len());
        let wrong: Vec<String> = typed
            .iter()
            .filter_map(|(place, typed)| {
                let why = oaudit::cli::understood(&typed.words).err()?;
                Some(format!("{place}: {}\n    {}", typed.words.join(" "), why.trim().replace('\n', "\n    ")))
            })
            .collect();
        assert!(wrong.is_empty(), "{} commands cannot be typed like that:\n{}", wrong.len(), wrong.join("\n"));
    }

    /// Needs neither a server nor a file, and writes none.
    fn is_cheap(words: &[String]) -> bool {
        let rest: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        // `oaudit explain ID` stands for any id.
        let stands_for_something = |word: &&&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
        let of_files = ["-f", "-o", "--checks", "--config", "--dir", "--logs", "--slow", "--vault-out", "--output"];
        if rest.iter().any(|word| of_files.contains(word) || word.contains("://") || *word == "…")
            || rest.iter().find(stands_for_something).is_some()
        {
            return false;
        }
        matches!(rest.first(), Some(&("demo" | "checks" | "explain" | "schema" | "completions" | "man" | "scopes")))
            && !rest.contains(&"-")
    }

    fn exit_of(words: &[String], folder: &Path) -> (Option<i32>, String) {
        let mut command = Command::cargo_bin("oaudit").unwrap();
        command.args(&words[1..]).current_dir(folder).env_clear().stdin(Stdio::null());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    #[test]
    fn cheap_commands_do_what_they_say() {
        let folder = tempfile::tempdir().unwrap();
        let mut seen: Vec<Vec<String>> = Vec::new();
        for (place, typed) in typed() {
            if !is_cheap(&typed.words) || seen.contains(&typed.words) {
                continue;
            }
            let (code, stderr) = exit_of(&typed.words, folder.path());
            assert!(matches!(code, Some(0 | 1)), "{place}: {} ended with {code:?}\n{stderr}", typed.words.join(" "));
            seen.push(typed.words);
        }
        assert!(!seen.is_empty(), "no command of the documentation was run");
    }

    /// A line without what differs from run to run: numbers, and the identifier of the client.
    fn steady(line: &str) -> String {
        let mut kept = String::new();
        for c in line.split("=client-").next().unwrap_or_default().chars() {
            match c.is_ascii_digit() {
                true if kept.ends_with('0') => {}
                true => kept.push('0'),
                false => kept.push(c),
            }
        }
        kept
    }

    #[test]
    fn the_report_in_the_readme_is_what_the_demo_says() {
        let pages = read();
        let readme = pages.iter().find(|page| page.file == "README.md").unwrap();
        let block = readme.blocks.iter().find(|block| block.language == "text").unwrap();
        let mut command = Command::cargo_bin("oaudit").unwrap();
        command.arg("demo").env_clear().env("COLUMNS", "96").stdin(Stdio::null());
        let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let said: Vec<String> = output.lines().map(steady).collect();
        // How the counts are wrapped depends on how long the run took.
        let counts = |line: &str| line.contains(" decided · ") || line.contains(" authorizations, ");
        for line in block.text.lines().filter(|line| *line != "…" && !counts(line)) {
            let line = steady(line);
            // The curl line is cut, and so is a body, at a place that hangs on how many digits stand before it.
            let begins =
                line.strip_suffix(" …").or_else(|| line.strip_suffix('…')?.rsplit_once(',').map(|(begin, _)| begin));
            let stands = said.iter().any(|said| begins.map_or(*said == line, |begins| said.starts_with(begins)));
            assert!(stands, "the demo does not say: {line}\n{output}");
        }
    }

    /// The sources as one text, with strings that go on in the next line put together.
    fn sources() -> String {
        let mut text = String::new();
        let mut folders = vec![root().join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false if path.extension().is_some_and(|end| end == "rs") => {
                        let read = std::fs::read_to_string(path).unwrap();
                        let mut pieces = read.split("\\\n");
                        text.push_str(pieces.next().unwrap_or_default());
                        pieces.for_each(|piece| text.push_str(piece.trim_start()));
                    }
                    false => {}
                }
            }
        }
        text
    }

    #[test]
    fn every_message_of_the_troubleshooting_is_one() {
        let pages = read();
        let page = pages.iter().find(|page| page.file == "docs/troubleshooting.md").unwrap();
        // What clap says is its own.
        let of_others = ["unexpected argument", "invalid value", "oaudit.toml:3:1"];
        let (sources, mut seen, mut rows) = (sources(), 0, 0);
        for row in page.text.lines().filter(|line| line.starts_with("| ")) {
            let cell = row.split(" | ").next().unwrap_or_default();
            let quoted = cell.split('`').skip(1).step_by(2);
            let fragments = quoted.flat_map(|message| message.split('…')).map(|f| f.trim_matches([' ', ',', ':']));
            for fragment in fragments.filter(|f| f.len() > 8 && !of_others.contains(f)) {
                assert!(sources.contains(fragment), "{row}\nno message of oaudit says {fragment:?}");
                seen += 1;
            }
            rows += 1;
        }
        assert!(seen > 30, "only {seen} messages in {rows} rows");
    }

    /// The cells of the first table of a page that begins with a heading.
    fn table(page: &Page, heading: &str) -> Vec<Vec<String>> {
        let rows = page.text.lines().skip_while(|line| !line.starts_with(heading)).skip(2);
        let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
        rows.take_while(|line| line.starts_with('|')).map(cells).collect()
    }

    #[test]
    fn every_exit_code_is_documented_and_its_example_gives_it() {
        let pages = read();
        let page = |file: &str| pages.iter().find(|page| page.file == file).unwrap();
        let rows = table(page("docs/exit-codes.md"), "| code |");
        let codes: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        // What a signal ends is 128 and its number; tests/cleanup.rs holds that each is given.
        let signals = ["129", "130", "143"];
        assert_eq!(codes, [&["0", "1", "2", "3", "4", "5"][..], &signals].concat(), "docs/exit-codes.md");
        let short = table(page("README.md"), "| exit code |");
        let short: Vec<&str> = short.iter().flat_map(|row| row[0].split(", ")).collect();
        assert_eq!(short, codes, "README.md");
        let folder = tempfile::tempdir().unwrap();
        for row in rows.iter().filter(|row| !signals.contains(&row[0].as_str())) {
            let words = shlex::split(row[2].trim_matches('`')).unwrap();
            let (code, stderr) = exit_of(&words, folder.path());
            assert_eq!(code.map(|code| code.to_string()).as_deref(), Some(row[0].as_str()), "{}\n{stderr}", row[2]);
        }
        // The precedence: a report that cannot be written outranks a failure, and a failure what is undecided.
        for (words, expected) in [
            (&["oaudit", "demo", "-q", "-o", "json=no/such/folder/r.json"][..], 5),
            (&["oaudit", "demo", "-q", "--strict"], 1),
            (&["oaudit", "demo", "-q", "--strict", "--fail-on", "never"], 3),
            (&["oaudit", "audit", "http://127.0.0.1:1/", "--format", "json", "--fail-on", "never"], 4),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(exit_of(&words, folder.path()).0, Some(expected), "{words:?}");
        }
    }
}

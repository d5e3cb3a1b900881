//! The `oaudit …` command lines of a block of shell.

/// A command line, the name of the program first, and where it stands.
pub(crate) struct Typed {
    pub(crate) line: usize,
    pub(crate) words: Vec<String>,
}

/// Every call of oaudit in a block: behind a prompt, variables, pipes and conjunctions, across continued lines, and as
/// `cargo run --`. What cannot be split into words is left aside; so is what the shell itself would put together.
pub(crate) fn commands(first_line: usize, block: &str) -> Vec<Typed> {
    let mut found = Vec::new();
    let mut lines = block.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let mut whole = line.trim_start().trim_start_matches("$ ").to_owned();
        while whole.ends_with('\\') {
            whole.pop();
            whole.push_str(lines.next().map_or("", |(_, more)| more));
        }
        let Some(words) = shlex::split(&whole) else { continue };
        for words in simple(words) {
            if let Some(words) = call(words) {
                found.push(Typed { line: first_line + at, words });
            }
        }
    }
    found
}

/// The simple commands of a line, without their redirections.
fn simple(words: Vec<String>) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut skip = false;
    for word in words {
        if std::mem::take(&mut skip) {
            continue;
        }
        let bare = word.trim_start_matches(|c: char| c.is_ascii_digit());
        match word.as_str() {
            "|" | "||" | "&&" | ";" | "&" | "then" | "do" | "if" | "!" | "|&" => commands.push(Vec::new()),
            _ if [">", ">>", "<"].contains(&bare) => skip = true,
            _ if bare.starts_with(['>', '<']) => {}
            _ => {
                let ends = word.ends_with(';');
                if let Some(command) = commands.last_mut() {
                    command.push(word.trim_end_matches(';').to_owned());
                }
                if ends {
                    commands.push(Vec::new());
                }
            }
        }
    }
    commands
}

/// The call of oaudit that a simple command is, if it is one.
fn call(words: Vec<String>) -> Option<Vec<String>> {
    let is_variable = |word: &String| {
        word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    };
    let words: Vec<String> = words.into_iter().skip_while(|word| is_variable(word)).collect();
    let program = words.first()?.rsplit('/').next()?;
    let arguments = match (program, words.get(1).map(String::as_str)) {
        ("oaudit", _) => &words[1..],
        ("cargo", Some("run")) => &words[words.iter().position(|word| word == "--")? + 1..],
        _ => return None,
    };
    Some(std::iter::once("oaudit".to_owned()).chain(arguments.iter().cloned()).collect())
}

#[test]
fn calls_are_found_whatever_stands_around_them() {
    let block = "# oaudit nothing\n$ A=… oaudit audit URL \\\n  --yes --format json | jq .summary > out\n\
                 cargo run --release -- demo; echo oaudit\ntarget/debug/oaudit lab >lab.json 2>/dev/null &\n\
                 oaudit token < token.txt && oaudit logs .\n";
    let found: Vec<String> = commands(10, block).iter().map(|c| format!("{} {}", c.line, c.words.join(" "))).collect();
    assert_eq!(
        found,
        [
            "11 oaudit audit URL --yes --format json",
            "13 oaudit demo",
            "14 oaudit lab",
            "15 oaudit token",
            "15 oaudit logs ."
        ]
    );
}

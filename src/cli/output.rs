//! The two streams: stdout carries the report and nothing else, stderr the prose.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, OnceLock};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Complaint, Exit};
use crate::report::plain::plain;
use crate::run::{Ended, Progress};

/// The bar, once there is one: whatever else is written has to step around it.
static BAR: OnceLock<ProgressBar> = OnceLock::new();

/// How to speak.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams {
    pub(super) quiet: bool,
    pub(super) verbose: bool,
    /// Colour on stdout.
    pub(super) color: bool,
}

impl Streams {
    /// Before anybody could say how.
    pub(super) fn plain() -> Self {
        Self { quiet: false, verbose: false, color: false }
    }

    /// Says what went wrong: prose, or one JSON line where stdout is read by a program.
    pub(super) fn complain(self, complaint: &Complaint, machine: bool) -> Exit {
        if machine {
            let line = serde_json::json!({
                "error": complaint.error, "hint": complaint.hint, "exit_code": complaint.exit.0,
            });
            let _ = writeln!(std::io::stderr(), "{line}");
        } else {
            // An error in a file shows its place, on lines of their own.
            format!("error: {}", complaint.error).lines().for_each(prose);
            if !complaint.hint.is_empty() {
                prose(&format!(" help: {}", complaint.hint));
            }
        }
        complaint.exit
    }

    /// Tells what is going on: a bar on a terminal, plain lines elsewhere, nothing when quiet.
    pub(super) fn progress(self) -> Arc<dyn Fn(Progress<'_>) + Send + Sync> {
        if self.quiet {
            return Arc::new(|_| {});
        }
        if !std::io::stderr().is_terminal() {
            return Arc::new(move |progress| match progress {
                Progress::Begins(name, 0) => prose(name),
                Progress::Begins(name, checks) => prose(&format!("{name} ({checks} checks)")),
                Progress::Says(text) => prose(text),
                Progress::Ended(ended) if self.verbose => prose(&how(&ended)),
                Progress::Ended(_) => {}
            });
        }
        // No steady tick: it would write over what a person types at a prompt.
        let bar = BAR.get_or_init(ProgressBar::hidden);
        Arc::new(move |progress| match progress {
            Progress::Begins(name, checks) => {
                // What is on the screen now, however wide somebody asked the report to be.
                let columns = terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(w, _)| usize::from(w.0));
                begin(bar, ProgressDrawTarget::stderr(), name, checks, columns);
            }
            Progress::Ended(ended) => {
                if self.verbose {
                    prose(&how(&ended));
                }
                bar.set_message(ended.id.to_owned());
                bar.inc(1);
            }
            Progress::Says(text) => prose(text),
        })
    }
}

/// How a check ended, on a line.
fn how(ended: &Ended<'_>) -> String {
    format!("  {} {:<12} {}", ended.result.mark(), ended.result.word(), ended.id)
}

/// Below so many columns there is no bar beside the counts.
const BAR_FROM: usize = 60;

/// Shows that a part begins. Every change of a bar draws it, so it is out of sight until all have been made.
fn begin(bar: &ProgressBar, target: ProgressDrawTarget, name: &str, checks: usize, columns: usize) {
    bar.finish_and_clear();
    bar.set_draw_target(ProgressDrawTarget::hidden());
    let (template, name) = layout(name, checks, columns);
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.reset();
    bar.set_style(style.progress_chars("=> "));
    bar.set_length(checks as u64);
    bar.set_prefix(name);
    bar.set_message(String::new());
    bar.set_draw_target(target);
    bar.tick();
}

/// A bar for a part with checks, its name alone for one without; as much of the name as there is room for on one line.
fn layout(name: &str, checks: usize, columns: usize) -> (&'static str, String) {
    const NAME: &str = "{spinner} {prefix}";
    const COUNTS: &str = "{spinner} {prefix} {pos}/{len} {elapsed} {wide_msg}";
    const WITH_BAR: &str = "{spinner} {prefix} [{bar:20}] {pos}/{len} {elapsed} {wide_msg}";
    // What counts and times take, with their spaces, and the bar.
    let (counts, bar) = (16, 23);
    let (template, taken) = match checks {
        0 => (NAME, 2),
        _ if columns < BAR_FROM || name.chars().count() + counts + bar > columns => (COUNTS, counts),
        _ => (WITH_BAR, counts + bar),
    };
    (template, name.chars().take(columns.saturating_sub(taken)).collect())
}

/// Takes the bar away, until the next part begins: something else has the terminal.
pub(super) fn without_the_bar() {
    if let Some(bar) = BAR.get() {
        bar.finish_and_clear();
    }
}

/// A line on stderr.
pub(super) fn prose(text: &str) {
    // Nobody may be there to read it: a terminal that was closed must not end the clean-up.
    let write = || drop(writeln!(std::io::stderr(), "{}", plain(text)));
    match BAR.get() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// The report on stdout. A reader who went away (`| head`) is no error.
pub(super) fn report(text: &str) -> Result<(), Complaint> {
    match print(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Complaint::ours(format!("the report could not be written to stdout: {error}"), ""))
        }
        _ => Ok(()),
    }
}

fn print(text: &str) -> std::io::Result<()> {
    // stdout is the same terminal.
    without_the_bar();
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Whether stdout is a terminal.
pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether the terminal takes nothing but text.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// The width to write for: COLUMNS, the terminal's, or 100.
pub(super) fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse::<usize>().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    columns.or_else(terminal).unwrap_or(100).clamp(40, 200)
}

/// Writes a report into a file.
pub(super) fn file(path: &std::path::Path, text: &str) -> Result<(), Complaint> {
    std::fs::write(path, text).map_err(|error| {
        Complaint::ours(
            format!("the report could not be written to {}: {error}", path.display()),
            "check the path of -o",
        )
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::needs::Stage;

    /// A terminal of so many columns that remembers what was written.
    #[derive(Debug, Clone)]
    struct Screen(u16, Arc<Mutex<String>>);

    impl indicatif::TermLike for Screen {
        fn width(&self) -> u16 {
            self.0
        }
        fn move_cursor_up(&self, _: usize) -> std::io::Result<()> {
            self.write_str("\n")
        }
        fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
            self.write_str("\n")
        }
        fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn write_line(&self, line: &str) -> std::io::Result<()> {
            self.write_str(&format!("{line}\n"))
        }
        fn write_str(&self, text: &str) -> std::io::Result<()> {
            self.1.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> std::io::Result<()> {
            self.write_str("\n")
        }
        fn flush(&self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn no_frame_is_shown_before_it_is_complete_and_none_is_too_wide() {
        let longest = "documents and anonymous requests, while signing in";
        let names = Stage::ALL.map(Stage::describe).into_iter().chain([longest]);
        let parts: Vec<(&str, usize)> = std::iter::once(("discovery", 0)).chain(names.zip([17; 10])).collect();
        for columns in [30, 40, 59, 60, 72, 80, 100, 200] {
            let screen = Screen(columns, Arc::default());
            let bar = ProgressBar::hidden();
            for (name, checks) in &parts {
                let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
                begin(&bar, target, name, *checks, usize::from(columns));
                bar.set_message("authorization/redirect-uri-exact-match");
                bar.inc(1);
            }
            bar.finish_and_clear();
            let text = screen.1.lock().unwrap();
            assert!(text.contains("discovery") && text.contains("0/17") && !text.contains("0/0"), "{text}");
            assert!(!text.contains('█'), "{text}");
            assert_eq!(text.contains('['), columns >= 60, "{text}");
            for line in text.lines().flat_map(|line| line.split('\r')) {
                assert!(line.trim_end().chars().count() <= usize::from(columns), "{columns}: {line:?}");
            }
        }
    }
}

//! `oaudit report`: a saved report in any other format; `oaudit diff`: what changed between two.

use std::path::{Path, PathBuf};

use clap::Args;

use super::anchor::anchor;
use super::baseline::BaselineArgs;
use super::format::Format;
use super::{Common, Complaint, Exit, output};
use crate::config::{Config, FILE};
use crate::report::terminal::Look;
use crate::report::{Report, diff, json};

/// What can be said to `report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// A JSON report, as `audit -o json=FILE` writes it; - is standard input.
    #[arg(value_name = "IN.json")]
    saved: PathBuf,
    /// What stdout gets: terminal, json, sarif, junit, markdown, html, github or har.
    #[arg(long, value_name = "F", default_value = "terminal", value_parser = Format::of)]
    format: Format,
    /// A further report: html=report.html. Repeatable.
    #[arg(short = 'o', long = "output", value_name = "F=PATH", value_parser = Format::further)]
    output: Vec<(Format, PathBuf)>,
    /// Show the exchanges in the terminal report.
    #[arg(long)]
    evidence: bool,
    /// The file of the repository that SARIF shows findings at: a server has no lines. By default the line of the target in
    /// oaudit.toml, else the workflow.
    #[arg(long, value_name = "FILE")]
    sarif_anchor: Option<String>,
    /// Write what fails in it to a file for `audit --baseline FILE`.
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

impl ReportArgs {
    pub(super) fn run(self) -> Exit {
        let streams = self.common.streams();
        let machine = self.format != Format::Terminal;
        let report = match load(&self.saved) {
            Ok(report) => report,
            Err(complaint) => return streams.complain(&complaint, machine),
        };
        let known = BaselineArgs::to_write(self.write_baseline).load(report.name());
        let known = match known {
            Ok(known) => known,
            Err(complaint) => return streams.complain(&complaint, machine),
        };
        let look = Look {
            width: output::width(),
            color: streams.color,
            evidence: self.evidence,
            quiet: streams.quiet,
            links: output::is_terminal() && !output::is_dumb(),
        };
        let plain = Look { color: false, links: false, ..look };
        // A file that cannot be read is nothing that keeps a report from being shown.
        let config = Config::load(Path::new(FILE)).ok();
        let named = [&report.target.resource, &report.target.issuer].into_iter().filter_map(Option::as_deref);
        let anchor = anchor(self.sarif_anchor.as_deref(), config.as_ref(), named, None);
        let mut exit = Exit::OK;
        let written = std::iter::once(output::report(&self.format.render(&report, &look, &anchor))).chain(
            self.output.iter().map(|(format, path)| output::file(path, &format.render(&report, &plain, &anchor))),
        );
        let formats = self.output.iter().map(|(format, _)| *format).chain([self.format]);
        let written = written.chain(std::iter::once_with(|| Format::summarize(formats, &report)));
        for complaint in written.filter_map(Result::err) {
            exit = streams.complain(&complaint, machine);
        }
        known.write_or_complain(&report, streams, machine, exit)
    }
}

/// What can be said to `diff`.
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The earlier JSON report.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The later one.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    #[command(flatten)]
    common: Common,
}

impl DiffArgs {
    pub(super) fn run(self) -> Exit {
        let streams = self.common.streams();
        let (old, new) = match (load(&self.old), load(&self.new)) {
            (Ok(old), Ok(new)) => (old, new),
            (Err(complaint), _) | (_, Err(complaint)) => return streams.complain(&complaint, false),
        };
        let changes = diff::changes(&old, &new);
        match output::report(&diff::render(&changes)) {
            Ok(()) if diff::is_worse(&changes) => Exit(1),
            Ok(()) => Exit::OK,
            Err(complaint) => streams.complain(&complaint, false),
        }
    }
}

pub(super) fn load(path: &Path) -> Result<Report, Complaint> {
    let shown = path.display();
    let text = match path.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(path),
    };
    let text = text.map_err(|e| Complaint::usage(format!("{shown} cannot be read: {e}"), "check the path"))?;
    json::read(&text).map_err(|error| Complaint::usage(format!("{shown}: {error}"), error.hint()))
}

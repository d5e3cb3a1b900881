//! `oaudit logs`: looks for tokens in log files, and for the exact secrets of a run.

use std::path::PathBuf;

use clap::Args;

use super::{Common, Complaint, Exit, output};
use crate::logs::{Finding, Scan, SecretsFile, Unread, Wanted, scan};
use crate::report::plain::plain;

/// What can be said to `logs`.
#[derive(Debug, Args)]
pub(super) struct LogsArgs {
    /// Log files, or folders of them; - is standard input. Gzip is read; binary files in folders are left out.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Look for the secrets of a run as well: the file that `audit --vault-out` wrote.
    #[arg(long, value_name = "FILE")]
    run: Option<PathBuf>,
    /// terminal or json.
    #[arg(long, value_name = "F", default_value = "terminal", value_parser = ["terminal", "json"])]
    format: String,
    #[command(flatten)]
    common: Common,
}

impl LogsArgs {
    pub(super) fn run(self) -> Exit {
        let streams = self.common.streams();
        let machine = self.format == "json";
        let wanted = match self.run.as_deref().map(SecretsFile::read).transpose() {
            Ok(wanted) => wanted.unwrap_or_default(),
            Err(error) => {
                return streams.complain(&Complaint::usage(error.to_string(), "check the path of --run"), machine);
            }
        };
        if let Some(missing) = self.paths.iter().find(|p| !p.exists() && p.as_os_str() != "-" && !p.is_symlink()) {
            let error = format!("there is no {}", missing.display());
            return streams.complain(&Complaint::usage(error, "name log files or folders of them"), machine);
        }
        let found = scan(&self.paths, &wanted);
        let exit = exit(&found);
        let text = if machine { json(&found, exit) } else { lines(&found, &wanted, streams.quiet) };
        if let Err(complaint) = output::report(&text) {
            return streams.complain(&complaint, machine);
        }
        if let Some(Unread { path, why }) = found.unreadable.first() {
            let more = match found.unreadable.len() - 1 {
                0 => String::new(),
                n => format!(" (and {n} more)"),
            };
            let hint = "what could not be read may hold tokens";
            return streams.complain(&Complaint::ours(format!("{path} was not read: {why}{more}"), hint), machine);
        }
        exit
    }
}

fn exit(found: &Scan) -> Exit {
    match (found.unreadable.is_empty(), found.found()) {
        (false, _) => Exit::OURS,
        (true, true) => Exit::FAILED,
        (true, false) => Exit::OK,
    }
}

fn line(finding: &Finding) -> String {
    let of_the_run = finding.label.as_ref().map(|l| format!(" of the run, {l}")).unwrap_or_default();
    let excused = if finding.sent_in_url { ", which the audit itself sent in an address" } else { "" };
    format!("{}:{}: {}{of_the_run}{excused}", finding.path, finding.line, finding.kind)
}

fn lines(found: &Scan, wanted: &Wanted, quiet: bool) -> String {
    let mut lines: Vec<String> = found.findings.iter().map(line).collect();
    lines.extend((found.more > 0).then(|| format!("… and {} more, in files that are full of them", found.more)));
    if !quiet {
        let unread = |list: &[Unread], word: &str| -> Vec<String> {
            list.iter().map(|u| format!("{word} {}: {}", u.path, u.why)).collect()
        };
        let forms = found.files.iter().filter(|f| !f.form.is_empty());
        lines.extend(forms.map(|f| format!("read as {}: {}", f.form.join(", "), f.path)));
        lines.extend(unread(&found.skipped, "left out"));
        lines.extend(unread(&found.unreadable, "not read"));
        lines.push(summary(found, wanted));
    }
    lines.iter().map(|line| format!("{}\n", plain(line))).collect()
}

fn summary(found: &Scan, wanted: &Wanted) -> String {
    let number = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let counted = found.findings.iter().filter(|f| !f.sent_in_url).count() + usize::try_from(found.more).unwrap_or(0);
    let sought = match wanted.secrets.len() {
        0 => "shapes of tokens".to_owned(),
        n => format!("shapes of tokens and {} of a run", number(n, "secret")),
    };
    format!(
        "{} in {}, {:.1} MB, searched for {sought}",
        if counted == 0 { "nothing found".to_owned() } else { number(counted, "finding") },
        number(found.files.len(), "file"),
        found.bytes() as f64 / 1e6
    )
}

fn json(found: &Scan, exit: Exit) -> String {
    let mut value = serde_json::to_value(found).unwrap_or_default();
    value["found"] = found.found().into();
    value["exit_code"] = exit.0.into();
    format!("{}\n", serde_json::to_string_pretty(&value).unwrap_or_default())
}

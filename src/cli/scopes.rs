//! `oaudit scopes`: the design of a list of scopes, from a server, a file or the command line.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::audit::fail_on;
use super::layers::{ConfigArgs, Given};
use super::{Common, Complaint, Exit, ProfileArgs, output, shown};
use crate::check::{Demand, Level};
use crate::checks::ALL;
use crate::discovery::{Probing, Target, discover};
use crate::needs::AdvertisedScopes;
use crate::oauth::scope_design::Remark;
use crate::profile::Profile;
use crate::report::plain::plain;
use crate::report::verdict::FailOn;
use crate::settings::Settings;
use crate::wire::{Guard, Wire, WireOptions};

/// What can be said to `scopes`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    oaudit scopes https://api.example.com/mcp         what a server advertises\n  \
    oaudit scopes notes:read write:notes              a list, offline\n  \
    oaudit scopes -f scopes.txt                       a list in a file")]
pub(super) struct ScopesArgs {
    /// One http(s) URL: the server whose scopes are read. Anything else: the scopes themselves.
    #[arg(value_name = "TARGET|SCOPE")]
    words: Vec<String>,
    /// A file of scopes, separated by spaces or lines, # begins a remark; or JSON: an array, or a document with
    /// scopes_supported. - is standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with = "words")]
    file: Option<PathBuf>,
    #[command(flatten)]
    profile: ProfileArgs,
    /// How many scopes there may be.
    #[arg(long, value_name = "N", default_value = "25")]
    limit: usize,
    /// The lowest level that gives exit code 1: must, should, advice or never.
    #[arg(long, value_name = "LEVEL", default_value = "must", value_parser = fail_on)]
    fail_on: FailOn,
    /// Let the target lead to this host, although its address is not public. Repeatable.
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
    /// terminal or json.
    #[arg(long, value_name = "F", default_value = "terminal", value_parser = ["terminal", "json"])]
    format: String,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    common: Common,
}

/// A remark, and how binding what it breaks is.
struct Line {
    remark: Remark,
    check: &'static str,
    level: Level,
    says: &'static str,
}

impl ScopesArgs {
    pub(super) async fn run(self, given: &Given) -> Exit {
        let streams = self.common.streams();
        let machine = self.format == "json";
        let scopes = match self.scopes().await {
            Ok(scopes) => scopes,
            Err(complaint) => return streams.complain(&complaint, machine),
        };
        let mut settings = given.judging(Settings::default());
        settings.thresholds.scopes = self.limit;
        let profile = self.profile.profile();
        let lines: Vec<Line> = scopes.remarks(&settings).into_iter().map(|remark| line(remark, &profile)).collect();
        let failed = lines.iter().any(|line| self.fail_on.counts(line.level));
        let exit = if failed { Exit::FAILED } else { Exit::OK };
        let text = if machine { json(&scopes, &lines, exit) } else { terminal(&scopes, &lines) };
        output::report(&text).map_or_else(|complaint| streams.complain(&complaint, machine), |()| exit)
    }

    async fn scopes(&self) -> Result<AdvertisedScopes, Complaint> {
        if let Some(path) = &self.file {
            let text = read(path).map_err(|error| {
                Complaint::usage(format!("{} cannot be read: {error}", path.display()), "check the path of -f")
            })?;
            return Ok(AdvertisedScopes::listed(listed(&text).into_iter()));
        }
        match self.words.as_slice() {
            [] => Err(Complaint::usage(
                "there are no scopes to judge",
                "oaudit scopes URL, or the scopes themselves, or -f FILE, or target in oaudit.toml",
            )),
            // Google's scopes are URLs too; nobody has just one of them to look at.
            [url] if url.starts_with("https://") || url.starts_with("http://") => self.advertised(url).await,
            words => Ok(AdvertisedScopes::listed(words.iter().cloned())),
        }
    }

    async fn advertised(&self, url: &str) -> Result<AdvertisedScopes, Complaint> {
        let target = Target::of(url);
        shown::address(url)?;
        let guard = target.named().fold(Guard::default(), Guard::naming);
        let guard = self.allow_host.iter().fold(guard, |guard, host| guard.allowing(host));
        let wire = Wire::open(WireOptions { guard, ..WireOptions::default() })
            .map_err(|trouble| Complaint::ours(trouble.to_string(), ""))?;
        let not_started = |error: String, hint: &str| Complaint { error, hint: hint.into(), exit: Exit::NOT_STARTED };
        let found = discover(&wire, &target, self.profile.profile().mcp, Probing::GetOnly)
            .await
            .map_err(|broken| not_started(broken.what.clone(), &broken.hint))?;
        let server = found.server.as_ref().ok().map(|server| &server.metadata);
        if let (Err(broken), None) = (&found.server, found.resource.as_ref().and_then(|r| r.metadata.as_ref())) {
            return Err(not_started(broken.what.clone(), &broken.hint));
        }
        Ok(AdvertisedScopes::found(found.resource.as_ref(), server))
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path)
}

/// The scopes of a file. In JSON an entry is kept as it stands, so that one with a space in it is seen.
fn listed(text: &str) -> Vec<String> {
    let texts = |value: &Value| -> Option<Vec<String>> {
        Some(value.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    };
    if let Ok(json) = serde_json::from_str::<Value>(text) {
        let list = texts(&json).or_else(|| texts(json.get("scopes_supported")?));
        if let Some(list) = list {
            return list;
        }
    }
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

fn line(remark: Remark, profile: &Profile) -> Line {
    let (check, number) = remark.rule.check();
    let demand = demand(check, number);
    Line {
        remark,
        check,
        level: demand.map_or(Level::Advice, |d| profile.level(d)),
        says: demand.map_or("", |d| d.says),
    }
}

/// What a rule demands, as the card of its check has it.
fn demand(check: &str, number: usize) -> Option<&'static Demand> {
    ALL.iter().find(|c| c.card().id == check)?.card().demands.get(number)
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::Must => "FAIL",
        Level::Should => "WARN",
        Level::Advice => "NOTE",
    }
}

fn terminal(scopes: &AdvertisedScopes, lines: &[Line]) -> String {
    let mut text = String::new();
    for Line { remark, check, level, .. } in lines {
        text.push_str(&format!("{} {}  {check}\n     {}\n", word(*level), plain(&remark.scope), plain(&remark.why)));
        if let Some(better) = &remark.better {
            text.push_str(&format!("     better: {}\n", plain(better)));
        }
    }
    let counted = match scopes.scopes.len() {
        0 => "no scopes are advertised".to_owned(),
        1 => "1 scope".to_owned(),
        n => format!("{n} scopes"),
    };
    let said = match lines.len() {
        0 => "nothing to remark".to_owned(),
        1 => "1 remark".to_owned(),
        n => format!("{n} remarks"),
    };
    format!("{text}{counted}, {said}\n")
}

fn json(scopes: &AdvertisedScopes, lines: &[Line], exit: Exit) -> String {
    let remarks: Vec<Value> = lines
        .iter()
        .map(|line| {
            serde_json::json!({
                "check": line.check, "scope": line.remark.scope, "result": word(line.level).to_lowercase(),
                "level": line.level, "message": line.remark.why, "better": line.remark.better, "demand": line.says,
            })
        })
        .collect();
    let value = serde_json::json!({
        "scopes": scopes.scopes, "by_default": scopes.by_default, "remarks": remarks, "exit_code": exit.0,
    });
    format!("{}\n", serde_json::to_string_pretty(&value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::scope_design::Rule;

    #[test]
    fn a_file_is_words_or_json() {
        assert_eq!(listed("a:read b:read # both\n\n# none\nc:read"), ["a:read", "b:read", "c:read"]);
        assert_eq!(listed(r#"["a:read b:read", 7]"#), ["a:read b:read"]);
        assert_eq!(listed(r#"{"issuer": "x", "scopes_supported": ["a"]}"#), ["a"]);
    }

    #[test]
    fn every_rule_has_a_check_that_demands_it() {
        for rule in Rule::ALL {
            let (check, number) = rule.check();
            assert!(demand(check, number).is_some(), "{rule:?}");
        }
    }
}

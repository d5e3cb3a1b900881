//! `oaudit audit`: audits a server.

mod offline;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;

use super::anchor::anchor;
use super::baseline::{self, BaselineArgs};
use super::client::ClientArgs;
use super::effective;
use super::format::Format;
use super::journals::JournalArgs;
use super::layers::{ConfigArgs, Given};
use super::output::{self, Streams};
use super::rules::RulesArgs;
use super::second_user::second_user;
use super::sign_in::SignInArgs;
use super::signals::Signals;
use super::wire::WireArgs;
use super::{Common, Complaint, Exit, ProfileArgs, shown};
use crate::check::Reach;
use crate::config::Config;
use crate::discovery::Target;
use crate::logs::SecretsFile;
use crate::oauth::scope::ScopeSet;
use crate::plan::Selection;
use crate::report::Report;
use crate::report::sarif::Anchor;
use crate::report::terminal::Look;
use crate::report::verdict::FailOn;
use crate::run::{Grading, Options, SecretsTaker, audit};
use crate::settings::Settings;
use crate::waiver::Accepted;

/// What can be said to `audit`.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    profile: ProfileArgs,
    #[command(flatten)]
    client: ClientArgs,
    #[command(flatten)]
    sign_in: SignInArgs,
    #[command(flatten)]
    checks: SelectionArgs,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    wire: WireArgs,
    #[command(flatten)]
    journal: JournalArgs,
    /// Do not ask before active checks against a host that is not this machine.
    #[arg(long)]
    yes: bool,
    /// Judge the documents saved in a folder, and send nothing: `discover --save DIR` writes them.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["vault_out", "logs"])]
    offline: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Print what is in force and where it comes from, as a configuration, and do nothing.
    #[arg(long)]
    print_config: bool,
    #[command(flatten)]
    common: Common,
}

/// What is looked at.
#[derive(Debug, Clone, Args)]
pub(super) struct TargetArgs {
    /// URL of an API route, an MCP endpoint, or an issuer.
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// Name the authorization server; else found through the resource.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Name the protected resource when TARGET is an issuer.
    #[arg(long, value_name = "URL")]
    resource: Option<String>,
}

impl TargetArgs {
    /// The target, if every URL of it is one.
    pub(super) fn target(&self, given: &Given) -> Result<Target, Complaint> {
        let target = self.perhaps(given)?;
        if target.named().next().is_none() {
            return Err(Complaint::usage(
                "there is no TARGET to audit",
                "oaudit audit https://api.example.com/mcp, or target in oaudit.toml; `oaudit init` writes one",
            ));
        }
        Ok(target)
    }

    /// What is named, if anything is.
    pub(super) fn perhaps(&self, given: &Given) -> Result<Target, Complaint> {
        let target = Target {
            typed: self.target.clone(),
            issuer: self.issuer.clone(),
            resource: self.resource.clone(),
            call: given.file.as_ref().and_then(Config::call).map(Arc::new),
        };
        for url in target.named() {
            shown::address(url)?;
        }
        Ok(target)
    }
}

/// Which checks.
#[derive(Debug, Clone, Args)]
pub(super) struct SelectionArgs {
    /// Only checks whose ids match: pkce/*, refresh/rotated. Repeatable.
    #[arg(long, value_name = "GLOB")]
    select: Vec<String>,
    /// Leave out checks whose ids match. Repeatable.
    #[arg(long, value_name = "GLOB")]
    ignore: Vec<String>,
    /// The most that may be spoiled: nothing, own-material, grant or session.
    #[arg(long, value_name = "LEVEL", default_value = "grant", value_parser = reach)]
    reach: Reach,
}

/// What checks judge by.
#[derive(Debug, Clone, Args)]
pub(super) struct JudgingArgs {
    /// Run the checks that wait until something expires, up to two hours.
    #[arg(long)]
    slow: bool,
    /// Run those that wait no longer than this.
    #[arg(long, value_name = "SECS", default_value = "0")]
    max_wait: u64,
    /// Seconds that the whole run may take: then it cleans up and reports what there is. No end by default.
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u64).range(1..))]
    max_time: Option<u64>,
    /// The last part of the redirect URI that ChatGPT shows for your app, for servers that do not send iss.
    #[arg(long, value_name = "ID")]
    chatgpt_callback_id: Option<String>,
    /// Look for the secrets of this run in these log files of the server, or folders of them. Repeatable.
    #[arg(long, value_name = "PATH")]
    logs: Vec<PathBuf>,
}

impl JudgingArgs {
    pub(super) fn max_time(&self) -> Option<Duration> {
        self.max_time.map(Duration::from_secs)
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            slow: self.slow,
            max_wait: Duration::from_secs(self.max_wait),
            chatgpt_callback_id: self.chatgpt_callback_id.clone(),
            logs: self.logs.clone(),
            ..Settings::default()
        }
    }
}

impl SelectionArgs {
    pub(super) fn selection(&self) -> Selection {
        Selection { select: self.select.clone(), ignore: self.ignore.clone(), reach: self.reach }
    }
}

fn reach(text: &str) -> Result<Reach, String> {
    match text {
        "nothing" => Ok(Reach::Nothing),
        "own-material" => Ok(Reach::OwnMaterial),
        "grant" => Ok(Reach::Grant),
        "session" => Ok(Reach::Session),
        _ => Err(super::one_of(&["nothing", "own-material", "grant", "session"])),
    }
}

/// What stdout and files get, and what fails the run.
#[derive(Debug, Clone, Args)]
pub(super) struct ReportArgs {
    /// What stdout gets: terminal, json, sarif, junit, markdown, html, github or har.
    #[arg(long, value_name = "F", default_value = "terminal", value_parser = Format::of)]
    format: Format,
    /// A further report from the same run: json=report.json. Repeatable.
    #[arg(short = 'o', long = "output", value_name = "F=PATH", value_parser = Format::further)]
    output: Vec<(Format, PathBuf)>,
    /// The file of the repository that SARIF shows findings at: a server has no lines. By default the line of the target in
    /// the configuration, else the workflow.
    #[arg(long, value_name = "FILE")]
    sarif_anchor: Option<String>,
    /// Write the secrets of this run to a file, for `oaudit logs --run FILE`. It holds live tokens: only its owner can
    /// read it, and it should be deleted after use.
    #[arg(long, value_name = "FILE")]
    vault_out: Option<PathBuf>,
    /// Show the exchanges in the terminal report.
    #[arg(long)]
    evidence: bool,
    /// The lowest level that fails the run: must, should, advice or never.
    #[arg(long, value_name = "LEVEL", default_value = "must", value_parser = fail_on)]
    fail_on: FailOn,
    /// Exit 0 in place of 3 when something stayed inconclusive.
    #[arg(long, conflicts_with = "strict")]
    allow_incomplete: bool,
    /// Checks that were not run make the run incomplete.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    baseline: BaselineArgs,
    #[arg(skip)]
    anchor: Anchor,
}

pub(super) fn fail_on(text: &str) -> Result<FailOn, String> {
    match text {
        "must" => Ok(FailOn::Must),
        "should" => Ok(FailOn::Should),
        "advice" => Ok(FailOn::Advice),
        "never" => Ok(FailOn::Never),
        _ => Err(super::one_of(&["must", "should", "advice", "never"])),
    }
}

impl ReportArgs {
    pub(super) fn grading(&self) -> Grading {
        Grading { fail_on: self.fail_on, allow_incomplete: self.allow_incomplete, strict: self.strict }
    }

    pub(super) fn machine(&self) -> bool {
        self.format != Format::Terminal
    }

    /// Finds the place that code scanning shows findings at. `document` is what was judged offline.
    pub(super) fn anchored(&mut self, given: &Given, target: &Target, document: Option<&Path>) {
        self.anchor = anchor(self.sarif_anchor.as_deref(), given.file.as_ref(), target.named(), document);
    }

    /// Writes the reports; the exit code is the report's unless one could not be written.
    pub(super) fn deliver(&self, report: &Report, streams: Streams) -> Exit {
        let terminal = std::io::stdout().is_terminal();
        let look = Look {
            width: output::width(),
            color: streams.color,
            evidence: self.evidence,
            quiet: streams.quiet,
            links: terminal && !output::is_dumb(),
        };
        let render = |format: Format, look: &Look| format.render(report, look, &self.anchor);
        let plain = Look { color: false, links: false, ..look };
        let mut exit = Exit(report.summary.exit_code);
        let written = std::iter::once(output::report(&render(self.format, &look)))
            .chain(self.output.iter().map(|(format, path)| output::file(path, &render(*format, &plain))));
        let formats = self.output.iter().map(|(format, _)| *format).chain([self.format]);
        let written = written.chain(std::iter::once_with(|| Format::summarize(formats, report)));
        for complaint in written.filter_map(Result::err) {
            exit = streams.complain(&complaint, self.machine());
        }
        if let Some(stopped) = report.stopped.as_ref().filter(|_| self.machine()) {
            let complaint = Complaint { error: stopped.error.clone(), hint: stopped.hint.clone(), exit };
            return streams.complain(&complaint, true);
        }
        exit
    }
}

impl AuditArgs {
    pub(super) async fn run(mut self, given: &Given) -> Exit {
        let streams = self.common.streams();
        if self.print_config {
            let text = effective::text("audit", given);
            // What only shows when it is put to use is an error here as it is there.
            let usable = || self.rules.load().and_then(|further| given.waivers(&further));
            let printed = output::report(&text).and_then(|()| usable());
            return printed.map_or_else(|complaint| streams.complain(&complaint, false), |_| Exit::OK);
        }
        if let Some(folder) = self.offline.clone() {
            return self.run_offline(&folder, given, streams).await;
        }
        match self.target.target(given).and_then(|target| Ok((target, self.options(given, streams)?))) {
            Ok((target, options)) => {
                self.report.anchored(given, &target, None);
                if let Some(remark) = given.remark().filter(|_| !streams.quiet) {
                    output::prose(&remark);
                }
                conduct(&target, baseline::name(&target), options, &self.report, streams).await
            }
            Err(complaint) => streams.complain(&complaint, self.report.machine()),
        }
    }

    fn options(&self, given: &Given, streams: Streams) -> Result<Options, Complaint> {
        let yes = self.yes;
        let further = self.rules.load()?;
        let mut sign_in = self.sign_in.sign_in(given)?;
        sign_in.verbose = streams.verbose;
        sign_in.webdriver.insecure = self.wire.insecure;
        let other_user = second_user(given, &sign_in)?;
        Ok(Options {
            profile: self.profile.profile(),
            selection: self.checks.selection(),
            accepted: Accepted { waivers: given.waivers(&further)?, baseline: None },
            further,
            wire: self.wire.options()?,
            client: self.client.first(given)?,
            other_client: self.client.second(given)?,
            confidential_client: self.client.confidential(given)?,
            client_key: self.client.key()?,
            client_metadata_url: self.client.metadata_url(given)?,
            redirect_uri: self.client.redirect_uri.clone(),
            scope: self.client.scope.as_deref().map(ScopeSet::parse),
            sign_in,
            other_user,
            max_prompts: self.sign_in.max_prompts,
            settings: given.of_target(self.judging.settings())?,
            max_time: self.judging.max_time(),
            grading: self.report.grading(),
            consent: Arc::new(move |url| yes || confirmed(url)),
            progress: streams.progress(),
            journal: self.journal.folder(streams.quiet),
            ..Options::default()
        })
    }
}

/// Runs the audit and delivers its reports. A signal stops it, and it cleans up and delivers what there is. `name` is
/// what baselines call the target.
pub(super) async fn conduct(
    target: &Target,
    name: String,
    mut options: Options,
    reports: &ReportArgs,
    streams: Streams,
) -> Exit {
    let known = match reports.baseline.load(name) {
        Ok(known) => known,
        Err(complaint) => return streams.complain(&complaint, reports.machine()),
    };
    options.accepted.baseline = known.given.clone();
    // Made before anything is sent: a run whose secrets cannot be kept must not be made twice.
    let kept = match reports.vault_out.as_deref().map(SecretsFile::make).transpose() {
        Ok(file) => file.map(Kept::new),
        Err(error) => {
            let complaint = Complaint::usage(error.to_string(), "check the path of --vault-out");
            return streams.complain(&complaint, reports.machine());
        }
    };
    options.secrets = kept.as_ref().map(Kept::taker);
    let signals = Signals::listen();
    options.interrupt = signals.first();
    let audited = match signals.unless_stopped(audit(target, options)).await {
        Ok(audited) => audited,
        Err(exit) => return exit,
    };
    match audited {
        Ok(report) => {
            let exit = reports.deliver(&report, streams);
            let exit = known.write_or_complain(&report, streams, reports.machine(), exit);
            match kept.and_then(|kept| kept.failed()) {
                Some(error) => streams.complain(&Complaint::ours(error, "see --vault-out"), reports.machine()),
                None => exit,
            }
        }
        Err(error) => streams.complain(&Complaint::usage(error.to_string(), error.hint()), reports.machine()),
    }
}

/// The file that takes the secrets of the run, and how that went.
struct Kept {
    file: Arc<Mutex<SecretsFile>>,
    failed: Arc<Mutex<Option<String>>>,
}

impl Kept {
    fn new(file: SecretsFile) -> Self {
        Self { file: Arc::new(Mutex::new(file)), failed: Arc::default() }
    }

    fn taker(&self) -> SecretsTaker {
        let (file, failed) = (Arc::clone(&self.file), Arc::clone(&self.failed));
        Arc::new(move |secrets| {
            let written = file.lock().map_or(Ok(()), |mut file| file.write(secrets));
            if let (Err(error), Ok(mut failed)) = (written, failed.lock()) {
                *failed = Some(error.to_string());
            }
        })
    }

    fn failed(self) -> Option<String> {
        self.failed.lock().ok()?.take()
    }
}

/// Asks before requests that are not GETs go to somebody's server.
pub(super) fn confirmed(url: &str) -> bool {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return false;
    }
    let question = format!(
        "{url} is not on this machine. The audit registers clients there, signs in, and sends hostile requests.\n\
         Is it yours, or does its owner agree? [y/N] "
    );
    // Not held back while somebody thinks: Ctrl-C has something to say as well.
    output::without_the_bar();
    let mut stderr = std::io::stderr();
    if stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush()).is_err() {
        return false;
    }
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

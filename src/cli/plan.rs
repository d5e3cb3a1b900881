//! `oaudit plan`: what an audit would do, before it does anything.

use std::fmt::Write as _;

use clap::Args;

use super::audit::{JudgingArgs, SelectionArgs, TargetArgs};
use super::client::ClientArgs;
use super::layers::{ConfigArgs, Given};
use super::rules::RulesArgs;
use super::second_user::second_user;
use super::sign_in::SignInArgs;
use super::wire::WireArgs;
use super::{Common, Complaint, Exit, ProfileArgs, output};
use crate::discovery::Target;
use crate::oauth::scope::ScopeSet;
use crate::plan::outline::Outline;
use crate::report::plain::plain;
use crate::run::{Options, foresee};

/// What can be said to `plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
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
    wire: WireArgs,
    /// terminal or json.
    #[arg(long, value_name = "F", default_value = "terminal", value_parser = ["terminal", "json"])]
    format: String,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    common: Common,
}

impl PlanArgs {
    pub(super) async fn run(self, given: &Given) -> Exit {
        let streams = self.common.streams();
        let machine = self.format == "json";
        let told = match self.options(given) {
            Ok((target, options)) => foresee::foresee(&target, options).await,
            Err(complaint) => return streams.complain(&complaint, machine),
        };
        let written = match told {
            Ok(Ok(outline)) => output::report(&if machine { json(&outline) } else { text(&outline) }),
            Ok(Err(stopped)) => Err(Complaint::not_started(stopped.error, stopped.hint)),
            Err(error) => Err(Complaint::usage(error.to_string(), error.hint())),
        };
        match written {
            Ok(()) => Exit::OK,
            Err(complaint) => streams.complain(&complaint, machine),
        }
    }

    fn options(&self, given: &Given) -> Result<(Target, Options), Complaint> {
        let sign_in = self.sign_in.sign_in(given)?;
        let options = Options {
            profile: self.profile.profile(),
            selection: self.checks.selection(),
            further: self.rules.load()?,
            wire: self.wire.options()?,
            client: self.client.first(given)?,
            other_client: self.client.second(given)?,
            confidential_client: self.client.confidential(given)?,
            client_key: self.client.key()?,
            client_metadata_url: self.client.metadata_url(given)?,
            redirect_uri: self.client.redirect_uri.clone(),
            scope: self.client.scope.as_deref().map(ScopeSet::parse),
            other_user: second_user(given, &sign_in)?,
            sign_in,
            max_prompts: self.sign_in.max_prompts,
            settings: given.of_target(self.judging.settings())?,
            ..Options::default()
        };
        Ok((self.target.target(given)?, options))
    }
}

fn json(outline: &Outline) -> String {
    let mut told = serde_json::to_value(outline).unwrap_or_default();
    told["requests"]["total"] = outline.requests.total().into();
    format!("{}\n", serde_json::to_string_pretty(&told).unwrap_or_default())
}

fn text(outline: &Outline) -> String {
    let mut text = String::new();
    let checks: usize = outline.stages.iter().map(|s| s.checks.len()).sum();
    let of = outline.resource.as_deref().unwrap_or("no resource");
    let (requests, seconds) = (&outline.requests, &outline.seconds);
    let _ = writeln!(text, "{of}, authorization server {}\n", outline.issuer);
    let _ = writeln!(text, "{checks} checks; signs in by: {}", outline.agent);
    let _ = writeln!(text, "authorizations: {} at most", outline.authorizations);
    let _ = writeln!(
        text,
        "a person is asked: {} times by a server that remembers, {} at most",
        outline.prompts.expected, outline.prompts.at_most
    );
    let _ = writeln!(
        text,
        "requests: about {} (documents {}, registration {}, authorization {}, token endpoint {}, resource {})",
        requests.total(),
        requests.documents,
        requests.registration,
        requests.authorization,
        requests.token,
        requests.resource
    );
    let _ = writeln!(
        text,
        "time: about {} s beside what the person takes; {} min at most, if every answer comes as late as it may",
        seconds.about,
        seconds.at_most.div_ceil(60)
    );
    for (heading, list) in [("spoiled at the server", &outline.spoils), ("may be left there", &outline.leaves)] {
        if !list.is_empty() {
            let _ = writeln!(text, "\n{heading}:");
            list.iter().for_each(|line| _ = writeln!(text, "  {line}"));
        }
    }
    for stage in &outline.stages {
        let _ = writeln!(text, "\n{} ({})", stage.stage, stage.checks.len());
        for check in &stage.checks {
            let visits = match check.authorizations {
                0 => String::new(),
                1 => "1 authorization".into(),
                n => format!("{n} authorizations"),
            };
            let _ = writeln!(text, "{}", format!("  {:<48} {visits}", check.id).trim_end());
        }
    }
    if !outline.not_run.is_empty() {
        let _ = writeln!(text, "\nnot run ({})", outline.not_run.len());
        for left in &outline.not_run {
            let how = left.how_to_run.as_ref().map(|how| format!(" ({how})")).unwrap_or_default();
            let _ = writeln!(text, "  {}: {}{how}", left.id, left.why);
        }
    }
    // Line by line: the issuer is the target's word.
    text.lines().map(|line| format!("{}\n", plain(line))).collect()
}

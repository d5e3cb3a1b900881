//! `oaudit demo`: audits the embedded lab, with three typical faults unless told otherwise.

use clap::Args;

use super::audit::{JudgingArgs, ReportArgs, SelectionArgs, conduct};
use super::layers::{ConfigArgs, Given};
use super::rules::{Further, RulesArgs};
use super::wire::TraceArgs;
use super::{Common, Complaint, Exit, ProfileArgs};
use crate::discovery::Target;
use crate::front::choose::{AgentName, SignIn};
use crate::front::form::Credentials;
use crate::lab::{Lab, LabOptions};
use crate::oauth::secret::Secret;
use crate::run::Options;
use crate::waiver::Accepted;
use crate::wire::WireOptions;

/// What goes wrong on many servers: seen in the field, and each of another kind.
const TYPICAL: [&str; 3] = ["no-rotation", "bad-token-500", "s256-unadvertised"];

/// What baselines call the lab: it is on another port each time.
const NAME: &str = "oaudit demo";

/// What can be said to `demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// A fault for the lab to have; see `oaudit lab --list-faults`. Repeatable; without it, three typical ones.
    #[arg(long, value_name = "NAME", conflicts_with = "sound")]
    fault: Vec<String>,
    /// No fault at all.
    #[arg(long)]
    sound: bool,
    #[command(flatten)]
    profile: ProfileArgs,
    #[command(flatten)]
    checks: SelectionArgs,
    #[command(flatten)]
    rules: RulesArgs,
    #[command(flatten)]
    judging: JudgingArgs,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    trace: TraceArgs,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    common: Common,
}

impl DemoArgs {
    pub(super) async fn run(mut self, given: &Given) -> Exit {
        let streams = self.common.streams();
        let waivers = |further: Further| given.waivers(&further).map(|waivers| (further, waivers));
        let (further, waivers) = match self.rules.load().and_then(waivers) {
            Ok(loaded) => loaded,
            Err(complaint) => return streams.complain(&complaint, self.report.machine()),
        };
        let faults = match (self.sound, self.fault.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => TYPICAL.map(str::to_owned).to_vec(),
            (false, false) => self.fault.clone(),
        };
        let lab = match Lab::start(LabOptions { faults, ..LabOptions::default() }).await {
            Ok(lab) => lab,
            Err(error) => {
                let complaint = Complaint::usage(error.to_string(), error.hint());
                return streams.complain(&complaint, self.report.machine());
            }
        };
        let authorities = lab.authority().map(|pem| pem.as_bytes().to_vec()).into_iter().collect();
        let options = Options {
            wire: WireOptions { authorities, trace: self.trace.trace(), ..WireOptions::default() },
            profile: self.profile.profile(),
            selection: self.checks.selection(),
            further,
            accepted: Accepted { waivers, baseline: None },
            sign_in: SignIn {
                agent: AgentName::Form,
                credentials: Some(Credentials { username: "alice".into(), password: Secret::new("wonderland") }),
                ..SignIn::default()
            },
            settings: given.judging(self.judging.settings()),
            max_time: self.judging.max_time(),
            grading: self.report.grading(),
            progress: streams.progress(),
            ..Options::default()
        };
        let target = Target::of(lab.mcp());
        self.report.anchored(given, &target, None);
        let exit = conduct(&target, NAME.into(), options, &self.report, streams).await;
        lab.stop().await;
        exit
    }
}

//! What a run makes of checks that break.

use serde_json::json;

use super::*;
use crate::check::Verdict;
use crate::check::{Card, Check, Demand, Impact, Reach, demand, must};
use crate::discovery::tests::server_facts;
use crate::document::Document;
use crate::front::SignIn;
use crate::needs::{Context, Documents};
use crate::plan::Selection;
use crate::report::ResultKind;
use crate::wire::WireOptions;

const D: Demand = demand("It holds.", &[must(Document::Rfc8414, "2")]);

macro_rules! check {
    ($name:ident, $id:literal, $run:expr) => {
        struct $name;
        impl Check for $name {
            type Needs = Documents;
            const CARD: Card = Card { id: $id, demands: &[D], impact: Impact::Low, reach: Reach::Nothing, page: "" };
            async fn run(_: Documents, _: &Context) -> Outcome {
                $run
            }
        }
    };
}
check!(Breaks, "a/breaks", panic!("a check that breaks"));
check!(Hangs, "a/hangs", std::future::pending().await);
check!(Holds, "a/holds", Ok(Verdict::pass("it holds").into()));

#[tokio::test]
async fn a_mistake_of_ours_ends_in_a_report() {
    let options = Options { progress: Arc::new(|_| panic!("a mistake")), ..Options::default() };
    let target = Target::of("http://127.0.0.1:9/");
    let report = audit(&target, options).await.unwrap();
    assert_eq!(report.summary.exit_code, 5);
    assert_eq!(report.stopped.unwrap().error, BROKE);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_breaks_or_hangs_is_undecided_and_the_others_go_on() {
    let plan = Plan { checks: vec![&Breaks, &Hangs, &Holds], beyond_reach: Vec::new(), left_out: Vec::new() };
    let run = Run {
        plan,
        outcomes: Outcomes::default(),
        options: Options::default(),
        began: Instant::now(),
        started_at: String::new(),
        remarks: Vec::new(),
        agent: None,
    };
    let wire = Wire::open(WireOptions::default()).unwrap();
    let discovery = Discovery { resource: None, server: server_facts(json!({})) };
    let audit = Arc::new(run.audit_of_documents(discovery));
    for together in [true, false] {
        run.conduct(&wire, &audit, run.plan.checks.clone(), together).await;
        let why = |id: &str| match run.outcomes.take(id).unwrap().0 {
            Ok(ruling) => format!("{:?}", ruling.verdict),
            Err(unsettled) => unsettled.to_string(),
        };
        assert!(why("a/breaks").contains("a bug of oaudit"));
        assert!(why("a/hangs").contains("longer than 30 minutes"));
        assert_eq!(why("a/holds"), "Pass(\"it holds\")");
    }
}

fn as_alice() -> Options {
    let credentials = crate::front::form::Credentials {
        username: "alice".into(),
        password: crate::oauth::secret::Secret::new("wonderland"),
    };
    let sign_in =
        SignIn { agent: crate::front::choose::AgentName::Form, credentials: Some(credentials), ..SignIn::default() };
    Options { sign_in, ..Options::default() }
}

/// Neither a check that breaks nor a run that does leaves anything at the server.
#[tokio::test]
async fn a_panic_leaves_no_mess() {
    let lab = crate::lab::Lab::start(crate::lab::LabOptions::default()).await.unwrap();
    let selection = Selection { select: vec!["pkce/*".into(), "a/breaks".into()], ..Selection::default() };
    let of = |options: Options| {
        let target = Target::of(lab.mcp());
        async move { audit(&target, options).await.unwrap() }
    };
    let report = of(Options { further: vec![&Breaks], selection: selection.clone(), ..as_alice() }).await;
    let line = report.checks.iter().find(|c| c.id == "a/breaks").unwrap();
    assert_eq!(line.result, ResultKind::Inconclusive);
    assert!(report.checks.iter().any(|c| c.result == ResultKind::Pass), "the others went on");
    assert_eq!((lab.registered_clients().len(), lab.live_grants(), report.left_behind.len()), (0, 0, 0));

    let progress = |progress: Progress<'_>| {
        assert!(!matches!(progress, Progress::Begins("codes and tokens", _)), "a mistake");
    };
    let report = of(Options { progress: Arc::new(progress), further: vec![&Breaks], selection, ..as_alice() }).await;
    assert_eq!((report.summary.exit_code, report.summary.logins), (5, 1));
    assert_eq!((lab.registered_clients().len(), lab.live_grants(), report.left_behind.len()), (0, 0, 0));
}

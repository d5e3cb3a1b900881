//! What a run makes of checks that break.

use serde_json::json;

use super::*;
use crate::check::{Card, Check, Demand, Impact, Reach, demand, must};
use crate::discovery::tests::server_facts;
use crate::document::Document;
use crate::needs::Documents;

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

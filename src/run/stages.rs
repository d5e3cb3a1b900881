//! The stages of a run, one after the other, and the sign-in beside the first of them.

use std::sync::Arc;

use super::{Progress, Run, flow};
use crate::audit::Audit;
use crate::check::Verdict;
use crate::front::Asks;
use crate::needs::{ConfidentialClient, Context, Needs, OtherClient, Stage};
use crate::registration::Wanted;
use crate::report::Stopped;
use crate::wire::Wire;

impl Run {
    /// The stages. What needs nobody runs while somebody signs in.
    pub(super) async fn stages(&mut self, wire: &Wire, audit: &Arc<Audit>, wanted: &Wanted) -> Option<Stopped> {
        let early: Vec<_> = [Stage::Documents, Stage::Anonymous].into_iter().flat_map(|s| self.plan.stage(s)).collect();
        self.tell(Progress::Begins("documents and anonymous requests, while signing in", early.len()));
        let signing_in = flow::sign_in(wire, audit, wanted);
        let ((), signed_in) = tokio::join!(self.conduct(wire, audit, early, true), signing_in);
        if !matches!(audit.baseline(), Some(Ok(_))) {
            self.take_back_green(wire);
        }
        let side_by_side = match signed_in {
            Ok(flow::SignedIn { side_by_side }) => side_by_side,
            Err(error) => return Some(Stopped { error: error.to_string(), hint: error.hint().into() }),
        };
        let _ = audit.side_by_side.set(side_by_side);
        let beside = side_by_side != Some(false);
        if !beside {
            self.remark(
                "this server ends the older grants of a user and client at each new authorization; checks ran one after \
                 the other"
                    .into(),
            );
        }
        self.stage(wire, audit, Stage::Baseline, true).await;
        self.introduce(wire, audit).await;
        let rest = async {
            self.stage(wire, audit, Stage::OwnMaterial, beside).await;
            self.stage(wire, audit, Stage::OddRequests, beside).await;
            self.stage(wire, audit, Stage::Grants, false).await;
            self.stage(wire, audit, Stage::Session, false).await;
        };
        // What waits begins at once and runs beside the rest, unless the rest would end the grants that it waits on.
        match beside {
            true => {
                tokio::join!(self.stage(wire, audit, Stage::Waiting, true), rest);
            }
            false => {
                rest.await;
                self.stage(wire, audit, Stage::Waiting, false).await;
            }
        }
        self.stage(wire, audit, Stage::Ledger, true).await;
        None
    }

    /// Who has just signed in is asked for the consent of the other clients right away: later nobody may be there.
    async fn introduce(&self, wire: &Wire, audit: &Arc<Audit>) {
        let (beside, Some(check)) = (self.plan.beside(), self.plan.checks.first()) else { return };
        if audit.front.agent().asks() == Asks::Nobody {
            return;
        }
        let cx = Context { wire: wire.clone(), audit: Arc::clone(audit), card: check.card() };
        // What comes of it is kept, and told by the checks that take it.
        if beside.other {
            let _ = OtherClient::supply(&cx, Vec::new()).await;
        }
        if beside.confidential {
            let _ = ConfidentialClient::supply(&cx, Vec::new()).await;
        }
    }

    pub(super) async fn stage(&self, wire: &Wire, audit: &Arc<Audit>, stage: Stage, together: bool) {
        let checks = self.plan.stage(stage);
        if !checks.is_empty() {
            self.tell(Progress::Begins(stage.describe(), checks.len()));
            let conducted = self.conduct(wire, audit, checks, together);
            if stage != Stage::Waiting {
                return conducted.await;
            }
            tokio::select! {
                biased;
                () = conducted => {}
                never = audit.waits.count_down(|says| self.tell(Progress::Says(says))) => match never {},
            }
        }
    }

    /// A server whose ordinary flow does not work may refuse everything for a reason of its own: what it answered to
    /// anonymous requests proves nothing good.
    pub(super) fn take_back_green(&mut self, wire: &Wire) {
        for check in self.plan.stage(Stage::Anonymous) {
            let mut outcomes = self.outcomes.held();
            if let Some((outcome, took)) = outcomes.get_mut(check.card().id)
                && let Ok(ruling) = outcome
                && let Verdict::Pass(why) = &ruling.verdict
            {
                let why = format!("{why}, but the ordinary flow did not work, see authorization/code-flow-works");
                ruling.verdict = Verdict::Inconclusive(why);
                self.tell_ended(wire, check.card(), outcome, *took);
            }
        }
    }
}

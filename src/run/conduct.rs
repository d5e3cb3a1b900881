//! Runs checks: side by side or one after the other, each in a task of its own, so that one that breaks or hangs is
//! undecided and the run goes on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::Run;
use crate::audit::Audit;
use crate::check::{AnyCheck, Card, Outcome, Unsettled};
use crate::needs::Context;
use crate::wire::Wire;

/// The longest that one check may take, waiting for its turn included; waits that the user allows come on top.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// The cards of the checks that are under way.
type Cards = HashMap<tokio::task::Id, &'static Card>;

/// A check that ended, and how long it took.
type Conducted = (&'static Card, Outcome, Duration);

impl Run {
    /// Runs checks, side by side or one after the other. A check that panics or takes too long is undecided, and the
    /// run goes on.
    pub(super) async fn conduct(
        &self,
        wire: &Wire,
        audit: &Arc<Audit>,
        checks: Vec<&'static dyn AnyCheck>,
        together: bool,
    ) {
        let mut under_way = JoinSet::new();
        let mut cards = Cards::new();
        let patience = PATIENCE + self.options.settings.longest_wait();
        for check in checks {
            let card = check.card();
            let cx = Context { wire: wire.stamped(card.id), audit: Arc::clone(audit), card };
            let task = under_way.spawn(async move {
                let began = Instant::now();
                let ordinary = cx.audit.ordinary().clone();
                let outcome =
                    tokio::time::timeout(patience, check.conduct(&cx, &ordinary)).await.unwrap_or_else(|_| {
                        Err(Unsettled::Control(format!(
                            "the check took longer than {} minutes",
                            patience.as_secs() / 60
                        )))
                    });
                (card, outcome, began.elapsed())
            });
            cards.insert(task.id(), card);
            if !together {
                self.collect(wire, &mut under_way, &cards).await;
            }
        }
        self.collect(wire, &mut under_way, &cards).await;
    }

    async fn collect(&self, wire: &Wire, under_way: &mut JoinSet<Conducted>, cards: &Cards) {
        while let Some(ended) = under_way.join_next().await {
            let ended = ended.or_else(|error| {
                let why = "the check itself broke; this is a bug of oaudit, please report it".to_owned();
                cards.get(&error.id()).map(|card| (*card, Err(Unsettled::Control(why)), Duration::ZERO)).ok_or(error)
            });
            // Every task has its card.
            let Ok((card, outcome, took)) = ended else { continue };
            self.tell_ended(wire, card, &outcome, took);
            self.outcomes.enter(card.id, outcome, took);
        }
    }
}

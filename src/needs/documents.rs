//! What is read and not asked for: the documents of discovery, the transcript of the ordinary flow, the whole ledger.

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::Arc;

use url::Url;

use super::{Context, Needs, Shortfall, Stage, no_resource};
use crate::audit::{Audit, FlowFailure, Transcript};
use crate::check::Verdict;
use crate::discovery::{Discovery, Metadata, Place, ResourceFacts};
use crate::oauth::request::AuthorizationRequest;
use crate::wire::Exchange;

/// The documents of discovery. Nothing is sent.
#[derive(Debug, Clone)]
pub struct Documents(pub Arc<Audit>);

impl Deref for Documents {
    type Target = Discovery;
    fn deref(&self) -> &Discovery {
        &self.0.discovery
    }
}

impl Needs for Documents {
    const STAGE: Stage = Stage::Documents;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        Ok(Self(Arc::clone(&cx.audit)))
    }
}

/// What discovery found out about the protected resource.
#[derive(Debug, Clone)]
pub struct AboutResource(pub Arc<Audit>);

impl Deref for AboutResource {
    type Target = ResourceFacts;
    fn deref(&self) -> &ResourceFacts {
        self.0.discovery.resource.as_ref().expect("supplied only where a resource is known")
    }
}

impl Needs for AboutResource {
    const STAGE: Stage = Stage::Documents;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        match cx.audit.discovery.resource {
            Some(_) => Ok(Self(Arc::clone(&cx.audit))),
            None => Err(no_resource()),
        }
    }
}

/// The metadata of the protected resource.
#[derive(Debug, Clone)]
pub struct ResourceMetadata {
    /// The document.
    pub metadata: Metadata,
    /// How it was found.
    pub place: Place,
    /// The rest of what is known.
    pub facts: ResourceFacts,
}

impl Needs for ResourceMetadata {
    const STAGE: Stage = Stage::Documents;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let facts = AboutResource::supply(cx, Vec::new()).await?;
        match &facts.metadata {
            Some((metadata, place)) => Ok(Self { metadata: metadata.clone(), place: *place, facts: (*facts).clone() }),
            None => Err(Shortfall::NotApplicable(
                "the resource publishes no metadata, see resource_metadata/published".into(),
            )),
        }
    }
}

/// Everything that was sent in this run, at its end. All checks share it.
#[derive(Debug, Clone)]
pub struct WholeLedger(pub Arc<[Exchange]>);

impl WholeLedger {
    /// For a check that saw nothing wrong in the answers to these requests: a pass, unless one of them was lost on the
    /// way and not made up for, since that one might have shown it. Where nobody ever answers, nothing is lost.
    pub fn nothing_wrong(&self, among: impl Fn(&Exchange) -> bool, why: impl Into<String>) -> Verdict {
        fn asked(e: &Exchange) -> (&str, &str, &str, Option<&str>) {
            (&e.check, &e.request.method, &e.request.url, e.request.body.as_deref())
        }
        let made_up_for = |lost: &Exchange| self.0.iter().any(|e| e.is_answered() && asked(e) == asked(lost));
        let origin = |e: &Exchange| Url::parse(&e.request.url).map(|url| url.origin());
        let speaking: HashSet<_> = self.0.iter().filter(|e| e.is_heard()).filter_map(|e| origin(e).ok()).collect();
        let is_lost = |e: &&Exchange| {
            !e.is_answered() && among(e) && origin(e).is_ok_and(|o| speaking.contains(&o)) && !made_up_for(e)
        };
        let lost: Vec<_> = self.0.iter().filter(is_lost).collect();
        let Some(first) = lost.first() else { return Verdict::pass(why) };
        let address = first.request.url.split(['?', '#']).next().unwrap_or_default();
        let came = match (&first.response, &first.trouble) {
            (Some(response), _) if matches!(response.status, 429 | 502..=504) => {
                format!("was answered {}", response.status)
            }
            (Some(_), _) => "was answered with more than a record can hide or hold, so that it was not kept".into(),
            (None, trouble) => format!("got no answer ({})", trouble.as_deref().unwrap_or("cut off")),
        };
        let more = match lost.len() {
            1 => String::new(),
            n => format!(", and {} more were lost", n - 1),
        };
        let method = &first.request.method;
        Verdict::inconclusive(format!("{method} {address} {came}{more}; of the rest: {}", why.into()))
    }
}

impl Needs for WholeLedger {
    const STAGE: Stage = Stage::Ledger;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let read = || {
            let mut exchanges = cx.wire.ledger().all();
            // A secret that was known only later stands in the records before.
            for exchange in &mut exchanges {
                exchange.map_text(&|text| cx.wire.vault().redact(text).into_owned());
            }
            exchanges.into()
        };
        Ok(Self(Arc::clone(cx.audit.ledger.get_or_init(read))))
    }
}

/// How the one ordinary flow ended, well or badly: the need of the check that judges it.
#[derive(Debug, Clone)]
pub struct FlowAttempt(pub Result<Arc<Transcript>, FlowFailure>);

impl Needs for FlowAttempt {
    const STAGE: Stage = Stage::Baseline;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        match cx.audit.baseline() {
            Some(result) => Ok(Self(result.clone())),
            None => Err(Shortfall::Inconclusive("nobody signed in".into())),
        }
    }
}

/// The transcript of the one ordinary flow. Read only.
#[derive(Debug, Clone)]
pub struct Baseline(pub Arc<Transcript>);

impl Deref for Baseline {
    type Target = Transcript;
    fn deref(&self) -> &Transcript {
        &self.0
    }
}

impl Needs for Baseline {
    const STAGE: Stage = Stage::Baseline;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        match cx.audit.baseline() {
            Some(Ok(transcript)) => Ok(Self(Arc::clone(transcript))),
            Some(Err(failure)) => Err(Shortfall::Inconclusive(format!(
                "the ordinary flow did not work, see authorization/code-flow-works: {}",
                failure.why
            ))),
            None => Err(Shortfall::Inconclusive("nobody signed in".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::labels::tests::exchange;

    fn answered(url: &str, status: u16) -> Exchange {
        exchange(("GET", url, None), (status, &[], ""))
    }

    fn unanswered(url: &str) -> Exchange {
        Exchange { response: None, trouble: Some("cut".into()), ..answered(url, 200) }
    }

    fn verdict(exchanges: &[Exchange]) -> Verdict {
        WholeLedger(exchanges.into()).nothing_wrong(|e| e.request.url.contains("/a"), "fine")
    }

    #[test]
    fn what_was_lost_might_have_shown_it() {
        let (other, lost) = (answered("https://as/b", 200), unanswered("https://as/a?x=1"));
        let Verdict::Inconclusive(why) = verdict(&[other.clone(), lost.clone()]) else { panic!("not undecided") };
        assert_eq!(why, "GET https://as/a got no answer (cut); of the rest: fine");
        for status in [429, 502, 504] {
            assert!(matches!(
                verdict(&[answered("https://as/a?x=1", status), other.clone()]),
                Verdict::Inconclusive(_)
            ));
        }
        let mut flood = answered("https://as/a?x=1", 200);
        flood.response.iter_mut().for_each(|r| {
            r.body = "… [9 bytes in all, not kept: more tokens are in them than can be hidden]".into();
        });
        assert!(matches!(verdict(&[flood, other.clone()]), Verdict::Inconclusive(why) if why.contains("not kept")));
        assert_eq!(
            verdict(&[lost, answered("https://as/a?x=1", 500), other.clone()]),
            Verdict::pass("fine"),
            "made up for"
        );
        assert_eq!(verdict(&[unanswered("https://as/b"), other.clone()]), Verdict::pass("fine"), "another request");
        assert_eq!(verdict(&[unanswered("http://as/a"), other]), Verdict::pass("fine"), "nobody is there");
    }
}

//! What is read and not asked for: the documents of discovery, the transcript of the ordinary flow, the whole ledger.

use std::ops::Deref;
use std::sync::Arc;

use super::{Context, Needs, Shortfall, Stage, no_resource};
use crate::audit::{Audit, FlowFailure, Transcript};
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

/// Everything that was sent in this run, at its end.
#[derive(Debug, Clone)]
pub struct WholeLedger(pub Vec<Exchange>);

impl Needs for WholeLedger {
    const STAGE: Stage = Stage::Ledger;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let mut exchanges = cx.wire.ledger().all();
        // A secret that was known only later stands in the records before.
        for exchange in &mut exchanges {
            exchange.map_text(&|text| cx.wire.vault().redact(text).into_owned());
        }
        Ok(Self(exchanges))
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

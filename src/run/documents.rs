//! What can be judged by documents alone, where nobody signs in or nothing could be found.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Run, freeze};
use crate::audit::Audit;
use crate::check::{Check as _, Outcome, Verdict};
use crate::checks::transport::certificate_valid::{self, CertificateValid};
use crate::discovery::{Broken, Discovery, Found, Whose};
use crate::needs::Stage;
use crate::wire::Wire;

impl Run {
    pub(super) async fn documents_alone(&mut self, wire: &Wire, discovery: Discovery) {
        let audit = Arc::new(self.audit_of_documents(discovery));
        let checks = self.plan.stage(Stage::Documents);
        self.conduct(wire, &audit, checks, true).await;
        if !matches!(audit.baseline(), Some(Ok(_))) {
            self.take_back_green(wire);
        }
    }

    /// The resource can be judged although its authorization server could not be found.
    pub(super) async fn documents_without_server(&mut self, wire: &Wire, found: &Found, broken: &Broken) {
        let discovery = Discovery { resource: found.resource.clone(), server: freeze::no_server() };
        let audit = Arc::new(self.audit_of_documents(discovery));
        let (about_resource, about_server): (Vec<_>, Vec<_>) =
            self.plan.stage(Stage::Documents).into_iter().partition(|c| c.card().topic() == "resource_metadata");
        self.conduct(wire, &audit, about_resource, true).await;
        if !matches!(audit.baseline(), Some(Ok(_))) {
            self.take_back_green(wire);
        }
        for check in about_server.into_iter().filter(|c| c.card().id == "server_metadata/published") {
            let demand = check.card().demands[0];
            // A server that nobody named, or that could not be asked, published nothing wrong.
            let verdict = match broken.whose {
                Whose::AuthorizationServer => Verdict::fail(demand, broken.what.clone()),
                Whose::Resource | Whose::Network | Whose::CommandLine => Verdict::inconclusive(broken.what.clone()),
            };
            let outcome: Outcome = Ok(verdict.into());
            self.outcomes.enter(check.card().id, outcome, Duration::ZERO);
        }
    }

    /// Where nothing could be found, a certificate that clients refuse may be why: that is a finding.
    pub(super) async fn certificate_at_fault(&self, wire: &Wire, suspects: &[&str]) {
        let id = CertificateValid::CARD.id;
        if !self.plan.checks.iter().any(|check| check.card().id == id) {
            return;
        }
        let wire = &wire.stamped(id);
        for url in suspects.iter().filter(|url| url.starts_with("https:") && !wire.is_proxied(url)) {
            let began = Instant::now();
            if let Some(ruling) = certificate_valid::at_fault(wire, url).await {
                self.outcomes.enter(id, Ok(ruling), began.elapsed());
                return;
            }
        }
    }

    pub(super) fn audit_of_documents(&self, discovery: Discovery) -> Audit {
        freeze::audit_of_documents(self.options.profile, self.options.settings.clone(), discovery)
    }
}

//! The scopes that are advertised: by the challenge, by the resource's metadata, by the server's.

use std::collections::HashSet;

use super::{Context, Needs, Shortfall, Stage};
use crate::check::{Demand, Finding, Level, Ruling, Verdict, fold};
use crate::discovery::{Metadata, ResourceFacts};
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::scope_design::{Advertised, Limits, Remark, Rule, judge};
use crate::settings::Settings;
use crate::wire::ExchangeId;

/// Every scope that is advertised, each once, in the order of challenge, resource and server.
#[derive(Debug, Clone, Default)]
pub struct AdvertisedScopes {
    /// The scopes, as they stand.
    pub scopes: Vec<String>,
    /// Those that a client asks for that is told nothing: the challenge's, else the resource's.
    pub by_default: Vec<String>,
    seen: HashSet<String>,
    evidence: Vec<ExchangeId>,
}

impl AdvertisedScopes {
    /// Scopes from another place, of which it is not known who asks for them.
    pub fn listed(scopes: impl Iterator<Item = String>) -> Self {
        let mut listed = Self::default();
        scopes.for_each(|scope| listed.add(scope));
        listed
    }

    /// What discovery found.
    pub fn found(resource: Option<&ResourceFacts>, server: Option<&Metadata>) -> Self {
        let mut found = Self::default();
        let challenge = resource.and_then(|r| Some((r.bearer()?.parameter("scope")?, r.exchange)));
        if let Some((scope, exchange)) = challenge {
            found.by_default = scope.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect();
            found.evidence.push(exchange);
            found.by_default.clone().into_iter().for_each(|scope| found.add(scope));
        }
        let of_resource = resource.and_then(|r| r.metadata.as_ref()).map(|(metadata, _)| metadata);
        for metadata in [of_resource, server].into_iter().flatten() {
            let Some(list) = metadata.list("scopes_supported") else { continue };
            if of_resource.is_some_and(|m| std::ptr::eq(m, metadata)) && challenge.is_none() {
                found.by_default = list.iter().map(|s| (*s).to_owned()).collect();
            }
            found.evidence.push(metadata.fetched.exchange);
            list.into_iter().for_each(|scope| found.add(scope.to_owned()));
        }
        found
    }

    fn add(&mut self, scope: String) {
        if self.seen.insert(scope.clone()) {
            self.scopes.push(scope);
        }
    }

    /// What is wrong with them.
    pub fn remarks(&self, settings: &Settings) -> Vec<Remark> {
        let advertised = Advertised {
            scopes: self.scopes.iter().map(String::as_str).collect(),
            by_default: self.by_default.iter().map(String::as_str).collect(),
        };
        judge(&advertised, Limits { count: settings.thresholds.scopes, omnibus: &settings.omnibus_scopes })
    }

    /// The ruling of a check that looks at some of the rules.
    pub fn judge(
        &self,
        settings: &Settings,
        rules: &[(Rule, Demand)],
        levels: impl Fn(&Demand) -> Level,
        pass: &str,
    ) -> Ruling {
        let line = |remark: &Remark| {
            let (_, demand) = rules.iter().find(|(rule, _)| *rule == remark.rule)?;
            let better = remark.better.as_ref().map(|b| format!("; better {b}")).unwrap_or_default();
            Some(Finding::new(&remark.scope, Verdict::fail(*demand, format!("{}{better}", remark.why))))
        };
        let lines: Vec<Finding> = self.remarks(settings).iter().filter_map(line).collect();
        let ruling = match lines.is_empty() {
            true => Ruling::from(Verdict::pass(format!("{pass}: {}", quoted(&self.scopes)))),
            false => fold(lines, levels, ""),
        };
        ruling.shown_by(self.evidence.iter().copied())
    }
}

/// The scopes in a sentence: the first of them where there are very many.
fn quoted(scopes: &[String]) -> String {
    const SHOWN: usize = 50;
    let shown: Vec<&str> = scopes.iter().take(SHOWN).map(String::as_str).collect();
    let more = match scopes.len().saturating_sub(SHOWN) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("\"{}\"{more}", shown.join("\", \""))
}

impl Needs for AdvertisedScopes {
    const STAGE: Stage = Stage::Documents;
    async fn supply(cx: &Context, _: Vec<AuthorizationRequest>) -> Result<Self, Shortfall> {
        let discovery = &cx.audit.discovery;
        let found = Self::found(discovery.resource.as_ref(), Some(&discovery.server.metadata));
        match found.scopes.is_empty() {
            true => Err(Shortfall::NotApplicable(
                "no scopes are advertised, neither by metadata nor by the challenge".into(),
            )),
            false => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::{resource_facts, server_facts};
    use serde_json::json;

    #[test]
    fn the_challenge_says_what_is_asked_for_by_default() {
        let server = server_facts(json!({"scopes_supported": ["a", "c", 7]}));
        let resource = resource_facts(json!({"scopes_supported": ["a", "b"]}), "Bearer scope=\"b\"");
        let found = AdvertisedScopes::found(Some(&resource), Some(&server.metadata));
        assert_eq!((found.scopes.join(" "), found.by_default.join(" ")), ("b a c".into(), "b".into()));
        let silent = resource_facts(json!({"scopes_supported": ["a", "b"]}), "Bearer");
        let found = AdvertisedScopes::found(Some(&silent), Some(&server.metadata));
        assert_eq!((found.scopes.join(" "), found.by_default.join(" ")), ("a b c".into(), "a b".into()));
        let text = server_facts(json!({"scopes_supported": "a b"}));
        assert!(AdvertisedScopes::found(None, Some(&text.metadata)).scopes.is_empty());
    }
}

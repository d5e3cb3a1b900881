//! The members that every client reads are there, and every known member has the type it should have.

use serde_json::Value;

use crate::check::{Card, Check, Demand, Finding, Impact, Outcome, Reach, Verdict, demand, must};
use crate::discovery::{Metadata, kind};
use crate::document::Document;
use crate::needs::{Context, Documents};

const PRESENT: Demand = demand(
    "The metadata has issuer, authorization_endpoint, token_endpoint and response_types_supported.",
    &[must(Document::Rfc8414, "2")],
);
const TYPED: Demand =
    demand("Every member of the metadata has the JSON type that is defined for it.", &[must(Document::Rfc8414, "2")]);

const REQUIRED: [&str; 4] = ["issuer", "authorization_endpoint", "token_endpoint", "response_types_supported"];
const TEXTS: [&str; 14] = [
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "registration_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "userinfo_endpoint",
    "pushed_authorization_request_endpoint",
    "device_authorization_endpoint",
    "end_session_endpoint",
    "service_documentation",
    "op_policy_uri",
    "op_tos_uri",
];
const LISTS: [&str; 15] = [
    "response_types_supported",
    "scopes_supported",
    "response_modes_supported",
    "grant_types_supported",
    "token_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_methods_supported",
    "code_challenge_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "ui_locales_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "dpop_signing_alg_values_supported",
];
const FLAGS: [&str; 3] = [
    "authorization_response_iss_parameter_supported",
    "client_id_metadata_document_supported",
    "require_pushed_authorization_requests",
];

/// The required members are there, of the right types.
pub struct RequiredMembers;

impl Check for RequiredMembers {
    type Needs = Documents;
    const CARD: Card = Card {
        id: "server_metadata/required-members",
        demands: &[PRESENT, TYPED],
        impact: Impact::High,
        reach: Reach::Nothing,
        page: include_str!("required_members.md"),
    };

    async fn run(documents: Documents, cx: &Context) -> Outcome {
        let metadata = &documents.server.metadata;
        let ruling = cx.fold(judge(metadata), "the required members are there, and every known member has its type");
        Ok(ruling.shown_by([metadata.fetched.exchange]))
    }
}

fn judge(metadata: &Metadata) -> Vec<Finding> {
    let is_text = |v: &Value| v.is_string();
    let is_list = |v: &Value| v.as_array().is_some_and(|a| a.iter().all(Value::is_string));
    let is_flag = |v: &Value| v.is_boolean();
    let known = TEXTS
        .iter()
        .map(|name| (*name, "text", is_text as fn(&Value) -> bool))
        .chain(LISTS.iter().map(|name| (*name, "an array of texts", is_list as fn(&Value) -> bool)))
        .chain(FLAGS.iter().map(|name| (*name, "a boolean", is_flag as fn(&Value) -> bool)));
    known
        .filter_map(|(name, due, fits)| {
            let required = REQUIRED.contains(&name);
            Some(Finding::new(
                name,
                // Not as the metadata are read elsewhere, where null is as good as absent: typed clients stumble over it.
                match metadata.fetched.json.as_ref().and_then(|json| json.get(name)) {
                    Some(value) if fits(value) => Verdict::pass(format!("it is {due}")),
                    Some(value) => Verdict::fail(TYPED, format!("it is {}; {due} is due", kind(value))),
                    None if required => Verdict::fail(PRESENT, "it is missing"),
                    None => return None,
                },
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::tests::server_facts;
    use serde_json::json;

    fn red(metadata: Value) -> Vec<String> {
        let findings = judge(&server_facts(metadata).metadata);
        findings.into_iter().filter(|f| matches!(f.verdict, Verdict::Fail(..))).map(|f| f.what).collect()
    }

    #[test]
    fn missing_members_and_wrong_types_are_named() {
        let sound = json!({
            "issuer": "x", "authorization_endpoint": "y", "token_endpoint": "z", "response_types_supported": ["code"],
            "unknown": 7,
        });
        assert!(red(sound.clone()).is_empty());
        let mut printed = sound;
        printed["jwks_uri"] = Value::Null;
        printed["ui_locales_supported"] = json!("en");
        assert_eq!(red(printed), ["jwks_uri", "ui_locales_supported"]);
        assert_eq!(
            red(json!({"issuer": "x", "authorization_endpoint": "y", "token_endpoint": null,
                "response_types_supported": "code", "scopes_supported": [1]})),
            ["token_endpoint", "response_types_supported", "scopes_supported"]
        );
    }
}

//! Each refresh replaces the refresh token, or the token is bound to a key.

use std::sync::Arc;

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Ruling, Unsettled, Verdict, advice, demand, must};
use crate::document::Document;
use crate::needs::{Context, Refreshed};
use crate::oauth::token::{TokenAnswer, TokenSet};

const ROTATED: Demand = demand(
    "A refresh by a public client brings a new refresh token, unless the token is bound to a key of the client.",
    &[
        must(Document::Mcp, "token-theft"),
        must(Document::OAuth21, "4.3.1"),
        must(Document::Rfc9700, "4.14.2"),
        must(Document::OpenAi, "approval checklist"),
    ],
);
const ROTATED_FOR_ALL: Demand = demand(
    "A refresh by a confidential client brings a new refresh token as well.",
    &[advice(Document::OAuth21, "4.3.1")],
);

/// Compares the refresh tokens before and after the first refresh.
pub struct Rotated;

impl Check for Rotated {
    type Needs = Arc<Refreshed>;
    const CARD: Card = Card {
        id: "refresh/rotated",
        demands: &[ROTATED, ROTATED_FOR_ALL],
        impact: Impact::High,
        reach: Reach::OwnMaterial,
        page: include_str!("rotated.md"),
    };

    async fn run(refreshed: Arc<Refreshed>, _: &Context) -> Outcome {
        match &refreshed.answer {
            TokenAnswer::Granted(new) => {
                Ok(Ruling::from(judge(&refreshed.before, new)).shown_by(refreshed.exchanges()))
            }
            other => Err(Unsettled::Control(format!("the refresh brought {}", other.describe()))),
        }
    }
}

fn judge(old: &TokenSet, new: &TokenSet) -> Verdict {
    // Of the grant, not of the audit: a public client that can get no token was replaced by a confidential one.
    let broken = if old.grant.client.is_public() { ROTATED } else { ROTATED_FOR_ALL };
    let token_type = new.members.get("token_type").and_then(|t| t.as_str()).unwrap_or_default();
    match &new.refresh_token {
        Some(_) if new.refresh_token != old.refresh_token => Verdict::pass("the refresh brought a new refresh token"),
        _ if token_type.eq_ignore_ascii_case("DPoP") => {
            Verdict::pass("the refresh token stays the same, but it is bound to a key (token_type DPoP)")
        }
        Some(_) => Verdict::fail(broken, "the refresh brought the same refresh token again"),
        None => Verdict::fail(broken, "the refresh brought no refresh token, so the old one stays in use"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::tokens;
    use serde_json::json;

    fn verdict(new: serde_json::Value, public: bool) -> Verdict {
        let mut old = tokens(json!({"access_token": "x", "refresh_token": "r1"}));
        if !public {
            let grant = std::sync::Arc::get_mut(&mut old.grant).unwrap();
            let client = std::sync::Arc::get_mut(&mut grant.client).unwrap();
            client.secret = Some(crate::oauth::secret::Secret::new("s"));
            client.auth = crate::oauth::client::ClientAuth::Post;
        }
        judge(&old, &tokens(new))
    }

    #[test]
    fn a_token_that_stays_is_not_rotated() {
        assert!(matches!(verdict(json!({"access_token": "y", "refresh_token": "r2"}), true), Verdict::Pass(_)));
        assert!(matches!(
            verdict(json!({"access_token": "y", "refresh_token": "r1"}), true),
            Verdict::Fail(ROTATED, _)
        ));
        assert!(matches!(verdict(json!({"access_token": "y"}), true), Verdict::Fail(ROTATED, _)));
        assert!(matches!(verdict(json!({"access_token": "y"}), false), Verdict::Fail(ROTATED_FOR_ALL, _)));
    }

    #[test]
    fn a_bound_token_may_stay() {
        assert!(matches!(verdict(json!({"access_token": "y", "token_type": "dpop"}), true), Verdict::Pass(_)));
    }
}

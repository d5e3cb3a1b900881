//! A code is redeemed with the redirect URI that it was sent to.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Verdict, demand, must};
use crate::document::Document;
use crate::needs::Context;
use crate::oauth::refusal::token_refused;
use crate::oauth::token::{Code, TokenAnswer};

const SAME_URI: Demand = demand(
    "A redirect_uri in the token request that is not the one of the authorization request is refused with \
     invalid_grant.",
    &[must(Document::Rfc6749, "4.1.3"), must(Document::OAuth21, "10.2")],
);

/// Redeems a fresh code with another redirect URI.
pub struct BoundToRedirectUri;

impl Check for BoundToRedirectUri {
    type Needs = Code;
    const CARD: Card = Card {
        id: "code/bound-to-redirect-uri",
        demands: &[SAME_URI],
        impact: Impact::Medium,
        reach: Reach::OwnMaterial,
        page: include_str!("bound_to_redirect_uri.md"),
    };

    async fn run(code: Code, cx: &Context) -> Outcome {
        let changed = format!("{}-changed", code.request.redirect_uri());
        let redeemed = code.redeem_with(&cx.wire, |form| {
            form.set("redirect_uri", changed);
        });
        let (answer, _) = redeemed.await?;
        Ok(judge(&answer).into())
    }
}

fn judge(answer: &TokenAnswer) -> Verdict {
    match answer {
        // The code that is due is another one, but what is refused is named.
        TokenAnswer::Refused(e) if e.error == "invalid_request" && names_it(e.description.as_deref()) => {
            Verdict::pass("another redirect_uri was refused with invalid_request, by name (invalid_grant is due)")
        }
        other => token_refused(other, &["invalid_grant"], SAME_URI, "another redirect_uri"),
    }
}

fn names_it(description: Option<&str>) -> bool {
    description.is_some_and(|text| text.to_ascii_lowercase().replace([' ', '-'], "_").contains("redirect_uri"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::tests::{granted, read, refused};

    #[test]
    fn the_refusal_must_be_about_the_uri() {
        assert!(matches!(judge(&refused(400, "invalid_grant")), Verdict::Pass(_)));
        assert!(matches!(judge(&refused(400, "invalid_request")), Verdict::Inconclusive(_)));
        let named = r#"{"error":"invalid_request","error_description":"Redirect URI did not match"}"#;
        assert!(matches!(judge(&read(400, "application/json", named)), Verdict::Pass(_)));
        assert!(matches!(judge(&read(500, "application/json", named)), Verdict::Inconclusive(_)));
        let token = granted(serde_json::json!({"access_token": "x"}));
        assert!(matches!(judge(&token), Verdict::Fail(SAME_URI, _)));
    }
}

//! A client that wants no identity need not ask for one.

use crate::check::{Card, Check, Demand, Impact, Outcome, Reach, Verdict, advice, demand};
use crate::document::Document;
use crate::needs::{Context, OneByOne, Ordinary, Shortfall, ask};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::scope::ScopeSet;
use crate::oauth::token::TokenAnswer;

const NOT_NEEDED: Demand =
    demand("A token for the resource is to be had without the scope openid.", &[advice(Document::OpenAi, "scopes")]);

/// Reads whether the ordinary flow asked for `openid`; if it did, asks without.
pub struct OpenidOnlyWhenNeeded;

impl Check for OpenidOnlyWhenNeeded {
    type Needs = OneByOne;
    const CARD: Card = Card {
        id: "scope/openid-only-when-needed",
        demands: &[NOT_NEEDED],
        impact: Impact::Low,
        reach: Reach::OwnMaterial,
        page: include_str!("openid_only_when_needed.md"),
    };

    fn requests(ordinary: &Ordinary) -> Result<Vec<AuthorizationRequest>, Shortfall> {
        if !ordinary.scope.contains("openid") {
            return Ok(Vec::new());
        }
        let scope: ScopeSet = ordinary.scope.iter().filter(|scope| *scope != "openid").collect();
        Ok(vec![ordinary.altered("without openid", |r| {
            match scope.is_empty() {
                true => r.remove("scope"),
                false => r.set("scope", scope.to_string()),
            };
        })])
    }

    async fn run(OneByOne(requests): OneByOne, cx: &Context) -> Outcome {
        let Some(request) = requests.into_iter().next() else {
            return Ok(Verdict::pass("the ordinary flow brought a token without openid").into());
        };
        Ok(match ask(cx, request).await.answer {
            Ok(AuthorizationAnswer::Code(code)) => judge(&code.redeem(&cx.wire).await?.0),
            Ok(other) => judge_front(&other),
            Err(shortfall) => shortfall.into(),
        }
        .into())
    }
}

fn judge_front(answer: &AuthorizationAnswer) -> Verdict {
    match answer {
        AuthorizationAnswer::Error(e) if ["invalid_scope", "invalid_request"].contains(&e.error.as_str()) => {
            Verdict::fail(NOT_NEEDED, format!("a request without openid was answered with the error {}", e.error))
        }
        other => Verdict::inconclusive(format!("a request without openid was answered with {}", other.describe())),
    }
}

fn judge(answer: &TokenAnswer) -> Verdict {
    match answer {
        TokenAnswer::Granted(_) => Verdict::pass("a request without openid brought a token"),
        TokenAnswer::Refused(e) if e.error == "invalid_scope" => {
            Verdict::fail(NOT_NEEDED, "the code of a request without openid was refused with invalid_scope")
        }
        other => Verdict::inconclusive(format!("the code of a request without openid brought {}", other.describe())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::answer::PageKind;
    use crate::oauth::answer::tests::{arrived, page};
    use crate::oauth::token::tests::{granted, refused};

    #[test]
    fn an_error_about_the_scope_fails() {
        let home = "http://127.0.0.1:8765/callback";
        let error = |e: &str| judge_front(&arrived(home, &format!("{home}?error={e}")));
        assert!(matches!(error("invalid_scope"), Verdict::Fail(NOT_NEEDED, _)));
        assert!(matches!(error("login_required"), Verdict::Inconclusive(_)));
        assert!(matches!(judge_front(&page(500, PageKind::Error)), Verdict::Inconclusive(_)));
        assert!(matches!(judge(&granted(serde_json::json!({"access_token": "x"}))), Verdict::Pass(_)));
        assert!(matches!(judge(&refused(400, "invalid_scope")), Verdict::Fail(..)));
        assert!(matches!(judge(&refused(400, "invalid_grant")), Verdict::Inconclusive(_)));
    }
}

//! A token that was asked for in an unusual way, presented to the resource: whom it is for, and how it was taken.

use super::{Asked, Context, Resource};
use crate::check::{Finding, Unsettled, Verdict};
use crate::oauth::answer::AuthorizationAnswer;
use crate::oauth::audience::Own;
use crate::oauth::described::Described;
use crate::oauth::refusal::{Refusal, front_refusal};
use crate::oauth::token::TokenAnswer;
use crate::resource::Reached;

/// What refuses a request because of its `resource`: by its own name (RFC 8707 section 2), or by the one for everything.
const OF_THE_TARGET: [&str; 2] = ["invalid_target", "invalid_request"];

/// Redeems what came of the request, and presents the token to the resource. A server that issues none holds by that;
/// `none` says so in the sentence. `judge` is told what is known of the token, how the resource is known, and how it
/// answered.
pub async fn presented(
    asked: Asked,
    resource: &Resource,
    cx: &Context,
    none: &str,
    judge: impl FnOnce(&Described, &Own, &Reached) -> Verdict,
) -> Result<Finding, Unsettled> {
    let Ok(AuthorizationAnswer::Code(code)) = asked.answer else {
        return Ok(asked.line(|answer| judge_front(answer, none)));
    };
    let answer = code.redeem(&cx.wire).await?.0;
    let TokenAnswer::Granted(tokens) = &answer else {
        return Ok(Finding::new(asked.what, judge_tokens(&answer, none)).shown_by([answer.exchange()]));
    };
    let token = tokens.access_token.expose();
    let (described, own) = cx.audiences(token).await?;
    let reached = resource.call_with(&cx.wire, token).await?;
    Ok(Finding::new(asked.what, judge(&described, &own, &reached)).shown_by([tokens.exchange, reached.exchange]))
}

fn judge_front(answer: &AuthorizationAnswer, none: &str) -> Verdict {
    match front_refusal(answer, &OF_THE_TARGET) {
        Refusal::Recognised(how) => Verdict::pass(format!("the authorization server issues {none}: {how}")),
        Refusal::Granted => Verdict::inconclusive(format!("it brought {}", answer.describe())),
        Refusal::Unclear(what) => Verdict::inconclusive(what),
    }
}

fn judge_tokens(answer: &TokenAnswer, none: &str) -> Verdict {
    match answer {
        TokenAnswer::Refused(e) if OF_THE_TARGET.contains(&e.error.as_str()) => {
            Verdict::pass(format!("the token endpoint issues {none}: {}", e.describe()))
        }
        other => Verdict::inconclusive(format!("its code brought {}", other.describe())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::answer::PageKind;
    use crate::oauth::answer::tests::{arrived, page};
    use crate::oauth::token::tests::{read, refused};

    #[test]
    fn a_server_that_issues_none_holds() {
        let home = "http://127.0.0.1:8765/callback";
        let error = |e: &str| judge_front(&arrived(home, &format!("{home}?error={e}")), "no such token");
        assert!(matches!(error("invalid_target"), Verdict::Pass(why) if why.contains("issues no such token")));
        for other in ["server_error", "login_required", "invalid_scope"] {
            assert!(matches!(error(other), Verdict::Inconclusive(_)), "{other}");
        }
        assert!(matches!(judge_front(&page(500, PageKind::Error), ""), Verdict::Inconclusive(_)));
        assert!(matches!(judge_tokens(&refused(400, "invalid_target"), ""), Verdict::Pass(_)));
        assert!(matches!(judge_tokens(&refused(400, "invalid_grant"), ""), Verdict::Inconclusive(_)));
        assert!(matches!(judge_tokens(&read(500, "text/html", ""), ""), Verdict::Inconclusive(_)));
    }
}

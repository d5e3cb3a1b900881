//! Where the browser is before a visit: at a page that cannot be taken for one of the visit's.

use super::super::super::walk::place;
use super::super::driver::told;
use super::Tour;

/// Where the empty page at which the last visit ended is put.
const ASIDE: &str = "/oaudit-between-visits";
/// Puts it there, if it is one of ours and not of the server's.
const STEP_ASIDE: &str = "if (location.origin !== arguments[0] || document.querySelector('body *')) return false;
    history.replaceState(null, '', arguments[1]);
    return true;";

impl Tour<'_> {
    pub(super) async fn set_out(&self) -> Result<(), String> {
        // So that the page of the last visit is not taken for this one's.
        if !self.steps_aside().await {
            let _ = self.session.goto("about:blank").await;
        }
        // What was asked for before is none of this visit.
        let _ = self.hops().await;
        self.session.goto(self.request.url()).await.map_err(|e| told(&e))
    }

    /// Gives the page where the last answer arrived another address. For `about:blank` a browser has to change the
    /// process of the page, twice for each visit, and that takes longer than all the rest.
    async fn steps_aside(&self) -> bool {
        let of = |address: &str| url::Url::parse(address).map(|url| url.origin().ascii_serialization()).ok();
        let Some(back) =
            of(self.request.redirect_uri()).filter(|back| of(&self.request.endpoint).as_ref() != Some(back))
        else {
            return false;
        };
        let stepped = self.session.execute(STEP_ASIDE, vec![back.into(), ASIDE.into()]).await;
        stepped.is_ok_and(|stepped| stepped.json() == &serde_json::Value::Bool(true))
    }
}

/// Whether an address is where the browser was put before the visit.
pub(super) fn is_nowhere(url: &str) -> bool {
    url == "about:blank" || (url.ends_with(ASIDE) && place(url) == url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_never_taken_for_the_page_before() {
        assert!(is_nowhere("about:blank") && is_nowhere("http://127.0.0.1:8765/oaudit-between-visits"));
        for answer in [
            "http://127.0.0.1:8765/callback?code=x&state=/oaudit-between-visits",
            "http://127.0.0.1:8765/oaudit-between-visits?code=x",
            "http://127.0.0.1:8765/callback#/oaudit-between-visits",
        ] {
            assert!(!is_nowhere(answer), "{answer}");
        }
    }
}

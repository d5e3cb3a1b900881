//! What happens on a visit beside the address bar.

use super::super::super::listener::HANDED_ON;
use super::super::super::walk::{is_landing, place};
use super::super::driver::told;
use super::super::trail::{self, Hop};
use super::Tour;
use crate::oauth::answer::Returned;
use crate::oauth::request::AuthorizationRequest;
use crate::oauth::secret::Secret;

impl Tour<'_> {
    /// What was asked for since the last time.
    pub(super) async fn hops(&self) -> Vec<Hop> {
        if !self.tells {
            return Vec::new();
        }
        let password = self.means.password().map(Secret::expose);
        trail::hops(self.session, password).await.unwrap_or_default()
    }

    /// Takes note of where the browser was sent beside its address.
    pub(super) async fn follow(&mut self) {
        for hop in self.hops().await {
            if hop.is_private() {
                // Some logins ask a program for help, and go on by themselves.
                if answers(self.request, &hop.url) {
                    self.beyond.get_or_insert(hop.url);
                }
                continue;
            }
            let lands = is_landing(self.request, &self.relays, &hop.url);
            if let Some(remark) = remark(&hop, lands) {
                self.note(&remark);
                self.remarks.push(remark);
            }
        }
    }

    /// A browser that was sent to a program beside it asks whether that may be started, and takes no press before it is
    /// answered. A new window is free of the question.
    pub(super) async fn leave_window(&self) {
        let left = async {
            let fresh = self.session.new_tab().await?;
            self.session.close_window().await?;
            self.session.switch_to_window(fresh).await
        };
        if let Err(error) = left.await {
            self.note(&format!("the window could not be changed for a new one: {}", told(&error)));
        }
    }
}

/// Whether an address of another program's scheme is the answer.
fn answers(request: &AuthorizationRequest, address: &str) -> bool {
    let arrived = Returned::read(address, None);
    let holds = |name: &&str| arrived.get(name).is_some();
    request.is_answered_at(address) || ["code", "error", "access_token", "id_token"].iter().any(holds)
}

/// What is to be said of a form that a redirect carried on to where it was not meant to go.
fn remark(hop: &Hop, lands: bool) -> Option<String> {
    let (status, from) = hop.led_by.as_ref().filter(|_| hop.is_carried_on())?;
    if lands && !Returned::read(&hop.url, None).query.is_empty() {
        return Some(HANDED_ON.to_owned());
    }
    let (from, to) = (place(from), place(&hop.url));
    hop.holds_password.then(|| {
        format!("{from} answered the login form with {status}, which handed the password on to another origin ({to})")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::request::tests::request_for;

    #[test]
    fn not_every_program_that_is_called_gets_the_answer() {
        let request = request_for("cursor://anysphere.cursor/cb");
        for (address, is_answer) in [
            ("cursor://anysphere.cursor/cb?code=1", true),
            ("cursor://anysphere.cursor/cb", true),
            ("other.app:/cb?error=access_denied", true),
            ("bankid:///?autostarttoken=1&redirect=null", false),
            ("mailto:support@as.example", false),
        ] {
            assert_eq!(answers(&request, address), is_answer, "{address}");
        }
    }

    #[test]
    fn a_form_that_was_carried_on_is_remarked_on_where_it_matters() {
        let hop = |url: &str, holds_password| Hop {
            url: url.into(),
            posts: true,
            holds_password,
            led_by: Some((307, "https://as.example/login?x=1".into())),
        };
        assert_eq!(remark(&hop("https://app.example/cb?code=1", false), true).as_deref(), Some(HANDED_ON));
        let elsewhere = remark(&hop("https://sso.example/in?ticket=1", true), false);
        let says = "https://as.example/login answered the login form with 307, which handed the password on to another \
                    origin (https://sso.example/in)";
        assert_eq!(elsewhere.as_deref(), Some(says));
        // A form of theirs that has nothing of the person's is theirs to pass on.
        assert_eq!(remark(&hop("https://sso.example/in?ticket=1", false), false), None);
        assert_eq!(remark(&hop("https://as.example/step", true), false), None);
    }
}

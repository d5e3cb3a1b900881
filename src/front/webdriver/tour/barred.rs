//! What keeps a visit from its end: an address that is closed to the browser, and a page on which there is nothing to do.

use super::super::look::Seen;
use super::Tour;
use crate::front::{Landing, SignInError};
use crate::wire::{Trouble, TroubleKind};

/// Remarks of one visit on what the browser was kept from.
const MOST: usize = 4;

impl Tour<'_> {
    /// What a visit came to, unless the browser was kept from the page that it was sent to.
    pub(in super::super) async fn unless_barred(
        &mut self,
        ended: Result<Landing, SignInError>,
    ) -> Result<Landing, SignInError> {
        let Some(gate) = self.gate else { return ended };
        let ended = match ended {
            Ok(Landing::Returned(_)) => ended,
            other => {
                let url = self.session.current_url().await.map(String::from).unwrap_or_default();
                let barred = gate.refused(&url);
                barred.map_or(other, |trouble| Err(Trouble::new(TroubleKind::Guarded, self.hide(&trouble.why)).into()))
            }
        };
        // A picture or a script that is not let in need not keep anybody from signing in.
        for trouble in gate.others().into_iter().take(MOST) {
            let why = self.hide(&trouble.why);
            self.note(&format!("  kept from: {why}"));
            self.remarks.push(format!("a page of the sign-in asked for what the browser was kept from: {why}"));
        }
        ended
    }
}

/// What there is to fill in on a page as a browser shows it.
pub(super) fn inventory(seen: &Seen) -> String {
    match seen.sheet.forms.is_empty() {
        true => "the browser shows no form there".into(),
        false => crate::front::form::inventory(&seen.sheet),
    }
}

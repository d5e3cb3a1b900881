//! What an agent that signs in by itself has to do it with: credentials, codes, what was written down, and a diagnosis.

use std::sync::Arc;

use super::SignInError;
use super::diagnosis::Diagnosis;
use super::fill::{self, Way};
use super::form::Credentials;
use super::html::Sheet;
use super::steps::{Act, Mind, Script, Step, Totp};
use crate::oauth::answer::PageKind;
use crate::oauth::secret::Secret;
use crate::wire::Wire;

/// What is signed in with.
#[derive(Debug, Clone, Default)]
pub struct Means {
    /// User name and password.
    pub credentials: Option<Credentials>,
    /// The generator of one-time codes.
    pub totp: Option<Arc<Totp>>,
    /// What was written down about pages.
    pub script: Arc<Script>,
    /// Where it is noted what was seen and guessed.
    pub diagnosis: Diagnosis,
}

impl Means {
    /// Makes everything secret that must not be shown.
    pub(super) fn hide_from(&self, wire: &Wire) {
        if let Some(credentials) = &self.credentials {
            wire.vault().learn("password", credentials.password.expose());
        }
        if let Some(totp) = &self.totp {
            wire.vault().learn("totp_secret", totp.secret().expose());
        }
    }

    /// A text without anything that must not be shown. The vault leaves very short values alone; a page that quotes the
    /// password must not.
    pub(super) fn hide(&self, wire: &Wire, text: &str) -> String {
        let text = wire.vault().redact(text).into_owned();
        match self.password().map(Secret::expose).filter(|p| !p.is_empty()) {
            Some(password) => text.replace(password, "{password}"),
            None => text,
        }
    }

    /// The password.
    pub(super) fn password(&self) -> Option<&Secret> {
        self.credentials.as_ref().map(|c| &c.password)
    }

    /// A one-time code that was not used before, if codes can be made.
    pub(super) async fn code(&self, wire: &Wire) -> Option<String> {
        let code = self.totp.as_ref()?.next().await;
        wire.vault().learn("one_time_code", &code);
        Some(code)
    }

    /// The same, if one of the steps enters one.
    pub(super) async fn code_for(&self, wire: &Wire, steps: &[Step]) -> Option<String> {
        let wanted = steps.iter().any(|step| match &step.act {
            Act::Fill(_, with) | Act::Select(_, with) => with.holds_code(),
            _ => false,
        });
        if wanted { self.code(wire).await } else { None }
    }

    /// What a page looks as if it wanted.
    pub(super) async fn guess(
        &self,
        wire: &Wire,
        sheet: &Sheet,
        kind: PageKind,
        mind: Mind,
    ) -> Result<Option<Way>, SignInError> {
        if kind == PageKind::Error {
            return Ok(None);
        }
        if fill::code_form(sheet).is_some() {
            let code = self.code(wire).await.ok_or(SignInError::CodeWanted)?;
            return Ok(fill::second_factor(sheet, &code).map(Way::Form));
        }
        if kind == PageKind::Login {
            let Some(credentials) = &self.credentials else { return Err(SignInError::NobodyThere) };
            let with_code = fill::login_form(sheet).is_some_and(|at| fill::code_field(&sheet.forms[at]).is_some());
            let code = if with_code { self.code(wire).await } else { None };
            let plan = fill::login(sheet, &credentials.username, credentials.password.expose(), code.as_deref());
            return Ok(plan.map(Way::Form));
        }
        Ok(if mind == Mind::Deny { fill::denial(sheet) } else { fill::consent(sheet) })
    }
}

//! What a page is about: a login, a decision, an error. The word lists that tell it live here.

use super::{Field, FieldKind, Form, Sheet};
use crate::oauth::answer::PageKind;

/// The error codes that a page may name: RFC 6749 section 4.1.2.1 and 5.2, RFC 8707, RFC 9126, OpenID Connect Core 3.1.2.6,
/// and `redirect_uri_mismatch` with its kin, which are wide-spread and not registered.
const ERROR_CODES: [&str; 22] = [
    "invalid_request_object",
    "invalid_request_uri",
    "invalid_request",
    "unauthorized_client",
    "access_denied",
    "unsupported_response_type",
    "unsupported_response_mode",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
    "invalid_client",
    "invalid_grant",
    "invalid_target",
    "invalid_redirect_uri",
    "redirect_uri_mismatch",
    "interaction_required",
    "login_required",
    "account_selection_required",
    "consent_required",
    "request_not_supported",
    "request_uri_not_supported",
    "registration_not_supported",
];

/// A list of words that decide something.
#[derive(Debug, Clone, Copy)]
pub(in crate::front) enum Words {
    /// Say yes.
    Allow,
    /// Say no, or lead away.
    Deny,
    /// Say no to what is asked, and nothing else.
    Refuse,
    /// Lead on, neither yes nor no.
    Onward,
    /// Stand on a login page beside the login.
    BesideLogin,
    /// Are about an account that is yet to be made, or a search.
    OtherForm,
    /// Keep a decision for later.
    Remember,
}

impl Words {
    /// Phrases, words parted by one space.
    const fn list(self) -> &'static [&'static str] {
        match self {
            Self::Allow => &[
                "allow",
                "allowed",
                "accept",
                "accepted",
                "authorize",
                "authorise",
                "authorized",
                "approve",
                "approved",
                "approval",
                "yes",
                "continue",
                "confirm",
                "confirmed",
                "grant",
                "granted",
                "agree",
                "consent",
                "ok",
                "proceed",
                "true",
            ],
            Self::Deny => &[
                "deny",
                "denied",
                "denial",
                "cancel",
                "reject",
                "rejected",
                "decline",
                "declined",
                "no",
                "disallow",
                "refuse",
                "refused",
                "disagree",
                "dont",
                "do not",
                "not",
                "never",
                "abort",
                "back",
                "logout",
                "log out",
                "sign out",
                "signout",
                "switch",
                "another",
                "different",
                "without",
                "revoke",
                "false",
            ],
            Self::Refuse => &[
                "deny", "denied", "cancel", "reject", "decline", "no", "disallow", "refuse", "disagree", "dont",
                "do not", "not now", "abort",
            ],
            Self::Onward => &["next", "submit", "send", "go", "log in", "login", "sign in", "signin", "select", "done"],
            Self::BesideLogin => &[
                "register",
                "sign up",
                "signup",
                "create",
                "forgot",
                "forgotten",
                "reset",
                "resend",
                "passkey",
                "webauthn",
                "sso",
                "google",
                "facebook",
                "github",
                "gitlab",
                "apple",
                "microsoft",
                "twitter",
                "linkedin",
                "magic",
                "help",
                "language",
                "show",
                "qr",
            ],
            Self::OtherForm => &[
                "register",
                "registration",
                "signup",
                "sign up",
                "search",
                "newsletter",
                "subscribe",
                "forgot",
                "reset",
                "recover",
                "locale",
                "language",
                "logout",
            ],
            Self::Remember => &["remember", "remembered", "keep", "stay", "persist", "trust"],
        }
    }
}

/// Whether a text has one of the words in it. `signIn`, `sign-in` and `Sign in` are the same.
pub(in crate::front) fn sounds_like(text: &str, words: Words) -> bool {
    let mut spaced = String::from(" ");
    let mut before = ' ';
    for c in text.chars() {
        if matches!(c, '\'' | '’') {
            continue;
        }
        if c.is_uppercase() && before.is_lowercase() {
            spaced.push(' ');
        }
        before = c;
        if c.is_alphanumeric() {
            spaced.extend(c.to_lowercase());
        } else if !spaced.ends_with(' ') {
            spaced.push(' ');
        }
    }
    spaced.push(' ');
    words.list().iter().any(|phrase| {
        spaced
            .match_indices(phrase)
            .any(|(at, _)| spaced[..at].ends_with(' ') && spaced[at + phrase.len()..].starts_with(' '))
    })
}

/// Everything that names a control.
pub(in crate::front) fn naming(field: &Field) -> String {
    format!("{} {} {}", field.name, field.id, field.autocomplete).to_ascii_lowercase()
}

/// A field for the password: a one-time code may be hidden text as well.
pub(in crate::front) fn is_password(field: &Field) -> bool {
    let name = naming(field);
    field.kind == FieldKind::Password
        && !["otp", "one-time", "mfa", "2fa", "passcode", "verification"].iter().any(|word| name.contains(word))
}

/// A field for a one-time code.
pub(in crate::front) fn is_code(field: &Field) -> bool {
    if !matches!(field.kind, FieldKind::Text | FieldKind::Password) || field.readonly {
        return false;
    }
    if field.autocomplete.split_whitespace().any(|w| w == "one-time-code") {
        return true;
    }
    let named = format!("{} {} {}", field.name, field.id, field.text).to_ascii_lowercase();
    // A code by mail or telephone, a promotion or a postal code is none that we could know.
    let other = ["backup", "recovery", "promo", "coupon", "invite", "zip", "postal", "country", "sms", "user_code"];
    let words =
        ["totp", "otp", "mfa", "2fa", "one-time", "onetime", "one time", "passcode", "verification", "authenticator"];
    let plain = |text: &str| ["code", "token", "pin"].contains(&text.to_ascii_lowercase().as_str());
    !other.iter().any(|w| named.contains(w))
        && (words.iter().any(|w| named.contains(w)) || plain(&field.name) || plain(&field.id))
}

/// A field for the user name.
pub(in crate::front) fn is_user_name(field: &Field) -> bool {
    let name = naming(field);
    // `email_code` is a second factor; a name that is only shown asks for nothing.
    let other = ["code", "otp", "token"].iter().any(|word| name.contains(word));
    let shown = field.readonly && !field.value.is_empty();
    field.kind == FieldKind::Text
        && !other
        && !shown
        && ["user", "email", "login", "identifier"].iter().any(|word| name.contains(word))
}

/// Whether a form is one to log in with.
pub(in crate::front) fn is_login_form(form: &Form) -> bool {
    // Two password fields make an account or change a password.
    let passwords = form.fields.iter().filter(|f| is_password(f)).count();
    let other = sounds_like(&form.about, Words::OtherForm);
    passwords == 1 || (!other && passwords == 0 && form.fields.iter().any(is_user_name))
}

/// Whether a form asks for a decision: a button says yes or no.
fn is_decision(form: &Form) -> bool {
    let other = sounds_like(&form.about, Words::OtherForm);
    let decides = |f: &Field| {
        let says = format!("{} {} {} {}", f.text, f.value, f.name, f.id);
        sounds_like(&says, Words::Allow) || sounds_like(&f.text, Words::Deny)
    };
    let leaves = |f: &Field| ["logout", "log out", "sign out"].iter().any(|w| f.text.to_ascii_lowercase().contains(w));
    !other && form.of_kind(FieldKind::Submit).any(|f| decides(f) && !leaves(f))
}

pub(super) fn of(sheet: &Sheet, status: u16) -> PageKind {
    let forms = || sheet.forms.iter();
    let password = forms().any(|f| is_login_form(f) && f.fields.iter().any(is_password));
    let named = named_error(sheet).is_some();
    let asks_for_code = forms().any(|f| f.fields.iter().any(is_code));
    if status >= 400 {
        // A 401 may be the login page, or the one for the code; any other that names an error is about the error,
        // whatever stands beside it.
        return match password || (status == 401 && forms().any(is_login_form)) {
            true if status == 401 || !named => PageKind::Login,
            false if asks_for_code && !named => PageKind::Unknown,
            _ => PageKind::Error,
        };
    }
    let error_heading = [&sheet.title, &sheet.heading].into_iter().any(|t| is_error_heading(t));
    if password {
        PageKind::Login
    } else if named && error_heading {
        PageKind::Error
    } else if forms().any(is_login_form) {
        PageKind::Login
    } else if forms().any(is_decision) {
        PageKind::Consent
    } else if !asks_for_code && (named || error_heading) {
        PageKind::Error
    } else {
        PageKind::Unknown
    }
}

fn is_error_heading(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let words =
        ["error", "invalid", "denied", "not allowed", "not found", "bad request", "something went wrong", "oops"];
    words.iter().any(|word| text.contains(word))
}

/// The place of an error code in a text, as a word of its own.
fn code_in(text: &str) -> Option<usize> {
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    ERROR_CODES.iter().find_map(|code| {
        text.match_indices(code)
            .map(|(at, _)| at)
            .find(|at| !text[..*at].ends_with(part_of_word) && !text[at + code.len()..].starts_with(part_of_word))
    })
}

fn named_error(sheet: &Sheet) -> Option<(&str, usize)> {
    let texts = [&sheet.title].into_iter().chain(&sheet.blocks);
    texts.map(String::as_str).find_map(|text| code_in(text).map(|at| (text, at)))
}

/// What an error page says: the block that names the code and the place in it; or a message; or the heading.
pub(super) fn error_sentence(sheet: &Sheet) -> Option<(String, usize)> {
    if let Some((text, at)) = named_error(sheet) {
        // The code alone is no sentence: the next block explains it.
        let next = sheet.blocks.iter().skip_while(|b| *b != text).nth(1);
        return Some(match next {
            Some(next) if text.len() < 40 => (format!("{text}: {next}"), at),
            _ => (text.to_owned(), at),
        });
    }
    let first = sheet.alerts.first();
    first.or_else(|| [&sheet.heading, &sheet.title].into_iter().find(|t| is_error_heading(t))).map(|t| (t.clone(), 0))
}

/// Whether a text sounds like "that was wrong".
pub(super) fn complains(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let words = [
        "incorrect",
        "invalid",
        "wrong",
        "failed",
        "not match",
        "not recognized",
        "unknown user",
        "try again",
        "denied",
    ];
    text.chars().count() <= 240 && words.iter().any(|word| text.contains(word))
}

//! Behaviour that is sound but unusual: what an auditor meets in the field and must not mistake for a fault.

/// A habit the lab can be given without becoming any less sound.
#[derive(Clone, Debug)]
pub struct Quirk {
    /// The name used on the command line.
    pub name: &'static str,
    /// What the lab does differently under it.
    pub about: &'static str,
    pub(super) twist: Twist,
}

/// The same quirks as values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twist {
    TwoStepLogin,
    MetaRefresh,
    SelfSubmitting,
    SingleGrant,
    SharedGrant,
    NoRegistration,
    RegistrationPicky,
    SessionForgotten,
    RateLimited,
    RefreshGrace,
    InvalidGrant401,
    MixedAuth,
    Sse,
    CatchAllHtml,
    OpenId,
    KeepsAccessTokens,
    ConsentEveryTime,
    SessionEnds,
    MetadataDocuments,
    ScriptedLogin,
    Coop,
    StrictCookie,
    FormActionSelf,
    Stumbles,
    SecretUnasked,
    WaryLogin,
    IrrevocableAccess,
    AsksForCode,
    Login307,
    PrivateScheme,
}

/// Which quirks are switched on.
#[derive(Clone, Copy, Default)]
pub(super) struct Twists(u32);

impl Twists {
    pub(super) fn has(self, twist: Twist) -> bool {
        self.0 & (1 << twist as u32) != 0
    }

    pub(super) fn add(&mut self, twist: Twist) {
        self.0 |= 1 << twist as u32;
    }
}

const fn quirk(twist: Twist, name: &'static str, about: &'static str) -> Quirk {
    Quirk { name, about, twist }
}

/// Every quirk.
pub static QUIRKS: &[Quirk] = &[
    quirk(
        Twist::TwoStepLogin,
        "two-step-login",
        "the login asks for the user name on one page and for the password on the next",
    ),
    quirk(
        Twist::MetaRefresh,
        "meta-refresh",
        "after the consent page a page with a meta refresh leads back to the client",
    ),
    quirk(
        Twist::SelfSubmitting,
        "self-submitting",
        "after the consent page a form that submits itself leads back to the client",
    ),
    quirk(
        Twist::SingleGrant,
        "single-grant",
        "a new authorization revokes the older grants of the same user and client",
    ),
    quirk(
        Twist::SharedGrant,
        "shared-grant",
        "all tokens of one user and client hang on one grant, and die together with the consent",
    ),
    quirk(Twist::NoRegistration, "no-registration", "there is no dynamic client registration"),
    quirk(
        Twist::RegistrationPicky,
        "registration-picky",
        "registration takes native clients with loopback redirect URIs alone",
    ),
    quirk(Twist::SessionForgotten, "session-forgotten", "every authorization asks for the login again"),
    quirk(Twist::RateLimited, "rate-limited", "every seventh token request is answered 429 with Retry-After: 1"),
    quirk(
        Twist::RefreshGrace,
        "refresh-grace",
        "a refresh token that was just replaced works once more for two seconds",
    ),
    quirk(Twist::InvalidGrant401, "invalid-grant-401", "invalid_grant comes with status 401"),
    quirk(
        Twist::MixedAuth,
        "mixed-auth",
        "the discovery methods of the MCP endpoint are open, tools/call is protected",
    ),
    quirk(Twist::Sse, "sse", "the MCP endpoint answers as text/event-stream"),
    quirk(Twist::CatchAllHtml, "catch-all-html", "unknown paths are answered 200 with an HTML page"),
    quirk(
        Twist::OpenId,
        "open-id",
        "openid is offered and yields an ID token; max_age and prompt=login are honoured as ever",
    ),
    quirk(
        Twist::KeepsAccessTokens,
        "keeps-access-tokens",
        "an access token stays good beside the one that a refresh brings",
    ),
    quirk(Twist::ConsentEveryTime, "consent-every-time", "consent is not remembered: every authorization asks for it"),
    quirk(Twist::SessionEnds, "session-ends", "a session answers eight authorizations, and then the login comes again"),
    quirk(
        Twist::MetadataDocuments,
        "metadata-documents",
        "a client ID metadata document is a client: https://client.lab.test/oaudit.json, which lists 127.0.0.1",
    ),
    quirk(
        Twist::ScriptedLogin,
        "scripted-login",
        "a script builds the login page, in two steps and within a shadow root; it takes a browser",
    ),
    quirk(
        Twist::Coop,
        "coop",
        "pages and redirects carry Cross-Origin-Opener-Policy: same-origin, which cuts windows off their openers",
    ),
    quirk(
        Twist::StrictCookie,
        "strict-cookie",
        "cookies are SameSite=Strict, so a request that another site leads to comes without them",
    ),
    quirk(
        Twist::FormActionSelf,
        "form-action-self",
        "login and consent pages have form-action 'self', which holds up the redirect to the client in some browsers",
    ),
    quirk(
        Twist::Stumbles,
        "stumbles",
        "every twelfth authorization with a session ends on a page that says to try again later (503)",
    ),
    quirk(
        Twist::SecretUnasked,
        "secret-unasked",
        "registration makes a confidential client of one that asked for no authentication, and says so",
    ),
    quirk(
        Twist::WaryLogin,
        "wary-login",
        "after three wrong passwords the login is another page: other names, and a question that only a person answers",
    ),
    quirk(
        Twist::IrrevocableAccess,
        "irrevocable-access",
        "access tokens cannot be revoked (unsupported_token_type), and outlive their refresh token until they expire",
    ),
    quirk(
        Twist::AsksForCode,
        "asks-for-code",
        "after the password the login asks for a one-time code; its secret is the one of RFC 6238 appendix B",
    ),
    // The one that is not sound: no check judges it yet, and each agent says in its own way that it saw it.
    quirk(
        Twist::Login307,
        "login-307",
        "signing in is consent as well, and leads back by 307: a browser posts the login form, password included, to the \
         client",
    ),
    quirk(
        Twist::PrivateScheme,
        "private-scheme",
        "a redirect URI may have a scheme of the client's own, such as cursor://",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_complete_and_names_follow_the_values() {
        for (place, quirk) in QUIRKS.iter().enumerate() {
            assert_eq!(quirk.twist as usize, place);
            let plain: String = quirk.name.split('-').collect();
            assert_eq!(plain, format!("{:?}", quirk.twist).to_lowercase());
        }
        assert_eq!(QUIRKS.len(), Twist::PrivateScheme as usize + 1);
    }
}

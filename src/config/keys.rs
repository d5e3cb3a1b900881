//! The keys of `oaudit.toml`: one list, of which the reader, the schema, `--print-config` and `oaudit init` are made.
//!
//! A key stands here if it works, and not before: whoever writes one that does nothing has to be told.

/// A key, and what may stand under it.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name within its table.
    pub name: &'static str,
    /// What may stand under it.
    pub kind: Kind,
    /// What it is for, in a sentence.
    pub says: &'static str,
    /// A value, as it would be written.
    pub sample: &'static str,
    /// Its table is of no use without it.
    pub needed: bool,
}

/// What may stand under a key.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A line of text.
    Text,
    /// Text of any form.
    Body,
    /// An http or https URL.
    Address,
    /// A URI of any scheme.
    Uri,
    /// The URL of a proxy, which names nobody's password.
    Proxy,
    /// The name of an environment variable that holds a secret.
    Variable,
    /// A file, relative to the folder of the configuration.
    Path,
    /// Folders, relative to the folder of the configuration.
    Paths,
    /// Lines of text.
    Texts,
    /// Lines of `HOST:PORT:ADDR`.
    Resolved,
    /// A whole number, within bounds.
    Count(u64, u64),
    /// A day, `2027-03-01`.
    Day,
    /// True or false.
    Flag,
    /// One of some words.
    Choice(&'static [&'static str]),
    /// A table.
    Table(&'static [Key]),
    /// An array of tables.
    Tables(&'static [Key]),
    /// A program and its arguments, quoted as for a shell.
    Program,
    /// What is done on a login page, one table a step.
    Steps,
}

const fn key(name: &'static str, kind: Kind, sample: &'static str, says: &'static str) -> Key {
    Key { name, kind, says, sample, needed: false }
}

impl Key {
    const fn needed(self) -> Self {
        Self { needed: true, ..self }
    }
}

const ANY: u64 = u64::MAX;

pub(super) const PROFILES: [&str; 4] = ["chatgpt", "mcp", "oauth2.1", "oidc"];
pub(super) const REVISIONS: [&str; 3] = ["2025-06-18", "2025-11-25", "2026-07-28"];
pub(super) const AUTHS: [&str; 4] = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];
pub(super) const CONFIDENTIAL_AUTHS: [&str; 3] = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
pub(super) const SECRET_AUTHS: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];
pub(super) const AGENTS: [&str; 8] = ["auto", "browser", "paste", "form", "webdriver", "command", "session", "token"];
/// Nobody is asked to sign in as somebody else, and one supplied token is one user's.
pub(super) const AGENTS_B: [&str; 5] = ["auto", "form", "webdriver", "command", "session"];
pub(super) const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// Every key of the file.
pub const KEYS: &[Key] = &[
    key("target", Kind::Address, r#""https://api.example.com/mcp""#, "An API route, an MCP endpoint, or an issuer."),
    key(
        "issuer",
        Kind::Address,
        r#""https://login.example.com""#,
        "The authorization server; else found through the resource.",
    ),
    key("profile", Kind::Choice(&PROFILES), r#""chatgpt""#, "The documents in force."),
    key("mcp_version", Kind::Choice(&REVISIONS), r#""2025-11-25""#, "The revision of MCP."),
    key(
        "owner_authorized",
        Kind::Flag,
        "true",
        "The owner of this file's target agrees to the audit, so nobody is asked.",
    ),
    key("scope", Kind::Text, r#""notes:read notes:write""#, "The scopes to request, separated by spaces."),
    key(
        "omnibus_scopes",
        Kind::Texts,
        r#"["superuser"]"#,
        "Scopes that stand for everything, beside those that are known to.",
    ),
    key("client", Kind::Table(CLIENT), "", "The client that is audited as; without it, one is registered."),
    key("client_b", Kind::Table(CLIENT_B), "", "A second client, for what must be bound to the first."),
    key(
        "client_confidential",
        Kind::Table(CLIENT_CONFIDENTIAL),
        "",
        "A client that can show who it is, beside the public one; without it, one is registered where that is offered.",
    ),
    key("introspection", Kind::Table(INTROSPECTION), "", "Who may ask the introspection endpoint."),
    key("login", Kind::Table(LOGIN), "", "How to sign in."),
    key("login_b", Kind::Table(LOGIN_B), "", "How a second user signs in, for what must be bound to the first."),
    key("resource", Kind::Table(RESOURCE), "", "The protected resource."),
    key("limits", Kind::Table(LIMITS), "", "What checks judge by, and how much may be sent."),
    key("checks", Kind::Table(CHECKS), "", "Which checks."),
    key("waive", Kind::Tables(WAIVE), "", "A failure that is accepted, with the reason; it stays in the report."),
    key("wire", Kind::Table(WIRE), "", "How requests are sent."),
];

const CLIENT: &[Key] = &[
    key("id", Kind::Text, r#""abc""#, "client_id."),
    key("auth", Kind::Choice(&AUTHS), r#""none""#, "How it authenticates."),
    key("secret_env", Kind::Variable, r#""OAUDIT_CLIENT_SECRET""#, "The environment variable that holds its secret."),
    key("key_file", Kind::Path, r#""client-key.pem""#, "The file that holds the private key of private_key_jwt, PEM."),
    key("key_id", Kind::Text, r#""2026-11""#, "The kid under which the server knows that key."),
    key(
        "metadata_url",
        Kind::Address,
        r#""https://client.example.com/oauth.json""#,
        "The client ID metadata document that is its identifier, in place of id.",
    ),
    key(
        "redirect_uri",
        Kind::Uri,
        r#""http://127.0.0.1:8765/callback""#,
        "The redirect URI that it is registered with.",
    ),
];

const CLIENT_B: &[Key] = &[
    key("id", Kind::Text, r#""def""#, "client_id."),
    key("auth", Kind::Choice(&AUTHS), r#""none""#, "How it authenticates; its key is key_file of [client]."),
    key("secret_env", Kind::Variable, r#""OAUDIT_CLIENT_B_SECRET""#, "The environment variable that holds its secret."),
];

const CLIENT_CONFIDENTIAL: &[Key] = &[
    key("id", Kind::Text, r#""ghi""#, "client_id.").needed(),
    key(
        "auth",
        Kind::Choice(&CONFIDENTIAL_AUTHS),
        r#""client_secret_basic""#,
        "How it authenticates; its key is key_file of [client].",
    ),
    key(
        "secret_env",
        Kind::Variable,
        r#""OAUDIT_CONFIDENTIAL_SECRET""#,
        "The environment variable that holds its secret.",
    ),
];

const INTROSPECTION: &[Key] = &[
    key("id", Kind::Text, r#""api""#, "client_id.").needed(),
    key("auth", Kind::Choice(&SECRET_AUTHS), r#""client_secret_basic""#, "How it authenticates."),
    key(
        "secret_env",
        Kind::Variable,
        r#""OAUDIT_INTROSPECTION_SECRET""#,
        "The environment variable that holds its secret.",
    ),
];

const USERNAME: Key = key("username", Kind::Text, r#""alice""#, "The user name.");
const PASSWORD_FILE: Key =
    key("password_file", Kind::Path, r#""password.txt""#, "A file that holds the password in its first line.");
const COMMAND: Key =
    key("command", Kind::Program, r#""./sign-in.sh staging""#, "The program that signs in, with its arguments.");
const TIMEOUT: Key = key("timeout", Kind::Count(1, 3600), "120", "Seconds that the program may take.");
const SESSION: Key =
    key("session", Kind::Path, r#""session.json""#, "The session that `oaudit login --save FILE` kept.");
const WEBDRIVER_URL: Key = key(
    "webdriver_url",
    Kind::Address,
    r#""http://127.0.0.1:9515""#,
    "A WebDriver that runs already; without it, one that is installed is started.",
);
const PAGES: Key = key("page", Kind::Tables(PAGE), "", "A page of the login that is not filled in right by itself.");

const LOGIN: &[Key] = &[
    key("agent", Kind::Choice(&AGENTS), r#""form""#, "Who signs in."),
    USERNAME,
    key("password_env", Kind::Variable, r#""OAUDIT_PASSWORD""#, "The environment variable that holds the password."),
    PASSWORD_FILE,
    key(
        "totp_env",
        Kind::Variable,
        r#""OAUDIT_TOTP_SECRET""#,
        "The environment variable that holds the secret of one-time codes.",
    ),
    COMMAND,
    TIMEOUT,
    SESSION,
    WEBDRIVER_URL,
    PAGES,
];

const LOGIN_B: &[Key] = &[
    key("agent", Kind::Choice(&AGENTS_B), r#""form""#, "How."),
    Key { sample: r#""bob""#, ..USERNAME },
    key("password_env", Kind::Variable, r#""OAUDIT_PASSWORD_B""#, "The environment variable that holds the password."),
    PASSWORD_FILE,
    key(
        "totp_env",
        Kind::Variable,
        r#""OAUDIT_TOTP_SECRET_B""#,
        "The environment variable that holds the secret of one-time codes.",
    ),
    COMMAND,
    TIMEOUT,
    Key { sample: r#""session-b.json""#, ..SESSION },
    WEBDRIVER_URL,
    PAGES,
];

const PAGE: &[Key] = &[
    key("match", Kind::Text, r#""*/consent*""#, "Its address; * stands for anything.").needed(),
    key(
        "steps",
        Kind::Steps,
        r#"[{ fill = "css:input[name=otp]", with = "{totp}" }, { click = "text:Continue" }]"#,
        "What is done whenever it is met.",
    ),
    key("approve", Kind::Steps, r#"[{ click = "css:button[name=accept]" }]"#, "What says yes on it."),
    key("deny", Kind::Steps, r#"[{ click = "css:button[name=deny]" }]"#, "What says no on it."),
];

const RESOURCE: &[Key] = &[
    key("url", Kind::Address, r#""https://api.example.com/mcp""#, "Its URL, where the target is an issuer."),
    key("method", Kind::Choice(&METHODS), r#""POST""#, "How an API route is called; MCP endpoints are recognised."),
    key("body", Kind::Body, r#"'{"query": "oaudit"}'"#, "The body of that call, which should do no harm."),
    key("content_type", Kind::Text, r#""application/json""#, "The media type of the body."),
    key("route", Kind::Tables(ROUTE), "", "A route that must be closed to a token without its scope."),
];

const ROUTE: &[Key] = &[
    key("method", Kind::Choice(&METHODS), r#""POST""#, "The method; GET if it is left out."),
    key("path", Kind::Text, r#""/api/notes""#, "The path, or a whole URL.").needed(),
    key("scope", Kind::Text, r#""notes:write""#, "The scope without which it must answer 403.").needed(),
    key("body", Kind::Body, r#"'{"text": "oaudit"}'"#, "The body of a request that does what it should."),
    key("content_type", Kind::Text, r#""application/json""#, "The media type of the body."),
];

const LIMITS: &[Key] = &[
    key("access_token_seconds", Kind::Count(1, ANY), "900", "Seconds that an access token should live at most."),
    key("refresh_token_days", Kind::Count(1, ANY), "90", "Days that a refresh token should live at most."),
    key("code_seconds", Kind::Count(1, ANY), "600", "Seconds after which a code must be dead."),
    key("leeway_seconds", Kind::Count(0, 3600), "300", "Seconds by which clocks may differ."),
    key("scopes", Kind::Count(1, 10_000), "25", "How many scopes a person can tell apart."),
    key("max_wait", Kind::Count(0, 604_800), "0", "Seconds that a check may wait until something expires."),
    key(
        "max_time",
        Kind::Count(1, ANY),
        "1800",
        "Seconds that the whole run may take; what it did not get to is inconclusive.",
    ),
    key("rate", Kind::Count(1, 10_000), "20", "Requests a second at most; as many as come up without it."),
    key("max_requests", Kind::Count(1, ANY), "600", "Requests in all; what does not fit is inconclusive."),
];

const CHECKS: &[Key] = &[
    key("dirs", Kind::Paths, r#"["./security/rules"]"#, "Folders with look-only rules of your own."),
    key("select", Kind::Texts, r#"["pkce/*", "code/*"]"#, "Only checks whose ids match."),
    key("ignore", Kind::Texts, r#"["scope/*"]"#, "Checks that are left out."),
];

const WAIVE: &[Key] = &[
    key("check", Kind::Text, r#""refresh/rotated""#, "The id of the check.").needed(),
    key("reason", Kind::Text, r#""confidential clients only, ticket 123""#, "Why its failure is accepted.").needed(),
    key("until", Kind::Day, r#""2027-03-01""#, "The last day on which it is."),
    key("target", Kind::Address, r#""https://api.example.com/mcp""#, "The target that it is for; all without."),
    key("owner", Kind::Text, r#""identity team""#, "Who answers for it."),
];

const WIRE: &[Key] = &[
    key("proxy", Kind::Proxy, r#""http://127.0.0.1:8080""#, "The proxy for every request."),
    key("ca", Kind::Path, r#""ca.pem""#, "A certificate authority to trust as well, PEM."),
    key(
        "client_cert",
        Kind::Path,
        r#""client.pem""#,
        "A certificate with its key to show to servers that ask for one, PEM.",
    ),
    key("insecure", Kind::Flag, "false", "Do not verify certificates; recorded in the report."),
    key(
        "resolve",
        Kind::Resolved,
        r#"["api.example.com:443:10.0.0.7"]"#,
        "HOST:PORT:ADDR, in place of what names resolve to.",
    ),
    key("timeout", Kind::Count(1, 300), "10", "Seconds that one exchange may take."),
    key(
        "allow_host",
        Kind::Texts,
        r#"["login.internal"]"#,
        "Hosts that the target may lead to, although their addresses are not public.",
    ),
];

/// A key by its dotted path: `client.id`.
pub fn find(path: &str) -> Option<Key> {
    let mut keys = KEYS;
    let mut found = None;
    for name in path.split('.') {
        let key = *keys.iter().find(|key| key.name == name)?;
        keys = match key.kind {
            Kind::Table(inner) | Kind::Tables(inner) => inner,
            _ => &[],
        };
        found = Some(key);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::McpVersion;
    use crate::front::choose::AgentName;
    use crate::oauth::client::ClientAuth;
    use crate::profile::ProfileName;

    #[test]
    fn the_words_are_those_that_are_known_elsewhere() {
        assert_eq!(PROFILES, ProfileName::ALL.map(ProfileName::as_str));
        assert_eq!(REVISIONS, McpVersion::ALL.map(McpVersion::as_str));
        assert_eq!(AUTHS, ClientAuth::ALL.map(ClientAuth::as_str));
        assert_eq!(AGENTS, AgentName::ALL.map(AgentName::as_str));
        assert!(AUTHS[1..] == CONFIDENTIAL_AUTHS && AUTHS[..3] == SECRET_AUTHS);
    }

    #[test]
    fn a_key_is_found_by_its_path() {
        assert_eq!(find("client.id").map(|k| k.name), Some("id"));
        assert!(find("resource.route.path").is_some_and(|k| k.needed));
        assert!(find("client.secret").is_none() && find("target.x").is_none());
    }
}

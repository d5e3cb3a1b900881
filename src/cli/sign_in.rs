//! The flags that say as which client and as whom the audit signs in.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::Complaint;
use super::layers::{Given, missing, variable};
use crate::front::choose::{AgentName, SignIn};
use crate::front::form::Credentials;
use crate::front::steps::Totp;
use crate::front::webdriver;
use crate::oauth::client::ClientAuth;
use crate::oauth::secret::Secret;
use crate::registration::Configured;

/// As which client.
#[derive(Debug, Clone, Args)]
pub(super) struct ClientArgs {
    /// A configured client; without it, dynamic registration.
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// The variable that holds its secret.
    #[arg(long, value_name = "VAR", default_value = "OAUDIT_CLIENT_SECRET")]
    client_secret_env: String,
    /// How it authenticates: none, client_secret_basic or client_secret_post.
    #[arg(long, value_name = "METHOD", value_parser = client_auth)]
    client_auth: Option<ClientAuth>,
    /// A second client, for what must be bound to the first.
    #[arg(long, value_name = "ID")]
    client_b_id: Option<String>,
    /// The variable that holds its secret.
    #[arg(long, value_name = "VAR")]
    client_b_secret_env: Option<String>,
    /// The redirect URI; by default http://127.0.0.1:<free port>/callback.
    #[arg(long, value_name = "URI")]
    pub(super) redirect_uri: Option<String>,
    /// What to request; by default the challenge's scopes, then the metadata's.
    #[arg(long, value_name = "\"A B\"")]
    pub(super) scope: Option<String>,
}

fn client_auth(text: &str) -> Result<ClientAuth, String> {
    let all = [ClientAuth::None, ClientAuth::Basic, ClientAuth::Post];
    all.into_iter().find(|a| a.as_str() == text).ok_or_else(|| super::one_of(&all.map(ClientAuth::as_str)))
}

impl ClientArgs {
    pub(super) fn first(&self) -> Result<Option<Configured>, Complaint> {
        let Some(id) = &self.client_id else {
            return match self.client_auth {
                None => Ok(None),
                Some(_) => Err(Complaint::usage(
                    "it is said how the client authenticates, but not which client it is",
                    "add --client-id, or id in [client]",
                )),
            };
        };
        let secret = variable(&self.client_secret_env);
        if secret.is_none() && matches!(self.client_auth, Some(ClientAuth::Basic | ClientAuth::Post)) {
            return Err(missing(&self.client_secret_env, "--client-secret-env"));
        }
        // A secret that lies about in the environment is not sent for a client that says it has none.
        let secret = secret.filter(|_| self.client_auth != Some(ClientAuth::None));
        Ok(Some(Configured { id: id.clone(), secret, auth: self.client_auth }))
    }

    pub(super) fn second(&self, given: &Given) -> Result<Option<Configured>, Complaint> {
        let Some(id) = &self.client_b_id else { return Ok(None) };
        let secret = match &self.client_b_secret_env {
            Some(name) => Some(variable(name).ok_or_else(|| missing(name, "--client-b-secret-env"))?),
            None => None,
        };
        let auth = match (given.auth("client_b.auth"), &secret) {
            (Some(auth @ (ClientAuth::Basic | ClientAuth::Post)), None) => {
                let why = format!("the second client authenticates by {}, and has no secret", auth.as_str());
                return Err(Complaint::usage(
                    why,
                    "name its variable: --client-b-secret-env, or secret_env in [client_b]",
                ));
            }
            (Some(auth), _) => Some(auth),
            (None, Some(_)) => self.client_auth,
            (None, None) => Some(ClientAuth::None),
        };
        Ok(Some(Configured { id: id.clone(), secret: secret.filter(|_| auth != Some(ClientAuth::None)), auth }))
    }
}

/// As whom.
#[derive(Debug, Clone, Args)]
pub(super) struct SignInArgs {
    /// How to sign in: auto, browser, paste, form or webdriver.
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = agent)]
    agent: AgentName,
    /// The user name for the form and webdriver agents.
    #[arg(long, value_name = "U", env = "OAUDIT_USERNAME")]
    username: Option<String>,
    /// The variable that holds the password.
    #[arg(long, value_name = "VAR", default_value = "OAUDIT_PASSWORD")]
    password_env: String,
    /// A file that holds the password; its first line counts.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print the address instead of opening a browser.
    #[arg(long)]
    no_open: bool,
    /// A WebDriver that runs already; by default chromedriver or geckodriver is looked for on PATH and started.
    #[arg(long, value_name = "URL", env = "OAUDIT_WEBDRIVER_URL", value_parser = webdriver_url)]
    webdriver_url: Option<String>,
    /// Show the browser that the webdriver agent drives.
    #[arg(long)]
    headed: bool,
    /// If the sign-in fails, write what the form or webdriver agent saw and guessed into this file, and a picture of the
    /// browser beside it.
    #[arg(long, value_name = "FILE")]
    diagnosis: Option<PathBuf>,
}

/// The variable that holds the secret of one-time codes.
const TOTP_SECRET: &str = "OAUDIT_TOTP_SECRET";

fn webdriver_url(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text.to_owned()),
        _ => Err("it is an http URL, such as http://127.0.0.1:9515".into()),
    }
}

fn agent(text: &str) -> Result<AgentName, String> {
    match text {
        "auto" => Ok(AgentName::Auto),
        "browser" => Ok(AgentName::Browser),
        "paste" => Ok(AgentName::Paste),
        "form" => Ok(AgentName::Form),
        "webdriver" => Ok(AgentName::Webdriver),
        _ => Err(super::one_of(&["auto", "browser", "paste", "form", "webdriver"])),
    }
}

impl SignInArgs {
    pub(super) fn sign_in(&self, given: &Given) -> Result<SignIn, Complaint> {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Ok(SignIn {
            agent: self.agent,
            credentials: self.credentials(given.text("login.password_file").map(Path::new))?,
            terminal,
            display: display(),
            no_open: self.no_open,
            totp: totp()?,
            webdriver: webdriver::Settings {
                url: self.webdriver_url.clone(),
                headed: self.headed,
                ..webdriver::Settings::default()
            },
            diagnosis: self.diagnosis.clone(),
            ..SignIn::default()
        })
    }

    /// The password by flag, by variable, or by what `login.password_file` names.
    fn credentials(&self, configured: Option<&Path>) -> Result<Option<Credentials>, Complaint> {
        let by_flag = self.password_file.as_deref().map(first_line).transpose()?;
        let password = match by_flag.or_else(|| variable(&self.password_env)) {
            Some(password) => Some(password),
            None => configured.map(first_line).transpose()?,
        };
        match (&self.username, password) {
            (Some(username), Some(password)) => Ok(Some(Credentials { username: username.clone(), password })),
            (Some(_), None) if self.agent != AgentName::Browser && self.agent != AgentName::Paste => {
                Err(Complaint::usage(
                    format!(
                        "a user name is given, but no password: the environment variable {} is not set",
                        self.password_env
                    ),
                    "set it, or name another with --password-env, or use --password-file FILE",
                ))
            }
            _ if self.agent == AgentName::Form && self.username.is_none() && self.password_file.is_some() => {
                Err(Complaint::usage("a password is given, but no user name", "add --username"))
            }
            _ => Ok(None),
        }
    }
}

/// The password in a file.
fn first_line(path: &Path) -> Result<Secret, Complaint> {
    let text = std::fs::read_to_string(path).map_err(|e| {
        Complaint::usage(
            format!("{} cannot be read: {e}", path.display()),
            "check the path of --password-file, or password_file in [login]",
        )
    })?;
    Ok(Secret::new(text.lines().next().unwrap_or_default()))
}

/// The generator of one-time codes, if a secret for it is in the environment.
fn totp() -> Result<Option<Arc<Totp>>, Complaint> {
    let Some(secret) = variable(TOTP_SECRET) else { return Ok(None) };
    let read = Totp::read(secret.expose()).map_err(|e| {
        Complaint::usage(
            format!("{TOTP_SECRET}: {e}"),
            "give what the authenticator app was given: the letters beside the QR code, or the otpauth:// address in it",
        )
    })?;
    Ok(Some(Arc::new(read)))
}

/// Whether a browser can be opened here: not over SSH, and not on a Unix without a display.
fn display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    if set("BROWSER") || cfg!(any(target_os = "macos", target_os = "windows")) || set("WSL_DISTRO_NAME") {
        return !set("SSH_CONNECTION");
    }
    (set("DISPLAY") || set("WAYLAND_DISPLAY")) && !set("SSH_CONNECTION")
}

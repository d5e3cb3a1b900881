//! The flags that say as which client the audit signs in.

use std::path::PathBuf;

use clap::Args;
use secrecy::zeroize::Zeroizing;

use super::layers::{Given, Origin, missing, variable};
use super::{Complaint, shown};
use crate::oauth::assertion::ClientKey;
use crate::oauth::client::ClientAuth;
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
    /// How it authenticates: none, client_secret_basic, client_secret_post or private_key_jwt.
    #[arg(long, value_name = "METHOD", value_parser = client_auth)]
    client_auth: Option<ClientAuth>,
    /// The private key for private_key_jwt, PEM.
    #[arg(long, value_name = "FILE")]
    client_key: Option<PathBuf>,
    /// The kid under which the server knows it.
    #[arg(long, value_name = "KID")]
    client_key_id: Option<String>,
    /// The address of a client ID metadata document, which is then the client identifier.
    #[arg(long, value_name = "URL", conflicts_with = "client_id", value_parser = https)]
    client_metadata_url: Option<String>,
    /// A confidential client beside the one that is audited as; without it, one is registered where the server takes it.
    #[arg(long, value_name = "ID")]
    confidential_client_id: Option<String>,
    /// The variable that holds its secret.
    #[arg(long, value_name = "VAR", default_value = "OAUDIT_CONFIDENTIAL_SECRET")]
    confidential_secret_env: String,
    /// How it authenticates.
    #[arg(long, value_name = "METHOD", value_parser = client_auth)]
    confidential_auth: Option<ClientAuth>,
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

/// What to do where a key is wanted.
const KEY: &str = "add --client-key FILE, or key_file in [client]";

fn client_auth(text: &str) -> Result<ClientAuth, String> {
    let all = ClientAuth::ALL;
    all.into_iter().find(|a| a.as_str() == text).ok_or_else(|| super::one_of(&all.map(ClientAuth::as_str)))
}

/// A client identifier of this kind is an https address with a path (client ID metadata document section 3); on this
/// machine it may be http, for development.
fn https(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|e| e.to_string())?;
    let fit = url.scheme() == "https" || crate::wire::guard::is_loopback_url(text);
    match fit && url.path() != "/" && url.fragment().is_none() {
        true => Ok(text.to_owned()),
        false => Err("it is an https address with a path and without a fragment".into()),
    }
}

/// Whoever names the variable of a secret means a client: without its identifier the secret would be left out without a
/// word. The name that a variable has by default says nothing.
fn nobodys(given: &Given, key: &str, argument: &str, whose: &str, place: &str) -> Result<(), Complaint> {
    match given.argument(key, argument) {
        Some((names, origin)) if origin != Origin::Default => Err(Complaint::usage(
            format!(
                "{} is to hold the secret of {whose}, but it is not said which client that is",
                shown::variable(&names.concat())
            ),
            format!("add {place}"),
        )),
        _ => Ok(()),
    }
}

impl ClientArgs {
    pub(super) fn first(&self, given: &Given) -> Result<Option<Configured>, Complaint> {
        if self.metadata_url(given)?.is_some() {
            return Ok(None);
        }
        let Some(id) = &self.client_id else {
            nobodys(given, "client.secret_env", "client_secret_env", "the client", "--client-id, or id in [client]")?;
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
        if self.client_auth == Some(ClientAuth::PrivateKeyJwt) && self.client_key.is_none() {
            return Err(Complaint::usage("private_key_jwt needs a private key", KEY));
        }
        // A secret that lies about in the environment is not sent for a client that says it has none.
        let secret = secret.filter(|_| self.client_auth != Some(ClientAuth::None));
        Ok(Some(Configured { id: id.clone(), secret, auth: self.client_auth }))
    }

    /// The key that signs for clients, if one is named.
    pub(super) fn key(&self) -> Result<Option<ClientKey>, Complaint> {
        let Some(path) = &self.client_key else {
            return match &self.client_key_id {
                None => Ok(None),
                Some(_) => Err(Complaint::usage("the kid of a key is given, and no key", KEY)),
            };
        };
        let unreadable = |why: String| {
            let hint = "--client-key, or key_file in [client], takes a private key in PEM";
            Complaint::usage(format!("{}: {why}", shown::file(path)), hint)
        };
        let pem = Zeroizing::new(std::fs::read(path).map_err(|e| unreadable(e.to_string()))?);
        ClientKey::read(&pem, self.client_key_id.clone()).map(Some).map_err(unreadable)
    }

    /// The metadata document that is the client's identifier. One that the file names gives way to an identifier that
    /// was typed.
    pub(super) fn metadata_url(&self, given: &Given) -> Result<Option<String>, Complaint> {
        let Some(url) = &self.client_metadata_url else { return Ok(None) };
        match (self.client_id.is_some(), given.is_typed("client_metadata_url"), given.is_typed("client_id")) {
            (false, ..) | (true, true, false) => Ok(Some(url.clone())),
            (true, false, true) => Ok(None),
            (true, ..) => Err(Complaint::usage(
                "a client has an identifier of its own or that of its metadata document, not both",
                "leave out id or metadata_url in [client]",
            )),
        }
    }

    pub(super) fn confidential(&self, given: &Given) -> Result<Option<Configured>, Complaint> {
        let Some(id) = &self.confidential_client_id else {
            nobodys(
                given,
                "client_confidential.secret_env",
                "confidential_secret_env",
                "the confidential client",
                "--confidential-client-id, or id in [client_confidential]",
            )?;
            return match self.confidential_auth {
                None => Ok(None),
                Some(_) => Err(Complaint::usage(
                    "it is said how the confidential client authenticates, but not which client it is",
                    "add --confidential-client-id, or id in [client_confidential]",
                )),
            };
        };
        let secret = variable(&self.confidential_secret_env);
        let by_key = self.confidential_auth == Some(ClientAuth::PrivateKeyJwt);
        if secret.is_none() && !by_key {
            return Err(missing(&self.confidential_secret_env, "--confidential-secret-env"));
        }
        if by_key && self.client_key.is_none() {
            return Err(Complaint::usage("private_key_jwt needs a private key", KEY));
        }
        let secret = secret.filter(|_| !by_key);
        if self.confidential_auth == Some(ClientAuth::None) {
            return Err(Complaint::usage("a confidential client does not authenticate by none", "leave it out"));
        }
        Ok(Some(Configured { id: id.clone(), secret, auth: self.confidential_auth }))
    }

    pub(super) fn second(&self, given: &Given) -> Result<Option<Configured>, Complaint> {
        let Some(id) = &self.client_b_id else {
            let place = "--client-b-id, or id in [client_b]";
            return nobodys(given, "client_b.secret_env", "client_b_secret_env", "the second client", place)
                .map(|()| None);
        };
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
            (Some(ClientAuth::PrivateKeyJwt), _) if self.client_key.is_none() => {
                return Err(Complaint::usage("the second client signs, and there is no private key", KEY));
            }
            (Some(auth), _) => Some(auth),
            (None, Some(_)) => self.client_auth,
            (None, None) => Some(ClientAuth::None),
        };
        Ok(Some(Configured {
            id: id.clone(),
            secret: secret.filter(|_| !matches!(auth, Some(ClientAuth::None | ClientAuth::PrivateKeyJwt))),
            auth,
        }))
    }
}

//! `oaudit login`: signs in once and keeps the session in a file, for runs at which nobody can sign in.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::audit::{TargetArgs, confirmed};
use super::layers::Given;
use super::sign_in::{ClientArgs, SignInArgs};
use super::wire::WireArgs;
use super::{Common, Complaint, Exit, output};
use crate::front::cookies::SessionFile;
use crate::oauth::scope::ScopeSet;
use crate::run::{Options, login};

/// What can be said to `login`.
#[derive(Debug, Args)]
pub(super) struct LoginArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// The file that takes the session. It signs in whoever has it: only its owner can read it, and it should be kept
    /// like a password.
    #[arg(long, value_name = "FILE")]
    save: PathBuf,
    #[command(flatten)]
    client: ClientArgs,
    #[command(flatten)]
    sign_in: SignInArgs,
    #[command(flatten)]
    wire: WireArgs,
    /// Do not ask before a client is registered at a host that is not this machine.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    common: Common,
}

impl LoginArgs {
    pub(super) async fn run(self, given: &Given) -> Exit {
        let streams = self.common.streams();
        match self.save(given).await {
            Ok(said) => {
                if !streams.quiet {
                    output::prose(&said);
                }
                Exit::OK
            }
            Err(complaint) => streams.complain(&complaint, false),
        }
    }

    async fn save(&self, given: &Given) -> Result<String, Complaint> {
        let target = self.target.target()?;
        let yes = self.yes;
        let (stop, interrupt) = tokio::sync::watch::channel(false);
        tokio::spawn(async move {
            if super::asked_to_stop().await {
                let _ = stop.send(true);
            }
            // The sender must live as long as anybody looks at it.
            std::future::pending::<()>().await;
        });
        let options = Options {
            wire: self.wire.options()?,
            client: self.client.first()?,
            client_key: self.client.key()?,
            client_metadata_url: self.client.metadata_url(),
            redirect_uri: self.client.redirect_uri.clone(),
            scope: self.client.scope.as_deref().map(ScopeSet::parse),
            sign_in: self.sign_in.sign_in(given)?,
            consent: Arc::new(move |url| yes || confirmed(url)),
            progress: self.common.streams().progress(),
            interrupt,
            ..Options::default()
        };
        // Made before anybody signs in: a session that cannot be kept must not be made.
        let unwritten =
            |e: &crate::front::cookies::SessionFileError| Complaint::usage(e.to_string(), "check the path of --save");
        let mut file = SessionFile::make(&self.save).map_err(|e| unwritten(&e))?;
        match login::login(&target, options).await {
            Ok(session) => {
                file.write(&session).map_err(|e| unwritten(&e))?;
                let file = self.save.display();
                Ok(format!(
                    "signed in; {} cookies are in {file}. Use them with `oaudit audit … --session {file}`, and delete \
                     the file when you are done.",
                    session.cookies.len()
                ))
            }
            Err(stopped) => {
                file.discard();
                Err(Complaint::not_started(stopped.error, stopped.hint))
            }
        }
    }
}

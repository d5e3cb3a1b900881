//! `oaudit login`: signs in once and keeps the session in a file, for runs at which nobody can sign in.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::audit::{TargetArgs, confirmed};
use super::client::ClientArgs;
use super::journals::JournalArgs;
use super::layers::{ConfigArgs, Given};
use super::sign_in::SignInArgs;
use super::signals::Signals;
use super::wire::WireArgs;
use super::{Common, Complaint, Exit, output};
use crate::front::cookies::SessionFile;
use crate::oauth::scope::ScopeSet;
use crate::run::{Interruption, Options, login};

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
    #[command(flatten)]
    journal: JournalArgs,
    /// Do not ask before a client is registered at a host that is not this machine.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    config: ConfigArgs,
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
        let target = self.target.target(given)?;
        let yes = self.yes;
        let signals = Signals::listen();
        let options = Options {
            wire: self.wire.options()?,
            client: self.client.first(given)?,
            client_key: self.client.key()?,
            client_metadata_url: self.client.metadata_url(given)?,
            redirect_uri: self.client.redirect_uri.clone(),
            scope: self.client.scope.as_deref().map(ScopeSet::parse),
            sign_in: self.sign_in.anew(given)?,
            consent: Arc::new(move |url| yes || confirmed(url)),
            progress: self.common.streams().progress(),
            journal: self.journal.folder(self.common.quiet),
            interrupt: signals.first(),
            ..Options::default()
        };
        // Made before anybody signs in: a session that cannot be kept must not be made.
        let unwritten =
            |e: &crate::front::cookies::SessionFileError| Complaint::usage(e.to_string(), "check the path of --save");
        let mut file = SessionFile::make(&self.save).map_err(|e| unwritten(&e))?;
        let signed_in = match signals.unless_stopped(login::login(&target, options)).await {
            Ok(signed_in) => signed_in,
            Err(exit) => return Err(Complaint { error: "stopped".into(), hint: String::new(), exit }),
        };
        match signed_in {
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
                let exit = Interruption::by(&stopped).map_or(Exit::NOT_STARTED, |by| Exit(by.exit_code()));
                Err(Complaint { error: stopped.error, hint: stopped.hint, exit })
            }
        }
    }
}

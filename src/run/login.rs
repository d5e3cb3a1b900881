//! Signs in once, makes no audit, and gives the session away.

use super::{Interruption, Options, Progress, clean_up, keep_journal, ordinary, stop};
use crate::discovery::{Discovery, Probing, Target, discover};
use crate::front::choose::AgentName;
use crate::front::cookies::SavedSession;
use crate::front::{Front, Purpose, SignInError};
use crate::needs::Ordinary;
use crate::oauth::answer::AuthorizationAnswer;
use crate::registration::{self, Wanted};
use crate::report::Stopped;
use crate::wire::Wire;

/// Finds the server, registers a client if none is configured, signs in through the ordinary request, and deletes the
/// client again. The code that it brings is let lie.
///
/// # Errors
/// Whatever kept it from signing in, or an agent that has no cookies to keep.
pub async fn login(target: &Target, mut options: Options) -> Result<SavedSession, Stopped> {
    options.sign_in.webdriver.keeps = true;
    for url in target.named() {
        options.wire.guard = options.wire.guard.naming(url);
    }
    let wire = Wire::open(options.wire.clone())
        .map_err(|trouble| Stopped { error: trouble.to_string(), hint: "see --ca and --insecure".into() })?;
    keep_journal(&wire, &options, target);
    let interrupted = Interruption::of(options.interrupt.clone());
    let signed_in = tokio::select! {
        signed_in = signed_in(&wire, target, &options) => signed_in,
        interruption = interrupted => Err(interruption.stopped()),
    };
    let left = clean_up(&wire, None).await;
    let again = left.journal.map(|_| "`oaudit cleanup` tries again".to_owned());
    for says in left.behind.into_iter().chain(again) {
        (options.progress)(Progress::Says(&says));
    }
    signed_in
}

async fn signed_in(wire: &Wire, target: &Target, options: &Options) -> Result<SavedSession, Stopped> {
    let error = |error: SignInError| Stopped { error: error.to_string(), hint: error.hint().into() };
    let outside = target.named().find(|u| !crate::wire::guard::is_loopback_url(u));
    if let Some(url) = outside.filter(|url| !(options.consent)(url)) {
        return Err(Stopped {
            error: format!("{url} is not on this machine, and nobody confirmed that a client may be registered there"),
            hint: "add --yes if it is yours or its owner agrees".into(),
        });
    }
    if let named @ (AgentName::Browser | AgentName::Paste | AgentName::Token) = options.sign_in.agent {
        return Err(keeps_none(named.as_str()));
    }
    let found = discover(wire, target, options.profile.mcp, Probing::Full).await.map_err(|broken| stop(&broken))?;
    let server = found.server.map_err(|broken| stop(&broken))?;
    let discovery = Discovery { resource: found.resource, server };
    let named = |name: &str| {
        discovery.server.endpoint(name).map(str::to_owned).ok_or_else(|| Stopped {
            error: format!("the metadata of {} names no {name}", discovery.server.issuer),
            hint: "--issuer URL names another server".into(),
        })
    };
    let (endpoint, token_endpoint) = (named("authorization_endpoint")?, named("token_endpoint")?);
    let (scope, known_scopes) = ordinary::scopes(&discovery, options.scope.as_ref());
    let listening = options.sign_in.listen(options.redirect_uri.as_deref()).map_err(error)?;
    let wanted = Wanted {
        redirect_uri: listening.redirect_uri().to_owned(),
        scope: scope.clone(),
        all_scopes: known_scopes.clone(),
        a: options.client.clone(),
        b: None,
        alone: true,
        document: options.client_metadata_url.clone(),
        signer: options.signer(&discovery.server),
    };
    let clients = registration::clients(wire, &discovery.server.metadata, &wanted)
        .await
        .map_err(|error| Stopped { error: error.to_string(), hint: error.hint().into() })?;
    let resource = ordinary::resource_indicator(&discovery);
    let ordinary = Ordinary { endpoint, client: clients.a, scope, known_scopes, resource, further: Vec::new() };
    let agent = options.sign_in.agent(wire, listening, &ordinary, &options.progress).await.map_err(error)?;
    if !agent.keeps_session() {
        return Err(keeps_none(agent.name()));
    }
    let front = Front::new(agent);
    let wire = &wire.stamped("sign-in");
    match front.visit(wire, ordinary.request(), Purpose::SignIn, &token_endpoint).await.map_err(error)? {
        AuthorizationAnswer::Code(_) => {}
        other => {
            return Err(Stopped {
                error: format!(
                    "the ordinary authorization request should have brought a code, but brought {}",
                    other.describe()
                ),
                hint: "see `oaudit audit TARGET --select authorization/code-flow-works`".into(),
            });
        }
    }
    match front.agent().session() {
        Some(session) if !session.cookies.is_empty() => Ok(session),
        None => Err(Stopped {
            error: format!("the cookies of the sign-in could not be read by the agent {}", front.agent().name()),
            hint: "use --agent form, or --login-command PROGRAM that answers with cookies".into(),
        }),
        Some(_) => Err(Stopped {
            error: "the sign-in left no cookies: there is no session to keep".into(),
            hint: "a server that keeps none asks for the login every time; use --agent form or --login-command".into(),
        }),
    }
}

fn keeps_none(agent: &str) -> Stopped {
    Stopped {
        error: format!("the agent {agent} signs in where its cookies cannot be seen, so there is no session to keep"),
        hint: "use --agent form or --agent webdriver with --username and OAUDIT_PASSWORD, or --login-command PROGRAM that \
               answers with cookies; a storageState that Playwright saved is read by --session as it is"
            .into(),
    }
}

//! An audit of saved documents: the checks that read documents and nothing else. Nobody is asked, so what a server does
//! and how it answers stays *not run*.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::{Held, Left, Options, Outcomes, Progress, Run, freeze, keep_to_ourselves};
use crate::check::{AnyCheck, Verdict};
use crate::discovery::{
    Broken, Discovery, Fetched, Found, IssuerSource, Metadata, Place, ResourceFacts, ServerFacts, Target, Whose,
};
use crate::needs::{AdvertisedScopes, Stage};
use crate::oauth::scope_design::Rule;
use crate::plan::{Plan, SelectionError};
use crate::report::{Report, Stopped};
use crate::resource::{Operation, ResourceKind};
use crate::saved::{Document, JWKS, NEEDS_A_SERVER, RESOURCE, SERVER, Saved};
use crate::settings::Settings;
use crate::wire::{ExchangeId, Guard, Wire, WireOptions};

/// The built-in checks for which documents suffice. What is not listed is not run, so a check that looks at an answer as
/// well can never be green for want of one.
const BY_DOCUMENTS: [&str; 28] = [
    "resource_metadata/resource-matches",
    "resource_metadata/authorization-servers-listed",
    "resource_metadata/no-as-members",
    "resource_metadata/bearer-methods",
    "resource_metadata/scopes-listed",
    "server_metadata/issuer-matches",
    "server_metadata/required-members",
    "server_metadata/https-everywhere",
    "server_metadata/s256-advertised",
    "server_metadata/plain-not-advertised",
    "server_metadata/no-implicit-advertised",
    "server_metadata/no-password-advertised",
    "server_metadata/refresh-advertised",
    "server_metadata/revocation-advertised",
    "server_metadata/auth-methods-advertised",
    "server_metadata/no-none-signing",
    "server_metadata/scopes-listed",
    "server_metadata/registration-path",
    "server_metadata/jwks-reachable",
    "server_metadata/jwks-public-only",
    "server_metadata/jwks-strong-keys",
    "server_metadata/jwks-kids-unique",
    "scope/well-formed",
    "scope/granular",
    "scope/consistent-naming",
    "scope/read-write-separated",
    "scope/manageable-count",
    "scope/admin-separated",
];

/// The checks that run while nothing is sent, and look all the same at how a server answered discovery.
#[cfg(test)]
const BY_ANSWERS: [&str; 5] = [
    "resource_metadata/published",
    "resource_metadata/challenge-401",
    "resource_metadata/challenge-header",
    "resource_metadata/challenge-points-to-metadata",
    "server_metadata/published",
];

/// What there is to judge by.
#[derive(Debug, Clone, Default)]
struct Grounds {
    /// The folder, for a reader.
    folder: String,
    resource: bool,
    server: bool,
    /// The keys are there, or none are announced.
    keys: bool,
    /// Something beside the document itself says which resource it is of.
    resource_named: bool,
    /// The same for the issuer.
    issuer_named: bool,
    /// Administrative scopes are listed, and the challenge, which was not seen, may keep clients from asking for them.
    asks_unknown: bool,
}

/// Audits saved documents. Nothing is sent: the guard of this run refuses everything.
///
/// # Errors
/// Only for a selection that names no check.
pub async fn audit_saved(saved: &Saved, target: &Target, mut options: Options) -> Result<Report, SelectionError> {
    let mut plan = Plan::new(&options.catalogue(), &options.profile, &options.selection)?;
    options.wire = WireOptions { guard: Guard::closed(), ..WireOptions::default() };
    let (found, grounds) = claimed(saved, target, &options.settings);
    let further: Vec<&str> = options.further.iter().map(|check| check.card().id).collect();
    plan.leave_out(|check| left_out(check, &grounds, further.contains(&check.card().id)));
    let mut run = Run {
        plan,
        outcomes: Outcomes::default(),
        options,
        began: Instant::now(),
        started_at: freeze::now(),
        remarks: Vec::new(),
        agent: None,
    };
    let wire = match Wire::open(run.options.wire.clone()) {
        Ok(wire) => wire,
        Err(trouble) => {
            return Ok(run.freeze_without_wire(target, Stopped { error: trouble.to_string(), hint: String::new() }));
        }
    };
    let files: Vec<&str> = saved.documents().map(|document| document.file.as_str()).collect();
    run.remark(format!("offline: {} in {}; nothing was sent", files.join(", "), grounds.folder));
    if !saved.others.is_empty() {
        run.remark(format!("not looked at: {}", saved.others.join(", ")));
    }
    let server = found.server.clone().unwrap_or_else(|_| ServerFacts { jwks: keys(saved), ..freeze::no_server() });
    keep_to_ourselves(&wire, &server);
    let audit = Arc::new(run.audit_of_documents(Discovery { resource: found.resource.clone(), server }));
    let checks = run.plan.stage(Stage::Documents);
    run.tell(Progress::Begins(Stage::Documents.describe(), checks.len()));
    run.conduct(&wire, &audit, checks, true).await;
    run.outcomes.say_no_more_than_documents_can();
    let held = Held { found: Some(found), ..Held::default() };
    let mut report = run.freeze(&wire, target, &held, Left::default(), None);
    // Documents alone answer no point of it.
    report.checklist.clear();
    // There are files behind a verdict, and no exchanges.
    for line in &mut report.checks {
        line.evidence.clear();
        line.findings.iter_mut().for_each(|finding| finding.evidence.clear());
    }
    Ok(report)
}

impl Outcomes {
    /// Keys that are sound in a file may still not be found where `jwks_uri` says.
    fn say_no_more_than_documents_can(&self) {
        let mut held: std::sync::MutexGuard<'_, HashMap<_, _>> = self.held();
        if let Some((Ok(ruling), _)) = held.get_mut("server_metadata/jwks-reachable")
            && matches!(ruling.verdict, Verdict::Pass(_))
        {
            let why = "the saved keys are well-formed; whether jwks_uri answers with them needs a running server";
            *ruling = Verdict::NotRun { why: why.into(), how: how() }.into();
        }
    }
}

fn how() -> String {
    "oaudit audit TARGET, without --offline".into()
}

/// Why a check is left out, or `None` if the documents are enough for it. Pure.
fn left_out(check: &dyn AnyCheck, grounds: &Grounds, further: bool) -> Option<Verdict> {
    let card = check.card();
    let not_run = |why: String, how: String| Some(Verdict::NotRun { why, how });
    let by_documents = further || BY_DOCUMENTS.contains(&card.id);
    if check.stage() != Stage::Documents || !by_documents {
        return not_run(NEEDS_A_SERVER.into(), how());
    }
    let missing = |name: &str| {
        not_run(format!("{} holds no {name}.json", grounds.folder), format!("save the document as {name}.json"))
    };
    match (card.topic(), card.id) {
        _ if further => None,
        ("resource_metadata", _) if !grounds.resource => missing(RESOURCE),
        (_, "resource_metadata/resource-matches") if !grounds.resource_named => not_run(
            "nothing but the document itself names the resource".into(),
            "TARGET: the URL that clients are given".into(),
        ),
        (_, id) if id.starts_with("server_metadata/jwks-") => if grounds.keys { None } else { missing(JWKS) },
        ("server_metadata", _) if !grounds.server => missing(SERVER),
        (_, "server_metadata/issuer-matches") if !grounds.issuer_named => {
            not_run("nothing but the document itself names the issuer".into(), "--issuer URL".into())
        }
        (_, "scope/admin-separated") if grounds.asks_unknown => not_run(
            "administrative scopes are listed; whether clients ask for them by default is for the challenge to say, and \
             that needs a running server"
                .into(),
            how(),
        ),
        ("scope", _) if !grounds.resource && !grounds.server => missing(SERVER),
        _ => None,
    }
}

/// What the documents claim, and who beside them says so: the command line, then what was asked for when they were
/// saved, then the metadata of the resource for the issuer.
fn claimed(saved: &Saved, target: &Target, settings: &Settings) -> (Found, Grounds) {
    let member = |document: Option<&Document>, name: &str| Some(document?.json.get(name)?.as_str()?.to_owned());
    let own_issuer = member(saved.metadata(), "issuer");
    // One URL whose role nobody says is the resource, if there is one; else it counts as the issuer only if it is.
    let typed_is_issuer =
        target.resource.is_some() || (saved.resource.is_none() && own_issuer.is_some() && target.typed == own_issuer);
    let typed = |issuer: bool| target.typed.clone().filter(|_| typed_is_issuer == issuer);
    let named_resource = target.resource.clone().or_else(|| typed(false)).or_else(|| saved.asked_resource.clone());
    let resource = saved.resource.as_ref().map(|document| {
        let url = named_resource.clone().or_else(|| member(Some(document), "resource")).unwrap_or_default();
        resource_facts(document, url)
    });
    let named = target.issuer.clone().or_else(|| typed(true)).or_else(|| saved.asked_issuer.clone());
    let listed = saved.issuer_of_resource().map(str::to_owned);
    let (issuer, source) = match (named, listed, own_issuer) {
        (Some(named), ..) => (named, IssuerSource::Named),
        (None, Some(listed), _) => (listed, IssuerSource::ResourceMetadata),
        (None, None, own) => (own.unwrap_or_default(), IssuerSource::Guessed),
    };
    let server = server_facts(saved, issuer, source);
    let metadata = server.as_ref().map(|server| &server.metadata);
    let grounds = Grounds {
        folder: saved.folder.display().to_string(),
        resource: saved.resource.is_some(),
        server: server.is_some(),
        keys: saved.jwks.is_some() || metadata.is_some_and(|metadata| metadata.text("jwks_uri").is_none()),
        resource_named: named_resource.is_some(),
        issuer_named: source != IssuerSource::Guessed,
        asks_unknown: asks_unknown(&AdvertisedScopes::found(resource.as_ref(), metadata), settings),
    };
    let server = server.ok_or_else(|| Broken {
        what: format!("{} holds no metadata of an authorization server", grounds.folder),
        whose: Whose::CommandLine,
        hint: format!("save it as {SERVER}.json"),
    });
    (Found { resource, server }, grounds)
}

/// Whether the verdict on administrative scopes hangs on the challenge.
fn asks_unknown(scopes: &AdvertisedScopes, settings: &Settings) -> bool {
    let remarks = |scopes: &AdvertisedScopes| {
        scopes.remarks(settings).iter().filter(|remark| remark.rule == Rule::AdminSeparated).count()
    };
    let mut unasked = scopes.clone();
    unasked.by_default.clear();
    remarks(&unasked) == 0 && remarks(scopes) > 0
}

fn fetched(document: &Document) -> Fetched {
    Fetched {
        url: document.file.clone(),
        exchange: ExchangeId(0),
        status: 200,
        media_type: String::new(),
        json: Some(document.json.clone()),
        starts: String::new(),
    }
}

fn resource_facts(document: &Document, url: String) -> ResourceFacts {
    let fetched = fetched(document);
    ResourceFacts {
        url,
        kind: ResourceKind::Api,
        operation: Operation::Get,
        call: None,
        status: 0,
        challenges: Vec::new(),
        exchange: ExchangeId(0),
        mixed_auth: false,
        metadata: Some((Metadata { fetched: fetched.clone() }, Place::Inserted)),
        tried: vec![(Place::Inserted, Ok(fetched))],
    }
}

fn server_facts(saved: &Saved, issuer: String, source: IssuerSource) -> Option<ServerFacts> {
    let metadata = Metadata { fetched: fetched(saved.metadata()?) };
    let place = |place: Place, document: &Option<Document>| Some((place, Ok(fetched(document.as_ref()?))));
    // Rules tell an OpenID document by its place.
    let tried = [place(Place::Inserted, &saved.server), place(Place::Appended, &saved.openid)];
    let place = if saved.server.is_some() { Place::Inserted } else { Place::Appended };
    let announced = metadata.member("jwks_uri").is_some_and(Value::is_string);
    let jwks = keys(saved).or_else(|| announced.then(|| Err(format!("no {JWKS}.json was saved"))));
    Some(ServerFacts { issuer, source, metadata, place, tried: tried.into_iter().flatten().collect(), jwks })
}

fn keys(saved: &Saved) -> Option<Result<Fetched, String>> {
    saved.jwks.as_ref().map(|document| Ok(fetched(document)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn saved(resource: Option<Value>, server: Option<Value>) -> Saved {
        let document = |file: &str, json: Value| Document { file: file.into(), json };
        Saved {
            folder: "docs".into(),
            resource: resource.map(|json| document("oauth-protected-resource.json", json)),
            server: server.map(|json| document("oauth-authorization-server.json", json)),
            ..Saved::default()
        }
    }

    async fn verdicts(saved: &Saved, target: Target) -> Vec<(&'static str, String, Option<String>)> {
        let report = audit_saved(saved, &target, Options::default()).await.unwrap();
        assert_eq!(report.summary.requests, 0);
        let said = |line: &crate::report::CheckLine| (line.id, line.message.clone(), line.how_to_run.clone());
        report.checks.iter().map(said).collect()
    }

    fn line<'a>(lines: &'a [(&'static str, String, Option<String>)], id: &str) -> (&'a str, bool) {
        let (_, message, how) = lines.iter().find(|line| line.0 == id).unwrap();
        (message, how.is_some())
    }

    #[test]
    fn every_check_of_documents_is_known_to_need_a_server_or_none() {
        let known: Vec<&str> = [&BY_DOCUMENTS[..], &BY_ANSWERS].concat();
        let looking = crate::checks::ALL.iter().filter(|check| check.stage() == Stage::Documents);
        let unknown: Vec<&str> = looking.clone().map(|c| c.card().id).filter(|id| !known.contains(id)).collect();
        assert!(
            unknown.is_empty(),
            "list these in src/run/offline.rs, under BY_DOCUMENTS if saved documents are all that they look at, else \
             under BY_ANSWERS: {unknown:?}"
        );
        let ids: Vec<&str> = looking.map(|check| check.card().id).collect();
        let gone: Vec<&&str> = known.iter().filter(|id| !ids.contains(id)).collect();
        assert!(gone.is_empty(), "no check of documents has these ids any more: {gone:?}");
    }

    #[tokio::test]
    async fn a_document_is_not_its_own_witness() {
        let metadata = json!({"resource": "https://api.example/mcp"});
        let server = json!({"issuer": "https://as.example"});
        let alone = verdicts(&saved(Some(metadata), Some(server)), Target::default()).await;
        for id in ["resource_metadata/resource-matches", "server_metadata/issuer-matches"] {
            let (why, not_run) = line(&alone, id);
            assert!(not_run && why.starts_with("nothing but the document itself"), "{id}: {why}");
        }
        let target = Target {
            typed: Some("https://api.example/mcp".into()),
            issuer: Some("https://as.example".into()),
            ..Target::default()
        };
        let metadata = json!({"resource": "https://api.example/mcp"});
        let server = json!({"issuer": "https://as.example/"});
        let named = verdicts(&saved(Some(metadata), Some(server)), target).await;
        assert!(line(&named, "resource_metadata/resource-matches").0.contains("as it was typed"));
        assert!(line(&named, "server_metadata/issuer-matches").0.contains("was typed: clients compare byte for byte"));
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_run() {
        let lines = verdicts(&saved(Some(json!({})), None), Target::default()).await;
        assert_eq!(
            line(&lines, "server_metadata/s256-advertised"),
            ("docs holds no oauth-authorization-server.json", true)
        );
        assert_eq!(line(&lines, "server_metadata/jwks-public-only"), ("docs holds no jwks.json", true));
        assert_eq!(line(&lines, "pkce/required"), (NEEDS_A_SERVER, true));
        assert_eq!(line(&lines, "resource_metadata/published"), (NEEDS_A_SERVER, true));
    }

    #[tokio::test]
    async fn sound_keys_in_a_file_are_not_reachable_keys() {
        let key = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "1"});
        let with = |keys: Value| Saved {
            jwks: Some(Document { file: "jwks.json".into(), json: keys }),
            ..saved(None, Some(json!({"jwks_uri": "https://as.example/keys"})))
        };
        let lines = verdicts(&with(json!({"keys": [key]})), Target::default()).await;
        let (why, not_run) = line(&lines, "server_metadata/jwks-reachable");
        assert!(not_run && why.contains("well-formed"), "{why}");
        let lines = verdicts(&with(json!({"keys": []})), Target::default()).await;
        assert_eq!(line(&lines, "server_metadata/jwks-reachable"), ("the array of keys at jwks.json is empty", false));
    }

    #[tokio::test]
    async fn who_asks_for_administration_by_default_is_for_the_challenge_to_say() {
        let scopes = |list: &[&str]| saved(None, Some(json!({}))).resource_with(json!({"scopes_supported": list}));
        let lines = verdicts(&scopes(&["notes:read", "admin:notes"]), Target::default()).await;
        assert!(line(&lines, "scope/admin-separated").1);
        let lines = verdicts(&scopes(&["notes:read", "notes:admin"]), Target::default()).await;
        assert!(line(&lines, "scope/admin-separated").0.contains("no prefix of its own"));
        let lines = verdicts(&scopes(&["notes:read"]), Target::default()).await;
        assert!(!line(&lines, "scope/admin-separated").1);
    }

    impl Saved {
        fn resource_with(mut self, json: Value) -> Self {
            self.resource = Some(Document { file: "oauth-protected-resource.json".into(), json });
            self
        }
    }
}

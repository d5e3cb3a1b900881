//! One access token against the six points of a resource server: signature, expiry, issuer, audience, scopes,
//! revocation. Pure: what had to be fetched is handed in.

use serde_json::{Value, json};

use crate::oauth::claims::{self, Judged};
use crate::oauth::introspection::Introspected;
use crate::oauth::jws::{Signature, verify};
use crate::oauth::jwt::{Jwt, TokenKind};
use crate::oauth::scope::ScopeSet;

/// Something that had to be fetched.
#[derive(Debug, Clone, PartialEq)]
pub enum Supply<T> {
    /// The user named none; what to type to have it.
    NotNamed(String),
    /// It was tried, and this went wrong.
    Failed(String),
    /// Here it is.
    Here(T),
}

/// What a token is measured by.
#[derive(Debug, Clone)]
pub struct Measure {
    /// Seconds since 1970.
    pub now: i64,
    /// The issuer that it must name.
    pub issuer: Option<String>,
    /// The audience that it must name.
    pub audience: Option<String>,
    /// The scopes that it must have.
    pub scope: Option<ScopeSet>,
    /// The key set.
    pub keys: Supply<Value>,
    /// What the authorization server says of it.
    pub introspected: Supply<Introspected>,
}

/// One of the six.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Its name.
    pub name: &'static str,
    /// Whether it holds.
    pub judged: Judged,
}

impl Point {
    /// The verdict as programs read it.
    pub fn verdict(&self) -> &'static str {
        match self.judged {
            Judged::Holds(_) => "pass",
            Judged::Broken(_) => "fail",
            Judged::Unknown(_) => "cannot-say",
        }
    }

    /// The sentence that goes with it.
    pub fn why(&self) -> &str {
        match &self.judged {
            Judged::Holds(why) | Judged::Broken(why) | Judged::Unknown(why) => why,
        }
    }
}

/// What was found out about a token. Holds its claims, never the token.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// What it is.
    pub kind: TokenKind,
    /// The header, as far as it can be read.
    pub header: Option<Value>,
    /// The claims, as far as they can be read.
    pub claims: Option<Value>,
    /// What introspection stated.
    pub introspection: Option<Value>,
    /// The six points.
    pub points: Vec<Point>,
}

impl Inspection {
    /// 1 if a point failed, 3 if one could not be found out, else 0.
    pub fn exit_code(&self) -> u8 {
        let any = |verdict: &str| self.points.iter().any(|p| p.verdict() == verdict);
        if any("fail") {
            1
        } else if any("cannot-say") {
            3
        } else {
            0
        }
    }

    /// For programs.
    pub fn json(&self, exit_code: u8) -> Value {
        let points: Vec<Value> = self
            .points
            .iter()
            .map(|p| json!({ "point": p.name, "verdict": p.verdict(), "message": p.why() }))
            .collect();
        json!({
            "kind": self.kind.describe(),
            "header": self.header,
            "claims": self.claims,
            "introspection": self.introspection,
            "points": points,
            "exit_code": exit_code,
        })
    }
}

/// Takes what was pasted for a token: a header line, quotes and line breaks around and in it are left aside.
pub fn tidy(pasted: &str) -> String {
    let text = pasted.trim().trim_matches(['"', '\'', '`']).trim();
    let text = match text.get(.."authorization:".len()) {
        Some(name) if name.eq_ignore_ascii_case("authorization:") => text["authorization:".len()..].trim(),
        _ => text,
    };
    let text = match text.split_once(char::is_whitespace) {
        Some((scheme, rest)) if ["bearer", "dpop"].contains(&scheme.to_ascii_lowercase().as_str()) => rest,
        _ => text,
    };
    text.split_whitespace().collect()
}

/// Looks at a token.
pub fn inspect(token: &str, measure: &Measure) -> Inspection {
    let jwt = Jwt::read(token);
    let introspection = match &measure.introspected {
        Supply::Here(Introspected::Active(members, _) | Introspected::Inactive(members, _)) => Some(members.clone()),
        _ => None,
    };
    let active = match &measure.introspected {
        Supply::Here(answer) => answer.members(),
        _ => None,
    };
    // What a token does not say itself, the server may.
    let claims = jwt.as_ref().map(|jwt| &jwt.claims).or(active);
    let kind = TokenKind::of(token);
    let points = vec![
        Point { name: "signature", judged: signature(token, kind, active.is_some(), &measure.keys) },
        Point { name: "expiry", judged: of_claims(claims, kind, |c| expiry(c, jwt.is_some(), measure.now)) },
        Point {
            name: "issuer",
            judged: match &measure.issuer {
                Some(issuer) => {
                    of_claims(claims, kind, |c| stated(c, "iss", jwt.is_some(), || claims::issuer(c, issuer)))
                }
                None => not_named(claims, "iss", "--issuer URL"),
            },
        },
        Point {
            name: "audience",
            judged: match &measure.audience {
                Some(audience) => of_claims(claims, kind, |c| {
                    let judged = claims::audience_among(c, &[audience]);
                    match judged {
                        Judged::Unknown(why) if jwt.is_some() => Judged::Broken(why),
                        other => other,
                    }
                }),
                None => not_named(claims, "aud", "--audience URL"),
            },
        },
        Point {
            name: "scopes",
            judged: match &measure.scope {
                Some(scope) => of_claims(claims, kind, |c| claims::scopes(c, scope)),
                None => not_named(claims, "scope", "--scope \"A B\""),
            },
        },
        Point { name: "revocation", judged: revocation(&measure.introspected) },
    ];
    let header = jwt.as_ref().map(|jwt| jwt.header.clone()).or_else(|| Jwt::header_of(token));
    Inspection { kind, header, claims: jwt.map(|jwt| jwt.claims), introspection, points }
}

fn signature(token: &str, kind: TokenKind, active: bool, keys: &Supply<Value>) -> Judged {
    match kind {
        TokenKind::Jws => {}
        _ if active => return Judged::Holds(format!("it is {}, and its server knows it", kind.describe())),
        _ => return Judged::Unknown(format!("it is {}: only its server can tell", kind.describe())),
    }
    let key_set = match keys {
        Supply::Here(keys) => keys,
        Supply::Failed(why) => return Judged::Unknown(why.clone()),
        // Some things are wrong under any key.
        Supply::NotNamed(how) => match verify(token, &Value::Null) {
            Signature::Unsigned(why) => return Judged::Broken(why),
            Signature::Symmetric(why) | Signature::CannotVerify(why) => return Judged::Unknown(why),
            _ => return Judged::Unknown(format!("no keys were named ({how})")),
        },
    };
    match verify(token, key_set) {
        Signature::Verified { alg, kid } => {
            let kid = kid.map(|k| format!(" {k}")).unwrap_or_default();
            Judged::Holds(format!("the key{kid} verifies its {alg} signature"))
        }
        Signature::Wrong(why) | Signature::Unsigned(why) | Signature::NoKey(why) => Judged::Broken(why),
        Signature::Symmetric(why) | Signature::CannotVerify(why) => Judged::Unknown(why),
    }
}

fn expiry(claims: &Value, own: bool, now: i64) -> Judged {
    if !own && claims.get("exp").is_none() {
        return Judged::Unknown("introspection states no exp".into());
    }
    match (claims::expiry(claims, now), claims::begun(claims, now)) {
        (Judged::Holds(_), Judged::Broken(why)) => Judged::Broken(why),
        (judged, _) => judged,
    }
}

/// A claim that a token must have and an introspection answer may have.
fn stated(claims: &Value, name: &str, own: bool, judge: impl FnOnce() -> Judged) -> Judged {
    match own || claims.get(name).is_some() {
        true => judge(),
        false => Judged::Unknown(format!("introspection states no {name}")),
    }
}

fn of_claims(claims: Option<&Value>, kind: TokenKind, judge: impl FnOnce(&Value) -> Judged) -> Judged {
    match claims {
        Some(claims) => judge(claims),
        None => Judged::Unknown(format!("it is {}, and its claims are not known", kind.describe())),
    }
}

fn not_named(claims: Option<&Value>, name: &str, flag: &str) -> Judged {
    let shown = match claims.and_then(|c| c.get(name)) {
        Some(Value::String(text)) => format!("{name} is {text}; "),
        Some(other) => format!("{name} is {other}; "),
        None => String::new(),
    };
    Judged::Unknown(format!("{shown}what it should be was not said ({flag})"))
}

fn revocation(introspected: &Supply<Introspected>) -> Judged {
    match introspected {
        Supply::NotNamed(how) => Judged::Unknown(format!("the authorization server was not asked ({how})")),
        Supply::Failed(why) => Judged::Unknown(why.clone()),
        Supply::Here(Introspected::Active(..)) => Judged::Holds("introspection says that it is active".into()),
        Supply::Here(Introspected::Inactive(..)) => {
            Judged::Broken("introspection says that it is not active: revoked, expired, or not for this client".into())
        }
        Supply::Here(Introspected::Unclear(why, _)) => Judged::Unknown(why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::forge::{OwnKey, Parts};
    use crate::wire::ExchangeId;

    const NOW: i64 = 1_000;

    /// `{"alg":"ES256"}` . `{"iss":"https://as","aud":"r","exp":2000,"scope":"a b"}`, signed by a key.
    fn token(key: &OwnKey) -> String {
        let claims = "eyJpc3MiOiJodHRwczovL2FzIiwiYXVkIjoiciIsImV4cCI6MjAwMCwic2NvcGUiOiJhIGIifQ";
        let parts = Parts::of(&format!("eyJhbGciOiJFUzI1NiJ9.{claims}.AQIDBA")).unwrap();
        parts.signed_by(key, &[], &[]).unwrap()
    }

    fn measure(key: &OwnKey) -> Measure {
        Measure {
            now: NOW,
            issuer: Some("https://as".into()),
            audience: Some("r".into()),
            scope: Some(ScopeSet::parse("b")),
            keys: Supply::Here(json!({ "keys": [key.public_jwk()] })),
            introspected: Supply::Here(Introspected::Active(json!({"active": true}), ExchangeId(1))),
        }
    }

    fn verdicts(inspection: &Inspection) -> Vec<(&'static str, &'static str)> {
        inspection.points.iter().map(|p| (p.name, p.verdict())).collect()
    }

    #[test]
    fn all_six_hold() {
        let key = OwnKey::like("ES256").unwrap();
        let inspection = inspect(&token(&key), &measure(&key));
        assert!(inspection.points.iter().all(|p| p.verdict() == "pass"), "{:?}", inspection.points);
        assert_eq!((inspection.points.len(), inspection.exit_code()), (6, 0));
        let shown = inspection.json(0).to_string();
        assert!(!shown.contains(token(&key).rsplit('.').next().unwrap()), "never the signature");
    }

    #[test]
    fn each_point_fails_by_itself() {
        let key = OwnKey::like("ES256").unwrap();
        type Change = fn(&mut Measure);
        let changes: [(&str, Change); 6] = [
            ("signature", |m| m.keys = Supply::Here(json!({"keys": []}))),
            ("expiry", |m| m.now = 2000),
            ("issuer", |m| m.issuer = Some("https://as/".into())),
            ("audience", |m| m.audience = Some("s".into())),
            ("scopes", |m| m.scope = Some(ScopeSet::parse("b c"))),
            ("revocation", |m| {
                m.introspected = Supply::Here(Introspected::Inactive(json!({"active": false}), ExchangeId(1)));
            }),
        ];
        for (point, change) in changes {
            let mut measure = measure(&key);
            change(&mut measure);
            let inspection = inspect(&token(&key), &measure);
            let failed: Vec<_> = verdicts(&inspection).into_iter().filter(|(_, v)| *v != "pass").collect();
            assert_eq!(failed, [(point, "fail")]);
            assert_eq!(inspection.exit_code(), 1);
        }
    }

    #[test]
    fn what_was_not_said_is_not_found_out() {
        let key = OwnKey::like("ES256").unwrap();
        let not = || Supply::NotNamed("--x".into());
        let bare = Measure {
            now: NOW,
            issuer: None,
            audience: None,
            scope: None,
            keys: not(),
            introspected: Supply::NotNamed("--y".into()),
        };
        let inspection = inspect(&token(&key), &bare);
        assert_eq!(inspection.exit_code(), 3);
        let held: Vec<_> = verdicts(&inspection).into_iter().filter(|(_, v)| *v != "cannot-say").collect();
        assert_eq!(held, [("expiry", "pass")]);
        // No key is needed to see that nobody signed it.
        let none = "eyJhbGciOiJub25lIn0.e30.";
        assert_eq!(verdicts(&inspect(none, &bare))[0], ("signature", "fail"));
    }

    #[test]
    fn the_server_speaks_for_an_opaque_token() {
        let key = OwnKey::like("ES256").unwrap();
        let members = json!({"active": true, "iss": "https://as", "aud": "r", "exp": 2000, "scope": "a b"});
        let introspected = Supply::Here(Introspected::Active(members, ExchangeId(1)));
        let inspection = inspect("opaque-token", &Measure { introspected, ..measure(&key) });
        assert_eq!(inspection.exit_code(), 0, "{:?}", inspection.points);
        assert!(inspection.claims.is_none() && inspection.introspection.is_some());
        let silent = inspect("opaque-token", &measure(&key));
        assert_eq!(silent.exit_code(), 3, "active alone says nothing of the rest: {:?}", silent.points);
    }

    #[test]
    fn what_people_paste() {
        for pasted in ["a.b.c", " a.b.c\n", "Bearer a.b.c", "Authorization: bearer a.b.c", "\"a.b.c\"", "a.b\n  .c"] {
            assert_eq!(tidy(pasted), "a.b.c", "{pasted}");
        }
        assert_eq!(tidy("é"), "é");
        assert_eq!(tidy(""), "");
    }
}

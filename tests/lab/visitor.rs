//! A small browser and OAuth client for the tests: cookies, forms and redirects, nothing of the auditor but one-time codes.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oaudit::front::steps::Totp;
use oaudit::lab::{Lab, LabOptions};
use scraper::{Html, Selector};
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded};

pub(crate) const CALLBACK: &str = "http://127.0.0.1:4321/callback";
pub(crate) const VERIFIER: &str = "a-verifier-of-the-tests-0123456789-abcdefghij";
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    /// The status and the OAuth error code.
    pub(crate) fn error(&self) -> (u16, String) {
        let code = self.json()["error"].as_str().unwrap_or_default().to_owned();
        (self.status, code)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

#[expect(clippy::disallowed_types, reason = "the lab is tested without the auditor's own wire")]
pub(crate) struct Visitor {
    http: reqwest::Client,
    pub(crate) lab: Lab,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) user: (&'static str, &'static str),
}

/// A lab with these faults and quirks, and a visitor to it.
pub(crate) async fn visit(faults: &[&str], quirks: &[&str]) -> Visitor {
    visit_with(LabOptions {
        faults: faults.iter().map(|&f| f.to_owned()).collect(),
        quirks: quirks.iter().map(|&q| q.to_owned()).collect(),
        ..LabOptions::default()
    })
    .await
}

#[expect(clippy::disallowed_types, reason = "the lab is tested without the auditor's own wire")]
pub(crate) async fn visit_with(options: LabOptions) -> Visitor {
    Visitor {
        http: reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // A fault of TLS makes a lab whose certificate need not be good.
            .tls_danger_accept_invalid_certs(true)
            .build()
            .unwrap(),
        lab: Lab::start(options).await.unwrap(),
        cookies: BTreeMap::new(),
        user: ("alice", "wonderland"),
    }
}

pub(crate) fn encode(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub(crate) fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))
}

/// The ordinary authorization request with one thing changed: a pair replaces its namesake, an empty one removes it.
pub(crate) fn request(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let challenge = challenge();
    let ordinary = [
        ("response_type", "code"),
        ("client_id", "lab-public"),
        ("redirect_uri", CALLBACK),
        ("scope", "notes:read notes:write"),
        ("state", "the-state"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let mut pairs: Vec<(String, String)> = ordinary
        .iter()
        .filter(|(name, _)| changes.iter().all(|(n, _)| n != name))
        .chain(changes.iter().filter(|(_, value)| !value.is_empty()))
        .map(|&(n, v)| (n.to_owned(), v.to_owned()))
        .collect();
    pairs.sort();
    pairs
}

/// The parameters a callback brought, from query and fragment.
pub(crate) fn parameters(callback: &str) -> BTreeMap<String, String> {
    let url = Url::parse(callback).unwrap();
    let fragment = url.fragment().unwrap_or_default().to_owned();
    url.query_pairs()
        .chain(form_urlencoded::parse(fragment.as_bytes()))
        .map(|(n, v)| (n.into_owned(), v.into_owned()))
        .collect()
}

impl Visitor {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.lab.issuer())
    }

    pub(crate) async fn send(&mut self, method: &str, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = self.http.request(method.parse().unwrap(), url).body(body);
        for (name, value) in headers {
            let value = reqwest::header::HeaderValue::from_bytes(value.as_bytes()).unwrap();
            request = request.header(*name, value);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        for cookie in headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let body = response.text().await.unwrap();
        Answer { status, headers, body }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Answer {
        let cookies = self.cookie_header();
        self.send("GET", url, &[("cookie", &cookies)], Vec::new()).await
    }

    pub(crate) async fn submit(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let cookies = self.cookie_header();
        let headers = [("cookie", cookies.as_str()), FORM];
        self.send("POST", url, &headers, encode(fields).into_bytes()).await
    }

    fn cookie_header(&self) -> String {
        let pairs = self.cookies.iter().map(|(n, v)| format!("{n}={v}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// The first answer to an authorization request.
    pub(crate) async fn ask(&mut self, changes: &[(&str, &str)]) -> Answer {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(request(changes)).finish();
        let url = self.url(&format!("/authorize?{query}"));
        self.get(&url).await
    }

    /// Goes through login and consent until something leaves the lab, and says where to.
    pub(crate) async fn authorize(&mut self, changes: &[(&str, &str)]) -> String {
        let mut answer = self.ask(changes).await;
        for _ in 0..8 {
            let location = answer.header("location").to_owned();
            if !location.is_empty() {
                if !location.starts_with('/') {
                    return location;
                }
                let next = self.url(&location);
                answer = self.get(&next).await;
                continue;
            }
            assert_eq!(answer.status, 200, "{}", answer.body);
            let page = read_page(&answer.body);
            if !page.action.starts_with('/') {
                let fields: Vec<_> = page.pairs();
                return match page.refresh {
                    Some(url) => url,
                    None => format!("{}?{}", page.action, encode(&fields)),
                };
            }
            let mut fields = page.pairs();
            if page.has("username") {
                fields.push(("username", self.user.0));
            }
            if page.has("password") {
                fields.push(("password", self.user.1));
            }
            let code = one_time_code();
            if page.has("code") {
                fields.push(("code", &code));
            }
            if page.action == "/consent" {
                fields.push(("decision", "allow"));
            }
            let action = self.url(&page.action);
            answer = self.submit(&action, &fields).await;
        }
        panic!("the sign-in led nowhere");
    }

    /// A code for the ordinary request with one thing changed.
    pub(crate) async fn code(&mut self, changes: &[(&str, &str)]) -> String {
        let callback = self.authorize(changes).await;
        parameters(&callback).remove("code").unwrap_or_else(|| panic!("no code: {callback}"))
    }

    pub(crate) async fn token(&mut self, fields: &[(&str, &str)]) -> Answer {
        let url = self.url("/token");
        let body = encode(fields).into_bytes();
        self.send("POST", &url, &[FORM], body).await
    }

    pub(crate) async fn redeem(&mut self, code: &str) -> Answer {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("client_id", "lab-public"),
            ("code", code),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    /// A code for such a request, and the access and refresh token it bought.
    pub(crate) async fn tokens(&mut self, changes: &[(&str, &str)]) -> (String, String, String) {
        let code = self.code(changes).await;
        let answer = self.redeem(&code).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer = answer.json();
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        (code, text("access_token"), text("refresh_token"))
    }

    pub(crate) async fn refresh(&mut self, token: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![("grant_type", "refresh_token"), ("client_id", "lab-public"), ("refresh_token", token)];
        fields.extend(more);
        self.token(&fields).await
    }

    pub(crate) async fn revoke(&mut self, token: &str, client: &str) -> Answer {
        let url = self.url("/revoke");
        let body = encode(&[("token", token), ("client_id", client)]).into_bytes();
        self.send("POST", &url, &[FORM], body).await
    }

    /// Calls the MCP endpoint with an `Authorization` header, or none where it is empty.
    pub(crate) async fn mcp(&mut self, authorization: &str, method: &str) -> Answer {
        let message = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"name":"list_notes"}}}}"#);
        let mut headers = vec![JSON, ("accept", "application/json, text/event-stream")];
        if !authorization.is_empty() {
            headers.push(("authorization", authorization));
        }
        let url = self.lab.mcp();
        self.send("POST", &url, &headers, message.into_bytes()).await
    }

    /// The status of a protected MCP call with this access token.
    pub(crate) async fn works(&mut self, token: &str) -> u16 {
        self.mcp(&format!("Bearer {token}"), "tools/call").await.status
    }
}

pub(crate) struct Page {
    pub(crate) action: String,
    fields: Vec<(String, String)>,
    refresh: Option<String>,
}

impl Page {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(n, _)| n == name)
    }

    /// The hidden fields with their values.
    pub(crate) fn pairs(&self) -> Vec<(&str, &str)> {
        self.fields.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| (n.as_str(), v.as_str())).collect()
    }
}

pub(crate) fn read_page(html: &str) -> Page {
    let document = Html::parse_document(html);
    let select = |css: &str| Selector::parse(css).unwrap();
    let attribute = |css: &str, name: &str| {
        let element = document.select(&select(css)).next();
        element.and_then(|e| e.value().attr(name)).map(str::to_owned)
    };
    let fields = document
        .select(&select("input"))
        .map(|input| {
            let value = |name| input.value().attr(name).unwrap_or_default().to_owned();
            (value("name"), value("value"))
        })
        .collect();
    let refresh = attribute("meta[http-equiv=refresh]", "content")
        .and_then(|content| content.split_once("url=").map(|(_, url)| url.to_owned()));
    Page { action: attribute("form", "action").unwrap_or_default(), fields, refresh }
}

/// The code of the moment from the secret of RFC 6238 appendix B.
pub(crate) fn one_time_code() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Totp::read("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap().at(now)
}

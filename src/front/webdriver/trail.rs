//! Where the browser was sent, as far as the address bar does not show it: to schemes of other programs, and with a form
//! that a redirect carried along. Chromium's log of what it requests tells both; Firefox keeps none.

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use thirtyfour::common::command::FormatRequestData;
use thirtyfour::{RequestData, SessionId, WebDriver};
use url::{Url, form_urlencoded};

use super::driver::told;

/// A command that the standard does not know.
#[derive(Debug)]
struct Further {
    method: Method,
    path: &'static str,
    body: Option<Value>,
}

impl FormatRequestData for Further {
    fn format_request(&self, session: &SessionId) -> RequestData {
        let data = RequestData::new(self.method.clone(), format!("session/{session}/{}", self.path));
        match &self.body {
            Some(body) => data.add_body(body.clone()),
            None => data,
        }
    }
}

/// Sends one to the driver.
pub(super) async fn ask(
    session: &WebDriver,
    method: Method,
    path: &'static str,
    body: Option<Value>,
) -> Result<Value, String> {
    let answer = session.handle().cmd(Further { method, path, body }).await.map_err(|e| told(&e))?;
    answer.value_json().map_err(|e| told(&e))
}

/// What must be asked for when the browser is opened.
pub(super) fn wish() -> (Value, Value) {
    (json!({ "performance": "ALL" }), json!({ "enableNetwork": true, "enablePage": false }))
}

/// A document that the window asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Hop {
    pub(super) url: String,
    /// A form comes along.
    pub(super) posts: bool,
    /// The password is in it.
    pub(super) holds_password: bool,
    /// The status and the address of the answer that led here.
    pub(super) led_by: Option<(u16, String)>,
}

impl Hop {
    /// Whether it leads to a program beside the browser.
    pub(super) fn is_private(&self) -> bool {
        is_private(&self.url)
    }

    /// Whether the form was carried to another origin, by the status that says so.
    pub(super) fn is_carried_on(&self) -> bool {
        let origin = |address: &str| Url::parse(address).map(|url| url.origin()).ok();
        let by = self.led_by.as_ref().filter(|(status, _)| matches!(status, 307 | 308));
        self.posts && by.is_some_and(|(_, from)| origin(from) != origin(&self.url))
    }
}

/// Whether an address is of a scheme that no browser shows, so that its address bar stays where it was.
pub(super) fn is_private(address: &str) -> bool {
    let own = ["http", "https", "about", "blob", "chrome", "chrome-error", "data", "file", "javascript", "view-source"];
    Url::parse(address).is_ok_and(|url| !own.contains(&url.scheme()))
}

#[derive(Deserialize)]
struct Entry {
    message: String,
}

#[derive(Deserialize)]
struct Message {
    message: Event,
    /// The window, which is also the name of its outermost frame.
    webview: String,
}

#[derive(Deserialize)]
struct Event {
    method: String,
    params: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    frame_id: String,
    r#type: String,
    request: Asked,
    redirect_response: Option<Led>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    url: String,
    #[serde(default)]
    url_fragment: String,
    method: String,
    #[serde(default)]
    post_data: String,
}

#[derive(Deserialize)]
struct Led {
    url: String,
    status: u16,
}

/// The documents that were asked for since the last time. What forms held is dropped here.
pub(super) async fn hops(session: &WebDriver, password: Option<&str>) -> Result<Vec<Hop>, String> {
    Ok(read(&ask(session, Method::POST, "se/log", Some(json!({ "type": "performance" }))).await?, password))
}

fn read(log: &Value, password: Option<&str>) -> Vec<Hop> {
    let entries = log.as_array().into_iter().flatten();
    let hop = |entry: &Value| {
        let entry = Entry::deserialize(entry).ok()?;
        // The most of them are of no interest, and long.
        if !entry.message.contains("\"Network.requestWillBeSent\"") {
            return None;
        }
        let message: Message = serde_json::from_str(&entry.message).ok()?;
        if message.message.method != "Network.requestWillBeSent" {
            return None;
        }
        let sent: Sent = serde_json::from_value(message.message.params).ok()?;
        if sent.r#type != "Document" || sent.frame_id != message.webview {
            return None;
        }
        let form = &sent.request.post_data;
        let holds = |password: &str| {
            form.contains(password) || form_urlencoded::parse(form.as_bytes()).any(|(_, value)| value == password)
        };
        Some(Hop {
            posts: sent.request.method == "POST",
            holds_password: password.is_some_and(|p| !p.is_empty() && holds(p)),
            url: sent.request.url + sent.request.url_fragment.as_str(),
            led_by: sent.redirect_response.map(|led| (led.status, led.url)),
        })
    };
    entries.filter_map(hop).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(method: &str, frame: &str, kind: &str, request: Value, led: Option<Value>) -> Value {
        let params = json!({ "frameId": frame, "type": kind, "request": request, "redirectResponse": led });
        let message = json!({ "webview": "W", "message": { "method": method, "params": params } });
        json!({ "level": "INFO", "timestamp": 1, "message": message.to_string() })
    }

    #[test]
    fn documents_of_the_window_are_read_and_forms_are_not_kept() {
        let sent = "Network.requestWillBeSent";
        let form =
            |url: &str| json!({"url": url, "method": "POST", "postData": "u=a&p=won+der%21", "hasPostData": true});
        let led = |status: u16| Some(json!({"url": "https://as.example/login", "status": status, "headers": {}}));
        let get = |url: &str| json!({"url": url, "method": "GET"});
        let log = json!([
            entry(sent, "W", "Document", form("https://as.example/login"), None),
            entry(sent, "W", "Document", form("https://app.example/cb?code=1"), led(307)),
            entry(
                sent,
                "W",
                "Document",
                json!({"url": "cursor://x/cb?code=2", "urlFragment": "#f", "method": "GET"}),
                led(302)
            ),
            entry(sent, "W", "Image", get("cursor://image"), None),
            entry(sent, "another", "Document", get("cursor://frame"), None),
            entry("Network.requestWillBeSentExtraInfo", "W", "Document", get("cursor://x"), None),
            { "message": "no JSON: \"Network.requestWillBeSent\"" },
            7,
        ]);
        let hops = read(&log, Some("won der!"));
        let brief: Vec<_> =
            hops.iter().map(|h| (h.url.as_str(), h.is_private(), h.is_carried_on(), h.holds_password)).collect();
        assert_eq!(
            brief,
            [
                ("https://as.example/login", false, false, true),
                ("https://app.example/cb?code=1", false, true, true),
                ("cursor://x/cb?code=2#f", true, false, false),
            ]
        );
        assert!(!format!("{hops:?}").contains("won"));
        assert!(!read(&log, None)[0].holds_password && !read(&log, Some(""))[0].holds_password);
    }

    #[test]
    fn a_form_that_stays_at_home_is_not_carried_on() {
        let hop = |url: &str, status| Hop {
            url: url.into(),
            posts: true,
            holds_password: true,
            led_by: Some((status, "https://as.example/login".into())),
        };
        assert!(!hop("https://as.example/step", 307).is_carried_on());
        assert!(!hop("https://app.example/cb", 302).is_carried_on());
        assert!(hop("http://as.example/step", 308).is_carried_on());
    }

    #[test]
    fn what_a_browser_shows_itself_is_not_private() {
        for (address, private) in [
            ("cursor://anysphere.cursor/cb", true),
            ("com.example.app:/cb", true),
            ("https://a/", false),
            ("about:blank", false),
            ("javascript:1", false),
            ("no address", false),
        ] {
            assert_eq!(is_private(address), private, "{address}");
        }
    }
}

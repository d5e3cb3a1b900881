//! The session that the browser holds, to be kept in a file.

use http::Method;
use serde_json::{Value, json};
use thirtyfour::WebDriver;

use super::super::cookies::{SavedCookie, SavedSession};
use super::driver::told;
use super::trail::ask;

/// Every cookie of a browser that tells all of them (Chromium).
pub(super) async fn all(session: &WebDriver) -> Result<SavedSession, String> {
    let wish = json!({ "cmd": "Network.getAllCookies", "params": {} });
    let told = ask(session, Method::POST, "goog/cdp/execute", Some(wish)).await?;
    read(&told["cookies"])
}

/// Those that the authorization endpoint is sent, of a browser that tells no others (Firefox). The page there may well
/// be one of an error.
pub(super) async fn of_the_page(session: &WebDriver, endpoint: &str) -> Result<SavedSession, String> {
    session.goto(endpoint).await.map_err(|e| told(&e))?;
    read(&ask(session, Method::GET, "cookie", None).await?)
}

fn read(cookies: &Value) -> Result<SavedSession, String> {
    let cookies = cookies.as_array().ok_or("it told no list of cookies")?;
    let kept = cookies.iter().filter(|cookie| is_first_party(cookie)).map(|cookie| {
        let mut cookie = cookie.clone();
        // The standard has a name of its own for it.
        if let Some(expiry) = cookie.get("expiry").cloned() {
            cookie["expires"] = expiry;
        }
        SavedCookie::read(&cookie)
    });
    Ok(SavedSession { cookies: kept.collect::<Result<_, _>>()? })
}

/// Whether it is one that a visit to its own site brings along. A partitioned one is kept for one site above it, and a
/// file of cookies has no word for that.
fn is_first_party(cookie: &Value) -> bool {
    let Some(site) = cookie["partitionKey"]["topLevelSite"].as_str() else { return true };
    let Some(host) = url::Url::parse(site).ok().and_then(|url| url.host_str().map(str::to_owned)) else { return false };
    let domain = cookie["domain"].as_str().unwrap_or_default().trim_start_matches('.');
    domain == host || domain.ends_with(&format!(".{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_as_browsers_tell_them() {
        let chromium = json!([
            {"name": "sid", "value": "1", "domain": "as.example", "path": "/", "expires": -1, "size": 4, "httpOnly": true,
             "secure": true, "session": true, "sameSite": "Lax", "priority": "Medium"},
            {"name": "wide", "value": "2", "domain": ".as.example", "path": "/a", "expires": 4102444800.5, "httpOnly": false,
             "secure": false, "session": false},
            {"name": "own", "value": "3", "domain": "login.as.example", "path": "/", "expires": -1,
             "partitionKey": {"topLevelSite": "https://as.example", "hasCrossSiteAncestor": false}},
            {"name": "embedded", "value": "4", "domain": "tracker.example", "path": "/", "expires": -1,
             "partitionKey": {"topLevelSite": "https://as.example", "hasCrossSiteAncestor": true}},
        ]);
        let session = read(&chromium).unwrap();
        let brief = |session: &SavedSession| -> Vec<_> {
            let cookies = session.cookies.iter();
            cookies.map(|c| (c.name.clone(), c.domain.clone(), c.expires, c.http_only, c.same_site.clone())).collect()
        };
        assert_eq!(
            brief(&session),
            [
                ("sid".into(), "as.example".into(), None, true, Some("Lax".into())),
                ("wide".into(), ".as.example".into(), Some(4_102_444_800), false, None),
                ("own".into(), "login.as.example".into(), None, false, None),
            ]
        );
        let firefox = json!([{"name": "sid", "value": "1", "path": "/", "domain": "127.0.0.1", "secure": false,
                              "httpOnly": true, "expiry": 4102444800_u64, "sameSite": "Strict"}]);
        let session = read(&firefox).unwrap();
        assert_eq!(
            brief(&session),
            [("sid".into(), "127.0.0.1".into(), Some(4_102_444_800), true, Some("Strict".into()))]
        );
        assert!(read(&json!([])).unwrap().cookies.is_empty() && read(&json!(null)).is_err());
    }
}

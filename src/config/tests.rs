//! The reader: what it takes, what it complains of and where, and the schema that says the same.

use std::path::Path;

use super::keys::{KEYS, Key, Kind};
use super::*;
use crate::toml_file;

fn parse(text: &str) -> Result<Config, Problem> {
    Config::parse(Path::new("folder/oaudit.toml"), text)
}

/// A file in which every key has its sample.
fn whole() -> String {
    fn write(text: &mut String, heading: &str, keys: &[Key]) {
        for key in keys.iter().filter(|key| !key.sample.is_empty()) {
            text.push_str(&format!("{} = {}\n", key.name, key.sample));
        }
        for key in keys {
            let path = format!("{heading}{}", key.name);
            match key.kind {
                Kind::Table(inner) => {
                    text.push_str(&format!("[{path}]\n"));
                    write(text, &format!("{path}."), inner);
                }
                Kind::Tables(inner) => {
                    text.push_str(&format!("[[{path}]]\n"));
                    write(text, &format!("{path}."), inner);
                }
                _ => {}
            }
        }
    }
    let mut text = String::new();
    write(&mut text, "", KEYS);
    text
}

#[test]
fn every_key_is_read() {
    let config = parse(&whole()).unwrap();
    assert_eq!(config.text("client.secret_env"), Some("OAUDIT_CLIENT_SECRET"));
    assert_eq!(config.text("login.password_file"), Some("folder/password.txt"), "relative to the file");
    assert_eq!(config.texts("checks.dirs"), ["folder/./security/rules"]);
    assert_eq!(config.get("target").unwrap().line, 1);
    assert_eq!(config.thresholds(), Thresholds::default());
    let [route] = config.routes().try_into().unwrap();
    assert_eq!(
        (route.method.as_str(), route.path.as_str(), route.scope.as_str()),
        ("POST", "/api/notes", "notes:write")
    );
    assert_eq!(route.body.as_deref(), Some(r#"{"text": "oaudit"}"#));
    let [page] = config.pages("login.page").try_into().unwrap();
    let script = crate::front::steps::Script::read(&[page]).unwrap();
    assert_eq!((script.pages[0].steps.len(), script.pages[0].deny.len()), (2, 1));
    assert!(config.has("login_b") && !parse("login_b = {}").unwrap().has("login_b"));
    let read = config.values.0.len();
    let listed = keys_in(KEYS);
    assert_eq!(read, listed, "a key was lost");
}

fn keys_in(keys: &[Key]) -> usize {
    let count = |key: &Key| match key.kind {
        Kind::Table(inner) => keys_in(inner),
        _ => 1,
    };
    keys.iter().map(count).sum()
}

#[test]
fn nothing_is_needed() {
    let config = parse("").unwrap();
    assert_eq!(config.thresholds(), Thresholds::default());
    assert!(config.routes().is_empty());
    let one = parse("[limits]\nscopes = 3\n[[resource.route]]\npath = \"/a\"\nscope = \"a\"\n").unwrap();
    assert_eq!((one.thresholds().scopes, one.routes()[0].method.as_str()), (3, "GET"));
}

#[test]
fn every_mistake_stands_on_its_line() {
    for (text, place, what, hint) in [
        ("\ntaget = \"x\"", "2:1", "oaudit.toml has no key taget", "did you mean target?"),
        ("profile = \"chatgtp\"", "1:11", "there is no profile chatgtp", "did you mean chatgpt?"),
        ("mcp_version = 2025-11-25", "1:15", "a string is due here, and this is a datetime", "docs/configuration.md"),
        ("target = \"api.example.com\"", "1:10", "is not a URL", "docs/"),
        ("owner_authorized = \"yes\"", "1:20", "true or false is due here, and this is a string", "docs/"),
        ("[client]\nid = 7", "2:6", "a string is due here, and this is an integer", "docs/"),
        ("[client]\nauth = \"basic\"", "2:8", "there is no auth basic", "there are none, client_secret_basic"),
        ("client = \"abc\"", "1:10", "a table is due here", "docs/"),
        ("[introspection]\nauth = \"none\"", "1:1", "[introspection] needs the key id", "docs/"),
        ("[[resource.route]]\npath = \"/a\"", "1:1", "a [[resource.route]] needs the key scope", "docs/"),
        ("[resource]\nroute = 1", "2:9", "an array is due here", "docs/"),
        ("[[resource.route]]\nmethod = \"get\"\n", "2:10", "there is no method get", "did you mean GET?"),
        ("[limits]\nscopes = 0", "2:10", "this lies between 1 and 10000", "docs/"),
        ("[limits]\nmax_wait = -1", "2:12", "this lies between", "docs/"),
        ("[limits]\nrate = 0.5", "2:8", "a whole number is due here, and this is a float", "docs/"),
        ("[checks]\nselect = \"pkce/*\"", "2:10", "an array is due here", "docs/"),
        ("[checks]\nselect = [\"a/*\", 1]", "2:18", "a string is due here", "docs/"),
        ("[wire]\nproxy = \"nowhere\"", "2:9", "this is no URL", "docs/"),
        ("[wire]\nproxy = \"ftp://x.example\"", "2:9", "begins with http, https or socks5", "docs/"),
        ("[wire]\nresolve = [\"a:b\"]", "2:12", "it is HOST:PORT:ADDR", "docs/"),
        ("[client]\nredirect_uri = \"/callback\"", "2:16", "this is no URI", "docs/"),
        ("[client_confidential]\nauth = \"none\"", "1:1", "[client_confidential] needs the key id", "docs/"),
        ("[client_confidential]\nid = \"x\"\nauth = \"none\"", "3:8", "there is no auth none", "client_secret_basic"),
        ("[introspection]\nid = \"x\"\nauth = \"private_key_jwt\"", "3:8", "there is no auth private_key_jwt", ""),
        ("[login_b]\nagent = \"browser\"", "2:9", "there is no agent browser", "there are auto, form"),
        ("[login]\nagent = \"webdrivr\"", "2:9", "there is no agent webdrivr", "did you mean webdriver?"),
        ("[login]\ncommand = \"'\"", "2:11", "this is no program", "docs/"),
        ("[[login.page]]\nmatch = \"*\"\n", "1:1", "a [[login.page]] needs something to do: steps", "docs/"),
        ("[[login.page]]\nsteps = [{ auto = true }]\n", "1:1", "a [[login.page]] needs the key match", "docs/"),
        ("[[login.page]]\nmatch = \"*\"\nsteps = [{ auto = true }, {}]", "3:27", "it does nothing", "docs/"),
        ("[[login.page]]\nmatch = \"*\"\ndeny = [{ clik = \"x\" }]", "3:11", "a step has no key clik", "mean click?"),
        ("[[login.page]]\nmatch = \"*\"\ndeny = [{ sleep = 100 }]", "3:9", "sleep takes seconds", "docs/"),
        ("[[login_b.page]]\nmatch = \"*\"\ndeny = [{ fill = \"label:x\", with = \"{usr}\" }]", "3:9", "{usr}", "docs/"),
        ("scope = \" \"", "1:9", "this is empty", "docs/"),
        ("x = ", "1:5", "", "docs/"),
    ] {
        let problem = parse(text).map(|_| ()).expect_err(text);
        assert!(problem.to_string().contains(&format!("folder/oaudit.toml:{place}\n")), "{text}\n{problem}");
        assert!(problem.to_string().starts_with(what) || problem.to_string().contains(what), "{text}\n{problem}");
        assert!(problem.hint().contains(hint), "{text}\n{}", problem.hint());
    }
}

#[test]
fn a_secret_is_refused_and_never_shown() {
    for (text, hint) in [
        ("[client]\nsecret = \"hunter2\"", "secret_env"),
        ("[client]\nclient_secret = \"hunter2\"", "secret_env"),
        ("[introspection]\nid = \"x\"\nSecret = \"hunter2\"", "secret_env"),
        ("[login]\npassword = \"hunter2\"", "password_env"),
        ("login = { username = \"a\", password = \"hunter2\" }", "password_env"),
        ("access_token = \"hunter2\"", "OAUDIT_ACCESS_TOKEN"),
        ("[wire]\nproxy = \"http://u:hunter2@proxy.example\"", "HTTPS_PROXY"),
        ("target = \"https://u:hunter2@api.example/\"", "OAUDIT_HEADERS"),
        ("[login]\nwebdriver_url = \"https://u:hunter2@grid.example/\"", "OAUDIT_WEBDRIVER_URL"),
        ("target = \"https://u:hunter2@api.example:x/\"", "docs/"),
        ("target = https://u:hunter2@api.example/", ""),
        ("[wire]\nproxy = \"http://u:hunter2@proxy.example:x\"", "docs/"),
        ("[login]\ntotp_secret = \"hunter2\"", "totp_env"),
        ("[client]\nkey = \"hunter2\"", "key_file"),
        ("[[login.page]]\nmatch = \"*\"\nsteps = [{ fill = \"label:Password\", with = \"hunter2\" }]", "{password}"),
        ("[[login.page]]\nmatch = \"*\"\nsteps = [{ fil = \"label:x\", with = \"hunter2\" }]", "did you mean fill?"),
        ("[[login.page]]\nmatch = \"*\"\nsteps = [{ fill = \"no:x\", with = \"hunter2\" }]", ""),
        // Neither where it is called otherwise, nor where the file cannot be read.
        ("[login]\npasswort = \"hunter2\"", "did you mean password_"),
        ("[login]\npassword = hunter2", ""),
        ("[client]\nsecret_env = \"hunter2!\"", "OAUDIT_CLIENT_SECRET"),
        ("[client]\nsecret_env = [\"hunter2\"]", ""),
        ("[login]\ntotp_env = hunter2", ""),
        ("[login]\ncommand = \"sh -c 'x hunter2\"", ""),
        ("[client]\nkey_file = \"\"\"hunter2\nhunter2\"\"\"", ""),
        ("[client]\nkey_file = \"\"\"\nMIIE\nhunter2\u{1}\"\"\"", ""),
        // Nor beside another mistake on the same line.
        ("client = { secret_env = \"hunter2\", auth = \"bogus\" }", "there are none"),
        ("client = { auth = \"bogus\", secret_env = \"hunter2\" }", "there are none"),
        ("login = { password_env = \"hunter2\", agnt = \"form\" }", "did you mean agent?"),
        ("login = { totp = \"hunter2\", password = \"x\" }", "password_env"),
    ] {
        let problem = parse(text).map(|_| ()).expect_err(text);
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
        assert!(problem.hint().contains(hint), "{text}: {}", problem.hint());
    }
}

/// The file as a schema sees it.
fn json(text: &str) -> serde_json::Value {
    let parsed = toml_file::parse(text).unwrap();
    toml_file::Table::open("a file", parsed.get_ref(), 0..0).json().unwrap()
}

#[test]
fn the_schema_takes_what_the_reader_takes() {
    let validator = jsonschema::validator_for(&schema::schema()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&json(&whole())).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    for text in [
        "taget = \"x\"",
        "profile = \"chatgtp\"",
        "target = \"api.example.com\"",
        "scope = \" \"",
        "[client]\nsecret = \"hunter2\"",
        "[introspection]\nauth = \"none\"",
        "[limits]\nscopes = 0",
        "[limits]\nrate = 0.5",
        "[wire]\nproxy = \"http://u:p@proxy.example\"",
        "[[resource.route]]\npath = \"/a\"",
        "[client]\nsecret_env = \"hunter2!\"",
        "target = \"https://u:p@api.example/\"",
        "[[login.page]]\nmatch = \"*\"\nsteps = [{ clik = \"x\" }]",
        "[login_b]\nagent = \"token\"",
    ] {
        assert!(parse(text).is_err() && !validator.is_valid(&json(text)), "{text}");
    }
}

#[test]
fn the_published_schema_is_true() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/config.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, schema::text()).unwrap();
    }
    let stands = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stands == schema::text(), "schemas/config.json is out of date: run `UPDATE=1 cargo test --lib config::`");
}

/// Every key is described, in its table.
#[test]
fn every_key_is_documented() {
    let page = include_str!("../../docs/configuration.md");
    fn each(page: &str, keys: &[Key]) {
        for key in keys {
            match key.kind {
                Kind::Table(inner) => {
                    assert!(page.contains(&format!("[{}]", key.name)), "[{}]", key.name);
                    each(page, inner);
                }
                Kind::Tables(inner) => each(page, inner),
                _ => assert!(page.contains(&format!("| `{}`", key.name)), "{}", key.name),
            }
        }
    }
    each(page, KEYS);
}

proptest::proptest! {
    #[test]
    fn no_text_panics_the_reader(text in ".{0,200}") {
        let _ = parse(&text).map_err(|problem| problem.to_string());
    }

    #[test]
    fn no_spoiled_file_panics_the_reader(at in 0..2000usize, piece in "[\\[\\]{}\"'=,.#\n a-z_0-9é]{0,12}") {
        let whole = whole();
        let at = at % whole.len();
        let text = format!("{}{piece}{}", &whole[..at], &whole[at..]);
        let _ = parse(&text).map_err(|problem| problem.to_string());
    }
}

//! Session files: their form, who may read them, and what is said of files that are none.

use serde_json::json;

use super::*;

fn session() -> SavedSession {
    SavedSession::of(&json!({"cookies": [
        {"name": "sid", "value": "s3cr3t-value", "domain": "as.example", "path": "/", "expires": -1,
         "httpOnly": true, "secure": true, "sameSite": "Lax"},
        {"name": "seen", "value": "1", "url": "https://login.example/x", "expires": 32503680000.5},
    ], "origins": [{"origin": "https://as.example", "localStorage": []}]}))
    .unwrap()
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.json");
    let mut file = SessionFile::make(&path).unwrap();
    file.write(&session()).unwrap();
    let read = SavedSession::load(&path).unwrap();
    assert_eq!(read.cookies.len(), 2);
    assert_eq!(read.cookies[0].value.expose(), "s3cr3t-value");
    assert_eq!((read.cookies[0].expires, read.cookies[1].expires), (None, Some(32_503_680_000)));
    assert_eq!(read.cookies[1].domain, "login.example");
    assert!(!format!("{read:?}").contains("s3cr3t"));
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.json");
    std::fs::write(&path, "old").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(SessionFile::make(&path).unwrap());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old", "a sign-in that failed destroys nothing");
    SessionFile::make(&path).unwrap().write(&session()).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
    assert!(SessionFile::make(&path).unwrap_err().to_string().contains("symbolic link"));
}

#[test]
fn what_is_no_session_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    for (text, says) in [
        ("hello", "it is not JSON"),
        ("{}", "no list of cookies"),
        (r#"{"cookies": []}"#, "is empty"),
        (r#"[{"name": "sid", "domain": "a"}]"#, "the cookie sid lacks name or value"),
        (r#"[{"name": "sid", "value": "x"}]"#, "names neither domain nor url"),
        (r#"[{"name": "sid", "value": "x", "domain": "a", "expires": 1}]"#, "every cookie in it has expired"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = SavedSession::load(&path).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
    assert!(SavedSession::load(&folder.path().join("none")).unwrap_err().to_string().contains("cannot be read"));
}

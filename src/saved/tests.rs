//! What a folder is read as, and what is said of one that cannot be read.

use super::*;

const SERVER_JSON: &str = r#"{"issuer": "https://as.example/t", "jwks_uri": "https://as.example/oauth/keys"}"#;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn read(files: &[(&str, &str)]) -> Result<Saved, SavedError> {
    Saved::read(folder(files).path(), None, None)
}

fn file(document: Option<&Document>) -> &str {
    document.map_or("", |document| document.file.as_str())
}

#[test]
fn flat_files_and_a_tree_are_found() {
    let flat = read(&[
        ("oauth-protected-resource.json", "{}"),
        ("openid-configuration", "{}"),
        ("jwks.json", "{}"),
        ("package.json", "{}"),
        ("oauth-authorisation-server.json", "{}"),
    ])
    .unwrap();
    assert_eq!(file(flat.resource.as_ref()), "oauth-protected-resource.json");
    assert_eq!(file(flat.metadata()), "openid-configuration");
    assert_eq!(file(flat.jwks.as_ref()), "jwks.json");
    assert_eq!(flat.others, ["oauth-authorisation-server.json"]);

    let tree = read(&[
        (".well-known/oauth-protected-resource/v1/mcp", "{}"),
        (".well-known/oauth-authorization-server/t.json", SERVER_JSON),
        ("oauth/keys", r#"{"keys": []}"#),
    ])
    .unwrap();
    assert_eq!(file(tree.resource.as_ref()), ".well-known/oauth-protected-resource/v1/mcp");
    assert_eq!(file(tree.metadata()), ".well-known/oauth-authorization-server/t.json");
    assert_eq!(file(tree.jwks.as_ref()), "oauth/keys");
}

#[test]
fn of_several_documents_the_path_of_the_target_chooses() {
    let several = [
        (".well-known/oauth-protected-resource/a/mcp.json", r#"{"resource": "a"}"#),
        (".well-known/oauth-protected-resource/b/mcp.json", r#"{"resource": "b"}"#),
    ];
    let error = read(&several).unwrap_err();
    assert!(error.to_string().contains("a/mcp.json, .well-known/oauth-protected-resource/b/mcp.json"), "{error}");
    let folder = folder(&several);
    let chosen = Saved::read(folder.path(), Some("https://api.example/b/mcp"), None).unwrap();
    assert_eq!(chosen.resource.unwrap().json["resource"], "b");
}

#[test]
fn a_folder_that_cannot_be_read_is_a_clear_error() {
    let missing = Saved::read(Path::new("/no/such/folder"), None, None).unwrap_err();
    assert_eq!(missing.to_string(), "/no/such/folder is no folder");
    let nothing = read(&[("oauth-protected-ressource.json", "{}")]).unwrap_err().to_string();
    assert!(nothing.contains("holds no document") && nothing.contains("; oauth-protected-ressource.json is none"));
    let broken = read(&[("jwks.json", "{\n  \"keys\": [,]\n}")]).unwrap_err().to_string();
    assert!(broken.ends_with("jwks.json:2:12: expected value"), "{broken}");
    let empty = read(&[("jwks.json", "")]).unwrap_err().to_string();
    assert!(empty.ends_with("jwks.json:1:1: EOF while parsing a value"), "{empty}");
    let list = read(&[("oauth-authorization-server.json", "[]")]).unwrap_err().to_string();
    assert!(list.ends_with("oauth-authorization-server.json is an array; a document is a JSON object"), "{list}");
}

#[test]
fn what_was_asked_for_is_kept_beside_the_documents() {
    let saved = read(&[
        ("discovered.json", r#"{"resource": "https://api.example/mcp", "issuer": "https://as.example"}"#),
        ("oauth-protected-resource.json", r#"{"authorization_servers": ["https://other.example"]}"#),
    ])
    .unwrap();
    assert_eq!(saved.asked_resource.as_deref(), Some("https://api.example/mcp"));
    assert_eq!(saved.asked_issuer.as_deref(), Some("https://as.example"));
    assert_eq!(saved.issuer_of_resource(), Some("https://other.example"));
    assert!(saved.others.is_empty());
}

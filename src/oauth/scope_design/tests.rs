//! Schemes that are in use are not called wrong, and each mistake is found alone.

use super::*;

fn remarks(scopes: &[&str]) -> Vec<Remark> {
    let advertised = Advertised { scopes: scopes.to_vec(), by_default: Vec::new() };
    judge(&advertised, Limits { count: 25, omnibus: &[] })
}

fn broken(scopes: &[&str]) -> Vec<(Rule, String)> {
    remarks(scopes).into_iter().map(|r| (r.rule, r.scope)).collect()
}

fn one(scopes: &[&str]) -> (Rule, String, Option<String>) {
    match <[Remark; 1]>::try_from(remarks(scopes)) {
        Ok([r]) => (r.rule, r.scope, r.better),
        Err(other) => panic!("{scopes:?}: {other:?}"),
    }
}

#[test]
fn schemes_in_use_are_not_called_wrong() {
    for scopes in [
        &["notes:read", "notes:write"][..],
        &["mcp:tools"],
        &["read:notes", "write:notes", "openid", "offline_access"],
        // Google.
        &[
            "https://www.googleapis.com/auth/calendar",
            "https://www.googleapis.com/auth/calendar.readonly",
            "https://www.googleapis.com/auth/calendar.events.owned.readonly",
            "https://www.googleapis.com/auth/admin.directory.user.readonly",
            "https://mail.google.com/",
            "openid",
            "email",
        ],
        // Microsoft.
        &["User.Read", "Files.Read.All", "Files.ReadWrite.All", "Mail.Send", "offline_access"],
        &["api://8a6f0c2e-1111-2222-3333-444455556666/Files.Read.All", "https://graph.microsoft.com/User.Read"],
        &["api://8a6f0c2e-1111-2222-3333-444455556666/access_as_user"],
        // GitHub.
        &[
            "repo",
            "repo:status",
            "public_repo",
            "read:org",
            "write:org",
            "admin:org",
            "read:packages",
            "write:packages",
            "user:email",
            "gist",
        ],
        // Slack.
        &[
            "channels:history",
            "channels:read",
            "users:read.email",
            "users:read",
            "files:read",
            "files:write",
            "admin.users:read",
        ],
        // URNs.
        &["urn:example:notes:read", "urn:example:notes:write"],
        // Amazon Cognito, Okta, Shopify, Discord.
        &["notes-api/notes.read", "notes-api/notes.write"],
        &["okta.users.read", "okta.users.manage", "okta.apiTokens.read"],
        &["read_products", "write_products"],
        &["identify", "guilds", "guilds.join", "messages.read"],
    ] {
        assert_eq!(broken(scopes), [], "{scopes:?}");
    }
}

#[test]
fn what_is_no_scope_is_named() {
    let better = Some("2 entries: notes:read, notes:write".to_owned());
    assert_eq!(one(&["notes:read notes:write"]), (Rule::WellFormed, "notes:read notes:write".into(), better.clone()));
    assert_eq!(one(&["notes:read,notes:write"]), (Rule::OneEach, "notes:read,notes:write".into(), better));
    for scope in ["", "\"notes:read\"", "notes\\read", "nötes:read", "a\tb"] {
        assert_eq!(one(&[scope, "notes:read"]).0, Rule::WellFormed, "{scope}");
    }
}

#[test]
fn a_scope_for_everything_is_found() {
    for scope in
        ["*", "all", "admin:all", "api:access", "user:data", "full_access", "root", "notes:*", "https://x/*", "API"]
    {
        let (rule, _, better) = one(&[scope, "notes:read"]);
        assert_eq!(rule, Rule::Granular, "{scope}");
        assert!(better.unwrap().ends_with("notes:read and notes:write"));
    }
    let advertised = Advertised { scopes: vec!["vault:everything", "a:read"], by_default: vec![] };
    let own = ["vault:everything".to_owned()];
    assert_eq!(judge(&advertised, Limits { count: 25, omnibus: &own })[0].rule, Rule::Granular);
    assert!(!is_omnibus("Files.Read.All", &[]) && !is_omnibus("mcp", &[]));
}

#[test]
fn the_odd_one_out_gets_a_better_name() {
    for (scopes, odd, better) in [
        (&["notes:read", "notes:write", "files.read"][..], "files.read", "files:read"),
        (&["read:notes", "write:notes", "files:read"], "files:read", "read:files"),
        (&["notes:read", "notes:write", "read:files"], "read:files", "files:read"),
        (&["notes:read", "notes:write", "read_files"], "read_files", "files:read"),
        (&["notes.read", "notes.write", "Files.Read"], "Files.Read", "files.read"),
        (
            &["notes:read", "notes:write", "https://x.example/auth/files.readonly"],
            "https://x.example/auth/files.readonly",
            "files:read",
        ),
        (&["notes:read", "Files:Read"], "Files:Read", "files:read"),
        (&["notes:read", "app:crm:contacts:read"], "app:crm:contacts:read", "app:crm-contacts:read"),
    ] {
        assert_eq!(one(scopes), (Rule::ConsistentNaming, odd.into(), Some(better.into())), "{scopes:?}");
    }
}

#[test]
fn what_may_be_written_may_be_only_read() {
    for (scopes, scope, better) in [
        (&["notes:read", "notes:write", "files:write"][..], "files:write", "add files:read"),
        (&["User.Read", "Files.ReadWrite.All"], "Files.ReadWrite.All", "add Files.Read.All"),
        (&["read:a", "delete:b", "update:b"], "delete:b", "add read:b"),
        (&["urn:example:notes:manage"], "urn:example:notes:manage", "add urn:example:notes:read"),
    ] {
        assert_eq!(one(scopes), (Rule::ReadWriteSeparated, scope.into(), Some(better.into())), "{scopes:?}");
    }
    assert_eq!(broken(&["Mail.Send", "messages.send"]).len(), 1, "the style alone");
}

#[test]
fn administration_stands_apart() {
    assert_eq!(
        one(&["notes:read", "notes:admin"]),
        (Rule::AdminSeparated, "notes:admin".into(), Some("admin:notes".into()))
    );
    let advertised =
        Advertised { scopes: vec!["notes:read", "admin:notes"], by_default: vec!["notes:read", "admin:notes"] };
    let found = judge(&advertised, Limits { count: 25, omnibus: &[] });
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].rule, found[0].scope.as_str()), (Rule::AdminSeparated, "admin:notes"));
}

#[test]
fn neither_too_many_nor_one_for_everything() {
    let many: Vec<String> = (0..26).map(|n| format!("topic{n}:read")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(one(&many).0, Rule::ManageableCount);
    assert_eq!(broken(&many[..25]), []);
    assert_eq!(one(&["openid", "mcp"]), (Rule::ManageableCount, "mcp".into(), Some("mcp:read and mcp:write".into())));
    assert_eq!(broken(&["openid", "profile"]), []);
}

//! The sound resource: which requests get in, and the MCP endpoint behind the door.

use crate::visitor::{Answer, JSON, Visitor, visit};

#[tokio::test]
async fn the_resource_turns_away_what_is_no_good_token() {
    let mut visitor = visit(&[], &[]).await;
    let (_, access, refresh) = visitor.tokens(&[]).await;
    let anonymous = visitor.mcp("", "tools/call").await;
    assert_eq!(anonymous.status, 401);
    let challenge = anonymous.header("www-authenticate");
    let metadata = visitor.url("/.well-known/oauth-protected-resource/mcp");
    assert!(challenge.starts_with(&format!("Bearer resource_metadata=\"{metadata}\"")));
    assert!(!challenge.contains("error"));
    let long = format!("Bearer {}", "A".repeat(16 * 1024));
    let dots = format!("Bearer {}", ".".repeat(10_000));
    let two = format!("Bearer {access}, Bearer {access}");
    for (authorization, says_why) in [
        ("Bearer", false),
        ("Basic YTpi", false),
        ("Bearer foo", true),
        ("Bearer a.b.c", true),
        (&format!("Bearer {refresh}"), true),
        (&two, true),
        (&long, true),
        (&dots, true),
        ("Bearer ü", true),
    ] {
        let answer = visitor.mcp(authorization, "tools/call").await;
        assert_eq!(answer.status, 401, "{authorization}");
        let said = answer.header("www-authenticate").contains("invalid_token");
        assert_eq!(said, says_why, "{authorization}");
    }
    let query = format!("{}?access_token={access}", visitor.lab.mcp());
    assert_eq!(visitor.send("POST", &query, &[JSON], b"{}".to_vec()).await.status, 401);
    assert_eq!(visitor.works(&access).await, 200);
}

#[tokio::test]
async fn a_missing_scope_is_403_and_says_which() {
    let mut visitor = visit(&[], &[]).await;
    let api = visitor.lab.api();
    let code = visitor.code(&[("scope", "notes:read"), ("resource", &api)]).await;
    let granted = visitor.redeem(&code).await.json();
    let bearer = format!("Bearer {}", granted["access_token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str()), JSON];
    let answer = visitor.send("POST", &api, &headers, b"{\"text\":\"x\"}".to_vec()).await;
    assert_eq!(answer.status, 403);
    let challenge = answer.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_scope\", scope=\"notes:write\""));
    assert!(challenge.contains("resource_metadata="));
}

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_notes"}}"#;

async fn post(visitor: &mut Visitor, token: &str, more: &[(&str, &str)], body: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("authorization", bearer.as_str()), JSON, ("accept", "application/json, text/event-stream")];
    headers.extend(more);
    let url = visitor.lab.mcp();
    visitor.send("POST", &url, &headers, body.as_bytes().to_vec()).await
}

#[tokio::test]
async fn an_mcp_session_belongs_to_its_user() {
    let mut visitor = visit(&[], &[]).await;
    let (_, alice, _) = visitor.tokens(&[]).await;
    visitor.cookies.clear();
    visitor.user = ("bob", "looking-glass");
    let (_, bob, _) = visitor.tokens(&[]).await;
    let begin = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#;
    let answer = post(&mut visitor, &alice, &[], begin).await;
    assert_eq!(answer.json()["result"]["protocolVersion"], "2025-06-18");
    let id = answer.header("mcp-session-id").to_owned();
    let session = [("mcp-session-id", id.as_str())];
    let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(post(&mut visitor, &alice, &session, ready).await.status, 202);
    let call = post(&mut visitor, &alice, &session, CALL).await;
    assert_eq!(call.json()["result"]["content"][0]["text"], "The first note of alice");
    assert_eq!(post(&mut visitor, &bob, &session, CALL).await.status, 404);
    let url = visitor.lab.mcp();
    assert_eq!(visitor.send("POST", &url, &session, Vec::new()).await.status, 401);
    for (token, first, second) in [(&bob, 404, 404), (&alice, 204, 404)] {
        for status in [first, second] {
            let bearer = format!("Bearer {token}");
            let headers = [("authorization", bearer.as_str()), session[0]];
            let answer = visitor.send("DELETE", &url, &headers, Vec::new()).await;
            assert_eq!(answer.status, status);
        }
    }
    assert_eq!(post(&mut visitor, &alice, &session, CALL).await.status, 404);
}

#[tokio::test]
async fn mcp_requests_are_judged_by_their_headers() {
    let mut visitor = visit(&[], &[]).await;
    let (_, token, _) = visitor.tokens(&[]).await;
    let stateless = ("mcp-protocol-version", "2026-07-28");
    for (headers, status) in [
        (vec![], 200),
        (vec![("mcp-protocol-version", "2025-11-25")], 200),
        (vec![("mcp-protocol-version", "1999-01-01")], 400),
        (vec![stateless], 400),
        (vec![stateless, ("mcp-method", "tools/list")], 400),
        (vec![stateless, ("mcp-method", "tools/call")], 200),
        (vec![stateless, ("mcp-method", "tools/call"), ("mcp-name", "x")], 400),
        (vec![("origin", "https://evil.test")], 403),
        (vec![("origin", "null")], 403),
    ] {
        let answer = post(&mut visitor, &token, &headers, CALL).await;
        assert_eq!(answer.status, status, "{headers:?}");
    }
    let own = visitor.lab.issuer();
    assert_eq!(post(&mut visitor, &token, &[("origin", &own)], CALL).await.status, 200);
    let other = CALL.replace("list_notes", "other");
    let unknown = post(&mut visitor, &token, &[], &other).await;
    assert_eq!((unknown.status, unknown.json()["error"]["code"].as_i64()), (200, Some(-32602)));
    assert_eq!(post(&mut visitor, &token, &[], "{").await.status, 400);
    let bearer = format!("Bearer {token}");
    let url = visitor.lab.mcp();
    let picky = [("authorization", bearer.as_str()), JSON, ("accept", "text/html")];
    let answer = visitor.send("POST", &url, &picky, CALL.as_bytes().to_vec()).await;
    assert_eq!(answer.status, 406);
    assert_eq!(visitor.send("GET", &url, &picky[..1], Vec::new()).await.status, 405);
    assert_eq!(visitor.send("GET", &url, &[], Vec::new()).await.status, 401);
}

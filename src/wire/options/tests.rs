//! Proxies, certificates and addresses against servers that tell what they saw.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::wire::pace::CLEAN_UP;
use crate::wire::{Request, Wire};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

async fn answered(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
    let mut heard = vec![0; 8192];
    let n = stream.read(&mut heard).await.unwrap_or(0);
    let _ = stream.write_all(ANSWER).await;
    let _ = stream.shutdown().await;
    String::from_utf8_lossy(&heard[..n]).to_lowercase()
}

/// A server, its port, and what it hears.
async fn listening() -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = tell.send(answered(stream).await);
        }
    });
    (port, told)
}

fn at(text: &str) -> Resolved {
    text.parse().unwrap()
}

#[test]
fn an_address_is_given_for_a_port_of_a_host() {
    let v4 = at("API.example.com:443:10.0.0.7");
    assert_eq!((v4.host.as_str(), v4.address.to_string().as_str()), ("api.example.com", "10.0.0.7:443"));
    assert_eq!(at("a.example:8443:[::1]").address, at("a.example:8443:::1").address);
    for wrong in ["a.example", "a.example:443", "a.example:https:10.0.0.7", "a.example:443:b.example", ":1:::1"] {
        assert!(wrong.parse::<Resolved>().is_err(), "{wrong}");
    }
    let options = WireOptions { resolve: vec![v4.clone()], ..WireOptions::default() };
    let of = |url: &str| options.resolved(&Url::parse(url).unwrap());
    assert_eq!(of("https://api.example.com/x"), Some(v4.address));
    assert_eq!(of("http://api.example.com/x"), None, "another port");
}

#[tokio::test]
async fn a_host_is_where_the_user_says() {
    let (port, mut told) = listening().await;
    let resolve = vec![at(&format!("api.oaudit.invalid:{port}:127.0.0.1"))];
    // The guard does not stand in the way: the user named the address.
    let wire = Wire::open(WireOptions { resolve, ..WireOptions::default() }).unwrap();
    let url = format!("http://api.oaudit.invalid:{port}/x");
    assert_eq!(wire.send(Request::get(url.clone())).await.unwrap().status, 200);
    let heard = told.recv().await.unwrap();
    assert!(heard.contains(&format!("host: api.oaudit.invalid:{port}")), "{heard}");
    assert!(matches!(wire.ask_plainly(&url, &url).await, Ok(crate::wire::plain::Plain::Answered(_))));
    let other = wire.send(Request::get("http://api.oaudit.invalid:1/")).await.unwrap_err();
    assert_ne!(other.kind, TroubleKind::Refused, "{other}");
}

#[tokio::test]
async fn a_proxy_gets_every_request() {
    let (port, mut told) = listening().await;
    let proxy = Some(format!("http://user:hunter2@localhost:{port}"));
    let guard = Guard::default().naming("http://127.0.0.1:9/");
    let options = WireOptions { proxy, guard, ..WireOptions::default() };
    assert_eq!(options.remarks(), [format!("requests went through the proxy localhost:{port}")]);
    let wire = Wire::open(options).unwrap();
    for url in ["http://127.0.0.1:9/mcp", "http://api.oaudit.invalid/mcp"] {
        assert_eq!(wire.send(Request::get(url)).await.unwrap().status, 200);
        let heard = told.recv().await.unwrap();
        assert!(heard.starts_with(&format!("get {url} http/1.1")) && heard.contains("proxy-authorization: basic"));
        assert!(wire.is_proxied(url));
    }
    assert!(!serde_json::to_string(&wire.ledger().all()).unwrap().contains("hunter2"));
}

/// On every way out, a name is judged by the address that is then gone to.
#[tokio::test]
async fn a_name_of_this_machine_is_closed_to_a_target_elsewhere() {
    let (port, mut told) = listening().await;
    let guard = Guard::default().naming("https://api.example.com/mcp");
    let wire = Wire::open(WireOptions { guard, ..WireOptions::default() }).unwrap();
    let (plain, https) = (format!("http://localhost:{port}/"), format!("https://localhost:{port}/"));
    for url in [&plain, &https] {
        assert_eq!(wire.send(Request::get(url.clone())).await.unwrap_err().kind, TroubleKind::Guarded, "{url}");
        let together = wire.send_together(vec![Request::get(url.clone()); 2]).await;
        assert!(together.iter().all(|answer| answer.as_ref().is_err_and(|t| t.kind == TroubleKind::Guarded)), "{url}");
    }
    assert!(wire.ask_plainly(&plain, &https).await.is_err_and(|trouble| trouble.kind == TroubleKind::Guarded));
    assert!(wire.shake_hands(&https).await.is_err());
    assert!(told.try_recv().is_err(), "nobody came");
}

/// A proxy on this machine does not open the machine to a target elsewhere.
#[tokio::test]
async fn a_proxy_opens_nothing_else() {
    // It would resolve a name of this machine for the target.
    let (port, mut told) = listening().await;
    let options = WireOptions { proxy: Some(format!("http://localhost:{port}")), ..WireOptions::default() };
    let wire = Wire::open(options).unwrap();
    for url in [format!("http://localhost:{port}/"), "http://localhost.:9/".into(), "https://x.localhost/".into()] {
        assert_eq!(wire.send(Request::get(url.clone())).await.unwrap_err().kind, TroubleKind::Guarded, "{url}");
    }
    assert!(told.try_recv().is_err(), "nobody came");
    let options = WireOptions { proxy: Some("http://localhost:9".into()), ..WireOptions::default() };
    let wire = Wire::open(options).unwrap();
    let trouble = wire.send(Request::get("http://127.0.0.1:9/")).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Guarded);
}

#[tokio::test]
async fn a_budget_is_kept_by_all_but_the_clean_up() {
    let (port, _told) = listening().await;
    let url = format!("http://127.0.0.1:{port}/");
    let limits = Limits { requests: Some(2), ..Limits::default() };
    let wire =
        Wire::open(WireOptions { limits, guard: Guard::default().naming(&url), ..WireOptions::default() }).unwrap();
    let send = |wire: Wire| {
        let request = Request::get(url.clone());
        async move { wire.send(request).await.map(|reply| reply.status).map_err(|trouble| trouble.kind) }
    };
    assert_eq!(send(wire.clone()).await, Ok(200));
    let together = wire.send_together(vec![Request::get(url.clone()), Request::get(url.clone())]).await;
    assert!(together.iter().all(|answer| answer.as_ref().is_err_and(|t| t.kind == TroubleKind::OverBudget)));
    assert_eq!(send(wire.stamped("pkce/required")).await, Ok(200));
    assert_eq!(send(wire.clone()).await, Err(TroubleKind::OverBudget));
    assert_eq!(send(wire.stamped(CLEAN_UP)).await, Ok(200));
    assert_eq!((wire.sent(), wire.ledger().all().len()), (3, 3));
}

/// An https server that wants to see a certificate, its authority, and a certificate with its key that will do.
async fn demanding() -> (u16, Vec<u8>, Vec<u8>) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let key = KeyPair::generate().unwrap();
    let ca = authority.self_signed(&key).unwrap();
    let issuer = Issuer::new(authority, key);
    let (own_key, client_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&own_key, &issuer).unwrap();
    let client = CertificateParams::new(vec!["us".to_owned()]).unwrap().signed_by(&client_key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![own.der().clone()],
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own_key.serialize_der())),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                answered(stream).await;
            }
        }
    });
    let identity = format!("{}{}", client.pem(), client_key.serialize_pem());
    (port, ca.pem().into_bytes(), identity.into_bytes())
}

#[tokio::test]
async fn a_server_that_asks_is_shown_the_certificate() {
    let (port, authority, identity) = demanding().await;
    let url = format!("https://localhost:{port}/");
    let options =
        WireOptions { guard: Guard::default().naming(&url), authorities: vec![authority], ..WireOptions::default() };
    let without = Wire::open(options.clone()).unwrap();
    assert!(without.send(Request::get(url.clone())).await.is_err());
    let with = Wire::open(WireOptions { identity: Some(identity), ..options.clone() }).unwrap();
    assert_eq!(with.send(Request::get(url.clone())).await.unwrap().status, 200);
    assert!(with.shake_hands(&url).await.is_ok());
    let wrong = Wire::open(WireOptions { identity: Some(b"no PEM".to_vec()), ..options }).unwrap_err();
    assert!(wrong.why.contains("client certificate"), "{wrong}");
}

//! Servers over TLS that mean harm before a request can be sent.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{Ended, MOST_MEMORY, audited_at};

/// What is done with the connection.
#[derive(Clone)]
enum Deed {
    /// A handshake as it should be, with this many certificates.
    Chain(TlsAcceptor),
    /// A server hello that is announced as 1 MiB, and comes.
    Large,
    /// Nothing.
    Silent,
}

fn chain_of(length: usize) -> Deed {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the versions are known")
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone(); length], key)
        .expect("the key is that of the certificate");
    Deed::Chain(TlsAcceptor::from(Arc::new(config)))
}

async fn does(mut stream: TcpStream, deed: Deed) {
    match deed {
        Deed::Chain(acceptor) => drop(acceptor.accept(stream).await),
        Deed::Large => {
            let mut hello = [0; 2048];
            let _ = stream.read(&mut hello).await;
            let record = [b"\x16\x03\x03\x40\x00".as_slice(), &[0; 0x4000]].concat();
            let first = [b"\x16\x03\x03\x40\x00\x02\x10\x00\x00\x03\x03".as_slice(), &[0; 0x4000 - 6]].concat();
            let mut written = stream.write_all(&first).await;
            for _ in 0..64 {
                if written.is_ok() {
                    written = stream.write_all(&record).await;
                }
            }
        }
        Deed::Silent => tokio::time::sleep(Duration::from_secs(60)).await,
    }
}

async fn audited(deed: Deed) -> Ended {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(does(stream, deed.clone()));
        }
    });
    let ended = audited_at(&format!("https://localhost:{port}/mcp"), &[]).await;
    task.abort();
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_end_in_time_with_a_code_and_a_message() {
    for (name, deed, says) in [
        ("a chain of 100 certificates", chain_of(100), "TLS with localhost failed"),
        ("a chain of 1,000 certificates", chain_of(1_000), "TLS with localhost failed"),
        ("a handshake of 1 MiB", Deed::Large, "TLS with localhost failed"),
        ("no handshake", Deed::Silent, "gave no answer"),
    ] {
        let ended = audited(deed).await;
        let said = ended.said();
        assert_eq!(ended.code, Some(4), "{name}: {said}\n{}", ended.stderr);
        assert!(said.contains(says), "{name}: {said}");
        assert!(ended.peak <= MOST_MEMORY && !ended.stderr.contains("panicked"), "{name}: {} B", ended.peak);
    }
}

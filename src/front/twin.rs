//! The other loopback address: brings what arrives on `[::1]` to the listener on 127.0.0.1.
//!
//! A redirect URI may name `[::1]`, or `localhost`, which some browsers take for that first (RFC 8252 section 7.3).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, copy};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

/// Connections at a time. The listener closes those that say nothing, so there are places again.
const MOST: usize = 100;

/// Forwards until it is dropped.
#[derive(Debug)]
pub struct Twin(JoinHandle<()>);

impl Twin {
    /// Listens on `[::1]` at this port and forwards to 127.0.0.1 at the same. Needs a runtime around it.
    ///
    /// # Errors
    /// The port is taken there, or this machine has no IPv6.
    pub fn of(port: u16) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv6Addr::LOCALHOST, port))?;
        socket.set_nonblocking(true)?;
        let socket = tokio::net::TcpListener::from_std(socket)?;
        Ok(Self(tokio::spawn(async move {
            let mut under_way = JoinSet::new();
            loop {
                tokio::select! {
                    Some(_) = under_way.join_next() => {}
                    accepted = socket.accept(), if under_way.len() < MOST => match accepted {
                        Ok((here, _)) => _ = under_way.spawn(forward(here, port)),
                        // No file is left for it, or it is gone already; the next may fare better.
                        Err(_) => sleep(Duration::from_millis(20)).await,
                    },
                }
            }
        })))
    }
}

/// Until the listener has said all. A connection that breaks is the browser's to open again.
async fn forward(mut here: TcpStream, port: u16) {
    let Ok(mut there) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else { return };
    let ((mut asks, mut hears), (mut answers, mut is_asked)) = (here.split(), there.split());
    let asking = async {
        let _ = copy(&mut asks, &mut is_asked).await;
        let _ = is_asked.shutdown().await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = copy(&mut answers, &mut hears) => {}
        () = asking => {}
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::front::SignIn;
    use crate::front::listener::Listener;

    #[tokio::test]
    async fn the_listener_is_reached_by_its_other_address() {
        let listener = Listener::bind(None).unwrap();
        let port = listener.port();
        // A machine without IPv6 has no such address.
        let Ok(_twin) = Twin::of(port) else { return };
        let mut stream = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: [::1]:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    #[tokio::test]
    async fn the_port_of_codes_can_be_chosen() {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let at = |port| SignIn { callback_port: Some(port), ..SignIn::default() };
        let listening = at(free).listen(None).unwrap();
        assert_eq!(listening.redirect_uri(), format!("http://127.0.0.1:{free}/callback"));
        let holds = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let free = holds.local_addr().unwrap().port();
        let taken = at(free).listen(None).err().unwrap().to_string();
        assert!(taken.starts_with(&format!("--callback-port {free} could not be opened")), "{taken}");
        let uri = "http://127.0.0.1:1234/callback";
        let both = at(free).listen(Some(uri)).err().unwrap().to_string();
        assert!(both.ends_with("contradict each other"), "{both}");
        assert_eq!(
            SignIn::default().listen(Some("https://chatgpt.com/x")).unwrap().redirect_uri(),
            "https://chatgpt.com/x"
        );
    }
}

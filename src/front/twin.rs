//! The other loopback address: what arrives on `[::1]` is answered as on 127.0.0.1.
//!
//! A redirect URI may name `[::1]`, or `localhost`, which some browsers take for that first (RFC 8252 section 7.3).

use std::io;
use std::net::{Ipv6Addr, TcpListener};

use tokio::task::JoinHandle;

use super::listener::Listener;

/// Listens until it is dropped, or the listener is stopped.
#[derive(Debug)]
pub struct Twin(JoinHandle<()>);

impl Twin {
    /// Listens on `[::1]` at the port of this listener, in its name. Needs a runtime around it.
    ///
    /// # Errors
    /// The port is taken there, or this machine has no IPv6.
    pub fn of(listener: &Listener) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv6Addr::LOCALHOST, listener.port()))?;
        listener.serve(socket).map(Self)
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;
    use crate::front::SignIn;

    #[tokio::test]
    async fn the_listener_is_reached_by_its_other_address() {
        let listener = Listener::bind(None).unwrap();
        let port = listener.port();
        // A machine without IPv6 has no such address.
        let Ok(_twin) = Twin::of(&listener) else { return };
        let mut stream = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.unwrap();
        let request = format!("GET / HTTP/1.1\r\nHost: [::1]:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        listener.stop().await;
        assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.is_err(), "both end together");
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

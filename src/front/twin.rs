//! The other loopback address: brings what arrives on `[::1]` to the listener on 127.0.0.1.
//!
//! A redirect URI may name `[::1]`, or `localhost`, which some browsers take for that first (RFC 8252 section 7.3).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

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
            while let Ok((mut here, _)) = socket.accept().await {
                tokio::spawn(async move {
                    if let Ok(mut there) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                        // A connection that breaks is the browser's to open again.
                        let _ = copy_bidirectional(&mut here, &mut there).await;
                    }
                });
            }
        })))
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        self.0.abort();
    }
}

//! The door of the listener: lets connections in, and lets nobody fill the room.
//!
//! Whatever runs on the machine can reach the port: scanners, pages of the browser, other users. They may be rude, but the
//! browser must get through. So heads and bodies have their time and their size, and so many connections their place; who
//! comes when all are taken gets the place of the one that was longest silent.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::Request;
use http::header::CONTENT_TYPE;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use super::{Shared, pages};

/// Connections at a time. A browser has six, and some systems give a process 256 files in all.
const MOST: usize = 64;

/// For the head of a request to arrive, and for the next one on a connection that is kept open.
const HEAD: Duration = Duration::from_secs(10);

/// Bytes of a head: a browser brings the cookies of everything that was ever served from this machine.
const LARGEST_HEAD: usize = 128 << 10;

/// For which nobody loses the place that was just taken. A browser asks at once, also through a tunnel.
const GRACE: Duration = Duration::from_millis(500);

/// How often it is looked for a place while there is none.
const LOOK: Duration = Duration::from_millis(20);

/// The place of a connection: since when nothing whole came from it, or that it is kept.
#[derive(Debug, Clone)]
pub(super) struct Place(Arc<Mutex<Option<Instant>>>);

impl Place {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Some(Instant::now()))))
    }

    /// The other side is to speak.
    fn listen(&self) {
        self.set(Some(Instant::now()));
    }

    /// We are to speak, so nobody is to be blamed for the silence.
    pub(super) fn keep(&self) {
        self.set(None);
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// Since when it has been silent, if for so long that it may lose its place.
    fn silent(&self) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).filter(|since| since.elapsed() >= GRACE)
    }
}

/// The connections and their places.
type Places = Vec<(AbortHandle, Place)>;

/// Serves until it is stopped, and then until the last answer is given.
pub(super) async fn serve(socket: TcpListener, shared: Arc<Shared>, stop: watch::Receiver<bool>) {
    let (mut tasks, mut places, mut stopping) = (JoinSet::new(), Places::new(), stop.clone());
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stopping) => break,
            Some(_) = tasks.join_next() => continue,
            accepted = accept(&socket, &mut places) => accepted,
        };
        match accepted {
            Ok(stream) => {
                let place = Place::new();
                let serving = one(stream, Arc::clone(&shared), place.clone(), stop.clone());
                places.push((tasks.spawn(serving), place));
            }
            // The connection is gone already, or no file is left for it. Whoever listens goes on listening.
            Err(_) => sleep(LOOK).await,
        }
    }
    drop(socket);
    while tasks.join_next().await.is_some() {}
}

async fn accept(socket: &TcpListener, places: &mut Places) -> io::Result<TcpStream> {
    while !has_place(places) {
        sleep(LOOK).await;
    }
    socket.accept().await.map(|(stream, _)| stream)
}

/// Whether there is a place, if need be that of somebody who is asked to leave.
fn has_place(places: &mut Places) -> bool {
    places.retain(|(task, _)| !task.is_finished());
    if places.len() < MOST {
        return true;
    }
    let silent = places.iter().enumerate().filter_map(|(at, (_, place))| Some((place.silent()?, at)));
    match silent.min() {
        Some((_, at)) => {
            places.swap_remove(at).0.abort();
            true
        }
        None => false,
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    while !*stop.borrow_and_update() && stop.changed().await.is_ok() {}
}

/// HTTP/1.1 alone: no browser speaks anything else without TLS.
async fn one(stream: TcpStream, shared: Arc<Shared>, place: Place, mut stop: watch::Receiver<bool>) {
    let answer = service_fn(|request: Request<Incoming>| {
        let (shared, place) = (Arc::clone(&shared), place.clone());
        async move {
            place.listen();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(place.clone());
            let response = pages::answer(&shared, request).await;
            let kind = response.headers().get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
            match kind.starts_with(b"text/event-stream") {
                // Nobody can guess its address, so only our own page reads it.
                true => place.keep(),
                false => place.listen(),
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(LARGEST_HEAD);
    let mut serving = std::pin::pin!(http.serve_connection(TokioIo::new(stream), answer));
    tokio::select! {
        // How a connection breaks is nobody's business.
        _ = serving.as_mut() => {}
        () = stopped(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        }
    }
}

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
pub(super) const MOST: usize = 100;

/// For the head of a request to arrive, and for the next one on a connection that is kept open.
const HEAD: Duration = Duration::from_secs(10);

/// Bytes of a head: a browser brings the cookies of everything that was ever served from this machine.
const LARGEST_HEAD: usize = 128 << 10;

/// For which nobody loses the place that was just taken. A browser asks at once, also through a tunnel.
const GRACE: Duration = Duration::from_millis(500);

/// How often it is looked for a place while there is none.
const LOOK: Duration = Duration::from_millis(20);

/// What a connection does; the first to lose its place comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Doing {
    /// Nothing was asked so far, or nothing more.
    Nothing,
    /// A request is under way.
    Asking,
    /// The cockpit's stream of events is read, whose address nobody can guess: it keeps its place.
    Watching,
}

/// What a connection does, and since when.
type Mark = Arc<Mutex<(Doing, Instant)>>;

fn set(mark: &Mark, doing: Doing) {
    *mark.lock().unwrap_or_else(PoisonError::into_inner) = (doing, Instant::now());
}

/// The connections, and what each does.
type Places = Vec<(AbortHandle, Mark)>;

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
                let mark: Mark = Arc::new(Mutex::new((Doing::Nothing, Instant::now())));
                let serving = one(stream, Arc::clone(&shared), Arc::clone(&mark), stop.clone());
                places.push((tasks.spawn(serving), mark));
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
    let silent = places.iter().enumerate().filter_map(|(at, (_, mark))| {
        let (doing, since) = *mark.lock().unwrap_or_else(PoisonError::into_inner);
        (doing != Doing::Watching && since.elapsed() >= GRACE).then_some((doing, since, at))
    });
    match silent.min() {
        Some((_, _, at)) => {
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
async fn one(stream: TcpStream, shared: Arc<Shared>, mark: Mark, mut stop: watch::Receiver<bool>) {
    let answer = service_fn(|request: Request<Incoming>| {
        let (shared, mark) = (Arc::clone(&shared), Arc::clone(&mark));
        async move {
            set(&mark, Doing::Asking);
            let response = pages::answer(&shared, request.map(Body::new)).await;
            let kind = response.headers().get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
            let is_stream = kind.starts_with(b"text/event-stream");
            set(&mark, if is_stream { Doing::Watching } else { Doing::Nothing });
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

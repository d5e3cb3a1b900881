//! Bodies that are held back at their last byte until all of a group stand ready.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{Barrier, BarrierWaitResult};

use super::Wiped;

/// Opens when the expected number of bodies has reached its last byte.
#[derive(Debug)]
pub(super) struct Gate {
    barrier: Barrier,
}

impl Gate {
    pub(super) fn new(bodies: usize) -> Arc<Self> {
        Arc::new(Self { barrier: Barrier::new(bodies.max(1)) })
    }

    /// A body that sends all but its last byte, waits for the gate, then sends the rest.
    pub(super) fn hold(self: Arc<Self>, body: Wiped) -> reqwest::Body {
        let bytes = Bytes::from_owner(body);
        let cut = bytes.len().saturating_sub(1);
        reqwest::Body::wrap(Held {
            first: Some(bytes.slice(..cut)),
            last: Some(bytes.slice(cut..)),
            waiting: None,
            gate: self,
        })
    }
}

struct Held {
    first: Option<Bytes>,
    last: Option<Bytes>,
    waiting: Option<Pin<Box<dyn Future<Output = BarrierWaitResult> + Send + Sync>>>,
    gate: Arc<Gate>,
}

impl Body for Held {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(first) = self.first.take()
            && !first.is_empty()
        {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if self.last.is_none() {
            return Poll::Ready(None);
        }
        let gate = Arc::clone(&self.gate);
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(async move { gate.barrier.wait().await }));
        std::task::ready!(waiting.as_mut().poll(cx));
        Poll::Ready(self.last.take().map(|last| Ok(Frame::data(last))))
    }

    fn is_end_stream(&self) -> bool {
        self.last.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.first.as_ref().map_or(0, Bytes::len) + self.last.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(left as u64)
    }
}

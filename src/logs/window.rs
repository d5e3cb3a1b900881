//! A stream of any length seen through a window: nothing that lies across two reads is missed, no line is too long.

use std::io::{self, Read};

use super::searcher::{Found, Searcher, What};

/// Bytes that are read at a time.
const STEP: usize = 1 << 20;
/// Bytes beyond a place that are there when it is judged: longer values are judged by their beginning.
pub(super) const AHEAD: usize = 16 * 1024;
/// Bytes before a place that are there when it is judged.
pub(super) const BEHIND: usize = 64;

/// A secret at its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) what: What,
    /// From 1.
    pub(super) line: u64,
    /// From the beginning of the stream.
    start: u64,
    end: u64,
}

/// Reads to the end, or to where it breaks; tells every hit in order. Gives the bytes read.
pub(super) fn scan(mut reader: impl Read, searcher: &Searcher, mut tell: impl FnMut(&Hit)) -> (u64, Option<io::Error>) {
    let mut window = vec![0; BEHIND + STEP + AHEAD];
    // `window[..filled]` is there; `window[from..]` was not searched yet; `offset` is where the window stands.
    let (mut filled, mut from, mut offset) = (0, 0, 0_u64);
    let mut line = 1;
    let mut pending: Vec<Hit> = Vec::new();
    let mut found: Vec<Found> = Vec::new();
    loop {
        let (read, ended) = fill(&mut reader, &mut window[filled..]);
        filled += read;
        let limit = if ended.is_some() { filled } else { filled - AHEAD };
        found.clear();
        searcher.search(&window[..filled], from, limit, &mut found);
        found.sort_unstable_by_key(|f| (f.start, f.what.rank()));
        let mut counted = from;
        for f in &found {
            let upto = f.start.clamp(counted, limit.max(counted));
            line += lines(&window[counted..upto]);
            counted = upto;
            let beyond = window.get(limit..f.start).map_or(0, lines);
            let (start, end) = (offset + f.start as u64, offset + f.end as u64);
            settle(&mut pending, Hit { what: f.what, line: line + beyond, start, end });
        }
        line += lines(&window[counted..limit]);
        // What ends before the limit can meet no better reading of itself any more.
        let settled = pending.partition_point(|hit| ended.is_some() || hit.end <= offset + limit as u64);
        pending.drain(..settled).for_each(|hit| tell(&hit));
        if let Some(ended) = ended {
            return (offset + filled as u64, ended);
        }
        let kept = limit - BEHIND.min(limit);
        window.copy_within(kept..filled, 0);
        (filled, from, offset) = (filled - kept, limit - kept, offset + kept as u64);
    }
}

/// Of two readings of the same text the better one stays: a secret of this run before the shape of a token, a token that
/// was recognised by itself before one that was recognised by its name.
fn settle(pending: &mut Vec<Hit>, hit: Hit) {
    match pending.last_mut() {
        Some(last) if hit.start < last.end => {
            if hit.what.rank() < last.what.rank() {
                *last = hit;
            }
        }
        _ => pending.push(hit),
    }
}

fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// Fills a buffer; tells whether the stream came to its end, well (`Some(None)`) or badly.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<Option<io::Error>>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => return (filled, Some(None)),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(Some(error))),
        }
    }
    (filled, None)
}

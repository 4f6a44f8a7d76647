//! A body off the wire: bounded in size, in memory and in time.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::time::timeout;

use crate::receivers::{Lease, Refusal};

use super::buffer::Buffer;

/// How long a body is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// A client that sends nothing for so long is gone.
    pub pause: Duration,
    /// A client that needs longer for one body blocks memory that others could use.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { pause: Duration::from_secs(30), whole: Duration::from_secs(300) }
    }
}

/// The whole body, of at most `limit` bytes, which `lease` pays for as they arrive.
pub(super) async fn collect(
    mut body: Body,
    limit: usize,
    patience: Patience,
    lease: &mut Lease,
) -> Result<Bytes, Refusal> {
    let Patience { pause, whole } = patience;
    let outcome = match timeout(whole, fill(&mut body, limit, pause, lease)).await {
        Ok(outcome) => outcome,
        Err(_) => return Err(Refusal::TooSlow { waited: whole }),
    };
    if matches!(outcome, Err(Refusal::TooLarge(_) | Refusal::Unavailable { .. })) {
        // The rest of the body is discarded, and its memory is free for others at once.
        lease.shrink(usize::MAX);
        discard(body, patience).await;
    }
    outcome
}

async fn fill(body: &mut Body, limit: usize, pause: Duration, lease: &mut Lease) -> Result<Bytes, Refusal> {
    let announced = body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    if announced.is_some_and(|bytes| bytes > limit) {
        return Err(too_large(limit));
    }
    let mut whole = Buffer::new(announced.unwrap_or(limit));
    loop {
        let frame = timeout(pause, body.frame()).await.map_err(|_| Refusal::TooSlow { waited: pause })?;
        let Some(frame) = frame else { return Ok(whole.into_bytes()) };
        let frame = frame.map_err(|error| Refusal::Malformed(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - whole.len() {
            return Err(too_large(limit));
        }
        lease.admit(data.len())?;
        whole.extend(&data)?;
    }
}

/// A client that sends nothing for so long after it was refused is waiting for the answer.
const SILENCE: Duration = Duration::from_secs(5);

/// Reads on, without keeping anything, so that the client gets to read the answer: a connection that is
/// closed with bytes unread is reset, and many clients read nothing before they have sent everything. How
/// much that is does not matter, only how long it takes: who is reset tries again, with the same body.
pub(super) async fn discard(mut body: Body, patience: Patience) {
    let reading =
        async { while let Ok(Some(Ok(_))) = timeout(SILENCE.min(patience.pause), body.frame()).await {} };
    // Whether it ended or not, the answer is the same.
    let _ = timeout(patience.whole, reading).await;
}

pub(super) fn too_large(limit: usize) -> Refusal {
    Refusal::TooLarge(format!("the request is larger than {limit} bytes"))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt, stream};

    use crate::receivers::MemoryLimit;

    use super::*;

    const PATIENCE: Patience = Patience { pause: Duration::from_secs(30), whole: Duration::from_secs(300) };

    fn chunks(chunks: Vec<&'static [u8]>) -> Body {
        Body::from_stream(stream::iter(chunks.into_iter().map(Ok::<_, Infallible>)))
    }

    #[tokio::test]
    async fn a_body_without_a_length_is_read_to_its_end() {
        let memory = MemoryLimit::new(100);
        let mut lease = memory.lease();
        let body = collect(chunks(vec![b"ab", b"", b"cde"]), 5, PATIENCE, &mut lease).await.unwrap();
        assert_eq!((body.as_ref(), memory.used()), (&b"abcde"[..], 5));
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_too_large_with_and_without_a_length() {
        let memory = MemoryLimit::new(100);
        for body in [chunks(vec![b"abc", b"def"]), Body::from("abcdef")] {
            let refusal = collect(body, 5, PATIENCE, &mut memory.lease()).await.unwrap_err();
            assert_eq!(refusal, too_large(5));
        }
    }

    #[tokio::test]
    async fn a_body_that_finds_no_memory_is_for_another_time() {
        let memory = MemoryLimit::new(100);
        let mut other = memory.lease();
        other.grow(97).unwrap();
        let refusal =
            collect(chunks(vec![b"ab", b"cd"]), 50, PATIENCE, &mut memory.lease()).await.unwrap_err();
        assert!(matches!(refusal, Refusal::Unavailable { .. }), "{refusal:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_falls_silent_is_not_waited_for() {
        let memory = MemoryLimit::new(100);
        let first = stream::iter([Ok::<_, Infallible>(&b"ab"[..])]);
        let body = Body::from_stream(first.chain(stream::pending()));
        let refusal = collect(body, 50, PATIENCE, &mut memory.lease()).await.unwrap_err();
        assert_eq!(refusal, Refusal::TooSlow { waited: PATIENCE.pause });
        assert_eq!(memory.used(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_drips_is_not_waited_for_either() {
        let drops = stream::unfold((), |()| async {
            tokio::time::sleep(PATIENCE.pause / 2).await;
            Some((Ok::<_, Infallible>(&b"."[..]), ()))
        });
        let memory = MemoryLimit::new(100);
        let refusal =
            collect(Body::from_stream(drops), 100, PATIENCE, &mut memory.lease()).await.unwrap_err();
        assert_eq!(refusal, Refusal::TooSlow { waited: PATIENCE.whole });
    }
}

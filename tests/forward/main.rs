//! Forwarding, with real processes and a backend that keeps what it is sent.
//!
//! | promise | case |
//! |---|---|
//! | a body is forwarded byte for byte where nothing is redacted, in both encodings, over both protocols | `bodies::…` |
//! | metrics, records that no dialect knows and fields that this version does not know pass | `bodies::…` |
//! | JSON becomes protobuf, and protobuf JSON, where a backend wants it | `bodies::…` |
//! | credentials leave every text of every signal; named attributes leave altogether | `redaction::…` |
//! | what is opted out is not forwarded, by record, resource or request | `redaction::…` |
//! | with `redact: off`, nothing of it is on the disk | `redaction::…` |
//! | everything arrives, in order, once, though the backend was away or the process killed | `delivery::…` |
//! | `Retry-After`, `RetryInfo`, partial success, refusals | `delivery::…` |
//! | a full queue drops its oldest, or refuses | `delivery::…` |
//! | a request that is refused is stored nowhere, and goes nowhere | `delivery::…` |
//! | what comes back in a circle is refused | `delivery::…` |
//! | several backends, each with its own cursor | `delivery::…` |
//! | certificates: an authority of one's own, and one's own certificate, over gRPC and HTTP; of clients too | `tls::…` |
//! | erasure and retention reach what waits | `erasure::…` |
//! | whatever the bytes are, nothing that holds no secret is touched, and nothing panics | `properties::…` |
//! | Langfuse's own paths go on to a Langfuse server, with a project's keys for each tenant and no client's | `langfuse::…` |
//! | what is configured wrongly is told, with what to do; no header is shown | `settings::…` |

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests fail by panicking"
)]

#[path = "../cli/support.rs"]
#[expect(dead_code, reason = "the other theme uses the rest")]
mod site;

mod backend;
mod bodies;
mod delivery;
mod erasure;
mod langfuse;
mod properties;
mod redaction;
mod sent;
mod settings;
mod tls;

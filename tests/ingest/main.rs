//! OTLP to the letter, over real sockets.
//!
//! Every test has a service of its own. What an answer has to be stands in the test as literal bytes
//! and headers; none of it is made by our own encoder.
//!
//! | rule (OTLP specification, gRPC over HTTP/2) | case |
//! |---|---|
//! | protobuf and JSON on one port, by content type; the answer has the request's own | `http::protobuf_is_answered_in_protobuf_and_json_in_json` |
//! | content types have parameters and no case | `http::a_content_type_is_read_without_parameters_and_case` |
//! | full success is an empty message, `{}` in JSON | the same, `grpc::success_is_an_empty_message_and_status_0` |
//! | traces, logs and metrics | `http::every_signal_has_its_path`, `grpc::every_signal_has_its_service` |
//! | an empty request succeeds | `http::empty_requests_succeed_without_touching_the_journal`, `grpc::…` |
//! | gzip, and zstd and deflate beyond the letter | `http::bodies_come_compressed`, `grpc::messages_come_compressed` |
//! | bodies without a length | `http::a_chunked_body_needs_no_length` |
//! | HTTP/1.1 and HTTP/2 | `http::http_2_is_spoken_on_the_same_port` |
//! | connections are reused, requests of one run side by side | `http::a_connection_is_used_again`, `grpc::calls_on_one_connection_run_side_by_side` |
//! | both protocols on both ports | `grpc::either_port_takes_either_protocol` |
//! | partial success names the count and the reason | `http::a_bad_record_rejects_itself_and_not_its_batch`, `grpc::…` |
//! | a warning is a partial success that rejects nothing | `http::another_signals_body_is_accepted_with_a_warning` |
//! | 400 / `INVALID_ARGUMENT` with `BadRequest` | `http::what_cannot_be_read_is_a_bad_request`, `grpc::…` |
//! | 403, 404, 405, 415, each a `google.rpc.Status` in the request's encoding | `http::refusals_are_a_status_in_the_requests_encoding` |
//! | 413 before and after decompression | `http::a_body_over_the_limit_is_413_also_when_decompressed` |
//! | `RESOURCE_EXHAUSTED` without `RetryInfo`, before and after decompression | `grpc::a_message_over_the_limit_is_never_sent_again` |
//! | `UNIMPLEMENTED` for methods and compressions that are not there | `grpc::what_is_not_there_is_unimplemented` |
//! | memory stays under its limit and a fifth, whatever comes at once | `memory::…` |
//! | 503 with `Retry-After`, `UNAVAILABLE` with `RetryInfo`; readiness; recovery | `overload::…` |
//! | 408 / `DEADLINE_EXCEEDED` for senders that fall silent or drip | `connections::a_sender_that_falls_silent_is_answered_408`, `…` |
//! | connections age: `Connection: close`, GOAWAY, and no request is lost | `connections::…` |
//! | OTLP/JSON, leniently | `json::…` |
//! | JSON as other encoders write it | `encoders::…` |
//! | protobuf, record by record | `protobuf::…` |
//! | Langfuse's own paths, to the letter of its SDKs | `langfuse::…` |
//! | 401, 429, 503, 413, 415 and 400 at the doors of Langfuse and of hooks, and nothing stored | `refused::…` |
//! | what exporters send | `captures::…`, `exporters::…` |
//! | what nobody should send | `hostile::…`, `properties::…` |
//!
//! Beside it, `hooks::…`: whatever a hook's object or a spool holds.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test's helpers fail the test; clippy's own exemption covers test functions alone"
)]

mod captures;
mod connections;
mod crowds;
mod encoders;
mod exporters;
mod grpc;
mod harness;
mod hooks;
mod hostile;
mod http;
mod json;
mod langfuse;
mod memory;
mod overload;
#[path = "../support/port.rs"]
mod port;
mod properties;
mod protobuf;
mod reading;
mod refused;
mod requests;

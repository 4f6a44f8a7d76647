//! More connections than there may be: who says nothing keeps nobody out, and who is at it is not cut off.

use http::HeaderMap;
use skillspan::receivers::otlp::Patience;
use skillspan::receivers::{ConnectionBounds, Lifetimes};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Duration, sleep, timeout};

use crate::connections::{Served, kept_alive, until_closed, up_to};
use crate::harness::{Connection2, PATIENCE, framed, post};
use crate::requests::{TRACES_JSON, TRACES_PROTOBUF};

const LATE: Duration = Duration::from_secs(600);
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

async fn served(max: usize, per_address: usize, idle: Duration) -> Served {
    let lifetimes = Lifetimes { idle, age: LATE, grace: PATIENCE, drain: PATIENCE };
    Served::bounded(ConnectionBounds { max, per_address }, lifetimes, Patience::default()).await
}

/// A request that is answered on its connection, which stays.
async fn answered(stream: &mut TcpStream) {
    stream.write_all(kept_alive().as_bytes()).await.unwrap();
    let answer = up_to(stream, b"\r\n\r\n{}").await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", answer.escape_ascii());
}

/// A connection that the server has and that begins with these bytes.
async fn saying(served: &Served, said: &str) -> TcpStream {
    let before = served.connections.counts();
    let mut stream = served.connect().await;
    stream.write_all(said.as_bytes()).await.unwrap();
    let is_there = async {
        loop {
            let now = served.connections.counts();
            if (now.open, now.displaced) != (before.open, before.displaced) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, is_there).await.unwrap();
    stream
}

#[tokio::test]
async fn idle_connections_give_way_the_longest_idle_first() {
    for said in
        ["", "P", "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let served = served(3, 3, LATE).await;
        let mut idle = Vec::new();
        for _ in 0..3 {
            idle.push(saying(&served, said).await);
        }
        let mut wanted = served.connect().await;
        answered(&mut wanted).await;
        until_closed(&mut idle.remove(0)).await;
        let counts = served.connections.counts();
        assert_eq!((counts.open, counts.refused, counts.displaced), (3, 0, 1), "{said:?}");
        // Half a head is waited for at a stop.
        drop(idle);
        served.stop().await;
    }
}

#[tokio::test]
async fn a_connection_that_was_answered_and_waits_gives_way_too() {
    let served = served(2, 2, LATE).await;
    let (mut first, mut second) = (served.connect().await, served.connect().await);
    answered(&mut first).await;
    answered(&mut second).await;
    let two = Connection2::to(served.address).await;
    let body = framed(false, TRACES_PROTOBUF);
    let answer = two.post(TRACES, &[("content-type", "application/grpc")], body).await;
    assert_eq!(answer.header("grpc-status"), "0");
    until_closed(&mut first).await;
    answered(&mut second).await;
    let mut third = served.connect().await;
    answered(&mut third).await;
    assert_eq!(served.connections.counts().displaced, 2, "gRPC was idle longest");
    served.stop().await;
}

#[tokio::test]
async fn a_request_under_way_is_not_cut_for_a_new_connection() {
    let served = served(2, 2, LATE).await;
    let head =
        post("/v1/traces", "content-type: application/json\r\nexpect: 100-continue\r\n", TRACES_JSON.len());
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut stream = served.connect().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        up_to(&mut stream, b"100 Continue\r\n\r\n").await.expect("its body is read");
        busy.push(stream);
    }
    let mut refused = served.connect().await;
    assert_eq!(until_closed(&mut refused).await, b"");
    assert_eq!(served.connections.counts().refused, 1);
    for mut stream in busy {
        stream.write_all(TRACES_JSON.as_bytes()).await.unwrap();
        let answer = until_closed(&mut stream).await;
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", answer.escape_ascii());
    }
    answered(&mut served.connect().await).await;
    served.stop().await;
}

#[tokio::test]
async fn an_address_takes_no_more_than_its_share() {
    let served = served(100, 2, LATE).await;
    let mut all = Vec::new();
    for _ in 0..10 {
        all.push(saying(&served, "P").await);
    }
    assert_eq!(served.connections.counts().open, 2);
    for stream in all.iter_mut().take(8) {
        until_closed(stream).await;
    }
    answered(&mut served.connect().await).await;
    served.stop().await;
}

/// HTTP/2 has no time of its own for this: a client that answers pings would stay for ever.
#[tokio::test]
async fn a_connection_over_http_2_without_requests_is_closed() {
    let served = served(10, 10, Duration::from_millis(300)).await;
    let stream = TcpStream::connect(served.address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let ended = tokio::spawn(connection);
    let mut ready = client.ready().await.unwrap();
    let mut request = http::Request::post(format!("http://skillspan{TRACES}"));
    *request.headers_mut().unwrap() = HeaderMap::new();
    let request = request.header("content-type", "application/grpc").body(()).unwrap();
    let (answer, mut body) = ready.send_request(request, false).unwrap();
    body.send_data(framed(false, TRACES_PROTOBUF).into(), true).unwrap();
    assert_eq!(timeout(PATIENCE, answer).await.unwrap().unwrap().status(), 200);
    timeout(PATIENCE, ended).await.unwrap().unwrap().unwrap();
    served.stop().await;
}

#[tokio::test]
async fn places_are_given_back() {
    let served = served(4, 4, LATE).await;
    for _ in 0..12 {
        answered(&mut served.connect().await).await;
    }
    let none_left = async {
        while served.connections.counts().open > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, none_left).await.unwrap();
    served.stop().await;
}

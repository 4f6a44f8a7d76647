//! At the limit of file descriptors: idle connections keep nobody out, and nothing spins.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::support::{Site, client, eventually};

/// Few, of which the process needs half for itself.
const OPEN_FILES: u32 = 96;

#[test]
fn idle_connections_at_the_limit_of_open_files_keep_nobody_out() {
    let site = Site::new("shop");
    let mut running = site.start_with_open_files(OPEN_FILES);
    let address = ("127.0.0.1", site.http);
    for round in 0..3 {
        // What is closed for others is dropped; all of them together are many times what there is room for.
        let idle: Vec<TcpStream> = (0..400).filter_map(|_| TcpStream::connect(address).ok()).collect();
        for mut stream in &idle {
            let _ = stream.write_all(b"POST /v1/logs HTTP/1.1\r\nhost: x\r\n");
        }
        eventually("a request is answered beside them", || {
            let Ok(mut stream) = TcpStream::connect(address) else { return false };
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let request = "POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                           content-length: 2\r\nconnection: close\r\n\r\n{}";
            let mut answer = String::new();
            stream.write_all(request.as_bytes()).is_ok()
                && stream.read_to_string(&mut answer).is_ok()
                && answer.starts_with("HTTP/1.1 200")
        });
        let health = client().get(format!("http://127.0.0.1:{}/ready", site.health)).send().unwrap();
        assert!(health.status().is_success(), "round {round}");
        assert!(running.is_alive(), "round {round}");
    }
    let lines = site.log().matches("could not be accepted").count();
    assert!(lines < 500, "{lines} lines say that a connection could not be accepted");
    assert_eq!(running.terminate(), Some(0));
}

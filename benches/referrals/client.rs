//! A blocking HTTP/1.1 client with a kept connection.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// One connection.
pub struct Client {
    stream: TcpStream,
    address: String,
}

impl Client {
    pub fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, address: address.to_owned() }
    }

    pub fn get(&mut self, path: &str) -> String {
        self.send("GET", path, "", &[200])
    }

    /// Sends a request and returns the body.
    pub fn send(&mut self, method: &str, path: &str, body: &str, expected: &[u16]) -> String {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/fhir+json\r\nPrefer: handling=strict\r\n\
             Content-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        self.stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).unwrap();
        let mut received = Vec::with_capacity(64 * 1024);
        let mut chunk = vec![0; 64 * 1024];
        let (status, end, length) = loop {
            let count = self.stream.read(&mut chunk).unwrap();
            assert!(count > 0, "the server closed the connection");
            received.extend_from_slice(&chunk[..count]);
            if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
                let length = length.map_or(0, |value| value.trim().parse::<usize>().unwrap());
                break (head[9..12].parse::<u16>().unwrap(), end + 4, length);
            }
        };
        while received.len() < end + length {
            let count = self.stream.read(&mut chunk).unwrap();
            assert!(count > 0, "the server closed the connection");
            received.extend_from_slice(&chunk[..count]);
        }
        let body = String::from_utf8(received.split_off(end)).unwrap();
        assert!(expected.contains(&status), "{method} {path}: {status} {body}");
        body
    }
}

/// What one request is: method, path, body.
pub type Request = (&'static str, String, String);

/// Sends requests over `width` connections until the time is up; how many were answered.
pub fn rate(address: &str, width: usize, seconds: Duration, request: &(impl Fn(u64) -> Request + Sync)) -> usize {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let connection = || {
            let mut client = Client::connect(address);
            let mut count = 0;
            while begin.elapsed() < seconds {
                let (method, path, body) = request(NUMBER.fetch_add(1, Ordering::Relaxed));
                client.send(method, &path, &body, &[200, 201]);
                count += 1;
            }
            count
        };
        let threads: Vec<_> = (0..width).map(|_| scope.spawn(connection)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

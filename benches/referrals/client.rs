//! A blocking HTTP/1.1 client with a kept connection. It shares the processors with the server that it measures, so a request
//! costs it a write and as many reads as the answer needs: buffers are used again, and only the length is looked for.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[path = "../load/answer.rs"]
mod answer;

/// One connection.
pub struct Client {
    stream: TcpStream,
    address: String,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Client {
    pub fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, address: address.to_owned(), sent: Vec::new(), received: vec![0; 128 * 1024] }
    }

    /// Reads and returns the body.
    pub fn get(&mut self, path: &str) -> String {
        let body = self.send("GET", path, "", &[200]);
        std::str::from_utf8(body).unwrap().to_owned()
    }

    /// Sends a request and reads the whole answer, whose body it lends.
    pub fn send(&mut self, method: &str, path: &str, body: &str, expected: &[u16]) -> &[u8] {
        self.sent.clear();
        write!(
            self.sent,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/fhir+json\r\nPrefer: handling=strict\r\n\
             Content-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        self.stream.write_all(&self.sent).unwrap();
        let mut filled = 0;
        let head = loop {
            filled += self.read(filled);
            if let Some(head) = answer::head(&self.received[..filled]) {
                break head;
            }
        };
        let end = head.body + head.length;
        while filled < end {
            filled += self.read(filled);
        }
        let body = &self.received[head.body..end];
        assert!(expected.contains(&head.status), "{method} {path}: {} {}", head.status, String::from_utf8_lossy(body));
        body
    }

    fn read(&mut self, filled: usize) -> usize {
        if filled == self.received.len() {
            self.received.resize(filled * 2, 0);
        }
        let count = self.stream.read(&mut self.received[filled..]).unwrap();
        assert!(count > 0, "the server closed the connection");
        count
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

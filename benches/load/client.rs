//! A small HTTP/1.1 client with a kept connection: as little work per request as can be, since it shares the processors
//! with the server that it measures.

use std::io::Write as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::answer;

/// One connection.
pub struct Client {
    stream: TcpStream,
    address: String,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Client {
    pub async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, address: address.to_owned(), sent: Vec::new(), received: Vec::with_capacity(64 * 1024) }
    }

    /// Makes the request that [`Client::repeat`] sends.
    pub fn prepare(&mut self, method: &str, path: &str, body: &str) {
        self.sent.clear();
        write!(
            self.sent,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/fhir+json\r\n\
             Content-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
    }

    /// Sends a request and reads the whole answer; its status.
    pub async fn send(&mut self, method: &str, path: &str, body: &str) -> u16 {
        self.prepare(method, path, body);
        self.repeat().await
    }

    /// Sends the prepared request and reads the whole answer; its status.
    pub async fn repeat(&mut self) -> u16 {
        self.stream.write_all(&self.sent).await.unwrap();
        self.received.clear();
        loop {
            let read = self.stream.read_buf(&mut self.received).await.unwrap();
            assert!(read > 0, "the server closed the connection");
            let Some(head) = answer::head(&self.received) else { continue };
            while self.received.len() < head.body + head.length {
                assert!(self.stream.read_buf(&mut self.received).await.unwrap() > 0);
            }
            return head.status;
        }
    }

    /// What was received last, head and body.
    pub fn received(&self) -> String {
        String::from_utf8_lossy(&self.received).into_owned()
    }
}

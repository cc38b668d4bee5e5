//! A small HTTP/1.1 client with a kept connection: as little work per request as can be, since it shares the processors
//! with the server that it measures.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One connection.
pub struct Client {
    stream: TcpStream,
    address: String,
    received: Vec<u8>,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
}

impl Client {
    pub async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, address: address.to_owned(), received: Vec::with_capacity(16 * 1024) }
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/fhir+json\r\n\
             Content-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        self.stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).await.unwrap();
        self.receive().await
    }

    async fn receive(&mut self) -> Answer {
        self.received.clear();
        loop {
            let read = self.stream.read_buf(&mut self.received).await.unwrap();
            assert!(read > 0, "the server closed the connection");
            let Some(end) = self.received.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&self.received[..end]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |value| value.trim().parse::<usize>().unwrap());
            while self.received.len() < end + 4 + length {
                assert!(self.stream.read_buf(&mut self.received).await.unwrap() > 0);
            }
            return Answer { status: head[9..12].parse().unwrap(), head };
        }
    }
}

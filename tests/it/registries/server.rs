//! A registry on this machine → the answers a test gives it.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// To a request that holds this text: a status and a body. Where there are several, one after the other, and the last
/// from then on.
pub type Answer = (&'static str, u16, Value);

/// A server, for as long as the test runs.
pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// One that gives `default` to a request for which there is no answer.
    pub async fn start(answers: Vec<Answer>, default: (u16, Value)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let Some(request) = request(&mut socket).await else { continue };
                let (status, body) = answer(&answers, &default, &seen, &request);
                seen.lock().unwrap().push(request);
                let head =
                    format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = socket.write_all((head + &body).as_bytes()).await;
            }
        });
        Self { url, asked }
    }

    /// One that takes requests and never answers.
    pub async fn mute() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut sockets = Vec::new();
            while let Ok((socket, _)) = listener.accept().await {
                sockets.push(socket);
            }
        });
        Self { url, asked: Arc::default() }
    }

    /// The requests so far, head and body.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(answers: &[Answer], default: &(u16, Value), seen: &Mutex<Vec<String>>, request: &str) -> (u16, String) {
    let fits: Vec<_> = answers.iter().filter(|(text, ..)| request.contains(text)).collect();
    let Some((text, ..)) = fits.first() else { return (default.0, default.1.to_string()) };
    let before = seen.lock().unwrap().iter().filter(|known| known.contains(text)).count();
    let (_, status, body) = fits[before.min(fits.len() - 1)];
    (*status, body.to_string())
}

async fn request(socket: &mut TcpStream) -> Option<String> {
    let mut reader = BufReader::new(socket);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let from = head.len();
        if reader.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
        let line = head[from..].to_lowercase();
        length = line.strip_prefix("content-length:").map_or(length, |told| told.trim().parse().unwrap());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await.ok()?;
    Some(head + std::str::from_utf8(&body).unwrap())
}

//! A client → a server, with the faults a network has and a good server has not.
//!
//! What passes is not understood beyond HTTP/1.1's framing. Every fault strikes once, and one that never struck
//! fails the test: it tested nothing.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::Ministack;

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The server does it, but its answer is lost.
    LoseAnswer,
    /// The server does it, but its answer breaks off half-way through the body.
    CutAnswer,
    /// The server never sees it; the client gets this status and body.
    Answer(&'static str, &'static str),
}

/// A listener that passes requests on.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The start and a further piece of the request line, and what then goes wrong.
    faults: Mutex<Vec<(&'static str, &'static str, Fault)>>,
    seen: Mutex<Vec<String>>,
}

impl Proxy {
    /// A proxy before `server`.
    ///
    /// # Panics
    /// Where no port is free.
    #[must_use]
    pub fn before(server: &Ministack) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound port");
        let (upstream, shared) = (server.address, Arc::new(Shared::default()));
        let pass_on = Arc::clone(&shared);
        // Ends with the test process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&pass_on);
                thread::spawn(move || shared.converse(&client, upstream));
            }
        });
        Self { address, shared }
    }

    /// Its address for SDKs.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets the next request fail whose first line starts with `method` and contains `piece`.
    pub fn fail(&self, method: &'static str, piece: &'static str, fault: Fault) {
        held(&self.shared.faults).push((method, piece, fault));
    }

    /// The first lines of the requests so far, without the HTTP version.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        held(&self.shared.seen).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let idle = held(&self.shared.faults);
        assert!(idle.is_empty() || thread::panicking(), "these faults never struck: {idle:?}");
    }
}

impl Shared {
    /// All requests of one connection.
    fn converse(&self, client: &TcpStream, upstream: SocketAddr) -> io::Result<()> {
        let mut requests = BufReader::new(client.try_clone()?);
        while let Some(request) = read_request(&mut requests, client)? {
            let line = request.line();
            held(&self.seen).push(line.clone());
            let (mut client, fault) = (client, self.take(&line));
            match fault {
                None => client.write_all(&forward(&request, upstream)?)?,
                Some(Fault::Answer(status, body)) => {
                    let length = body.len();
                    write!(client, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")?;
                }
                Some(fault) => {
                    let answer = forward(&request, upstream)?;
                    if fault == Fault::CutAnswer {
                        let head = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or_default() + 4;
                        client.write_all(&answer[..head + (answer.len() - head) / 2])?;
                    }
                    return client.shutdown(Shutdown::Both);
                }
            }
        }
        Ok(())
    }

    fn take(&self, line: &str) -> Option<Fault> {
        let mut faults = held(&self.faults);
        let index = faults.iter().position(|(method, piece, _)| line.starts_with(method) && line.contains(piece))?;
        Some(faults.remove(index).2)
    }
}

struct Request {
    head: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    fn line(&self) -> String {
        self.head.first().map(|line| line.trim_end_matches(" HTTP/1.1").to_owned()).unwrap_or_default()
    }
}

/// The next request, or `None` at the connection's end.
fn read_request(from: &mut BufReader<TcpStream>, mut client: &TcpStream) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    if header(&head, "expect").is_some() {
        client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let length = header(&head, "content-length").and_then(|value| value.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Some(Request { head, body }))
}

/// The server's whole answer, over a connection of its own.
fn forward(request: &Request, upstream: SocketAddr) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(upstream)?;
    let kept = request.head.iter().filter(|line| !is(line, "connection") && !is(line, "expect"));
    let head: String = kept.flat_map(|line| [line, "\r\n"]).collect();
    server.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    server.write_all(&request.body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    // The connection to the client lives on.
    let text = b"connection: close\r\n";
    if let Some(at) = answer.windows(text.len()).position(|bytes| bytes.eq_ignore_ascii_case(text)) {
        answer.drain(at..at + text.len());
    }
    Ok(answer)
}

fn is(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
}

fn header<'a>(head: &'a [String], name: &str) -> Option<&'a str> {
    head.iter().find(|line| is(line, name)).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

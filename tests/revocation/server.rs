//! A web server on loopback that behaves as it is told, well or badly.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What the server does at a path.
#[derive(Clone)]
pub enum Behaviour {
    /// 200 with an ETag, and 304 to whoever has it.
    Serve { etag: &'static str, body: Arc<Vec<u8>> },
    /// A status line, headers and a body, as given.
    Answer { status: &'static str, headers: String, body: Vec<u8> },
    /// Announces the whole body, sends a part, closes.
    CutShort { body: Vec<u8>, sent: usize },
    /// Takes the request and says nothing.
    Silent,
    /// One octet every tenth of a second.
    Drip { body: Vec<u8> },
}

/// A request as it came: the request line and the headers.
pub type Request = Vec<String>;

pub struct Server {
    pub address: SocketAddr,
    behaviours: Arc<Mutex<HashMap<String, Behaviour>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server =
            Server { address: listener.local_addr().unwrap(), behaviours: Arc::default(), requests: Arc::default() };
        let (behaviours, requests) = (Arc::clone(&server.behaviours), Arc::clone(&server.requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (behaviours, requests) = (Arc::clone(&behaviours), Arc::clone(&requests));
                thread::spawn(move || serve(stream, &behaviours, &requests));
            }
        });
        server
    }

    pub fn set(&self, path: &str, behaviour: Behaviour) {
        self.behaviours.lock().unwrap().insert(path.to_owned(), behaviour);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, behaviours: &Mutex<HashMap<String, Behaviour>>, requests: &Mutex<Vec<Request>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request: Request = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let Some(path) = request.first().and_then(|line| line.split(' ').nth(1)).map(str::to_owned) else { return };
    requests.lock().unwrap().push(request.clone());
    let behaviour = behaviours.lock().unwrap().get(&path).cloned();
    let not_found = Behaviour::Answer { status: "404 Not Found", headers: String::new(), body: Vec::new() };
    let answer = |stream: &mut TcpStream, status: &str, headers: &str, length: usize, body: &[u8]| {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    };
    match behaviour.unwrap_or(not_found) {
        Behaviour::Serve { etag, body } => {
            let known = request.iter().any(|line| line.to_ascii_lowercase() == format!("if-none-match: {etag}"));
            match known {
                true => answer(&mut stream, "304 Not Modified", "", 0, b""),
                false => answer(&mut stream, "200 OK", &format!("ETag: {etag}\r\n"), body.len(), &body),
            }
        }
        Behaviour::Answer { status, headers, body } => answer(&mut stream, status, &headers, body.len(), &body),
        Behaviour::CutShort { body, sent } => answer(&mut stream, "200 OK", "", body.len(), &body[..sent]),
        Behaviour::Silent => thread::sleep(Duration::from_secs(20)),
        Behaviour::Drip { body } => {
            answer(&mut stream, "200 OK", "", body.len(), b"");
            for octet in body {
                if stream.write_all(&[octet]).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

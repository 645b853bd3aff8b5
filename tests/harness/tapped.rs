//! A line to a server that is tapped: what a terminal says on it is passed on, and its sealed records are measured.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// Longest sealed record that holds an alert and nothing else (RFC 8446, section 5.2): its two bytes, its type, and the seal's sixteen.
pub const ALERT: usize = 19;
/// A record that is sealed.
const SEALED: u8 = 23;

pub struct Tapped {
    pub url: String,
    said: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Tapped {
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("https://localhost:{}", listener.local_addr().expect("an address").port());
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(server).expect("the server listens");
                let (back, to) = (server.try_clone().expect("a handle"), client.try_clone().expect("a handle"));
                std::thread::spawn(move || pass(back, to, &Mutex::default(), 0));
                let heard = heard.clone();
                let line = {
                    let mut lines = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    lines.push(Vec::new());
                    lines.len() - 1
                };
                std::thread::spawn(move || pass(client, server, &heard, line));
            }
        });
        Self { url, said }
    }

    /// How long each sealed record is that was said so far.
    pub fn sealed(&self) -> Vec<usize> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter()
            .flat_map(|line| records(line))
            .filter(|(kind, _)| *kind == SEALED)
            .map(|(_, length)| length)
            .collect()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, heard: &Mutex<Vec<Vec<u8>>>, line: usize) {
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        if let Some(heard) = heard.lock().unwrap_or_else(PoisonError::into_inner).get_mut(line) {
            heard.extend_from_slice(&piece[..length]);
        }
        if to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    // Whoever hangs up first: the other hears it.
    let _ = (to.shutdown(Shutdown::Write), from.shutdown(Shutdown::Read));
}

/// Kind and length of each record.
fn records(mut bytes: &[u8]) -> Vec<(u8, usize)> {
    let mut records = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        records.push((*kind, length));
        bytes = rest.get(length..).unwrap_or(&[]);
    }
    records
}

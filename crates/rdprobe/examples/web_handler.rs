//! A probe inside a web handler: `curl http://127.0.0.1:8089/rds01:3390`. The server is as small as one can be; in a
//! framework's handler the same two lines stand.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::sync::Arc;

use rdprobe::{Admission, Probe};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8089".into());
    let listener = TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    // One for all requests: two that lead to one host take turns there.
    let admission = Arc::new(Admission::new());
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(answer(stream, Arc::clone(&admission)));
    }
}

async fn answer(stream: TcpStream, admission: Arc<Admission>) -> std::io::Result<()> {
    const LONGEST: u64 = 8192;
    let mut stream = BufReader::new(stream);
    let (mut request, mut header) = (String::new(), String::new());
    let mut head = (&mut stream).take(LONGEST);
    head.read_line(&mut request).await?;
    // To the empty line: what is left unread would reset the connection under the answer.
    while head.read_line(&mut header).await? > 2 {
        header.clear();
    }
    let path = request.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let (status, body) = match path.parse() {
        Ok(target) => {
            let report = Probe::new(target).admission(admission).run().await;
            ("200 OK", serde_json::to_string(&report)?)
        }
        Err(error) => ("400 Bad Request", error.to_string()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await
}

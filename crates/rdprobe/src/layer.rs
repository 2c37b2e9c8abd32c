//! What a connection is made of above TCP: layers that wrap what is sent and unwrap what came. They do no I/O; the
//! channel brings them their bytes.

use std::io::{self, Read as _, Write as _};

use rdprobe_report::facts::Alert;
use rustls::ClientConnection;

/// Why no more bytes come.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The socket's error, or `UnexpectedEof` for a FIN.
    Socket(io::Error),
    /// An alert inside TLS.
    Alert(Alert),
    /// TLS itself was broken by the peer.
    Tls(rustls::Error),
    /// The peer said goodbye in this layer (close_notify, RFC 8446 6.1).
    Closed,
}

/// One layer of a connection, over those below it.
pub(crate) trait Layer: Send {
    /// Wraps bytes from above, and appends what goes down.
    fn wrap(&mut self, plain: &[u8], wrapped: &mut Vec<u8>) -> io::Result<()>;

    /// Unwraps bytes from below, and appends what goes up. An error comes after what could still be unwrapped.
    fn unwrap(&mut self, wrapped: &[u8], plain: &mut Vec<u8>) -> Result<(), Broken>;

    /// Our goodbye, appended to what goes down.
    fn close(&mut self, wrapped: &mut Vec<u8>) -> io::Result<()>;
}

/// TLS after its handshake.
impl Layer for ClientConnection {
    fn wrap(&mut self, plain: &[u8], wrapped: &mut Vec<u8>) -> io::Result<()> {
        self.writer().write_all(plain)?;
        while self.wants_write() {
            self.write_tls(wrapped)?;
        }
        Ok(())
    }

    fn unwrap(&mut self, mut wrapped: &[u8], plain: &mut Vec<u8>) -> Result<(), Broken> {
        loop {
            if !wrapped.is_empty() {
                self.read_tls(&mut wrapped).map_err(Broken::Socket)?;
            }
            let state = self.process_new_packets();
            match self.reader().read_to_end(plain) {
                Ok(_) => return Err(Broken::Closed),
                // Nothing more in these records.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(Broken::Socket(error)),
            }
            state.map_err(|error| match error {
                rustls::Error::AlertReceived(description) => Broken::Alert(Alert::new(2, description.into())),
                other => Broken::Tls(other),
            })?;
            if wrapped.is_empty() {
                return Ok(());
            }
        }
    }

    fn close(&mut self, wrapped: &mut Vec<u8>) -> io::Result<()> {
        self.send_close_notify();
        self.wrap(&[], wrapped)
    }
}

//! Which port can a server or process of this test listen on?

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range the kernel hands to outgoing connections (32768 and up on Linux): a port from there could be
/// taken by any client between a server's death and its restart.
const FIRST: u16 = 12_000;
const COUNT: u16 = 8_000;

static HANDED_OUT: AtomicU16 = AtomicU16::new(0);

/// A port nobody listens on, never handed out twice by this process; processes begin at different places.
pub fn free_port() -> u16 {
    let spread = u16::try_from(std::process::id().wrapping_mul(37) % u32::from(COUNT)).expect("below COUNT");
    for _ in 0..COUNT {
        let offset = spread.wrapping_add(HANDED_OUT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = FIRST + offset;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("found no free port from {FIRST} to {}", FIRST + COUNT - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_differ() {
        let (first, second) = (free_port(), free_port());
        assert_ne!(first, second);
        TcpListener::bind(("127.0.0.1", first)).expect("is free");
    }
}

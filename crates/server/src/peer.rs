//! Who is at the other end of a connection: from which address, and on this machine as which user.

mod diag;

use std::net::{IpAddr, SocketAddr};

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub remote: SocketAddr,
    /// Whether the same user as ours, or root, opened the connection; nothing where the system does not tell.
    pub trusted_user: Option<bool>,
}

impl Peer {
    /// The peer of a connection that was just accepted.
    pub fn of(remote: SocketAddr, local: SocketAddr) -> Self {
        let trusted_user = if remote.ip().to_canonical().is_loopback() { socket_user(remote, local).map(is_trusted) } else { None };
        Self { remote, trusted_user }
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        self.remote.ip().to_canonical().is_loopback()
    }
}

fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::getuid().as_raw()
}

/// The user whose process has the socket at `remote`. Linux only.
fn socket_user(remote: SocketAddr, local: SocketAddr) -> Option<u32> {
    diag::user(remote, local).or_else(|| listed_user(remote, local))
}

/// The same from the kernel's list of all sockets, where it does not answer for one.
fn listed_user(remote: SocketAddr, local: SocketAddr) -> Option<u32> {
    let list = if remote.is_ipv4() { "/proc/self/net/tcp" } else { "/proc/self/net/tcp6" };
    find_user(&std::fs::read_to_string(list).ok()?, remote, local)
}

/// Looks a connection up in the kernel's list: a heading, then a line each, `0: 0100007F:1F43 0100007F:D2A4 01 ... uid`.
fn find_user(list: &str, remote: SocketAddr, local: SocketAddr) -> Option<u32> {
    let (from, to) = (listed(remote), listed(local));
    list.lines().skip(1).find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        (words.next()? == from && words.next()? == to).then(|| words.nth(4)?.parse().ok())?
    })
}

/// An address as the list has it: words of four bytes in the machine's order, in hexadecimal, then the port.
fn listed(address: SocketAddr) -> String {
    let octets = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let (words, _) = octets.as_chunks::<4>();
    let ip = words.iter().fold(String::new(), |text, word| text + &format!("{:08X}", u32::from_ne_bytes(*word)));
    format!("{ip}:{:04X}", address.port())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn uid() -> u32 {
        rustix::process::getuid().as_raw()
    }

    #[test]
    fn the_kernels_list_is_read() {
        let list = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:1F43 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n\
             1: 0100007F:D2A4 0100007F:1F43 01 00000000:00000000 00:00000000 00000000  1000        0 2 1\n";
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        assert_eq!(find_user(list, address(0xD2A4), address(0x1F43)), Some(1000));
        assert_eq!(find_user(list, address(0xD2A5), address(0x1F43)), None);
        assert_eq!(find_user("", address(1), address(2)), None);
    }

    #[test]
    fn a_connection_of_our_own_is_of_a_trusted_user() {
        for bound in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(bound) else {
                println!("SKIPPED {bound}: this machine has no such address");
                continue;
            };
            let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, remote) = listener.accept().unwrap();
            let peer = Peer::of(remote, stream.local_addr().unwrap());
            assert!(peer.is_loopback());
            if cfg!(target_os = "linux") {
                let own = stream.local_addr().unwrap();
                assert_eq!(peer.trusted_user, Some(true));
                // Both ways to ask say the same, of what is there and of what is not.
                assert_eq!((diag::user(remote, own), listed_user(remote, own)), (Some(uid()), Some(uid())));
                let nobodys = SocketAddr::new(remote.ip(), 1);
                assert_eq!((diag::user(nobodys, own), listed_user(nobodys, own)), (None, None));
            }
        }
    }
}

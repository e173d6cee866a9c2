//! The network a request came from: an IPv4 address, or the /64 that one holder of IPv6 has to himself.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Whoever sends from there is counted as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Network {
    V4(Ipv4Addr),
    V6(u64),
}

impl Network {
    /// The network of an address.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            // The upper half.
            IpAddr::V6(address) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }

    /// Where what has no sender comes from: only a router that is asked without a connection meets that.
    pub(crate) const fn unknown() -> Self {
        Self::V4(Ipv4Addr::UNSPECIFIED)
    }
}

/// Connections that are open, by network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Arc<Mutex<HashMap<Network, usize>>>);

/// Stands for a connection that is open.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    connections: Connections,
    network: Network,
}

impl Connections {
    /// One more from there, which may have so many; 0 is as many as it likes.
    pub(crate) fn open(&self, network: Network, most: usize) -> Option<OpenConnection> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(network).or_default();
        // One that is refused found another open, so the entry is somebody's.
        if most > 0 && *count >= most {
            return None;
        }
        *count += 1;
        Some(OpenConnection { connections: self.clone(), network })
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let mut open = self.connections.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    #[test]
    fn a_network_is_what_one_holder_has() {
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    }

    #[test]
    fn connections_are_counted_while_they_are_open() {
        let (connections, here, there) = (Connections::default(), network("192.0.2.1"), network("192.0.2.2"));
        let first = connections.open(here, 2);
        let second = connections.open(here, 2);
        assert!(first.is_some() && second.is_some() && connections.open(here, 2).is_none());
        assert!(connections.open(there, 2).is_some() && connections.open(here, 0).is_some());
        drop(first);
        assert!(connections.open(here, 2).is_some());
        drop(second);
        assert!(connections.0.lock().unwrap().is_empty());
    }
}

//! Asks the kernel about one socket (netlink's sock_diag, `man 7 sock_diag`): which user has it. To read the list of all sockets instead
//! takes a millisecond and more on a busy machine, for every connection.

use std::net::{IpAddr, SocketAddr};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};

/// The request: a head of 16 bytes and `inet_diag_req_v2`. The answer: a head and `inet_diag_msg`, the user 64 bytes into it.
const HEAD: usize = 16;
const REQUEST: usize = HEAD + 56;
const USER: usize = HEAD + 64;

/// `SOCK_DIAG_BY_FAMILY`, in requests and answers.
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST`: of one socket, without `NLM_F_DUMP`.
const OF_ONE: u16 = 1;
/// `IPPROTO_TCP`.
const TCP: u8 = 6;
/// `INET_DIAG_NOCOOKIE`.
const NO_COOKIE: [u8; 8] = [0xff; 8];

/// The user of the socket on this machine that is bound to `own` and connected to `other`. None when there is none, or the kernel does
/// not say.
pub(super) fn user(own: SocketAddr, other: SocketAddr) -> Option<u32> {
    let kernel = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG)).ok()?;
    send(&kernel, &request(own, other), SendFlags::empty()).ok()?;
    let mut answer = [0; 1024];
    // The answer is there when `send` returns.
    let (_, len) = recv(&kernel, &mut answer[..], RecvFlags::DONTWAIT).ok()?;
    let answer = answer.get(..len)?;
    let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
    // Anything else says that there is no such socket.
    (kind == BY_FAMILY).then(|| Some(u32::from_ne_bytes(answer.get(USER..USER + 4)?.try_into().ok()?)))?
}

fn request(own: SocketAddr, other: SocketAddr) -> Vec<u8> {
    let family = if own.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let mut request = Vec::with_capacity(REQUEST);
    request.extend_from_slice(&u32::try_from(REQUEST).unwrap_or_default().to_ne_bytes());
    request.extend_from_slice(&BY_FAMILY.to_ne_bytes());
    request.extend_from_slice(&OF_ONE.to_ne_bytes());
    // Sequence and sender: there is one answer, and it comes to this socket.
    request.extend_from_slice(&[0; 8]);
    request.extend_from_slice(&[family.as_raw().to_le_bytes()[0], TCP, 0, 0]);
    // Whatever state it is in.
    request.extend_from_slice(&u32::MAX.to_ne_bytes());
    request.extend_from_slice(&own.port().to_be_bytes());
    request.extend_from_slice(&other.port().to_be_bytes());
    request.extend_from_slice(&octets(own.ip()));
    request.extend_from_slice(&octets(other.ip()));
    // Any interface.
    request.extend_from_slice(&[0; 4]);
    request.extend_from_slice(&NO_COOKIE);
    request
}

fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
        IpAddr::V6(ip) => ip.octets(),
    }
}

//! IP addresses and networks, as Go's `net/netip` reads them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cel::common::types::{CelBool, CelInt, CelString};
use cel::common::value::Val;
use cel::{DeclarationError, Env, ExecutionError};

use super::Library;
use super::opaque::opaque;
use crate::errors::failed;

pub(super) const LIBRARY: Library = Library {
    global: &[("ip", &[1]), ("isIP", &[1]), ("ip.isCanonical", &[1]), ("cidr", &[1]), ("isCIDR", &[1])],
    member: &[
        ("family", &[0]),
        ("isUnspecified", &[0]),
        ("isLoopback", &[0]),
        ("isLinkLocalMulticast", &[0]),
        ("isLinkLocalUnicast", &[0]),
        ("isGlobalUnicast", &[0]),
        ("containsIP", &[1]),
        ("containsCIDR", &[1]),
        ("ip", &[0]),
        ("masked", &[0]),
        ("prefixLength", &[0]),
    ],
    register,
};

/// An address.
#[derive(Debug, Clone, PartialEq)]
struct Ip(IpAddr);
opaque!(Ip, "net.IP");

/// An address and how many of its bits name the network.
#[derive(Debug, Clone, PartialEq)]
struct Cidr {
    address: IpAddr,
    bits: u8,
}
opaque!(Cidr, "net.CIDR");

fn register(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_type(Ip::cel_type().to_owned())?;
    env.add_type(Cidr::cel_type().to_owned())?;
    cel::add_overload!(env, fn ip: (CelString) -> Result<Ip>, name = "ip")?;
    cel::add_overload!(env, fn is_ip: (CelString) -> CelBool, name = "isIP")?;
    cel::add_overload!(env, fn is_canonical: (CelString) -> Result<CelBool>, name = "ip.isCanonical")?;
    cel::add_overload!(env, fn ip_text: (Ip) -> CelString, name = "string")?;
    cel::add_member_overload!(env, fn family: (Ip) -> CelInt)?;
    cel::add_member_overload!(env, fn is_unspecified: (Ip) -> CelBool)?;
    cel::add_member_overload!(env, fn is_loopback: (Ip) -> CelBool)?;
    cel::add_member_overload!(env, fn link_local_multicast: (Ip) -> CelBool, name = "isLinkLocalMulticast")?;
    cel::add_member_overload!(env, fn link_local_unicast: (Ip) -> CelBool, name = "isLinkLocalUnicast")?;
    cel::add_member_overload!(env, fn global_unicast: (Ip) -> CelBool, name = "isGlobalUnicast")?;
    cel::add_overload!(env, fn cidr: (CelString) -> Result<Cidr>, name = "cidr")?;
    cel::add_overload!(env, fn is_cidr: (CelString) -> CelBool, name = "isCIDR")?;
    cel::add_overload!(env, fn cidr_text: (Cidr) -> CelString, name = "string")?;
    cel::add_member_overload!(env, fn contains_ip: (Cidr, Ip) -> CelBool, name = "containsIP")?;
    cel::add_member_overload!(env, fn contains_ip_text: (Cidr, CelString) -> Result<CelBool>, name = "containsIP")?;
    cel::add_member_overload!(env, fn contains_cidr: (Cidr, Cidr) -> CelBool, name = "containsCIDR")?;
    cel::add_member_overload!(env, fn contains_cidr_text: (Cidr, CelString) -> Result<CelBool>, name = "containsCIDR")?;
    cel::add_member_overload!(env, fn network_ip: (Cidr) -> Ip, name = "ip")?;
    cel::add_member_overload!(env, fn masked: (Cidr) -> Cidr)?;
    cel::add_member_overload!(env, fn prefix_length: (Cidr) -> CelInt)
}

/// Neither with a zone nor an IPv4 address in an IPv6 one.
fn parse_ip(text: &str) -> Option<IpAddr> {
    match text.parse().ok()? {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => None,
        address => Some(address),
    }
}

fn parse_cidr(text: &str) -> Option<Cidr> {
    let (address, bits) = text.rsplit_once('/')?;
    let address = parse_ip(address)?;
    let plain = bits.bytes().all(|byte| byte.is_ascii_digit()) && (bits == "0" || !bits.starts_with('0'));
    let bits: u8 = bits.parse().ok().filter(|_| plain)?;
    (bits <= width(address)).then_some(Cidr { address, bits })
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn mask(address: IpAddr, bits: u8) -> IpAddr {
    let kept = |width: u32| u128::MAX.checked_shl(width.saturating_sub(u32::from(bits))).unwrap_or(0);
    match address {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & kept(32) as u32)),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & kept(128))),
    }
}

fn ip(text: &CelString<'_>) -> Result<Ip, ExecutionError> {
    parse_ip(text.inner()).map(Ip).ok_or_else(|| failed("ip", "not an IP address"))
}

fn is_ip(text: &CelString<'_>) -> CelBool {
    parse_ip(text.inner()).is_some().into()
}

fn is_canonical(text: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    let address = parse_ip(text.inner()).ok_or_else(|| failed("ip.isCanonical", "not an IP address"))?;
    Ok((address.to_string() == text.inner()).into())
}

fn ip_text(ip: &Ip) -> CelString<'static> {
    ip.0.to_string().into()
}

fn family(ip: &Ip) -> CelInt {
    CelInt::from(if ip.0.is_ipv4() { 4 } else { 6 })
}

fn is_unspecified(ip: &Ip) -> CelBool {
    ip.0.is_unspecified().into()
}

fn is_loopback(ip: &Ip) -> CelBool {
    ip.0.is_loopback().into()
}

fn link_local_multicast(ip: &Ip) -> CelBool {
    let found = match ip.0 {
        IpAddr::V4(address) => address.octets().starts_with(&[224, 0, 0]),
        IpAddr::V6(address) => address.segments().first().is_some_and(|first| first & 0xff0f == 0xff02),
    };
    found.into()
}

fn is_link_local(ip: &Ip) -> bool {
    match ip.0 {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.segments().first().is_some_and(|first| first & 0xffc0 == 0xfe80),
    }
}

fn link_local_unicast(ip: &Ip) -> CelBool {
    is_link_local(ip).into()
}

fn global_unicast(ip: &Ip) -> CelBool {
    let other =
        ip.0.is_unspecified() || ip.0.is_loopback() || ip.0.is_multicast() || is_link_local(ip) || ip.0 == IpAddr::V4(Ipv4Addr::BROADCAST);
    (!other).into()
}

fn cidr(text: &CelString<'_>) -> Result<Cidr, ExecutionError> {
    parse_cidr(text.inner()).ok_or_else(|| failed("cidr", "not a network in CIDR notation"))
}

fn is_cidr(text: &CelString<'_>) -> CelBool {
    parse_cidr(text.inner()).is_some().into()
}

fn cidr_text(cidr: &Cidr) -> CelString<'static> {
    format!("{}/{}", cidr.address, cidr.bits).into()
}

fn contains(cidr: &Cidr, address: IpAddr) -> bool {
    cidr.address.is_ipv4() == address.is_ipv4() && mask(cidr.address, cidr.bits) == mask(address, cidr.bits)
}

fn contains_ip(cidr: &Cidr, ip: &Ip) -> CelBool {
    contains(cidr, ip.0).into()
}

fn contains_ip_text(cidr: &Cidr, text: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    Ok(contains_ip(cidr, &ip(text)?))
}

fn contains_cidr(cidr: &Cidr, other: &Cidr) -> CelBool {
    (cidr.bits <= other.bits && contains(cidr, other.address)).into()
}

fn contains_cidr_text(this: &Cidr, text: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    Ok(contains_cidr(this, &cidr(text)?))
}

fn network_ip(cidr: &Cidr) -> Ip {
    Ip(cidr.address)
}

fn masked(cidr: &Cidr) -> Cidr {
    Cidr { address: mask(cidr.address, cidr.bits), bits: cidr.bits }
}

fn prefix_length(cidr: &Cidr) -> CelInt {
    CelInt::from(i64::from(cidr.bits))
}

//! Random text for tokens, keys and ids.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::error::Unspecified;
use ring::rand::{SecureRandom as _, SystemRandom};

/// `length` characters of base64url: 6 random bits each.
pub(crate) fn text(length: usize) -> Result<String, Unspecified> {
    let mut bytes = vec![0_u8; length / 4 * 3 + 3];
    SystemRandom::new().fill(&mut bytes)?;
    let mut text = URL_SAFE_NO_PAD.encode(bytes);
    text.truncate(length);
    Ok(text)
}

/// `length` lower-case hexadecimal digits.
pub(crate) fn hex(length: usize) -> Result<String, Unspecified> {
    let mut bytes = vec![0_u8; length.div_ceil(2)];
    SystemRandom::new().fill(&mut bytes)?;
    let mut text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(length);
    Ok(text)
}

/// A random UUID in its usual spelling (RFC 9562, version 4).
pub(crate) fn uuid() -> Result<String, Unspecified> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes)?;
    let bits = u128::from_be_bytes(bytes);
    let bits = bits & !(0xf << 76) & !(0b11 << 62) | (0x4 << 76) | (0b10 << 62);
    Ok(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        bits >> 80 & 0xffff,
        bits >> 64 & 0xffff,
        bits >> 48 & 0xffff,
        bits & 0xffff_ffff_ffff
    ))
}

//! How the ABI writes a list of pairs: how many, all sizes, then name and value of each, both with a zero behind.
//! (`proxy_wasm::exports::marshalPairs`; read strictly, as the filter has to write it.)

use wasmtime::{Result, ensure, format_err};

pub(super) type Pairs = Vec<(String, String)>;

pub(super) fn write(pairs: &Pairs) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    let mut out = number(pairs.len()).to_vec();
    for (name, value) in pairs {
        out.extend(number(name.len()));
        out.extend(number(value.len()));
    }
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        out.extend_from_slice(text.as_bytes());
        out.push(0);
    }
    out
}

pub(super) fn read(bytes: &[u8]) -> Result<Pairs> {
    // None at all may be written as nothing at all.
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut rest = bytes;
    let count = number(&mut rest)?;
    let sizes: Vec<_> =
        (0..count).map(|_| Ok((number(&mut rest)?, number(&mut rest)?))).collect::<Result<_>>()?;
    let mut text = |size: usize| {
        let (text, after) = rest.split_at_checked(size).ok_or_else(cut_off)?;
        let (zero, after) = after.split_first().ok_or_else(cut_off)?;
        ensure!(*zero == 0, "a text of {size} bytes is followed by {zero}");
        rest = after;
        Ok(String::from_utf8(text.to_vec())?)
    };
    let pairs = sizes.into_iter().map(|(name, value)| Ok((text(name)?, text(value)?))).collect();
    ensure!(rest.is_empty(), "{} bytes are left", rest.len());
    pairs
}

fn number(rest: &mut &[u8]) -> Result<usize> {
    let (number, after) = rest.split_first_chunk().ok_or_else(cut_off)?;
    *rest = after;
    Ok(usize::try_from(u32::from_le_bytes(*number))?)
}

fn cut_off() -> wasmtime::Error {
    format_err!("a list of pairs is cut off")
}

#[test]
fn what_is_written_can_be_read() {
    let pairs = vec![("a".to_owned(), "bc".to_owned()), (":d".to_owned(), String::new())];
    assert_eq!(read(&write(&pairs)).unwrap(), pairs);
    assert_eq!(read(&write(&Vec::new())).unwrap(), Vec::new());
    assert!(read(&write(&pairs)[1..]).is_err());
}

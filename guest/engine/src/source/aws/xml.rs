//! One element of an STS answer. No parser: what is wanted is a text between two tags that stand there once.

use alloc::string::String;

use crate::secret::Secret;
use crate::split;

/// The text of the only element `name`, without children. None when it is missing, empty, there twice, or not plain.
pub(super) fn element(xml: &[u8], name: &str) -> Option<Secret> {
    let xml = str::from_utf8(xml).ok()?;
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let (_, after) = split::once(xml, &open)?;
    let (text, rest) = split::once(after, "<")?;
    // What follows the text is its own end tag, whose `<` was just split off.
    let rest = rest.strip_prefix(close.get(1..)?)?;
    let text = text.trim_ascii();
    if text.is_empty() || split::once(rest, &open).is_some() {
        return None;
    }
    unescape(text)
}

/// XML 1.0, section 4.6, and numeric references.
fn unescape(text: &str) -> Option<Secret> {
    // It only gets shorter.
    let mut plain = String::with_capacity(text.len());
    let mut pieces = text.split('&');
    plain.push_str(pieces.next()?);
    for piece in pieces {
        let (name, after) = split::once(piece, ";")?;
        plain.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = name.strip_prefix('#')?;
                let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |hex| (hex, 16));
                char::from_u32(number_of(digits, radix)?)?
            }
        });
        plain.push_str(after);
    }
    Some(Secret::new(plain))
}

fn number_of(digits: &str, radix: u32) -> Option<u32> {
    let next = |number: u32, digit: char| number.checked_mul(radix)?.checked_add(digit.to_digit(radix)?);
    if digits.is_empty() { None } else { digits.chars().try_fold(0, next) }
}

#[cfg(test)]
mod tests {
    use super::element;

    fn code(xml: &str) -> Option<String> {
        element(xml.as_bytes(), "Code").map(|text| text.expose().to_owned())
    }

    #[test]
    fn the_text_between_the_tags() {
        for (xml, text) in [
            ("<Error><Code>AccessDenied</Code><Message>no</Message></Error>", "AccessDenied"),
            ("<Code>\n  x \n</Code>", "x"),
            ("<Code>a+b/c==</Code>", "a+b/c=="),
            ("<Code>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</Code>", "<&>\"'AB"),
            ("<Codes><Code>x</Code></Codes>", "x"),
        ] {
            assert_eq!(code(xml).as_deref(), Some(text), "{xml}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for xml in [
            "",
            "<Code>",
            "<Code/>",
            "<Code></Code>",
            "<Code> </Code>",
            "<Code>x",
            "<Code>x<",
            "<Code>x</Code",
            "<Code>x</Codes>",
            "<Code><b>x</b></Code>",
            "<Code>x</Code><Code>y</Code>",
            "<Code>&</Code>",
            "<Code>&nbsp;</Code>",
            "<Code>&#xD800;</Code>",
            "<Code>&#99999999999;</Code>",
            "<Code><![CDATA[x]]></Code>",
            "<code>x</code>",
        ] {
            assert_eq!(code(xml), None, "{xml}");
        }
        assert!(element(b"<Code>\xff</Code>", "Code").is_none());
    }
}

//! Regions and the names of their STS endpoints (AWS general reference, "AWS STS endpoints and quotas").

use alloc::string::String;

use crate::split;

/// Domains of the partitions other than the public one, by the beginnings of their regions' names.
const DOMAINS: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-", "amazonaws.eu"),
];

/// Whether it has the form of a region, which `aws-global` has not: the token call is offered by regions only.
pub(super) fn is_region(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let (_, number) = split::last(text, "-").unwrap_or_default();
    (4..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(plain)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The STS endpoint of a region.
pub(super) fn sts_endpoint(region: &str) -> String {
    let domain = DOMAINS.iter().find(|(beginning, _)| region.starts_with(beginning));
    format!("https://sts.{region}.{}", domain.map_or("amazonaws.com", |(_, domain)| domain))
}

#[cfg(test)]
mod tests {
    use super::{is_region, sts_endpoint};

    #[test]
    fn a_region_cannot_be_anything_else() {
        for good in
            ["us-east-1", "eu-central-2", "us-gov-west-1", "cn-north-1", "ap-southeast-7", "eusc-de-east-1"]
        {
            assert!(is_region(good), "{good}");
        }
        for bad in [
            "",
            "us",
            "aws-global",
            "us-east",
            "us-east-1a",
            "US-EAST-1",
            "us-east-1.evil.example",
            "us_east_1",
            "us-east-",
            "-us-east-1",
            "1-1-1",
            "us-east-1/",
            "us-east-1 ",
            "us-éast-1",
            "us-east-00000000000000000000000000000000001",
        ] {
            assert!(!is_region(bad), "{bad}");
        }
    }

    #[test]
    fn each_partition_has_its_domain() {
        for (region, host) in [
            ("us-east-1", "https://sts.us-east-1.amazonaws.com"),
            ("us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com"),
            ("cn-northwest-1", "https://sts.cn-northwest-1.amazonaws.com.cn"),
            ("us-isob-east-1", "https://sts.us-isob-east-1.sc2s.sgov.gov"),
            ("us-iso-east-1", "https://sts.us-iso-east-1.c2s.ic.gov"),
        ] {
            assert_eq!(sts_endpoint(region), host);
        }
    }
}

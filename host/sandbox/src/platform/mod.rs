//! The platforms beside the cluster: each has an issuer of its own, and one workload.

pub(crate) mod azure;
pub(crate) mod gcp;
pub(crate) mod github;

use ring::error::Unspecified;
use serde_json::{Value, json};

use crate::aws;
use crate::issuer::curve::Curve;
use crate::issuer::keys::KeyRing;
use crate::random;
use crate::world::World;

/// A platform.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    Azure,
    Gcp,
    Github,
    Aws,
    Spiffe,
}

/// The SPIFFE ID of the one workload.
pub(crate) const SPIFFE_ID: &str = "spiffe://cluster.example/ns/default/sa/app";

impl Platform {
    pub(crate) const ALL: [Self; 5] = [Self::Azure, Self::Gcp, Self::Github, Self::Aws, Self::Spiffe];

    /// As in the address of its issuer and in the names of what vendors know about it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Azure => "azure",
            Self::Gcp => "gcp",
            Self::Github => "github",
            Self::Aws => "aws",
            Self::Spiffe => "spiffe",
        }
    }

    /// `sub` of its workload.
    pub(crate) fn subject(self) -> &'static str {
        match self {
            Self::Azure => azure::OBJECT_ID,
            Self::Gcp => gcp::UNIQUE_ID,
            Self::Github => github::SUBJECT,
            Self::Aws => aws::ROLE_ARN,
            Self::Spiffe => SPIFFE_ID,
        }
    }
}

/// What the platforms hold.
pub(crate) struct Platforms {
    azure: KeyRing,
    gcp: KeyRing,
    github: KeyRing,
    aws: KeyRing,
    spiffe: KeyRing,
    pub(crate) secrets: Secrets,
}

/// What a platform hands to its workload in a variable, so that the workload alone gets tokens.
pub(crate) struct Secrets {
    pub(crate) identity_header: String,
    pub(crate) github_request_token: String,
    pub(crate) pod_token: String,
}

impl Platforms {
    pub(crate) fn new() -> Result<Self, Unspecified> {
        Ok(Self {
            azure: KeyRing::new(Curve::P256)?,
            gcp: KeyRing::new(Curve::P256)?,
            github: KeyRing::new(Curve::P256)?,
            aws: KeyRing::new(Curve::P384)?,
            spiffe: KeyRing::new(Curve::P256)?,
            secrets: Secrets {
                identity_header: random::uuid()?,
                github_request_token: random::text(86)?,
                pod_token: random::text(86)?,
            },
        })
    }

    /// Those of the platform's issuer.
    pub(crate) fn keys(&self, platform: Platform) -> &KeyRing {
        match platform {
            Platform::Azure => &self.azure,
            Platform::Gcp => &self.gcp,
            Platform::Github => &self.github,
            Platform::Aws => &self.aws,
            Platform::Spiffe => &self.spiffe,
        }
    }
}

impl World {
    /// A token of that platform for its workload: `own` are the claims that only this platform makes.
    pub(crate) fn issue_as(
        &self,
        platform: Platform,
        audience: &Value,
        lifetime_s: u64,
        own: Value,
    ) -> Result<Issued, Unspecified> {
        let now_s = self.clock.now_s();
        let mut claims = json!({
            "aud": audience,
            "exp": now_s + lifetime_s,
            "iat": now_s,
            "iss": self.addresses.issuer_of(platform),
            "jti": random::uuid()?,
            "nbf": now_s,
            "sub": platform.subject(),
        });
        if let (Some(claims), Value::Object(own)) = (claims.as_object_mut(), own) {
            claims.extend(own);
        }
        let token = self.platforms.keys(platform).current().issue(&claims)?;
        Ok(Issued { token, now_s, expires_at_s: now_s + lifetime_s })
    }
}

/// A token that has just been signed.
pub(crate) struct Issued {
    pub(crate) token: String,
    pub(crate) now_s: u64,
    pub(crate) expires_at_s: u64,
}

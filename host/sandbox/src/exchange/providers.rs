//! The identity providers that a vendor knows: the cluster, and every other platform of the sandbox.

use std::sync::Arc;

use super::provider::IdentityProvider;
use crate::platform::Platform;
use crate::world::World;

/// One vendor's providers. Each vendor fetches and keeps the keys for itself.
pub(crate) struct Providers {
    cluster: IdentityProvider,
    platforms: Vec<(Platform, IdentityProvider)>,
}

impl Providers {
    /// All expect tokens that are aimed at `audience`.
    pub(crate) fn new(world: &World, audience: &str) -> Self {
        let provider = |issuer, subject| {
            IdentityProvider::new(issuer, audience.to_owned(), subject, Arc::clone(&world.tls_client))
        };
        Self {
            cluster: provider(world.addresses.issuer(), world.options.subject()),
            platforms: Platform::ALL
                .into_iter()
                .map(|platform| {
                    let issuer = world.addresses.issuer_of(platform);
                    (platform, provider(issuer, platform.subject().to_owned()))
                })
                .collect(),
        }
    }

    /// `name` is the cluster's provider, `name_azure` the one of Azure, and so on.
    pub(crate) fn named(&self, asked: &str, name: &str) -> Option<&IdentityProvider> {
        match asked.strip_prefix(name)? {
            "" => Some(&self.cluster),
            rest => {
                let wanted = rest.strip_prefix('_')?;
                let found = self.platforms.iter().find(|(platform, _)| platform.as_str() == wanted);
                found.map(|(_, provider)| provider)
            }
        }
    }
}

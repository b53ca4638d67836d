//! The grant for those who send requests of their own, beside the component.

use std::sync::Arc;

use super::{AllowList, Body, Fault, Patience, Sender, Sending};
use crate::{Error, Grant};

/// Hands on what a grant allows: the requests of the component are held to it by its gate, others by this.
pub struct Granted {
    allowed: AllowList,
    sender: Arc<dyn Sender>,
}

impl Granted {
    /// Nothing but the endpoints of `grant` goes to `sender`.
    ///
    /// # Errors
    /// `grant-endpoint-invalid`, `grant-endpoint-insecure`.
    pub fn new(sender: Arc<dyn Sender>, grant: &Grant) -> Result<Self, Error> {
        Ok(Self { allowed: AllowList::new(grant)?, sender })
    }
}

impl Sender for Granted {
    fn send(&self, request: http::Request<Body>, patience: Patience) -> Sending {
        if self.allowed.permits(request.method(), request.uri()) {
            return self.sender.send(request, patience);
        }
        Box::pin(async { Err(Fault::Denied) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Endpoint;

    struct Answering;

    impl Sender for Answering {
        fn send(&self, _: http::Request<Body>, _: Patience) -> Sending {
            Box::pin(async { Ok(http::Response::new(Body::default())) })
        }
    }

    #[tokio::test]
    async fn what_is_not_granted_does_not_reach_the_sender() {
        let grant = Grant::none().endpoint(Endpoint::new("GET", "https://api.example/keys"));
        let granted = Granted::new(Arc::new(Answering), &grant).unwrap();
        for (method, url, allowed) in [
            ("GET", "https://api.example/keys?limit=100", true),
            ("DELETE", "https://api.example/keys", false),
            ("GET", "https://api.example/keys/key_1", false),
            ("GET", "http://api.example/keys", false),
        ] {
            let request = http::Request::builder().method(method).uri(url).body(Body::default()).unwrap();
            let patience = Patience { connect: std::time::Duration::ZERO, total: std::time::Duration::ZERO };
            let sent = granted.send(request, patience).await.map(drop);
            assert_eq!(sent, if allowed { Ok(()) } else { Err(Fault::Denied) }, "{method} {url}");
        }
    }
}

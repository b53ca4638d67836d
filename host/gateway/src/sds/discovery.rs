//! Envoy's secret discovery service: `envoy.service.secret.v3.SecretDiscoveryService`
//! (<https://www.envoyproxy.io/docs/envoy/v1.40.0/api-v3/service/secret/v3/sds.proto>).
//!
//! A client names the secrets that it wants, and each credential is pushed to it when it comes.

use http::{Request, StatusCode};
use hyper::body::Incoming;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::subscription::{News, Subscription, TooMany};
use super::wish::{Names, Update, Wish};
use crate::answer;
use crate::connection::Connections;
use crate::grpc::messages;
use crate::grpc::messages::discovery::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use crate::grpc::messages::secret::TYPE_URL;
use crate::grpc::{self, Replies};
use crate::service::{Answering, Peer, Service};

/// Answers that may wait for a client that does not read. Further credentials wait at their connection.
const AHEAD: usize = 2;

/// What is shown of a client's complaint, in characters.
const SHOWN: usize = 300;

/// The service of an `[sds.NAME]` with `listen`.
#[derive(Clone)]
pub(crate) struct Discovery {
    served: Connections,
    closing: CancellationToken,
}

impl Discovery {
    pub(crate) fn new(served: Connections) -> Self {
        Self { served, closing: CancellationToken::new() }
    }

    fn stream<I, O>(&self, incoming: Streaming<I>) -> Replies<O>
    where
        I: Message + Default + Into<Wish> + 'static,
        O: Message + Default + From<Update> + 'static,
    {
        let (replies, stream) = mpsc::channel(AHEAD);
        let subscription = Subscription::new(self.served.clone());
        let conversation =
            Conversation { incoming, replies: replies.clone(), subscription, answered: 0, complained: false };
        let closing = self.closing.clone();
        tokio::spawn(async move {
            // A stream never ends by itself: whoever comes again finds the service that is there then.
            let ended = tokio::select! {
                ended = conversation.run() => ended,
                () = closing.cancelled() => Err(Status::unavailable("the service is closing; subscribe again")),
            };
            if let Err(status) = ended {
                // A client that does not read sees the end without its reason.
                let _full = replies.try_send(Err(status));
            }
        });
        Box::pin(ReceiverStream::new(stream))
    }
}

impl Service for Discovery {
    fn call(&self, request: Request<Incoming>, _: &Peer) -> Answering {
        if !grpc::is_call(&request) {
            let message = "this listener speaks gRPC: Envoy's secret discovery service";
            let response = answer::error(StatusCode::NOT_FOUND, "grpc-only", message);
            return Box::pin(std::future::ready(response));
        }
        let service = self.clone();
        match request.uri().path() {
            "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets" => {
                grpc::streaming(request, move |incoming: Streaming<DiscoveryRequest>| {
                    service.stream::<_, DiscoveryResponse>(incoming)
                })
            }
            "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets" => {
                grpc::streaming(request, move |incoming: Streaming<DeltaDiscoveryRequest>| {
                    service.stream::<_, DeltaDiscoveryResponse>(incoming)
                })
            }
            _ => grpc::unimplemented(),
        }
    }

    fn close(&self) {
        self.closing.cancel();
    }
}

/// One stream.
struct Conversation<I, O> {
    incoming: Streaming<I>,
    replies: mpsc::Sender<Result<O, Status>>,
    subscription: Subscription,
    /// Answers so far; the number of the last one is its nonce.
    answered: u64,
    /// Whether a complaint about the last answer was logged.
    complained: bool,
}

impl<I, O> Conversation<I, O>
where
    I: Message + Default + Into<Wish> + 'static,
    O: Message + Default + From<Update> + 'static,
{
    /// Until the client leaves, or a connection ends.
    async fn run(mut self) -> Result<(), Status> {
        loop {
            let news = tokio::select! {
                () = self.replies.closed() => return Ok(()),
                message = self.incoming.message() => match message? {
                    Some(message) => self.hear(message.into())?,
                    None => return Ok(()),
                },
                news = self.subscription.next() => match news {
                    Some(news) => vec![news],
                    None => return Err(Status::unavailable("a connection has ended; subscribe again")),
                },
            };
            for News { generation, secrets } in news {
                self.answered += 1;
                self.complained = false;
                let update = Update { generation, nonce: self.answered.to_string(), secrets };
                if self.replies.send(Ok(update.into())).await.is_err() {
                    return Ok(());
                }
            }
        }
    }

    /// What is to be said at once.
    fn hear(&mut self, wish: Wish) -> Result<Vec<News>, Status> {
        if !wish.type_url.is_empty() && wish.type_url != TYPE_URL {
            return Err(Status::invalid_argument(format!(
                "this service has resources of the type {TYPE_URL} alone"
            )));
        }
        if let Some(refusal) = &wish.refusal {
            self.complaint(refusal);
        }
        let about_an_older_answer = !wish.nonce.is_empty() && wish.nonce != self.answered.to_string();
        if about_an_older_answer && matches!(wish.names, Names::All(_)) {
            // The client has not seen the last answer yet, and says what it wants once more when it has.
            return Ok(Vec::new());
        }
        self.subscription.ask(wish.names).map_err(|TooMany| Status::resource_exhausted("too many names"))
    }

    /// The same secret would be refused again: it is not sent again, the next one is.
    fn complaint(&mut self, refusal: &messages::core::Status) {
        if std::mem::replace(&mut self.complained, true) {
            return;
        }
        let quotes = self.subscription.is_quoted_in(&refusal.message);
        let reason: String = if quotes {
            "(withheld: it quotes the secret)".to_owned()
        } else {
            refusal.message.chars().take(SHOWN).collect()
        };
        tracing::warn!(
            code = refusal.code,
            reason,
            "a gateway does not accept a secret, and keeps the one before"
        );
    }
}

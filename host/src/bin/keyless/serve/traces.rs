//! Where traces go, and what the library tells of renewals as spans.

use std::env;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use keyless_gateway::{Collector, Traces};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::cli::ServeArgs;
use crate::output::problem::Problem;

/// OpenTelemetry's variables, <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const SERVICE: &str = "OTEL_SERVICE_NAME";
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// The collector that `--traces` names, or else OpenTelemetry's variables. `None`: nobody wants traces.
///
/// # Errors
/// `traces-endpoint` when the variable holds no URL.
pub(super) fn collector(args: &ServeArgs) -> Result<Option<Collector>, Problem> {
    let said = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
    let collector = match (&args.traces, said(ENDPOINT)) {
        (Some(collector), _) => collector.clone(),
        (None, None) => return Ok(None),
        (None, Some(_)) if said(DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true")) => {
            return Ok(None);
        }
        (None, Some(_)) if said(PROTOCOL).is_some_and(|protocol| protocol == "grpc") => {
            tracing::warn!(
                "${PROTOCOL} asks for gRPC, which is not spoken here: no traces are sent; name the collector's port for OTLP \
                 over HTTP with --traces, by default 4318"
            );
            return Ok(None);
        }
        (None, Some(url)) => url.parse().map_err(|reason: String| {
            Problem::invalid(
                "traces-endpoint",
                format!("${ENDPOINT} cannot be used: {reason}"),
                "correct it, or unset it if no traces are wanted",
            )
        })?,
    };
    Ok(Some(match said(SERVICE) {
        Some(name) => collector.named(&name),
        None => collector,
    }))
}

/// Set once, by `serve`; the subscriber is there before.
static TRACES: OnceLock<Traces> = OnceLock::new();

/// Renewals are sent there from now on.
pub(super) fn tell_of_renewals(traces: Traces) {
    // There is one `serve` in a process.
    let _first = TRACES.set(traces);
}

/// Makes a span of each line in which the library tells how an attempt to get a credential went.
pub(crate) fn renewals<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    let filter = Targets::new()
        .with_target("keyless::renewal", LevelFilter::INFO)
        .with_target("keyless::serve", LevelFilter::INFO);
    Renewals.with_filter(filter)
}

struct Renewals;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Renewals {
    /// The span that a connection's task runs in.
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().name() != "connection" {
            return;
        }
        let mut told = Told::default();
        attributes.record(&mut told);
        if let (Some(span), Some(name)) = (context.span(id), told.name) {
            span.extensions_mut().insert(ConnectionName(name));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(traces) = TRACES.get().filter(|_| event.metadata().target() == "keyless::renewal") else {
            return;
        };
        let mut told = Told::default();
        event.record(&mut told);
        let Some(elapsed) = told.elapsed_ms else { return };
        let outcome = match (told.generation, &told.code) {
            (Some(generation), _) => Ok(generation),
            (None, Some(code)) => Err(code.as_str()),
            (None, None) => return,
        };
        let named = context.event_scope(event).into_iter().flatten();
        let name = named
            .filter_map(|span| span.extensions().get::<ConnectionName>().map(|name| name.0.clone()))
            .next();
        traces.renewal(name.as_deref().unwrap_or_default(), Duration::from_millis(elapsed), outcome);
    }
}

struct ConnectionName(String);

/// What a span or a line says, as far as it is of interest here.
#[derive(Default)]
struct Told {
    name: Option<String>,
    generation: Option<u64>,
    elapsed_ms: Option<u64>,
    code: Option<String>,
}

impl Visit for Told {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "generation" => self.generation = Some(value),
            "elapsed_ms" => self.elapsed_ms = Some(value),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "name" => self.name = Some(value.to_owned()),
            "code" => self.code = Some(value.to_owned()),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if matches!(field.name(), "name" | "code") {
            self.record_str(field, &format!("{value:?}"));
        }
    }
}

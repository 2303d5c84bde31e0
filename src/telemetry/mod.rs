//! Telemetry: a span for each request, sent to a collector (OTLP over HTTP, in protobuf).
//!
//! ```text
//! request ──begin──▶ span ──end──▶ queue, 2048 at most ──▶ batches ──▶ collector
//!                                    └─ full: dropped       └─ does not answer: dropped
//! ```
//!
//! Nobody waits for a collector. A span says which operation it was, how it was answered, and for
//! which tenant: never a query, a body, an address, a name or a token (SL-02). A trace that a caller
//! names is gone on with only where callers are trusted: a stranger could join any trace, or have
//! every request of his sampled. Off unless an endpoint is set. Not here: the log.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::runtime::Tokio;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, Span};
use opentelemetry_sdk::{Resource, error::OTelSdkError};

use crate::kernel::secret::{ExposeSecret, SecretString};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;

/// How long a collector may take over a batch.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where spans go, and of which requests.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    pub endpoint: String,
    pub headers: HashMap<String, SecretString>,
    pub service_name: String,
    /// From 0 to 1.
    pub sample_ratio: f64,
    pub trusts_callers: bool,
}

/// Why no spans can be sent. The text is a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("spans cannot be sent: {0}")]
    Client(#[from] reqwest::Error),
    #[error("spans cannot be sent: {0}")]
    Exporter(#[from] ExporterBuildError),
}

/// Makes spans and sends them. Clones share one queue.
#[derive(Debug, Clone)]
pub struct Telemetry {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    trusts_callers: bool,
}

/// A request whose span is not over.
#[derive(Debug)]
pub struct Traced {
    span: Span,
    began: SystemTime,
}

/// How a request was answered.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    pub status: u16,
    /// The `type` of the problem.
    pub problem: Option<&'a str>,
    pub tenant: Option<Tenant>,
    pub took: Duration,
}

/// What a request was for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// By its name in the document; nothing where it was for none.
    pub operation: Option<&'a str>,
    pub method: &'a str,
    /// The pattern of the path.
    pub route: Option<&'a str>,
    pub request_id: &'a str,
    pub began: Timestamp,
}

impl Telemetry {
    /// Within the runtime that sends; it ends with it, or by [`Telemetry::stop`].
    pub fn to(settings: &TelemetrySettings) -> Result<Self, TelemetryError> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()?;
        let headers = settings.headers.iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&settings.endpoint)
            .with_headers(headers.collect())
            .with_timeout(PATIENCE)
            .build()?;
        let ours = Sampler::TraceIdRatioBased(settings.sample_ratio);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter, Tokio).build())
            .with_sampler(Sampler::ParentBased(Box::new(ours)))
            .with_resource(resource(&settings.service_name))
            .build();
        Ok(Self {
            tracer: provider.tracer("authsome"),
            provider,
            trusts_callers: settings.trusts_callers,
        })
    }

    /// Begins the span of a request. `caller` are the headers that it came with.
    pub fn begin(&self, asked: &Asked<'_>, caller: &dyn Extractor) -> Traced {
        let parent = if self.trusts_callers {
            TraceContextPropagator::new().extract_with_context(&Context::new(), caller)
        } else {
            Context::new()
        };
        let began = instant(asked.began);
        let name = asked.operation.unwrap_or("none").to_owned();
        let attributes = [
            ("http.request.method", Some(asked.method)),
            ("http.route", asked.route),
            ("authsome.operation", asked.operation),
            ("authsome.request_id", Some(asked.request_id)),
        ];
        let attributes = attributes.into_iter();
        let attributes =
            attributes.filter_map(|(name, value)| Some(KeyValue::new(name, value?.to_owned())));
        let builder = self
            .tracer
            .span_builder(name)
            .with_kind(SpanKind::Server)
            .with_start_time(began)
            .with_attributes(attributes);
        let span = self.tracer.build_with_context(builder, &parent);
        Traced { span, began }
    }

    /// Sends what is still to be sent, and takes nothing more.
    pub async fn stop(&self) {
        let provider = self.provider.clone();
        // It waits for the sender without letting others work.
        let stopping = move || provider.shutdown_with_timeout(PATIENCE);
        match tokio::task::spawn_blocking(stopping).await {
            Ok(Ok(()) | Err(OTelSdkError::AlreadyShutdown)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "spans were not sent"),
            Err(error) => tracing::warn!(%error, "spans were not sent"),
        }
    }
}

impl Traced {
    /// Names the trace, in hexadecimal.
    pub fn trace_id(&self) -> String {
        self.span.span_context().trace_id().to_string()
    }

    pub fn end(mut self, answered: &Answered<'_>) {
        let Answered {
            status,
            problem,
            tenant,
            took,
        } = answered;
        self.span.set_attribute(KeyValue::new(
            "http.response.status_code",
            i64::from(*status),
        ));
        if let Some(problem) = problem {
            let problem = KeyValue::new("error.type", (*problem).to_owned());
            self.span.set_attribute(problem);
        }
        if let Some(Tenant { app_id, env_id }) = tenant {
            let app = KeyValue::new("authsome.app_id", app_id.to_string());
            let environment = KeyValue::new("authsome.env_id", env_id.to_string());
            self.span.set_attributes([app, environment]);
        }
        // A refusal is an answer like another; only what is our fault is an error of a server.
        if *status >= 500 {
            self.span.set_status(Status::error(""));
        }
        self.span.end_with_timestamp(self.began + *took);
    }
}

fn resource(service_name: &str) -> Resource {
    Resource::builder_empty()
        .with_service_name(service_name.to_owned())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}

fn instant(time: Timestamp) -> SystemTime {
    let millis = u64::try_from(time.as_millis()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}

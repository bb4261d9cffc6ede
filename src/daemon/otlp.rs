//! Traces of tasks to an OpenTelemetry collector, once a task has come to its end: OTLP over HTTP, as JSON.
//!
//! Why by ourselves: the exporter's own crates bring an HTTP client, protobuf and a runtime of their own for what is one
//! POST of a small and stable format; the spans are made of facts, long after they happened, and not by a tracer.
//!
//! Ids are made of the task and of places in the ledger: what is sent twice is the same spans, not more of them.

use super::workers::{Lane, Workers, guarded};
use crate::core::model::fact::Fact;
use crate::os::post::{self, PostError};
use crate::report::trace::{self, Span, Status};
use crate::store::query::Reader;
use crate::values::ids::TaskId;
use crate::values::time::Time;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest wait for the collector.
const LIMIT: Duration = Duration::from_secs(10);

/// Has a worker send the traces of tasks that these facts bring to their end, if there is somebody to send them to.
pub(super) fn export(workers: &mut Workers, ledger: PathBuf, facts: &[Fact]) {
    let ended: Vec<TaskId> = facts.iter().filter(|fact| is_end(fact)).filter_map(Fact::task).collect();
    if ended.is_empty() {
        return;
    }
    let Some(collector) = Collector::of(|name| std::env::var(name).ok()) else { return };
    workers.put(Lane::Trace, move || {
        for task in ended {
            let sent = guarded(|| collector.send(&ledger, task)).unwrap_or_else(Err);
            match sent {
                Ok(spans) => tracing::debug!(%task, spans, "its trace was sent"),
                Err(error) => tracing::warn!(%task, %error, "its trace was not sent"),
            }
        }
    });
}

/// Whether a task has come to its end by this.
const fn is_end(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Landed { .. } | Fact::RolledBack { .. } | Fact::Stopped { .. } | Fact::Rejected { .. }
    )
}

/// Where traces go, from the variables that all exporters know.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Collector {
    url: String,
    headers: Vec<(String, String)>,
    service: String,
}

impl Collector {
    fn of(var: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let var = |name: &str| var(name).filter(|value| !value.is_empty());
        if var("OTEL_SDK_DISABLED").is_some_and(|off| off.eq_ignore_ascii_case("true")) {
            return None;
        }
        let whole = var("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        let base = || var("OTEL_EXPORTER_OTLP_ENDPOINT");
        let url = whole.or_else(|| base().map(|base| format!("{}/v1/traces", base.trim_end_matches('/'))))?;
        let headers = var("OTEL_EXPORTER_OTLP_TRACES_HEADERS").or_else(|| var("OTEL_EXPORTER_OTLP_HEADERS"));
        Some(Self {
            url,
            headers: headers.map(|text| pairs(&text)).unwrap_or_default(),
            service: var("OTEL_SERVICE_NAME").unwrap_or_else(|| "nopeek".to_owned()),
        })
    }

    /// Sends a task's trace; how many spans that were.
    fn send(&self, ledger: &Path, task: TaskId) -> Result<usize, String> {
        let entries = Reader::open(ledger).and_then(|reader| reader.of_task(task)?.whole(ledger));
        let spans = trace::spans(&entries.map_err(|error| error.to_string())?, task);
        self.post(&spans).map_err(|error| error.to_string())?;
        Ok(spans.len())
    }

    fn post(&self, spans: &[Span]) -> Result<(), PostError> {
        let body = body(&self.service, spans).to_string();
        post::post(&self.url, "application/json", &self.headers, &body, LIMIT)
    }
}

/// `a=b,c=d`, with `%20` and the like.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim().to_owned(), plain(value.trim())))
    };
    text.split(',').filter_map(pair).filter(|(name, _)| !name.is_empty()).collect()
}

fn plain(text: &str) -> String {
    let (mut out, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let coded = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = coded.and_then(|hex| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    // A line end would begin a header of its own.
    String::from_utf8_lossy(&out).chars().filter(|c| !c.is_control()).collect()
}

/// An export request of OTLP.
fn body(service: &str, spans: &[Span]) -> Value {
    let trace = trace_id(spans);
    let last = spans.iter().filter_map(|span| span.end).max().unwrap_or_default();
    let spans: Vec<Value> = spans.iter().map(|span| one(&trace, span, last)).collect();
    let scope = json!({ "name": "nopeek", "version": env!("CARGO_PKG_VERSION") });
    json!({ "resourceSpans": [{
        "resource": { "attributes": [text("service.name", service)] },
        "scopeSpans": [{ "scope": scope, "spans": spans }],
    }] })
}

fn one(trace: &str, span: &Span, last: Time) -> Value {
    let nanos = |time: Time| (u128::from(time.0) * 1_000_000).to_string();
    let kind = serde_json::to_value(span.kind).unwrap_or_default();
    let mut attributes = vec![text("nopeek.kind", kind.as_str().unwrap_or_default())];
    attributes
        .extend(span.attributes.iter().map(|(key, value)| text(&format!("nopeek.{key}"), value.as_str())));
    json!({
        "traceId": trace,
        "spanId": span_id(trace, span.id),
        "parentSpanId": span.parent.map(|parent| span_id(trace, parent)).unwrap_or_default(),
        "name": span.name,
        "kind": 1,
        "startTimeUnixNano": nanos(span.start),
        // What still was being ended when the task was over.
        "endTimeUnixNano": nanos(span.end.unwrap_or(last)),
        "attributes": attributes,
        "status": match &span.status {
            Status::Unset => json!({}),
            Status::Ok => json!({ "code": 1 }),
            Status::Error(why) => json!({ "code": 2, "message": why }),
        },
    })
}

fn text(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// The same for a task for good, and no other task's: of its repo, number, name and moment.
fn trace_id(spans: &[Span]) -> String {
    let mut hash = Sha256::new();
    if let Some(task) = spans.first() {
        for part in [task.attributes.get("repo"), task.attributes.get("task"), Some(&task.name)] {
            hash.update(part.map_or("", |part| part.as_str()));
            hash.update([0]);
        }
        hash.update(task.start.0.to_be_bytes());
    }
    hex(&hash.finalize()[..16])
}

fn span_id(trace: &str, place: u64) -> String {
    let mut hash = Sha256::new();
    hash.update(trace);
    hash.update(place.to_be_bytes());
    hex(&hash.finalize()[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::trace::SpanKind;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    fn spans() -> Vec<Span> {
        let span = |id, parent, kind, end, status| Span {
            id,
            parent,
            name: "fix".into(),
            kind,
            start: Time(1_000),
            end,
            status,
            attributes: [("repo", "/r".into()), ("task", "t1".into())].into(),
        };
        vec![
            span(3, None, SpanKind::Task, Some(Time(9_000)), Status::Ok),
            span(7, Some(3), SpanKind::Gate, None, Status::Error("failed".into())),
        ]
    }

    #[test]
    fn a_collector_gets_the_whole_trace() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut received, mut some) = (Vec::new(), [0; 4096]);
            loop {
                let n = stream.read(&mut some).unwrap();
                received.extend_from_slice(&some[..n]);
                let text = String::from_utf8_lossy(&received).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                if n == 0 || serde_json::from_str::<Value>(body).is_ok() {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
                    return (head.to_owned(), body.to_owned());
                }
            }
        });
        let collector = Collector::of(|name| match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(format!("http://{address}/")),
            "OTEL_EXPORTER_OTLP_HEADERS" => Some("authorization=Basic%20abc,x-scope=me".to_owned()),
            _ => None,
        });
        collector.unwrap().post(&spans()).unwrap();
        let (head, body) = received.join().unwrap();
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("authorization: Basic abc") && head.contains("x-scope: me"), "{head}");
        let body: Value = serde_json::from_str(&body).unwrap();
        let resource = &body["resourceSpans"][0];
        assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "nopeek");
        let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
        assert_eq!(spans[0]["traceId"].as_str().unwrap().len(), 32);
        assert_eq!(spans[1]["parentSpanId"], spans[0]["spanId"]);
        assert_eq!(spans[0]["parentSpanId"], "");
        assert_eq!(spans[0]["startTimeUnixNano"], "1000000000");
        assert_eq!(spans[1]["endTimeUnixNano"], "9000000000");
        assert_eq!(spans[1]["status"], json!({ "code": 2, "message": "failed" }));
    }

    #[test]
    fn a_trace_has_the_same_ids_each_time_and_another_task_others() {
        assert_eq!(body("a", &spans()), body("a", &spans()));
        let mut other = spans();
        other[0].start = Time(1_001);
        assert_ne!(trace_id(&other), trace_id(&spans()));
    }

    #[test]
    fn nobody_to_send_to_and_a_wish_not_to() {
        assert_eq!(Collector::of(|_| None), None);
        assert_eq!(
            Collector::of(|name| Some(if name == "OTEL_SDK_DISABLED" { "TRUE" } else { "x" }.to_owned())),
            None
        );
        let whole = Collector::of(|name| {
            (name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").then(|| "https://c.example.org/x".to_owned())
        });
        assert_eq!(whole.unwrap().url, "https://c.example.org/x");
        assert_eq!(pairs("a=1%0d%0Ax: y,,=z,b"), [("a".to_owned(), "1x: y".to_owned())]);
    }
}

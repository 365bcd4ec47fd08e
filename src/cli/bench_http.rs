//! `tamga bench`, over HTTP: the whole service with its durable store beside an endpoint that does the least.
//!
//! Both are asked by the same load generator in this process, on the same cores, with the same body over the same number
//! of connections. The least is axum with its body read whole, one bare verification of the request's signature, and
//! the body sent back.
//!
//! Latency is measured under an open load: requests are due at fixed times whatever the service does, and each latency
//! counts from the time at which the request was due. A service that stalls cannot make the generator wait with it
//! (coordinated omission).

use super::Failure;
use crate::{
    adapter::demonstration_folder::private_key,
    app::App,
    config::{Config, DataFolder},
    crypto::{PublicKey, SignatureAlgorithm},
    demonstration::Holder,
    http::{self, Parts},
    pki::Certificate,
    port::token::Role,
    service::signing::{SigningOrder, sign_cms},
    stamp::Encapsulation,
    telemetry,
};
use axum::{Router, body::Bytes, routing::post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hdrhistogram::Histogram;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Mutex, mpsc},
    task::JoinSet,
};

/// Part of the peak at which latency is measured.
const LOAD: f64 = 0.7;
/// Connections for each place of the service while it is overloaded.
const OVERLOAD: usize = 10;
/// Longest latency that is told apart, in microseconds.
const LONGEST: u64 = 60_000_000;

/// What is measured, for how long and with how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) request_bytes: usize,
    pub(super) connections: usize,
    pub(super) each: Duration,
    pub(super) overload: Duration,
}

#[derive(Debug, Serialize)]
pub(super) struct HttpFigures {
    connections: usize,
    body_bytes: usize,
    /// axum, one bare verification, the body sent back.
    least_per_second: f64,
    /// `POST /v1/verifications`, its report on disk before the answer.
    service_per_second: f64,
    /// Service to least; 1 would be nothing but HTTP and cryptography.
    ratio: f64,
    /// Latency under 70 % of the peak, requests due at fixed times.
    latency: Latency,
    overload: Overload,
}

#[derive(Debug, Serialize)]
struct Latency {
    offered_per_second: f64,
    answered_per_second: f64,
    p50_us: u64,
    p90_us: u64,
    p99_us: u64,
    p999_us: u64,
    max_us: u64,
    p99_to_p50: f64,
}

/// Ten callers for every place, none of whom waits.
#[derive(Debug, Serialize)]
struct Overload {
    connections: usize,
    places: usize,
    seconds: f64,
    /// Answers by status; 0 stands for a connection that broke.
    statuses: BTreeMap<u16, u64>,
    accepted_per_second: f64,
    /// Beside the peak of as many connections as there are places.
    kept_of_peak: f64,
    /// Afterwards, with as many connections as there are places.
    recovered_of_peak: f64,
}

pub(super) fn measure(folder: &Path, plan: Plan) -> Result<HttpFigures, Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::fault)?;
    runtime.block_on(run(folder, plan))
}

async fn run(folder: &Path, plan: Plan) -> Result<HttpFigures, Failure> {
    let mut config = Config { data: DataFolder(folder.join("http")), ..Config::default() };
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.http.max_concurrent_requests = u32::try_from(plan.connections).map_err(Failure::fault)?;
    let app = App::build(&config)?;
    let demonstration = app.demonstration.as_ref().ok_or_else(|| Failure::fault("no demonstration"))?;
    let tokens = app.demonstration_tokens(demonstration)?;
    let token = tokens.iter().find(|(role, _)| *role == Role::Portal).ok_or_else(|| Failure::fault("no token"))?;

    let certificate = Certificate::parse(&demonstration.applicant.certificate).map_err(Failure::fault)?;
    let key = private_key(&demonstration.applicant).map_err(Failure::fault)?;
    let content = content(plan.request_bytes);
    let order = SigningOrder {
        content: &content,
        encapsulation: Encapsulation::Attached,
        certificate: &certificate,
        chain: std::slice::from_ref(&demonstration.world.authority.certificate),
        at: app.service.clock.now(),
    };
    let document = sign_cms(&order, &key).map_err(Failure::fault)?.document;
    let body = serde_json::json!({
        "document": STANDARD.encode(&document), "applicant": {"iin": Holder::IIN}, "service": SERVICE,
    })
    .to_string();
    let algorithm = demonstration.applicant.algorithm;
    let value = key.sign(&algorithm, &content).map_err(Failure::fault)?;
    let bare = Bare { spki: certificate.spki().to_vec(), algorithm, content, value };

    let metrics = telemetry::metrics().map_err(Failure::fault)?;
    let parts = Parts { use_cases: app.service, tokens: app.tokens, readiness: app.readiness, metrics };
    let router = http::router(parts, &config.http).map_err(Failure::fault)?;
    let server = http::start(&config.http, router).await.map_err(Failure::fault)?;
    let least = http::start(&config.http, least(bare)).await.map_err(Failure::fault)?;
    let call = |server: &http::Server| Call::new(server.address(), token.1.expose_secret(), &body);
    let (service_call, least_call) = (call(&server), call(&least));

    // In turns, so that a change of the machine's pace meets both.
    let (mut service_rates, mut least_rates) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        least_rates.push(accepted(&closed(&least_call, plan.connections, plan.each).await?)? / seconds(plan.each));
        service_rates.push(accepted(&closed(&service_call, plan.connections, plan.each).await?)? / seconds(plan.each));
    }
    let (least_per_second, service_per_second) = (median(&mut least_rates), median(&mut service_rates));
    let latency = open(&service_call, plan.connections, service_per_second * LOAD, plan.each).await?;
    let overload = overload(&service_call, plan).await?;
    server.shut_down().await.map_err(Failure::fault)?;
    least.shut_down().await.map_err(Failure::fault)?;
    Ok(HttpFigures {
        connections: plan.connections,
        body_bytes: body.len(),
        least_per_second,
        service_per_second,
        ratio: service_per_second / least_per_second,
        latency,
        overload,
    })
}

/// The service whose rule reads the applicant out of the content.
pub(super) const SERVICE: &str = "agency-pipelines";

/// A request as an applicant writes it, padded to a size.
pub(super) fn content(octets: usize) -> Vec<u8> {
    let text = |padding: usize| {
        let padding = "ә".repeat(padding);
        format!("{{\"service\":\"{SERVICE}\",\"applicant\":{{\"iin\":\"{}\"}},\"text\":\"{padding}\"}}", Holder::IIN)
    };
    text(octets.saturating_sub(text(0).len()) / 2).into_bytes()
}

/// What cannot be avoided: the signature under the key as it comes in a certificate.
struct Bare {
    spki: Vec<u8>,
    algorithm: SignatureAlgorithm,
    content: Vec<u8>,
    value: Vec<u8>,
}

fn least(bare: Bare) -> Router {
    let bare = Arc::new(bare);
    Router::new().route(
        "/v1/verifications",
        post(async move |body: Bytes| {
            let key = PublicKey::from_spki(&bare.spki);
            let holds = key.is_ok_and(|key| key.verify(&bare.algorithm, &bare.content, &bare.value).is_ok());
            if holds { Ok(body) } else { Err(axum::http::StatusCode::UNPROCESSABLE_ENTITY) }
        }),
    )
}

/// One call, as it goes over the wire.
#[derive(Clone)]
struct Call {
    address: SocketAddr,
    octets: Arc<[u8]>,
}

impl Call {
    fn new(address: SocketAddr, token: &str, body: &str) -> Call {
        let head = format!(
            "POST /v1/verifications HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Call { address, octets: [head.as_bytes(), body.as_bytes()].concat().into() }
    }
}

/// A connection that is kept, and opened again where it broke.
struct Connection {
    call: Call,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    fn new(call: &Call) -> Connection {
        Connection { call: call.clone(), stream: None, buffer: vec![0; 64 << 10] }
    }

    /// Status of one call; 0 where the connection broke.
    async fn ask(&mut self) -> u16 {
        match self.exchange().await {
            Ok(status) => status,
            Err(_) => {
                self.stream = None;
                0
            }
        }
    }

    async fn exchange(&mut self) -> std::io::Result<u16> {
        let broken = || std::io::Error::other("not an answer");
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.call.address).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        let stream = self.stream.as_mut().ok_or_else(broken)?;
        stream.write_all(&self.call.octets).await?;
        let mut filled = 0;
        let (status, mut left) = loop {
            let room = self.buffer.get_mut(filled..).filter(|room| !room.is_empty()).ok_or_else(broken)?;
            let read = stream.read(room).await?;
            if read == 0 {
                return Err(broken());
            }
            filled += read;
            let answer = self.buffer.get(..filled).unwrap_or_default();
            if let Some(end) = memchr::memmem::find(answer, b"\r\n\r\n") {
                let head = std::str::from_utf8(answer.get(..end).unwrap_or_default()).map_err(|_| broken())?;
                let status = head.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
                let length = head.split("\r\n").find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
                });
                let whole = end + 4 + length.ok_or_else(broken)?;
                break (status, whole.saturating_sub(filled));
            }
        };
        while left > 0 {
            let room = self.buffer.len().min(left);
            let read = stream.read(self.buffer.get_mut(..room).unwrap_or_default()).await?;
            if read == 0 {
                return Err(broken());
            }
            left -= read;
        }
        Ok(status)
    }
}

type Statuses = BTreeMap<u16, u64>;

/// As many calls as the connections carry, each sent when the one before is answered.
async fn closed(call: &Call, connections: usize, duration: Duration) -> Result<Statuses, Failure> {
    let end = Instant::now() + duration;
    let mut callers = JoinSet::new();
    for _ in 0..connections {
        let mut connection = Connection::new(call);
        callers.spawn(async move {
            let mut statuses = Statuses::new();
            while Instant::now() < end {
                *statuses.entry(connection.ask().await).or_default() += 1;
            }
            statuses
        });
    }
    let mut all = Statuses::new();
    while let Some(statuses) = callers.join_next().await {
        for (status, count) in statuses.map_err(Failure::fault)? {
            *all.entry(status).or_default() += count;
        }
    }
    Ok(all)
}

/// Calls at fixed times, `rate` a second; each latency counts from the time at which the call was due.
async fn open(call: &Call, connections: usize, rate: f64, duration: Duration) -> Result<Latency, Failure> {
    let (due, calls) = mpsc::unbounded_channel::<Instant>();
    let calls = Arc::new(Mutex::new(calls));
    let mut callers = JoinSet::new();
    for _ in 0..connections {
        let (mut connection, calls) = (Connection::new(call), Arc::clone(&calls));
        let mut latencies = Histogram::<u64>::new_with_max(LONGEST, 3).map_err(Failure::fault)?;
        callers.spawn(async move {
            let next = async || calls.lock().await.recv().await;
            while let Some(due) = next().await {
                if connection.ask().await == 200 {
                    let latency = u64::try_from(due.elapsed().as_micros()).unwrap_or(LONGEST);
                    latencies.saturating_record(latency.max(1));
                }
            }
            latencies
        });
    }
    // A thread that does nothing but keep the time: the runtime's timers are good to a millisecond only.
    let interval = Duration::from_secs_f64(1.0 / rate.max(1.0));
    let clock = std::thread::spawn(move || {
        let started = Instant::now();
        let mut next = started;
        while next < started + duration {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            if due.send(next).is_err() {
                break;
            }
            next += interval;
        }
    });
    let started = Instant::now();
    let mut all = Histogram::<u64>::new_with_max(LONGEST, 3).map_err(Failure::fault)?;
    while let Some(latencies) = callers.join_next().await {
        all.add(latencies.map_err(Failure::fault)?).map_err(Failure::fault)?;
    }
    let elapsed = started.elapsed();
    clock.join().map_err(|_| Failure::fault("the clock of the load stopped"))?;
    let quantile = |quantile: f64| all.value_at_quantile(quantile);
    Ok(Latency {
        offered_per_second: rate,
        answered_per_second: float(all.len()) / seconds(elapsed),
        p50_us: quantile(0.5),
        p90_us: quantile(0.9),
        p99_us: quantile(0.99),
        p999_us: quantile(0.999),
        max_us: all.max(),
        p99_to_p50: float(quantile(0.99)) / float(quantile(0.5).max(1)),
    })
}

async fn overload(call: &Call, plan: Plan) -> Result<Overload, Failure> {
    let rate = async |connections: usize, duration: Duration| {
        let statuses = closed(call, connections, duration).await?;
        let good = float(statuses.get(&200).copied().unwrap_or(0));
        Ok::<_, Failure>((statuses, good / seconds(duration)))
    };
    let (_, peak) = rate(plan.connections, plan.each).await?;
    let connections = plan.connections.saturating_mul(OVERLOAD);
    let (statuses, accepted_per_second) = rate(connections, plan.overload).await?;
    let (_, recovered) = rate(plan.connections, plan.each).await?;
    Ok(Overload {
        connections,
        places: plan.connections,
        seconds: seconds(plan.overload),
        statuses,
        accepted_per_second,
        kept_of_peak: accepted_per_second / peak,
        recovered_of_peak: recovered / peak,
    })
}

/// How many were accepted, where all were.
fn accepted(statuses: &Statuses) -> Result<f64, Failure> {
    match statuses.iter().find(|(status, _)| **status != 200) {
        None => Ok(float(statuses.values().sum())),
        Some((status, count)) => Err(Failure::fault(format!("{count} calls of the measurement ended with {status}"))),
    }
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

#[allow(clippy::cast_precision_loss)] // Counts of calls are far below 2^52.
fn float(count: u64) -> f64 {
    count as f64
}

pub(super) fn table(figures: &HttpFigures) -> String {
    let HttpFigures { latency, overload, .. } = figures;
    format!(
        "\nHTTP, {} connections, body of {} bytes, load generator on the same cores\n\
         least endpoint       {:>10.0} per s   (axum, one bare verification, the body sent back)\n\
         verification, stored {:>10.0} per s   ratio {:.2}\n\
         at {:.0} per s, from the time due: p50 {} us, p90 {} us, p99 {} us, p99.9 {} us, max {} us, p99/p50 {:.1}\n\
         overload, {} callers for {} places, {:.0} s: {:.0} accepted per s, {:.2} of the peak, then {:.2}; answers {:?}\n",
        figures.connections,
        figures.body_bytes,
        figures.least_per_second,
        figures.service_per_second,
        figures.ratio,
        latency.offered_per_second,
        latency.p50_us,
        latency.p90_us,
        latency.p99_us,
        latency.p999_us,
        latency.max_us,
        latency.p99_to_p50,
        overload.connections,
        overload.places,
        overload.seconds,
        overload.accepted_per_second,
        overload.kept_of_peak,
        overload.recovered_of_peak,
        overload.statuses,
    )
}

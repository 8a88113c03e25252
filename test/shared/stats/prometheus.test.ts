import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../../src/harness/statistics/random.js";
import { type MetricsSource, metricsOf } from "../../../src/shared/stats/metrics.js";
import { PHASES_BYTES, PhaseRecorder, phaseNames, readHistograms } from "../../../src/shared/stats/phases.js";
import { escapeHelp, escapeLabel, prometheusText } from "../../../src/shared/stats/prometheus.js";
import { Counter, statsBytes, ThreadStats } from "../../../src/shared/stats/stats.js";
import { parsePrometheus, sampleOf } from "../../support/prometheus.js";

const test = suite("/metrics");

/** A server with two threads whose every counter is another number. */
function source(mode = "pool"): MetricsSource {
  const stats = new SharedArrayBuffer(statsBytes(3));
  const main = new ThreadStats(stats, 0);
  for (const index of Object.values(Counter)) main.set(index, 1000 + index);
  new ThreadStats(stats, 1).add(Counter.handled, 5);
  for (const status of [200, 200, 204, 301, 404, 404, 404, 500]) main.addResponse(status);
  const phases = new SharedArrayBuffer(PHASES_BYTES);
  const recorder = new PhaseRecorder(phases);
  const random = seededRandom(5);
  for (let i = 0; i < 500; i++) recorder.record(random() * 3, random(), random() * 20, random() * 0.001);
  return {
    facts: { mode, adapter: "test", pid: 7, node: "20.0.0", uws: "x", startedAtMs: 1000, iterationsPerMicro: 1 },
    takenAtMs: 3500,
    stats,
    phases,
    process: { cpuUserMicros: 1_500_000, cpuSystemMicros: 250_000, peakRssBytes: 2 ** 27 },
    core: {
      queued: 3,
      workerStates: [
        { worker: 0, state: "busy", forMs: 10, on: "GET /", handled: 5 },
        { worker: 1, state: "absent", forMs: null, on: null, handled: 0 },
      ],
    },
  };
}

const pageOf = (from: MetricsSource): string => prometheusText(metricsOf(from), readHistograms(from.phases));

test("follows the format: help, type and samples of each family together, counters named _total", () => {
  const families = parsePrometheus(pageOf(source()));
  assert.ok(families.size > 20);
  for (const [name, { type, samples }] of families) {
    assert.is(name.endsWith("_total"), type === "counter", name);
    assert.match(name, /^loopool_[a-z_]+$/);
    assert.ok(samples.length > 0, name);
  }
});

test("says what /stats.json says", () => {
  const metrics = metricsOf(source());
  const families = parsePrometheus(pageOf(source()));
  const pairs: readonly (readonly [string, number])[] = [
    ["loopool_requests_total", metrics.requests],
    ["loopool_response_body_bytes_total", metrics.bodyBytes],
    ["loopool_connections_total", metrics.connections],
    ["loopool_connections_active", metrics.activeConnections],
    ["loopool_requests_in_flight", metrics.inFlight],
    ["loopool_requests_queued", 3],
    ["loopool_requests_shed_total", metrics.shed],
    ["loopool_requests_aborted_total", metrics.aborted],
    ["loopool_requests_dropped_total", metrics.dropped],
    ["loopool_requests_timed_out_total", metrics.timedOut],
    ["loopool_requests_handled_total", metrics.handled],
    ["loopool_handler_errors_total", metrics.handlerErrors],
    ["loopool_unhandled_rejections_total", metrics.unhandledRejections],
    ["loopool_workers", metrics.workers],
    ["loopool_workers_lost_total", metrics.workersLost],
    ["loopool_uptime_seconds", 2.5],
    ["loopool_peak_resident_memory_bytes", 2 ** 27],
    ["loopool_request_duration_seconds_count", metrics.latency.count],
    ["loopool_request_duration_seconds_sum", metrics.latency.sumMicros / 1e6],
  ];
  for (const [name, value] of pairs) assert.is(sampleOf(families, name), value, name);
  for (const [code, count] of Object.entries(metrics.status)) {
    assert.is(sampleOf(families, "loopool_responses_total", { code }), count, code);
  }
  assert.is(sampleOf(families, "loopool_cpu_seconds_total", { mode: "user" }), 1.5);
  assert.is(sampleOf(families, "loopool_worker_state", { worker: "0", state: "busy" }), 1);
  assert.is(sampleOf(families, "loopool_worker_state", { worker: "0", state: "idle" }), 0);
  assert.is(sampleOf(families, "loopool_worker_state", { worker: "1", state: "absent" }), 1);
  assert.is(sampleOf(families, "loopool_worker_requests_handled_total", { worker: "0" }), 5);
});

test("histograms: buckets ascend, count what lies below their bound, and end in the count", () => {
  const phases = new SharedArrayBuffer(PHASES_BYTES);
  const recorder = new PhaseRecorder(phases);
  const random = seededRandom(6);
  const seconds: number[] = [];
  for (let i = 0; i < 2000; i++) {
    // From 1 ns to 100 s: below the first bucket and above the last one too.
    const ms = 10 ** (random() * 11 - 6);
    seconds.push(ms / 1000);
    recorder.record(0, ms, 0, 0);
  }
  const families = parsePrometheus(pageOf({ ...source(), phases }));
  for (const [name, labels] of [
    ["loopool_request_duration_seconds", {}],
    ["loopool_request_phase_duration_seconds", { phase: "handler" }],
  ] as const) {
    const buckets = families.get(name)!.samples.filter((s) => {
      return s.name.endsWith("_bucket") && s.labels["phase"] === (labels as { phase?: string }).phase;
    });
    assert.is(buckets.length, 24);
    for (const {
      labels: { le },
      value,
    } of buckets.slice(0, -1)) {
      assert.is(value, seconds.filter((s) => s <= Number(le)).length, `${name} le ${le}`);
    }
    assert.is(buckets.at(-1)!.labels["le"], "+Inf");
    assert.is(buckets.at(-1)!.value, 2000);
    assert.is(sampleOf(families, `${name}_count`, labels), 2000);
    const sum = seconds.reduce((total, s) => total + s, 0);
    assert.ok(Math.abs(sampleOf(families, `${name}_sum`, labels) / sum - 1) < 1e-9);
  }
  for (const phase of phaseNames) sampleOf(families, "loopool_request_phase_duration_seconds_count", { phase });
});

test("escapes what the format reserves", () => {
  const evil = 'a\\b"c\nd} 1\n# TYPE x counter';
  assert.is(escapeLabel(evil), 'a\\\\b\\"c\\nd} 1\\n# TYPE x counter');
  assert.is(escapeHelp('a\\b"c\nd'), 'a\\\\b"c\\nd');
  const families = parsePrometheus(pageOf(source(evil)));
  assert.is(families.get("loopool_info")!.samples[0]!.labels["mode"], evil);
});

test("what a server does not have is left out", () => {
  const families = parsePrometheus(pageOf({ ...source(), core: { queued: null, workerStates: [] } }));
  for (const name of ["loopool_requests_queued", "loopool_worker_state"]) assert.is(families.has(name), false, name);
});

test.run();

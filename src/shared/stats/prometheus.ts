import type { Metrics } from "./metrics.js";
import { countBelow, type PhaseHistogram, phaseNames, type Recorded } from "./phases.js";

/**
 * Prometheus' text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format): the metrics of /stats.json under the names
 * that its conventions ask for, in base units.
 */

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [value: number, labels?: Labels];

interface Family {
  readonly name: string;
  /** A counter only grows while the server runs, and its name ends in _total. */
  readonly type: "counter" | "gauge";
  readonly help: string;
  /** None for what this server does not have. */
  samples(metrics: Metrics): readonly Sample[];
}

function one(
  type: Family["type"],
  name: string,
  help: string,
  value: (metrics: Metrics) => number | null | undefined,
): Family {
  return {
    name,
    type,
    help,
    samples: (metrics) => {
      const sample = value(metrics);
      return sample === null || sample === undefined ? [] : [[sample]];
    },
  };
}

const families: readonly Family[] = [
  {
    name: "loopool_info",
    type: "gauge",
    help: "What serves; always 1.",
    samples: ({ mode, adapter, node, uws }) => [[1, { mode, adapter, node, uws }]],
  },
  one("gauge", "loopool_uptime_seconds", "Time since the start.", (f) => f.uptimeMicros / 1e6),
  one("counter", "loopool_requests_total", "Requests whose head arrived.", (f) => f.requests),
  {
    name: "loopool_responses_total",
    type: "counter",
    help: "Responses that went to their socket, by status.",
    samples: ({ status }) => Object.entries(status).map(([code, count]) => [count, { code }]),
  },
  one("counter", "loopool_response_body_bytes_total", "Body bytes handed to the sockets.", (f) => f.bodyBytes),
  one(
    "counter",
    "loopool_request_body_bytes_total",
    "Bytes of request bodies that arrived for handlers.",
    (f) => f.requestBodyBytes,
  ),
  one("counter", "loopool_connections_total", "Connections accepted.", (f) => f.connections),
  one("gauge", "loopool_connections_active", "Connections open now.", (f) => f.activeConnections),
  one("gauge", "loopool_requests_in_flight", "Requests received and not answered in full.", (f) => f.inFlight),
  one("gauge", "loopool_streams", "Responses that handlers make while they are sent.", (f) => f.streams),
  one("gauge", "loopool_requests_queued", "Requests that wait for a worker.", (f) => f.queued),
  one(
    "gauge",
    "loopool_body_memory_bytes",
    "Shared memory that bodies of requests have on their way to a worker.",
    (f) => f.bodyMemoryBytes,
  ),
  one(
    "counter",
    "loopool_requests_shed_total",
    "Requests refused because the queue or its memory for bodies was full.",
    (f) => f.shed,
  ),
  one("counter", "loopool_requests_aborted_total", "Requests whose answer was not sent in full.", (f) => f.aborted),
  one("counter", "loopool_requests_dropped_total", "Aborted requests that no handler then ran for.", (f) => f.dropped),
  one("counter", "loopool_requests_timed_out_total", "Requests that took longer than allowed.", (f) => f.timedOut),
  {
    name: "loopool_limits_reached_total",
    type: "counter",
    help: "Times that a limit was reached, by limit.",
    samples: ({ limits }) => Object.entries(limits).map(([limit, count]) => [count, { limit }]),
  },
  one("counter", "loopool_requests_malformed_total", "Requests that are not as HTTP has them.", (f) => f.malformed),
  one("counter", "loopool_requests_denied_total", "Requests for metrics that were not allowed.", (f) => f.denied),
  one("counter", "loopool_requests_handled_total", "Requests handed to a handler.", (f) => f.handled),
  one("counter", "loopool_handler_errors_total", "Requests whose handler failed.", (f) => f.handlerErrors),
  one(
    "counter",
    "loopool_streams_failed_total",
    "Responses that failed after their first byte was sent.",
    (f) => f.streamsFailed,
  ),
  one(
    "counter",
    "loopool_unhandled_rejections_total",
    "Promises that were rejected with nobody listening.",
    (f) => f.unhandledRejections,
  ),
  one("gauge", "loopool_workers", "Worker threads that take requests.", (f) => f.workers),
  {
    name: "loopool_cache_lookups_total",
    type: "counter",
    help: "Look-ups of files, by what answered: the thread's own cache, the shared one, the disk.",
    samples: ({ cache }) => [
      [cache.hits, { answer: "own" }],
      [cache.sharedHits, { answer: "shared" }],
      [cache.misses, { answer: "disk" }],
    ],
  },
  one("counter", "loopool_cache_evictions_total", "Entries that made room for others.", (f) => f.cache.evictions),
  one("counter", "loopool_cache_bypassed_total", "Files that the cache did not take.", (f) => f.cache.bypassed),
  one("counter", "loopool_cache_rebuilds_total", "Shards emptied after a thread died.", (f) => f.cache.rebuilds),
  one("gauge", "loopool_cache_bytes", "Bytes in use in the shared cache.", (f) => f.cache.bytes),
  one("gauge", "loopool_cache_entries", "Entries of the shared cache.", (f) => f.cache.entries),
  one("counter", "loopool_log_lines_total", "Lines of the access log that were written.", (f) => f.log.lines),
  one(
    "counter",
    "loopool_log_dropped_total",
    "Lines of the access log for which there was no room.",
    (f) => f.log.dropped,
  ),
  one("counter", "loopool_log_failures_total", "Writes of the access log that failed.", (f) => f.log.failures),
  one("counter", "loopool_workers_lost_total", "Workers that ended untold and were replaced.", (f) => f.workersLost),
  {
    name: "loopool_worker_state",
    type: "gauge",
    help: "1 for the state that the worker of a place is in, 0 for the others.",
    samples: ({ workerStates }) =>
      workerStates.flatMap(({ worker, state }) =>
        (["absent", "idle", "busy"] as const).map((name): Sample => {
          return [name === state ? 1 : 0, { worker: String(worker), state: name }];
        }),
      ),
  },
  {
    name: "loopool_worker_requests_handled_total",
    type: "counter",
    help: "Requests handed to a handler, by the place of its worker.",
    samples: ({ workerStates }) => workerStates.map(({ worker, handled }) => [handled, { worker: String(worker) }]),
  },
  {
    name: "loopool_cpu_seconds_total",
    type: "counter",
    help: "CPU time of the whole process.",
    samples: (f) => [
      [f.cpuUserMicros / 1e6, { mode: "user" }],
      [f.cpuSystemMicros / 1e6, { mode: "system" }],
    ],
  },
  one("gauge", "loopool_peak_resident_memory_bytes", "The most memory it ever had resident.", (f) => f.peakRssBytes),
  {
    name: "loopool_event_loop_seconds_total",
    type: "counter",
    help: "Time of the main thread's event loop, in use and not.",
    samples: ({ eventLoop }) => [
      [eventLoop.activeMs / 1e3, { state: "active" }],
      [eventLoop.idleMs / 1e3, { state: "idle" }],
    ],
  },
  one(
    "gauge",
    "loopool_event_loop_delay_max_seconds",
    "The longest that the main thread's event loop was late.",
    (f) => f.eventLoop.delayMaxMs / 1e3,
  ),
];

/** Bounds of the buckets, as powers of two of ns: edges of the segment's cells, so that the counts are exact. 4 µs to 17 s. */
const FIRST_EXPONENT = 12;
const LAST_EXPONENT = 34;

/** The whole page. `histograms` are those that the metrics were made of. */
export function prometheusText(metrics: Metrics, histograms: Readonly<Record<Recorded, PhaseHistogram>>): string {
  const lines = families.flatMap((family) => {
    const samples = family.samples(metrics);
    if (samples.length === 0) return [];
    return [...head(family), ...samples.map(([value, labels]) => line(family.name, labels, value))];
  });
  const sampled = `One request in ${metrics.latency.sampledEvery} is timed.`;
  const latency = "loopool_request_duration_seconds";
  const phases = "loopool_request_phase_duration_seconds";
  return [
    ...lines,
    ...head({ name: latency, type: "histogram", help: `From the request's head to its response. ${sampled}` }),
    ...histogram(latency, {}, histograms.total),
    ...head({ name: phases, type: "histogram", help: `Where the time of a request goes. ${sampled}` }),
    ...phaseNames.flatMap((phase) => histogram(phases, { phase }, histograms[phase])),
    "",
  ].join("\n");
}

function head({ name, type, help }: { readonly name: string; readonly type: string; readonly help: string }): string[] {
  return [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`];
}

function histogram(name: string, labels: Labels, values: PhaseHistogram): string[] {
  const buckets: string[] = [];
  for (let exponent = FIRST_EXPONENT; exponent <= LAST_EXPONENT; exponent++) {
    const le = String(2 ** exponent / 1e9);
    buckets.push(line(`${name}_bucket`, { ...labels, le }, countBelow(values, exponent)));
  }
  return [
    ...buckets,
    line(`${name}_bucket`, { ...labels, le: "+Inf" }, values.count),
    line(`${name}_sum`, labels, values.sumMicros / 1e6),
    line(`${name}_count`, labels, values.count),
  ];
}

function line(name: string, labels: Labels | undefined, value: number): string {
  const pairs = Object.entries(labels ?? {}).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

/** A HELP text: backslash and line feed are escaped. */
export function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** A label's value: the double quote too. */
export function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

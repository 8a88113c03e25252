import { LanesChart, LineChart } from "./charts.js";
import { bytes, clock, duration, percent, time, whole } from "./format.js";
import { html } from "./plot.js";
import { gap, isSameServer, sample } from "./samples.js";

/** Samples that the charts show. */
const HISTORY = 60;
const TIMEOUT_MS = 5000;
const NOTHING = "–";

const byId = (id) => document.getElementById(id);
const connection = byId("connection");
const interval = byId("interval");
const pause = byId("pause");

const charts = [
  new LineChart(byId("chart-requests"), {
    title: "Requests per second",
    series: [{ name: "requests/s", key: "requestsPerSecond", mark: "first" }],
    format: whole,
  }),
  new LineChart(byId("chart-latency"), {
    title: "Latency",
    series: [
      { name: "p50", key: "p50", mark: "first" },
      { name: "p90", key: "p90", mark: "second" },
      { name: "p99", key: "p99", mark: "third" },
    ],
    format: time,
    isLogarithmic: true,
  }),
  new LineChart(byId("chart-queue"), {
    title: "Queue",
    series: [
      { name: "in flight", key: "inFlight", mark: "first" },
      { name: "queued", key: "queued", mark: "second" },
    ],
    format: whole,
  }),
  new LanesChart(byId("chart-workers"), "Workers"),
];

/** The last reading, and the samples so far, oldest first. */
let last = null;
let samples = [];
let lostSince = null;
let timer;
/** Counts the questions: an answer to one that was asked again meanwhile is not wanted. */
let asked = 0;

/** One reading after the other: a slow answer delays the next question. */
async function poll() {
  clearTimeout(timer);
  const question = ++asked;
  let reading = null;
  try {
    const response = await fetch("/stats.json", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.ok) reading = await response.json();
  } catch {
    // No connection, no answer in time, or half an answer: told below.
  }
  if (question !== asked) return;
  if (reading === null) lose();
  else take(reading);
  if (isPaused()) sayPaused();
  // A page that nobody sees asks nothing; it goes on when it is seen again.
  else if (!document.hidden) timer = setTimeout(poll, Number(interval.value));
}

function isPaused() {
  return pause.getAttribute("aria-pressed") === "true";
}

function sayPaused() {
  clearTimeout(timer);
  say(`Paused at ${clock(new Date())}: the figures are those of then.`);
}

function take(reading) {
  const isSame = last !== null && isSameServer(last, reading);
  if (last !== null && !isSame) keep(gap(new Date()));
  keep(sample(isSame ? last : null, reading, new Date()));
  last = reading;
  show(reading, samples.at(-1));
  lostSince = null;
  document.body.classList.remove("lost");
  say(`Live: ${reading.mode}, process ${reading.pid}, Node ${reading.node}`);
}

function lose() {
  lostSince ??= new Date();
  keep(gap(new Date()));
  draw();
  document.body.classList.add("lost");
  say(`Connection lost at ${clock(lostSince)}: the figures are those of before. Trying again…`);
}

/** Only what is new is said: a screen reader would read the same line again each second. */
function say(text) {
  if (connection.textContent !== text) connection.textContent = text;
}

function keep(one) {
  samples = [...samples, one].slice(-HISTORY - 1);
}

function show(reading, now) {
  const { status, responses } = reading;
  const perSecond = (value, format) => (value === null ? NOTHING : format(value));
  const figures = {
    activeConnections: exact(reading.activeConnections),
    bodyBytes: exact(reading.bodyBytes, bytes),
    status200: exact(status["200"] ?? 0),
    status404: exact(status["404"] ?? 0),
    status500: exact(status["500"] ?? 0),
    requests: exact(reading.requests),
    responses2xx: exact(responses["2xx"]),
    responses3xx: exact(responses["3xx"]),
    responses4xx: exact(responses["4xx"]),
    responses5xx: exact(responses["5xx"]),
    shed: exact(reading.shed),
    timedOut: exact(reading.timedOut),
    aborted: exact(reading.aborted),
    handlerErrors: exact(reading.handlerErrors),
    requestBodyBytes: exact(reading.requestBodyBytes, bytes),
    streams: exact(reading.streams),
    streamsFailed: exact(reading.streamsFailed),
    workersLost: exact(reading.workersLost),
    peakRssBytes: exact(reading.peakRssBytes, bytes),
    inFlight: exact(reading.inFlight),
    queued: reading.queued === null ? "no queue" : exact(reading.queued),
    loopDelay: time(reading.eventLoop.delayMaxMs * 1000),
    uptime: duration(reading.uptimeMicros / 1e6),
    requestsPerSecond: perSecond(now.requestsPerSecond, whole),
    bytesPerSecond: perSecond(now.bytesPerSecond, bytes),
    loopUse: perSecond(now.loopUse, percent),
    cpus: perSecond(now.cpus, (cpus) => cpus.toFixed(2)),
  };
  for (const [name, content] of Object.entries(figures)) {
    document.querySelector(`[data-figure="${name}"]`).replaceChildren(content);
  }
  showWorkers(reading.workerStates);
  draw();
}

/** A count with its exact value for machines, whatever the text says. */
function exact(value, format = whole) {
  return html("data", { value: String(value), textContent: format(value), title: whole(value) });
}

function showWorkers(workers) {
  byId("no-workers").hidden = workers.length > 0;
  byId("workers").hidden = workers.length === 0;
  byId("chart-workers").hidden = workers.length === 0;
  const rows = workers.map(({ worker, state, forMs, on, handled }) =>
    html(
      "tr",
      {},
      html("th", { scope: "row", textContent: worker }),
      html("td", { textContent: state }),
      html("td", { textContent: forMs === null ? NOTHING : duration(forMs / 1000) }),
      html("td", { className: "path", textContent: on ?? NOTHING }),
      html("td", { className: "number", textContent: whole(handled) }),
    ),
  );
  byId("workers").tBodies[0].replaceChildren(...rows);
}

function draw() {
  if (samples.length === 0) return;
  const spanMs = Math.max(HISTORY * Number(interval.value), samples.at(-1).date - samples[0].date);
  for (const chart of charts) chart.draw(samples, spanMs);
}

interval.addEventListener("change", () => {
  if (!isPaused()) poll();
});
pause.addEventListener("click", () => {
  pause.setAttribute("aria-pressed", String(!isPaused()));
  if (isPaused()) sayPaused();
  else poll();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !isPaused()) poll();
});
addEventListener("resize", draw);
for (const chart of charts) chart.onOpen(draw);
poll();

import { execFileSync } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pool } from "../../src/pool/pool.js";
import { reactor } from "../../src/reactor/reactor.js";
import type { Metrics } from "../../src/shared/stats/metrics.js";
import { mirrorPath } from "../../src/stats-mirror/format.js";
import { mirroredMetrics, readMirror } from "../../src/stats-mirror/reader.js";
import { withMirroredServer } from "../support/mirrored-server.js";
import { parsePrometheus, sampleOf } from "../support/prometheus.js";
import { RawClient } from "../support/raw-client.js";

const test = suite("the metrics of one server, read three ways");

const command = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

/** What does not stand still while one reads. */
function settled({ uptimeMicros, cpuUserMicros, cpuSystemMicros, peakRssBytes, eventLoop, ...rest }: Metrics) {
  assert.ok(uptimeMicros > 0 && cpuUserMicros + cpuSystemMicros > 0 && peakRssBytes > 0 && eventLoop.activeMs >= 0);
  const { phases, latency, workerStates, cache, ...counted } = rest;
  assert.is(phases.wait.count, latency.count);
  assert.ok(Array.isArray(workerStates));
  // Levels are looked up a few times a second.
  return { ...counted, cache: { ...cache, bytes: 0, entries: 0 } };
}

for (const core of [reactor, pool]) {
  test(`${core.name}: /stats.json, /metrics and the mirror agree with each other and with the clients`, async () => {
    await withMirroredServer(core, async ({ url, port }) => {
      const sent = { "/hello": 40, "/": 30, "/absent": 20, "/throws": 7, "/cpu?us=x": 3 };
      let bodyBytes = 0;
      const seen: Record<string, number> = {};
      await Promise.all(
        Object.entries(sent).map(async ([path, times]) => {
          for (let i = 0; i < times; i++) {
            const response = await fetch(`${url}${path}`);
            bodyBytes += (await response.arrayBuffer()).byteLength;
            seen[response.status] = (seen[response.status] ?? 0) + 1;
          }
        }),
      );
      const aborts = 5;
      for (let i = 0; i < aborts; i++) {
        const client = await RawClient.open(port);
        client.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
        let inFlight = 0;
        while (inFlight === 0) ({ inFlight } = await mirrored(port));
        client.socket.destroy();
        while (inFlight !== 0) ({ inFlight } = await mirrored(port));
      }

      const json = (await (await fetch(`${url}/stats.json`)).json()) as Metrics;
      const ownBytes = Buffer.byteLength(`${JSON.stringify(json)}\n`);
      assert.equal(seen, { 200: 70, 400: 3, 404: 20, 500: 7 });
      assert.equal(json.status, seen);
      assert.is(json.requests, 100 + aborts + 1, "this request too");
      assert.is(json.bodyBytes, bodyBytes);
      assert.is(json.aborted, aborts);
      assert.is(json.handlerErrors, 7);

      // The mirror, once it has seen the end of that request: its response, and nothing in flight.
      const metrics = await until(port, (f) => f.responses["2xx"] === 71 && f.inFlight === 0);
      assert.equal(settled(metrics), {
        ...settled(json),
        status: { ...json.status, 200: 71 },
        responses: { ...json.responses, "2xx": 71 },
        bodyBytes: bodyBytes + ownBytes,
        inFlight: 0,
        activeConnections: metrics.activeConnections,
      });

      const scrape = parsePrometheus(await (await fetch(`${url}/metrics`)).text());
      assert.is(sampleOf(scrape, "loopool_requests_total"), metrics.requests + 1);
      assert.is(sampleOf(scrape, "loopool_response_body_bytes_total"), metrics.bodyBytes);
      for (const [code, count] of Object.entries(metrics.status)) {
        assert.is(sampleOf(scrape, "loopool_responses_total", { code }), count, code);
      }
      assert.is(sampleOf(scrape, "loopool_requests_aborted_total"), aborts);
      assert.is(sampleOf(scrape, "loopool_handler_errors_total"), 7);
      assert.ok(sampleOf(scrape, "loopool_request_duration_seconds_count") >= metrics.latency.count);
    });
  });
}

test("another process reads on while the main thread does nothing else", async () => {
  await withMirroredServer(reactor, async ({ port }) => {
    const before = mirroredMetrics(await readMirror(mirrorPath(port)));
    // Until the command has ended, the main thread of the server, which is this one, stands still.
    const line = execFileSync(process.execPath, [command, "stats", "--once", "--json", "--port", String(port)]);
    const during = JSON.parse(String(line)) as Metrics;
    assert.ok(during.uptimeMicros > before.uptimeMicros + 10_000, "it was written meanwhile");
    assert.equal(settled(during), settled(before));
  });
});

async function until(port: number, isReached: (metrics: Metrics) => boolean): Promise<Metrics> {
  for (;;) {
    const metrics = await mirrored(port);
    if (isReached(metrics)) return metrics;
  }
}

/** What the mirror shows, a little later: it is written a few times a second, and reading it costs this process, the server's. */
async function mirrored(port: number): Promise<Metrics> {
  await pause(20);
  return mirroredMetrics(await readMirror(mirrorPath(port)));
}

test.run();

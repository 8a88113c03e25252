import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Metrics } from "../../src/shared/stats/metrics.js";
import { conformance } from "../core/conformance.js";
import { isInFlight, unanswered } from "../support/in-flight.js";
import { RawClient } from "../support/raw-client.js";
import { withServer } from "../support/server.js";

conformance("reactor");

const test = suite("reactor");

test("a promise that does not settle in time costs a 504, and its answer is not waited for", async () => {
  await withServer({ mode: "reactor", requestTimeoutMs: 100 }, async ({ url, stats }) => {
    const lateMs = performance.now() + 400;
    const answers = await Promise.all(["/never", "/sleep?ms=300", "/hello"].map((path) => fetch(url + path)));
    assert.equal(
      answers.map(({ status }) => status),
      [504, 504, 200],
    );
    // The late answer of the second comes meanwhile, to nobody.
    while (performance.now() < lateMs) assert.is((await fetch(`${url}/hello`)).status, 200);
    const { timedOut, status, inFlight, aborted } = await stats();
    assert.equal([timedOut, status["504"], inFlight, aborted], [2, 2, 0, 0]);
  });
});

test("the longest delay of the event loop is in ms: that of a handler that held it, and no longer than the server is up", async () => {
  await withServer({ mode: "reactor", iterationsPerMicro: 1000 }, async ({ url }) => {
    const read = async () =>
      (await (await fetch(`${url}/stats.json`)).json()) as Pick<Metrics, "eventLoop" | "uptimeMicros">;
    await (await fetch(`${url}/cpu?us=100000`)).text();
    let metrics = await read();
    // It is written ten times a second.
    while (metrics.eventLoop.delayMaxMs < 5) metrics = await read();
    assert.ok(metrics.eventLoop.delayMaxMs < metrics.uptimeMicros / 1000, JSON.stringify(metrics.eventLoop));
  });
});

test("a client that goes before the time is up is not counted as one who waited too long", async () => {
  await withServer({ mode: "reactor", requestTimeoutMs: 100 }, async ({ port, url, stats }) => {
    let late = -1;
    // On a busy machine the time may be up before we go: then once more.
    for (let aborted = 0; aborted === 0; late++) {
      const client = await RawClient.open(port);
      await isInFlight({ stats }, () => client.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n"));
      client.socket.destroy();
      let metrics = await stats();
      while (unanswered(metrics) > 0) metrics = await stats();
      aborted = metrics.aborted;
    }
    assert.is((await fetch(`${url}/never`)).status, 504);
    assert.is((await stats()).timedOut, late + 1);
  });
});

test.run();

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkTargets } from "../../../src/harness/sweep/check.js";
import { estimatedSeconds, trialSeconds } from "../../../src/harness/sweep/estimate.js";
import { warmUpSeconds } from "../../../src/harness/sweep/plan.js";
import type { SweepPlan } from "../../../src/harness/sweep/result.js";
import { LoopoolError } from "../../../src/shared/errors.js";
import { childrenOf } from "../../support/cli.js";
import { smallPlan } from "./fixture.js";

const behaviours = fileURLToPath(new URL("../../core/fixtures/behaviours.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "loopool-check-"));

async function check(changes: Partial<SweepPlan>) {
  try {
    return await checkTargets({ ...smallPlan, ...changes }, 60_000, new AbortController().signal);
  } finally {
    if (process.platform === "linux") assert.equal(childrenOf(process.pid), [], "no server is left");
  }
}

async function refusal(changes: Partial<SweepPlan>): Promise<LoopoolError> {
  const error = await check(changes).then(
    () => assert.unreachable("it passed"),
    (reason: unknown) => reason,
  );
  assert.instance(error, LoopoolError);
  return error as LoopoolError;
}

/** Checks against a server that is not ours and gives every request this answer. */
async function targetThatSays<T>(response: string, use: (target: Partial<SweepPlan>) => Promise<T>): Promise<T> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}).on("data", () => socket.write(response)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    return await use({ cores: ["theirs"], targets: [{ name: "theirs", url }] });
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const test = suite("check before a sweep");

test("every core is asked, and found to answer at a rate", async () => {
  const { facts, probes } = await check({ cores: ["reactor", "pool"] });
  assert.equal(
    probes.map(({ name }) => name),
    ["reactor", "pool"],
  );
  for (const { requestsPerSecond, meanLatencyMs, startMs } of probes) {
    assert.ok(requestsPerSecond > 0 && meanLatencyMs > 0 && startMs > 0);
  }
  assert.ok(facts.iterationsPerMicro > 0);
});

for (const core of ["reactor", "pool"]) {
  test(`${core}: a handler that throws is refused with its status and the exception`, async () => {
    const { code, message, exitCode } = await refusal({ cores: [core], handlers: behaviours, path: "/throws" });
    assert.equal([code, exitCode], ["PATH_NOT_SERVED", 1]);
    assert.match(message, new RegExp(`^${core} answers GET /throws with status 500 \\(".*"\\), and only 2xx counts; `));
    assert.match(message, /the server said: .*thrown on purpose/);
    assert.not.match(message, /[\n<]/, "one line, without markup");
  });

  test(`${core}: a path that is not there is refused before anything is measured`, async () => {
    const { message } = await refusal({ cores: [core], path: "/no-such-page" });
    assert.match(message, new RegExp(`^${core} answers GET /no-such-page with status 404 .*name another --path$`));
  });

  test(`${core}: a server that ends instead of answering is refused with how it ended`, async () => {
    const { message } = await refusal({ cores: [core], handlers: behaviours, path: "/exits" });
    if (core === "reactor") assert.match(message, /^reactor does not answer GET \/exits \(.*code 7/);
    else assert.match(message, /^pool answers GET \/exits with status 500/);
  });
}

test("not only the first core is asked", async () => {
  const handlers = join(folder, "main-only.mjs");
  writeFileSync(
    handlers,
    'import { isMainThread } from "node:worker_threads";\n' +
      "export const handlers = { '/x': () => { if (!isMainThread) throw new Error('only in the main thread'); " +
      "return { status: 200, headers: {}, body: 'x' }; } };\n",
  );
  const { message } = await refusal({ cores: ["reactor", "pool"], handlers, path: "/x" });
  assert.match(message, /^pool answers GET \/x with status 500 .*only in the main thread/);
});

test("what the trials' own client takes passes, and what it refuses does not", async () => {
  const head = (bytes: number): string =>
    `HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(bytes)}\r\nContent-Length: 2\r\n\r\nok`;
  await targetThatSays(head(20 * 1024), check);
  const { code, message } = await targetThatSays("HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok", refusal);
  assert.is(code, "TARGET_NOT_READY");
  assert.match(message, /^theirs does not answer at http:\S+ \(malformed\)/);
});

test("a target's own words reach the message in one line, without control characters", async () => {
  const body = "nobody\r\n\u001b[31mhome";
  const response = `HTTP/1.1 503 No\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const { message } = await targetThatSays(response, refusal);
  assert.match(message, /^theirs answers http:\S+ with status 503 \("nobody \\x1b\[31mhome"\)/);
});

const probe = (meanLatencyMs: number, requestsPerSecond = 1000) => ({
  name: "reactor",
  requestsPerSecond,
  meanLatencyMs,
  startMs: 500,
});

test("a trial by time lasts two seconds, or ten times a slow answer, and never more than ten", () => {
  assert.is(trialSeconds([probe(1)]), 2);
  assert.is(trialSeconds([probe(1), probe(450)]), 5);
  assert.is(trialSeconds([probe(60_000)]), 10);
  for (const seconds of [0.1, 0.5, 1, 2, 5]) assert.ok(warmUpSeconds(seconds) <= seconds);
});

test("the estimate adds up windows, warm-ups and starts of all trials", () => {
  const plan = { ...smallPlan, trials: 10, requests: 3000, warmupRequests: 1000 };
  assert.is(estimatedSeconds(plan, [probe(1)]), 10 * (4 + 1.5));
  assert.is(estimatedSeconds({ ...plan, seconds: 2 }, [probe(1)]), 10 * (2 + 1 + 1.5));
  assert.is(estimatedSeconds(plan, [probe(0, 0)]), null);
  const openLoop = { shares: null, rates: [{ concurrency: 2, requestsPerSecond: 100 }], seconds: 4 };
  assert.is(estimatedSeconds({ ...plan, openLoop }, [probe(1)]), 10 * (4 + 2 + 1.5));
});

test.after(() => rmSync(folder, { recursive: true, force: true }));

test.run();

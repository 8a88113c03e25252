import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { RawClient } from "../support/raw-client.js";
import { readResponses } from "../support/responses.js";
import { type StatsMetrics, withServer } from "../support/server.js";
import { caseOf, type Expected } from "./fixtures/random-results.js";

/** Results that each server is given; LOOPOOL_TEST_RESULTS=200000 is the long form. */
const RESULTS = Number(process.env["LOOPOOL_TEST_RESULTS"] ?? 1500);
const CONNECTIONS = 32;
const TIMEOUT_MS = 3000;
const handlers = fileURLToPath(new URL("./fixtures/random-results.js", import.meta.url));

const SERVER_ERROR = "500 Internal Server Error\n";

interface Answer {
  readonly status: number;
  readonly lines: readonly string[];
  readonly body: Buffer;
}

/** The answer to one request on a connection that is kept. */
async function exchange(client: RawClient, method: string, n: number): Promise<Answer> {
  client.send(`${method} /fuzz?${n} HTTP/1.1\r\nHost: x\r\n\r\n`);
  const isHead = method === "HEAD";
  const isWhole = (received: string): boolean =>
    isHead ? received.endsWith("\r\n\r\n") : readResponses(received, false).length > 0;
  const text = await client.receive(isWhole);
  assert.ok(isWhole(text), `case ${n}: no whole answer: ${JSON.stringify(text.slice(0, 300))}`);
  const [{ head, body } = { head: text.slice(0, -4), body: "" }, ...others] = isHead ? [] : readResponses(text, false);
  assert.is(others.length, 0, `case ${n}: more than one answer`);
  const [statusLine = "", ...lines] = head.split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(`${statusLine} `)?.[1]);
  return { status, lines, body: Buffer.from(body, "latin1") };
}

function assertAsExpected(n: number, method: string, answer: Answer, expected: Expected): void {
  assert.is(answer.status, expected.status, `case ${n}`);
  const ours = /^(?:x-fuzz|set-cookie)/i;
  assert.equal(
    answer.lines.filter((line) => ours.test(line)),
    expected.lines,
    `case ${n}: lines`,
  );
  if (method === "GET") assert.ok(answer.body.equals(expected.body), `case ${n}: body`);
}

/** Null in JSON where there is nothing to tell: without a queue, and of a worker that is idle. */
const MAY_BE_NULL = /^\/(?:queued|workerStates\/\d+\/on)$/;

/** What is not a number in a document of metrics, by path; JSON has null for NaN. */
function noNumbers(value: unknown, path = ""): readonly string[] {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? [] : [path];
  if (value === null) return MAY_BE_NULL.test(path) ? [] : [path];
  return typeof value === "object"
    ? Object.entries(value).flatMap(([key, one]) => noNumbers(one, `${path}/${key}`))
    : [];
}

/** Handlers that return and throw whatever there is: each request is answered as it should be, and every figure is right. */
export function resultFuzz(mode: string, adapter: string): void {
  const test = suite(`${mode} behind ${adapter}: random results`);

  test(`${RESULTS} results and throws of random shape: each is answered, counted, and costs no worker`, async () => {
    await withServer({ mode, adapter, handlers, workers: 2, requestTimeoutMs: TIMEOUT_MS }, async ({ port, url }) => {
      let next = 0;
      const count = { bad: 0, never: 0, late: 0, neverRun: 0, bodyBytes: 0 };
      const one = async (client: RawClient, n: number): Promise<void> => {
        const { expected, isNever } = caseOf(n);
        const method = n % 10 === 0 ? "HEAD" : "GET";
        const answer = await exchange(client, method, n);
        count.bodyBytes += answer.body.length;
        const text = answer.body.toString("latin1");
        if (isNever) {
          count.never++;
          assert.is(answer.status, 504, `case ${n}`);
          return;
        }
        // A machine that stands still for so long makes any handler late.
        const isOurs = (status: number, start: string): boolean =>
          answer.status === status && (method === "HEAD" ? expected?.status !== status : text.startsWith(start));
        if (isOurs(503, "503 Service Unavailable: no worker")) {
          count.neverRun++;
          return;
        }
        if (expected === null) count.bad++;
        if (isOurs(504, "504 Gateway Timeout")) count.late++;
        else if (expected !== null) assertAsExpected(n, method, answer, expected);
        else assert.equal([answer.status, text], [500, method === "GET" ? SERVER_ERROR : ""], `case ${n}`);
      };
      const lane = async (): Promise<RawClient> => {
        const client = await RawClient.open(port);
        while (next < RESULTS) await one(client, next++);
        return client;
      };
      const clients = await Promise.all(Array.from({ length: CONNECTIONS }, lane));

      // A client has its answer before the server knows that it has.
      let readings = 0;
      let stats: StatsMetrics;
      for (;;) {
        const text = await (await fetch(`${url}/stats.json`)).text();
        readings++;
        stats = JSON.parse(text) as StatsMetrics;
        if (stats.inFlight <= 1) break;
        count.bodyBytes += text.length;
      }
      for (const { socket } of clients) socket.destroy();
      const { handled, handlerErrors, timedOut, workersLost, workers, aborted, shed, bodyBytes } = stats;
      assert.is(handled, RESULTS - count.neverRun + readings);
      assert.is(handlerErrors, count.bad);
      assert.is(timedOut, count.never + count.late + count.neverRun);
      assert.equal([workersLost, aborted, shed], [0, 0, 0]);
      assert.is(workers, mode === "pool" ? 2 : 0);
      assert.is(bodyBytes, count.bodyBytes);
      const answered = Object.values(stats.status).reduce((sum, responses) => sum + responses, 0);
      assert.is(answered, RESULTS + readings - 1);
      assert.equal(noNumbers(stats), []);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      assert.not.match(metrics, /NaN|undefined|null/);
      assert.ok(count.bad > RESULTS / 4 && count.bad < RESULTS, String(count.bad));
    });
  });

  test.run();
}

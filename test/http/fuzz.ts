import { connect, type Socket } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Random, seededRandom } from "../../src/harness/statistics/random.js";
import { readResponses } from "../support/responses.js";
import { type TestServer, withServer } from "../support/server.js";
import { wireCases } from "./wire-cases.js";

/** Requests that are sent to each core; LOOPOOL_TEST_FUZZ=1000000 is the long form. */
const REQUESTS = Number(process.env["LOOPOOL_TEST_FUZZ"] ?? 10_000);
const SEED = 20_261_121;
const LANES = 32;
const QUEUE = 64;
/** What a parser may stumble over. */
const SPECIAL = ["\r", "\n", "\r\n", "\0", " ", "\t", ":", ",", ";", "0", "9", "f", "\x7f", "\xff", "/", "?", "%", "#"];
const FIELDS = [
  "Content-Length: 3",
  "Transfer-Encoding: chunked",
  "Connection: close",
  "Expect: 100-continue",
  "Host: y",
  "Upgrade: x",
  "A: b",
];

const below = (random: Random, bound: number): number => Math.floor(random() * bound);
const oneOf = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)]!;

/** What the requests begin as: every case of the table that is not too long, and some that take their time. */
const seeds = [
  ...wireCases.map(({ bytes }) => bytes).filter((bytes) => bytes.length < 2000),
  "GET /sleep?ms=1 HTTP/1.1\r\nHost: x\r\n\r\n",
  "GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n",
  "HEAD /large.bin HTTP/1.1\r\nHost: x\r\n\r\n",
];

function mutate(text: string, random: Random): string {
  const at = below(random, text.length + 1);
  const end = Math.min(text.length, at + below(random, 20));
  switch (below(random, 7)) {
    case 0:
      return text.slice(0, at) + oneOf(random, SPECIAL) + text.slice(at);
    case 1:
      return text.slice(0, at) + String.fromCharCode(below(random, 256)) + text.slice(at + 1);
    case 2:
      return text.slice(0, at) + text.slice(end);
    case 3:
      return text.slice(0, end) + text.slice(at);
    case 4:
      return text.slice(0, at);
    case 5:
      return text.slice(0, at) + oneOf(random, seeds).slice(below(random, 50));
    default: {
      const lines = text.split("\r\n");
      lines.splice(1 + below(random, lines.length), 0, oneOf(random, FIELDS));
      return lines.join("\r\n");
    }
  }
}

function request(random: Random): string {
  let text = oneOf(random, seeds);
  for (let mutations = below(random, 4); mutations > 0; mutations--) text = mutate(text, random);
  return text;
}

/** Up to four packets. */
function pieces(text: string, random: Random): readonly string[] {
  const cuts = Array.from({ length: below(random, 4) }, () => below(random, text.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((from, i) => text.slice(from, cuts[i] ?? text.length)).filter((piece) => piece !== "");
}

/** A turn of the event loop that this process shares with the server. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** Sends one text after the other, on connections that it leaves in any way, until `next` has no more. */
async function lane(port: number, random: Random, next: () => boolean): Promise<void> {
  while (next()) {
    let received = "";
    let isClosed = false;
    // Each client address has its own ports: those of connections that were closed a moment ago cannot be had again.
    const localAddress = `127.0.0.${1 + below(random, 250)}`;
    const socket: Socket = connect({ port, host: "127.0.0.1", localAddress, noDelay: true });
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.on("error", () => {});
    const closed = new Promise<void>((resolve) => {
      socket.on("close", () => {
        isClosed = true;
        resolve();
      });
    });
    let sent = "";
    do {
      const text = request(random);
      sent += text;
      for (const piece of pieces(text, random)) {
        socket.write(piece, "latin1");
        await turn();
      }
      for (let turns = below(random, 10); turns > 0 && !isClosed; turns--) await turn();
    } while (!isClosed && random() < 0.5 && next());
    if (random() < 0.2) socket.end();
    else if (random() < 0.5) socket.destroy();
    else socket.resetAndDestroy();
    await closed;
    // A HEAD would have a length and no body.
    if (sent.includes("HEAD")) continue;
    try {
      readResponses(received, true);
    } catch (error) {
      throw new Error(`sent ${JSON.stringify(sent)}\nreceived ${JSON.stringify(received)}`, { cause: error });
    }
  }
}

async function assertHealthy(server: TestServer): Promise<void> {
  const response = await fetch(`${server.url}/hello`, { headers: { Connection: "close" } });
  assert.is(response.status, 200);
  assert.is(await response.text(), "Hello, world!\n");
}

/** Seeded mutations of the table, on both cores behind an adapter. */
export function fuzz(adapter: string): void {
  for (const mode of ["reactor", "pool"]) {
    const test = suite(`${adapter}, ${mode}: fuzz`);

    test(`${REQUESTS} requests in all forms: it goes on, and nothing is left of them`, async () => {
      const files = { "large.bin": new Uint8Array(300_000) };
      await withServer(
        { mode, adapter, workers: 2, queue: QUEUE, cacheBytes: 2 ** 20 },
        async (server) => {
          let sent = 0;
          const next = (): boolean => sent++ < REQUESTS;
          let isOver = false;
          const watching = (async () => {
            while (!isOver) await assertHealthy(server);
          })();
          const lanes = Array.from({ length: LANES }, (_, i) => lane(server.port, seededRandom(SEED + i), next));
          try {
            await Promise.all(lanes);
          } finally {
            isOver = true;
            await watching;
          }

          // The last are still on their way.
          let metrics = await server.stats();
          while (metrics.activeConnections > 1 || metrics.inFlight > 1) metrics = await server.stats();
          const { requests, status, aborted, handlerErrors, workersLost, workers } = metrics;
          const answered = Object.values(status).reduce((sum, count) => sum + count, 0);
          assert.is(answered + aborted, requests - 1);
          assert.equal([handlerErrors, workersLost, workers], [0, 0, mode === "pool" ? 2 : 0]);
          // Every slot is free: as many as there are can be taken at once.
          const { shed } = metrics;
          const sleepers = await Promise.all(Array.from({ length: QUEUE }, () => fetch(`${server.url}/sleep?ms=50`)));
          assert.ok(sleepers.every((response) => response.status === 200));
          await Promise.all(sleepers.map((response) => response.text()));
          assert.is((await server.stats()).shed, shed);
        },
        files,
      );
    });

    test.run();
  }
}

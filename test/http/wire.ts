import { suite } from "uvu";
import * as assert from "uvu/assert";
import { RawClient } from "../support/raw-client.js";
import { type ReadResponse, readResponses } from "../support/responses.js";
import { type TestServer, withServer } from "../support/server.js";
import { SideBySide } from "../support/side-by-side.js";
import { type Outcome, SMUGGLED, type WireCase } from "./wire-case.js";
import { wireCases } from "./wire-cases.js";

const PROBE = "GET /echo?probe HTTP/1.1\r\nHost: x\r\n\r\n";
/** Byte by byte, a long head is read again with each. */
const MAX_FRAGMENTED_BYTES = 1000;

const outcomeOf = ({ outcome, differences }: WireCase, adapter: string): Outcome => differences[adapter] ?? outcome;

/** A turn of the event loop that this process shares with the server: it reads what was sent before. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** Sends the pieces, each in a packet of its own, and reads what comes back. */
async function converse(server: TestServer, pieces: readonly string[], { statuses, after }: Outcome): Promise<string> {
  const client = await RawClient.open(server.port);
  client.socket.setNoDelay();
  try {
    for (const piece of pieces) {
      client.send(piece);
      await turn();
    }
    const enough = (count: number) => (text: string) => readResponses(text, false).length >= count;
    if (after !== "open") return tell(await client.receiveToEnd(), true);
    const text = await client.receive(enough(statuses.length));
    client.send(PROBE);
    const rest = await client.receive(enough(1));
    return `${tell(text, false)}${probed(rest)}`;
  } finally {
    client.socket.destroy();
  }
}

function tell(text: string, closed: boolean): string {
  if (text.includes(SMUGGLED)) return "smuggled";
  const reported = (responses: readonly ReadResponse[]): string => responses.map(({ status }) => `${status} `).join("");
  return `${reported(readResponses(text, closed))}${closed ? "closed" : ""}`;
}

/** The answer to the probe, and nothing else, says that the connection is open and in step. */
function probed(text: string): string {
  const responses = readResponses(text, false);
  return responses.length === 1 && responses[0]!.body === "/echo?probe\n" ? "open" : `no answer to the probe: ${text}`;
}

function matches(reported: string, { statuses, after, mayBeCut }: Outcome): boolean {
  if (mayBeCut && reported === "closed") return true;
  const words = statuses.map((status) => (typeof status === "number" ? `${status}` : `(?:${status.join("|")})`));
  return new RegExp(`^${words.map((word) => `${word} `).join("")}${after === "open" ? "open" : "closed"}$`).test(
    reported,
  );
}

/** Every case of the table, on both cores behind an adapter. */
export function wireConformance(adapter: string): void {
  // What is silent lasts until the time for a head is up.
  const waiting = new SideBySide();
  for (const mode of ["reactor", "pool"]) {
    const test = suite(`${adapter}, ${mode}: on the wire`);

    test(
      "every case ends as the table says, and the counts agree",
      waiting.add(async () => {
        await withServer({ mode, adapter }, async (server) => {
          // At the same time: what is silent lasts until the time for a head is up.
          const wrong = await Promise.all(
            wireCases.map(async (wireCase) => {
              const reported = await converse(server, [wireCase.bytes], outcomeOf(wireCase, adapter));
              return matches(reported, outcomeOf(wireCase, adapter))
                ? []
                : [`${wireCase.name} (RFC ${wireCase.rfc}): ${reported}`];
            }),
          );
          assert.equal(wrong.flat(), []);
          await assertCountsAgree(server);
        });
      }),
    );

    test(
      "every case ends the same when each byte is a packet of its own",
      waiting.add(async () => {
        await withServer({ mode, adapter }, async (server) => {
          const fragmented = wireCases.filter(
            (one) => one.bytes.length <= MAX_FRAGMENTED_BYTES && outcomeOf(one, adapter).after !== "silent",
          );
          const wrong: string[] = [];
          for (const wireCase of fragmented) {
            const reported = await converse(server, [...wireCase.bytes], outcomeOf(wireCase, adapter));
            if (!matches(reported, outcomeOf(wireCase, adapter)))
              wrong.push(`${wireCase.name} (RFC ${wireCase.rfc}): ${reported}`);
          }
          assert.equal(wrong, []);
          await assertCountsAgree(server);
        });
      }),
    );

    test("the last answer on a connection says so, once, whoever asked and whatever it is", async () => {
      const large = new Uint8Array(1_000_000);
      await withServer(
        { mode, adapter, cacheBytes: 2 ** 20 },
        async (server) => {
          for (const asked of ["close", "x, Close", "x\r\nConnection: close"]) {
            for (const request of [
              "GET /echo",
              "HEAD /echo",
              "GET /absent",
              "GET /sleep?ms=1",
              "POST /echo",
              "GET /large",
            ]) {
              const client = await RawClient.open(server.port);
              client.send(`${request} HTTP/1.1\r\nHost: x\r\nConnection: ${asked}\r\n\r\n`);
              const text = await client.receive((all) => all.includes("\r\n\r\n"));
              client.socket.destroy();
              const [head = ""] = text.split("\r\n\r\n");
              assert.is(head.match(/^connection: close\r?$/gim)?.length, 1, `${request}, ${asked}: ${head}`);
            }
          }
        },
        { large },
      );
    });

    const split = [
      "a plain GET",
      "a GET with a body, then another request",
      "a POST with a body that looks like a request",
      "Connection: close",
      "an empty Content-Length",
    ];
    for (const name of split) {
      test(`two packets, divided anywhere: ${name}`, async () => {
        const wireCase = wireCases.find((one) => one.name === name)!;
        await withServer({ mode, adapter }, async (server) => {
          for (let at = 1; at < wireCase.bytes.length; at++) {
            const pieces = [wireCase.bytes.slice(0, at), wireCase.bytes.slice(at)];
            const reported = await converse(server, pieces, outcomeOf(wireCase, adapter));
            assert.ok(matches(reported, outcomeOf(wireCase, adapter)), `at ${at}: ${reported}`);
          }
        });
      });
    }

    test.run();
  }
}

/** Every request that was counted was answered or given up, and none is left. */
async function assertCountsAgree(server: TestServer): Promise<void> {
  const { requests, status, aborted, inFlight } = await server.stats();
  const answered = Object.values(status).reduce((sum, count) => sum + count, 0);
  // The reading itself is a request that has no response yet.
  assert.is(answered + aborted, requests - 1);
  assert.ok(inFlight <= 1, `${inFlight} in flight`);
}

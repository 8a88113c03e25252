import { randomFillSync } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { RawClient } from "../support/raw-client.js";
import { readResponses } from "../support/responses.js";
import { type TestServer, withServer } from "../support/server.js";

const GET = "GET /hello HTTP/1.1\r\nHost: x\r\n";

/** Sends one request on a connection and reads its answer. */
async function ask(client: RawClient, request: string) {
  client.send(request);
  const text = await client.receive((all) => readResponses(all, false).length > 0);
  const [response] = readResponses(text, true);
  assert.ok(response, `no answer: ${text}`);
  return response;
}

async function once(server: TestServer, request: string) {
  const client = await RawClient.open(server.port);
  try {
    return await ask(client, request);
  } finally {
    client.socket.destroy();
  }
}

/** Every limit, on both cores behind an adapter. */
export function limitsConformance(adapter: string): void {
  for (const mode of ["reactor", "pool"]) {
    const test = suite(`${adapter}, ${mode}: limits`);

    test("connections: one too many gets a 503 and is closed, and there is room again when one goes", async () => {
      await withServer({ mode, adapter, limits: { maxConnections: 3 } }, async (server) => {
        const clients = await Promise.all([1, 2, 3].map(() => RawClient.open(server.port)));
        for (const client of clients) assert.is((await ask(client, `${GET}\r\n`)).status, 200);
        const refused = await (await RawClient.open(server.port)).receiveToEnd();
        const response = readResponses(refused, true)[0]!;
        assert.is(response.status, 503);
        assert.match(response.head, /^retry-after: 1$/im);
        assert.match(response.head, /^connection: close$/im);
        clients[0]!.socket.destroy();
        // It may ask before the server has noticed.
        let tried = 1;
        for (;;) {
          const client = await RawClient.open(server.port);
          client.send(`${GET}\r\n`);
          const text = await client.receive((all) => all.includes("Hello"));
          client.socket.destroy();
          if (text.startsWith("HTTP/1.1 200")) break;
          tried++;
        }
        const metrics = JSON.parse(
          (await ask(clients[1]!, "GET /stats.json HTTP/1.1\r\nHost: localhost\r\n\r\n")).body,
        );
        assert.is(metrics.limits.connections, tried);
        assert.is(metrics.connections, tried + 4);
        for (const client of clients) client.socket.destroy();
      });
    });

    test("lengths of target, head and body, each to the byte", async () => {
      const limits = { maxUrlBytes: 100, maxHeadBytes: 600, maxBodyBytes: 50 };
      await withServer({ mode, adapter, limits }, async (server) => {
        const target = (bytes: number): string => `GET ${"/echo?".padEnd(bytes, "a")} HTTP/1.1\r\nHost: x\r\n\r\n`;
        assert.is((await once(server, target(100))).status, 200);
        assert.is((await once(server, target(101))).status, 414);
        const head = (bytes: number): string => `${`${GET}A: `.padEnd(bytes - 4, "b")}\r\n\r\n`;
        assert.is(head(600).length, 600);
        assert.is((await once(server, head(600))).status, 200);
        assert.is((await once(server, head(601))).status, 431);
        const body = (bytes: number): string => `${GET}Content-Length: ${bytes}\r\n\r\n${"x".repeat(bytes)}`;
        assert.is((await once(server, body(50))).status, 200);
        assert.is((await once(server, body(51))).status, 413);
        const { url, head: heads, body: bodies } = (await server.stats()).limits;
        assert.equal([url, heads, bodies], [1, 1, 1]);
      });
    });

    test("requests per connection: the last one closes it", async () => {
      await withServer({ mode, adapter, limits: { maxConnectionRequests: 3 } }, async (server) => {
        for (const method of ["GET", "HEAD"]) {
          const client = await RawClient.open(server.port);
          for (let request = 1; request <= 3; request++) {
            client.send(`${method} /hello HTTP/1.1\r\nHost: x\r\n\r\n`);
            const end = method === "GET" ? "world!\n" : "\r\n\r\n";
            const text = request < 3 ? await client.receive((all) => all.endsWith(end)) : await client.receiveToEnd();
            assert.match(text, /^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*Content-Length: 14\r\n/);
            assert.ok(text.endsWith(end), text);
            assert.is(/^Connection: close\r$/m.test(text), request === 3);
          }
        }
        assert.is((await server.stats()).limits.connectionRequests, 2);
      });
    });

    test("requests per second of an address: 429 with Retry-After, counted", async () => {
      await withServer({ mode, adapter, limits: { ratePerSecond: 5 } }, async (server) => {
        const client = await RawClient.open(server.port);
        const statuses: number[] = [];
        let refused: string | undefined;
        while (refused === undefined) {
          const { status, head } = await ask(client, `${GET}\r\n`);
          statuses.push(status);
          if (status === 429) refused = head;
        }
        assert.ok(statuses.length > 5, "a second's worth at once");
        assert.match(refused, /^retry-after: 1$/im);
        let answer = await ask(client, "GET /stats.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
        while (answer.status === 429) {
          statuses.push(429);
          answer = await ask(client, "GET /stats.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }
        assert.is(JSON.parse(answer.body).limits.rate, statuses.filter((status) => status === 429).length);
        client.socket.destroy();
      });
    });

    test("a reader that takes nothing is ended and counted, one that reads on is not", async () => {
      const bytes = randomFillSync(new Uint8Array(30_000_000));
      await withServer(
        { mode, adapter, limits: { slowReaderTimeoutMs: 1000 } },
        async (server) => {
          const request = "GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n";
          const stuck = await RawClient.open(server.port);
          stuck.socket.pause();
          stuck.send(request);
          const reader = await RawClient.open(server.port);
          reader.send(request);
          const whole = reader.receive((all) => all.length > bytes.length);
          while ((await server.stats()).limits.slowReaders === 0) {}
          assert.ok((await whole).length > bytes.length);
          const { aborted, inFlight, limits } = await server.stats();
          assert.equal([aborted, limits.slowReaders], [1, 1]);
          assert.ok(inFlight <= 1);
          stuck.socket.resume();
          assert.ok((await stuck.receiveToEnd()).length < bytes.length);
          reader.socket.destroy();
        },
        { "large.bin": bytes },
      );
    });

    test("what is refused is in /metrics by its reason", async () => {
      await withServer({ mode, adapter, limits: { maxUrlBytes: 100 } }, async (server) => {
        await once(server, `GET /${"a".repeat(100)} HTTP/1.1\r\nHost: x\r\n\r\n`);
        await once(server, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
        const text = await (await fetch(`${server.url}/metrics`)).text();
        assert.match(text, /^loopool_limits_reached_total\{limit="url"\} 1$/m);
        assert.match(text, /^loopool_limits_reached_total\{limit="body"\} 0$/m);
        assert.match(text, /^loopool_requests_malformed_total 1$/m);
      });
    });

    test.run();
  }
}

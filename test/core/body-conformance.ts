import { createHash, randomFillSync } from "node:crypto";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { RawClient } from "../support/raw-client.js";
import { readResponses } from "../support/responses.js";
import { type TestServer, withServer } from "../support/server.js";
import { forgetEvents } from "./fixtures/bodies.js";

const handlers = fileURLToPath(new URL("./fixtures/bodies.js", import.meta.url));

/** What a handler says of a whole body. */
interface Whole {
  readonly method: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly isOwn: boolean;
  readonly hasStream: boolean;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const MIB = 2 ** 20;

/** A body that fetch sends in chunks. */
function inChunks(bytes: Uint8Array, chunkBytes = 100_000): ReadableStream<Uint8Array> {
  let offset = 0;
  return new ReadableStream({
    pull(controller) {
      if (offset >= bytes.byteLength) {
        controller.close();
        return;
      }
      controller.enqueue(bytes.slice(offset, offset + chunkBytes));
      offset += chunkBytes;
    },
  });
}

const post = (url: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<Response> =>
  fetch(url, { method: "POST", body, ...(body instanceof Uint8Array ? {} : { duplex: "half" }) } as RequestInit);

/** What a module of this suite has noted in its thread. */
export async function eventsOf({ url }: TestServer): Promise<readonly string[]> {
  return (await (await fetch(`${url}/events`)).json()) as string[];
}

/** Asks until the module has noted an event. */
export async function happened(server: TestServer, event: RegExp): Promise<void> {
  while (!(await eventsOf(server)).some((one) => event.test(one))) {}
}

/** Methods and request bodies behind one adapter: what every core must do. */
export function bodyConformance(mode: string, adapter: string): void {
  const test = suite(`${mode} behind ${adapter}: methods and bodies`);
  // µWS does not tell a malformed chunk from a good one: docs/http.md.
  const takesChunks = adapter === "node";
  const settings = { mode, adapter, handlers };
  test.before.each(forgetEvents);
  const sendings = takesChunks ? (["by length", "chunked"] as const) : (["by length"] as const);

  test("bodies of 0 bytes to 10 MiB arrive whole, in memory of their own", async () => {
    await withServer({ ...settings, limits: { maxBodyBytes: 10 * MIB } }, async ({ url, stats }) => {
      let sentBytes = 0;
      for (const bytes of [0, 1, 100, 4096, 65_535, 65_536, 65_537, 1_000_003, 10 * MIB]) {
        const body = randomFillSync(new Uint8Array(bytes));
        for (const sending of sendings) {
          const response = await post(`${url}/whole?x`, sending === "chunked" ? inChunks(body) : body);
          assert.is(response.status, 200, `${bytes} ${sending}`);
          const given = (await response.json()) as Whole;
          const expected = { method: "POST", bytes, sha256: sha256(body), isOwn: true, hasStream: false };
          assert.equal(given, expected, `${bytes} ${sending}`);
          sentBytes += bytes;
        }
      }
      assert.is((await stats()).requestBodyBytes, sentBytes);
    });
  });

  test("what was sent is sent back, on one connection, one after the other", async () => {
    await withServer(settings, async ({ port }) => {
      const client = await RawClient.open(port);
      for (const body of ["a", "", "b".repeat(3000), "c".repeat(200_000), "d"]) {
        client.send(`POST /echo-body HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
        const text = await client.receive((all) => readResponses(all, false).length > 0);
        assert.is(readResponses(text, false)[0]!.body, body, String(body.length));
      }
      client.socket.destroy();
    });
  });

  for (const sending of sendings) {
    test(`a body ${sending} arrives the same wherever its packets end`, async () => {
      await withServer(settings, async ({ port }) => {
        const body = "The body of a request, cut anywhere.";
        const framed =
          sending === "by length"
            ? `Content-Length: ${body.length}\r\n\r\n${body}`
            : `Transfer-Encoding: chunked\r\n\r\n7\r\n${body.slice(0, 7)}\r\n${(body.length - 7).toString(16)}\r\n${body.slice(7)}\r\n0\r\n\r\n`;
        const bytes = `POST /echo-body HTTP/1.1\r\nHost: x\r\n${framed}`;
        const client = await RawClient.open(port);
        client.socket.setNoDelay();
        const pieces = Array.from({ length: bytes.length - 1 }, (_, i) => [bytes.slice(0, i + 1), bytes.slice(i + 1)]);
        for (const split of [...pieces, [...bytes]]) {
          for (const piece of split) {
            client.send(piece);
            await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
          }
          const text = await client.receive((all) => readResponses(all, false).length > 0);
          assert.is(readResponses(text, false)[0]!.body, body, JSON.stringify(split[0]));
        }
        client.socket.destroy();
      });
    });
  }

  test("a body over the limit is a 413, which closes and is counted, before it is read where its length is said", async () => {
    await withServer({ ...settings, limits: { maxBodyBytes: 1000 } }, async ({ url, port, stats }) => {
      assert.is((await post(`${url}/whole`, new Uint8Array(1000))).status, 200);
      const client = await RawClient.open(port);
      client.send("POST /whole HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n");
      const text = await client.receiveToEnd();
      assert.match(text, /^HTTP\/1\.1 413 [\s\S]*\r\nConnection: close\r\n[\s\S]*max-body/i);
      const { limits, handled } = await stats();
      assert.is(limits.body, 1);
      assert.is(handled, 2, "no handler has seen it");
      if (!takesChunks) return;
      const chunked = await RawClient.open(port);
      const chunk = `1f4\r\n${"x".repeat(500)}\r\n`;
      chunked.send(`POST /whole HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}1\r\ny\r\n`);
      assert.match(await chunked.receiveToEnd(), /^HTTP\/1\.1 413 /);
      assert.is((await stats()).limits.body, 2);
    });
  });

  test("who waits for 100 gets it, and then the answer", async () => {
    await withServer(settings, async ({ port }) => {
      const client = await RawClient.open(port);
      for (let round = 0; round < 3; round++) {
        client.send("POST /echo-body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        assert.match(await client.receive((text) => text.includes("\r\n\r\n")), /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
        client.send("body");
        const text = await client.receive((all) => all.endsWith("\r\n\r\nbody"));
        assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
      }
      client.socket.destroy();
    });
  });

  test("an upload that is broken off is counted as aborted, and no handler sees it", async () => {
    await withServer(settings, async (server) => {
      const client = await RawClient.open(server.port);
      client.send(`POST /whole HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${"x".repeat(50_000)}`);
      while ((await server.stats()).requestBodyBytes < 50_000) {}
      client.socket.destroy();
      let metrics = await server.stats();
      while (metrics.aborted === 0) metrics = await server.stats();
      assert.is(metrics.aborted, 1);
      assert.ok(metrics.inFlight <= 1, "no more than the reading itself");
      assert.equal(Object.keys(metrics.status), ["200"]);
      const answered = Object.values(metrics.status).reduce((sum, count) => sum + count, 0);
      assert.is(answered + metrics.aborted, metrics.requests - 1);
      assert.is(metrics.handled, metrics.requests - 1, "all but the one that was broken off");
    });
  });

  test("every method reaches the handler that takes it, and others are told which do", async () => {
    await withServer(settings, async ({ url, port, stats }) => {
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
        const body = method === "GET" ? null : "four";
        const response = await fetch(`${url}/method`, { method, body });
        assert.equal(await response.json(), { method, bytes: body?.length ?? 0 }, method);
      }
      for (const [path, allow] of [
        ["/by-method", "GET, HEAD, POST, DELETE, OPTIONS"],
        ["/whole", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"],
        ["/echo-body", "POST, OPTIONS"],
        ["/hello", "GET, HEAD, OPTIONS"],
        ["/a/file", "GET, HEAD, OPTIONS"],
      ] as const) {
        const options = await fetch(url + path, { method: "OPTIONS" });
        assert.is(options.status, 204, path);
        assert.is(options.headers.get("allow"), allow, path);
        assert.is(options.headers.get("content-length"), null, path);
        const refused = await fetch(url + path, { method: "PROPFIND", body: "x" });
        assert.is(refused.status, 501, path);
        const patched = await fetch(url + path, { method: path === "/whole" ? "TRACE" : "PATCH" }).catch(() => null);
        // fetch sends no TRACE.
        if (patched === null) continue;
        assert.is(patched.status, 405, path);
        assert.is(patched.headers.get("allow"), allow, path);
      }
      const answers = await Promise.all(
        ["GET", "POST", "DELETE"].map(async (method) => (await fetch(`${url}/by-method`, { method })).json()),
      );
      assert.equal(answers, ["got", "posted 0", "deleted"]);
      // A GET that is not taken is not there for HEAD either.
      assert.is((await fetch(`${url}/echo-body`)).status, 405);
      assert.is((await fetch(`${url}/echo-body`, { method: "HEAD" })).status, 405);
      const client = await RawClient.open(port);
      client.send("HEAD /by-method HTTP/1.1\r\nHost: x\r\n\r\n");
      const head = await client.receive((text) => text.endsWith("\r\n\r\n"));
      assert.match(head, /\r\nContent-Length: 5\r\n/i);
      client.socket.destroy();
      assert.is((await stats()).handlerErrors, 0);
    });
  });

  test("a GET may have a body, which its handler gets", async () => {
    await withServer(settings, async ({ port }) => {
      const client = await RawClient.open(port);
      client.send("GET /whole HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
      const text = await client.receive((all) => readResponses(all, false).length > 0);
      assert.is((JSON.parse(readResponses(text, false)[0]!.body) as Whole).sha256, sha256(Buffer.from("hello")));
      client.send("GET /whole HTTP/1.1\r\nHost: x\r\n\r\n");
      const without = await client.receive((all) => readResponses(all, false).length > 0);
      assert.is((JSON.parse(readResponses(without, false)[0]!.body) as Whole).bytes, 0);
      client.socket.destroy();
    });
  });

  test("a handler that reads all fields gets every line in its order, and them by name", async () => {
    await withServer(settings, async ({ port }) => {
      const client = await RawClient.open(port);
      const lines = ["X-Two: 2", "Cookie: a=1", "X-One:  one ", "x-two: 3", "COOKIE: b=2", "__proto__: p", "X-Empty:"];
      client.send(["GET /fields HTTP/1.1", "Host: x", ...lines, "", ""].join("\r\n"));
      const text = await client.receive((all) => readResponses(all, false).length > 0);
      const { fields, headers } = JSON.parse(readResponses(text, false)[0]!.body) as {
        fields: string[];
        headers: Record<string, string>;
      };
      const expected = [
        ["host", "x"],
        ["x-two", "2"],
        ["cookie", "a=1"],
        ["x-one", "one"],
        ["x-two", "3"],
        ["cookie", "b=2"],
        ["__proto__", "p"],
        ["x-empty", ""],
      ];
      assert.equal(fields, expected.flat());
      assert.is(headers["x-two"], "2, 3");
      assert.is(headers["cookie"], "a=1; b=2");
      assert.is(headers["x-empty"], "");
      client.socket.destroy();
    });
  });

  test("a handler that reads a stream gets all of it, however long", async () => {
    await withServer({ ...settings, limits: { maxBodyBytes: 1000 } }, async ({ url }) => {
      for (const bytes of [0, 1, 1001, 65_536, 10 * MIB]) {
        const body = randomFillSync(new Uint8Array(bytes));
        for (const sending of sendings) {
          const response = await post(`${url}/reads-stream`, sending === "chunked" ? inChunks(body) : body);
          const expected = { bytes, sha256: sha256(body), areOwn: true, bodyBytes: 0 };
          assert.equal(await response.json(), expected, `${bytes} ${sending}`);
        }
      }
      assert.is(((await (await fetch(`${url}/reads-stream`)).json()) as { bytes: number }).bytes, 0);
    });
  });

  test("a reader that is behind holds its client up, and others are served meanwhile", async () => {
    await withServer(settings, async (server) => {
      const body = new Uint8Array(32 * MIB);
      const answer = post(`${server.url}/reads-late`, body);
      await happened(server, /a late reader has begun/);
      for (let i = 0; i < 50; i++) assert.ok((await server.stats()).requestBodyBytes < 4 * MIB);
      assert.is((await fetch(`${server.url}/go-on`)).status, 200);
      assert.equal(await (await answer).json(), { bytes: body.byteLength });
      assert.is((await server.stats()).requestBodyBytes, body.byteLength);
    });
  });

  test("a reader is told when its client goes", async () => {
    await withServer(settings, async (server) => {
      const client = await RawClient.open(server.port);
      client.send(`POST /reads-stream HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n${"x".repeat(50_000)}`);
      // A pool drops what no worker has taken yet.
      await happened(server, /a reader has begun/);
      client.socket.destroy();
      await happened(server, /upload failed: the client has gone/);
      assert.is((await server.stats()).aborted, 1);
    });
  });

  test("a stream is read once", async () => {
    await withServer(settings, async ({ url }) => {
      const response = await post(`${url}/reads-twice`, new Uint8Array(100));
      assert.match((await response.json()) as string, /can be read once/);
    });
  });

  test("an answer before the end of a body leaves server and client in step", async () => {
    await withServer(settings, async ({ url, port, stats }) => {
      for (let i = 0; i < 20; i++) {
        const response = await post(`${url}/reads-nothing`, new Uint8Array(i * 1000));
        assert.is(await response.json(), "not read", String(i));
      }
      const client = await RawClient.open(port);
      client.send("POST /reads-nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
      const text = await client.receive((all) => readResponses(all, false).length > 0);
      assert.is(readResponses(text, false)[0]!.body, '"not read"');
      client.send("67890GET /echo-body HTTP/1.1\r\nHost: x\r\n\r\n");
      // Either it is closed, or the next request is found where the body ends.
      const rest = await client.receive((all) => readResponses(all, false).length > 0);
      assert.match(rest, /^$|^HTTP\/1\.1 405 /);
      client.socket.destroy();
      assert.is((await stats()).malformed, 0);
    });
  });

  if (takesChunks) {
    test("what turns out to be no body fails for its reader, and ends the connection", async () => {
      await withServer(settings, async (server) => {
        const client = await RawClient.open(server.port);
        client.send(
          `POST /reads-stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nno size\r\n`,
        );
        const text = await client.receiveToEnd();
        const responses = readResponses(text, true);
        assert.equal(
          responses.map(({ status }) => status),
          [500],
        );
        await happened(server, /upload failed: the request's body is malformed/);
        assert.is((await server.stats()).malformed, 1);
      });
    });
  }

  test.run();
}

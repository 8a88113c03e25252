import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { RawClient } from "../support/raw-client.js";
import { readResponses } from "../support/responses.js";
import { withServer } from "../support/server.js";
import { eventsOf, happened } from "./body-conformance.js";
import { forgetEvents } from "./fixtures/bodies.js";

const handlers = fileURLToPath(new URL("./fixtures/bodies.js", import.meta.url));
const MIB = 2 ** 20;

/** What the counting streams of the fixture send. */
function expectedText(chunks: number, bytes: number): string {
  return Array.from({ length: chunks }, (_, i) => String.fromCharCode(97 + (i % 26)).repeat(bytes)).join("");
}

const sources = ["generator", "generator-now", "iterable", "readable", "web-stream", "web-response"];

/** Responses that are made while they are sent, behind one adapter: what every core must do. */
export function streamConformance(mode: string, adapter: string): void {
  const test = suite(`${mode} behind ${adapter}: streaming responses`);
  const settings = { mode, adapter, handlers };
  test.before.each(forgetEvents);

  for (const source of sources) {
    test(`all of a stream arrives, of a ${source}`, async () => {
      await withServer(settings, async ({ url, stats }) => {
        let bodyBytes = 0;
        for (const [chunks, bytes] of [
          [0, 0],
          [1, 1],
          [3, 5],
          [100, 1000],
          [3, 200_000],
          [5, 0],
        ] as const) {
          const response = await fetch(`${url}/sends-${source}?chunks=${chunks}&bytes=${bytes}`);
          assert.is(response.status, 200);
          assert.is(await response.text(), expectedText(chunks, bytes), `${chunks} × ${bytes}`);
          bodyBytes += chunks * bytes;
        }
        const metrics = await stats();
        assert.is(metrics.streams, 0);
        assert.is(metrics.streamsFailed, 0);
        assert.is(metrics.aborted, 0);
        assert.is(metrics.bodyBytes, bodyBytes);
        assert.equal(metrics.status, { 200: 6 });
      });
    });
  }

  test("a connection can be used again after a stream, chunked and with a length", async () => {
    await withServer(settings, async ({ port }) => {
      const client = await RawClient.open(port);
      for (const path of [
        "/sends-generator",
        "/sends-known?says=15",
        "/sends-generator?chunks=0",
        "/sends-known?chunks=0&says=0",
        "/sends-no-content",
        "/by-method",
      ]) {
        client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
        const text = await client.receive((all) => readResponses(all, false).length > 0);
        const [{ head, body } = { head: "", body: "" }] = readResponses(text, false);
        const isEmpty = path.includes("=0") || path === "/sends-no-content";
        assert.is(body, path === "/by-method" ? '"got"' : isEmpty ? "" : expectedText(3, 5), path);
        if (path === "/sends-known?says=15") assert.match(head, /\r\nContent-Length: 15(?:\r\n|$)/i);
        if (path === "/sends-generator") assert.match(head, /\r\nTransfer-Encoding: chunked(?:\r\n|$)/i);
      }
      client.socket.destroy();
    });
  });

  test("HEAD gets the head alone, and the stream is let go of", async () => {
    await withServer(settings, async (server) => {
      const client = await RawClient.open(server.port);
      for (const path of ["/sends-web-stream", "/sends-known?says=15", "/sends-readable", "/by-method"]) {
        client.send(`HEAD ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
        const text = await client.receive((all) => all.includes("\r\n\r\n"));
        assert.match(text, /^HTTP\/1\.1 200 OK\r\n(?:.+\r\n)+\r\n$/, path);
        if (path.includes("says")) assert.match(text, /\r\nContent-Length: 15\r\n/i);
      }
      client.socket.destroy();
      await happened(server, /a ReadableStream was cancelled/);
      assert.is((await server.stats()).streams, 0);
    });
  });

  test("the first byte leaves at once, and a stream that says nothing more stays open", async () => {
    await withServer(settings, async (server) => {
      const client = await RawClient.open(server.port);
      client.send("GET /quiet HTTP/1.1\r\nHost: x\r\n\r\n");
      await client.receive((text) => text.includes("data: first\n\n"));
      const { streams, inFlight, requests, status } = await server.stats();
      assert.is(streams, 1);
      assert.ok(inFlight >= 1);
      assert.is(requests, 2);
      assert.equal(status, {}, "a response is counted when it has ended");
      client.socket.destroy();
      await happened(server, /^aborted: AbortError$/);
      await happened(server, /a quiet stream has ended/);
      let metrics = await server.stats();
      while (metrics.aborted === 0) metrics = await server.stats();
      assert.is(metrics.streams, 0);
      assert.is(metrics.handlerErrors, 0);
      assert.is(metrics.streamsFailed, 0);
    });
  });

  test("a request that waits is told when its client goes", async () => {
    await withServer(settings, async (server) => {
      const client = await RawClient.open(server.port);
      client.send("GET /waits HTTP/1.1\r\nHost: x\r\n\r\n");
      await happened(server, /^waits$/);
      client.socket.destroy();
      await happened(server, /its client has gone/);
      const { aborted, handlerErrors } = await server.stats();
      assert.is(aborted, 1);
      assert.is(handlerErrors, 0);
    });
  });

  test("a reader that does not read holds its stream up, which ends when it goes", async () => {
    await withServer(settings, async (server) => {
      const client = await RawClient.open(server.port);
      client.socket.pause();
      client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
      const chunks = async (): Promise<number> =>
        (await (await fetch(`${server.url}/endless-chunks`)).json()) as number;
      // It is held up when the buffers of both systems are full.
      let before = -1;
      for (let same = 0, now = 0; same < 100; before = now) {
        now = await chunks();
        same = now === before && now > 0 ? same + 1 : 0;
      }
      assert.ok(before * 16 * 1024 < 64 * MIB, `${before} chunks`);
      client.socket.resume();
      while ((await chunks()) < 2 * before) {}
      client.socket.destroy();
      await happened(server, /an endless stream has ended/);
      while ((await server.stats()).streams > 0) {}
    });
  });

  test("a slow reader gets all, chunked and with a length", async () => {
    await withServer(settings, async ({ port, url, stats }) => {
      const chunks = 200;
      const bytes = 100_000;
      const expected = createHash("sha256").update(expectedText(chunks, bytes)).digest("hex");
      for (const path of ["/sends-generator?", `/sends-known?says=${chunks * bytes}&`]) {
        const client = await RawClient.open(port);
        client.socket.pause();
        client.send(`GET ${path}chunks=${chunks}&bytes=${bytes} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        for (let i = 0; i < 20; i++) assert.is((await fetch(`${url}/by-method`)).status, 200);
        client.socket.resume();
        // Read in every piece, it would take longer than all the rest: its length without the framing is enough to wait for.
        const wantedBytes = chunks * bytes;
        const isWhole = (all: string): boolean => all.length >= wantedBytes && readResponses(all, false).length > 0;
        const text = await client.receive(isWhole);
        const [{ body } = { body: "" }] = readResponses(text, false);
        assert.is(createHash("sha256").update(body).digest("hex"), expected, path);
        client.socket.destroy();
      }
      assert.is((await stats()).streamsFailed, 0);
    });
  });

  test("a reader that takes nothing of a stream is ended and counted, and one that waits for its stream is not", async () => {
    await withServer({ ...settings, limits: { slowReaderTimeoutMs: 1000 } }, async (server) => {
      const waiting = await RawClient.open(server.port);
      waiting.send("GET /quiet HTTP/1.1\r\nHost: x\r\n\r\n");
      await waiting.receive((text) => text.includes("data: first"));
      for (const path of ["/endless", "/sends-known?says=1000000000&chunks=10000&bytes=100000"]) {
        const before = (await server.stats()).limits.slowReaders;
        const stuck = await RawClient.open(server.port);
        stuck.socket.pause();
        stuck.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
        while ((await server.stats()).limits.slowReaders === before) {}
        stuck.socket.destroy();
      }
      let metrics = await server.stats();
      while (metrics.aborted < 2) metrics = await server.stats();
      assert.is(metrics.limits.slowReaders, 2);
      assert.is(metrics.streams, 1, "the one that waits");
      assert.is(metrics.streamsFailed, 0);
      waiting.socket.destroy();
    });
  });

  test("the access log has a stream's bytes and when it ended, and says what was broken off", async () => {
    const folder = mkdtempSync(join(tmpdir(), "loopool-streams-"));
    try {
      const file = join(folder, "access.log");
      const log = { file, format: "json", overflow: "drop" } as const;
      await withServer({ ...settings, log }, async (server) => {
        await (await fetch(`${server.url}/sends-generator?chunks=4&bytes=25&waitMs=50`)).text();
        await (await fetch(`${server.url}/echo-body`, { method: "POST", body: "a body" })).text();
        const client = await RawClient.open(server.port);
        client.send("GET /quiet HTTP/1.1\r\nHost: x\r\n\r\n");
        await client.receive((text) => text.includes("data: first"));
        client.socket.destroy();
        while ((await server.stats()).aborted === 0) {}
      });
      const lines = readFileSync(file, "utf8").trim().split("\n");
      const entries = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
      const of = (path: string) => entries.find(({ url }) => String(url).startsWith(path))!;
      const stream = of("/sends-generator");
      assert.equal([stream["status"], stream["bodyBytes"]], [200, 100]);
      assert.ok(Number(stream["durationMs"]) > Number(of("/echo-body")["durationMs"]), "it waits four times");
      assert.equal([of("/echo-body")["method"], of("/echo-body")["bodyBytes"]], ["POST", 6]);
      assert.equal([of("/quiet")["status"], of("/quiet")["aborted"]], [200, true]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("an error in the middle cuts the connection, and is counted", async () => {
    await withServer(settings, async ({ port, stats }) => {
      const cases = [
        ["/sends-generator?failsAt=2", "chunked"],
        ["/sends-readable?failsAt=2", "chunked"],
        ["/sends-web-stream?failsAt=2", "chunked"],
        ["/sends-numbers", "chunked"],
        ["/sends-known?says=15&failsAt=2", "length"],
        ["/sends-known?says=16", "length"],
        ["/sends-known?says=12", "length"],
      ] as const;
      for (const [path, framing] of cases) {
        const client = await RawClient.open(port);
        client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
        const text = await client.receiveToEnd();
        assert.match(text, /^HTTP\/1\.1 200 OK\r\n/, path);
        assert.equal(readResponses(text, framing === "length"), [], `${path}: no whole response`);
        client.socket.destroy();
      }
      let metrics = await stats();
      while (metrics.aborted < cases.length) metrics = await stats();
      assert.is(metrics.streamsFailed, cases.length);
      assert.is(metrics.aborted, cases.length);
      assert.is(metrics.streams, 0);
    });
  });

  test("an error before the first chunk cuts the connection, too", async () => {
    await withServer(settings, async ({ port, stats }) => {
      const client = await RawClient.open(port);
      client.send("GET /sends-generator?failsAt=0 HTTP/1.1\r\nHost: x\r\n\r\n");
      const text = await client.receiveToEnd();
      assert.equal(readResponses(text, false), []);
      client.socket.destroy();
      assert.is((await stats()).streamsFailed, 1);
    });
  });

  test("a body is sent back while it arrives", async () => {
    await withServer(settings, async ({ port }) => {
      const client = await RawClient.open(port);
      client.send("POST /echo-stream HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\none");
      await client.receive((text) => text.includes("one"));
      client.send("two");
      const rest = await client.receive((text) => text.endsWith("0\r\n\r\n"));
      assert.match(rest, /3\r\ntwo\r\n0\r\n\r\n$/);
      client.send("GET /by-method HTTP/1.1\r\nHost: x\r\n\r\n");
      assert.match(await client.receive((text) => text.endsWith('"got"')), /^HTTP\/1\.1 200 OK\r\n/);
      client.socket.destroy();
    });
  });

  test("a stream that ends before the request's body does lets the rest of that go by", async () => {
    await withServer(settings, async ({ port, stats }) => {
      const client = await RawClient.open(port);
      for (const bodyBytes of [100_000, 1_000_000, 2_000_000]) {
        const body = "x".repeat(bodyBytes);
        client.send(`POST /sends-before HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(5)}`);
        const text = await client.receive((all) => readResponses(all, false).length > 0);
        assert.is(readResponses(text, false)[0]!.body, expectedText(3, 5));
        client.send(body.slice(0, 5));
        client.send("GET /by-method HTTP/1.1\r\nHost: x\r\n\r\n");
        const next = await client.receive((all) => readResponses(all, false).length > 0);
        assert.is(readResponses(next, false)[0]!.body, '"got"', String(bodyBytes));
      }
      client.socket.destroy();
      assert.is((await stats()).aborted, 0);
    });
  });

  test("the time for an answer is that for its first byte", async () => {
    await withServer({ ...settings, requestTimeoutMs: 300 }, async ({ url, stats }) => {
      const response = await fetch(`${url}/sends-generator?chunks=8&bytes=1&waitMs=100`);
      assert.is(await response.text(), "abcdefgh");
      const late = await fetch(`${url}/waits`);
      assert.is(late.status, 504);
      const { timedOut, status } = await stats();
      assert.is(timedOut, 1);
      assert.equal(status, { 200: 1, 504: 1 });
    });
  });

  test("a drain waits for streams, and ends those that are left at its deadline", async () => {
    let cutOff: Promise<number> | undefined;
    await withServer({ ...settings, drainTimeoutMs: 500 }, async (server) => {
      const quiet = await RawClient.open(server.port);
      quiet.send("GET /quiet HTTP/1.1\r\nHost: x\r\n\r\n");
      await quiet.receive((text) => text.includes("data: first"));
      const short = await RawClient.open(server.port);
      short.send("GET /sends-generator?chunks=3&bytes=5&waitMs=50 HTTP/1.1\r\nHost: x\r\n\r\n");
      await short.receive((text) => text.includes("aaaaa"));
      cutOff = server.stop();
      const rest = await short.receive((text) => text.endsWith("0\r\n\r\n"));
      assert.match(rest, /bbbbb[\s\S]*ccccc/);
      assert.is(await quiet.receiveToEnd(), "");
    });
    assert.is(await cutOff, 1);
  });

  test("many streams at a time lose nothing, and others are served", async () => {
    await withServer(settings, async ({ url, stats }) => {
      const texts = await Promise.all(
        Array.from({ length: 200 }, async (_, i) => {
          const path =
            i % 2 === 0 ? `/sends-generator?chunks=${i}&bytes=100` : `/sends-web-stream?chunks=${i}&bytes=100`;
          return (await fetch(url + path)).text();
        }),
      );
      for (const [i, text] of texts.entries()) assert.is(text, expectedText(i, 100), String(i));
      assert.is((await stats()).streams, 0);
    });
  });

  test("the module's own view: every stream that was begun has ended", async () => {
    await withServer(settings, async (server) => {
      for (let i = 0; i < 10; i++) await (await fetch(`${server.url}/sends-generator?chunks=${i}`)).arrayBuffer();
      const ended = async () => (await eventsOf(server)).filter((event) => event === "a generator has ended").length;
      while ((await ended()) < 10) {}
    });
  });

  if (adapter === "node") {
    test("a client of HTTP/1.0 gets a stream until the connection closes", async () => {
      await withServer(settings, async ({ port, stats }) => {
        for (const keepAlive of ["", "Connection: keep-alive\r\n"]) {
          const client = await RawClient.open(port);
          client.send(`GET /sends-generator HTTP/1.0\r\n${keepAlive}\r\n`);
          const text = await client.receiveToEnd();
          assert.not.match(text, /transfer-encoding/i);
          assert.match(text, /\r\nConnection: close\r\n/i);
          assert.ok(text.endsWith(`\r\n\r\n${expectedText(3, 5)}`), text);
        }
        assert.equal((await stats()).status, { 200: 2 });
      });
    });

    test("the head leaves before the first chunk", async () => {
      await withServer(settings, async ({ port }) => {
        const client = await RawClient.open(port);
        client.send("GET /silent HTTP/1.1\r\nHost: x\r\n\r\n");
        assert.match(await client.receive((text) => text.endsWith("\r\n\r\n")), /^HTTP\/1\.1 200 OK\r\n/);
        client.socket.destroy();
      });
    });
  }

  test.run();
}

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { RawClient } from "../support/raw-client.js";
import { withServer } from "../support/server.js";

const files = { "page.txt": "page", "large.bin": new Uint8Array(1_000_000) };
/** Request line and fields, the status of the answer, and that to HEAD where it is another one. */
const requests: readonly (readonly [head: string, status: number, toHead?: number])[] = [
  ["GET /echo", 200],
  ["GET /sleep?ms=1", 200],
  ["GET /page.txt", 200],
  ["GET /large.bin", 200],
  ["GET /page.txt HTTP/1.1\r\nRange: bytes=1-2", 206, 200],
  ["GET /page.txt HTTP/1.1\r\nRange: bytes=9-", 416, 200],
  ["GET /page.txt HTTP/1.1\r\nIf-None-Match: *", 304],
  ["GET /absent", 404],
  ["POST /echo", 405],
  ["BREW /echo", 501],
  ["GET /stats.json", 403],
  ["GET /echo HTTP/1.1\r\nContent-Length: 999999999", 413],
  ["GET /echo HTTP/1.1\r\nExpect: x", 417],
  ["GET /echo HTTP/1.1\r\nContent-Length:", 400],
  [`GET /${"a".repeat(17_000)}`, 414],
];

for (const adapter of ["uws", "node"]) {
  for (const mode of ["reactor", "pool"]) {
    const test = suite(`${adapter}, ${mode}: Date`);

    test("every answer says once when it was made (RFC 9110 §6.6.1), to GET and HEAD, closing or not", async () => {
      await withServer(
        // Half of the cache's limit is less than the large file: it is streamed.
        { mode, adapter, cacheBytes: 2 ** 20 },
        async ({ port }) => {
          for (const [request, toGet, toHead = toGet] of requests) {
            for (const method of ["GET", "HEAD"]) {
              for (const closing of ["", "Connection: close\r\n"]) {
                const head = (request.includes(" HTTP/") ? request : `${request} HTTP/1.1`).replace(/^GET/, method);
                const status = method === "GET" ? toGet : toHead;
                // Node's parser has a list of methods.
                const expected = adapter === "node" && head.startsWith("BREW") ? 400 : status;
                const client = await RawClient.open(port);
                client.send(`${head}\r\nHost: x\r\n${closing}\r\n`);
                const text = await client.receive((all) => all.includes("\r\n\r\n"));
                client.socket.destroy();
                const [answer = ""] = text.split("\r\n\r\n");
                const what = `${head} ${closing}: ${answer}`;
                assert.match(answer, new RegExp(`^HTTP/1\\.1 ${expected} `), what);
                const dates = [...answer.matchAll(/^date: (.*)\r?$/gim)].map(([, date]) => date!.trim());
                assert.is(dates.length, 1, what);
                // RFC 9110 §5.6.7, as Date writes it.
                assert.is(new Date(dates[0]!).toUTCString(), dates[0], what);
                assert.ok(Math.abs(Date.parse(dates[0]!) - Date.now()) < 60_000, what);
              }
            }
          }
        },
        files,
      );
    });

    test("so does what refuses a connection that is one too many", async () => {
      await withServer({ mode, adapter, limits: { maxConnections: 1 } }, async ({ port }) => {
        const first = await RawClient.open(port);
        first.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        await first.receive((all) => all.includes("\r\n\r\n"));
        assert.match(await (await RawClient.open(port)).receiveToEnd(), /^HTTP\/1\.1 503 [\s\S]*\r\ndate: /i);
        first.socket.destroy();
      });
    });

    test.run();
  }
}

import { execFileSync } from "node:child_process";
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loopool } from "../support/cli.js";
import { ask } from "../support/exchange.js";
import { RawClient } from "../support/raw-client.js";
import { withServer } from "../support/server.js";

const GIB = 2 ** 30;
const MARK_EVERY = 2 ** 27;
const MARK_BYTES = 8;
const MAX_GROWTH_BYTES = 64 * 2 ** 20;

/** A file of a GiB that takes no place on the disk: zeros, and the offset itself at every 128 MiB. */
function writeSparse(file: string): void {
  const handle = openSync(file, "w");
  ftruncateSync(handle, GIB);
  for (let offset = 0; offset < GIB; offset += MARK_EVERY) writeSync(handle, markAt(offset), 0, MARK_BYTES, offset);
  closeSync(handle);
}

function markAt(offset: number): Buffer {
  const mark = Buffer.alloc(MARK_BYTES, 0xff);
  mark.writeUInt32LE(offset);
  return mark;
}

/** Reads a response, at first nothing until `whilePaused` is done; resolves with the bytes of its body and the marks in it. */
async function readSlowly(port: number, path: string, whilePaused: () => Promise<void>) {
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  socket.pause();
  await whilePaused();
  let bodyBytes = -1;
  const marks = new Map<number, Buffer>();
  let head = "";
  await new Promise<void>((resolve, reject) => {
    socket.on("close", resolve).on("error", reject);
    socket.on("data", (chunk) => {
      let body = chunk;
      if (bodyBytes === -1) {
        head += chunk.toString("latin1");
        const end = head.indexOf("\r\n\r\n");
        if (end === -1) return;
        bodyBytes = 0;
        body = Buffer.from(head.slice(end + 4), "latin1");
      }
      const next = Math.ceil(bodyBytes / MARK_EVERY) * MARK_EVERY;
      // A mark that lies across two chunks would be missed: then it is not in the map, and the test says so.
      if (next < bodyBytes + body.length)
        marks.set(next, Buffer.from(body.subarray(next - bodyBytes, next - bodyBytes + MARK_BYTES)));
      bodyBytes += body.length;
      if (bodyBytes >= GIB) socket.destroy();
    });
    socket.resume();
  });
  return { bodyBytes, marks };
}

/** What every core must do with files that are too large for its memory. A core's test file calls this with the core's name. */
export function largeFiles(mode: string, adapter: string): void {
  const test = suite(`${mode} behind ${adapter}: large files`);

  test("a GiB goes to a reader who is slow at first, in flat memory, and so does a part of it", async () => {
    const root = mkdtempSync(join(tmpdir(), "loopool-large-"));
    const server = loopool(
      "serve",
      "--config=off",
      `--mode=${mode}`,
      `--adapter=${adapter}`,
      "--host=127.0.0.1",
      "--port=0",
      `--root=${root}`,
    );
    try {
      writeSparse(join(root, "large.bin"));
      const port = Number((await server.written(/listening on \S+:(\d+)/))[1]);
      const peakRssBytes = async (): Promise<number> =>
        JSON.parse((await ask(port, "GET /stats.json")).body).peakRssBytes;
      const others = async (): Promise<void> => {
        for (let i = 0; i < 50; i++) assert.is((await ask(port, "GET /hello")).status, 200);
      };
      // What the first requests need is not what is asked here.
      await ask(port, "GET /large.bin", ["Range: bytes=0-999999"]);
      await others();
      const before = await peakRssBytes();
      const { bodyBytes, marks } = await readSlowly(port, "/large.bin", others);
      assert.is(bodyBytes, GIB);
      for (const [offset, mark] of marks) if (mark.length === MARK_BYTES) assert.equal(mark, markAt(offset));
      assert.ok(marks.size >= GIB / MARK_EVERY - 1, `${marks.size} marks`);
      const growth = (await peakRssBytes()) - before;
      assert.ok(growth < MAX_GROWTH_BYTES, `memory grew by ${growth} bytes`);

      const at = 3 * MARK_EVERY;
      const part = await ask(port, "GET /large.bin", [`Range: bytes=${at}-${at + 299_999}`]);
      assert.equal([part.status, part.body.length], [206, 300_000]);
      assert.equal(Buffer.from(part.body.slice(0, MARK_BYTES), "latin1"), markAt(at));
      assert.is(part.headers.get("content-range"), `bytes ${at}-${at + 299_999}/${GIB}`);
      assert.is((await ask(port, "GET /large.bin", ["Range: bytes=-3"])).body, "\0\0\0");
      assert.is((await ask(port, "GET /large.bin", [`Range: bytes=${GIB}-`])).status, 416);
    } finally {
      server.process.kill();
      await server.ended;
      rmSync(root, { recursive: true });
    }
  });

  const BYTES = 30_000_000;
  const content = Buffer.alloc(BYTES, "0123456789abcdef");

  /** Asks for the file, lets `change` have it once the socket's buffers are full, and reads what comes then. */
  async function sentWhile(change: (file: string) => void, lines: readonly string[] = []): Promise<string> {
    let body = "";
    await withServer(
      { mode, adapter },
      async ({ port, root, url, stats }) => {
        const client = await RawClient.open(port);
        client.send(["GET /large.bin HTTP/1.1", "Host: x", ...lines, "", ""].join("\r\n"));
        await client.receive((text) => /\r\n\r\n[\s\S]/.test(text));
        client.socket.pause();
        change(join(root, "large.bin"));
        client.socket.resume();
        body = await client.receive((text) => text.length >= BYTES);
        client.socket.destroy();
        assert.is((await fetch(`${url}/hello`)).status, 200, "the server goes on");
        while ((await stats()).inFlight > 1) {}
      },
      { "large.bin": content },
    );
    return body;
  }

  test("a file that shrinks while it is sent ends the connection, and is never padded", async () => {
    for (const lines of [[], ["Range: bytes=16-"]]) {
      const body = await sentWhile((file) => truncateSync(file, 20_000_000), lines);
      assert.ok(body.length <= 20_000_000);
      // What has been received before is missing at the adapter; what follows is the file's own.
      assert.ok(content.toString("latin1").includes(body.slice(0, 16)));
      assert.not.ok(body.includes("\0"));
    }
  });

  test("a file that is removed while it is sent is sent whole, since it is open", async () => {
    const body = await sentWhile((file) => unlinkSync(file), ["Connection: close"]);
    assert.ok(body.length > 0 && content.toString("latin1").endsWith(body));
  });

  test("a file of a handler that is not there, or not as it says, is a 500 that is counted, to GET and HEAD alike", async () => {
    await withServer({ mode, adapter }, async ({ port, url, root, stats }) => {
      writeFileSync(join(root, "short.bin"), "0123456789");
      execFileSync("mkfifo", [join(root, "fifo")]);
      const short = encodeURIComponent(join(root, "short.bin"));
      const fifo = encodeURIComponent(join(root, "fifo"));
      const bad = [
        "/sends-absent-file",
        "/sends-changed-file",
        `/sends-file?file=${short}&bytes=11`,
        `/sends-file?file=${short}&bytes=10&offset=1`,
        `/sends-file?file=${fifo}&bytes=0`,
        `/sends-file?file=${encodeURIComponent(root)}&bytes=0`,
        "/sends-file?file=/does/not/exist&bytes=0",
      ];
      for (const path of bad) {
        for (const method of ["GET", "HEAD"]) {
          const { status, headers, body } = await ask(port, `${method} ${path}`);
          assert.equal([status, headers.get("x-file")], [500, undefined], `${method} ${path}`);
          assert.is(body, method === "GET" ? "500 Internal Server Error\n" : "", path);
        }
      }
      const good = [
        [`/sends-file?file=${short}&bytes=10`, "0123456789"],
        [`/sends-file?file=${short}&bytes=4&offset=6`, "6789"],
        [`/sends-file?file=${short}&bytes=0`, ""],
        [`/sends-file?file=${short}&bytes=0&offset=10`, ""],
      ] as const;
      for (const [path, content] of good) {
        const { status, headers, body } = await ask(port, `GET ${path}`);
        assert.equal([status, headers.get("x-file"), body], [200, "yes", content], path);
        const head = await ask(port, `HEAD ${path}`);
        assert.equal([head.status, head.headers.get("content-length")], [200, String(content.length)], path);
      }
      // On a connection that stays open, the end of an empty body is found.
      const client = await RawClient.open(port);
      client.send(`GET /sends-file?file=${short}&bytes=0 HTTP/1.1\r\nHost: x\r\n\r\n`);
      await client.receive((text) => text.includes("\r\n\r\n"));
      client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
      assert.match(await client.receive((text) => text.includes("\r\n\r\n")), /^HTTP\/1\.1 200 OK\r\n/);
      client.socket.destroy();
      assert.is((await fetch(`${url}/hello`)).status, 200);
      const { aborted, handlerErrors, status } = await stats();
      assert.equal([aborted, handlerErrors, status["500"]], [0, 2 * bad.length, 2 * bad.length]);
    });
  });

  test("the site's own page is shown for a file of a handler that cannot be sent", async () => {
    await withServer(
      { mode, adapter },
      async ({ port }) => {
        const { status, body } = await ask(port, "GET /sends-absent-file");
        assert.equal([status, body], [500, "our page"]);
      },
      { "500.html": "our page" },
    );
  });

  test.run();
}

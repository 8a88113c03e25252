import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, renameSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { targetOf } from "../../src/harness/load/request/options.js";
import { run } from "../../src/harness/load/run/run.js";
import type { LogConfig } from "../../src/shared/config.js";
import { Counter } from "../../src/shared/stats/stats.js";
import { isInFlight, unanswered } from "../support/in-flight.js";
import { RawClient } from "../support/raw-client.js";
import { type TestServer, withServer } from "../support/server.js";

const test = suite("access log of a server");

/** Apache's Combined Log Format, with what can stand in each place. */
const COMBINED =
  /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"$/;

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "loopool-log-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Serves with a log, and gives its lines once the server has ended. */
async function logged(
  settings: { readonly mode: string; readonly adapter?: string; readonly log?: Partial<LogConfig> },
  use: (server: TestServer, file: string) => Promise<void>,
): Promise<readonly string[]> {
  let lines: readonly string[] = [];
  await withFolder(async (folder) => {
    const file = join(folder, "access.log");
    const log: LogConfig = { file, format: "combined", overflow: "drop", ...settings.log };
    const { mode, adapter = "uws" } = settings;
    await withServer({ mode, adapter, workers: 2, log }, (server) => use(server, file), { "a.txt": "a" });
    lines = readFileSync(file, "latin1").split("\n");
    assert.is(lines.at(-1), "", "the last line is whole");
    lines = lines.slice(0, -1);
  });
  return lines;
}

async function load({ url }: TestServer, path: string, requests: number, concurrency: number): Promise<void> {
  const target = targetOf(url + path);
  const limits = { keepAlive: true, timeoutMs: 20_000, headers: [], byFirstByte: false };
  const { completed } = await run({ ...limits, target, requests, concurrency });
  assert.is(completed, requests);
}

const kinds = ["reactor", "pool"].flatMap((mode) => ["uws", "node"].map((adapter) => ({ mode, adapter })));
for (const kind of kinds) {
  const { mode, adapter } = kind;
  test(`${mode} behind ${adapter}: a line for each response, with its status and its bytes`, async () => {
    const asked: Readonly<Record<string, string>> = {
      "/hello?a=1": '"GET /hello?a=1 HTTP/1.1" 200 14',
      "/a.txt": '"GET /a.txt HTTP/1.1" 200 1',
      "/absent": '"GET /absent HTTP/1.1" 404 14',
      "/throws": '"GET /throws HTTP/1.1" 500 26',
    };
    const lines = await logged(kind, async (server) => {
      for (const path of Object.keys(asked)) {
        for (let i = 0; i < 5; i++) await (await fetch(server.url + path)).text();
      }
      await fetch(`${server.url}/hello`, { method: "POST", body: "x" });
      await load(server, "/hello", 5000, 50);
    });
    assert.is(lines.length, 4 * 5 + 1 + 5000);
    for (const line of lines) assert.match(line, COMBINED);
    for (const part of Object.values(asked)) assert.is(lines.filter((line) => line.includes(part)).length, 5, part);
    assert.is(lines.filter((line) => line.includes('"POST /hello HTTP/1.1" 405 ')).length, 1);
  });

  test(`${mode} behind ${adapter}: what a client sends cannot forge a line`, async () => {
    // Control characters never come so far: they are answered with 400.
    const evil = '" 200 1 "x" "y\\"\xe9 z';
    const lines = await logged(kind, async ({ port }) => {
      const client = await RawClient.open(port);
      client.send(
        `GET /hello?q="%0a127.0.0.1\\ HTTP/1.1\r\nHost: x\r\nUser-Agent: ${evil}\r\nReferer: ${evil}\r\n\r\n`,
      );
      await client.receive((text) => text.endsWith("!\n"));
      client.socket.destroy();
    });
    assert.is(lines.length, 1);
    const [, request, , , referrer, agent] = COMBINED.exec(lines[0]!)!;
    assert.is(request, 'GET /hello?q=\\"%0a127.0.0.1\\\\ HTTP/1.1');
    for (const text of [referrer!, agent!]) {
      assert.ok(text.startsWith('\\" 200 1 \\"x\\" \\"y\\\\\\"'), text);
      assert.match(text, /^[\x20-\x7e]*$/, "no control character, nothing beyond ASCII");
    }
  });

  test(`${mode} behind ${adapter}: clients that are connected at once have each their own address`, async () => {
    // Linux takes any address of 127.0.0.0/8 for its own; elsewhere there may be one.
    const addresses = process.platform === "linux" ? ["127.0.0.1", "127.0.0.2", "127.0.0.3"] : ["127.0.0.1"];
    const lines = await logged(kind, async ({ port }) => {
      const sockets = await Promise.all(
        addresses.map(async (localAddress) => {
          const socket = connect({ port, host: "127.0.0.1", localAddress });
          await once(socket, "connect");
          return socket;
        }),
      );
      // All are there, and ask in turn, again and again.
      for (let round = 0; round < 3; round++) {
        for (const [n, socket] of sockets.entries()) {
          socket.write(`GET /hello?${addresses[n]} HTTP/1.1\r\nHost: x\r\n\r\n`);
          await once(socket, "data");
        }
      }
      for (const socket of sockets) socket.destroy();
    });
    assert.equal(
      lines.map((line) => /^(\S+) .*\?(\S+) /.exec(line)?.slice(1)),
      [1, 2, 3].flatMap(() => addresses.map((address) => [address, address])),
    );
  });

  test(`${mode} behind ${adapter}: a client that goes before its answer is logged, with 499`, async () => {
    let path = "";
    const lines = await logged(kind, async (server) => {
      // On a busy machine the answer may come before we go: then it sleeps for longer.
      for (let sleepMs = 150, aborted = 0; aborted === 0; sleepMs *= 2) {
        path = `/sleep?ms=${sleepMs}`;
        const client = await RawClient.open(server.port);
        await isInFlight(server, () => client.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`));
        client.socket.destroy();
        let metrics = await server.stats();
        while (unanswered(metrics) > 0) metrics = await server.stats();
        aborted = metrics.aborted;
      }
    });
    assert.is(lines.filter((line) => line.includes(`"GET ${path} HTTP/1.1" 499 `)).length, 1);
  });
}

test("JSON lines carry the same", async () => {
  const lines = await logged({ mode: "reactor", log: { format: "json" } }, async ({ url }) => {
    await (await fetch(`${url}/hello?q=%22`, { headers: { "User-Agent": 'a"b\\c' } })).text();
  });
  const { time, durationMs, ...line } = JSON.parse(lines[0]!) as Readonly<Record<string, unknown>>;
  assert.ok(Math.abs(Date.now() - Date.parse(time as string)) < 60_000 && (durationMs as number) >= 0);
  assert.is(line["url"], "/hello?q=%22");
  assert.is(line["userAgent"], 'a"b\\c');
  assert.equal([line["status"], line["bodyBytes"], line["method"]], [200, 14, "GET"]);
});

test("a file that was renamed is left at SIGHUP's word, and no line is lost between the two", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "access.log");
    const log: LogConfig = { file, format: "combined", overflow: "block" };
    await withServer({ mode: "pool", workers: 2, log }, async (server) => {
      const running = load(server, "/hello", 20_000, 20);
      await pause(50);
      renameSync(file, `${file}.1`);
      server.reopenLog();
      await running;
      await load(server, "/echo", 10, 1);
    });
    const count = (name: string): number => readFileSync(name, "latin1").split("\n").length - 1;
    assert.is(count(file) + count(`${file}.1`), 20_010);
    assert.ok(count(file) >= 10);
    assert.match(readFileSync(file, "latin1"), /GET \/echo/);
  });
});

test("a full disk is counted and stops nothing", async () => {
  const log: LogConfig = { file: "/dev/full", format: "combined", overflow: "block" };
  await withServer({ mode: "reactor", log }, async (server) => {
    await load(server, "/hello", 3000, 10);
    let { failures } = (await server.stats()).log;
    while (failures === 0) ({ failures } = (await server.stats()).log);
    await load(server, "/hello", 3000, 10);
    assert.is((await server.stats()).log.lines, 0);
  });
});

/** What a reader of a pipe has taken by its end. */
async function throughPipe(
  overflow: LogConfig["overflow"],
  use: (server: TestServer, read: () => Promise<void>) => Promise<void>,
): Promise<number> {
  let lines = 0;
  await withFolder(async (folder) => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const fd = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const bytes = Buffer.alloc(1 << 16);
    let ended = false;
    const read = async (): Promise<void> => {
      while (!ended) {
        try {
          const length = readSync(fd, bytes);
          for (let i = 0; i < length; i++) if (bytes[i] === 0x0a) lines++;
          if (length === 0) await pause(1);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
          await pause(1);
        }
      }
    };
    let reading: Promise<void> | undefined;
    await withServer({ mode: "reactor", log: { file: pipe, format: "combined", overflow } }, (server) =>
      use(server, async () => {
        reading = read();
      }),
    );
    await pause(20);
    ended = true;
    await reading;
    closeSync(fd);
  });
  return lines;
}

test("drop: lines for which there is no room are counted exactly", async () => {
  let dropped = (): number => -1;
  const lines = await throughPipe("drop", async (server, read) => {
    dropped = () => server.mainStats.get(Counter.logDropped);
    // The pipe, the batch and the ring take some ten thousand lines; nobody reads.
    await load(server, "/hello", 60_000, 50);
    await read();
  });
  assert.ok(dropped() > 0);
  assert.is(lines + dropped(), 60_000);
});

test("block: a slow reader slows the server down, and loses nothing", async () => {
  let dropped = -1;
  const lines = await throughPipe("block", async (server, read) => {
    // In this process main would wait for itself: the reader must run before the ring is full.
    await read();
    await load(server, "/hello", 60_000, 50);
    ({ dropped } = (await server.stats()).log);
  });
  assert.is(dropped, 0);
  assert.is(lines, 60_001);
});

test.run();

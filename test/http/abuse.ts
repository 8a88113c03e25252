import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loopool, loopoolWithFiles, type Running } from "../support/cli.js";
import type { StatsMetrics } from "../support/server.js";
import { SideBySide } from "../support/side-by-side.js";

/** Few enough to run out of them, enough for a server to start. */
const FEW_FILES = 128;
const IDLE_CONNECTIONS = 4000;
const SLOW_CONNECTIONS = 1000;
const CHURNED_CONNECTIONS = 3000;

interface Served {
  readonly port: number;
  readonly pid: number;
  stats(): Promise<StatsMetrics & { readonly connections: number }>;
  hello(): Promise<number>;
}

/** A server of its own process, so that its descriptors and its CPU time are its alone. */
async function withServed(server: Running, use: (served: Served) => Promise<void>): Promise<void> {
  try {
    const [, url] = await server.written(/listening on (\S+)/);
    const close = { headers: { Connection: "close" } };
    await use({
      port: Number(new URL(url!).port),
      pid: server.process.pid!,
      stats: async () => (await (await fetch(`${url}/stats.json`, close)).json()) as never,
      hello: async () => (await fetch(`${url}/hello`, close)).status,
    });
    server.process.kill("SIGTERM");
    assert.is((await server.ended).code, 0);
  } finally {
    server.process.kill("SIGKILL");
  }
}

/** One connection, what it has received, and whether it is still there. */
class Guest {
  readonly socket: Socket;
  text = "";
  isClosed = false;

  private constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.setEncoding("latin1");
    this.socket.on("data", (chunk) => {
      this.text += chunk;
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
    });
  }

  static async open(port: number): Promise<Guest> {
    const guest = new Guest(port);
    await new Promise<void>((resolve) => {
      guest.socket.once("connect", resolve);
      guest.socket.once("close", () => resolve());
    });
    return guest;
  }
}

/** Many connections, some at a time: the queue of those not accepted yet is short. */
async function openMany(port: number, count: number): Promise<readonly Guest[]> {
  const guests: Guest[] = [];
  while (guests.length < count) {
    guests.push(
      ...(await Promise.all(Array.from({ length: Math.min(100, count - guests.length) }, () => Guest.open(port)))),
    );
  }
  return guests;
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(20);
}

/** CPU time of a process so far, ms (proc(5): utime and stime in ticks of 10 ms). */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(")").at(-1)!.trim().split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const MAX_LOOKS = 10;

/**
 * That a process has nothing to do while nobody asks anything, once it is done with what was asked: an event loop that spins computes all of
 * the time, so that no second of it is idle.
 */
async function assertIdle(pid: number): Promise<void> {
  const usedMs: number[] = [];
  for (let look = 0; look < MAX_LOOKS; look++) {
    const before = cpuMs(pid);
    await delay(1000);
    usedMs.push(cpuMs(pid) - before);
    if (usedMs.at(-1)! < 200) return;
  }
  assert.unreachable(`ms of CPU in each second without work: ${usedMs}`);
}

/** What a stranger may do to a server, to both cores behind an adapter. */
export function abuseConformance(adapter: string): void {
  // Ten seconds each until the time for a head, or for the next request, is up.
  const waiting = new SideBySide();
  for (const mode of ["reactor", "pool"]) {
    const test = suite(`${adapter}, ${mode}: abuse`);
    const args = [
      "serve",
      "--config",
      "off",
      "--mode",
      mode,
      "--adapter",
      adapter,
      "--port",
      "0",
      "--host",
      "127.0.0.1",
      "--iterations-per-us",
      "1000",
    ];

    test("out of file descriptors: refuses politely, does not spin, and recovers by itself", async () => {
      await withServed(loopoolWithFiles(FEW_FILES, ...args), async ({ port, pid, hello, stats }) => {
        const guests = await openMany(port, 2 * FEW_FILES);
        // Those that were taken are silent; the others have been told, or reset before they could read it.
        const refused = (): readonly Guest[] => guests.filter(({ isClosed }) => isClosed);
        await until(() => refused().length > FEW_FILES);
        await assertIdle(pid);
        for (const { text } of refused()) assert.match(text, /^(?:HTTP\/1\.1 503 Service Unavailable\r\n|$)/);
        assert.ok(refused().some(({ text }) => text !== ""));
        const refusals = refused().length;
        const taken = guests.filter(({ isClosed }) => !isClosed);
        assert.ok(taken.length > FEW_FILES / 4, `${taken.length} taken`);
        for (const { socket } of taken) socket.write("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        await until(() => taken.every(({ text }) => text.endsWith("world!\n")));
        for (const { socket } of taken) socket.destroy();
        await until(async () => (await hello()) === 200);
        const { limits, activeConnections } = await stats();
        assert.ok(limits.connections >= refusals);
        assert.is(activeConnections, 1);
      });
    });

    test("readers that hold large files leave a descriptor for who comes next", async () => {
      const root = mkdtempSync(join(tmpdir(), "loopool-test-"));
      writeFileSync(join(root, "large.bin"), new Uint8Array(30_000_000));
      try {
        await withServed(loopoolWithFiles(FEW_FILES, ...args, "--root", root), async ({ port, pid, hello, stats }) => {
          const guests = await openMany(port, FEW_FILES / 2);
          // An adapter may take one and what it asks for before it takes the next: all are to be there first.
          for (const { socket } of guests) socket.write("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
          await until(() => guests.every(({ text }) => text.endsWith("world!\n")));
          for (const guest of guests) {
            const { socket } = guest;
            guest.text = "";
            socket.once("data", () => socket.pause());
            socket.write("GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n");
          }
          // They have asked, and as many as there is room for are being sent.
          await until(() => guests.every(({ text }) => text !== ""));
          const others = await openMany(port, 2 * FEW_FILES);
          await assertIdle(pid);
          for (const { socket } of [...guests, ...others]) socket.destroy();
          await until(async () => (await hello()) === 200);
          await until(async () => (await stats()).inFlight <= 1);
          const { limits, status, aborted } = await stats();
          assert.ok(limits.files > 0);
          assert.is(status["503"], limits.files);
          assert.ok(aborted > 0);
        });
      } finally {
        rmSync(root, { recursive: true });
      }
    });

    test(
      "slowloris: heads that come a byte now and then are closed, and others are served meanwhile",
      waiting.add(async () => {
        await withServed(loopool(...args), async ({ port, hello, stats }) => {
          const guests = await openMany(port, SLOW_CONNECTIONS);
          const head = "GET /hello HTTP/1.1\r\nHost: x\r\nA: ";
          for (let at = 0; guests.some(({ isClosed }) => !isClosed); at++) {
            for (const { socket, isClosed } of guests) if (!isClosed) socket.write(head[at] ?? "a");
            assert.is(await hello(), 200);
            await delay(100);
          }
          assert.ok(guests.every(({ text }) => (adapter === "node" ? text.startsWith("HTTP/1.1 408 ") : text === "")));
          const { requests, status, activeConnections, inFlight } = await stats();
          assert.is(requests, (status["200"] ?? 0) + (status["408"] ?? 0) + 1);
          assert.is(activeConnections, 1);
          assert.ok(inFlight <= 1);
        });
      }),
    );

    test(
      "thousands of idle connections: others are served, and the idle are closed in time",
      waiting.add(async () => {
        await withServed(loopool(...args), async ({ port, pid, hello, stats }) => {
          const guests = await openMany(port, IDLE_CONNECTIONS);
          assert.ok((await stats()).activeConnections > IDLE_CONNECTIONS / 2);
          for (let i = 0; i < 20; i++) assert.is(await hello(), 200);
          await until(() => guests.every(({ isClosed }) => isClosed));
          const { activeConnections, connections } = await stats();
          assert.is(activeConnections, 1);
          assert.ok(connections > IDLE_CONNECTIONS);
          await assertIdle(pid);
        });
      }),
    );

    test("churn: connections that come and go, politely, rudely or in the middle of a request, leave nothing behind", async () => {
      await withServed(loopool(...args), async ({ port, hello, stats }) => {
        const endings: readonly ((guest: Guest) => Promise<void> | void)[] = [
          () => {},
          ({ socket }) => {
            socket.write("GET /hello HTTP/1.1\r\nHo");
          },
          ({ socket }) => {
            socket.write("GET /sleep?ms=20 HTTP/1.1\r\nHost: x\r\n\r\n");
          },
          async (guest) => {
            guest.socket.write("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
            await until(() => guest.text !== "" || guest.isClosed);
          },
        ];
        for (let opened = 0; opened < CHURNED_CONNECTIONS; opened += 100) {
          const guests = await openMany(port, 100);
          await Promise.all(
            guests.map(async (guest, i) => {
              await endings[i % endings.length]!(guest);
              if (i % 8 < 4) guest.socket.destroy();
              else guest.socket.resetAndDestroy();
            }),
          );
        }
        assert.is(await hello(), 200);
        await until(async () => (await stats()).activeConnections === 1);
        // The sleeps of those that left are over when this one, which began later, is.
        const { requests, status, aborted, inFlight } = await stats();
        const answered = Object.values(status).reduce((sum, count) => sum + count, 0);
        assert.is(answered + aborted, requests - 1);
        assert.ok(inFlight <= 1);
      });
    });

    test.run();
  }
}

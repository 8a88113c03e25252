import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loopool } from "../support/cli.js";
import { skipping } from "../support/requires.js";
import type { StatsMetrics } from "../support/server.js";

/** Connections that ask and are reset; LOOPOOL_TEST_RESETS=3000 is the long form. */
const RESETS = Number(process.env["LOOPOOL_TEST_RESETS"] ?? 300);
const AT_ONCE = 100;
const ATTACK = "GET /stats-reset HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** An address of this machine by which it is not known to be this machine's client. */
const other = Object.values(networkInterfaces())
  .flat()
  .find((one) => one !== undefined && !one.internal && one.family === "IPv4")?.address;

/** Counts what got through. */
const HANDLERS = `
  let resets = 0;
  const text = (body) => ({ status: 200, headers: {}, body });
  export const handlers = { "/stats-reset": () => text(String(++resets)), "/resets": () => text(String(resets)) };`;

async function openAll(port: number): Promise<readonly Socket[]> {
  return Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      const socket = connect({ port, host: other!, noDelay: true });
      socket.on("error", () => {});
      await once(socket, "connect");
      return socket;
    }),
  );
}

/** Writes on all, and has it with the system. */
async function sendAll(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.write(ATTACK, resolve))));
}

/** The last first: the server takes them in the order in which they asked. */
async function resetAll(sockets: readonly Socket[]): Promise<void> {
  const closed = sockets.map((socket) => (socket.closed ? null : once(socket, "close")));
  for (const socket of [...sockets].reverse()) socket.resetAndDestroy();
  await Promise.all(closed);
}

/**
 * Rounds in which many ask while the server does not come to it, as on a busy machine. They go when the first of them has its answer, and
 * the others are about to be looked at; before the server goes on; or before it has even accepted them.
 */
const rounds: readonly ((server: ChildProcess, port: number) => Promise<void>)[] = [
  async (server, port) => {
    const sockets = await openAll(port);
    const answered = Promise.race(sockets.map((socket) => once(socket, "data")));
    server.kill("SIGSTOP");
    await sendAll(sockets);
    server.kill("SIGCONT");
    await answered;
    await resetAll(sockets);
  },
  async (server, port) => {
    const sockets = await openAll(port);
    server.kill("SIGSTOP");
    await sendAll(sockets);
    await resetAll(sockets);
    server.kill("SIGCONT");
  },
  async (server, port) => {
    server.kill("SIGSTOP");
    const sockets = await openAll(port);
    await sendAll(sockets);
    await resetAll(sockets);
    server.kill("SIGCONT");
  },
];

/** A client that resets its connection has no address any more: that must not make it one of this machine. */
export function resetConformance(adapter: string): void {
  for (const mode of ["reactor", "pool"]) {
    const test = suite(`${adapter}, ${mode}: resets`);

    // A machine without a network has nobody else; Windows stops no process.
    const register =
      other === undefined || process.platform === "win32" ? skipping(test, "no second IPv4 address, or Windows") : test;
    register(
      `${RESETS} requests for what is this machine's alone, of another address, reset before they are looked at: none gets through`,
      async () => {
        const folder = mkdtempSync(join(tmpdir(), "loopool-resets-"));
        const handlers = join(folder, "handlers.mjs");
        writeFileSync(handlers, HANDLERS);
        const args = ["--config", "off", "--mode", mode, "--adapter", adapter, "--port", "0", "--workers", "1"];
        const server = loopool("serve", ...args, "--handlers", handlers, "--iterations-per-us", "1000");
        try {
          const [, url] = await server.written(/listening on (\S+)/);
          const port = Number(new URL(url!).port);
          for (let round = 0; round * AT_ONCE < RESETS; round++) {
            await rounds[round % rounds.length]!(server.process, port);
            assert.is((await fetch(`${url}/resets`)).status, 200);
          }
          assert.is(await (await fetch(`${url}/resets`)).text(), "0");
          const { denied, dropped, handlerErrors } = (await (await fetch(`${url}/stats.json`)).json()) as StatsMetrics;
          assert.ok(denied > 0, "some arrived");
          // What a pool drops, since its client has gone, had got through as well.
          assert.equal([dropped, handlerErrors], [0, 0]);
          server.process.kill("SIGTERM");
          assert.is((await server.ended).code, 0);
        } finally {
          server.process.kill("SIGKILL");
          rmSync(folder, { recursive: true });
        }
      },
    );

    test.run();
  }
}

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Random, seededRandom } from "../../src/statistics/random.js";
import { loopool } from "../support/cli.js";
import { RawClient } from "../support/raw-client.js";
import type { StatsFigures } from "../support/server.js";

/** Connections that ask and are reset; LOOPOOL_TEST_RESETS=3000 is the long form. */
const RESETS = Number(process.env["LOOPOOL_TEST_RESETS"] ?? 300);
const SEED = 20_261_128;
const AT_ONCE = 20;
const MAX_TURNS = 200;

/** An address of this machine by which it is not known to be this machine's client. */
const other = Object.values(networkInterfaces())
  .flat()
  .find((one) => one !== undefined && !one.internal && one.family === "IPv4")?.address;

/** Counts what got through; something that takes time makes requests wait while their clients go. */
const HANDLERS = `
  let resets = 0;
  const text = (body) => ({ status: 200, headers: {}, body });
  export const handlers = {
    "/stats-reset": () => text(String(++resets)),
    "/resets": () => text(String(resets)),
    "/busy": () => {
      const end = performance.now() + 3;
      while (performance.now() < end);
      return text("done");
    },
  };`;

/** Asks for what only this machine may, and resets the connection some turns of the event loop later. */
async function attack(port: number, host: string, path: string, random: Random): Promise<void> {
  const socket = connect({ port, host, noDelay: true });
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.once("connect", async () => {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    for (let turns = Math.floor(random() * MAX_TURNS); turns > 0; turns--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.resetAndDestroy();
  });
  await closed;
}

/** Keeps the server's main thread busy until told to stop. */
async function keepBusy(port: number, isOver: () => boolean): Promise<void> {
  const client = await RawClient.open(port);
  while (!isOver()) {
    client.send("GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
    await client.receive((text) => text.endsWith("done"));
  }
  client.socket.destroy();
}

/** A client that resets its connection has no address any more: that must not make it one of this machine. */
export function resetConformance(front: string): void {
  for (const mode of ["reactor", "pool"]) {
    const test = suite(`${front}, ${mode}: resets`);

    // A machine without a network has nobody else.
    (other === undefined ? test.skip : test)(
      `${RESETS} requests for what is this machine's alone, of another address, reset at any moment: none gets through`,
      async () => {
        const folder = mkdtempSync(join(tmpdir(), "loopool-resets-"));
        const handlers = join(folder, "handlers.mjs");
        writeFileSync(handlers, HANDLERS);
        const args = ["--config", "off", "--mode", mode, "--front", front, "--port", "0", "--workers", "1"];
        const server = loopool("serve", ...args, "--handlers", handlers, "--iterations-per-us", "1000");
        try {
          const [, url] = await server.written(/listening on (\S+)/);
          const port = Number(new URL(url!).port);
          const random = seededRandom(SEED);
          let isOver = false;
          const busy = keepBusy(port, () => isOver);
          let sent = 0;
          const lane = async (): Promise<void> => {
            while (sent++ < RESETS) await attack(port, other!, "/stats-reset", random);
          };
          await Promise.all(Array.from({ length: AT_ONCE }, lane));
          isOver = true;
          await busy;
          assert.is(await (await fetch(`${url}/resets`)).text(), "0");
          const { denied, handlerErrors } = (await (await fetch(`${url}/stats.json`)).json()) as StatsFigures;
          assert.ok(denied > 0, "some arrived");
          assert.is(handlerErrors, 0);
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

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startExchanger } from "../support/exchanger.js";
import { withServer } from "../support/server.js";

/** `LOOPOOL_TEST_EXCHANGE_S=60` for the long form. */
const DURATION_MS = Number(process.env["LOOPOOL_TEST_EXCHANGE_S"] ?? 1) * 1000;
const CLIENTS = 8;
/** Few are asked for twice within the second for which a file is not looked at again. */
const SMALL_FILES = 2000;
const SMALL_BYTES = 100;
/** Too large for the cache of this server. */
const LARGE_BYTES = 20_000;
const CACHE_BYTES = 32 * 1024;
/** First bytes of what lies inside and outside of the root. */
const INSIDE = "inside";
const OUTSIDE = "secret";

/** Files of one folder: `fill` says at the start of each where it lies. */
function writeFolder(folder: string, fill: string): void {
  mkdirSync(folder);
  for (let n = 0; n < SMALL_FILES; n++) writeFileSync(join(folder, `${n}.txt`), fill.padEnd(SMALL_BYTES, "."));
  writeFileSync(join(folder, "large.bin"), fill.padEnd(LARGE_BYTES, "."));
}

/** Asks on one connection, the next as soon as the last has been answered, until it is time; what arrives is not kept but looked through. */
function ask(port: number, paths: () => string, isOver: () => boolean): Promise<Record<string, number>> {
  const counts: Record<string, number> = { answers: 0, inside: 0, outside: 0, absent: 0, otherwise: 0 };
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.setEncoding("latin1");
    let text = "";
    const next = (): void => {
      text = "";
      if (isOver()) socket.end(() => resolve(counts));
      else socket.write(`GET ${paths()} HTTP/1.1\r\nHost: x\r\n\r\n`);
    };
    socket.on("connect", next);
    socket.on("error", reject);
    socket.on("close", () => (isOver() ? resolve(counts) : reject(new Error(`cut off after ${text.slice(0, 300)}`))));
    socket.on("data", (chunk) => {
      text += chunk;
      const end = text.indexOf("\r\n\r\n");
      const length = Number(/\r\nContent-Length: (\d+)/i.exec(text)?.[1]);
      if (end === -1 || text.length < end + 4 + length) return;
      const body = text.slice(end + 4);
      counts["answers"]!++;
      if (body.includes(OUTSIDE)) counts["outside"]!++;
      else if (text.startsWith("HTTP/1.1 200 ") && body.startsWith(INSIDE)) counts["inside"]!++;
      else if (text.startsWith("HTTP/1.1 404 ")) counts["absent"]!++;
      else counts["otherwise"]!++;
      next();
    });
  });
}

/**
 * A local writer who exchanges a folder of the root with a link that leads out of it, as fast as the system can, must not get a file from
 * outside served: on every core behind every adapter.
 */
export function exchangedFolder(mode: string, adapter: string): void {
  const test = suite(`${mode} behind ${adapter}: a folder that is exchanged with a link out of the root`);

  for (const [what, path] of [
    ["small", () => `/folder/${Math.floor(Math.random() * SMALL_FILES)}.txt`],
    ["large", () => "/folder/large.bin"],
  ] as const) {
    test(`no ${what} file from outside is served`, async () => {
      const base = mkdtempSync(join(tmpdir(), "loopool-exchange-"));
      const root = join(base, "root");
      mkdirSync(root);
      writeFolder(join(root, "folder"), INSIDE);
      writeFolder(join(base, "outside"), OUTSIDE);
      symlinkSync(join(base, "outside"), join(root, "link"));
      try {
        await withServer({ mode, adapter, root, cacheBytes: CACHE_BYTES }, async ({ port }) => {
          const exchanger = await startExchanger(join(root, "folder"), join(root, "link"));
          const endMs = performance.now() + DURATION_MS;
          const isOver = (): boolean => performance.now() > endMs;
          const asking = Array.from({ length: CLIENTS }, () => ask(port, path, isOver));
          const all = await Promise.all(asking).finally(() => exchanger.stop());
          const sum = (name: string): number => all.reduce((total, counts) => total + counts[name]!, 0);
          const found = ["answers", "inside", "absent", "outside", "otherwise"].map((name) => `${name} ${sum(name)}`);
          if (process.env["LOOPOOL_TEST_EXCHANGE_S"] !== undefined)
            console.log(`${mode}, ${adapter}: ${found.join(", ")}`);
          assert.is(sum("outside"), 0, found.join(", "));
          assert.is(sum("otherwise"), 0, found.join(", "));
          assert.ok(sum("inside") > 0, found.join(", "));
          assert.ok(sum("absent") > 0, found.join(", "));
        });
      } finally {
        rmSync(base, { recursive: true });
      }
    });
  }

  test.run();
}

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../src/harness/statistics/random.js";
import { mirrorFolder, mirrorPath } from "../../src/stats-mirror/format.js";
import { type Ended, loopool, type Running } from "../support/cli.js";
import { foreignKinds, type HostileFile, makePipe, mutated } from "./hostile-files.js";

const test = suite("hostile mirror files");
const folder = mkdtempSync(join(mirrorFolder(), "loopool-test-"));
if (process.platform !== "win32") makePipe(folder);
test.after(() => rmSync(folder, { recursive: true }));

/** The long form takes 500 of them through real processes too: LOOPOOL_TEST_HOSTILE=500. */
const PROCESSES = Number(process.env["LOOPOOL_TEST_HOSTILE"] ?? 2);
const MUTATIONS = 500;
const SEED = 20;
/** A hang is one that does not end: far more than it takes on a busy machine. */
const LIMIT_MS = 120_000;

const fixture = fileURLToPath(new URL("./fixtures/meets-hostile-files.js", import.meta.url));
const reading = ["metrics", "MIRROR_FOREIGN", "MIRROR_STALE", "MIRROR_VERSION", "MIRROR_TORN"];
const writing = ["mirrored", "MIRROR_FOREIGN", "MIRROR_TAKEN"];

interface Outcome {
  readonly what: string;
  readonly read: string;
  readonly write: string;
  readonly ports: readonly number[];
}

test(`reader and writer meet ${MUTATIONS} mutations and every foreign kind: each ends, with metrics or a documented code`, () => {
  if (process.platform === "win32") return;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [fixture, folder, `${MUTATIONS}`, `${SEED}`], {
    encoding: "utf8",
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
    maxBuffer: 2 ** 26,
  });
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Outcome & { readonly left: unknown });
  assert.equal([signal, status, stderr], [null, 0, ""], `it ended after ${lines.at(-1)?.what}`);
  const end = lines.pop();
  assert.equal(end?.left, ["stat"], "nothing is left behind");
  const kinds = foreignKinds(folder).length;
  assert.is(lines.length, kinds + MUTATIONS);
  for (const { what, read, write, ports } of lines) {
    assert.ok(reading.includes(read), `${what}: the reader ${read}`);
    assert.ok(writing.includes(write), `${what}: the writer ${write}`);
    if (read === "MIRROR_STALE") assert.equal([write, ports], ["mirrored", []], what);
    if (read === "metrics") assert.equal([write, ports], ["MIRROR_TAKEN", [1]], what);
  }
  for (const { what, read } of lines.slice(0, kinds)) assert.is(read, "MIRROR_FOREIGN", what);
  // The mutations reach past the first check.
  for (const code of reading)
    assert.ok(
      lines.some(({ read }) => read === code),
      `none is ${code}`,
    );
});

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Its end, or a failure when it has not ended in time. */
async function endOf(running: Running, what: string): Promise<Ended> {
  const timer = setTimeout(() => running.process.kill("SIGKILL"), LIMIT_MS);
  const ended = await running.ended;
  clearTimeout(timer);
  assert.is.not(ended.signal, "SIGKILL", `${what}: it hung`);
  return ended;
}

const random = seededRandom(SEED + 1);
const sampled: readonly HostileFile[] = [
  ...foreignKinds(folder).slice(0, 4),
  ...Array.from({ length: PROCESSES }, () => mutated(random)),
];

for (const [index, { what, make }] of sampled.entries()) {
  const mode = index % 2 === 0 ? "reactor" : "pool";
  test(`stats and a server (${mode}) beside ${what}: a line or metrics, an answer, and a clean end`, async () => {
    if (process.platform === "win32") return;
    const port = String(await freePort());
    const path = mirrorPath(Number(port));
    make(path);
    try {
      const view = await endOf(loopool("stats", "--once", "--port", port), what);
      assert.ok(view.code === 0 || view.code === 1, `${what}: exit code ${view.code}`);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      assert.not.match(view.output, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      if (view.code === 0) assert.is(view.errors, "");
      else assert.match(view.errors, /^loopool: [^\n]+\n$/, "one line, no stack");

      const server = loopool("serve", "--mode", mode, "--port", port, "--host", "127.0.0.1", "--workers", "1");
      const failed = setTimeout(() => server.process.kill("SIGKILL"), LIMIT_MS);
      await server.written(/listening on/);
      assert.is((await fetch(`http://127.0.0.1:${port}/hello`)).status, 200);
      clearTimeout(failed);
      server.process.kill("SIGTERM");
      const { code, errors } = await endOf(server, what);
      assert.is(code, 0, errors);
      assert.not.match(errors, /\n {4}at /, "no stack");
    } finally {
      rmSync(path, { recursive: true, force: true });
    }
  });
}

test.run();

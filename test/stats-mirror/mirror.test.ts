import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../src/harness/statistics/random.js";
import { LoopoolError } from "../../src/shared/errors.js";
import { encodeDescription, type MirrorDescription, mirrorFolder } from "../../src/stats-mirror/format.js";
import { mirroredMetrics, readMirror } from "../../src/stats-mirror/reader.js";
import { MirrorWriter, type WriteAt } from "../../src/stats-mirror/writer.js";
import { describe, uniformState, uniformValue } from "./states.js";

const test = suite("stats mirror");
const folder = mkdtempSync(join(mirrorFolder(), "loopool-test-"));
test.after(() => rmSync(folder, { recursive: true }));

const fixture = fileURLToPath(new URL("./fixtures/writes-states.js", import.meta.url));
const atOnce = async (): Promise<void> => {};

/** The n that a reader finds, or the code of its error. */
async function look(path: string): Promise<number | string> {
  try {
    return uniformValue((await readMirror(path, atOnce)).state);
  } catch (error) {
    if (error instanceof LoopoolError) return error.code;
    throw error;
  }
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof LoopoolError ? error.code : String(error);
  }
  return "nothing was thrown";
}

test("what was written is read, and is gone after a clean end", async () => {
  const path = join(folder, "clean");
  const writer = MirrorWriter.create(path, describe(3), uniformState(1, 3));
  assert.is(await look(path), 1);
  writer.write(uniformState(2, 3));
  assert.is(await look(path), 2);
  const metrics = mirroredMetrics(await readMirror(path));
  assert.is(metrics.requests, 6, "the sum of three slots");
  assert.is(metrics.status["404"], 6);
  assert.is(metrics.mode, "test");
  writer.close();
  assert.is(await look(path), "MIRROR_ABSENT");
  assert.equal(
    readdirSync(folder).filter((name) => name.startsWith("clean")),
    [],
    "no scratch file is left",
  );
});

test("a write that stops anywhere leaves the state before, the state after, or none: never a mixture", async () => {
  const path = join(folder, "stops");
  const random = seededRandom(11);
  const seen = { before: 0, after: 0, none: 0 };
  let stopAt = Number.POSITIVE_INFINITY;
  const writeAt: WriteAt = (file, bytes, position) => {
    const count = Math.min(bytes.byteLength, stopAt);
    stopAt -= count;
    writeSync(file, bytes, 0, count, position);
    if (count < bytes.byteLength) throw new Error("stopped on purpose");
  };
  const writer = MirrorWriter.create(path, describe(), uniformState(1), writeAt);
  // Three writes: 8 bytes of sequence, the rest of the state, 8 bytes of sequence. The edges each, what is between by chance.
  const { stats, phases, details } = uniformState(1);
  const totalBytes = 8 + 8 + stats.byteLength + phases.byteLength + JSON.stringify(details).length + 8;
  const edges = Array.from({ length: 24 }, (_, i) => [i, totalBytes - i]).flat();
  const between = Array.from({ length: 60 }, () => Math.floor(random() * totalBytes));
  for (const [round, bytes] of [...edges, ...between].entries()) {
    stopAt = Number.POSITIVE_INFINITY;
    const before = 1 + 2 * (round % 4);
    writer.write(uniformState(before));
    stopAt = bytes;
    try {
      writer.write(uniformState(before + 1));
    } catch (error) {
      assert.match(String(error), "stopped on purpose");
    }
    const found = await look(path);
    if (found === before) seen.before++;
    else if (found === before + 1) seen.after++;
    else if (found === "MIRROR_TORN") seen.none++;
    else assert.unreachable(`${bytes} of ${totalBytes} bytes: ${found}`);
  }
  stopAt = Number.POSITIVE_INFINITY;
  writer.write(uniformState(9));
  assert.is(await look(path), 9, "the next state is whole again");
  writer.close();
  assert.ok(seen.before > 0 && seen.after > 0 && seen.none > 60, JSON.stringify(seen));
});

test("a state with one byte changed is never read", async () => {
  const path = join(folder, "damaged");
  const random = seededRandom(12);
  const writer = MirrorWriter.create(path, describe(), uniformState(7));
  const whole = readFileSync(path);
  const stateStart = encodeDescription(describe()).byteLength;
  for (let round = 0; round < 100; round++) {
    const damaged = Buffer.from(whole);
    const at = stateStart + Math.floor(random() * (whole.byteLength - stateStart));
    damaged[at]! ^= 1 + Math.floor(random() * 255);
    writeFileSync(path, damaged);
    assert.is(await look(path), "MIRROR_TORN", `byte ${at}`);
  }
  for (let at = 0; at < encodeDescription(describe()).byteLength - 8; at++) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 0x10;
    writeFileSync(path, damaged);
    assert.ok(typeof (await look(path)) === "string", `byte ${at} of the description`);
  }
  for (let bytes = 0; bytes < whole.byteLength; bytes += 997) {
    writeFileSync(path, whole.subarray(0, bytes));
    assert.ok(typeof (await look(path)) === "string", `${bytes} bytes`);
  }
  writeFileSync(path, whole);
  assert.is(await look(path), 7);
  writer.close();
});

test("processes that are killed while they write: every state read is whole, and what they leave is stale", async () => {
  const path = join(folder, "killed");
  const random = seededRandom(13);
  let states = 0;
  for (let round = 0; round < 15; round++) {
    const child = spawn(process.execPath, [fixture, path], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    await once(child.stdout, "data");
    try {
      let last = 0;
      const reads = 1 + Math.floor(random() * 100);
      for (let read = 0; read < reads; read++) {
        const n = await look(path);
        // No whole state met in so many looks: possible, since it writes most of the time.
        if (n === "MIRROR_TORN") continue;
        assert.ok(typeof n === "number" && n >= last, `${n} after state ${last}`);
        last = n;
        states++;
      }
    } finally {
      child.kill("SIGKILL");
    }
    await ended;
    assert.is(await look(path), "MIRROR_STALE", `round ${round}`);
  }
  assert.ok(states >= 100, `${states} states`);
});

test("processes that are killed inside a write, and at their start: stale or absent, and the next one replaces it", async () => {
  const path = join(folder, "loopool-14");
  const random = seededRandom(14);
  for (let round = 0; round < 16; round++) {
    // The first write is the description, then three for each state.
    const writes = Math.floor(random() * 12);
    const child = spawn(process.execPath, [fixture, path, String(writes), String(random())]);
    const [, signal] = await once(child, "exit");
    assert.is(signal, "SIGKILL");
    if (writes < 4) assert.ok(["MIRROR_ABSENT", "MIRROR_STALE"].includes(String(await look(path))));
    else assert.is(await look(path), "MIRROR_STALE", `after ${writes} writes`);
  }
  const writer = MirrorWriter.create(path, describe(), uniformState(5));
  assert.is(await look(path), 5);
  writer.close();
  assert.equal(
    readdirSync(folder).filter((name) => name.startsWith("loopool-14")),
    [],
    "what was left without a name is gone too",
  );
});

test("the file of a server that runs is left alone; that of one whose pid was given again is replaced", async () => {
  const path = join(folder, "taken");
  const first = MirrorWriter.create(path, describe(), uniformState(1));
  assert.is(
    codeOf(() => MirrorWriter.create(path, describe(), uniformState(2))),
    "MIRROR_TAKEN",
  );
  assert.is(await look(path), 1);
  first.close();

  const own = describe();
  if (own.startTicks === null) return;
  const earlier = MirrorWriter.create(path, { ...own, startTicks: own.startTicks - 1 }, uniformState(3));
  assert.is(await look(path), "MIRROR_STALE");
  const later = MirrorWriter.create(path, own, uniformState(4));
  earlier.close();
  assert.is(await look(path), 4, "the end of the one before does not take away the file of the next");
  later.close();
});

test("what is no mirror is neither read nor removed", async () => {
  const path = join(folder, "foreign");
  for (const content of ["", "LOOPOOL\n", "x".repeat(10_000)]) {
    writeFileSync(path, content);
    assert.is(await look(path), "MIRROR_FOREIGN");
    assert.is(
      codeOf(() => MirrorWriter.create(path, describe(), uniformState(1))),
      "MIRROR_FOREIGN",
    );
    assert.is(readFileSync(path, "utf8"), content);
  }
  rmSync(path);
  symlinkSync(join(folder, "nowhere"), path);
  assert.is(
    codeOf(() => MirrorWriter.create(path, describe(), uniformState(1))),
    "MIRROR_FOREIGN",
  );
  assert.is(existsSync(join(folder, "nowhere")), false, "no link is followed");
  rmSync(path);
});

test("a folder that is not there is refused with its name", () => {
  const path = join(folder, "nowhere", "mirror");
  assert.throws(
    () => MirrorWriter.create(path, describe(), uniformState(1)),
    new RegExp(`mirrored to ${path}: ENOENT`),
  );
});

test("counters of another version are found by their names; without one of ours it is told", async () => {
  const path = join(folder, "version");
  const own = describe();
  const { fields, slotCounters } = own.statsLayout;
  /** The fields reversed, and one more in front. */
  const others = ["unheardOf", ...[...fields].reverse()];
  const statsLayout = { ...own.statsLayout, fields: others, slotCounters: slotCounters + 8 };
  const stats = new Float64Array(slotCounters + 8);
  for (const [listeningAddress, name] of others.entries())
    stats[listeningAddress] = fields.indexOf(name as (typeof fields)[number]);
  stats[others.length + 204 - 100] = 1204;
  const state = { ...uniformState(0), stats };
  const theirs: MirrorDescription = { ...own, statsLayout, statsBytes: stats.byteLength };
  const writer = MirrorWriter.create(path, theirs, state);
  const metrics = mirroredMetrics(await readMirror(path));
  assert.is(metrics.aborted, fields.indexOf("aborted"));
  assert.is(metrics.handlerErrors, fields.indexOf("handlerErrors"));
  assert.equal(metrics.status, { "204": 1204 });
  writer.close();

  const lacking = { ...theirs, statsLayout: { ...statsLayout, fields: others.filter((name) => name !== "shed") } };
  const poorer = MirrorWriter.create(path, lacking, state);
  assert.is(await look(path), "MIRROR_VERSION");
  poorer.close();

  const later = MirrorWriter.create(path, own, uniformState(1));
  const bytes = readFileSync(path);
  bytes.writeUInt32LE(99, 8);
  writeFileSync(path, bytes);
  assert.is(await look(path), "MIRROR_VERSION");
  linkSync(path, join(folder, "other-name"));
  later.close();
  assert.is(existsSync(path), false);
});

test.run();

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { SweepResult, TrialResult } from "../../../src/harness/sweep/result.js";
import { createResultFile, writeResult } from "../../../src/harness/sweep/store.js";
import { LoopoolError } from "../../../src/shared/errors.js";
import { smallPlan } from "./fixture.js";

const empty: SweepResult = {
  schema: "loopool-sweep/3",
  name: "cores",
  command: "npm run sweep",
  startedAt: "2026-01-02T23:59:59.000Z",
  finishedAt: null,
  plan: smallPlan,
  environment: { cores: 2 } as SweepResult["environment"],
  trials: [],
};
const trial: TrialResult = {
  core: "reactor",
  concurrency: 2,
  rate: null,
  block: 0,
  startedAt: "2026-01-03T00:00:00.000Z",
  run: null,
  server: null,
  failure: 'it says "why"\nin two lines',
};

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "loopool-store-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function refusal(attempt: Promise<unknown>): Promise<LoopoolError> {
  const error = await attempt.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.instance(error, LoopoolError);
  return error as LoopoolError;
}

const test = suite("store of results");

test("a new result has the day it began and its name, in a folder that is made", () =>
  inFolder(async (folder) => {
    const file = await createResultFile(join(folder, "a", "b"), empty);
    assert.is(file, join(folder, "a", "b", "2026-01-02-cores.json"));
    assert.equal(JSON.parse(readFileSync(file, "utf8")), empty);
  }));

test("what is written is with the disk before it takes the place of what was there", () =>
  inFolder(async (folder) => {
    const probe = await open(join(folder, "probe"), "w");
    const handles = Object.getPrototypeOf(probe) as typeof probe;
    await probe.close();
    const { sync } = handles;
    const seen: string[] = [];
    handles.sync = async function () {
      await sync.call(this);
      const names = readdirSync(folder).filter((name) => name !== "probe");
      seen.push(
        names.map((name) => `${name}: ${JSON.parse(readFileSync(join(folder, name), "utf8")).trials.length}`).join(),
      );
    };
    try {
      const file = await createResultFile(folder, empty);
      await writeResult(file, { ...empty, trials: [trial] });
      const name = "2026-01-02-cores.json";
      assert.equal(seen, [`${name}: 0`, `${name}: 0,${name}.tmp: 1`]);
      assert.is(JSON.parse(readFileSync(file, "utf8")).trials.length, 1);
    } finally {
      handles.sync = sync;
    }
  }));

test("an existing file is never overwritten, however many begin at once", () =>
  inFolder(async (folder) => {
    const mine = join(folder, "2026-01-02-cores.json");
    writeFileSync(mine, "mine");
    const files = await Promise.all([1, 2, 3].map(() => createResultFile(folder, empty)));
    const expected = [2, 3, 4].map((n) => join(folder, `2026-01-02-cores-${n}.json`));
    assert.equal([...files].sort(), expected);
    assert.is(readFileSync(mine, "utf8"), "mine");
  }));

test("what is written is read back whole, a line for each trial, and nothing else is left", () =>
  inFolder(async (folder) => {
    const file = await createResultFile(folder, empty);
    const result = { ...empty, finishedAt: "2026-01-03T00:00:01.000Z", trials: [trial, { ...trial, block: 1 }] };
    await writeResult(file, result);
    const text = readFileSync(file, "utf8");
    assert.equal(JSON.parse(text), result);
    assert.is(text.split("\n").filter((line) => line.includes('"block"')).length, 2);
    assert.equal(readdirSync(folder), ["2026-01-02-cores.json"]);
  }));

test("the file is replaced, not rewritten: who has it open reads the state it had", () =>
  inFolder(async (folder) => {
    const file = await createResultFile(folder, empty);
    const reader = await open(file);
    try {
      await writeResult(file, { ...empty, trials: [trial] });
      assert.equal(JSON.parse(await reader.readFile("utf8")), empty);
    } finally {
      await reader.close();
    }
  }));

test("a folder that cannot be made or written is named with the flag", () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, "file"), "");
    const { message, code, exitCode } = await refusal(createResultFile(join(folder, "file", "results"), empty));
    assert.match(message, /^cannot write results to .*file\/results: ENOTDIR.*; name another folder with --out$/);
    assert.equal([code, exitCode], ["RESULT_NOT_WRITTEN", 1]);
  }));

test("a write that fails leaves the last state and says how to go on", () =>
  inFolder(async (folder) => {
    const file = await createResultFile(folder, empty);
    // A folder in the place of the temporary file fails for every user, unlike permissions.
    mkdirSync(`${file}.tmp`);
    const { message } = await refusal(writeResult(file, { ...empty, trials: [trial] }));
    assert.match(message, /^cannot write .*EISDIR.*--resume .*2026-01-02-cores\.json$/);
    assert.equal(JSON.parse(readFileSync(file, "utf8")), empty);
  }));

test.run();

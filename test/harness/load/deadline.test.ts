import { once } from "node:events";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { deadline } from "../../../src/harness/load/deadline.js";

const test = suite("deadline");

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("it aborts after its time, also when garbage was collected meanwhile", async () => {
  const { signal } = deadline(new AbortController().signal, 50);
  collectGarbage();
  await once(signal, "abort");
  assert.is((signal.reason as Error).name, "TimeoutError");
});

test("it aborts with the signal that it is given, whose reason it has", () => {
  const controller = new AbortController();
  const { signal, clear } = deadline(controller.signal, 60_000);
  controller.abort("stop");
  assert.is(signal.reason, "stop");
  clear();
  const late = deadline(controller.signal, 60_000);
  assert.is(late.signal.reason, "stop");
  late.clear();
});

test("one that is cleared no longer aborts", () => {
  const controller = new AbortController();
  const { signal, clear } = deadline(controller.signal, 60_000);
  clear();
  controller.abort();
  assert.is(signal.aborted, false);
});

test.run();

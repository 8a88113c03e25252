import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  pinningFacts,
  pinningOf,
  resolvePinning,
  sharesCpus,
  type Workload,
  workersFor,
} from "../../../src/harness/sweep/pinning.js";

const two = { cpus: [0, 1], hasTaskset: true };
const eight = { cpus: [0, 1, 2, 3, 4, 5, 6, 7], hasTaskset: true };

/** A built-in handler. */
function at(path: string): Workload {
  return { path, handlers: null };
}

const test = suite("pinning");

test("a cheap handler: the generator has the last CPU, the server the others", () => {
  assert.equal({ ...resolvePinning("auto", at("/"), two), reason: "" }, { server: "0", generator: "1", reason: "" });
  assert.is(resolvePinning("auto", at("/hello"), eight).server, "0,1,2,3,4,5,6");
  assert.is(resolvePinning("auto", at("/hello"), { ...two, cpus: [2, 5] }).server, "2");
});

test("a handler that burns CPU, one CPU, or no taskset: nothing is pinned, and the reason says which", () => {
  assert.match(resolvePinning("auto", at("/cpu?us=100"), two).reason, /burns CPU/);
  assert.match(resolvePinning("auto", at("/mixed"), two).reason, /burns CPU/);
  assert.match(resolvePinning("auto", at("/"), { cpus: [0], hasTaskset: true }).reason, /one CPU/);
  assert.match(resolvePinning("auto", at("/"), { ...two, hasTaskset: false }).reason, /taskset/);
  for (const path of ["/cpu", "/mixed?slow=1"]) assert.is(resolvePinning("auto", at(path), two).server, null);
  assert.is(resolvePinning("auto", at("/cpus.html"), two).server, "0", "a file with such a name is cheap");
});

test("handlers of the user's own may burn CPU: nothing is pinned unless asked for", () => {
  const own = { path: "/", handlers: "/mine.js" };
  const { server, generator, reason } = resolvePinning("auto", own, two);
  assert.equal([server, generator], [null, null]);
  assert.match(reason, /handler of your own/);
  assert.is(resolvePinning("0:1", own, two).server, "0");
});

test("so many CPUs for the server: the generator has one of its own where there is one more, else it shares them", () => {
  const one = pinningOf(1, two);
  assert.equal([one.server, one.generator, sharesCpus(one)], ["0", "1", false]);
  const both = pinningOf(2, two);
  assert.equal([both.server, both.generator, sharesCpus(both)], ["0,1", "0,1", true]);
  assert.match(both.reason, /the load generator shares them/);
  const some = pinningOf(4, { ...eight, cpus: [1, 3, 5, 7, 9] });
  assert.equal([some.server, some.generator, sharesCpus(some)], ["1,3,5,7", "9", false]);
  assert.is(sharesCpus({ server: null, generator: null, reason: "" }), true);
  assert.throws(() => pinningOf(3, two), /--server-cpus 3 is more than there are: this process may use 2 \(CPU 0,1\)/);
  assert.throws(() => pinningOf(1, { ...two, hasTaskset: false }), /--server-cpus 1 needs taskset/);
});

test("a burning handler has a worker for each CPU, a cheap one leaves a CPU to the main thread", () => {
  assert.equal([workersFor(4, at("/")), workersFor(1, at("/"))], [3, 1]);
  assert.equal([workersFor(4, at("/cpu?us=5")), workersFor(2, { path: "/", handlers: "/mine.js" })], [4, 2]);
});

test("CPUs given are used as given", () => {
  const { server, generator } = resolvePinning("0-3,5:6", at("/cpu"), eight);
  assert.equal([server, generator], ["0-3,5", "6"]);
});

test("what cannot be is refused with the flag and the CPUs there are", () => {
  for (const wrong of ["0", "x:y", "0:", "0:1:2", "1-:0", ""]) {
    assert.throws(() => resolvePinning(wrong, at("/"), two), /--pin must be auto, none or SERVER:GENERATOR/, wrong);
  }
  assert.throws(
    () => resolvePinning("0:7", at("/"), two),
    /"7" names a CPU that is not there; this process may use CPU 0,1/,
  );
  assert.throws(() => resolvePinning("3-2:1", at("/"), eight), /"3-2" names a CPU/);
  assert.throws(() => resolvePinning("0:1", at("/"), { ...two, hasTaskset: false }), /needs taskset/);
});

test("this machine has at least one CPU", () => {
  assert.ok(pinningFacts().cpus.length >= 1);
});

test.run();

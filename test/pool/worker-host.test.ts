import { EventEmitter } from "node:events";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { LoopoolError } from "../../src/shared/errors.js";
import { Modules } from "../support/stepped/modules.js";
import { VirtualTime } from "../support/virtual-time.js";

type Module = typeof import("../../src/pool/worker-host.js");

/** A thread that does what the test says. */
class Thread extends EventEmitter {
  static all: Thread[] = [];
  readonly options: { readonly name: string; readonly resourceLimits?: object };
  terminated = 0;

  constructor(_file: URL, options: { readonly name: string; readonly resourceLimits?: object }) {
    super();
    this.options = options;
    Thread.all.push(this);
  }

  terminate(): Promise<void> {
    this.terminated++;
    return Promise.resolve();
  }

  ready(): void {
    this.emit("message", { type: "loopool:ready", routes: { userCode: null } });
  }
}

/** A host whose threads and time are the test's, with all that it reports. */
function newHost(config: { readonly handlers?: string; readonly workerMemoryMiB?: number } = {}) {
  Thread.all = [];
  const time = new VirtualTime();
  const lines: string[] = [];
  const events: string[] = [];
  const modules = new Modules({
    globals: time.globals,
    replaced: {
      "node:worker_threads": { Worker: Thread },
      "shared/failure-log.js": { tellOperator: (_: unknown, line: string) => lines.push(line) },
      "pool/memory.js": { attachAnswers: () => null },
      "pool/answer-codec.js": { AnswerReader: class {} },
    },
  });
  const { WorkerHost } = modules.load<Module>("pool/worker-host.js");
  const startup = {
    worker: 3,
    memory: null,
    shared: { config: { handlers: config.handlers ?? null, workerMemoryMiB: config.workerMemoryMiB ?? null } },
  };
  const note = (event: string) => () => void events.push(event);
  const host = new WorkerHost(
    startup as never,
    {
      onWakeUp: note("wake-up"),
      onAnswer: note("answer"),
      onMessage: note("message"),
      onReady: note("ready"),
      onLost: note("lost"),
      onRetired: note("retired"),
    } as never,
  );
  return { host, time, lines, events };
}

const last = (): Thread => Thread.all.at(-1)!;
/** What follows from a promise that is settled. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const test = suite("a place in the pool");

test("a start resolves when the worker is ready, with its limits and name", async () => {
  const { host, events } = newHost({ workerMemoryMiB: 64 });
  assert.ok(host.isVacant && !host.isReady);
  const started = host.start();
  assert.ok(!host.isVacant && !host.isReady);
  assert.equal(last().options.resourceLimits, { maxOldGenerationSizeMb: 64 });
  assert.is(last().options.name, "loopool worker 3");
  last().ready();
  await started;
  assert.ok(host.isReady);
  assert.equal(events, ["ready"]);
});

test("a worker that ends before it is ready rejects the start with the reason that it gave, and leaves the place vacant", async () => {
  const reasons: unknown[] = [];
  for (const say of [
    (thread: Thread) =>
      thread.emit("message", { type: "loopool:failed", code: "usage", message: "no such module", exitCode: 2 }),
    (thread: Thread) => thread.emit("error", new Error("it threw")),
    () => {},
  ]) {
    const { host, events, lines, time } = newHost();
    const started = host.start().catch((error: unknown) => reasons.push(error));
    say(last());
    last().emit("exit", 7);
    await started;
    assert.ok(host.isVacant);
    assert.equal([events, lines, time.nextMs], [[], [], null], "nobody is told, and it is not tried again by itself");
  }
  assert.equal(
    reasons.map((reason) => (reason as Error).message),
    ["no such module", "it threw", "worker 3 exited with code 7"],
  );
  assert.is((reasons[0] as LoopoolError).exitCode, 2);
});

test("one that ends its process while it loads the user's module is said to have done so", async () => {
  const { host } = newHost({ handlers: "/srv/mine.js" });
  const started = host.start().then(
    () => "started",
    (error: Error) => error.message,
  );
  last().emit("exit", 0);
  assert.match(await started, /mine\.js/);
});

test("a lost worker is replaced after 10 ms; each failure to start doubles the time, up to 5 s; one that was ready makes it 10 ms again", async () => {
  const { host, time, lines, events } = newHost();
  void host.start();
  last().ready();
  for (let round = 0; round < 2; round++) {
    last().emit("error", new Error("out of\nmemory"));
    last().emit("exit", 1);
    assert.is(lines.pop(), "worker 3 was lost and is replaced: out of\\nmemory");
    assert.ok(!host.isReady && !host.isVacant, "its place is not free for another one");
    const delays: number[] = [];
    for (let failure = 0; failure < 11; failure++) {
      delays.push(time.nextMs!);
      const before = Thread.all.length;
      time.advance(time.nextMs! - 0.5);
      assert.is(Thread.all.length, before, "not before its time");
      time.advance(0.5);
      assert.is(Thread.all.length, before + 1);
      last().emit("error", new Error("no such file"));
      last().emit("exit", 1);
      await settled();
      assert.is(lines.pop(), `worker 3 does not start, next try in ${time.nextMs} ms: no such file`);
    }
    assert.equal(delays, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000]);
    time.advance(time.nextMs!);
    last().ready();
    assert.ok(host.isReady);
    assert.is(time.nextMs, null);
  }
  assert.equal(events, ["ready", "lost", "ready", "lost", "ready"]);
  assert.equal(lines, []);
});

test("what a killed worker is said to have been lost for is the first reason; a successor has none of it", async () => {
  const { host, lines, time } = newHost();
  void host.start();
  host.kill("too early");
  assert.is(last().terminated, 0, "it has not taken anything yet");
  last().ready();
  host.kill("a request took too long");
  host.kill("another reason");
  assert.is(last().terminated, 2);
  last().emit("exit", 1);
  assert.is(lines.pop(), "worker 3 was lost and is replaced: a request took too long");
  host.kill("nobody is there");
  time.advance(10);
  last().ready();
  last().emit("exit", 9);
  assert.is(lines.pop(), "worker 3 was lost and is replaced: worker 3 exited with code 9");
});

test("a worker that was retired ends by itself, or is ended every second that it holds nothing; it is not replaced", async () => {
  const { host, time, events, lines } = newHost();
  void host.start();
  last().ready();
  let holdsNothing = false;
  host.expectRetirement(() => holdsNothing);
  assert.not(host.isReady);
  time.advance(5000);
  assert.is(last().terminated, 0, "it finishes what it holds");
  holdsNothing = true;
  time.advance(999);
  assert.is(last().terminated, 0);
  time.advance(1);
  assert.is(last().terminated, 1);
  last().emit("exit", 1);
  assert.ok(host.isVacant);
  assert.equal([events, lines, time.nextMs], [["ready", "retired"], [], null]);
  void host.start();
  last().ready();
  assert.ok(host.isReady, "the place can be taken again");
});

test("after stop nothing is started, reported or waited for", async () => {
  const { host, time, events, lines } = newHost();
  void host.start();
  last().ready();
  last().emit("exit", 1);
  await host.stop();
  time.advance(10_000);
  assert.is(Thread.all.length, 1, "not even what was due");
  const second = newHost();
  void second.host.start();
  last().ready();
  await second.host.stop();
  assert.is(last().terminated, 1);
  last().emit("exit", 1);
  assert.equal([second.events, second.lines, second.time.nextMs], [["ready"], [], null]);
  assert.equal([events, lines.length], [["ready", "lost"], 1]);
});

test("messages that are not the worker's own are nobody's", () => {
  const { host, events } = newHost();
  void host.start();
  for (const message of [null, undefined, 7, "text", {}]) last().emit("message", message);
  assert.equal(events, []);
  assert.not(host.isReady);
});

test.run();

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { LoopoolError, load, report, type ServeOptions, serve, sweep } from "../../src/index.js";

const test = suite("library");

const folder = mkdtempSync(join(tmpdir(), "loopool-library-"));
test.after(() => rmSync(folder, { recursive: true }));

/** What a call is refused with. */
async function refusal(call: () => Promise<unknown>): Promise<LoopoolError> {
  const error = await call().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, LoopoolError);
  return error as LoopoolError;
}

const local: ServeOptions = { port: 0, host: "127.0.0.1", mirror: false };

const refused: readonly (readonly [() => Promise<unknown>, RegExp])[] = [
  [() => serve({ ...local, mode: "ring" as "pool" }), /^mode must be .*reactor.*pool/],
  [() => serve({ ...local, workers: "4:2" }), /^workers\b/],
  [() => serve({ ...local, requestTimeout: -1 }), /^requestTimeout\b/],
  [
    () => serve({ ...local, tlsSelfSigned: "on" as unknown as boolean }),
    /^tlsSelfSigned must be true or false, not "on"/,
  ],
  [() => serve({ ...local, handlers: join(folder, "missing.js") }), /^handlers .*missing\.js/],
  [() => serve({ prot: 80 } as ServeOptions), /^serve\(\) has no option "prot"; it has mode, /],
  [() => serve("pool" as ServeOptions), /^serve\(\) takes an object with its options/],
  [() => load("http://127.0.0.1:1/", { requests: 0 }), /^requests\b/],
  [() => load("http://127.0.0.1:1/", { concurrency: 5, requests: 2 }), /^concurrency 5 .*requests 2/],
  [() => load("http://127.0.0.1:1/", { rate: "fast" as unknown as number }), /^rate must be a number/],
  [() => load("nowhere"), /nowhere/],
  [() => sweep({ out: folder, concurrency: [0] }), /^concurrency\b/],
  [() => sweep({ out: folder, cores: ["reactor", "reactor"] }), /^cores\b/],
  [() => sweep({ out: folder, path: "hello" }), /^path must start with/],
  [() => report(join(folder, "missing.json")), /missing\.json/],
];

test("what cannot be used is refused by the name of the option, with what is allowed", async () => {
  for (const [call, message] of refused) {
    const error = await refusal(call);
    assert.match(error.message, message);
    assert.not.match(error.message, /--/, "the command line's flags are not the library's");
    assert.is(error.code, "USAGE", error.message);
  }
  assert.equal(readdirSync(folder), []);
});

test("several servers run in one process, each with its own counts, and stop on their own", async () => {
  const servers = [
    await serve({ ...local, mode: "reactor" }),
    await serve({ ...local, mode: "pool", workers: 1 }),
    await serve({ ...local, mode: "reactor", adapter: "node" }),
  ];
  const requestsOf = async (url: string): Promise<number> =>
    ((await (await fetch(`${url}/stats.json`)).json()) as { requests: number }).requests;
  for (const [index, { url }] of servers.entries()) {
    for (let i = 0; i <= index; i++) assert.is((await fetch(`${url}/hello`)).status, 200);
  }
  assert.equal(await Promise.all(servers.map(({ url }) => requestsOf(url))), [2, 3, 4], "the last one asks");
  await servers[0]!.stop();
  assert.is((await fetch(`${servers[1]!.url}/hello`)).status, 200);
  await servers[1]!.stop();
  assert.is((await fetch(`${servers[2]!.url}/hello`)).status, 200);
  await servers[2]!.stop();
});

test("a port in use is refused with a code of its own", async () => {
  const blocker = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => blocker.once("listening", resolve));
  const { port } = blocker.address() as { port: number };
  try {
    const error = await refusal(() => serve({ ...local, port }));
    assert.is(error.code, "PORT_IN_USE");
    assert.match(error.message, String(port));
  } finally {
    blocker.close();
  }
});

test("an aborted load resolves with what it has, aborted before it begins it rejects", async () => {
  const server = await serve({ ...local, mode: "reactor" });
  try {
    const controller = new AbortController();
    const running = load(`${server.url}/sleep?ms=20`, { duration: 60, concurrency: 4, signal: controller.signal });
    // The server has answered: the load is under way.
    for (let asked = 1; ; asked++) {
      const { requests } = (await (await fetch(`${server.url}/stats.json`)).json()) as { requests: number };
      if (requests > asked + 8) break;
    }
    controller.abort();
    const result = await running;
    assert.ok(result.completed > 0, String(result.completed));
    const reason = new Error("no longer wanted");
    await load(`${server.url}/hello`, { requests: 10, signal: AbortSignal.abort(reason) }).then(
      () => assert.unreachable("it ran"),
      (thrown: unknown) => assert.is(thrown, reason),
    );
  } finally {
    await server.stop();
  }
});

test("an aborted sweep rejects with the reason, and the finished trials are in the file", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  let file = "";
  const outcome = sweep({
    out: folder,
    cores: ["reactor"],
    concurrency: [2],
    requests: 200,
    warmup: 0,
    trials: 50,
    pin: "none",
    signal: controller.signal,
    onProgress: (progress) => {
      file = progress.file;
      if (progress.finished === 2) controller.abort(reason);
    },
  });
  await outcome.then(
    () => assert.unreachable("it went on"),
    (thrown: unknown) => assert.is(thrown, reason),
  );
  const { answer } = await report(file, { out: join(folder, "reports") });
  assert.ok(answer.length > 0);
});

test.run();

import { execFile } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunResult } from "../../../../src/harness/load/result/run-result.js";
import { run } from "../../../../src/harness/load/run/run.js";
import { accountedFor, against, freePort, good, liar, optionsFor } from "../liar.js";

const fixture = (name: string): URL => new URL(`../fixtures/${name}.js`, import.meta.url);

const test = suite("failures before a connection");

test("a server whose queue is full: connections time out, which is told apart from requests that do", async () => {
  const thaw = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(fixture("frozen-server"), { workerData: thaw });
  try {
    const [{ port }] = (await once(worker, "message")) as [{ port: number }];
    // The kernel takes the first few into the queue, and they are never answered; from then on none is made.
    const filling = await run(optionsFor(port, { requests: 8, concurrency: 8, timeoutMs: 100 }));
    assert.ok(filling.errors.timeout > 0 && filling.errors["connect-timeout"] > 0);
    assert.is(filling.errors.timeout + filling.errors["connect-timeout"], 8);
    const result = await run(optionsFor(port, { timeoutMs: 60 }));
    assert.equal([result.errors["connect-timeout"], result.completed, accountedFor(result)], [20, 0, 20]);
    assert.is(result.peakConnections, 0);
  } finally {
    Atomics.store(thaw, 0, 1);
    Atomics.notify(thaw, 0);
    await once(worker, "exit");
  }
});

test("no local address to connect from: told apart from a server that refuses, and none completed", async () => {
  // TEST-NET-3 (RFC 5737): no machine has it, and connect fails as it does when all ports are taken.
  const result = await against(
    liar((socket) => socket.write(good)),
    { localAddress: "203.0.113.1" },
  );
  assert.equal([result.errors["no-local-port"], result.completed, accountedFor(result)], [20, 0, 20]);
});

test("an address of this machine to connect from is used", async () => {
  const from = new Set<string | undefined>();
  const server = liar((socket) => {
    from.add(socket.remoteAddress);
    socket.write(good);
  });
  const { completed } = await against(server, { localAddress: "127.0.0.1" });
  assert.equal([completed, [...from]], [20, ["127.0.0.1"]]);
});

test("a process out of file descriptors: those connections fail as that, the others serve what they send", async () => {
  let received = 0;
  const server = liar((socket) => {
    received++;
    socket.write(good);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const script = [process.execPath, fileURLToPath(fixture("few-files")), String(port)];
    const { stdout } = await promisify(execFile)("sh", ["-c", 'ulimit -n 64 && exec "$@"', "sh", ...script]);
    const result = JSON.parse(stdout) as RunResult;
    assert.ok(result.errors["too-many-files"] > 0);
    assert.is(result.completed + result.errors["too-many-files"], 300);
    assert.is(received, result.completed);
    assert.ok(result.peakConnections > 0 && result.peakConnections < 64, `${result.peakConnections} connections`);
  } finally {
    server.close();
  }
});

test("a server that comes up during the run is found: refused requests first, then completed ones", async () => {
  const port = await freePort();
  const running = run(optionsFor(port, { requests: 1000, rate: 1000 }));
  const server = liar((socket) => socket.write(good));
  // The first request is refused before anybody could listen.
  setImmediate(() => setTimeout(() => server.listen(port, "127.0.0.1"), 20));
  const result = await running;
  server.close();
  assert.ok(result.errors["connect-refused"] > 0 && result.completed > 0);
  assert.is(result.errors["connect-refused"] + result.completed, 1000);
});

test("what closes before it accepts is no success", async () => {
  const server = createServer((socket) => socket.destroy());
  const result = await against(server);
  assert.is(result.completed, 0);
  assert.is(result.errors["closed-early"] + result.errors.reset, 20);
});

test.run();

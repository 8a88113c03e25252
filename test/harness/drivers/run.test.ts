import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Driver, DriverOptions } from "../../../src/harness/drivers/driver.js";
import { driverNamed, driverNames } from "../../../src/harness/drivers/drivers.js";
import type { ToolResult } from "../../../src/harness/drivers/result.js";
import { plainGet } from "../../../src/harness/load/request/kind.js";
import { childrenOf } from "../../support/cli.js";
import { programTool, requiring } from "../../support/requires.js";
import { withServer } from "../../support/server.js";
import { accountedFor, freePort } from "../load/liar.js";
import { asked } from "./reports.js";

/** Runs a tool against a server of this process; tells how many requests the server got. */
async function against(driver: Driver, listener: RequestListener, changes: Partial<DriverOptions> = {}) {
  let received = 0;
  const server = createServer((request, response) => {
    received++;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    return { result: await driver.run({ ...small(driver, port), ...changes }), received };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** 100 requests where the tool can count, else a second. */
function small({ capabilities }: Driver, port: number): DriverOptions {
  const counted = capabilities.ends.includes("requests");
  return asked({
    port,
    concurrency: 4,
    requests: counted ? 100 : Number.POSITIVE_INFINITY,
    durationMs: counted ? null : 1000,
  });
}

const hello: RequestListener = (request, response) => {
  // ab speaks HTTP/1.0, where keep-alive has to be agreed to.
  if (/keep-alive/i.test(request.headers.connection ?? "")) response.setHeader("Connection", "keep-alive");
  response.setHeader("Content-Length", 12).end("hello world\n");
};

function noSuccess(result: ToolResult): void {
  assert.is(result.completed, 0);
  assert.equal(Object.values(result.latency), [null, null, null, null]);
  assert.is(result.sent, accountedFor(result));
}

/** How to get each; Debian has no oha. */
const REMEDIES: Readonly<Record<string, string>> = {
  wrk: "apt-get install wrk",
  ab: "apt-get install apache2-utils",
  h2load: "apt-get install nghttp2-client",
  oha: "cargo install oha",
};

for (const name of driverNames) {
  const driver = driverNamed(name);
  const test = suite(name);
  const check = name === "autocannon" ? test : requiring(test, programTool(name, REMEDIES[name]!, name !== "oha"));

  check("sends the method, the header fields and the body that it is given", async () => {
    const bytes = Array.from({ length: 300 }, (_, index) => index % (driver.capabilities.binaryBodies ? 256 : 128));
    const body = Buffer.from(bytes);
    const headers = [["Content-Type", "application/x-test"]] as const;
    const post = { ...plainGet("/"), method: "POST", body, headers };
    const wrong: string[] = [];
    const listener: RequestListener = (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const isWhole = Buffer.concat(chunks).equals(body);
        const type = request.headers["content-type"];
        if (!isWhole || request.method !== "POST" || type !== "application/x-test")
          wrong.push(`${request.method} ${type} ${isWhole}`);
        hello(request, response);
      });
    };
    const { result } = await against(driver, listener, { kinds: [post] });
    assert.equal(wrong, []);
    assert.ok(result.completed >= 100);
    assert.equal([result.method, result.requestBodyBytes], ["POST", 300]);
  });

  check("counts what the server counts, and tells itself, its command and its CPU time", async () => {
    const { result, received } = await against(driver, hello);
    assert.ok(result.completed >= 100);
    assert.is(result.sent, result.completed);
    assert.is(result.sent, accountedFor(result));
    const more = received - result.sent;
    assert.ok(more >= 0 && more <= result.tool.uncountedAtMost, `${more} more at the server`);
    if (driver.capabilities.ends.includes("requests")) assert.equal([result.requested, result.sent], [100, 100]);
    assert.equal([result.tool.name, result.tool.version], [name, await driver.version()]);
    assert.is(result.tool.command.at(-1), result.url);
    assert.ok(result.tool.output.length > 0 && result.tool.caveats.length > 0);
    assert.is(result.latency.total?.count, result.completed);
    const { cpuUserMicros, cpuSystemMicros } = result.generator;
    assert.ok(cpuUserMicros! + cpuSystemMicros! >= 0);
  });

  check("stops after a time, and has a share of the CPU", async () => {
    const { result } = await against(driver, hello, { requests: Number.POSITIVE_INFINITY, durationMs: 1000 });
    assert.is(result.requestedSeconds, 1);
    assert.is(result.sent, result.completed);
    assert.ok(result.elapsedSeconds >= 0.9, "it ran for its time");
    assert.ok(result.generator.cpuShare! > 0);
  });

  check("a server that answers 500 has no success", async () => {
    const { result } = await against(driver, (_, response) => {
      response.statusCode = 500;
      response.end("no");
    });
    noSuccess(result);
    assert.is(result.errors["unexpected-status"], result.sent);
    assert.ok(result.sent >= 100);
  });

  check("a server that closes early has no success", async () => {
    const { result } = await against(driver, (request) => request.socket.destroy());
    noSuccess(result);
    assert.ok(result.errors["socket-error"] + result.errors["closed-early"] > 0);
  });

  check("one that redirects has none either", async () => {
    const redirect: RequestListener = (_, response) => response.writeHead(302, { Location: "/elsewhere" }).end();
    const outcome = await against(driver, redirect).catch((error: Error) => error);
    if (outcome instanceof Error)
      assert.match(outcome.message, /answers with status 302, which wrk counts as a success/);
    else noSuccess(outcome.result);
  });

  check("of a mixture, the answers outside 2xx are no successes", async () => {
    let count = 0;
    const { result } = await against(driver, (request, response) => {
      if (count++ % 4 === 0) response.statusCode = 503;
      hello(request, response);
    });
    assert.ok(result.errors["unexpected-status"] >= result.sent / 5, JSON.stringify(result.errors));
    assert.ok(result.completed >= result.sent / 2);
    assert.is(result.sent, accountedFor(result));
    // Latencies of successes alone, or none.
    if (result.latency.total !== null) assert.is(result.latency.total.count, result.completed);
  });

  check("a port where nothing listens has no success", async () => {
    const outcome = await driver.run(small(driver, await freePort())).catch((error: Error) => error);
    if (outcome instanceof Error) assert.match(outcome.message, /refused.*: does a server listen on that port\?$/);
    else noSuccess(outcome);
  });

  check("header fields are sent as given", async () => {
    const seen = new Set<string | undefined>();
    await against(
      driver,
      (request, response) => {
        if (request.headers["x-loopool"] !== undefined || seen.size === 0)
          seen.add(String(request.headers["x-loopool"]));
        hello(request, response);
      },
      { headers: [["X-Loopool", "a: b=c"]] },
    );
    assert.equal([...seen], ["a: b=c"]);
  });

  check("is ended when it is aborted", async () => {
    const abort = new AbortController();
    const server = createServer(() => abort.abort());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const options = {
        ...small(driver, port),
        requests: Number.POSITIVE_INFINITY,
        durationMs: 600_000,
        timeoutMs: 1000,
      };
      const error = await driver.run(options, abort.signal).then(
        () => null,
        (thrown: Error & { code?: string }) => thrown,
      );
      assert.is(error?.code, "INTERRUPTED");
      assert.equal(childrenOf(process.pid), []);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  if (driver.capabilities.newConnections) {
    check("without keep-alive every request has a connection of its own", async () => {
      let connections = 0;
      const server = createServer(hello).on("connection", () => {
        connections++;
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      try {
        const { port } = server.address() as AddressInfo;
        const result = await driver.run({ ...small(driver, port), keepAlive: false });
        assert.ok(result.completed >= 100 && connections >= result.completed);
      } finally {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    });
  }

  if (name === "ab") {
    check("against a server of HTTP/1.1 only every response has an unexpected status", async () => {
      await withServer({ mode: "reactor" }, async ({ port }) => {
        const result = await driver.run(asked({ port, path: "/hello" }));
        noSuccess(result);
        assert.equal([result.sent, result.errors["unexpected-status"]], [200, 200]);
      });
    });
  }

  test.run();
}

const missing = suite("a tool that is not installed");

missing("is named, with how to install it", async () => {
  const { PATH } = process.env;
  process.env["PATH"] = "";
  try {
    for (const [name, remedy] of Object.entries(REMEDIES)) {
      const error = await driverNamed(name)
        .run(asked())
        .catch((thrown: Error & { code?: string }) => thrown);
      assert.ok(error instanceof Error);
      assert.is(error.code, "NO_TOOL");
      assert.ok(error.message.startsWith(`${name} is not installed: ${remedy}`), error.message);
    }
  } finally {
    process.env["PATH"] = PATH;
  }
});

missing.run();

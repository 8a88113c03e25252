import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { targetOf } from "../../../../src/harness/load/request/options.js";
import { startGenerator } from "../../../../src/harness/load/start.js";
import { writeCertificate } from "../../../support/certificate.js";
import { withEchoServer } from "../../../support/echo-server.js";
import { accountedFor, freePort, optionsFor } from "../liar.js";

const test = suite("TLS and Unix-domain sockets");

const folder = mkdtempSync(join(tmpdir(), "loopool-transports-"));
const certificate = await writeCertificate(folder, "loopool test");
const tls = { cert: certificate.cert, key: readFileSync(certificate.keyFile, "utf8") };
const trusting = { insecure: false, ca: certificate.cert };
test.after(() => rmSync(folder, { recursive: true }));

for (const threads of [1, 2]) {
  for (const keepAlive of [true, false]) {
    test(`https with the server's authority, threads: ${threads}, keep-alive: ${keepAlive}`, async () => {
      const long = "x".repeat(70_000);
      await withEchoServer(
        () => ({ body: long }),
        async ({ port, received }) => {
          const target = { ...targetOf(`https://127.0.0.1:${port}/page`), tls: trusting };
          const generator = startGenerator(threads);
          const result = await generator.run(optionsFor(port, { target, requests: 40, concurrency: 4, keepAlive }));
          await generator.close();
          assert.equal([result.completed, accountedFor(result), received.length], [40, 40, 40]);
          assert.equal([result.documentBytes, result.bodyBytes], [70_000, 40 * 70_000]);
          assert.ok(result.latency.connect.max > 0);
        },
        { tls },
      );
    });
  }
}

test("a certificate that nobody vouches for is a failure of its own class, with the reason; --insecure takes it", async () => {
  await withEchoServer(
    () => ({}),
    async ({ port, received }) => {
      const { run, close } = startGenerator(1);
      const target = targetOf(`https://127.0.0.1:${port}/`);
      const refused = await run(optionsFor(port, { target, requests: 5 }));
      assert.equal([refused.completed, refused.errors["tls-failed"], received.length], [0, 5, 0]);
      assert.match(refused.connectFailure!, /certificate/);
      const insecure = { ...target, tls: { insecure: true, ca: null } };
      const taken = await run(optionsFor(port, { target: insecure, requests: 5 }));
      assert.equal([taken.completed, taken.connectFailure], [5, undefined]);
      await close();
    },
    { tls },
  );
});

test("a server without TLS behind https, and nobody behind it, are told apart", async () => {
  const { run } = startGenerator(1);
  await withEchoServer(
    () => ({}),
    async ({ port }) => {
      const result = await run(optionsFor(port, { target: targetOf(`https://127.0.0.1:${port}/`), requests: 4 }));
      assert.is(result.errors["tls-failed"], 4, JSON.stringify(result.errors));
    },
  );
  const port = await freePort();
  const result = await run(optionsFor(port, { target: targetOf(`https://127.0.0.1:${port}/`), requests: 4 }));
  assert.is(result.errors["connect-refused"], 4);
});

test("a Unix-domain socket serves as an address does", async () => {
  const socketPath = join(folder, "app.sock");
  await withEchoServer(
    () => ({}),
    async ({ received }) => {
      const { run } = startGenerator(1);
      const target = { ...targetOf("http://localhost/over/unix"), socketPath };
      const result = await run(optionsFor(0, { target, requests: 50, concurrency: 5 }));
      assert.equal([result.completed, received.length, received[0]!.url], [50, 50, "/over/unix"]);
      assert.is(received[0]!.headers.host, "localhost");
    },
    { socketPath },
  );
  const { run } = startGenerator(1);
  const nobody = { ...targetOf("http://localhost/"), socketPath: join(folder, "nobody.sock") };
  const result = await run(optionsFor(0, { target: nobody, requests: 3, concurrency: 1 }));
  assert.equal([result.completed, accountedFor(result)], [0, 3]);
  assert.match(result.connectFailure!, /ENOENT/);
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Asked, askOnce } from "../../../src/harness/load/ask.js";
import { freePort, liar, optionsFor } from "./liar.js";

/** Asks a server that answers with this, or not at all. */
async function asked(answer: string | null, signal = new AbortController().signal, timeoutMs = 10_000): Promise<Asked> {
  const server = liar((socket) => {
    if (answer !== null) socket.write(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as { port: number };
    return await askOnce(optionsFor(port, { timeoutMs }), signal);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

const ok = (body: string, status = "200 OK"): string =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const test = suite("one request before a run");

test("a success: its status, its bytes, and what it says first, without markup", async () => {
  const { text, ...found } = await asked(ok("<!doctype html><h1>It works</h1>\nand more"));
  assert.equal(found, { errorClass: null, status: 200, bodyBytes: 41, connectFailure: "" });
  assert.match(text, /^\s*It works\s+and more$/);
});

test("a failure by its class, with its status where there is one", async () => {
  const unexpected = await asked(ok("not here", "404 Not Found"));
  assert.equal([unexpected.errorClass, unexpected.status, unexpected.bodyBytes], ["unexpected-status", 404, 8]);
  assert.is(unexpected.text, "not here");
  const malformed = await asked("SSH-2.0-x\r\n\r\n");
  assert.equal([malformed.errorClass, malformed.status, malformed.text], ["malformed", null, ""]);
  const silent = await asked(null, undefined, 50);
  assert.equal([silent.errorClass, silent.status], ["timeout", null]);
  const nobody = await askOnce(optionsFor(await freePort(), {}), new AbortController().signal);
  assert.is(nobody.errorClass, "connect-refused");
  assert.match(nobody.connectFailure, /ECONNREFUSED/);
});

test("one that is not waited for counts as interrupted, also where that is known before", async () => {
  assert.is((await asked(null, AbortSignal.abort())).errorClass, "interrupted");
  const later = new AbortController();
  setImmediate(() => later.abort());
  assert.is((await asked(null, later.signal)).errorClass, "interrupted");
});

test.run();

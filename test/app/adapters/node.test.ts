import { createReadStream, readFileSync } from "node:fs";
import { IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import compression from "compression";
import express from "express";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { nodeStyle, type RequestListener } from "../../../src/app/adapters/node/node-style.js";
import type { HandlerResult, StreamBody } from "../../../src/shared/handlers/handler.js";
import type { ServerRequest } from "../../../src/shared/handlers/request.js";
import { requestOf } from "../../support/requests.js";

const test = suite("Node style");

const FIELDS = ["host", "example.org", "accept", "a", "x-a", "1", "x-a", "2", "cookie", "a=1", "cookie", "b=2"];

async function answer(
  listener: RequestListener,
  request = requestOf("/a", { fields: FIELDS }),
): Promise<HandlerResult> {
  return await nodeStyle(listener, "http")(request);
}

/** For a listener that checks what it is given. */
async function checked(listener: RequestListener, request: ServerRequest): Promise<void> {
  assert.is((await answer(listener, request)).status, 200);
}

function post(body: string | Uint8Array, ...fields: readonly string[]): ServerRequest {
  const request = requestOf("/a", { method: "POST", query: "b=1", fields: [...FIELDS, ...fields] });
  request.body = Buffer.from(body as string);
  return request;
}

async function whole({ body }: HandlerResult): Promise<string> {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  return (await chunksOf(body as StreamBody)).toString();
}

async function chunksOf({ chunks }: StreamBody): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) read.push(next.value);
  return Buffer.concat(read);
}

const linesOf = ({ headers }: HandlerResult): unknown[] => [...(headers as Iterable<unknown>)];

/** Resolves with the arguments of an event of a request or response. */
function told(emitter: IncomingMessage | ServerResponse, event: string): Promise<void> {
  return new Promise((resolve) => emitter.once(event, () => resolve()));
}

test("a request has the parts that Node's have, repeated fields as Node joins them", () =>
  checked((request, response) => {
    assert.instance(request, IncomingMessage);
    assert.equal([request.method, request.url, request.httpVersion, request.complete], ["POST", "/a?b=1", "1.1", true]);
    assert.equal(request.headers, { host: "example.org", accept: "a", "x-a": "1, 2", cookie: "a=1; b=2" });
    assert.equal(request.rawHeaders, FIELDS);
    assert.equal(request.headersDistinct["x-a"], ["1", "2"]);
    response.end();
  }, post("")));

test("its body is read as a stream, by events or by iteration", async () => {
  const result = await answer(async (request, response) => {
    response.end(await buffer(request));
  }, post("body"));
  assert.is(await whole(result), "body");
  const byEvents = await answer((request, response) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => {
      text += chunk;
    });
    request.on("end", () => response.end(text.toUpperCase()));
  }, post("ä body"));
  assert.is(await whole(byEvents), "Ä BODY");
});

test("an answer that is there at once needs no promise", () => {
  const result = nodeStyle((_, response) => response.end("text"), "http")(requestOf("/"));
  assert.not.instance(result, Promise);
});

test("the parts of a body that are written one after the other are sent as one", async () => {
  const result = await answer((_, response) => {
    response.write("a");
    response.write(Buffer.from("b"));
    response.end("Yw==", "base64");
  });
  assert.is(await whole(result), "abc");
  assert.instance(result.body, Uint8Array);
});

test("status and headers are as they were set, each line of its own; what the server writes is left out", async () => {
  const result = await answer((_, response) => {
    response.setHeader("X-One", " 1 ");
    response.setHeader("X-Gone", "1");
    response.removeHeader("X-Gone");
    response.appendHeader("X-Two", "1").appendHeader("X-Two", "2");
    response.setHeader("Set-Cookie", ["a=1", "b=2"]);
    response.writeHead(201, "Made", { "X-Three": 3, Connection: "close", "Content-Length": 4 });
    response.end("text");
  });
  assert.is(result.status, 201);
  assert.equal(linesOf(result), [
    ["X-One", "1"],
    ["X-Two", "1"],
    ["X-Two", "2"],
    ["Set-Cookie", "a=1"],
    ["Set-Cookie", "b=2"],
    ["X-Three", "3"],
  ]);
});

test("writeHead takes a list, with a line for each value", async () => {
  const result = await answer((_, response) => {
    response.writeHead(200, ["Link", "a", "Link", "b"] as unknown as string[]).end();
  });
  assert.equal(linesOf(result), [
    ["Link", "a"],
    ["Link", "b"],
  ]);
});

test("after the head was sent it cannot be changed, after the end nothing can be written", async () => {
  await answer(async (_, response) => {
    assert.is(response.headersSent, false);
    response.write("a");
    assert.is(response.headersSent, true);
    assert.throws(
      () => response.setHeader("A", "b"),
      (error: NodeJS.ErrnoException) => error.code === "ERR_HTTP_HEADERS_SENT",
    );
    assert.throws(
      () => response.writeHead(200),
      (error: NodeJS.ErrnoException) => error.code === "ERR_HTTP_HEADERS_SENT",
    );
    assert.throws(
      () => response.write(1),
      (error: NodeJS.ErrnoException) => error.code === "ERR_INVALID_ARG_TYPE",
    );
    response.end();
    assert.ok(response.writableEnded);
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => response.once("error", resolve));
    response.write("late");
    assert.is((await failed).code, "ERR_STREAM_WRITE_AFTER_END");
  });
});

test("finish and close come after the end, of response and request", async () => {
  const events: string[] = [];
  let closed: Promise<unknown> | undefined;
  await answer((request, response) => {
    for (const event of ["finish", "close"]) response.on(event, () => events.push(`response ${event}`));
    request.on("close", () => events.push("request close"));
    closed = Promise.all([told(request, "close"), told(response, "close")]);
    response.end("text", () => events.push("callback"));
  });
  await closed;
  assert.equal(events.sort(), ["callback", "request close", "response close", "response finish"]);
});

test("a body that goes on later is streamed: each write at once, drain when it was taken", async () => {
  let response!: ServerResponse;
  const { body } = await answer((_, given) => {
    response = given;
    given.write("first");
  });
  const { chunks } = body as StreamBody;
  assert.is(Buffer.from((await chunks.next()).value!).toString(), "first");
  assert.is(response.write(Buffer.alloc(20_000)), false);
  const drained = told(response, "drain");
  await chunks.next();
  await drained;
  assert.is(response.write("small"), true);
  const finished = told(response, "finish");
  response.end("last");
  assert.is((await chunksOf(body as StreamBody)).toString(), "smalllast");
  await finished;
});

test("flushHeaders sends the head before there is a body", async () => {
  let response!: ServerResponse;
  const { status, body } = await answer((_, given) => {
    response = given;
    given.statusCode = 202;
    given.flushHeaders();
  });
  assert.is(status, 202);
  response.end("later");
  assert.is((await chunksOf(body as StreamBody)).toString(), "later");
});

test("a file is piped, with its length where it is said, and by pipeline, which ends", async () => {
  const file = fileURLToPath(import.meta.url);
  const content = readFileSync(file);
  const piped = await answer((_, response) => {
    response.setHeader("Content-Length", content.byteLength);
    createReadStream(file, { highWaterMark: 1000 }).pipe(response);
  });
  assert.is((piped.body as StreamBody).bytes, content.byteLength);
  assert.equal(await chunksOf(piped.body as StreamBody), content);

  let ended: Promise<void> | undefined;
  const second = await answer((_, response) => {
    ended = pipeline(createReadStream(file, { highWaterMark: 1000 }), response);
  });
  assert.equal(await chunksOf(second.body as StreamBody), content);
  await ended;
});

test("a client that leaves closes the response and aborts the request, whatever was sent", async () => {
  const early = requestOf("/", { fields: FIELDS });
  const seen: string[] = [];
  const pending = answer((request, response) => {
    request.on("aborted", () => seen.push("aborted"));
    response.on("close", () => seen.push(`close, finished: ${response.writableFinished}`));
  }, early);
  early.abort();
  assert.match(String(await pending.catch((error: unknown) => error)), /the client has gone/);
  assert.equal(seen.sort(), ["aborted", "close, finished: false"]);

  let closed: Promise<void> | undefined;
  const { body } = await answer((_, response) => {
    closed = told(response, "close");
    response.write("first");
  });
  await (body as StreamBody).chunks.return!();
  await closed;
});

test("a response that is destroyed, and a listener that throws or rejects, are failures", async () => {
  const failed = async (listener: RequestListener): Promise<string> =>
    String(await answer(listener).catch((error: unknown) => error));
  assert.match(await failed((_, response) => response.destroy()), /the application destroyed its response/);
  assert.match(await failed((request) => request.socket.destroy()), /the application destroyed its connection/);
  assert.match(await failed(() => Promise.reject(new Error("of the listener"))), /of the listener/);
  assert.match(
    await failed(() => {
      throw new Error("thrown");
    }),
    /thrown/,
  );
  const { body } = await answer(async (_, response) => {
    response.write("first");
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error("in the middle");
  });
  assert.match(String(await chunksOf(body as StreamBody).catch((error: unknown) => error)), /in the middle/);
});

test("a HEAD has the length that a GET would have", async () => {
  const head = async (listener: RequestListener): Promise<number | undefined> =>
    ((await answer(listener, requestOf("/", { method: "HEAD", fields: FIELDS }))).body as StreamBody).bytes;
  assert.is(await head((_, response) => response.end("text")), 4);
  assert.is(await head((_, response) => response.setHeader("Content-Length", 1234).end()), 1234);
  assert.is(
    await head((_, response) => {
      response.write("a");
      response.end("b");
    }),
    2,
  );
  assert.is(await head((_, response) => response.write("the first of more")), undefined);
});

test("204 and 304 have no body, whatever is written", async () => {
  const result = await answer((_, response) => {
    response.writeHead(204);
    response.end("text");
  });
  assert.is(await whole(result), "");
});

test("a status that cannot be sent is refused where it is said", async () => {
  const error = await answer((_, response) => response.writeHead(100)).catch((thrown: unknown) => thrown);
  assert.match(String(error), /Invalid status code: 100: use an integer from 200 to 599/);
});

test("Express compresses, sends files in ranges, and parses bodies", async () => {
  const file = fileURLToPath(import.meta.url);
  const app = express();
  // It writes to standard error what it answers with an error, but in a test.
  app.set("env", "test");
  app.use(compression({ threshold: 0 }));
  app.get("/text", (_, response) => {
    response.type("text/plain").send("text ".repeat(500));
  });
  app.get("/file", (_, response) => {
    response.sendFile(file);
  });
  app.post("/form", express.urlencoded({ extended: false }), (request, response) => {
    response.json(request.body);
  });
  app.post("/text", express.text({ limit: 3 }), (request, response) => {
    response.send(request.body);
  });
  const ask = (path: string, ...fields: readonly string[]) =>
    answer(app as RequestListener, requestOf(path, { fields: [...FIELDS, ...fields] }));

  const zipped = await ask("/text", "accept-encoding", "gzip");
  assert.is(gunzipSync(await chunksOf(zipped.body as StreamBody)).toString(), "text ".repeat(500));

  const part = await ask("/file", "range", "bytes=1-9");
  assert.is(part.status, 206);
  assert.is((part.body as StreamBody).bytes, 9);
  assert.equal(await chunksOf(part.body as StreamBody), readFileSync(file).subarray(1, 10));

  const form = requestOf("/form", {
    method: "POST",
    fields: [...FIELDS, "content-type", "application/x-www-form-urlencoded", "content-length", "7"],
  });
  form.body = Buffer.from("a=1&b=2");
  assert.equal(JSON.parse(await whole(await answer(app as RequestListener, form))), { a: "1", b: "2" });

  const long = requestOf("/text", {
    method: "POST",
    fields: [...FIELDS, "content-type", "text/plain", "content-length", "4"],
  });
  long.body = Buffer.from("long");
  assert.is((await answer(app as RequestListener, long)).status, 413);
});

test.run();

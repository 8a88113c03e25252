import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type FetchHandler, fetchStyle } from "../../../src/app/adapters/fetch/fetch-style.js";
import { hrefOf, Origins } from "../../../src/app/adapters/fetch/href.js";
import type { HandlerResult, StreamBody } from "../../../src/shared/handlers/handler.js";
import type { ServerRequest } from "../../../src/shared/handlers/request.js";
import { requestOf } from "../../support/requests.js";

const test = suite("fetch style");

const FIELDS = ["host", "example.org:8080", "accept", "text/html", "x-a", "1", "x-a", "2"];

/** What an application makes of a request. */
async function answer(fetch: FetchHandler, request: ServerRequest): Promise<HandlerResult> {
  return await fetchStyle(fetch, "http")(request);
}

function post(body: string | Uint8Array, type = "text/plain"): ServerRequest {
  const request = requestOf("/a", { method: "POST", query: "b=1", fields: [...FIELDS, "content-type", type] });
  request.body = Buffer.from(body as string);
  return request;
}

/** Hands a request to `look`, as an application gets it. */
async function withRequest(request: ServerRequest, look: (request: Request) => unknown): Promise<void> {
  await answer(async (given) => {
    await look(given);
    return new Response(null);
  }, request);
}

test("a request is one for whoever looks: its class, parts, and a second one made of it", () =>
  withRequest(post("text"), async (request) => {
    assert.instance(request, Request);
    assert.is(Object.prototype.toString.call(request), "[object Request]");
    assert.is(request.method, "POST");
    assert.is(request.url, "http://example.org:8080/a?b=1");
    assert.is(request.headers.get("accept"), "text/html");
    assert.is(request.headers.get("x-a"), "1, 2");
    assert.is(request.headers, request.headers);
    assert.is(request.redirect, "follow");
    const { method, url, headers, body } = new Request(request);
    assert.equal([method, url, headers.get("x-a")], ["POST", "http://example.org:8080/a?b=1", "1, 2"]);
    assert.not.equal(body, null);
  }));

test("its body is read as text, JSON, bytes, a Blob, a form or a stream, once", async () => {
  await withRequest(post("\ufefftext"), async (request) => {
    assert.is(request.bodyUsed, false);
    assert.is(await request.text(), "text");
    assert.is(request.bodyUsed, true);
    const second = await request.text().catch((error: unknown) => error);
    assert.instance(second, TypeError);
    assert.throws(
      () => request.clone(),
      (error: Error) => error instanceof TypeError,
    );
  });
  await withRequest(post('{"a":[1]}'), async (request) => assert.equal(await request.json(), { a: [1] }));
  await withRequest(post("{"), async (request) => {
    assert.instance(await request.json().catch((error: unknown) => error), SyntaxError);
  });
  await withRequest(post("bytes"), async (request) => {
    const buffer = await request.arrayBuffer();
    assert.instance(buffer, ArrayBuffer);
    assert.is(Buffer.from(buffer).toString(), "bytes");
  });
  await withRequest(post("blob", "text/html"), async (request) => {
    const blob = await request.blob();
    assert.equal([blob.type, await blob.text()], ["text/html", "blob"]);
  });
  await withRequest(post("a=1&b=%20", "application/x-www-form-urlencoded"), async (request) => {
    assert.equal(
      [...(await request.formData())],
      [
        ["a", "1"],
        ["b", " "],
      ],
    );
  });
  await withRequest(post("stream"), async (request) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request.body!) chunks.push(chunk);
    assert.is(Buffer.concat(chunks).toString(), "stream");
    assert.ok(request.bodyUsed);
  });
});

test("a file in a form arrives whole", () =>
  withRequest(
    post(
      '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n--x--\r\n',
      "multipart/form-data; boundary=x",
    ),
    async (request) => {
      const file = (await request.formData()).get("file");
      assert.instance(file, File);
      assert.equal([(file as File).name, await (file as File).text()], ["a.txt", "content"]);
    },
  ));

test("without a body it has none, and reading gives nothing", () =>
  withRequest(requestOf("/", { fields: FIELDS }), async (request) => {
    assert.is(request.body, null);
    assert.is(await request.text(), "");
    assert.is(await request.text(), "");
    assert.is(request.bodyUsed, false);
  }));

test("a clone has the body too, and fetch sends it on, with headers that were changed", async () => {
  const server = createServer((request, response) => {
    response.setHeader("X-Seen", `${request.method} ${request.headers["x-new"]} ${request.headers["accept"]}`);
    request.pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const request = requestOf("/", { method: "PUT", fields: ["host", `127.0.0.1:${port}`, "accept", "old"] });
  request.body = Buffer.from("passed on");
  try {
    await withRequest(request, async (given) => {
      const copy = given.clone();
      given.headers.set("x-new", "set");
      given.headers.delete("accept");
      const answered = await fetch(given);
      // No global was replaced by another.
      assert.instance(answered, Response);
      assert.is(answered.headers.get("x-seen"), "PUT set */*");
      assert.is(await answered.text(), "passed on");
      assert.is(await copy.text(), "passed on");
    });
  } finally {
    server.close();
  }
});

test("its signal is aborted when the client has gone, also that of a request made of it", async () => {
  const request = post("text");
  await withRequest(request, (given) => {
    const second = new Request(given);
    assert.equal([given.signal.aborted, second.signal.aborted], [false, false]);
    request.abort();
    assert.equal([given.signal.aborted, second.signal.aborted], [true, true]);
  });
});

const urls: readonly (readonly [host: string | undefined, path: string, query: string])[] = [
  ["localhost", "/", ""],
  ["localhost:80", "/a", ""],
  ["EXAMPLE.org", "/a/../b", ""],
  ["example.org", "/a/./b/%2e%2e/c", ""],
  ["example.org", "//b", "x"],
  ["example.org", "/ä|^{}", "ä'<>"],
  ["[::1]:9090", "/a%20b", "a=%zz"],
  ["127.1", "/", ""],
  [undefined, "/.hidden", "?"],
  ["example.org", '/"', "#"],
];

for (const [host, path, query] of urls) {
  test(`the URL of ${host} ${path} ${query} is as the URL standard writes it`, () => {
    const origin = new Origins("http").of(host);
    const expected = new URL(`http://${host ?? "localhost"}${path}${query === "" ? "" : `?${query}`}`);
    expected.hash = "";
    const href = hrefOf(origin, requestOf(path, { query }));
    assert.is(href.replace(/#.*/, ""), expected.href);
  });
}

const responses: readonly (readonly [what: string, make: () => Response, body: unknown])[] = [
  ["a text", () => new Response("text"), "text"],
  ["bytes", () => new Response(new Uint8Array([1, 2])), [1, 2]],
  ["no body", () => new Response(null), ""],
  ["a clone", () => new Response("text").clone(), "text"],
  ["a Blob", () => new Response(new Blob(["blob"])), "blob"],
  ["a form", () => new Response(new URLSearchParams({ a: "1" })), "a=1"],
  ["a body of another Response", () => new Response(new Response("text").body), "text"],
];

for (const [what, make, body] of responses) {
  test(`a Response with ${what} is sent in one piece`, async () => {
    const { body: sent } = await answer(make, requestOf("/"));
    const text = typeof sent === "string" ? sent : Buffer.from(sent as Uint8Array);
    assert.is(String(text), String(Array.isArray(body) ? Buffer.from(body) : body));
  });
}

test("status and headers are taken over, cookies line by line; what the server writes is left out", async () => {
  const headers = new Headers([
    ["Content-Type", "text/x"],
    ["Set-Cookie", "a=1"],
    ["Set-Cookie", "b=2"],
    ["Content-Length", "4"],
    ["Connection", "close"],
    ["Transfer-Encoding", "chunked"],
  ]);
  const result = await answer(() => new Response("text", { status: 201, headers }), requestOf("/"));
  assert.is(result.status, 201);
  assert.equal(
    [...(result.headers as Iterable<unknown>)],
    [
      ["content-type", "text/x"],
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
    ],
  );
});

test("a stream is pulled as it is read, and left when nobody wants more", async () => {
  const pulled: number[] = [];
  let isCancelled = false;
  const source = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled.push(pulled.length);
        return new Promise((resolve) => {
          setImmediate(() => {
            controller.enqueue(new Uint8Array([pulled.length]));
            resolve();
          });
        });
      },
      cancel() {
        isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const { body } = await answer(() => new Response(source), requestOf("/"));
  const { chunks } = body as StreamBody;
  assert.equal([(await chunks.next()).value, (await chunks.next()).value], [new Uint8Array([1]), new Uint8Array([2])]);
  assert.is(pulled.length, 2);
  await chunks.return!();
  assert.ok(isCancelled);
});

test("a stream that fails rejects, one with a length has it", async () => {
  const failing = new ReadableStream({
    pull(controller) {
      controller.error(new Error("broken"));
    },
  });
  const error = await answer(() => new Response(failing), requestOf("/")).catch((thrown: unknown) => thrown);
  assert.match(String(error), /broken/);

  let sent = 0;
  const known = new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setImmediate(resolve));
      controller.enqueue(Buffer.from("x"));
      if (++sent === 3) controller.close();
    },
  });
  const response = new Response(known, { headers: { "Content-Length": "3" } });
  const { body } = await answer(() => response, requestOf("/"));
  assert.is((body as StreamBody).bytes, 3);
});

test("the answer to a HEAD has the length that the application says, and no body", async () => {
  const head = (response: Response) => answer(() => response, requestOf("/", { method: "HEAD" }));
  const said = await head(new Response(null, { headers: { "Content-Length": "1234" } }));
  assert.is((said.body as StreamBody).bytes, 1234);
  const unsaid = await head(new Response(null));
  assert.is((unsaid.body as StreamBody).bytes, undefined);
  assert.ok((await (unsaid.body as StreamBody).chunks.next()).done);
});

const wrong: readonly (readonly [what: string, value: unknown, message: RegExp])[] = [
  ["nothing", undefined, /nothing: return a Response/],
  ["a text", "text", /a result of type string: return a Response/],
  ["a plain object", { status: 200 }, /of type object: return a Response/],
];

for (const [what, value, message] of wrong) {
  test(`${what} in place of a Response is refused in words`, async () => {
    const error = await answer(() => value, requestOf("/")).catch((thrown: unknown) => thrown);
    assert.match(String(error), message);
  });
}

test("a Response whose body was read is refused", async () => {
  const response = new Response("text");
  await response.text();
  const error = await answer(() => response, requestOf("/")).catch((thrown: unknown) => thrown);
  assert.match(String(error), /whose body was read: return a new one/);
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Histogram } from "../../../../src/harness/load/histogram/histogram.js";
import type { RequestKind } from "../../../../src/harness/load/request/kind.js";
import { parseStatuses, statusesText } from "../../../../src/harness/load/request/status.js";
import { errorClasses } from "../../../../src/harness/load/result/run-result.js";
import { startGenerator } from "../../../../src/harness/load/start.js";
import { withEchoServer } from "../../../support/echo-server.js";
import { accountedFor, optionsFor, type Settings } from "../liar.js";

const test = suite("requests of the generator");

function kind(changes: Partial<RequestKind>): RequestKind {
  const { method = "GET", path = "/" } = changes;
  return {
    name: `${method} ${path}`,
    weight: 1,
    method,
    path,
    headers: [],
    body: null,
    bodyEscape: "none",
    statuses: null,
    ...changes,
  };
}

async function runAgainst(port: number, { threads = 1, ...settings }: Settings) {
  const generator = startGenerator(threads);
  try {
    return await generator.run(optionsFor(port, settings));
  } finally {
    await generator.close();
  }
}

for (const bytes of [0, 1, 5000, 200_000]) {
  test(`a body of ${bytes} bytes arrives as it was, whatever its bytes are`, async () => {
    const body = Buffer.from(Array.from({ length: bytes }, (_, index) => (index * 7 + (index >> 8)) % 256));
    await withEchoServer(
      () => ({}),
      async ({ port, received }) => {
        const post = kind({ method: "POST", path: "/upload", body, headers: [["X-Kind", "upload"]] });
        const result = await runAgainst(port, { kinds: [post], requests: 12, concurrency: 3 });
        assert.equal([result.completed, accountedFor(result), received.length], [12, 12, 12]);
        assert.equal([result.method, result.requestBodyBytes, result.kinds], ["POST", bytes, undefined]);
        for (const one of received) {
          assert.ok(one.body.equals(body));
          assert.equal([one.method, one.url, one.headers["x-kind"]], ["POST", "/upload", "upload"]);
          assert.is(one.headers["content-length"], String(bytes));
        }
      },
    );
  });
}

test("a POST without a body says so, and a GET says nothing", async () => {
  await withEchoServer(
    () => ({}),
    async ({ port, received }) => {
      await runAgainst(port, { kinds: [kind({ method: "POST" })], requests: 1, concurrency: 1 });
      await runAgainst(port, { kinds: [kind({})], requests: 1, concurrency: 1 });
      assert.equal(
        received.map(({ headers }) => headers["content-length"]),
        ["0", undefined],
      );
    },
  );
});

test("HEAD has no body, whatever length its head names, and the next request on the connection is read rightly", async () => {
  const kinds = [kind({ method: "HEAD" }), kind({ method: "GET" })];
  await withEchoServer(
    () => ({ body: "hello world" }),
    async ({ port, received }) => {
      const result = await runAgainst(port, { kinds, requests: 200, concurrency: 2, seed: 3 });
      assert.equal([result.completed, accountedFor(result), result.peakConnections], [200, 200, 2]);
      assert.equal(
        result.kinds!.map(({ documentBytes }) => documentBytes),
        [0, 11],
      );
      assert.is(received.filter(({ method }) => method === "HEAD").length, result.kinds![0]!.completed);
    },
  );
});

for (const threads of [1, 2]) {
  test(`a mix: each kind is counted as the server counts it, by its weight, and all add up (threads: ${threads})`, async () => {
    const kinds = [
      kind({ path: "/a", weight: 3 }),
      kind({ method: "POST", path: "/b", weight: 1, body: Buffer.from("x".repeat(1000)) }),
      kind({ path: "/missing", weight: 1 }),
      kind({ path: "/gone", weight: 1, statuses: [[410, 410]] }),
    ];
    const statuses: Record<string, number> = { "/missing": 404, "/gone": 410 };
    await withEchoServer(
      ({ url }) => ({ status: statuses[url] ?? 200, body: `this is ${url}` }),
      async ({ port, received }) => {
        const result = await runAgainst(port, { kinds, requests: 1200, concurrency: 6, threads });
        assert.equal([accountedFor(result), result.sent, received.length], [1200, 1200, 1200]);
        const found = result.kinds!;
        assert.equal(
          found.map(({ name }) => name),
          ["GET /a", "POST /b", "GET /missing", "GET /gone"],
        );
        for (const [index, one] of found.entries()) {
          assert.is(one.sent, received.filter(({ url }) => url === kinds[index]!.path).length, one.name);
          assert.is(one.sent, accountedFor(one));
          assert.is(Histogram.fromStored(one.total).count, one.completed);
        }
        assert.is(found[2]!.errors["unexpected-status"], found[2]!.sent);
        assert.equal([found[3]!.completed, found[3]!.statusCounts], [found[3]!.sent, { 410: found[3]!.sent }]);
        const sum = (of: (one: (typeof found)[number]) => number): number =>
          found.reduce((total, one) => total + of(one), 0);
        assert.is(
          sum(({ completed }) => completed),
          result.completed,
        );
        assert.is(
          sum(({ bodyBytes }) => bodyBytes),
          result.bodyBytes,
        );
        for (const name of errorClasses)
          assert.is(
            sum(({ errors }) => errors[name]),
            result.errors[name],
          );
        // Half of them, within five standard deviations.
        assert.ok(Math.abs(found[0]!.sent - 600) < 5 * Math.sqrt(1200 / 4), `${found[0]!.sent} of 1200`);
      },
    );
  });
}

test("the seed decides the order of kinds, and another one makes another", async () => {
  const kinds = [kind({ path: "/a" }), kind({ path: "/b" })];
  const order = (seed: number): Promise<string> =>
    withEchoServer(
      () => ({}),
      async ({ port, received }) => {
        await runAgainst(port, { kinds, requests: 60, concurrency: 1, seed });
        return received.map(({ url }) => url).join();
      },
    );
  assert.is(await order(7), await order(7));
  assert.is.not(await order(7), await order(8));
});

test("rows fill path, header field and body, each written as it must be there, in turn", async () => {
  const fields = {
    names: ["id", "text"],
    rows: [
      ["1", 'say "hé"'],
      ["2/3", "plain"],
      ["4", "{{id}}"],
    ],
  };
  const one = kind({
    method: "PUT",
    path: "/items/{{id}}?q={{ text }}".replaceAll(" ", ""),
    headers: [["X-Id", "no {{id}}"]],
    body: Buffer.from('{"text":"{{ text }}"}'),
    bodyEscape: "json",
  });
  await withEchoServer(
    () => ({}),
    async ({ port, received }) => {
      const result = await runAgainst(port, { kinds: [one], fields, requests: 6, concurrency: 1 });
      assert.is(result.completed, 6);
      for (const [index, request] of received.entries()) {
        const [id, text] = fields.rows[index % 3]!;
        assert.is(request.url, `/items/${encodeURIComponent(id!)}?q=${encodeURIComponent(text!)}`);
        assert.is(request.headers["x-id"], `no ${id}`);
        assert.equal(JSON.parse(request.body.toString()), { text });
      }
    },
  );
});

test("bodies of several lengths are errors, unless they may differ", async () => {
  let count = 0;
  await withEchoServer(
    () => ({ body: "x".repeat(10 + (count++ % 3)) }),
    async ({ port }) => {
      const strict = await runAgainst(port, { requests: 30, concurrency: 1 });
      assert.equal([strict.completed, strict.errors["wrong-length"], strict.bodyLengths], [10, 20, undefined]);
      const lenient = await runAgainst(port, { requests: 30, concurrency: 1, variableLength: true });
      assert.equal([lenient.completed, lenient.bodyLengths], [30, { shortest: 10, longest: 12 }]);
    },
  );
});

test("statuses are read as they are written", () => {
  for (const [text, ranges] of [
    ["2xx", [[200, 299]]],
    [
      "200,404",
      [
        [200, 200],
        [404, 404],
      ],
    ],
    [
      "200-204, 3xx",
      [
        [200, 204],
        [300, 399],
      ],
    ],
  ] as const) {
    assert.equal(parseStatuses(text), ranges);
    assert.equal(parseStatuses(statusesText(parseStatuses(text))), ranges);
  }
  assert.is(statusesText(null), "2xx");
  assert.is(
    statusesText([
      [200, 299],
      [304, 304],
      [400, 403],
      [500, 599],
    ]),
    "2xx,304,400-403,5xx",
  );
  for (const text of ["", "2x", "100", "204-200", "200,", "all", "600"]) assert.is(parseStatuses(text), null, text);
});

test.run();

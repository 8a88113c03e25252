import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packageRoot } from "../../src/shared/package-root.js";
import { withServer } from "../support/server.js";

const test = suite("examples");

interface Example {
  readonly file: string;
  readonly style: string;
  check(url: string): Promise<void>;
}

async function json(url: string, body?: unknown): Promise<readonly [status: number, answer: unknown]> {
  const response = await fetch(
    url,
    body === undefined
      ? {}
      : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) },
  );
  return [response.status, await response.json()];
}

const examples: readonly Example[] = [
  {
    file: "hono/app.ts",
    style: "fetch style",
    async check(url) {
      assert.equal(await json(`${url}/api/notes/1`), [200, { id: 1, text: "the first note" }]);
      assert.equal(await json(`${url}/api/notes/99`), [404, { error: "no such note" }]);
      const [status, note] = await json(`${url}/api/notes`, { text: "a second" });
      assert.equal([status, (note as { text: string }).text], [201, "a second"]);
    },
  },
  {
    file: "express/app.ts",
    style: "Node style, by the server that it starts",
    async check(url) {
      const items = [{ name: "tea", price: 2.5, count: 3 }];
      assert.equal(await json(`${url}/orders`, { customer: "A", items }), [201, { customer: "A", total: 7.5 }]);
      const [status, answer] = await json(`${url}/orders`, { customer: "A", items: [] });
      assert.is(status, 400);
      assert.match((answer as { errors: string[] }).errors.join(), /^items: /);
    },
  },
  {
    file: "fastify/app.ts",
    style: "Node style",
    async check(url) {
      assert.equal(await json(`${url}/primes?below=100`), [200, { below: 100, count: 25 }]);
      assert.is((await json(`${url}/primes?below=1`))[0], 400);
    },
  },
  {
    file: "fetch-events/app.ts",
    style: "fetch style",
    async check(url) {
      const response = await fetch(`${url}/clock?ticks=2&ms=1`);
      assert.is(response.headers.get("content-type"), "text/event-stream");
      assert.is(await response.text(), "event: tick\ndata: 1\n\nevent: tick\ndata: 2\n\n");
    },
  },
  {
    file: "react/app.tsx",
    style: "Node style",
    async check(url) {
      const html = await (await fetch(`${url}/?rows=300`)).text();
      assert.match(html, /^<!DOCTYPE html><html lang="en">.*<\/html>/s);
      assert.is(html.match(/<tr>/g)?.length, 300);
    },
  },
  {
    file: "sqlite/app.ts",
    style: "fetch style",
    async check(url) {
      assert.equal(await json(`${url}/visits/home`), [200, { count: 0 }]);
      for (const count of [1, 2]) assert.equal(await json(`${url}/visits/home`, {}), [201, { count }]);
      assert.equal(await json(`${url}/visits/home`), [200, { count: 2 }]);
    },
  },
];

for (const mode of ["reactor", "pool"]) {
  for (const adapter of ["uws", "node"]) {
    for (const { file, style, check } of examples) {
      test(`${file} on ${mode} behind ${adapter}`, async () => {
        const handlers = join(packageRoot, "examples", file);
        await withServer({ mode, adapter, handlers }, async ({ url, application }) => {
          assert.is(application, style);
          await check(url);
        });
      });
    }
  }
}

test.run();

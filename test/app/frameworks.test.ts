import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type TestServer, withServer } from "../support/server.js";
import { appFile } from "./apps.js";

const test = suite("applications of frameworks");

/** Each has the same routes. What differs: how it is called, and what it says of the length of a GET where it answers a HEAD. */
const applications = [
  { file: "plain-fetch.ts", style: "fetch style", headLength: "5" },
  { file: "hono.ts", style: "fetch style", headLength: null },
  { file: "h3.ts", style: "fetch style", headLength: null },
  { file: "express5.ts", style: "Node style", headLength: "5" },
  { file: "express4.ts", style: "Node style", headLength: "5" },
  { file: "fastify.ts", style: "Node style", headLength: "5" },
  { file: "koa.mjs", style: "Node style", headLength: "5" },
] as const;

/** Behind the other adapter those that loopool itself makes requests and responses for differ in nothing else. */
const BEHIND_NODE: ReadonlySet<string> = new Set(["plain-fetch.ts", "express5.ts"]);

for (const application of applications) {
  for (const mode of ["reactor", "pool"]) {
    for (const adapter of BEHIND_NODE.has(application.file) ? ["uws", "node"] : ["uws"]) {
      const settings = { mode, adapter, handlers: appFile(application.file), diagnostics: false };
      const named = (what: string): string => `${application.file} on ${mode} behind ${adapter}: ${what}`;

      test(named("is recognised, and answers as it does on its own"), () =>
        withServer(settings, async (server) => {
          assert.is(server.application, application.style);
          await checkExchanges(server, application.headLength);
        }),
      );

      test(named("streams each chunk at once, and learns that its client has gone"), () =>
        withServer(settings, async ({ url }) => {
          await checkStream(url);
          await checkAbort(url);
        }),
      );
    }
  }
}

async function checkExchanges({ url, stats }: TestServer, headLength: string | null): Promise<void> {
  const page = await fetch(`${url}/`);
  assert.is(page.status, 200);
  assert.is(page.headers.get("content-length"), "5");
  assert.is(await page.text(), "hello");

  const sent = { text: "ä".repeat(300), list: [1, 2] };
  const body = JSON.stringify(sent);
  const echo = await fetch(`${url}/echo`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  assert.is(echo.status, 200);
  assert.match(echo.headers.get("content-type")!, /^application\/json/);
  assert.equal(await echo.json(), sent);

  const cookies = await fetch(`${url}/cookies`);
  assert.is(cookies.status, 204);
  assert.equal(
    cookies.headers.getSetCookie().map((line) => line.split(";")[0]),
    ["a=1", "b=2"],
  );

  const headers = new Headers([
    ["User-Agent", "a test"],
    ["X-Twice", "1"],
    ["X-Twice", "2"],
  ]);
  const seen = await (await fetch(`${url}/headers?a=%20b`, { headers })).json();
  assert.equal(seen, { agent: "a test", twice: "1, 2", url: `${url}/headers?a=%20b` });

  const head = await fetch(`${url}/`, { method: "HEAD" });
  assert.is(head.status, 200);
  assert.is(head.headers.get("content-length"), headLength);

  assert.is((await fetch(`${url}/fails`)).status, 500);
  assert.is((await fetch(`${url}/nowhere`)).status, 404);
  // loopool's own.
  assert.is((await stats()).status["204"], 1);
}

async function checkStream(url: string): Promise<void> {
  const response = await fetch(`${url}/events`);
  assert.match(response.headers.get("content-type")!, /^text\/event-stream/);
  assert.is(response.headers.get("content-length"), null);
  const reader = response.body!.getReader();
  // Nothing more comes until /go was asked.
  const first = await reader.read();
  assert.match(Buffer.from(first.value!).toString(), /^data: first\n/);
  await goOnWhile(url, reader.read()).then((second) => {
    assert.match(Buffer.from(second.value!).toString(), /^data: second\n/);
  });
  assert.ok((await reader.read()).done);
}

/** The application may not wait yet when it is told the first time. */
async function goOnWhile<T>(url: string, awaited: Promise<T>): Promise<T> {
  let isOver = false;
  const over = awaited.finally(() => {
    isOver = true;
  });
  while (!isOver) await (await fetch(`${url}/go`)).text();
  return await over;
}

async function checkAbort(url: string): Promise<void> {
  const gone = async (): Promise<number> => Number(await (await fetch(`${url}/gone`)).text());
  const before = await gone();
  const leaving = new AbortController();
  const response = await fetch(`${url}/events`, { signal: leaving.signal });
  await response.body!.getReader().read();
  leaving.abort();
  while ((await gone()) === before);
  assert.is(await gone(), before + 1);
}

test.run();

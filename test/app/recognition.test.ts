import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { AppStyle } from "../../src/shared/app-style.js";
import { importHandlers } from "../../src/shared/dispatch/import-handlers.js";
import { LoopoolError } from "../../src/shared/errors.js";
import type { HandlerResult } from "../../src/shared/handlers/handler.js";
import { requestOf } from "../support/requests.js";
import { appFile } from "./apps.js";

const test = suite("recognition of applications");

const NODE = "(request, response) => response.end('node ' + request.url)";
const FETCH = "(request) => new Response('fetch ' + new URL(request.url).pathname)";
const SERVER = `require("node:http").createServer(${NODE})`;

interface Case {
  readonly text: string;
  readonly style: string;
  readonly asked?: AppStyle;
  /** Its extension; .mjs where it is not said. */
  readonly as?: string;
}

const cases: Readonly<Record<string, Case>> = {
  "a function of one parameter": { text: `export default ${FETCH}`, style: "fetch style" },
  "a function without parameters": { text: "export default () => new Response('fetch /a')", style: "fetch style" },
  "an object with fetch": { text: `export default { fetch: ${FETCH} }`, style: "fetch style" },
  "an instance whose fetch needs its this": {
    text: "class App { name = 'fetch'; fetch() { return new Response(this.name + ' /a') } }; export default new App()",
    style: "fetch style",
  },
  "an exported fetch": { text: `export const fetch = ${FETCH}`, style: "fetch style" },
  "a promise of an application": { text: `export default Promise.resolve({ fetch: ${FETCH} })`, style: "fetch style" },
  "a function of two parameters": { text: `export default ${NODE}`, style: "Node style" },
  "a function with methods, as Express has": {
    text: `export const app = Object.assign((...all) => (${NODE})(...all), { use() {}, listen() {} })`,
    style: "Node style",
  },
  "a server": {
    text: `import { createServer } from "node:http"; export const server = createServer(${NODE})`,
    style: "Node style",
  },
  "module.exports = a function": { text: `module.exports = ${NODE}`, style: "Node style", as: "cjs" },
  "what a compiler made of export default": {
    text: `Object.defineProperty(exports, "__esModule", { value: true }); exports.default = ${NODE}`,
    style: "Node style",
    as: "cjs",
  },
  "a server that listens at once": {
    text: `${SERVER}.listen(80)`,
    style: "Node style, by the server that it starts",
    as: "cjs",
  },
  "a server that listens after a while": {
    text: `setTimeout(() => ${SERVER}.listen({ port: 80 }), 30)`,
    style: "Node style, by the server that it starts",
    as: "cjs",
  },
  "a server that listens beside exports of other things": {
    text: `exports.config = {}; ${SERVER}.listen("80")`,
    style: "Node style, by the server that it starts",
    as: "cjs",
  },
  "a function of one parameter that is said to be Node style": {
    text: "export default function () { arguments[1].end('node /a') }",
    style: "Node style",
    asked: "node",
  },
  "a function of two parameters that is said to be fetch style": {
    text: "export default (request, env) => new Response('fetch ' + typeof env)",
    style: "fetch style",
    asked: "fetch",
  },
  "an application beside handlers, which is said to be meant": {
    text: `export const handlers = {}; export default ${FETCH}`,
    style: "fetch style",
    asked: "fetch",
  },
  "a server beside an export, which is said to be meant": {
    text: `exports.default = ${FETCH}; ${SERVER}.listen(80)`,
    style: "Node style, by the server that it starts",
    asked: "listen",
    as: "cjs",
  },
};

async function withModule(name: string, text: string, use: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
  try {
    const file = join(folder, name);
    writeFileSync(file, text);
    await use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** On Node 24 a text comes as its bytes. */
function textOf(body: HandlerResult["body"]): string {
  return typeof body === "string" ? body : Buffer.from(body as Uint8Array).toString();
}

for (const [what, { text, style, asked = null, as = "mjs" }] of Object.entries(cases)) {
  test(`${what}: ${style}`, () =>
    withModule(`app.${as}`, text, async (file) => {
      const { application, fallback } = await importHandlers(file, { style: asked });
      assert.is(application?.style, style);
      const { status, body } = (await fallback!(requestOf("/a", { fields: ["host", "x"] }))) as HandlerResult;
      assert.is(status, 200);
      assert.match(textOf(body), style === "fetch style" ? /^fetch / : /^node \/a$/);
    }));
}

test("handlers by path come before everything else", () =>
  withModule("app.mjs", `export const handlers = { "/a": () => {} }; export default ${FETCH}`, async (file) => {
    const { application, byPath, fallback } = await importHandlers(file);
    assert.is(application?.style, "handlers by path");
    assert.equal(Object.keys(byPath), ["/a"]);
    assert.is(fallback, null);
  }));

test("what is captured opens no port, and sees one all the same", () =>
  withModule(
    "app.cjs",
    `const server = ${SERVER};
     server.listen(1, "127.0.0.1", () => server.emit("request-of-test", server.address().port, server.listening));
     exports.seen = new Promise((resolve) => server.once("request-of-test", (...all) => resolve(all)));`,
    async (file) => {
      const { application } = await importHandlers(file);
      assert.equal(await application!.exports.named("seen"), [1, true]);
      const refused = await new Promise((resolve) => connect(1, "127.0.0.1").once("error", resolve));
      assert.is((refused as NodeJS.ErrnoException).code, "ECONNREFUSED");
    },
  ));

const refused: Readonly<Record<string, readonly [text: string, message: RegExp, style?: AppStyle]>> = {
  "nothing at all": ["", /cannot be served: it exports nothing and starts no server: export default an application/],
  "a text": ['export default "text"', /it exports "default" and starts no server/],
  "an application in another style than is said": [
    `export default { fetch: ${FETCH} }`,
    /cannot be served as --app-style node: it exports "default"/,
    "node",
  ],
  "no server, where one is said to listen": [`export default ${FETCH}`, /as --app-style listen: /, "listen"],
  "no handlers, where they are said to be meant": [`export default ${FETCH}`, /as --app-style handlers: /, "handlers"],
  "a server of HTTP/2": [
    'import { createServer } from "node:http2"; createServer().listen(0).unref()',
    /starts a server of HTTP\/2, whose requests are not those of HTTP\/1\.1: start one of node:http, or export/,
  ],
  "a promise that is rejected": [
    'export default Promise.reject(new Error("no database"))',
    /imported: no database at \S+app\.mjs:1:31$/,
  ],
};

for (const [what, [text, message, style = null]] of Object.entries(refused)) {
  test(`${what} is refused in one line`, () =>
    withModule("app.mjs", text, async (file) => {
      const error = await importHandlers(file, { style }).catch((thrown: unknown) => thrown);
      assert.instance(error, LoopoolError);
      assert.match((error as LoopoolError).message, message);
      assert.ok((error as LoopoolError).message.startsWith(`--handlers ${file} `));
      assert.not.match((error as LoopoolError).message, /\n/);
    }));
}

const typescript: Readonly<Record<string, string>> = {
  "paths/app.ts": "KIND PRODUCTION",
  "commonjs/compiled.ts": "red commonjs",
};

for (const [name, expected] of Object.entries(typescript)) {
  test(`${name}: enums, decorators, paths and folders are as the compiler has them`, async () => {
    const before = process.env["NODE_ENV"];
    process.env["NODE_ENV"] = "production";
    try {
      const { fallback } = await importHandlers(appFile(name));
      const { body } = (await fallback!(requestOf("/", { fields: ["host", "x"] }))) as HandlerResult;
      assert.is(textOf(body), expected);
    } finally {
      if (before === undefined) delete process.env["NODE_ENV"];
      else process.env["NODE_ENV"] = before;
    }
  });
}

const broken: Readonly<Record<string, readonly [name: string, text: string, message: RegExp]>> = {
  "a type error is none, an error at run time has its line": [
    "app.ts",
    "const text: number = 'x' as never;\nthrow new Error(text.toString());",
    /cannot be imported: x at \/\S+app\.ts:2:7$/,
  ],
  "a syntax error has its line": [
    "app.mts",
    "\nlet a b;",
    /cannot be imported: Expected ";" but found "b" at \S+app\.mts:2:7$/,
  ],
  "a package that is not there": [
    "app.mts",
    'import "no-such-package";',
    /cannot be imported: Cannot find package 'no-such-package' imported from \S+app\.mts: install it there \(npm install\)$/,
  ],
  "a file that is not there": [
    "app.cts",
    'require("./nowhere")',
    /Cannot find module '\.\/nowhere'.*: correct the path$/,
  ],
  "an await at the top level of CommonJS": [
    "app.ts",
    "await 1; export default 1",
    /Top-level await .* at \S+app\.ts:1:1: its package\.json makes it CommonJS; set "type": "module" there, or name it \.mts$/,
  ],
};

for (const [what, [name, text, message]] of Object.entries(broken)) {
  test(`${what}, in TypeScript`, () =>
    withModule(name, text, async (file) => {
      const error = await importHandlers(file).catch((thrown: unknown) => thrown);
      assert.match((error as Error).message, message);
      assert.not.match((error as Error).message, /namespace/);
    }));
}

for (const [name, what] of [
  ["nowhere.mjs", /cannot be imported: there is no such file/],
  ["", /cannot be imported: it is no file: name a module in it/],
] as const) {
  test(`"${name}": ${what.source}`, async () => {
    const error = await importHandlers(join(tmpdir(), name)).catch((thrown: unknown) => thrown);
    assert.match((error as Error).message, what);
  });
}

test.run();

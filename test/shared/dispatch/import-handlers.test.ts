import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { importHandlers } from "../../../src/shared/dispatch/import-handlers.js";
import { LoopoolError } from "../../../src/shared/errors.js";
import { requestOf } from "../../support/requests.js";

const test = suite("import of handlers");

const handler = '{ "/a": () => ({ status: 200, headers: {}, body: "a" }) }';

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

const accepted: readonly (readonly [what: string, name: string, text: string])[] = [
  ["an ES module", "h.mjs", `export const handlers = ${handler}`],
  ["an ES module with a default export", "h.mjs", `export default { handlers: ${handler} }`],
  ["CommonJS with module.exports", "h.cjs", `module.exports = { handlers: ${handler} }`],
  ["CommonJS with a computed name", "h.cjs", `exports[["hand", "lers"].join("")] = ${handler}`],
];

for (const [what, name, text] of accepted) {
  test(`${what} is taken`, () =>
    withModule(name, text, async (file) => {
      assert.equal(Object.keys((await importHandlers(file)).byPath), ["/a"]);
    }));
}

for (const name of ["a#b.mjs", "a%41.mjs", "a b.mjs", "a?b.mjs", "ä.mjs"]) {
  test(`a file called "${name}" is found`, () =>
    withModule(name, `export const handlers = ${handler}`, async (file) => {
      assert.equal(Object.keys((await importHandlers(file)).byPath), ["/a"]);
    }));
}

test("an object by method is one handler, which takes its methods and reads what they read", () =>
  withModule(
    "h.mjs",
    `const get = ({ method }) => "got " + method;
     const post = Object.assign(({ method }) => "posted " + method, { headers: ["content-type", "x-one"] });
     export const handlers = { "/a": { GET: get, POST: post, headers: ["x-one"], stream: true } }`,
    async (file) => {
      const handler = (await importHandlers(file)).byPath["/a"]!;
      assert.equal(handler.methods, ["GET", "POST"]);
      assert.equal(handler.headers, ["x-one", "content-type"]);
      assert.is(handler.stream, true);
      const answers = ["GET", "HEAD", "POST"].map((method) => handler(requestOf("/a", { method })) as unknown);
      assert.equal(answers, ["got GET", "got HEAD", "posted POST"]);
    },
  ));

const refused: readonly (readonly [text: string, message: RegExp])[] = [
  ["throw null", /cannot be imported: null$/],
  ["throw undefined", /cannot be imported: undefined$/],
  ["throw Object.create(null)", /cannot be imported: \[Object: null prototype\] \{\}$/],
  ['throw new Error("first\\nsecond")', /cannot be imported: first second at \/\S+h\.mjs:1:7$/],
  ["throw Object.assign(new Error(), { message: { toString: null } })", /cannot be imported: it threw something/],
  ['import "no-such-package"', /cannot be imported: .*no-such-package/],
  ["let a;\nsyntax error", /cannot be imported: Unexpected identifier .* at \S+h\.mjs:2$/],
  [
    "export const other = {}",
    /cannot be served: it exports "other" and starts no server: .* export an object "handlers"/,
  ],
  ["export const handlers = null", /must export an object "handlers"/],
  ["export const handlers = {}", /must export an object "handlers"/],
  ["export const handlers = () => {}", /must export an object "handlers"/],
  ["export const handlers = new Map()", /must export an object "handlers"/],
  ['export const handlers = ["/a"]', /the path "0" must start with "\/"/],
  [
    "export const handlers = { '/a': 1 }",
    /the handler of "\/a" is not a function, nor an object of functions by method/,
  ],
  ["export const handlers = { '/a': {} }", /the handler of "\/a" has no function for any method/],
  ["export const handlers = { '/a': { get: () => {} } }", /has "get", which is no method \(they are in capitals\)/],
  ["export const handlers = { '/a': { GET: 1 } }", /the handler of "\/a" has no function for GET/],
  [
    "const GET = Object.assign(() => {}, { stream: true }); export const handlers = { '/a': { GET } }",
    /"stream" at its function for GET: put it beside the methods/,
  ],
  [
    "const GET = Object.assign(() => {}, { methods: ['GET'] }); export const handlers = { '/a': { GET } }",
    /"methods" at its function for GET: leave it out/,
  ],
  [
    "export const handlers = { '/a': Object.assign(() => {}, { methods: ['get'] }) }",
    /"methods" a list of methods in capitals, or "all"/,
  ],
  [
    "export const handlers = { '/a': Object.assign(() => {}, { methods: [] }) }",
    /"methods" a list of methods in capitals, or "all"/,
  ],
  [
    "export const handlers = { '/a': Object.assign(() => {}, { headers: ['Accept'] }) }",
    /"headers" a list of field names in lower case, or "all"/,
  ],
  [
    "export const handlers = { '/a': Object.assign(() => {}, { headers: 'every' }) }",
    /"headers" a list of field names in lower case, or "all"/,
  ],
  ["export const handlers = { '/a': Object.assign(() => {}, { stream: 1 }) }", /"stream" true or false/],
  ["export const handlers = { get '/a'() { throw new Error('of the getter') } }", /cannot be imported: of the getter/],
  ["export default null", /cannot be served: it exports "default" and starts no server/],
];

for (const [text, message] of refused) {
  test(`${text}: a usage error in one line that names the file`, () =>
    withModule("h.mjs", text, async (file) => {
      const error = await importHandlers(file).then(
        () => null,
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof LoopoolError, String(error));
      assert.match(error.message, message);
      assert.ok(error.message.startsWith(`--handlers ${file}`), error.message);
      assert.not.match(error.message, /\n/);
      assert.is(error.exitCode, 2);
    }));
}

test("an await at the top level that never ends is refused after a time", () =>
  withModule("h.mjs", "await new Promise(() => {})", async (file) => {
    const error = await importHandlers(file, { timeoutMs: 50 }).catch((reason: unknown) => reason as Error);
    assert.match((error as Error).message, /h\.mjs cannot be imported: it was not loaded after 0\.05 s: .*"await"/);
  }));

test.run();

import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { LoopoolError } from "../../src/shared/errors.js";
import { withServer } from "../support/server.js";

const test = suite("life cycle and plug-ins");

/** A folder of modules, and what they wrote down, each thing in a line. */
interface Project {
  readonly folder: string;
  path(name: string): string;
  noted(): readonly string[];
}

async function withProject(
  files: Readonly<Record<string, string>>,
  use: (project: Project) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
  const notes = join(folder, "notes");
  const note = `import { appendFileSync } from "node:fs"; export const note = (line) => appendFileSync(${JSON.stringify(notes)}, line + "\\n");`;
  const path = (name: string): string => join(folder, name);
  try {
    for (const [name, text] of Object.entries({ "note.mjs": note, ...files })) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), text);
    }
    appendFileSync(notes, "");
    await use({ folder, path, noted: () => readFileSync(notes, "utf8").trim().split("\n") });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const NOTE = 'import { note } from "./note.mjs";';
const LIVES = `${NOTE}
  import { setTimeout as delay } from "node:timers/promises";
  let state = "not begun";
  export async function init({ thread, mode }) { await delay(5); state = "begun"; note("init " + thread + " " + mode); }
  export async function close() { await delay(5); note("close " + state); }
  export const fetch = () => new Response(state);`;

/** What modules that are made here are given. */
const settings = { workers: 2, diagnostics: false };

test("reactor: init before the first request, close after the last, both awaited", () =>
  withProject({ "app.mjs": LIVES }, async ({ path, noted }) => {
    await withServer({ ...settings, mode: "reactor", handlers: path("app.mjs") }, async ({ url }) => {
      assert.equal(noted(), ["init 0 reactor"]);
      assert.is(await (await fetch(url)).text(), "begun");
    });
    assert.equal(noted(), ["init 0 reactor", "close begun"]);
  }));

test("pool: once in each worker", () =>
  withProject({ "app.mjs": LIVES }, async ({ path, noted }) => {
    await withServer({ ...settings, mode: "pool", handlers: path("app.mjs") }, async ({ url }) => {
      assert.is(await (await fetch(url)).text(), "begun");
    });
    assert.equal([...noted()].sort(), ["close begun", "close begun", "init 1 pool", "init 2 pool"]);
  }));

test("pool: a worker that is not needed any more closes too", () =>
  withProject(
    {
      "app.mjs": `${NOTE} export function close() { note("close"); }
        export const fetch = ({ url }) => url.endsWith("/burn") ? burn() : new Response("");
        function burn() { for (const end = Date.now() + 100; Date.now() < end;); return new Response(""); }`,
    },
    async ({ path, noted }) => {
      const workers = { min: 1, max: 2 };
      await withServer(
        { ...settings, mode: "pool", workers, workerIdleMs: 50, handlers: path("app.mjs") },
        async ({ url, stats }) => {
          while ((await stats()).workers < 2) await Promise.all([1, 2, 3].map(() => fetch(`${url}/burn`)));
          while ((await stats()).workers > 1) await fetch(url);
          while (!noted().includes("close")) await fetch(url);
        },
      );
      assert.ok(noted().length >= 2, "the other worker, when the server stops");
    },
  ));

for (const mode of ["reactor", "pool"]) {
  test(`${mode}: a close that never ends has the time of a drain, one that fails ends the server all the same`, () =>
    withProject(
      { "app.mjs": "export const close = () => new Promise(() => {}); export const fetch = () => new Response();" },
      async ({ path }) => {
        let end = "";
        await withServer({ ...settings, mode, drainTimeoutMs: 50, handlers: path("app.mjs") }, async ({ stop }) => {
          await stop();
          end = "stopped";
        });
        assert.is(end, "stopped");
      },
    ));

  test(`${mode}: an init that fails is a usage error in one line, with its place`, () =>
    withProject(
      {
        "app.mjs":
          'export function init() {\n  throw new Error("no database");\n}\nexport const fetch = () => new Response();',
        "not.mjs": "export const init = 1; export const fetch = () => new Response();",
      },
      async ({ path }) => {
        assert.match(
          await startError({ mode, handlers: path("app.mjs") }),
          /^--handlers \S+app\.mjs: its init failed: no database at \S+app\.mjs:2:9$/,
        );
        assert.match(
          await startError({ mode, handlers: path("not.mjs") }),
          /^--handlers \S+not\.mjs: its "init" is not a function$/,
        );
      },
    ));

  test(`${mode}: plug-ins run around every request, in order, and may answer it or change the response`, () =>
    withProject(
      {
        "a-first.mjs": `${NOTE}
          export const name = "first";
          export const headers = ["x-a"];
          export const init = ({ thread }) => note("first init");
          export const close = () => note("first close");
          export function request({ path, headers }) { note("first request " + path + " " + headers["x-a"]); }
          export function response(response, { path }) { response.headers.push(["X-First", "1"]); note("first response " + response.status); }`,
        "plugins/b-second.mjs": `
          export default {
            name: "second",
            async request({ path }) { if (path === "/closed") return { status: 503, headers: { "X-By": "second" }, body: "closed" }; },
            async response(response) { return response.status === 404 ? { ...response, status: 410, body: "gone" } : undefined; },
          };`,
        "plugins/c-third.cjs": `module.exports = { response: (response) => { response.headers.push(["X-Third", String(response.headers.length)]); } };`,
        "plugins/readme.txt": "no module",
      },
      async ({ path, noted }) => {
        const plugins = [path("a-first.mjs"), path("plugins")];
        const files = { "page.txt": "page" };
        await withServer(
          { ...settings, workers: 1, mode, handlers: null, plugins },
          async ({ url, stats }) => {
            const page = await fetch(`${url}/page.txt`, { headers: { "X-A": "a" } });
            assert.equal([page.status, await page.text(), page.headers.get("x-first")], [200, "page", "1"]);
            assert.ok(Number(page.headers.get("x-third")) > 3);
            const closed = await fetch(`${url}/closed`);
            assert.equal(
              [closed.status, closed.headers.get("x-by"), closed.headers.get("x-first")],
              [503, "second", "1"],
            );
            const missing = await fetch(`${url}/missing`);
            assert.equal([missing.status, await missing.text(), missing.headers.get("x-first")], [410, "gone", "1"]);
            // loopool's own metrics are nobody's but its own.
            assert.is((await stats()).status["200"], 1);
          },
          files,
        );
        assert.equal(noted(), [
          "first init",
          "first request /page.txt a",
          "first response 200",
          "first request /closed undefined",
          "first response 503",
          "first request /missing undefined",
          "first response 404",
          "first close",
        ]);
      },
    ));

  test(`${mode}: a plug-in that fails is a 500, counted`, () =>
    withProject(
      {
        "plugin.mjs": `
          export function request({ path }) { if (path === "/throws") throw new Error("on purpose"); }
          export async function response(response, { path }) {
            if (path === "/rejects") throw new Error("on purpose");
            if (path === "/nonsense") return 1;
          }`,
      },
      async ({ path }) => {
        await withServer(
          { ...settings, mode, handlers: null, plugins: [path("plugin.mjs")] },
          async ({ url, stats }) => {
            for (const name of ["throws", "rejects", "nonsense"])
              assert.is((await fetch(`${url}/${name}`)).status, 500, name);
            assert.is((await fetch(`${url}/hello`)).status, 200);
            assert.is((await stats()).handlerErrors, 3);
          },
        );
      },
    ));

  test(`${mode}: a plug-in that cannot be loaded names itself`, () =>
    withProject(
      {
        "throws.mjs": 'throw new Error("on purpose");',
        "empty.mjs": 'export const name = "empty";',
        "wrong.mjs": "export const request = 1;",
        "fails.mjs": 'export const name = "fails"; export const init = () => Promise.reject(new Error("no key"));',
        "folder/readme.txt": "",
      },
      async ({ path }) => {
        const refused: readonly (readonly [name: string, message: RegExp])[] = [
          ["throws.mjs", /^--plugin \S+throws\.mjs cannot be imported: on purpose at \S+throws\.mjs:1:7$/],
          ["empty.mjs", /^--plugin \S+empty\.mjs: it must export one of init, request and response, each a function$/],
          ["wrong.mjs", /^--plugin \S+wrong\.mjs: its "request" is not a function$/],
          ["fails.mjs", /^the plug-in fails: its init failed: no key at /],
          ["folder", /^--plugin \S+folder has no module: name a folder with \.js or \.ts files$/],
          ["nowhere", /^--plugin \S+nowhere cannot be imported: there is no such file$/],
        ];
        for (const [name, message] of refused) {
          assert.match(await startError({ mode, handlers: null, plugins: [path(name)] }), message);
        }
      },
    ));
}

async function startError(changes: Parameters<typeof withServer>[0]): Promise<string> {
  const error = await withServer({ ...settings, ...changes }, async () => {}).catch((thrown: unknown) => thrown);
  assert.instance(error, LoopoolError);
  assert.is((error as LoopoolError).exitCode, 2);
  return (error as LoopoolError).message;
}

test("an environment file is read before the application, what is set already stays, NODE_ENV is production unless given", () =>
  withProject(
    {
      "app.mjs": `const seen = [process.env.LOOPOOL_TEST_FROM_FILE, process.env.LOOPOOL_TEST_SET, process.env.NODE_ENV];
        export const fetch = () => Response.json(seen);`,
      ".env": "LOOPOOL_TEST_FROM_FILE=file\nLOOPOOL_TEST_SET=file\n",
      "development.env": "NODE_ENV=development\n",
    },
    async ({ path }) => {
      for (const [mode, name, nodeEnv] of [
        ["pool", ".env", "production"],
        ["pool", "development.env", "development"],
      ] as const) {
        const { NODE_ENV } = process.env;
        process.env["LOOPOOL_TEST_SET"] = "set";
        delete process.env["NODE_ENV"];
        try {
          await withServer({ ...settings, mode, handlers: path("app.mjs"), envFile: path(name) }, async ({ url }) => {
            const [fromFile, isSet, env] = (await (await fetch(url)).json()) as unknown[];
            assert.equal([fromFile, isSet, env], [name === ".env" ? "file" : null, "set", nodeEnv]);
          });
        } finally {
          for (const variable of ["LOOPOOL_TEST_SET", "LOOPOOL_TEST_FROM_FILE", "NODE_ENV"])
            delete process.env[variable];
          if (NODE_ENV !== undefined) process.env["NODE_ENV"] = NODE_ENV;
        }
      }
      assert.match(
        await startError({ mode: "reactor", handlers: path("app.mjs"), envFile: path("none.env") }),
        /^--env-file \S+none\.env cannot be read: /,
      );
    },
  ));

test.run();

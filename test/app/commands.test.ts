import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describeApplication, pathToMeasure } from "../../src/cli/describe-application.js";
import { entry, loopool, program } from "../support/cli.js";
import { appFile } from "./apps.js";

const test = suite("commands with an application");

const ADDRESS = ["--config=off", "--port=0", "--host=127.0.0.1"];

for (const mode of ["reactor", "pool"]) {
  test(`serve APP --mode ${mode} names what it was taken for in its first line, and NODE_ENV is production`, async () => {
    const { NODE_ENV: _, ...env } = process.env;
    const args = [entry, "serve", appFile("paths/app.ts"), `--mode=${mode}`, "--workers=1", ...ADDRESS];
    const running = program(process.execPath, args, { env });
    const [line, url] = await running.written(/^loopool \S+ listening on (\S+) pid \d+ workers \d application .*$/m);
    assert.match(line, /application fetch style$/);
    assert.is(await (await fetch(url!)).text(), "KIND PRODUCTION");
    running.process.kill("SIGTERM");
    assert.is((await running.ended).code, 0);
  });
}

test("serve APP --app-style takes it for that", async () => {
  const args = ["serve", appFile("commonjs/exported.cjs"), "--app-style=fetch", ...ADDRESS];
  const running = loopool(...args);
  await running.written(/application fetch style$/m);
  running.process.kill("SIGTERM");
  assert.is((await running.ended).code, 0);
});

test("an application as an argument and as --handlers is one too many", async () => {
  for (const command of ["serve", "sweep", "flame"]) {
    const { code, errors } = await loopool(command, "a.mjs", "--handlers", "b.mjs").ended;
    assert.is(code, 2);
    assert.is(errors, 'loopool: "a.mjs" and --handlers are two applications: leave one out\n');
  }
});

test("sweep APP says what the application threw before any trial", async () => {
  const { code, errors } = await loopool("sweep", appFile("throws-at-import.ts"), "--quick").ended;
  assert.is(code, 2);
  assert.match(
    errors,
    /^loopool: --handlers \S+throws-at-import\.ts cannot be imported: no database at \S+throws-at-import\.ts:6:7\n$/,
  );
});

test("an application is described from outside: its style, its paths, its environment", async () => {
  const { NODE_ENV } = process.env;
  const hono = await describeApplication(appFile("hono.ts"));
  assert.equal(hono, { style: "fetch style", paths: null, nodeEnv: NODE_ENV ?? "production" });
  assert.is(pathToMeasure("hono.ts", hono), "/");
  const byStyle = await describeApplication(appFile("hono.ts"), { style: "handlers" }).catch((thrown: Error) => thrown);
  assert.match((byStyle as Error).message, /cannot be served as --app-style handlers: it exports "default"/);
});

test.run();

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packageRoot, packageVersion } from "../../src/shared/package-root.js";
import { type Ended, program } from "../support/cli.js";

/** What a stranger gets: the tarball that npm packs, installed into an empty project. */
const test = suite("tarball");

const folder = realpathSync(mkdtempSync(join(tmpdir(), "loopool-test-")));
const project = join(folder, "project");
const bin = (name: string): string => join(packageRoot, "node_modules", ".bin", name);
let tarball = "";

/** `LOOPOOL_TEST_PACKAGE=1 node dist/test/run.js package/` for the long form, which profiles a server too. */
const isLong = process.env["LOOPOOL_TEST_PACKAGE"] !== undefined;

/** As one who is in no script of npm's. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith("npm_") && name !== "INIT_CWD"),
);

async function runs(command: string, ...args: string[]): Promise<Ended> {
  const ended = await program(command, args, { cwd: project, env: environment }).ended;
  assert.is(ended.code, 0, `${command} ${args.join(" ")}: ${ended.output}${ended.errors}`);
  return ended;
}

/** The examples of docs/api.md, by the heading above each. */
function examples(): ReadonlyMap<string, string> {
  const text = readFileSync(join(packageRoot, "docs", "api.md"), "utf8");
  const sections = text.split(/^## /m).slice(1);
  return new Map(
    sections.flatMap((section) => {
      const code = /^```ts\n(.*?)^```/ms.exec(section)?.[1];
      return code === undefined ? [] : [[section.split("\n")[0]!.toLowerCase().replaceAll(" ", "-"), code] as const];
    }),
  );
}

/** What the types must refuse and allow, beside the examples. */
const typeChecks = `import { load, LoopoolError, type Report, serve, type SweepOutcome, sweep } from "loopool";
// @ts-expect-error There is no such core.
serve({ mode: "threads" });
// @ts-expect-error An option is there or not: never undefined.
serve({ host: undefined });
// @ts-expect-error An arrival rate is a number: "auto" makes several runs.
load("http://localhost/", { rate: "auto" });
export async function errorRate(url: string): Promise<number> {
  const { sent, completed, errors } = await load(url, { headers: { Accept: "text/html" }, warmup: "2s" });
  return sent === 0 ? errors["connect-refused"] : completed / sent;
}
export const first = ({ result }: SweepOutcome): string | undefined => result.trials[0]?.core;
export const isUsage = (error: unknown): boolean => error instanceof LoopoolError && error.code === "USAGE";
export const answerOf = ({ answer }: Report): string => answer[0] ?? "";
export { sweep };
`;

test.before(async () => {
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "project", private: true, type: "module" }));
  const packed = await runs("npm", "pack", packageRoot, "--ignore-scripts", "--silent", "--pack-destination", folder);
  tarball = join(folder, packed.output.trim());
  await runs("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", tarball);
});

test.after(() => rmSync(folder, { recursive: true }));

test("the tarball holds what runs, its declarations and the schemas, and no tests", () => {
  const installed = join(project, "node_modules", "loopool");
  for (const file of ["dist/src/index.js", "dist/src/index.d.ts", "dist/src/pool/worker.js", "www/index.html"]) {
    assert.ok(existsSync(join(installed, file)), file);
  }
  assert.equal(readdirSync(join(installed, "dist")), ["src"]);
});

test("attw finds the types of every way to import it", async () => {
  await runs(bin("attw"), tarball, "--profile", "esm-only", "--no-color");
});

test("npx loopool --version and --help", async () => {
  assert.is((await runs("npx", "loopool", "--version")).output, `${packageVersion}\n`);
  assert.match(
    (await runs("npx", "loopool", "--help")).output,
    /^npx loopool <command>\n(.*\n)* {2}npx loopool sweep /,
  );
});

test("npx loopool sweep --quick writes result and report to the folder that is ignored, and tells how to make them again", async () => {
  const small = ["--concurrency", "10", "--requests", "200", "--warmup", "50", "--trials", "2", "--workers", "1"];
  const { output } = await runs("npx", "loopool", "sweep", "--quick", ...small, "--name", "by-npx");
  const [, file = ""] = /^Result: (loopool\/results\/.*-by-npx\.json)$/m.exec(output) ?? [];
  const [, markdown = ""] = /^Report: (loopool\/reports\/.*-by-npx\.md)$/m.exec(output) ?? [];
  const { command, trials } = JSON.parse(readFileSync(join(project, file), "utf8")) as Record<string, unknown>;
  assert.match(String(command), /^npx loopool sweep --quick --concurrency 10 /);
  assert.is((trials as unknown[]).length, 4);
  const text = readFileSync(join(project, markdown), "utf8");
  assert.ok(text.includes(`\`npx loopool report ${file}\``), text);
  assert.is(readFileSync(join(project, "loopool", ".gitignore"), "utf8"), "*\n");
});

test("--driver autocannon without autocannon names the one command that gets it", async () => {
  const load = ["loopool", "load", "--driver", "autocannon", "-n", "1", "-c", "1", "http://127.0.0.1:1/"];
  const loaded = await program("npx", load, { cwd: project, env: environment }).ended;
  assert.is(loaded.errors, "loopool: autocannon is not installed: npm install --save-dev autocannon\n");
  assert.is(loaded.code, 1);
});

if (isLong) {
  test("flame without clinic says the one command that gets it, and finds it in the user's project", async () => {
    const clinic = join(project, "node_modules", "clinic");
    const flame = ["loopool", "flame", "--mode", "reactor", "--seconds", "1", "--concurrency", "2"];
    const { output } = await runs("npx", ...flame);
    assert.match(output, /No flame graph: clinic is not installed: npm install --save-dev clinic\./);
    mkdirSync(clinic);
    writeFileSync(join(clinic, "bin.js"), 'console.error("this is the clinic of the project"); process.exit(1);');
    assert.match((await runs("npx", ...flame)).output, /No flame graph: .*this is the clinic of the project/);
  });
}

test("a strict TypeScript program compiles against it, by both ways to resolve modules, and runs", async () => {
  const types = join(project, "node_modules", "@types");
  for (const name of ["@types/node", "undici-types"]) {
    cpSync(join(packageRoot, "node_modules", name), join(project, "node_modules", name), { recursive: true });
  }
  assert.ok(existsSync(types));
  const named = examples();
  assert.equal([...named.keys()], ["serve", "load", "sweep-and-report"]);
  for (const [name, code] of named) writeFileSync(join(project, `${name}.ts`), code);
  writeFileSync(join(project, "types.ts"), typeChecks);
  const strict = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--target", "es2022"];
  const files = [...named.keys(), "types"].map((name) => `${name}.ts`);
  await runs(bin("tsc"), ...strict, "--types", "node", "--module", "nodenext", ...files);
  const bundler = ["--module", "esnext", "--moduleResolution", "bundler", "--noEmit"];
  await runs(bin("tsc"), ...strict, "--types", "node", ...bundler, ...files);

  const served = await runs(process.execPath, "serve.js");
  assert.match(served.output, /^200 .*\s+0 requests were cut off\n$/);
  assert.is(served.errors, "");
  const loaded = await runs(process.execPath, "load.js");
  assert.match(loaded.output, /^2000 of 2000 in [\d.]+ s\n$/);
  const swept = await runs(process.execPath, "sweep-and-report.js");
  assert.match(swept.output, /^1 of 4 trials\n(.*\n)*4 trials: loopool\/reports\/.*-cores\.md\n./);
  assert.is(swept.errors, "");
});

test.run();

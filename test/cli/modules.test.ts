import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { entry, program } from "../support/cli.js";

const test = suite("modules");

/** Room for what is still to come; the whole of loopool is more than twice as many. */
const MOST_MODULES = 100;

/** Paths below src of the modules of loopool that each thread of a command loaded until it ended, a server by SIGTERM: V8's coverage lists them. */
async function modulesOf(...args: string[]): Promise<readonly (readonly string[])[]> {
  const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
  try {
    const running = program(process.execPath, [entry, ...args], {
      env: { ...process.env, NODE_V8_COVERAGE: folder },
    });
    if (args[0] === "serve") {
      await running.written(/listening on/);
      running.process.kill("SIGTERM");
    }
    await running.ended;
    return readdirSync(folder).map((file) => {
      const { result } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { result: { url: string }[] };
      return result.flatMap(({ url }) => /^file:.*\/dist\/src\/(.*)$/.exec(url)?.[1] ?? []);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const flags of [
  ["--mode=reactor"],
  ["--mode=pool", "--workers=1"],
  ["--mode=reactor", "--adapter=node"],
  ["--mode=pool", "--workers=1", "--adapter=node"],
]) {
  test(`serve ${flags.join(" ")} loads at most ${MOST_MODULES} modules in any thread, and none of the harness`, async () => {
    const threads = await modulesOf("serve", "--config=off", "--port=0", "--host=127.0.0.1", ...flags);
    const most = threads.reduce((a, b) => (a.length > b.length ? a : b));
    assert.ok(most.includes("cli/serve.js"), "the main thread is not among them");
    assert.ok(most.length <= MOST_MODULES, `${most.length} modules: ${most.join(", ")}`);
    const harness = threads.flat().filter((path) => path.startsWith("harness/"));
    assert.equal(harness, []);
    const [core, other] = flags.includes("--mode=pool") ? ["pool/", "reactor/"] : ["reactor/", "pool/"];
    assert.ok(most.some((path) => path.startsWith(core)));
    assert.not.ok(most.some((path) => path.startsWith(other)));
  });
}

test("--help knows the commands without loading any", async () => {
  const loaded = new Set((await modulesOf("--help")).flat());
  assert.ok(loaded.has("cli/commands.js"));
  for (const name of ["serve", "sweep", "report", "load", "flame", "stats"])
    assert.not.ok(loaded.has(`cli/${name}.js`));
});

test.run();

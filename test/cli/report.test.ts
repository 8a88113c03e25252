import { execFile } from "node:child_process";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { plausibleSweep } from "../report/fixture.js";

const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `loopool report` in `folder` and waits for its end. */
function reportCommand(folder: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, "report", ...args], { cwd: folder, timeout: 30_000 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, stdout, stderr }),
    );
  });
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "loopool-report-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const command = suite("report command");

command("prints the answer and where the report is, by default in reports", () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, "a.json"), JSON.stringify(plausibleSweep({ rates: { reactor: 1000, pool: 900 } })));
    const { code, stdout, stderr } = await reportCommand(folder, ["a.json"]);
    assert.is(code, 0, stderr);
    assert.match(stdout, /^On this evidence this handler \(GET \/\) is served best by the reactor/);
    assert.match(stdout, /\nAt c=100 the pool serves 0\.\d\d × the reactor's requests/);
    assert.match(stdout, /\nReport: reports\/a\.md\n$/);
    await access(join(folder, "reports", "a.md"));
    await access(join(folder, "reports", "a", "latency.svg"));
    assert.is((await reportCommand(folder, ["a.json", "--out", "elsewhere"])).code, 0);
    await access(join(folder, "elsewhere", "a.md"));
  }),
);

command("what cannot be used is one line and exit code 2", () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, "bad.json"), "{}");
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [["none.json"], /^loopool: cannot read none\.json: ENOENT[^\n]*\n$/],
      [["bad.json"], /^loopool: bad\.json is no sweep result[^\n]*\n$/],
      [["bad.json", "--form", "x"], /^loopool: [^\n]*form[^\n]*\n$/],
      [[], /^loopool: [^\n]+\n$/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await reportCommand(folder, args);
      assert.is(code, 2, args.join(" "));
      assert.match(stderr, message);
      assert.is(stdout, "");
    }
  }),
);

command.run();

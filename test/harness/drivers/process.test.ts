import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runTool } from "../../../src/harness/drivers/process.js";
import { LoopoolError } from "../../../src/shared/errors.js";
import { childrenOf, isAlive, program } from "../../support/cli.js";

const test = suite("processes of other load generators");

test("a tool does not outlive the process that started it, however that ends", async () => {
  if (process.platform !== "linux") return;
  const fixture = fileURLToPath(new URL("./fixtures/leaves-a-tool.js", import.meta.url));
  const owner = program(process.execPath, [fixture], {});
  await owner.written(/started/);
  let tools = childrenOf(owner.process.pid!);
  while (tools.length === 0) tools = childrenOf(owner.process.pid!);
  assert.match(tools[0]!.command, /^sleep 3600$/);
  owner.process.kill("SIGUSR2");
  assert.is((await owner.ended).code, 0);
  // Killed by now; who took it over may not have looked for it yet. Else this lasts until the runner's limit.
  while (isAlive(tools[0]!.pid)) await new Promise(setImmediate);
});

test("what it wrote, its exit code and its command come back", async () => {
  const script = "echo out; echo err >&2; exit 3";
  const { command, output, errors, code } = await runTool({ command: ["sh", "-c", script], install: "", cpus: null });
  assert.equal([command, output, errors, code], [["sh", "-c", script], "out\n", "err\n", 3]);
  const environment = { LOOPOOL_TEST_WORD: "seen" };
  const seen = await runTool({
    command: ["sh", "-c", "echo $LOOPOOL_TEST_WORD"],
    install: "",
    environment,
    cpus: null,
  });
  assert.is(seen.output, "seen\n");
});

test("one that is stopped leaves no result, and one that is not there is named with how to get it", async () => {
  const refusal = async (run: Promise<unknown>): Promise<LoopoolError> => {
    const error = await run.catch((reason: unknown) => reason);
    assert.instance(error, LoopoolError);
    return error as LoopoolError;
  };
  const stopped = new AbortController();
  const running = runTool({ command: ["sleep", "3600"], install: "", cpus: null }, stopped.signal);
  stopped.abort();
  const interrupted = await refusal(running);
  assert.equal([interrupted.code, interrupted.message], ["INTERRUPTED", "sleep was stopped: it left no result"]);
  const before = await refusal(runTool({ command: ["sleep", "3600"], install: "", cpus: null }, stopped.signal));
  assert.is(before.code, "INTERRUPTED");
  const absent = await refusal(runTool({ command: ["no-such-tool"], install: "make it yourself", cpus: null }));
  assert.equal([absent.code, absent.message], ["NO_TOOL", "no-such-tool is not installed: make it yourself"]);
});

test.run();

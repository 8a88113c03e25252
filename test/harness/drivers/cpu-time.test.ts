import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runTool } from "../../../src/harness/drivers/process.js";

const test = suite("CPU time of a tool");

/** Uses 400 ms of CPU time, then waits for `waitMs`, and says what it has used, µs. */
const busy = (waitMs: number): readonly string[] => [
  process.execPath,
  "-e",
  `const used = () => { const { user, system } = process.cpuUsage(); return user + system; };
   while (used() < 400_000) {}
   setTimeout(() => process.stdout.write(String(used())), ${waitMs});`,
];

test("is what the tool itself says it used", async () => {
  const ended = await runTool({ command: busy(0), install: "", cpus: null });
  const cpu = ended.cpuOfLast(3600)!;
  const ratio = (cpu.userMicros + cpu.systemMicros) / Number(ended.output);
  assert.ok(ratio > 0.9 && ratio < 1.4, String(ratio));
});

test("of its last part leaves out what came before", async () => {
  const ended = await runTool({ command: busy(600), install: "", cpus: null });
  const [whole, last] = [ended.cpuOfLast(3600)!, ended.cpuOfLast(0.3)!].map((cpu) => cpu.userMicros + cpu.systemMicros);
  assert.ok(last! < whole! / 3, `${last} of ${whole}`);
});

test("on given CPUs it runs there, and its command says so", async () => {
  const ended = await runTool({ command: ["cat", "/proc/self/status"], install: "", cpus: "0" });
  assert.match(ended.output, /^Cpus_allowed_list:\t0$/m);
  assert.equal(ended.command, ["taskset", "--cpu-list", "0", "cat", "/proc/self/status"]);
});

test.run();

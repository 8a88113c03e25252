import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeDescription, encodeState, mirrorFolder } from "../../src/stats-mirror/format.js";
import { livePorts, removeLeftovers, scratchPath } from "../../src/stats-mirror/leftovers.js";
import { ownIdentity, type ProcessIdentity, stateOf } from "../../src/stats-mirror/process-identity.js";
import { MirrorWriter } from "../../src/stats-mirror/writer.js";
import { describe, uniformState } from "./states.js";

const test = suite("leftovers of mirrors");
let folder = "";
test.before.each(() => {
  folder = mkdtempSync(join(mirrorFolder(), "loopool-test-"));
});
test.after.each(() => rmSync(folder, { recursive: true }));

const own = ownIdentity();
/** Whoever had this pid before. Elsewhere than on Linux nothing tells two holders of a pid apart. */
const ended: ProcessIdentity = { ...own, startTicks: (own.startTicks ?? 1) - 1 };
const elsewhere: ProcessIdentity = { ...ended, pidNamespace: "pid:[7]" };
const knowsStart = own.startTicks !== null;

function leave(name: string, identity: ProcessIdentity): void {
  const bytes = [encodeDescription(describe(1, identity)), encodeState(2, uniformState(1))];
  writeFileSync(join(folder, name), Buffer.concat(bytes));
}

test("a server that starts removes what ended ones have left, and nothing else", () => {
  if (!knowsStart) return;
  leave("loopool-1", own);
  leave("loopool-2", ended);
  leave("loopool-3", elsewhere);
  leave("loopool-unix-0123456789abcdef", ended);
  leave("loopool-notes", ended);
  leave("other-4", ended);
  writeFileSync(join(folder, "loopool-5"), "something else");
  leave("target", ended);
  symlinkSync(join(folder, "target"), join(folder, "loopool-6"));
  const scratch = (identity: ProcessIdentity): string => {
    const path = scratchPath(join(folder, "loopool-7"), identity);
    writeFileSync(path, "");
    return path;
  };
  const [running, left, foreign] = [scratch(own), scratch(ended), scratch(elsewhere)];
  MirrorWriter.create(join(folder, "loopool-8"), describe(), uniformState(1)).close();
  const found = readdirSync(folder).filter((name) => !name.endsWith(".new"));
  assert.equal(found.sort(), [
    "loopool-1",
    "loopool-3",
    "loopool-5",
    "loopool-6",
    "loopool-notes",
    "other-4",
    "target",
  ]);
  assert.equal([existsSync(running), existsSync(left), existsSync(foreign)], [true, false, true]);
});

test("what another user has left is not removed", () => {
  if (!knowsStart || process.geteuid?.() !== 0) return;
  leave("loopool-2", ended);
  chownSync(join(folder, "loopool-2"), 12_345, 12_345);
  removeLeftovers(join(folder, "loopool-1"));
  assert.ok(existsSync(join(folder, "loopool-2")));
});

test("only servers that may still run are suggested", () => {
  if (!knowsStart) return;
  leave("loopool-1234", own);
  leave("loopool-80", own);
  leave("loopool-2", ended);
  leave("loopool-3", elsewhere);
  writeFileSync(join(folder, "loopool-5"), "something else");
  assert.equal(livePorts(folder), [3, 80, 1234]);
  assert.equal(livePorts(join(folder, "nowhere")), []);
});

test("of another pid namespace nothing is known: its file is neither stale nor replaced", () => {
  if (!knowsStart) return;
  assert.is(stateOf(elsewhere), "unknown");
  leave("loopool-3", elsewhere);
  assert.throws(
    () => MirrorWriter.create(join(folder, "loopool-3"), describe(), uniformState(1)),
    /a server of another container .*: remove it if that server has ended/,
  );
  assert.ok(existsSync(join(folder, "loopool-3")));
});

test.run();

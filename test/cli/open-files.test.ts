import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkOpenFiles, mostConnections } from "../../src/cli/open-files.js";

const entry = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

const test = suite("limit of open files");

test("as many connections as the limit leaves are allowed, one more is not, and the message has both remedies", () => {
  checkOpenFiles(974, 1, 1024);
  checkOpenFiles(100_000, 1, null);
  assert.throws(() => checkOpenFiles(974, 2, 1024), /974 needs 1028 open files/);
  assert.throws(
    () => checkOpenFiles(975, 1, 1024),
    /--concurrency 975 needs 1025 open files, 1024 are allowed: run "ulimit -n 1025" first.*--concurrency 974 or less/,
  );
});

test("connections that grow stop where the limit does", () => {
  assert.equal([mostConnections(1, 1024), mostConnections(2, 1024), mostConnections(1, 40)], [974, 970, 1]);
  assert.is(mostConnections(1, null), Number.POSITIVE_INFINITY);
  checkOpenFiles(mostConnections(8, 1024), 8, 1024);
});

for (const command of [
  ["load", "-c", "400", "http://localhost:9/"],
  ["sweep", "--concurrency", "10,400", "--pin", "none"],
]) {
  test(`${command[0]} refuses more connections than its process may have files, before it does anything`, async () => {
    const limited = ["-c", 'ulimit -n 256 && exec "$@"', "sh", process.execPath, entry, ...command];
    const ended = await promisify(execFile)("sh", limited).then(
      () => assert.unreachable("it ran"),
      (error: { readonly code: number; readonly stderr: string }) => error,
    );
    assert.is(ended?.code, 2);
    assert.match(ended?.stderr ?? "", /--concurrency 400 needs 450 open files, 256 are allowed: run "ulimit -n 450"/);
  });
}

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Capacity } from "../../src/http/capacity.js";

const test = suite("capacity");

test("without a number has room for what the files allow, and a reserve", () => {
  const capacity = new Capacity(null, { limit: 64, open: 24 });
  assert.is(capacity.maxConnections, 32);
  for (let i = 0; i < 32; i++) assert.ok(capacity.connect());
  assert.not.ok(capacity.connect());
  capacity.disconnect();
  assert.not.ok(capacity.connect(), "the one too many is still open");
  capacity.disconnect();
  capacity.disconnect();
  assert.ok(capacity.connect());
});

test("a streamed file takes the place of a connection, and a connection never that of the whole reserve", () => {
  const capacity = new Capacity(null, { limit: 64, open: 24 });
  for (let i = 0; i < 31; i++) assert.ok(capacity.connect());
  assert.ok(capacity.openFile());
  assert.not.ok(capacity.connect());
  capacity.disconnect();
  let files = 1;
  while (capacity.openFile()) files++;
  assert.is(31 + files, 32 + 4);
  capacity.closeFile();
  assert.ok(capacity.openFile());
});

test("more connections than files are refused with the remedy", () => {
  assert.is(new Capacity(32, { limit: 64, open: 24 }).maxConnections, 32);
  assert.throws(
    () => new Capacity(33, { limit: 64, open: 24 }),
    /^--max-connections 33 needs 65 open files, 64 are allowed: run "ulimit -n 65" first, or ask for 32 or fewer$/,
  );
  assert.throws(
    () => new Capacity(null, { limit: 32, open: 24 }),
    /^32 open files are too few: run "ulimit -n 132" first$/,
  );
});

test("where the system does not say how many files there are, only the number counts", () => {
  const capacity = new Capacity(1, null);
  assert.ok(capacity.connect());
  assert.not.ok(capacity.connect());
  assert.ok(capacity.openFile());
  assert.is(new Capacity(null, null).maxConnections, Number.POSITIVE_INFINITY);
});

test.run();

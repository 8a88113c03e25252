import { suite } from "uvu";
import * as assert from "uvu/assert";
import { LONG_REQUESTS_BYTES, RequestReader, RequestWriter } from "../../src/pool/request-codec.js";
import { NO_HEADERS } from "../../src/shared/handlers/handler.js";
import { ClaimRing, claimRingBytes } from "../../src/shared/memory/claim-ring.js";
import { StatusSegment, statusBytes } from "../../src/shared/stats/status-segment.js";

const test = suite("requests in their slots");

function setUp() {
  const shape = { slots: 4, payloadBytes: 496 };
  const ring = new ClaimRing(new SharedArrayBuffer(claimRingBytes(shape)), shape);
  const long = new SharedArrayBuffer(LONG_REQUESTS_BYTES);
  return { ring, writer: new RequestWriter(ring, long), reader: new RequestReader(ring, long) };
}

test("what is written is read, at every length around the room of a slot", () => {
  const { ring, writer, reader } = setUp();
  for (let length = 380; length < 500; length++) {
    const request = {
      method: "GET",
      path: `/${"p".repeat(length % 50)}é`,
      query: length % 3 === 0 ? "" : "q=1",
      headers: { "x-one": "v".repeat(length - 60), "x-two": "" },
    } as const;
    const slot = ring.reserve();
    assert.ok(writer.write(slot, request, false));
    const { method, path, query, headers } = reader.read(slot);
    assert.equal({ method, path, query, headers }, request, String(length));
    writer.free(slot);
  }
});

test("the slot's next request has none of the fields of the one before", () => {
  const { ring, writer, reader } = setUp();
  const slot = ring.reserve();
  writer.write(slot, { method: "GET", path: "/", query: "", headers: { range: "bytes=0-1" } }, false);
  writer.write(slot, { method: "GET", path: "/", query: "", headers: NO_HEADERS }, false);
  assert.is(reader.read(slot).headers, NO_HEADERS);
});

test("a request that is longer than a block is refused, and takes no block", () => {
  const { ring, writer } = setUp();
  const slot = ring.reserve();
  const request = { method: "GET", path: "/", query: "q".repeat(50 * 1024), headers: NO_HEADERS } as const;
  for (let i = 0; i < 100; i++) assert.is(writer.write(slot, request, false), false);
  assert.is(writer.write(slot, { ...request, query: "q".repeat(40 * 1024) }, false), true);
});

test("a worker's status has method and path of its slot, also of a request that lies in a block", () => {
  const { ring, writer, reader } = setUp();
  const status = new StatusSegment(new SharedArrayBuffer(statusBytes(2)), 2);
  const slot = ring.reserve();
  for (const [path, shown] of [
    ["/hello", "/hello"],
    [`/${"l".repeat(600)}`, `/${"l".repeat(79)}…`],
    [`/${"m".repeat(601)}`, `/${"m".repeat(79)}…`],
  ] as const) {
    assert.ok(writer.write(slot, { method: "HEAD", path, query: "secret=1", headers: NO_HEADERS }, false));
    reader.prepareStatus(slot, status, 1);
    status.begin(1);
    assert.is(status.requestOf(1), `HEAD ${shown}`);
  }
});

test.run();

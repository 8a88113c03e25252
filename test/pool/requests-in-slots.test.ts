import { suite } from "uvu";
import * as assert from "uvu/assert";
import { seededRandom } from "../../src/harness/statistics/random.js";
import { IncomingUploads } from "../../src/pool/incoming-uploads.js";
import { RequestReader } from "../../src/pool/request-reader.js";
import { RequestWriter } from "../../src/pool/request-writer.js";
import { NO_BODY, NO_FIELDS, NO_HEADERS, type RequestHeaders } from "../../src/shared/handlers/handler.js";
import { ServerRequest } from "../../src/shared/handlers/request.js";
import { ClaimRing, claimRingBytes } from "../../src/shared/memory/claim-ring.js";
import { PAGE_BYTES, PageArena, pageArenaBytes } from "../../src/shared/memory/page-arena.js";
import { StatusSegment, statusBytes } from "../../src/shared/stats/status-segment.js";

const test = suite("requests in their slots");
const PAGES = 16;

function setUp(pages = PAGES) {
  const shape = { slots: 4, payloadBytes: 496 };
  const ring = new ClaimRing(new SharedArrayBuffer(claimRingBytes(shape)), shape);
  const arena = new PageArena(new SharedArrayBuffer(pageArenaBytes(pages)), pages);
  const posted: unknown[] = [];
  const uploads = new IncomingUploads((message) => posted.push(message));
  const writer = new RequestWriter(ring, arena);
  const reader = new RequestReader(ring, arena, uploads);
  const send = (request: ServerRequest, upload = 0): number => {
    const slot = ring.reserve();
    if (!writer.write(slot, request, false, upload)) return -1;
    ring.publish(slot);
    assert.is(ring.claim(0), slot);
    return slot;
  };
  const end = (slot: number): void => {
    writer.free(slot);
    ring.release(slot);
  };
  return { ring, writer, reader, posted, send, end };
}

interface Parts {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: RequestHeaders;
  readonly fields?: readonly string[];
  readonly body?: Uint8Array;
}

function requestOf({ body = NO_BODY, ...head }: Parts): ServerRequest {
  const request = new ServerRequest({
    method: "GET",
    path: "/",
    query: "",
    headers: NO_HEADERS,
    fields: NO_FIELDS,
    ...head,
  });
  request.body = body;
  return request;
}

function partsOf({ method, path, query, headers, fields, body }: ServerRequest) {
  return { method, path, query, headers: { ...headers }, fields: [...fields], body: Buffer.from(body).toString("hex") };
}

function randomBytes(random: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

test("what is written is read, at every length around the room of a slot, with and without a body", () => {
  const { ring, writer, reader, send, end } = setUp();
  for (let length = 380; length < 500; length++) {
    for (const bodyBytes of [0, 1, 500 - length, 60]) {
      const request = requestOf({
        method: length % 2 === 0 ? "POST" : "DELETE",
        path: `/${"p".repeat(length % 50)}é`,
        query: length % 3 === 0 ? "" : "q=1",
        headers: { "x-one": "v".repeat(length - 60), "x-two": "" },
        body: new Uint8Array(bodyBytes).fill(length),
      });
      const slot = send(request);
      assert.equal(partsOf(reader.read(slot, ring.generation(slot))), partsOf(request), `${length}, ${bodyBytes}`);
      end(slot);
    }
  }
  assert.is(writer.freePages, PAGES);
});

test("whatever the lengths of texts and body, what is written is read, and the pages come back (seeded)", () => {
  const { ring, writer, reader, send, end } = setUp();
  const random = seededRandom(11);
  const lengthUpTo = (bytes: number): number => Math.floor(random() ** 4 * bytes);
  for (let i = 0; i < 2000; i++) {
    const request = requestOf({
      method: ["GET", "POST", "PURGE", "get"][Math.floor(random() * 4)]!,
      path: `/${"pé"[i % 2]!.repeat(lengthUpTo(20_000))}`,
      query: "q".repeat(lengthUpTo(2000)),
      ...(random() < 0.5
        ? { fields: ["host", "x", "cookie", "a=1", "cookie", "c".repeat(lengthUpTo(9000)), "x-empty", ""] }
        : { headers: { "x-one": "v".repeat(lengthUpTo(5000)) } }),
      body: randomBytes(random, [0, 1, 100, PAGE_BYTES, lengthUpTo(4 * PAGE_BYTES)][Math.floor(random() * 5)]!),
    });
    const slot = send(request);
    const read = reader.read(slot, ring.generation(slot));
    assert.equal(partsOf(read), partsOf(request), String(i));
    assert.not(read.body.buffer instanceof SharedArrayBuffer);
    if (read.body !== NO_BODY) assert.is(read.body.buffer.byteLength, request.body.byteLength, "a buffer of its own");
    end(slot);
  }
  assert.is(writer.freePages, PAGES);
});

test("the slot's next request has nothing of the one before", () => {
  const { ring, reader, send, end } = setUp();
  const before = send(requestOf({ method: "PUT", headers: { range: "bytes=0-1" }, body: new Uint8Array(3) }));
  end(before);
  for (let i = 0; i < 4; i++) {
    const slot = send(requestOf({}));
    const { headers, fields, body, stream } = reader.read(slot, ring.generation(slot));
    assert.is(headers, NO_HEADERS);
    assert.is(fields, NO_FIELDS);
    assert.is(body, NO_BODY);
    assert.is(stream, null);
    end(slot);
  }
});

test("a header without a line is not one whose lines nobody reads", () => {
  const { ring, reader, send } = setUp();
  const slot = send(requestOf({ fields: [] }));
  const { fields, headers } = reader.read(slot, ring.generation(slot));
  assert.equal(fields, []);
  assert.is.not(fields, NO_FIELDS);
  assert.equal(Object.keys(headers), []);
});

test("a request for which too few pages are free is refused and takes none; once others are read, theirs are lent again", () => {
  const { ring, writer, reader, send, end } = setUp(4);
  const large = requestOf({ method: "POST", body: new Uint8Array(2 * PAGE_BYTES) });
  const [first, second] = [send(large), send(large)];
  assert.is(writer.freePages, 0);
  for (let i = 0; i < 100; i++) assert.is(send(large), -1);
  assert.is(writer.freePages, 0);
  // In service, with a body of its own: the slot is still taken, its pages are not needed.
  reader.read(first!, ring.generation(first!));
  reader.done(first!, ring.generation(first!));
  const third = send(large);
  assert.is.not(third, -1);
  assert.is(send(large), -1);
  for (const slot of [first!, second!, third]) end(slot);
  assert.is(writer.freePages, 4);
});

/** What collects is loaded with the first body. */
async function untilCollecting(writer: RequestWriter): Promise<void> {
  while (writer.collect(requestOf({})) === null) await new Promise(setImmediate);
}

test("a body that arrives in pieces of any length is read as one, whatever the length of its texts (seeded)", async () => {
  const { ring, writer, reader, send, end } = setUp(4 * PAGES);
  await untilCollecting(writer);
  const random = seededRandom(13);
  for (let i = 0; i < 500; i++) {
    const body = randomBytes(random, 1 + Math.floor(random() * 8 * PAGE_BYTES));
    const request = requestOf({
      method: "POST",
      path: `/${"p".repeat(Math.floor(random() ** 6 * 20_000))}`,
      query: "q",
    });
    const collector = writer.collect(request)!;
    for (let at = 0; at < body.byteLength; ) {
      const pieceBytes = [0, 1, PAGE_BYTES, Math.floor(random() * 2 * PAGE_BYTES)][Math.floor(random() * 4)]!;
      assert.ok(collector.push(body.subarray(at, at + pieceBytes)));
      at += pieceBytes;
    }
    const slot = send(request);
    const read = reader.read(slot, ring.generation(slot));
    assert.ok(Buffer.from(body.buffer).equals(read.body), String(i));
    assert.is(read.path, request.path);
    end(slot);
    assert.is(writer.freePages, 4 * PAGES);
  }
});

test("bodies that are not whole have half of the pages at most; what they had comes back when they are moved or discarded", async () => {
  const { writer, send, end } = setUp(8);
  await untilCollecting(writer);
  const page = new Uint8Array(PAGE_BYTES).fill(7);
  const requests = Array.from({ length: 5 }, () => requestOf({ method: "POST" }));
  const collectors = requests.map((request) => writer.collect(request)!);
  assert.equal(
    collectors.map((collector) => collector.push(page)),
    [true, true, true, true, false],
  );
  assert.not(collectors[0]!.push(page));
  const moved = Buffer.alloc(PAGE_BYTES);
  collectors[0]!.moveTo(moved);
  assert.ok(moved.equals(page));
  assert.ok(collectors[4]!.push(page));
  writer.discard(requests[4]!);
  for (const collector of collectors.slice(1, 3)) collector.discard();
  assert.is(writer.freePages, 7);
  const slot = send(requests[3]!);
  for (const collector of collectors) collector.discard();
  assert.is(writer.freePages, 7, "what a slot has stays");
  end(slot);
  assert.is(writer.freePages, 8);
});

test("an owner that is told of a withdrawn request late says nothing of the slot's next one", () => {
  const { ring, writer, reader, send } = setUp(4);
  const old = send(requestOf({ method: "POST", body: new Uint8Array(3 * PAGE_BYTES) }));
  const oldTurn = ring.generation(old);
  writer.free(old);
  ring.withdraw(old);
  const slots = Array.from({ length: 4 }, () => send(requestOf({ method: "POST", body: new Uint8Array(PAGE_BYTES) })));
  const next = slots.find((slot) => slot === old)!;
  assert.is(next, old);
  reader.done(old, oldTurn);
  assert.is(send(requestOf({ method: "POST", body: new Uint8Array(PAGE_BYTES) })), -1);
  assert.is(writer.freePages, 0);
});

test("a handler that looks at the signal is told when its request is given up, before or after; others are not", () => {
  const { ring, writer, reader, send } = setUp();
  const slot = send(requestOf({}));
  const request = reader.read(slot, ring.generation(slot));
  assert.not(writer.abandon(slot), "nobody has asked");
  assert.ok(request.signal.aborted, "it had been given up already");

  const later = send(requestOf({}));
  const watching = reader.read(later, ring.generation(later));
  const { signal } = watching;
  assert.not(signal.aborted);
  assert.ok(writer.abandon(later), "main is to tell the owner");
  reader.watched.abandoned(later, ring.generation(later) - 1);
  assert.not(signal.aborted, "another generation of the slot");
  reader.watched.abandoned(later, ring.generation(later));
  assert.ok(signal.aborted);
});

test("a signal that is looked at after its request was withdrawn is aborted, and does not silence the slot's next one", () => {
  const { ring, writer, reader, send } = setUp();
  const slot = send(requestOf({}));
  const old = reader.read(slot, ring.generation(slot));
  ring.withdraw(slot);
  const slots = Array.from({ length: 4 }, () => send(requestOf({})));
  assert.ok(slots.includes(slot));
  const next = reader.read(slot, ring.generation(slot));
  assert.not(next.signal.aborted);
  assert.ok(old.signal.aborted);
  assert.ok(writer.abandon(slot), "the owner of the next one still wants to know");
});

test("a worker's status has method and path of its slot, also of a request that lies in pages", () => {
  const { ring, reader, send, end } = setUp();
  const status = new StatusSegment(new SharedArrayBuffer(statusBytes(2)), 2);
  for (const [method, path, shown] of [
    ["HEAD", "/hello", "HEAD /hello"],
    ["PURGE", "/hello", "PURGE /hello"],
    ["POST", `/${"l".repeat(600)}`, `POST /${"l".repeat(79)}…`],
    ["PURGE", `/${"m".repeat(601)}`, `PURGE /${"m".repeat(73)}…`],
  ] as const) {
    const slot = send(requestOf({ method, path, query: "secret=1" }));
    reader.prepareStatus(slot, status, 1);
    status.begin(1);
    assert.is(status.requestOf(1), shown);
    assert.is(reader.read(slot, ring.generation(slot)).method, method);
    end(slot);
  }
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { BodyCollector } from "../../src/core.js";
import { StreamedUpload, WholeUpload } from "../../src/http/upload.js";
import { NO_BODY } from "../../src/shared/handlers/handler.js";

const test = suite("request bodies as they arrive");

const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** The chunks are written over once they were pushed, as µWS does. */
function pushAll(upload: { push(chunk: Uint8Array, isLast: boolean): void }, texts: readonly string[]): void {
  for (const [i, text] of texts.entries()) {
    const chunk = bytesOf(text);
    upload.push(chunk, i === texts.length - 1);
    chunk.fill(0);
  }
}

test("a body is collected in memory of its own, whatever is known of its length and wherever it is cut", () => {
  const divisions = [
    ["hello"],
    ["", "hello"],
    ["hello", ""],
    ["h", "ello"],
    ["", "he", "", "l", "lo", ""],
    [""],
    ["", ""],
  ];
  for (const texts of divisions) {
    const whole = texts.join("");
    for (const expectedBytes of [whole.length, null]) {
      const bodies: Uint8Array[] = [];
      const upload = new WholeUpload(expectedBytes, (body) => bodies.push(body));
      pushAll(upload, texts);
      assert.is(bodies.length, 1);
      const [body = new Uint8Array(9)] = bodies;
      assert.is(Buffer.from(body).toString(), whole, JSON.stringify(texts));
      assert.is(body.buffer.byteLength, whole.length);
      assert.is(upload.isComplete, true);
    }
  }
});

/** A collector of a core with room for so many bytes. */
function collectorFor(roomBytes: number) {
  const state = { collected: "", moves: 0, discards: 0 };
  const collector: BodyCollector = {
    push(piece) {
      if (state.collected.length + piece.byteLength > roomBytes) return false;
      state.collected += Buffer.from(piece).toString();
      return true;
    },
    moveTo(target) {
      target.write(state.collected);
      state.moves++;
    },
    discard() {
      state.discards++;
    },
  };
  return { state, collector };
}

test("with a collector it has what comes in pieces, as long as it has room; the rest is as without", () => {
  for (const texts of [["hello"], ["hello", ""], ["h", "ello"], ["he", "", "l", "lo"], ["", "hello"]]) {
    for (const expectedBytes of [5, null]) {
      for (const roomBytes of [0, 2, 3, 5]) {
        const { state, collector } = collectorFor(roomBytes);
        const bodies: string[] = [];
        // A core that takes bodies so copies them before this returns.
        const onWhole = (body: Uint8Array): void => {
          bodies.push(body === NO_BODY ? state.collected : Buffer.from(body).toString());
        };
        pushAll(new WholeUpload(expectedBytes, onWhole, collector), texts);
        assert.equal(bodies, ["hello"], `${JSON.stringify(texts)}, ${expectedBytes}, ${roomBytes}`);
        assert.ok(state.moves <= 1);
      }
    }
  }
});

test("a collector is told of a body that is not to be whole", () => {
  for (const end of ["fail", "discard"] as const) {
    const { state, collector } = collectorFor(100);
    const upload = new WholeUpload(10, () => assert.unreachable(), collector);
    upload.push(bytesOf("part"), false);
    upload[end]();
    assert.is(state.discards, 1);
  }
});

test("a stream has what was pushed, before and while it is read", async () => {
  const upload = new StreamedUpload({ pause() {}, resume() {} });
  upload.push(bytesOf("one"), false);
  const texts: string[] = [];
  const reading = (async () => {
    for await (const chunk of upload) texts.push(Buffer.from(chunk).toString());
  })();
  await Promise.resolve();
  pushAll(upload, ["two", "", "three"]);
  await reading;
  assert.equal(texts, ["one", "two", "three"]);
});

test("the client is held up while much waits, and goes on when that is read", async () => {
  const calls: string[] = [];
  const upload = new StreamedUpload({ pause: () => calls.push("pause"), resume: () => calls.push("resume") });
  upload.push(new Uint8Array(60_000), false);
  assert.equal(calls, []);
  upload.push(new Uint8Array(60_000), false);
  upload.push(new Uint8Array(60_000), false);
  assert.equal(calls, ["pause"]);
  await upload.next();
  assert.equal(calls, ["pause"], "there is still too much");
  await upload.next();
  assert.equal(calls, ["pause", "resume"]);
});

test("who stops to read lets the rest go by, and a client that is held up goes on", async () => {
  const calls: string[] = [];
  const upload = new StreamedUpload({ pause: () => calls.push("pause"), resume: () => calls.push("resume") });
  upload.push(new Uint8Array(100_000), false);
  for await (const _ of upload) break;
  upload.push(new Uint8Array(100_000), false);
  assert.equal(calls, ["pause", "resume"]);
  assert.is((await upload.next()).done, true);
});

test("a failure comes after what had arrived, and not after the end", async () => {
  const upload = new StreamedUpload({ pause() {}, resume() {} });
  upload.push(bytesOf("one"), false);
  upload.fail(new Error("gone"));
  assert.is((await upload.next()).done, false);
  await upload.next().then(
    () => assert.unreachable("it has failed"),
    (error: Error) => assert.is(error.message, "gone"),
  );
  const complete = new StreamedUpload({ pause() {}, resume() {} });
  complete.push(bytesOf("all"), true);
  complete.fail(new Error("gone"));
  assert.is((await complete.next()).done, false);
  assert.is((await complete.next()).done, true);
});

test.run();

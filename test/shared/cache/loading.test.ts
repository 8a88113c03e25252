import { suite } from "uvu";
import * as assert from "uvu/assert";
import { LOADING_BYTES, Loading } from "../../../src/shared/cache/loading.js";

/** Views of four threads on the same memory, all of them here. */
function threads(): { readonly memory: SharedArrayBuffer; readonly views: readonly Loading[] } {
  const memory = new SharedArrayBuffer(LOADING_BYTES);
  return { memory, views: [0, 1, 2, 3].map((thread) => new Loading(memory, thread)) };
}

/** Keys that share a place with the first. */
function samePlace(count: number): readonly string[] {
  const placeOf = (key: string): number => {
    const memory = new SharedArrayBuffer(LOADING_BYTES);
    new Loading(memory, 0).begin(key);
    return new Int32Array(memory).findIndex((word) => word !== 0);
  };
  const keys: string[] = ["/a"];
  for (let i = 0; keys.length < count; i++) if (placeOf(`/${i}`) === placeOf("/a")) keys.push(`/${i}`);
  return keys;
}

/** Whether a promise is settled, once what is due has been done. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

const test = suite("who reads what from the disk");

test("the first one reads; all others wait until it is done, and then each may read", async () => {
  const { memory, views } = threads();
  const [first, ...others] = views as [Loading, ...Loading[]];
  assert.is(first.begin("/a"), undefined);
  const waits = others.map((view) => view.begin("/a")!);
  for (const wait of waits) assert.ok(wait instanceof Promise);
  assert.not(await isSettled(waits[0]!));
  first.end("/a");
  assert.equal(await Promise.all(waits), ["ok", "ok", "ok"], "woken, and not by their limit");
  assert.ok(new Int32Array(memory).every((word) => word === 0));
  assert.is(others[0]!.begin("/a"), undefined);
});

test("of two keys in one place nobody waits for the other; the end of the one that has no word changes nothing", async () => {
  const { memory, views } = threads();
  const [one, two, three] = views as [Loading, Loading, Loading];
  const [key, other] = samePlace(2) as [string, string];
  one.begin(key);
  const before = new Int32Array(memory).slice();
  assert.is(two.begin(other), undefined, "it is read, too");
  two.end(other);
  assert.equal(new Int32Array(memory), before);
  const wait = three.begin(key)!;
  two.end(key);
  assert.not(await isSettled(wait), "who does not read cannot end it");
  one.end(key);
  assert.is(await wait, "ok");
});

test("what a dead thread was reading is read by somebody else at once; what the living read goes on", async () => {
  const { memory, views } = threads();
  const [main, dead, living] = views as [Loading, Loading, Loading];
  const keys = Array.from({ length: 40 }, (_, i) => `/dead${i}`);
  for (const key of keys) dead.begin(key);
  living.begin("/living");
  const words = new Int32Array(memory);
  assert.ok(words.filter((word) => word !== 0).length > 30);
  const waits = keys.map((key) => main.begin(key)).filter((wait) => wait !== undefined);
  const onLiving = main.begin("/living")!;
  main.recover(1);
  assert.ok((await Promise.all(waits)).every((outcome) => outcome === "ok"));
  assert.is(words.filter((word) => word !== 0).length, 1);
  assert.not(await isSettled(onLiving));
  living.end("/living");
  assert.is(await onLiving, "ok");
});

test("a wait for a thread that never comes back has a limit", async () => {
  const { views } = threads();
  views[1]!.begin("/a");
  // The promise keeps no loop alive by itself.
  const alive = setInterval(() => {}, 60_000);
  assert.is(await views[2]!.begin("/a"), "timed-out");
  clearInterval(alive);
});

test("thread 0 is told apart from nobody, and thread 1,022 from all others", () => {
  for (const thread of [0, 1022]) {
    const memory = new SharedArrayBuffer(LOADING_BYTES);
    const view = new Loading(memory, thread);
    const words = new Int32Array(memory);
    view.begin("/a");
    new Loading(memory, 5).recover(thread - 1);
    new Loading(memory, 5).recover(thread + 1);
    assert.is(words.filter((word) => word !== 0).length, 1);
    new Loading(memory, 5).recover(thread);
    assert.is(words.filter((word) => word !== 0).length, 0);
  }
});

test.run();

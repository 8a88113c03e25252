import { suite } from "uvu";
import * as assert from "uvu/assert";
import { SLEEPER_BYTES, Sleeper } from "../../../src/shared/memory/sleeper.js";

/** Both sides of one word. */
function sides() {
  const memory = new SharedArrayBuffer(SLEEPER_BYTES);
  const word = new Int32Array(memory);
  const sleeper = new Sleeper(memory);
  return { sleeper, waker: new Sleeper(memory), state: () => Atomics.load(word, 0) };
}

const [AWAKE, LIGHT, DEEP, ENDED] = [0, 1, 2, 3];

const test = suite("sleeper");

test("whoever has anything wakes it from a light sleep, and only what is urgent from a deep one", () => {
  const { sleeper, waker, state } = sides();
  sleeper.announce(true);
  assert.is(state(), LIGHT);
  waker.wake();
  assert.is(state(), AWAKE);
  sleeper.announce(false);
  assert.is(state(), DEEP);
  waker.wake();
  assert.is(state(), DEEP);
  waker.wakeUrgently();
  assert.is(state(), AWAKE);
  sleeper.announce(true);
  waker.wakeUrgently();
  assert.is(state(), AWAKE);
});

test("one that is up again says so, however deep it slept and whoever woke it", () => {
  const { sleeper, waker, state } = sides();
  for (const isLight of [true, false]) {
    sleeper.announce(isLight);
    sleeper.wait(1);
    assert.is.not(state(), AWAKE, "its time alone changes nothing");
    sleeper.leave();
    assert.is(state(), AWAKE);
    sleeper.announce(isLight);
    waker.wakeUrgently();
    sleeper.wait(60_000);
    sleeper.leave();
    assert.is(state(), AWAKE);
  }
});

test("the end stays, whatever either side does, and it sleeps no more", () => {
  for (const isLight of [true, false]) {
    const { sleeper, waker, state } = sides();
    assert.ok(sleeper.announce(isLight));
    waker.end();
    sleeper.wait(60_000);
    sleeper.leave();
    waker.wake();
    waker.wakeUrgently();
    assert.is(state(), ENDED);
    assert.not(sleeper.announce(isLight));
  }
});

test.run();

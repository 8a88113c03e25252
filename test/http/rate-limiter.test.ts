import { suite } from "uvu";
import * as assert from "uvu/assert";
import { RateLimiter } from "../../src/http/rate-limiter.js";

const ip = (text: string): Uint8Array => Uint8Array.from(text.split("."), Number);
const ipv6 = (first: number, second: number, host: number): Uint8Array => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, first);
  new DataView(bytes.buffer).setUint32(4, second);
  bytes[15] = host;
  return bytes;
};
const mapped = (text: string): Uint8Array => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...ip(text));

const test = suite("rate limiter");

test("takes a second's worth at once, and then as many as time brings", () => {
  const limiter = new RateLimiter(10);
  const takenAt = (nowMs: number): number => {
    let taken = 0;
    while (limiter.take(ip("192.0.2.1"), nowMs) === 0) taken++;
    return taken;
  };
  assert.is(takenAt(5000), 10);
  assert.is(takenAt(5000), 0);
  assert.is(takenAt(5099), 0);
  assert.is(takenAt(5100), 1);
  assert.is(takenAt(5450), 3);
  assert.is(takenAt(5500), 1);
  assert.is(takenAt(60_000), 10);
});

test("over ten minutes of asking all the time takes exactly the rate", () => {
  for (const perSecond of [1, 3, 7, 1000]) {
    const limiter = new RateLimiter(perSecond);
    let taken = 0;
    for (let nowMs = 0; nowMs < 600_000; nowMs += 0.5) if (limiter.take(ip("192.0.2.1"), nowMs) === 0) taken++;
    assert.ok(Math.abs(taken - 601 * perSecond) <= perSecond, `${taken} at ${perSecond}/s`);
  }
});

test("says after how many seconds one more is taken", () => {
  const limiter = new RateLimiter(1);
  assert.is(limiter.take(ip("192.0.2.1"), 0), 0);
  assert.is(limiter.take(ip("192.0.2.1"), 0), 1);
  assert.is(limiter.take(ip("192.0.2.1"), 999), 1);
  assert.is(limiter.take(ip("192.0.2.1"), 1000), 0);
});

test("addresses are counted apart; an IPv6 network is one client, and IPv4 in IPv6 clothes is IPv4", () => {
  const limiter = new RateLimiter(1);
  for (const address of [
    ip("192.0.2.1"),
    ip("192.0.2.2"),
    ipv6(1, 2, 3),
    ipv6(1, 3, 3),
    ipv6(2, 2, 3),
    new Uint8Array(),
  ]) {
    assert.is(limiter.take(address, 0), 0, String(address));
  }
  for (const address of [mapped("192.0.2.1"), mapped("192.0.2.2"), ipv6(1, 2, 4), new Uint8Array()]) {
    assert.is(limiter.take(address, 0), 1, String(address));
  }
});

test("among a million addresses that come once, those that keep asking stay known", () => {
  const limiter = new RateLimiter(10);
  const busy = Array.from({ length: 50 }, (_, i) => ip(`198.51.100.${i}`));
  const address = new Uint8Array(4);
  let taken = 0;
  for (let i = 0; i < 1_000_000; i++) {
    const nowMs = i / 100;
    new DataView(address.buffer).setUint32(0, 0x0a_00_00_00 + i);
    limiter.take(address, nowMs);
    if (limiter.take(busy[i % busy.length]!, nowMs) === 0) taken++;
  }
  // Ten at once, and one every 100 ms before the tenth second is over, each.
  assert.is(taken, 50 * 109);
});

test.run();

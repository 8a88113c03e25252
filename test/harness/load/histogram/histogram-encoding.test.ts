import { deflateSync, inflateSync } from "node:zlib";
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from "hdr-histogram-js";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Histogram } from "../../../../src/harness/load/histogram/histogram.js";
import { decodeV2, encodeV2 } from "../../../../src/harness/load/histogram/histogram-encoding.js";
import { CELLS, MAX_VALUE_NS } from "../../../../src/harness/load/histogram/histogram-layout.js";
import { seededRandom } from "../../../../src/harness/statistics/random.js";

/** Latencies from 0.1 µs to minutes, log-uniform. */
function samples(seed: number, count: number): readonly number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Math.floor(100 * 10 ** (random() * 8.5)));
}

function countsOf(values: readonly number[]): readonly number[] {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram.toStored().counts;
}

/** The other implementation's, with the same layout and counts of 64 bits. */
const theirs = () =>
  build({
    bitBucketSize: 64,
    lowestDiscernibleValue: 1,
    highestTrackableValue: MAX_VALUE_NS,
    numberOfSignificantValueDigits: 3,
  });

const sets: Readonly<Record<string, readonly number[]>> = {
  "no value": [],
  "the smallest value": [0],
  "the largest value": [MAX_VALUE_NS],
  "both ends": [0, MAX_VALUE_NS],
  "neighbours, and one empty cell between": [5, 6, 6, 8],
  "the edge of the first doubling": [2046, 2047, 2048, 2049, 2050],
  "values from nanoseconds to minutes": samples(3, 20_000),
};

const test = suite("HdrHistogram's V2 encoding");

for (const [name, values] of Object.entries(sets)) {
  test(`hdr-histogram-js decodes ours: ${name}`, () => {
    const counts = countsOf(values);
    const decoded = decodeFromCompressedBase64(encodeV2(counts), 64);
    assert.is(decoded.totalCount, values.length);
    const cells = decoded as typeof decoded & { getCountAtIndex(index: number): number };
    for (let i = 0; i < counts.length; i += 2) assert.is(cells.getCountAtIndex(counts[i]!), counts[i + 1]);
    const expected = theirs();
    for (const value of values) expected.recordValue(value);
    for (const percentile of [0, 50, 90, 99, 99.9, 100]) {
      assert.is(decoded.getValueAtPercentile(percentile), expected.getValueAtPercentile(percentile));
    }
  });

  test(`we decode what hdr-histogram-js encodes: ${name}`, () => {
    const histogram = theirs();
    for (const value of values) histogram.recordValue(value);
    assert.equal(decodeV2(encodeIntoCompressedBase64(histogram)), countsOf(values));
  });
}

test("every count up to the largest exact one comes back, also those of more than 32 bits", () => {
  const edges = Array.from({ length: 53 }, (_, power) => 2 ** power).flatMap((edge) => [edge - 1, edge, edge + 1]);
  const counts = [...edges, Number.MAX_SAFE_INTEGER].filter((count) => count > 0).flatMap((count, i) => [3 * i, count]);
  assert.equal(decodeV2(encodeV2(counts)), counts);
  const decoded = decodeFromCompressedBase64(encodeV2([7, 2 ** 40 + 3]), 64);
  assert.is(decoded.totalCount, 2 ** 40 + 3);
});

test("every cell may be the only one, and all may be full", () => {
  for (let index = 0; index < CELLS; index += 1021) assert.equal(decodeV2(encodeV2([index, 2])), [index, 2]);
  const all = Array.from({ length: CELLS }, (_, index) => [index, index + 1]).flat();
  assert.equal(decodeV2(encodeV2(all)), all);
});

/** Header and counts of an encoded histogram. */
const opened = (base64: string): Buffer => inflateSync(Buffer.from(base64, "base64").subarray(8));

function closed(bytes: Buffer, compressedBytes?: number): string {
  const body = deflateSync(bytes);
  const head = Buffer.from("1c84931400000000", "hex");
  head.writeInt32BE(compressedBytes ?? body.length, 4);
  return Buffer.concat([head, body]).toString("base64");
}

/** With a change to the bytes inside. */
function changed(change: (bytes: Buffer) => void): string {
  const bytes = opened(encodeV2([1, 1, 5, 3]));
  change(bytes);
  return closed(bytes);
}

/** With other counts, as bytes in hexadecimal. */
function withCounts(hex: string): string {
  const counts = Buffer.from(hex, "hex");
  const header = opened(encodeV2([])).subarray(0, 40);
  header.writeInt32BE(counts.length, 4);
  return closed(Buffer.concat([header, counts]));
}

test("what is no such histogram is refused with the reason", () => {
  const good = encodeV2([1, 1, 5, 3]);
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /does not begin as one/],
    ["HISTFAAA", /does not begin as one/],
    [`A${good.slice(1)}`, /does not begin as one/],
    [good.slice(0, -8), /its length is wrong/],
    [closed(opened(good), -1), /its length is wrong/],
    [closed(opened(good), 2 ** 31 - 1), /its length is wrong/],
    [closed(Buffer.alloc(39)), /another version inside/],
    // V1, whose counts are encoded otherwise.
    [changed((bytes) => bytes.writeInt32BE(0x1c849301, 0)), /another version inside/],
    [changed((bytes) => bytes.writeInt32BE(2 ** 31 - 1, 4)), /length of its counts is wrong/],
    [changed((bytes) => bytes.writeInt32BE(-1, 4)), /length of its counts is wrong/],
    [changed((bytes) => bytes.writeInt32BE(1024, 8)), /offset 1024/],
    [changed((bytes) => bytes.writeInt32BE(2, 12)), /2 significant digits from 1 on/],
    [changed((bytes) => bytes.writeBigInt64BE(1000n, 16)), /from 1000 on/],
    [changed((bytes) => bytes.writeDoubleBE(0.5, 32)), /ratio 0.5/],
    // Minus 2^31 empty cells, a count behind the last cell, 2^53 values in one, and a number that does not end.
    [withCounts("ffffffff0f"), /more than 33792 cells/],
    [withCounts("ff8f0402"), /more than 33792 cells/],
    [withCounts("8080808080808020"), /count that is too large/],
    [withCounts("ffffffffffffffffff"), /count that is too large/],
    [withCounts("80"), /cut off/],
  ];
  for (const [text, reason] of cases) {
    try {
      decodeV2(text);
    } catch (error) {
      assert.instance(error, RangeError);
      assert.match((error as RangeError).message, reason);
      continue;
    }
    assert.unreachable(`${reason} was not thrown`);
  }
});

test("a few hundred bytes that inflate to many megabytes are not inflated", () => {
  const bomb = closed(Buffer.alloc(64 * 2 ** 20));
  assert.ok(bomb.length < 100_000);
  assert.throws(() => decodeV2(bomb), /cannot be inflated to at most 304168 bytes/);
});

test("no damaged byte gives other counts", () => {
  const counts = countsOf(samples(5, 300));
  const bytes = Buffer.from(encodeV2(counts), "base64");
  const random = seededRandom(6);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1 + Math.floor(random() * 255);
    try {
      assert.equal(decodeV2(damaged.toString("base64")), counts, `byte ${at}`);
    } catch (error) {
      assert.instance(error, RangeError, `byte ${at}`);
    }
  }
});

test.run();

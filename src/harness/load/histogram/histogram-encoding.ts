import { deflateSync, inflateSync } from "node:zlib";
import { messageOf } from "../../../shared/errors.js";
import { CELLS, MAX_VALUE_NS, SIGNIFICANT_DIGITS } from "./histogram-layout.js";

/*
 * HdrHistogram's compressed V2 encoding as base64, which its other implementations read (AbstractHistogram.java: encodeIntoCompressedByteBuffer,
 * fillBufferFromCountsArray; ZigZagEncoding.java). All integers are big-endian:
 *
 *   compressed   int32 cookie 0x1c849314, int32 length of what follows, zlib (RFC 1950) of
 *   header       int32 cookie 0x1c849313, int32 length of the counts, int32 normalizing offset, int32 significant digits,
 *                int64 lowest discernible value, int64 highest trackable value, double conversion ratio
 *   counts       from cell 0 to the last that is not empty, each as ZigZag LEB128-64b9B: a count, or minus the length of a run of empty cells
 */
const COMPRESSED_COOKIE = 0x1c849314;
const COOKIE = 0x1c849313;
const COMPRESSED_HEADER_BYTES = 8;
const HEADER_BYTES = 40;
/** Of one number: LEB128-64b9B holds 64 bits in nine. */
const MAX_NUMBER_BYTES = 9;
/** A count for every cell. */
const MAX_BYTES = HEADER_BYTES + CELLS * MAX_NUMBER_BYTES;

/** `counts` are index, count, index, count, … of the cells that are not empty, ascending. */
export function encodeV2(counts: readonly number[]): string {
  const bytes = Buffer.alloc(HEADER_BYTES + (counts.length + 1) * MAX_NUMBER_BYTES);
  let end = HEADER_BYTES;
  let next = 0;
  for (let i = 0; i < counts.length; i += 2) {
    const empty = counts[i]! - next;
    // One empty cell is a count of 0, as in the original.
    if (empty > 0) end = putNumber(bytes, end, empty === 1 ? 0 : 2 * empty - 1);
    end = putNumber(bytes, end, 2 * counts[i + 1]!);
    next = counts[i]! + 1;
  }
  // An empty histogram has its cell 0.
  if (counts.length === 0) end = putNumber(bytes, end, 0);
  bytes.writeInt32BE(COOKIE, 0);
  bytes.writeInt32BE(end - HEADER_BYTES, 4);
  bytes.writeInt32BE(SIGNIFICANT_DIGITS, 12);
  bytes.writeBigInt64BE(1n, 16);
  bytes.writeBigInt64BE(BigInt(MAX_VALUE_NS), 24);
  bytes.writeDoubleBE(1, 32);

  const compressed = deflateSync(bytes.subarray(0, end));
  const head = Buffer.alloc(COMPRESSED_HEADER_BYTES);
  head.writeInt32BE(COMPRESSED_COOKIE, 0);
  head.writeInt32BE(compressed.length, 4);
  return Buffer.concat([head, compressed]).toString("base64");
}

/**
 * Index, count, index, count, … of the cells that are not empty, ascending, of a histogram with this layout. It may come from anywhere: takes
 * time and memory for the cells of one histogram at most. Throws a RangeError for what is none.
 */
export function decodeV2(base64: string): readonly number[] {
  const bytes = inflated(Buffer.from(base64, "base64"));
  checkHeader(bytes);
  const counts: number[] = [];
  let index = 0;
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    let value = 0;
    let scale = 1;
    for (;;) {
      if (at === bytes.length) throw damaged("its last count is cut off");
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 0x80;
      // A ninth byte is for 2^56 and more.
      if (scale === 2 ** 56) throw damaged("it has a count that is too large");
    }
    if (value > 2 * Number.MAX_SAFE_INTEGER) throw damaged("it has a count that is too large");
    if (value % 2 === 1) {
      index += (value + 1) / 2;
    } else {
      if (value > 0) counts.push(index, value / 2);
      index++;
    }
    if (index > CELLS) throw damaged(`it has more than ${CELLS} cells`);
  }
  return counts;
}

/** Header and counts. */
function inflated(compressed: Buffer): Buffer {
  if (compressed.length < COMPRESSED_HEADER_BYTES || compressed.readInt32BE(0) !== COMPRESSED_COOKIE) {
    throw damaged("it does not begin as one");
  }
  if (compressed.readInt32BE(4) !== compressed.length - COMPRESSED_HEADER_BYTES) throw damaged("its length is wrong");
  try {
    return inflateSync(compressed.subarray(COMPRESSED_HEADER_BYTES), { maxOutputLength: MAX_BYTES });
  } catch (error) {
    throw damaged(`it cannot be inflated to at most ${MAX_BYTES} bytes: ${messageOf(error)}`);
  }
}

/** Throws a RangeError where the cells are not those of this layout: the highest value only says how many there are. */
function checkHeader(bytes: Buffer): void {
  if (bytes.length < HEADER_BYTES || bytes.readInt32BE(0) !== COOKIE) throw damaged("it has another version inside");
  if (bytes.readInt32BE(4) !== bytes.length - HEADER_BYTES) throw damaged("the length of its counts is wrong");
  const [offset, digits] = [bytes.readInt32BE(8), bytes.readInt32BE(12)];
  const [lowest, ratio] = [bytes.readBigInt64BE(16), bytes.readDoubleBE(32)];
  // hdr-histogram-js has 1 for offset and ratio, as integers of 32 and 64 bits, and means nothing by it; a real offset is a multiple of 1,024.
  const plain = (offset === 0 || offset === 1) && (ratio === 1 || ratio === Number.MIN_VALUE);
  if (!plain || digits !== SIGNIFICANT_DIGITS || lowest !== 1n) {
    throw damaged(
      `it has ${digits} significant digits from ${lowest} on, offset ${offset} and ratio ${ratio}; 3 from 1 on, 0 and 1 are read`,
    );
  }
}

function damaged(what: string): RangeError {
  return new RangeError(`this is no compressed histogram of HdrHistogram's V2 encoding: ${what}`);
}

/** Writes a number below 2^56 and returns the place behind it. */
function putNumber(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  // No bit operations: they see 32 bits.
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[at++] = 0x80 + (rest % 0x80);
  bytes[at++] = rest;
  return at;
}

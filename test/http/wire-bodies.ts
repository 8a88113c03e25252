import { closed, cut, GET, node, open, POST, smuggled, uws, type WireCase, wire } from "./wire-case.js";

const NO_CHUNKS =
  "its parser does not tell a malformed chunk from a good one, so no chunked body is taken (RFC 9112 §6.1)";
const SAME_PACKET = "a second request that arrives while an answer is pending closes the connection";
const field = (fieldLine: string): string => `${GET}${fieldLine}\r\n\r\n`;
const chunked = (body: string): string => `${POST}Transfer-Encoding: chunked\r\n\r\n${body}`;

const bodies: readonly WireCase[] = [
  wire("a GET with a body, then another request", "9110 §9.3.1", `${GET}Content-Length: 5\r\n\r\nhello`, open(200)),
  wire(
    "a body that looks like a request",
    "9112 §11.2",
    `${GET}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    open(200),
  ),
  wire(
    "a POST with a body that looks like a request",
    "9112 §11.2",
    `${POST}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    open(405),
  ),
  wire("Content-Length: 0", "9112 §6.3", `${POST}Content-Length: 0\r\n\r\n`, open(405)),
  wire("a POST without a length has no body", "9112 §6.3", `${POST}\r\n`, open(405)),
  wire(
    "the same Content-Length twice",
    "9112 §6.3",
    `${GET}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    closed(400),
  ),
  wire(
    "two Content-Lengths",
    "9112 §6.3",
    `${GET}Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    closed(400),
    uws(cut(400), SAME_PACKET),
  ),
  wire(
    "two Content-Lengths, the longer first",
    "9112 §6.3",
    `${GET}Content-Length: ${smuggled.length}\r\nContent-Length: 0\r\n\r\n${smuggled}`,
    closed(400),
  ),
  ...[
    "5, 5",
    "5, 6",
    "+5",
    "-5",
    "0x5",
    "5x",
    "5 5",
    "5.0",
    "1e1",
    "\xb2",
    "99999999999999999999",
    "18446744073709551621",
  ].map((value) =>
    wire(`Content-Length: ${value}`, "9112 §6.3", `${POST}Content-Length: ${value}\r\n\r\nhello`, closed(400)),
  ),
  wire(
    "an empty Content-Length",
    "9112 §6.3",
    `${GET}Content-Length:\r\n\r\n${smuggled}`,
    closed(400),
    uws(cut(400), SAME_PACKET),
  ),
  wire("Content-Length with leading zeros", "9110 §8.6", `${GET}Content-Length: 0005\r\n\r\nhello`, open(200)),
  wire("a body over the limit", "9110 §15.5.14", `${POST}Content-Length: 999999999999\r\n\r\nhello`, closed(413)),
  wire(
    "Content-Length and Transfer-Encoding",
    "9112 §6.3",
    `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    closed(400),
  ),
  wire(
    "Transfer-Encoding and Content-Length",
    "9112 §6.3",
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggled}`,
    closed(400),
  ),
  wire(
    "Transfer-Encoding and an empty Content-Length",
    "9112 §6.3",
    `${POST}Transfer-Encoding: chunked\r\nContent-Length:\r\n\r\n0\r\n\r\n${smuggled}`,
    closed(400),
    uws(cut(400), SAME_PACKET),
  ),
  wire(
    "an empty Transfer-Encoding",
    "9112 §6.1",
    `${POST}Transfer-Encoding:\r\n\r\n${smuggled}`,
    closed(400),
    uws(cut(400), SAME_PACKET),
  ),
  wire(
    "an empty Transfer-Encoding and Content-Length",
    "9112 §6.1",
    `${POST}Transfer-Encoding:\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
    closed(400),
  ),
  ...["identity", "gzip", "chunked, gzip", "chunked, chunked", "xchunked", "chunkedx", '"chunked"', "chunked;a=b"].map(
    (value) =>
      wire(
        `Transfer-Encoding: ${value}`,
        "9112 §6.3",
        `${POST}Transfer-Encoding: ${value}\r\n\r\n0\r\n\r\n`,
        closed([400, 501]),
      ),
  ),
  wire(
    "Transfer-Encoding: gzip, chunked",
    "9112 §6.1",
    `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    closed(501),
  ),
  wire(
    "two Transfer-Encodings",
    "9112 §6.1",
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    closed(400),
  ),
  wire(
    "Transfer-Encoding: chunked, identity in a second line",
    "9112 §6.3",
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`,
    closed(400),
    uws(cut(400), SAME_PACKET),
  ),
  wire(
    "an expectation that is met",
    "9110 §10.1.1",
    `${POST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`,
    open(405),
  ),
];

/** Fine by the RFC. */
const chunks: readonly WireCase[] = (
  [
    ["a chunked body", "9112 §7.1", "5\r\nhello\r\n0\r\n\r\n"],
    [
      "a chunked body that looks like a request",
      "9112 §11.2",
      `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    ],
    ["a chunk size in capitals", "9112 §7.1", `A\r\n0123456789\r\n0\r\n\r\n`],
    ["a chunk extension", "9112 §7.1.1", "5;a=b\r\nhello\r\n0\r\n\r\n"],
    ["a trailer", "9112 §7.1.2", "5\r\nhello\r\n0\r\nA: b\r\n\r\n"],
    ["a chunk size with leading zeros", "9112 §7.1", "00005\r\nhello\r\n0\r\n\r\n"],
  ] as const
).map(([name, rfc, body]) => wire(name, rfc, chunked(body), open(405), uws(cut([400, 411, 505]), NO_CHUNKS)));

const badChunks: readonly WireCase[] = (
  [
    ["a chunk size 0x5", "0x5\r\nhello\r\n0\r\n\r\n"],
    ["a chunk size +5", "+5\r\nhello\r\n0\r\n\r\n"],
    ["a chunk size -5", "-5\r\nhello\r\n0\r\n\r\n"],
    ["a chunk size G", "G\r\nhello\r\n0\r\n\r\n"],
    ["no chunk size", "\r\nhello\r\n0\r\n\r\n"],
    ["a chunk size of 17 digits", "fffffffffffffffff\r\nhello\r\n0\r\n\r\n"],
    ["a chunk size of 2⁶⁴", "10000000000000000\r\nhello\r\n0\r\n\r\n"],
    ["white space before a chunk size", " 5\r\nhello\r\n0\r\n\r\n"],
    ["a chunk longer than its size", `5\r\nhelloXX0\r\n\r\n${smuggled}`],
    ["a chunk line that ends in LF alone", `5\nhello\r\n0\r\n\r\n${smuggled}`],
    ["no empty line after the last chunk", `0\r\nXX${smuggled}`],
  ] as const
).map(([name, body]) => wire(name, "9112 §7.1", chunked(body), closed(400), uws(cut([400, 411, 505]), NO_CHUNKS)));

const capitals = wire(
  "Transfer-Encoding: CHUNKED",
  "9112 §7",
  `${POST}Transfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  open(405),
  uws(closed(411), NO_CHUNKS),
);

/** Empty members of a list do not count, wherever they stand. */
const lists: readonly WireCase[] = [
  ...[",chunked", " , ,\tchunked"].map((value) =>
    wire(
      `Transfer-Encoding: ${JSON.stringify(value)}`,
      "9110 §5.6.1.2",
      `${POST}Transfer-Encoding:${value}\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
      open(405),
      uws(cut(411), NO_CHUNKS),
    ),
  ),
  ...["chunked,", "chunked , ", ",chunked,"].map((value) =>
    wire(
      `Transfer-Encoding: ${JSON.stringify(value)}`,
      "9110 §5.6.1.2",
      `${POST}Transfer-Encoding:${value}\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
      open(405),
      { ...uws(cut(411), NO_CHUNKS), ...node(closed(400), "its parser wants the value to end in chunked") },
    ),
  ),
  ...[",", " , ,", ",gzip", "chunked,,chunked"].map((value) =>
    wire(
      `Transfer-Encoding: ${JSON.stringify(value)}`,
      "9112 §6.3",
      `${POST}Transfer-Encoding:${value}\r\n\r\n0\r\n\r\n${smuggled}`,
      closed(400),
      uws(cut(400), SAME_PACKET),
    ),
  ),
];

const followers: readonly WireCase[] = [
  wire(
    "what follows a request that closes is not served",
    "9112 §9.6",
    `${field("Connection: close")}${smuggled}`,
    closed(200),
    uws(cut(200), SAME_PACKET),
  ),
  wire(
    "what follows a refusal is not served",
    "9112 §9.6",
    `${field("Content-Length:")}${smuggled}`,
    closed(400),
    uws(cut(400), SAME_PACKET),
  ),
];

export const bodyCases: readonly WireCase[] = [...bodies, ...chunks, capitals, ...badChunks, ...lists, ...followers];

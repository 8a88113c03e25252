import { closed, GET, HOST, node, open, silent, smuggled, uws, type WireCase, wire } from "./wire-case.js";

const LINE = "its parser answers every request line that it does not take with 505";
const WAITS = "its parser takes it for a head that has not arrived in full";
const UNKNOWN = "its parser knows methods by a list";
const SPACES = "its parser takes several spaces for one, which RFC 9112 §3 allows";
const line = (requestLine: string): string => `${requestLine}\r\n${HOST}\r\n`;
const field = (fieldLine: string): string => `${GET}${fieldLine}\r\n\r\n`;

/** RFC 3986 §3.2.2; zones (RFC 6874) are for the client alone. */
const BAD_LITERALS = [
  "[:::::]",
  "[1:2:3]",
  "[]",
  "[::1]x",
  "[::1:]",
  "[12345::]",
  "[::1.2.3]",
  "[::1%25eth0]",
  "[fe80::1%eth0]",
  "[v1.]",
  "[v.a]",
  "[vg.a]",
  "[v1.[]",
];
const LITERALS = ["[::]", "[1:2:3:4:5:6:7:8]", "[::ffff:192.0.2.1]:80", "[v1.fe]", "[V1F.a:b]:80"];

export const requestLineCases: readonly WireCase[] = [
  wire("a plain GET", "9112 §3", `${GET}\r\n`, open(200)),
  wire("HTTP/1.0", "9110 §2.5", line("GET /echo HTTP/1.0"), closed(200), uws(closed(505), "it speaks HTTP/1.1 only")),
  wire(
    "HTTP/0.9",
    "9112 appendix C.1",
    "GET /echo\r\n",
    closed([400, 505]),
    node(closed(408), "its parser waits for the end of a head"),
  ),
  wire("HTTP/2 preface", "9113 §3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", closed([400, 505])),
  wire("HTTP/2.0", "9110 §2.5", line("GET /echo HTTP/2.0"), closed([400, 505])),
  wire("version in lower case", "9112 §2.3", line("GET /echo http/1.1"), closed([400, 505])),
  wire("version without a number", "9112 §2.3", line("GET /echo HTTP/1."), closed([400, 505])),
  wire("an empty line before the request line", "9112 §2.2", `\r\n${GET}\r\n`, open(200), uws(silent, WAITS)),
  wire("white space before the request line", "9112 §2.2", ` ${GET}\r\n`, closed([400, 505])),
  wire("two spaces after the method", "9112 §3", line("GET  /echo HTTP/1.1"), closed(400), {
    ...uws(closed(505), LINE),
    ...node(open(200), SPACES),
  }),
  wire("two spaces after the target", "9112 §3", line("GET /echo  HTTP/1.1"), closed(400), {
    ...uws(closed(505), LINE),
    ...node(open(200), SPACES),
  }),
  wire("a tab for a space", "9112 §3", line("GET\t/echo HTTP/1.1"), closed(400), uws(closed(505), LINE)),
  wire("space in the target", "9112 §3.2", line("GET /echo a HTTP/1.1"), closed(400), uws(closed(505), LINE)),
  wire("no method", "9112 §3.1", line(" /echo HTTP/1.1"), closed(400)),
  wire("no target", "9112 §3.2", line("GET HTTP/1.1"), closed(400), uws(closed(505), LINE)),
  wire("a target that is no path", "9112 §3.2", line("GET echo HTTP/1.1"), closed(400), uws(closed(505), LINE)),
  wire("NUL in the target", "9112 §3.2", line("GET /ec\0ho HTTP/1.1"), closed(400), uws(closed(505), LINE)),
  wire(
    "a control character in the target",
    "9112 §3.2",
    line("GET /ec\x01ho HTTP/1.1"),
    closed(400),
    uws(closed(505), LINE),
  ),
  wire("DEL in the target", "9112 §3.2", line("GET /ec\x7fho HTTP/1.1"), closed(400)),
  wire("bytes beyond ASCII in the target", "9112 §3.2", line("GET /\xc3\xa4 HTTP/1.1"), closed(400)),
  wire("a fragment in the target", "9112 §3.2", line("GET /echo#a HTTP/1.1"), closed(400)),
  wire("bare CR in the request line", "9112 §2.2", line("GET /echo\rx HTTP/1.1"), closed(400), uws(silent, WAITS)),
  wire("absolute-form", "9112 §3.2.2", line("GET http://x/echo HTTP/1.1"), open(200), uws(closed(505), LINE)),
  ...["http://x", "http://x?a", "HTTP://[::1]:80/echo", "https://x:/echo", "http://[v1.fe]/echo"].map((target) =>
    wire(
      `absolute-form ${target}`,
      "9112 §3.2.2",
      line(`GET ${target} HTTP/1.1`),
      open([200, 404]),
      uws(closed(505), LINE),
    ),
  ),
  ...[
    "http:///echo",
    "http://",
    "http://:80/echo",
    "http://u:p@x/echo",
    "http://u@x/echo",
    "http://x:y/echo",
    "http://x:1:2/echo",
    "http://[1:2:3]/echo",
    "http://[::1/echo",
    "http://x#a",
    "http:/echo",
    "ftp://x/echo",
  ].map((target) =>
    wire(
      `target ${target}`,
      "9110 §4.2",
      `${line(`GET ${target} HTTP/1.1`)}${smuggled}`,
      closed(400),
      uws(closed(505), LINE),
    ),
  ),
  wire(
    "a bad absolute-form of another method",
    "9110 §4.2",
    line("OPTIONS http:///x HTTP/1.1"),
    closed(400),
    uws(closed(505), LINE),
  ),
  wire("POST *", "9112 §3.2.4", line("POST * HTTP/1.1"), closed(400), uws(closed(505), LINE)),
  ...["ICE/1.0", "HTTPS/1.1", "FTP/1.1", "HTTP-1.1"].map((protocol) =>
    wire(`version ${protocol}`, "9112 §2.3", line(`GET /echo ${protocol}`), closed(400), uws(closed(505), LINE)),
  ),
  ...["HTTP/1.2", "HTTP/3.0"].map((version) =>
    wire(`version ${version}`, "9110 §15.6.6", line(`GET /echo ${version}`), closed(505)),
  ),
  wire("authority-form without CONNECT", "9112 §3.2.3", line("GET x:80 HTTP/1.1"), closed(400), uws(closed(505), LINE)),
  wire("CONNECT", "9110 §9.3.6", line("CONNECT x:80 HTTP/1.1"), closed([400, 405]), uws(closed(505), LINE)),
  wire("OPTIONS *", "9112 §3.2.4", line("OPTIONS * HTTP/1.1"), open(204), uws(closed(505), LINE)),
  wire("GET *", "9112 §3.2.4", line("GET * HTTP/1.1"), closed(400), uws(closed(505), LINE)),
  wire("OPTIONS", "9110 §9.3.7", line("OPTIONS /echo HTTP/1.1"), open(204)),
  wire("TRACE", "9110 §15.5.6", line("TRACE /echo HTTP/1.1"), open(405)),
  wire("a method nobody knows", "9110 §15.6.2", line("BREW /echo HTTP/1.1"), open(501), node(closed(400), UNKNOWN)),
  wire(
    "a method in lower case is another one",
    "9110 §9.1",
    line("get /echo HTTP/1.1"),
    open(501),
    node(closed(400), UNKNOWN),
  ),
  wire("a method that is no token", "9110 §9.1", line("G(T /echo HTTP/1.1"), closed(400)),
  wire(
    "a method with a byte beyond ASCII",
    "9110 §9.1",
    line("G\xc4T /echo HTTP/1.1"),
    closed(400),
    uws(closed(505), LINE),
  ),
];

export const fieldCases: readonly WireCase[] = [
  wire("no Host", "9112 §3.2", "GET /echo HTTP/1.1\r\nA: b\r\n\r\n", closed(400)),
  wire("no fields at all", "9112 §3.2", "GET /echo HTTP/1.1\r\n\r\n", closed(400)),
  wire("two Hosts", "9112 §3.2", field(HOST.trim()), closed(400)),
  wire("two different Hosts, apart", "9112 §3.2", field("A: b\r\nhOST: y"), closed(400)),
  ...["a b", "a/b", "a@b", "x:y", "[::1", "x:1:2", "<x>", "a%zz", "[x]", ...BAD_LITERALS].map((host) =>
    wire(`Host "${host}"`, "9112 §3.2", `GET /echo HTTP/1.1\r\nHost: ${host}\r\n\r\n`, closed(400)),
  ),
  ...["", "x:", "x:80", "[::1]:80", "127.0.0.1", "a_b.example", "%41", ...LITERALS].map((host) =>
    wire(`Host "${host}" is fine`, "9110 §7.2", `GET /echo HTTP/1.1\r\nHost: ${host}\r\n\r\n`, open(200)),
  ),
  wire("a folded line", "9112 §5.2", field("A: b\r\n c"), closed(400)),
  wire("a folded line after a tab", "9112 §5.2", field("A: b\r\n\tc"), closed(400)),
  wire("white space before the first field", "9112 §2.2", `GET /echo HTTP/1.1\r\n ${HOST}\r\n`, closed(400)),
  wire("white space before the colon", "9112 §5.1", field("A : b"), closed(400)),
  wire("a tab before the colon", "9112 §5.1", field("A\t: b"), closed(400)),
  wire(
    "white space before the colon of Content-Length",
    "9112 §5.1",
    `${GET}Content-Length : ${smuggled.length}\r\n\r\n${smuggled}`,
    closed(400),
  ),
  wire("a line without a colon", "9112 §5", field("oops"), closed(400)),
  ...["(", "/", "@", "[", "{", '"', "\x01", "\x7f", "\xe4", "\0"].map((char) =>
    wire(`a field name with ${JSON.stringify(char)}`, "9110 §5.1", field(`A${char}: b`), closed(400)),
  ),
  wire(
    "an empty field name",
    "9110 §5.1",
    field(": b"),
    closed(400),
    uws(open(200), "its parser takes an empty name for the end of the fields, and shows nothing of it"),
  ),
  ...["\0", "\x01", "\x0b", "\x1b"].map((char) =>
    wire(`a field value with ${JSON.stringify(char)}`, "9110 §5.5", field(`A: b${char}c`), closed(400)),
  ),
  wire("bytes beyond ASCII in a field value", "9110 §5.5", field("A: \xe4\xff"), open(200)),
  wire("white space around a field value", "9112 §5.1", field("A: \t b \t "), open(200)),
  wire("an empty field value", "9110 §5.5", field("A:"), open(200)),
  wire("bare CR in a field value", "9112 §2.2", field("A: b\rc"), closed(400), uws(silent, WAITS)),
  wire("bare LF in a field value", "9112 §2.2", field("A: b\nc: d"), closed(400)),
  wire("lines that end in LF alone", "9112 §2.2", `GET /echo HTTP/1.1\nHost: x\n\n`, closed([400, 505])),
  wire("a field line that ends in LF alone", "9112 §2.2", `${GET}A: b\n\r\n`, closed(400)),
  wire("a head that ends in LF alone", "9112 §2.2", `${GET}\n`, closed(400)),
  wire("Connection: close", "9112 §9.6", field("Connection: close"), closed(200)),
  wire("close in a list", "9112 §9.6", field("Connection: x, Close"), closed(200)),
  wire("close in a second line", "9112 §9.6", field("Connection: x\r\nConnection: close"), closed(200)),
  wire("keep-alive", "9112 §9.3", field("Connection: keep-alive"), open(200)),
  wire(
    "a word of five letters that is not close",
    "9112 §9.3",
    field("Connection: other"),
    open(200),
    uws(closed(200), "it takes any five letters for close"),
  ),
  wire(
    "Upgrade to what is not spoken",
    "9110 §7.8",
    field(
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13",
    ),
    open(200),
  ),
  wire(
    "Upgrade to h2c",
    "9110 §7.8",
    field("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__"),
    open(200),
  ),
  wire("an expectation nobody knows", "9110 §10.1.1", field("Expect: a-miracle"), closed(417)),
  wire("98 fields", "9110 §5.4", field("A: b\r\n".repeat(96).trim()), open(200)),
  wire(
    "a thousand fields",
    "9110 §5.4",
    field("A: b\r\n".repeat(1000).trim()),
    closed(431),
    node(open(200), "it counts bytes, not fields"),
  ),
  wire("a field of 17,000 bytes", "9110 §5.4", field(`A: ${"b".repeat(17_000)}`), closed(431)),
  wire("a field of 40,000 bytes", "9110 §5.4", field(`A: ${"b".repeat(40_000)}`), closed(431)),
  wire("a target of 17,000 bytes", "9112 §3", line(`GET /echo?${"a".repeat(17_000)} HTTP/1.1`), closed(414)),
];

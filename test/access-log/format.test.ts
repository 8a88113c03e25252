import { suite } from "uvu";
import * as assert from "uvu/assert";
import { addressBytes, addressText } from "../../src/access-log/address.js";
import { lineFormats } from "../../src/access-log/job.js";
import { type LineFormat, MAX_LINE_BYTES } from "../../src/access-log/line.js";
import { attachLogRing, createLogMemory } from "../../src/access-log/memory.js";
import { type LogEntry, LogRecord, textLimits, writeRecord } from "../../src/access-log/record.js";
import { entry } from "./fixture.js";

process.env["TZ"] = "America/St_Johns";
const test = suite("access log: lines");

/** The line of a request, by way of the ring; `durationMs` is 1.5. */
function line(format: LineFormat, of: Partial<LogEntry>, startedAtMs = Date.UTC(2026, 0, 31, 23, 59, 59, 999)): string {
  const memory = createLogMemory();
  const [producer, consumer] = [attachLogRing(memory), attachLogRing(memory)];
  assert.ok(writeRecord(producer, entry(of), 1.5) > 0);
  const record = new LogRecord(consumer);
  record.read(consumer, consumer.peek());
  const out = Buffer.alloc(MAX_LINE_BYTES);
  const end = format.write(record, startedAtMs, out, 0);
  return out.toString("latin1", 0, end);
}
const combined = (of: Partial<LogEntry>, startedAtMs?: number): string => line(lineFormats.combined(), of, startedAtMs);
const json = (of: Partial<LogEntry>): Record<string, unknown> => JSON.parse(line(lineFormats.json(), of));

test("combined: all fields where Apache has them, local time with a zone of half an hour", () => {
  const of = {
    path: "/a",
    query: "b=c",
    status: 404,
    bodyBytes: 1234567,
    referrer: "http://r/",
    userAgent: "agent/1 (x)",
  };
  assert.is(
    combined(of),
    '192.0.2.1 - - [31/Jan/2026:20:29:59 -0330] "GET /a?b=c HTTP/1.1" 404 1234567 "http://r/" "agent/1 (x)"\n',
  );
  assert.match(combined({}, Date.UTC(2026, 6, 1)), /\[30\/Jun\/2026:21:30:00 -0230\]/, "summer");
});

test("combined: what was not sent and a body of no bytes are a minus; a query of no characters is kept", () => {
  const of = { method: "HEAD", query: "", bodyBytes: 0, address: new Uint8Array(0) };
  assert.match(combined(of), /^- - - \[[^\]]+\] "HEAD \/\? HTTP\/1\.1" 200 - "-" "-"\n$/);
});

test("combined: one format writes many lines, and notices a new second and a new client", () => {
  const format = lineFormats.combined();
  assert.match(line(format, {}, 0), /^192\.0\.2\.1 - - \[31\/Dec\/1969:20:30:00 -0330\]/);
  assert.match(line(format, {}, 999), /^192\.0\.2\.1 - - \[31\/Dec\/1969:20:30:00 -0330\]/);
  assert.match(
    line(format, { address: Uint8Array.of(10, 0, 0, 255) }, 1000),
    /^10\.0\.0\.255 - - \[31\/Dec\/1969:20:30:01/,
  );
});

test("combined: every byte that a header field may hold is escaped as Apache does it", () => {
  const short: Record<number, string> = { 8: "\\b", 9: "\\t", 10: "\\n", 11: "\\v", 13: "\\r", 34: '\\"', 92: "\\\\" };
  for (let byte = 0; byte < 256; byte++) {
    const char = String.fromCharCode(byte);
    const printable = byte >= 0x20 && byte < 0x7f ? char : `\\x${byte.toString(16).padStart(2, "0")}`;
    const expected = short[byte] ?? printable;
    assert.ok(combined({ userAgent: `a${char}z` }).endsWith(` "a${expected}z"\n`), `user agent, byte ${byte}`);
    assert.ok(combined({ referrer: char, userAgent: char }).endsWith(` "${expected}" "${expected}"\n`), `byte ${byte}`);
  }
});

test("combined: a path is escaped byte by byte of its UTF-8", () => {
  assert.match(combined({ path: "/ä\ufffd" }), /"GET \/\\xc3\\xa4\\xef\\xbf\\xbd HTTP/);
});

test("no client can forge a line: each is one line of printable ASCII, in quotes that close", () => {
  const forged =
    'x" 200 5 "-" "-"\n10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /forged\r\u0085\u2028\u0000\x1b[2J\\';
  const latin1 = forged.replace("\u2028", "\xe2\x80\xa8");
  for (const of of [
    { path: forged },
    { query: forged },
    { referrer: latin1 },
    { userAgent: latin1 },
    { method: latin1 },
  ]) {
    for (const format of ["combined", "json"] as const) {
      const text = line(lineFormats[format](), of);
      assert.match(text, /^[ -~]+\n$/, `${format} ${Object.keys(of)}`);
    }
    assert.match(
      combined(of),
      /^192\.0\.2\.1 - - \[[^\]]*\] "(?:[^"\\]|\\.)*" 200 5 "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*"\n$/,
    );
    assert.is(json(of)["status"], 200);
  }
  assert.is(json({ path: forged })["url"], forged);
});

test("json: an object with every field; UTF-8 in header fields is understood", () => {
  const of = {
    path: "/ä",
    query: "q",
    referrer: "",
    userAgent: Buffer.from('ü"\\\n€').toString("latin1"),
    aborted: true,
  };
  assert.equal(json(of), {
    time: "2026-01-31T23:59:59.999Z",
    remoteAddress: "192.0.2.1",
    method: "GET",
    url: "/ä?q",
    status: 200,
    bodyBytes: 5,
    durationMs: 1.5,
    referrer: null,
    userAgent: 'ü"\\\n€',
    aborted: true,
  });
});

test("what is too long is cut at a character and marked, in both formats", () => {
  const of = {
    method: "M".repeat(100),
    path: `/${"€".repeat(1000)}`,
    referrer: "r".repeat(textLimits.referrerBytes + 1),
    userAgent: "u".repeat(textLimits.userAgentBytes + 1),
  };
  const line = combined(of);
  assert.match(
    line,
    new RegExp(`"M{${textLimits.methodBytes}} /(\\\\xe2\\\\x82\\\\xac){682}\\\\\\.\\.\\. HTTP/1\\.1"`),
  );
  assert.ok(
    line.endsWith(` "${"r".repeat(textLimits.referrerBytes)}\\..." "${"u".repeat(textLimits.userAgentBytes)}\\..."\n`),
  );
  const object = json(of);
  assert.is(object["url"], `/${"€".repeat(682)}`);
  assert.equal([object["urlCut"], object["referrerCut"], object["userAgentCut"]], [true, true, true]);
});

test("what is just not too long is whole and not marked", () => {
  const of = {
    path: "p".repeat(textLimits.urlBytes),
    referrer: "r".repeat(textLimits.referrerBytes),
    userAgent: "\xff".repeat(textLimits.userAgentBytes),
  };
  assert.is(combined(of).includes("..."), false);
  assert.equal(
    Object.keys(json(of)).filter((key) => key.endsWith("Cut")),
    [],
  );
});

const addresses: readonly (readonly [bytes: number[], text: string])[] = [
  [[127, 0, 0, 1], "127.0.0.1"],
  [[], "-"],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3], "10.1.2.3"],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "::"],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "::1"],
  [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1], "2001:db8::1:0:0:1"],
  [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1], "2001:db8:0:1:1:1:1:1"],
  [[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], "fe80::100:0:0:0"],
];
for (const [bytes, text] of addresses) {
  test(`the address ${text} is written as RFC 5952 has it`, () => {
    assert.is(addressText(Uint8Array.from([9, ...bytes, 9]), 1, 1 + bytes.length), text);
    const isMapped = bytes.length === 16 && text.includes(".");
    assert.equal([...addressBytes(isMapped ? `::ffff:${text}` : text)], bytes);
  });
}

test.run();

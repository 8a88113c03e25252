import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ParseState, ResponseParser } from "../../../../src/harness/load/parser/response-parser.js";

/** Feeds a response cut at the given places; the state after the last piece. */
function feed(parser: ResponseParser, text: string, cuts: readonly number[] = []): ParseState {
  const bytes = Buffer.from(text, "latin1");
  let state: ParseState = ParseState.more;
  const edges = [0, ...cuts, bytes.length];
  for (let i = 0; i + 1 < edges.length; i++) {
    // As the generator does: one large buffer, in which old bytes stand behind the new ones.
    const buffer = Buffer.alloc(bytes.length + 64, "\n");
    const length = bytes.copy(buffer, 0, edges[i]!, edges[i + 1]!);
    state = parser.feed(buffer, length);
    if (state === ParseState.malformed || (state === ParseState.complete && i + 2 < edges.length))
      return ParseState.malformed;
  }
  return state;
}

interface Whole {
  readonly text: string;
  readonly status: number;
  readonly bodyBytes: number;
  /** First byte of the body; "" without one. */
  readonly first: string;
}

const whole: Readonly<Record<string, Whole>> = {
  "a length": { text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", status: 200, bodyBytes: 5, first: "h" },
  "a length of 0": { text: "HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", status: 200, bodyBytes: 0, first: "" },
  "a length named twice alike": {
    text: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    status: 200,
    bodyBytes: 2,
    first: "o",
  },
  chunks: {
    text: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nB;x="y"\r\n world, all\r\n0\r\n\r\n',
    status: 200,
    bodyBytes: 16,
    first: "h",
  },
  "chunks with trailers": {
    text: "HTTP/1.1 404 Not Found\r\nTRANSFER-ENCODING: gzip, Chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n",
    status: 404,
    bodyBytes: 1,
    first: "x",
  },
  "no content": { text: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, bodyBytes: 0, first: "" },
  "an interim response before": {
    text: "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    status: 200,
    bodyBytes: 1,
    first: "x",
  },
  "a folded field": {
    text: "HTTP/1.1 200 OK\r\nContent-Length:\r\n\t 3\r\nA: b\r\n c\r\n\t\r\n  d\r\n\r\nabc",
    status: 200,
    bodyBytes: 3,
    first: "a",
  },
  "a coding in a folded field, after lone line feeds": {
    text: "HTTP/1.1 200 OK\nTransfer-Encoding: gzip,\n chunked\n\t,\n\n1\r\nx\r\n0\r\n\r\n",
    status: 200,
    bodyBytes: 1,
    first: "x",
  },
  "a folded field at the end": {
    text: "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\nA:\r\n b\r\n\r\nx",
    status: 404,
    bodyBytes: 1,
    first: "x",
  },
  "a field that goes on with nothing": {
    text: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n \r\n\r\nx",
    status: 200,
    bodyBytes: 1,
    first: "x",
  },
  "chunk sizes with zeros before them": {
    text: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0000000000000002\r\nab\r\n${"0".repeat(100)}A;x\r\n0123456789\r\n00000000000000000000\r\n\r\n`,
    status: 200,
    bodyBytes: 12,
    first: "a",
  },
  "codings with empty members": {
    text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: , chunked ,,\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    status: 200,
    bodyBytes: 1,
    first: "x",
  },
  "lone line feeds": { text: "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", status: 200, bodyBytes: 1, first: "x" },
  "no reason phrase": { text: "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", status: 200, bodyBytes: 1, first: "x" },
};

const test = suite("response parser");

for (const [name, { text, status, bodyBytes, first }] of Object.entries(whole)) {
  test(`reads ${name}, whole, cut anywhere in two, and byte by byte`, () => {
    const parser = new ResponseParser();
    const cuts = [
      [],
      ...Array.from({ length: text.length - 1 }, (_, i) => [i + 1]),
      Array.from({ length: text.length - 1 }, (_, i) => i + 1),
    ];
    for (const cut of cuts) {
      parser.reset();
      assert.is(feed(parser, text, cut), ParseState.complete, `cut at ${cut.slice(0, 3)}`);
      assert.is(parser.head.status, status, `cut at ${cut.slice(0, 3)}`);
      assert.is(parser.bodyBytes, bodyBytes, `cut at ${cut.slice(0, 3)}`);
      assert.is(parser.firstByte, first === "" ? -1 : first.charCodeAt(0), `cut at ${cut.slice(0, 3)}`);
    }
  });

  test(`takes a byte beyond ${name} for one too many`, () => {
    assert.is(feed(new ResponseParser(), `${text}x`), ParseState.overlong);
  });

  test(`does not take ${name} for whole without its last byte`, () => {
    const parser = new ResponseParser();
    assert.is(feed(parser, text.slice(0, -1)), ParseState.more);
    assert.is(parser.end(), ParseState.more);
  });
}

for (const [name, text] of Object.entries({
  "another protocol": "SSH-2.0-OpenSSH_9.2\r\n\r\n",
  "another protocol before its line ends": "SSH-",
  "HTTP/2": "HTTP/2.0 200 OK\r\n\r\n",
  "no status": "HTTP/1.1 abc OK\r\n\r\n",
  "a status of four digits": "HTTP/1.1 2000 OK\r\n\r\n",
  "a field without a colon": "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
  "a blank before the colon": "HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\nx",
  "a field without a name": "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
  "white space before the first field": "HTTP/1.1 200 OK\r\n Content-Length: 1\r\n\r\nx",
  "a folded length of two numbers": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 2\r\n\r\nx",
  "a fold before the colon": "HTTP/1.1 200 OK\r\nContent-Length\r\n : 1\r\n\r\nx",
  "a length that is no number": "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
  "a negative length": "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
  "two lengths that differ": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
  "a chunk size that is none": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  "a chunk longer than its size": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
  "a chunk that another byte ends": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy0\r\n\r\n",
  "a chunk that CR and another byte end": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\ry0\r\n\r\n",
  "a chunk size beyond all bounds": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffff\r\n",
  "a chunk size beyond all bounds, with zeros before it":
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0000fffffffffffff\r\n",
  "a chunk size of zeros without an end": `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${"0".repeat(65_537)}`,
  "a chunk extension without an end": `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${"a".repeat(65_537)}`,
  "a trailer without an end": `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ${"a".repeat(65_537)}`,
})) {
  test(`refuses ${name}`, () => {
    assert.is(feed(new ResponseParser(), text), ParseState.malformed);
  });
}

const MAX_HEAD_BYTES = 65_536;

/** A head of so many bytes, and a body of one. */
function headOf(bytes: number): string {
  return `${"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nA: ".padEnd(bytes - 4, "b")}\r\n\r\nx`;
}

test("takes a head of 64 KiB and refuses one of a byte more, whole, cut in two, and byte by byte", () => {
  for (const [bytes, state] of [
    [MAX_HEAD_BYTES, ParseState.complete],
    [MAX_HEAD_BYTES + 1, ParseState.malformed],
    [70_000, ParseState.malformed],
  ] as const) {
    const text = headOf(bytes);
    assert.is(text.length, bytes + 1);
    const ends = Array.from({ length: 10 }, (_, i) => bytes - 8 + i);
    for (const cuts of [[], [1], [100], [30_000, 60_000], [MAX_HEAD_BYTES], ends, ...ends.map((end) => [end])]) {
      // Behind it the last head, which is known, and its body.
      const parser = new ResponseParser();
      assert.is(feed(parser, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), ParseState.complete);
      parser.reset();
      assert.is(
        feed(
          parser,
          text,
          cuts.filter((cut) => cut < text.length),
        ),
        state,
        `${bytes} bytes, cut at ${cuts}`,
      );
    }
  }
});

test("refuses a head without an end at the byte that is one too many", () => {
  const text = `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(12_000)}`;
  assert.is(feed(new ResponseParser(), text, [30_000, 60_000, 66_000]), ParseState.malformed);
  const parser = new ResponseParser();
  assert.is(feed(parser, text.slice(0, MAX_HEAD_BYTES)), ParseState.more);
  assert.is(feed(parser, "A"), ParseState.malformed);
});

test("a body without a length ends with the connection, which cannot be used again", () => {
  const parser = new ResponseParser();
  assert.is(feed(parser, "HTTP/1.1 200 OK\r\n\r\nto the end"), ParseState.more);
  assert.is(parser.end(), ParseState.complete);
  assert.is(parser.bodyBytes, 10);
  assert.is(parser.head.keepAlive, false);
});

test("a transfer coding that is not chunked ends with the connection, whatever length stands beside it", () => {
  const parser = new ResponseParser();
  assert.is(feed(parser, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: gzip\r\n\r\nxx"), ParseState.more);
  assert.is(parser.end(), ParseState.complete);
});

test("a head that differs from the last one in any byte is read anew", () => {
  const parser = new ResponseParser();
  const known = "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\nhello";
  const others = [
    { text: known.replace("200 OK", "503 OK"), status: 503, bodyBytes: 5 },
    { text: known.replace(": 5\r", ": 4\r").slice(0, -1), status: 200, bodyBytes: 4 },
    { text: known.replace("A: b\r\n", ""), status: 200, bodyBytes: 5 },
    { text: known.replace("A: b\r\n", "A: b\r\nC: d\r\n"), status: 200, bodyBytes: 5 },
    { text: `HTTP/1.1 103 Early Hints\r\n\r\n${known}`, status: 200, bodyBytes: 5 },
  ];
  for (const { text, status, bodyBytes } of others) {
    for (const [next, nextStatus, nextBytes] of [
      [known, 200, 5],
      [text, status, bodyBytes],
      [text, status, bodyBytes],
    ] as const) {
      parser.reset();
      assert.is(feed(parser, next), ParseState.complete, next);
      assert.equal([parser.head.status, parser.bodyBytes], [nextStatus, nextBytes], next);
    }
    // Cut within the head, after which the last one in one piece is no longer what `head` holds.
    parser.reset();
    assert.is(feed(parser, text, [12]), ParseState.complete);
    parser.reset();
    assert.is(feed(parser, known), ParseState.complete);
    assert.equal([parser.head.status, parser.bodyBytes], [200, 5]);
  }
});

test("chunked and unsized bodies end as they should under a head that is known", () => {
  const parser = new ResponseParser();
  for (const chunk of ["3\r\nabc\r\n0\r\n\r\n", "1\r\nx\r\n0\r\n\r\n"]) {
    parser.reset();
    assert.is(feed(parser, `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`), ParseState.complete);
    assert.is(parser.bodyBytes, Number(chunk[0]));
  }
  for (const body of ["one", "three"]) {
    parser.reset();
    assert.is(feed(parser, `HTTP/1.1 200 OK\r\n\r\n${body}`), ParseState.more);
    assert.is(parser.end(), ParseState.complete);
    assert.is(parser.bodyBytes, body.length);
  }
});

test("knows whether the connection may be used again, and the server's name", () => {
  const parser = new ResponseParser();
  for (const [text, keepAlive] of [
    ["HTTP/1.1 200 OK\r\nServer: a/1\r\nContent-Length: 0\r\n\r\n", true],
    ["HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", false],
    ["HTTP/1.1 200 OK\r\nConnection: upgrade, close\r\nContent-Length: 0\r\n\r\n", false],
    ["HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false],
    ["HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", true],
  ] as const) {
    parser.reset();
    assert.is(feed(parser, text), ParseState.complete);
    assert.is(parser.head.keepAlive, keepAlive, text);
  }
  assert.is(parser.head.server, "a/1");
});

test("tells the bytes of a body, whatever their framing and however they are cut", () => {
  const bodies = {
    "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello world!": "hello world!",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n world!\r\n0\r\n\r\n": "hello world!",
    "HTTP/1.1 200 OK\r\n\r\nhello world!": "hello world!",
    "HTTP/1.1 204 No Content\r\n\r\n": "",
  };
  for (const [text, body] of Object.entries(bodies)) {
    for (let cut = 0; cut <= text.length; cut++) {
      let reported = "";
      const parser = new ResponseParser({
        update: (bytes, start, end) => {
          reported += bytes.toString("latin1", start, end);
        },
      });
      feed(parser, text, [cut]);
      assert.is(reported, body, `cut at ${cut}`);
    }
  }
});

test.run();

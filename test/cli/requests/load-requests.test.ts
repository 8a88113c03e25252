import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunResult } from "../../../src/harness/load/result/run-result.js";
import { loopool } from "../../support/cli.js";
import { withEchoServer } from "../../support/echo-server.js";

const test = suite("what load sends");

const folder = mkdtempSync(join(tmpdir(), "loopool-requests-"));
test.after(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

/** Runs `load` and gives its result and all that it wrote. */
async function load(...args: string[]): Promise<{ result: RunResult; errors: string }> {
  const { code, output, errors } = await loopool("load", "--json", ...args).ended;
  assert.is(code, 0, errors);
  return { result: JSON.parse(output) as RunResult, errors };
}

const bodies: readonly (readonly [args: string[], method: string, type: string | undefined, body: RegExp])[] = [
  [["--body", '{"a":1}'], "POST", "application/json", /^\{"a":1\}$/],
  [["--body", "just text"], "POST", undefined, /^just text$/],
  [["--body", "[1]", "-H", "content-type: text/x"], "POST", "text/x", /^\[1\]$/],
  [["-m", "put", "--body-file", fileOf("r.json", '{"b":2}')], "PUT", "application/json", /^\{"b":2\}$/],
  [["--form", "a=1 2", "--form", "b=ü&"], "POST", "application/x-www-form-urlencoded", /^a=1\+2&b=%C3%BC%26$/],
  [
    ["--form", "a=1", "--form", `f=@${fileOf("x.bin", "file content")}`],
    "POST",
    "multipart/form-data",
    /name="f"; filename="x\.bin"[\s\S]*file content/,
  ],
  [["-m", "DELETE"], "DELETE", undefined, /^$/],
];
for (const [args, method, type, body] of bodies) {
  test(`load ${args.join(" ").replaceAll(folder, "")}`, async () => {
    await withEchoServer(
      () => ({}),
      async ({ port, received }) => {
        const { result } = await load("-n", "3", "-c", "1", ...args, `http://127.0.0.1:${port}/x`);
        assert.equal([result.completed, result.method, received.length], [3, method, 3]);
        const [{ headers, body: got, ...one }] = received as [(typeof received)[number]];
        assert.equal([one.method, one.url, headers["content-type"]?.split(";")[0]], [method, "/x", type]);
        assert.match(got.toString(), body);
      },
    );
  });
}

test("a file with several kinds, filled from a CSV, in every output", async () => {
  fileOf("users.csv", 'id,name\r\n1,"Ann ""A"""\r\n2,Bob\r\n');
  const mix = fileOf(
    "mix.json",
    JSON.stringify({
      schema: "loopool-requests/1",
      fields: "users.csv",
      headers: { "X-All": "yes" },
      requests: [
        { name: "look", weight: 3, path: "/users/{{ id }}" },
        { path: "/users", headers: { "X-Own": ["1", "2"] }, body: { name: "{{name}}" } },
        { name: "=gone", path: "/gone", form: { id: "{{id}}" }, expectStatus: "404" },
      ],
    }),
  );
  const files = [
    "--csv",
    join(folder, "run.csv"),
    "--hgrm",
    join(folder, "run.hgrm"),
    "--json",
    join(folder, "run.json"),
  ];
  await withEchoServer(
    ({ url }) => ({ status: url.startsWith("/api/gone") ? 404 : 200, body: url }),
    async ({ port, received }) => {
      const url = `http://127.0.0.1:${port}/api`;
      const { code, output, errors } = await loopool(
        "load",
        "-n",
        "300",
        "-c",
        "3",
        "--requests-file",
        mix,
        ...files,
        url,
      ).ended;
      assert.is(code, 0, errors);
      const names = ["look", "POST /api/users", "=gone"];
      const result = JSON.parse(readFileSync(join(folder, "run.json"), "utf8")) as RunResult;
      assert.equal(
        result.kinds!.map(({ name }) => name),
        names,
      );
      assert.equal([result.completed, result.method, received.length], [300, "MIX", 300]);
      assert.match(output, /^By kind of request$/m);
      for (const name of names) assert.match(output, new RegExp(`^${name} +\\d+ +0 +[\\d.]+ +[\\d.]+`, "m"));
      const rows = readFileSync(join(folder, "run.csv"), "utf8").split("\r\n");
      assert.equal(
        rows.slice(1, 5).map((row) => row.split(",")[2]),
        ["", "look", "POST /api/users", "'=gone"],
      );
      const looks = result.kinds![0]!.completed;
      assert.match(
        readFileSync(join(folder, "run.1.hgrm"), "utf8"),
        new RegExp(`Total count += +${looks}\\]\n[\\s\\S]*Latencies of look`),
      );
      const post = received.find(({ method, url }) => method === "POST" && url === "/api/users")!;
      assert.ok(['Ann "A"', "Bob"].includes(JSON.parse(post.body.toString()).name));
      assert.equal([post.headers["x-all"], post.headers["x-own"]], ["yes", "1, 2"]);
      assert.ok(received.some(({ url }) => url === "/api/users/2"));
      assert.match(received.find(({ url }) => url === "/api/gone")!.body.toString(), /^id=[12]$/);
    },
  );
});

test("a HAR is read as it was recorded: its host, its bodies, each request as often as it was sent", async () => {
  const entry = (method: string, url: string, status = 200, text?: string) => ({
    request: {
      method,
      url,
      headers: [
        { name: ":authority", value: "shop.example" },
        { name: "Host", value: "shop.example" },
        { name: "If-None-Match", value: "x" },
        { name: "Accept", value: "text/html" },
      ],
      ...(text === undefined ? {} : { postData: { mimeType: "text/plain", text } }),
    },
    response: { status },
  });
  const entries = [
    entry("GET", "https://shop.example/"),
    entry("GET", "https://cdn.example/app.js"),
    entry("GET", "https://shop.example/"),
    entry("POST", "https://shop.example/cart?x=1", 302, "cart"),
  ];
  const har = fileOf("traffic.har", JSON.stringify({ log: { version: "1.2", entries } }));
  await withEchoServer(
    ({ method }) => ({ status: method === "POST" ? 302 : 200 }),
    async ({ port, received }) => {
      const { result, errors } = await load("-n", "90", "--requests-file", har, `http://127.0.0.1:${port}/`);
      assert.equal(
        result.kinds!.map(({ name, errors }) => [name, errors["unexpected-status"]]),
        [
          ["GET /", 0],
          ["POST /cart", 0],
        ],
      );
      assert.is(result.completed, 90);
      assert.match(errors, /1 of the 4 recorded requests did not go to shop\.example/);
      const post = received.find(({ method }) => method === "POST")!;
      assert.equal([post.url, post.body.toString(), post.headers.accept], ["/cart?x=1", "cart", "text/html"]);
      assert.equal([post.headers["if-none-match"], post.headers.host], [undefined, `127.0.0.1:${port}`]);
    },
  );
});

test("a Unix-domain socket, as a URL and as a flag", async () => {
  const socketPath = join(folder, "cli.sock");
  await withEchoServer(
    () => ({}),
    async ({ received }) => {
      await load("-n", "2", "-c", "1", `unix:${socketPath}:/by-url?a=b`);
      await load("-n", "2", "-c", "1", "--unix-socket", socketPath, "http://app/by-flag");
      assert.equal(
        received.map(({ url, headers }) => `${headers.host}${url}`),
        ["localhost/by-url?a=b", "localhost/by-url?a=b", "app/by-flag", "app/by-flag"],
      );
    },
    { socketPath },
  );
});

test("arrivals from a file: as many as it has lines, at their times", async () => {
  const file = fileOf("arrivals.txt", "# seconds\n0\n0.1\n0.1\n0.25\n");
  await withEchoServer(
    () => ({}),
    async ({ port, received }) => {
      const { result } = await load("--arrivals", file, `http://127.0.0.1:${port}/`);
      assert.equal([result.completed, received.length, result.openLoop!.arrivals], [4, 4, "recorded"]);
      assert.ok(result.elapsedSeconds >= 0.25);
    },
  );
});

const url = "http://127.0.0.1:1/";
const mistakes: readonly (readonly [args: string[], message: RegExp])[] = [
  [["--body", "x", "--body-file", "y", url], /--body and --body-file both name the body/],
  [["--body-file", "/nowhere/at-all", url], /--body-file \/nowhere\/at-all cannot be read/],
  [["--form", "novalue", url], /--form must be "name=value" or "name=@file", not "novalue"/],
  [["-m", "BAD METHOD", url], /--method must be the name of a method/],
  [["-m", "CONNECT", url], /--method CONNECT asks for a tunnel/],
  [["--expect-status", "99", url], /--expect-status must be statuses from 200 on/],
  [["-l", "--verify", url], /--variable-length lets bodies differ, and --verify compares them/],
  [["--insecure", url], /--insecure is for https:\/\//],
  [["--ca", "/nowhere/ca.pem", "https://127.0.0.1:1/"], /--ca \/nowhere\/ca\.pem cannot be read/],
  [["ftp://127.0.0.1/"], /http:\/\/, https:\/\/ and unix: can be measured, not ftp:\/\//],
  [["unix:relative.sock:/"], /name the socket by its whole path/],
  [["--ramp", "5", url], /--ramp is of an open loop: give --rate too/],
  [["--arrivals", "even", url], /--arrivals even is of an open loop/],
  [["-R", "5", "--arrivals", "/nowhere", url], /--arrivals must be even, poisson or a file: \/nowhere cannot be read/],
  [["--arrivals", fileOf("bad.txt", "1\n0.5\n"), url], /bad\.txt, line 2: "0\.5" must be the seconds/],
  [["-R", "5", "-t", "1", "--ramp", "2", url], /--ramp 2 is longer than --duration 1/],
  [["--requests-file", fileOf("no.json", "{}"), url], /no\.json: it lacks requests; see schemas/],
  [
    ["--requests-file", fileOf("typo.json", '{"requests":[{"path":"/","methd":"GET"}]}'), url],
    /typo\.json: requests\[0\]/,
  ],
  [
    ["--requests-file", fileOf("two.json", '{"requests":[{"path":"/","body":"x","bodyFile":"y"}]}'), url],
    /body and bodyFile both name the body/,
  ],
  [["--requests-file", "x", "-m", "POST", url], /--method is of one request, and --requests-file has several/],
  [["--fields", fileOf("f.csv", "a\n1\n"), "--body", "{{b}}", url], /\{\{b\}\} of POST \/ is none of the fields a/],
  [
    ["--fields", fileOf("q.csv", 'a\n"1"2\n'), "--body", "{{a}}", url],
    /q\.csv, row 2 has a quote that does not belong there/,
  ],
  [["--fields", fileOf("l.jsonl", '{"a":1}\n{"b":1}\n'), "--body", "{{a}}", url], /l\.jsonl, line 2 has no "a"/],
  [
    ["--driver", "h2load", "-m", "PUT", "--body", "x", url],
    /--driver h2load cannot send a body with PUT: leave out --method/,
  ],
  [["--driver", "ab", "https://127.0.0.1:1/"], /--driver ab is used with http:\/\/ only/],
];
for (const [args, message] of mistakes) {
  test(`load ${args.join(" ").replaceAll(folder, "")} is refused with a remedy`, async () => {
    const { code, output, errors } = await loopool("load", ...args).ended;
    assert.equal([code, output], [2, ""], errors);
    assert.match(errors, message);
  });
}

test.run();

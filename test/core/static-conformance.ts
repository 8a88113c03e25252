import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DEFAULT_FILE_RULES } from "../../src/shared/handlers/representation.js";
import { ask, type Exchange } from "../support/exchange.js";
import { withServer } from "../support/server.js";

const CONTENT = "0123456789abcdefghij";
const MODIFIED = new Date(Date.UTC(1994, 10, 6, 8, 49, 37));
const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
const EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT";
const LATER = "Sun, 06 Nov 1994 08:49:38 GMT";

/** Writes files of one date. */
function write(root: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(root, name), content);
    utimesSync(join(root, name), MODIFIED, MODIFIED);
  }
}

/** Header lines of a request, the status it is to have and, where it is 206, the content. TAG stands for the file's own tag. */
type Case = readonly [lines: readonly string[], status: number, body?: string];

/** RFC 9110 §13, and where the order matters §13.2.2. */
const conditions: readonly Case[] = [
  [[], 200],
  [["If-None-Match: TAG"], 304],
  [["If-None-Match: W/TAG"], 304],
  [["If-None-Match: *"], 304],
  [['If-None-Match: "other"'], 200],
  [['If-None-Match: "a", TAG, "b"'], 304],
  [['If-None-Match: "a" , W/"b",, TAG'], 304],
  [['If-None-Match: "a,b", TAG'], 304],
  [['If-None-Match: "a"', "If-None-Match: TAG"], 304],
  [['If-None-Match: "a TAG"'], 200],
  [["If-None-Match: bare, TAG"], 200],
  [["If-None-Match: "], 200],
  [['If-None-Match: "'], 200],
  [['If-None-Match: "*"'], 200],
  [["If-None-Match: TAGx"], 200],
  [[`If-Modified-Since: ${DATE}`], 304],
  [[`If-Modified-Since: ${LATER}`], 304],
  [[`If-Modified-Since: ${EARLIER}`], 200],
  [["If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"], 304],
  [["If-Modified-Since: Sun Nov  6 08:49:37 1994"], 304],
  [["If-Modified-Since: Sun Nov  6 08:49:36 1994"], 200],
  [["If-Modified-Since: 2020-01-01"], 200],
  [["If-Modified-Since: Sun, 06 Nov 2020 08:49:37 CET"], 200],
  [["If-Modified-Since: tomorrow"], 200],
  [[`If-Modified-Since: ${LATER}`, `If-Modified-Since: ${LATER}`], 200],
  [["If-None-Match: TAG", `If-Modified-Since: ${EARLIER}`], 304],
  [['If-None-Match: "other"', `If-Modified-Since: ${LATER}`], 200],
  [["If-Match: TAG"], 200],
  [["If-Match: *"], 200],
  [['If-Match: "a", TAG'], 200],
  [['If-Match: "a"', "If-Match: TAG"], 200],
  [["If-Match: W/TAG"], 412],
  [['If-Match: "other"'], 412],
  [["If-Match: nonsense"], 412],
  [[`If-Unmodified-Since: ${DATE}`], 200],
  [[`If-Unmodified-Since: ${LATER}`], 200],
  [[`If-Unmodified-Since: ${EARLIER}`], 412],
  [["If-Unmodified-Since: yesterday"], 200],
  [["If-Match: TAG", `If-Unmodified-Since: ${EARLIER}`], 200],
  [['If-Match: "other"', `If-Unmodified-Since: ${LATER}`], 412],
  [["If-Match: TAG", "If-None-Match: TAG"], 304],
  [['If-Match: "other"', "If-None-Match: TAG"], 412],
  [[`If-Unmodified-Since: ${DATE}`, `If-Modified-Since: ${DATE}`], 304],
  [[`If-Unmodified-Since: ${EARLIER}`, `If-Modified-Since: ${DATE}`], 412],
];

/** RFC 9110 §14. */
const ranges: readonly Case[] = [
  [["Range: bytes=0-8"], 206, "012345678"],
  [["Range: bytes=0-0"], 206, "0"],
  [["Range: bytes=19-19"], 206, "j"],
  [["Range: bytes=15-"], 206, "fghij"],
  [["Range: bytes=0-"], 206, CONTENT],
  [["Range: bytes=15-99999"], 206, "fghij"],
  [["Range: bytes=0-99999999999999999999999999"], 206, CONTENT],
  [["Range: bytes=-5"], 206, "fghij"],
  [["Range: bytes=-20"], 206, CONTENT],
  [["Range: bytes=-99999"], 206, CONTENT],
  [["Range: BYTES=1-2"], 206, "12"],
  [["Range: bytes= 1-2 "], 206, "12"],
  [["Range: bytes=,1-2,"], 206, "12"],
  [["Range: bytes=20-"], 416],
  [["Range: bytes=20-30"], 416],
  [["Range: bytes=99999999999999999999999-"], 416],
  [["Range: bytes=-0"], 416],
  [["Range: bytes=5-2"], 200],
  [["Range: bytes=-"], 200],
  [["Range: bytes="], 200],
  [["Range: bytes"], 200],
  [["Range: 0-5"], 200],
  [["Range: bytes=a-b"], 200],
  [["Range: bytes=0x1-5"], 200],
  [["Range: bytes=1.5-5"], 200],
  [["Range: bytes=+1-5"], 200],
  [["Range: bytes=1-2-3"], 200],
  [["Range: bytes=1 - 2"], 200],
  [["Range: bytes=--5"], 200],
  [["Range: lines=0-5"], 200],
  [["Range: bytes=0-1,3-4"], 200],
  [["Range: bytes=0-1", "Range: bytes=3-4"], 200],
  [["Range: bytes=0-1", "If-Range: TAG"], 206, "01"],
  [["Range: bytes=0-1", "If-Range: W/TAG"], 200],
  [["Range: bytes=0-1", 'If-Range: "other"'], 200],
  [["Range: bytes=0-1", "If-Range: *"], 200],
  [["Range: bytes=0-1", `If-Range: ${DATE}`], 206, "01"],
  [["Range: bytes=0-1", `If-Range: ${LATER}`], 200],
  [["Range: bytes=0-1", `If-Range: ${EARLIER}`], 200],
  [["Range: bytes=0-1", "If-Range: Sun Nov  6 08:49:37 1994"], 206, "01"],
  [["Range: bytes=99-", 'If-Range: "other"'], 200],
  [["If-Range: TAG"], 200],
  [["Range: bytes=0-1", "If-None-Match: TAG"], 304],
  [["Range: bytes=99-", "If-None-Match: TAG"], 304],
  [["Range: bytes=0-1", 'If-Match: "other"'], 412],
  [["Range: bytes=0-1", "If-Match: TAG"], 206, "01"],
];

/** RFC 9110 §12.5.3. What is sent where `.br` and `.gz` exist, and where only `.gz` does. */
const acceptEncodings: readonly (readonly [field: string | null, both: string, gzipOnly: string])[] = [
  [null, "identity", "identity"],
  ["", "identity", "identity"],
  ["gzip, deflate, br, zstd", "br", "gzip"],
  ["gzip", "gzip", "gzip"],
  ["GZIP", "gzip", "gzip"],
  ["br", "br", "identity"],
  ["deflate", "identity", "identity"],
  ["*", "br", "gzip"],
  ["*;q=0", "identity", "identity"],
  ["br;q=0, *", "gzip", "gzip"],
  ["gzip;q=0, *;q=0.5", "br", "identity"],
  ["br;q=0.5, gzip;q=0.8", "gzip", "gzip"],
  ["br;q=0.8, gzip;q=0.8", "br", "gzip"],
  ["gzip;q=0", "identity", "identity"],
  ["gzip; q=0.000", "identity", "identity"],
  ["gzip;q=0.001", "gzip", "gzip"],
  ["identity, gzip;q=0.5", "identity", "identity"],
  ["identity;q=0.5, gzip;q=1", "gzip", "gzip"],
  ["identity;q=0, gzip;q=0.1", "gzip", "gzip"],
  ["identity;q=0", "identity", "identity"],
  ["identity;q=0, *;q=0", "identity", "identity"],
  ["gzip;q=nonsense", "identity", "identity"],
  [",, ;;=", "identity", "identity"],
];

/** What every core must do with files. A core's test file calls this with the core's name. */
export function staticConformance(mode: string, front: string): void {
  const test = suite(`${mode} behind ${front}: files`);

  const check = (exchange: Exchange, [lines, status, body]: Case, tag: string, what: string): void => {
    const about = `${what} ${lines.join(" | ")}`;
    const { headers } = exchange;
    assert.is(exchange.status, status, about);
    assert.is(headers.get("x-content-type-options"), status === 304 ? undefined : "nosniff", about);
    switch (status) {
      case 200:
        assert.is(exchange.body, CONTENT, about);
        assert.is(headers.get("content-length"), "20", about);
        assert.equal([headers.get("etag"), headers.get("accept-ranges")], [tag, "bytes"], about);
        break;
      case 206: {
        assert.is(exchange.body, body, about);
        const first = CONTENT.indexOf(body!);
        assert.is(headers.get("content-range"), `bytes ${first}-${first + body!.length - 1}/20`, about);
        assert.is(headers.get("content-length"), String(body!.length), about);
        assert.equal([headers.get("etag"), headers.get("last-modified")], [tag, DATE], about);
        break;
      }
      case 304:
        assert.is(exchange.body, "", about);
        assert.is(headers.get("content-length"), undefined, about);
        assert.equal([headers.get("etag"), headers.get("cache-control")], [tag, "no-cache"], about);
        assert.is(headers.get("content-type"), undefined, about);
        break;
      case 416:
        assert.is(headers.get("content-range"), "bytes */20", about);
        break;
      default:
        assert.is(exchange.body, "412 Precondition Failed\n", about);
    }
  };

  test("preconditions and ranges, of what comes from the disk and from memory", async () => {
    await withServer({ mode, front }, async ({ port, root }) => {
      write(root, { "a.txt": CONTENT });
      const tag = (await ask(port, "GET /a.txt")).headers.get("etag")!;
      assert.match(tag, /^"[!#-~]+"$/, "a strong tag");
      for (const one of [...conditions, ...ranges]) {
        const lines = one[0].map((line) => line.replace("TAG", tag));
        check(await ask(port, "GET /a.txt", lines), one, tag, "GET");
      }
    });
  });

  test("HEAD has the same preconditions, and knows no ranges", async () => {
    await withServer({ mode, front }, async ({ port, root }) => {
      write(root, { "a.txt": CONTENT });
      const tag = (await ask(port, "HEAD /a.txt")).headers.get("etag")!;
      for (const [lines, status] of conditions) {
        const { status: got, body } = await ask(
          port,
          "HEAD /a.txt",
          lines.map((line) => line.replace("TAG", tag)),
        );
        assert.equal([got, body], [status, ""], lines.join(" | "));
      }
      for (const range of ["Range: bytes=0-1", "Range: bytes=99-"]) {
        const { status, body, headers } = await ask(port, "HEAD /a.txt", [range]);
        assert.equal([status, body, headers.get("content-length")], [200, "", "20"], range);
      }
    });
  });

  test("what is not there, or a redirect, takes no notice of preconditions and ranges", async () => {
    await withServer({ mode, front }, async ({ port, root }) => {
      mkdirSync(join(root, "folder"));
      for (const line of ["If-Match: *", "If-None-Match: *", 'If-Match: "x"', "Range: bytes=0-1", "Range: bytes=99-"]) {
        assert.is((await ask(port, "GET /absent", [line])).status, 404, line);
        assert.is((await ask(port, "GET /folder", [line])).status, 301, line);
      }
    });
  });

  test("ranges of files of every size, in memory or too large for it, are the bytes that they name", async () => {
    const bytesOf = (length: number): Buffer =>
      Buffer.from(Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
    const sizes = [1, 65_536, 65_537, 200_000, 900_000];
    const files = Object.fromEntries(sizes.map((size) => [`${size}.bin`, bytesOf(size)]));
    await withServer(
      { mode, front, cacheBytes: 2 ** 20 },
      async ({ port, stats }) => {
        for (const [name, content] of [...Object.entries(files), ...Object.entries(files)]) {
          const size = content.length;
          const wanted = [
            [0, 1],
            [0, size],
            [size - 1, size],
            [size >> 1, size],
            [size >> 2, (size >> 2) + 70_000],
          ];
          for (const [start = 0, end = 0] of wanted) {
            const stop = Math.min(end, size);
            const { status, headers, body } = await ask(port, `GET /${name}`, [`Range: bytes=${start}-${end - 1}`]);
            assert.is(status, 206, `${name} ${start}-${end}`);
            assert.is(headers.get("content-range"), `bytes ${start}-${stop - 1}/${size}`);
            assert.ok(content.subarray(start, stop).equals(Buffer.from(body, "latin1")), `${name} ${start}-${end}`);
          }
          const tag = (await ask(port, `HEAD /${name}`)).headers.get("etag")!;
          assert.is((await ask(port, `GET /${name}`, [`If-None-Match: ${tag}`])).status, 304);
          assert.is((await ask(port, `GET /${name}`, [`Range: bytes=${size}-`])).status, 416);
        }
        assert.ok((await stats()).cache.bypassed > 0, "one of them is too large");
      },
      files,
    );
  });

  test("an empty file: no range of it can be satisfied", async () => {
    await withServer(
      { mode, front },
      async ({ port }) => {
        assert.equal((await ask(port, "GET /empty.txt")).status, 200);
        const { status, headers } = await ask(port, "GET /empty.txt", ["Range: bytes=0-"]);
        assert.equal([status, headers.get("content-range")], [416, "bytes */0"]);
        assert.is((await ask(port, "GET /empty.txt", ["Range: bytes=-5"])).status, 200);
      },
      { "empty.txt": "" },
    );
  });

  test("sends the coding that is preferred of those that lie beside a file, and says that it depends", async () => {
    await withServer({ mode, front }, async ({ port, root }) => {
      write(root, { "a.js": "identity", "a.js.br": "br", "a.js.gz": "gzip" });
      write(root, { "b.js": "identity", "b.js.gz": "gzip", "c.js": "identity" });
      for (const round of ["disk", "memory"]) {
        for (const [field, both, gzipOnly] of acceptEncodings) {
          const lines = field === null ? [] : [`Accept-Encoding: ${field}`];
          for (const [file, coding] of [
            ["a.js", both],
            ["b.js", gzipOnly],
            ["c.js", "identity"],
          ] as const) {
            const { status, headers, body } = await ask(port, `GET /${file}`, lines);
            const about = `${round} ${file} ${field}`;
            assert.equal([status, body], [200, coding], about);
            assert.is(headers.get("content-encoding"), coding === "identity" ? undefined : coding, about);
            assert.is(headers.get("content-type"), "text/javascript; charset=utf-8", about);
            assert.is(headers.get("vary"), file === "c.js" ? undefined : "Accept-Encoding", about);
          }
        }
      }
    });
  });

  test("each coding has a tag of its own; preconditions and ranges are of what was selected", async () => {
    await withServer({ mode, front }, async ({ port, root }) => {
      // The same length and date: nothing but the coding differs.
      write(root, { "a.js": CONTENT, "a.js.br": CONTENT.toUpperCase(), "a.js.gz": [...CONTENT].reverse().join("") });
      const tags = new Map<string, string>();
      for (const coding of ["identity", "br", "gzip"]) {
        const accepts = `Accept-Encoding: ${coding}`;
        const { headers } = await ask(port, "GET /a.js", [accepts]);
        tags.set(coding, headers.get("etag")!);
        const notModified = await ask(port, "GET /a.js", [accepts, `If-None-Match: ${headers.get("etag")}`]);
        assert.is(notModified.status, 304);
        assert.is(notModified.headers.get("vary"), "Accept-Encoding");
        assert.is(
          (await ask(port, "GET /a.js", [accepts, "Range: bytes=0-3", `If-Range: ${headers.get("etag")}`])).status,
          206,
        );
      }
      assert.is(new Set(tags.values()).size, 3);
      assert.is(
        (await ask(port, "GET /a.js", ["Accept-Encoding: br", `If-None-Match: ${tags.get("gzip")}`])).status,
        200,
      );
      const part = await ask(port, "GET /a.js", ["Accept-Encoding: br", "Range: bytes=-2"]);
      assert.equal([part.status, part.body, part.headers.get("content-encoding")], [206, "IJ", "br"]);
      // By its own name it is a file like others.
      const own = await ask(port, "GET /a.js.gz", ["Accept-Encoding: gzip"]);
      assert.equal(
        [own.headers.get("content-encoding"), own.headers.get("content-type")],
        [undefined, "application/gzip"],
      );
    });
  });

  test("a coding that comes or goes is noticed, and one that leads out of the root is not sent", async () => {
    await withServer({ mode, front }, async ({ port, root }) => {
      const accepts = ["Accept-Encoding: br, gzip"];
      const until = async (body: string): Promise<Exchange> => {
        for (;;) {
          const exchange = await ask(port, "GET /a.js", accepts);
          assert.is(exchange.status, 200);
          if (exchange.body === body) return exchange;
        }
      };
      write(root, { "a.js": "identity" });
      assert.is((await until("identity")).headers.get("vary"), undefined);
      write(root, { "a.js.gz": "gzip" });
      await until("gzip");
      symlinkSync("/etc/hostname", join(root, "a.js.br"));
      while (!(await ask(port, "GET /a.js", ["Accept-Encoding: br"])).headers.has("vary")) {}
      assert.is((await ask(port, "GET /a.js", ["Accept-Encoding: br"])).body, "identity");
    });
  });

  test("what is looked at and not sent, or in part, does not stay pinned in the cache", async () => {
    const long = "x".repeat(200_000);
    await withServer({ mode, workers: 2 }, async ({ port, root, stats }) => {
      const names = ["a.js", "a.js.br", "b.js"];
      write(root, Object.fromEntries(names.map((name) => [name, long])));
      const tag = (await ask(port, "HEAD /b.js")).headers.get("etag");
      for (let round = 0; round < 5; round++) {
        for (const [path, line, status] of [
          ["/b.js", `If-None-Match: ${tag}`, 304],
          ["/b.js", 'If-Match: "other"', 412],
          ["/b.js", "Range: bytes=200000-", 416],
          ["/b.js", "Range: bytes=0-9", 206],
          ["/b.js", "Range: bytes=0-99999", 206],
          ["/b.js", "X-Nothing: of this", 200],
          ["/a.js", "Accept-Encoding: br", 200],
          ["/a.js", "Accept-Encoding: gzip", 200],
        ] as const) {
          assert.is((await ask(port, `GET ${path}`, [line])).status, status, line);
        }
        assert.is((await ask(port, "HEAD /b.js", ["Range: bytes=0-9"])).status, 200);
      }
      // The level is looked up now and then, not counted.
      while ((await stats()).cache.bytes < 600_000) {}
      for (const name of names) unlinkSync(join(root, name));
      const gone = async (): Promise<boolean> => {
        const statuses = await Promise.all(
          ["/a.js", "/b.js"].map(async (path) => (await ask(port, `GET ${path}`, ["Accept-Encoding: br"])).status),
        );
        return statuses.every((status) => status === 404);
      };
      while (!(await gone())) {}
      // The coding is never asked for again; all else must be gone.
      while ((await stats()).cache.bytes > 201_000) {}
    });
  });

  test("refuses every way out of the root and every hidden name, but for .well-known", async () => {
    await withServer({ mode, front }, async ({ port, root }) => {
      mkdirSync(join(root, "folder"));
      mkdirSync(join(root, ".well-known"));
      mkdirSync(join(root, ".git"));
      write(root, { "index.html": "page", ".env": "secret", ".git/config": "secret", ".well-known/acme": "token" });
      write(root, { "folder/a b.txt": "spaced", "ä.txt": "umlaut", "100%.txt": "percent" });
      symlinkSync("/etc", join(root, "out"));
      symlinkSync("/etc/hostname", join(root, "file"));
      symlinkSync("folder", join(root, "inside"));
      symlinkSync("loop", join(root, "loop"));
      // To open one for reading waits for who writes into it.
      execFileSync("mkfifo", [join(root, "fifo")]);
      const cases: readonly (readonly [path: string, status: number])[] = [
        ["/../etc/hostname", 404],
        ["/folder/../../etc/hostname", 404],
        ["/%2e%2e/etc/hostname", 404],
        ["/..%2fetc%2fhostname", 404],
        ["/%2e%2e%2fetc%2fhostname", 404],
        ["/folder/%2e%2e/index.html", 404],
        ["/%252e%252e/etc/hostname", 404],
        ["/..%c0%afetc/hostname", 400],
        ["/..%5cetc", 400],
        ["/..\\etc", 400],
        ["/a%00.html", 400],
        ["/%", 400],
        ["/%4", 400],
        ["/%g0", 400],
        ["/%ff", 400],
        ["/%ed%a0%80", 400],
        ["/.env", 404],
        ["/%2eenv", 404],
        ["/.git/config", 404],
        ["/.git", 404],
        ["/.well-known/acme", 200],
        ["/.well-known/.env", 404],
        ["/.well-known-too", 404],
        ["/out/hostname", 404],
        ["/out", 404],
        ["/file", 404],
        ["/loop", 404],
        ["/fifo", 404],
        ["/inside/a%20b.txt", 200],
        ["/inside", 301],
        ["/folder", 301],
        ["/folder/", 404],
        ["/folder//a%20b.txt", 200],
        ["//folder/a%20b.txt", 200],
        ["/folder%2fa%20b.txt", 200],
        ["/%c3%a4.txt", 200],
        ["/100%25.txt", 200],
        ["/index.html/", 404],
        ["/index.html/x", 404],
        [`/${"x".repeat(255)}`, 404],
        [`/${"x".repeat(256)}`, 404],
        [`/${"x/".repeat(2100)}`, 404],
        ["/", 200],
      ];
      for (const round of ["first", "again"]) {
        for (const [path, status] of cases) {
          const { status: got, body } = await ask(port, `GET ${path}`);
          assert.is(got, status, `${round} ${path.slice(0, 300)}`);
          assert.not.ok(body.includes("secret"), path);
        }
      }
    });
  });

  test("a file that is replaced by a link out of the root is not served for longer than a second", async () => {
    await withServer({ mode, front }, async ({ port, root }) => {
      write(root, { "a.txt": "inside" });
      assert.is((await ask(port, "GET /a.txt")).body, "inside");
      const link = join(root, "link");
      symlinkSync("/etc/hostname", link);
      renameSync(link, join(root, "a.txt"));
      let exchange = await ask(port, "GET /a.txt");
      while (exchange.status === 200) {
        assert.is(exchange.body, "inside");
        exchange = await ask(port, "GET /a.txt");
      }
      assert.is(exchange.status, 404);
    });
  });

  test("redirects a folder to its slash, its name and the query as they came", async () => {
    await withServer({ mode, front }, async ({ port, root }) => {
      mkdirSync(join(root, "ä b"));
      const cases = [
        ["/%C3%A4%20b?q=%20", "/%C3%A4%20b/?q=%20"],
        ["//%C3%A4%20b?q=//x/", "/%C3%A4%20b/?q=//x/"],
        ["/%c3%a4%20b?", "/%c3%a4%20b/"],
      ] as const;
      for (const [path, location] of cases) {
        const { status, headers } = await ask(port, `GET ${path}`);
        assert.equal([status, headers.get("location")], [301, location]);
      }
    });
  });

  test("tells browsers for how long they may keep a file, by its kind", async () => {
    const immutable = "public, max-age=31536000, immutable";
    const files = { immutable: "[.-][0-9a-f]{8}\\.|^/assets/", maxAgeSeconds: 60, csp: null };
    await withServer({ mode, front, files }, async ({ port, root }) => {
      mkdirSync(join(root, "assets"));
      write(root, { "index.html": "", "a.css": "", "a-0a1b2c3d.css": "", "assets/x": "", "a-0a1b2c3d.html": "" });
      const cases = [
        ["/", "no-cache"],
        ["/a-0a1b2c3d.html", "no-cache"],
        ["/a.css", "public, max-age=60"],
        ["/a-0a1b2c3d.css", immutable],
        ["/assets/x", immutable],
        ["/absent", "no-store"],
      ] as const;
      for (const [path, value] of cases) {
        assert.is((await ask(port, `GET ${path}`)).headers.get("cache-control"), value, path);
      }
    });
  });

  test("pages have security headers, other files only the one that forbids guessing their type", async () => {
    const names = ["content-security-policy", "x-frame-options", "referrer-policy", "x-content-type-options"];
    const of = ({ headers }: Exchange) => names.map((name) => headers.get(name));
    const site = { "index.html": "page", "a.svg": "<svg/>", "a.txt": "text" };
    await withServer(
      { mode, front },
      async ({ port }) => {
        for (const path of ["/", "/index.html", "/a.svg"]) {
          const all = [DEFAULT_FILE_RULES.csp, "SAMEORIGIN", "same-origin", "nosniff"];
          assert.equal(of(await ask(port, `GET ${path}`)), all, path);
        }
        for (const path of ["/a.txt", "/absent", "/hello", "/stats.json", "/metrics"]) {
          assert.equal(of(await ask(port, `GET ${path}`)), [undefined, undefined, undefined, "nosniff"], path);
        }
      },
      site,
    );
    const files = { immutable: null, maxAgeSeconds: 0, csp: null };
    await withServer(
      { mode, front, files },
      async ({ port }) => {
        assert.equal(of(await ask(port, "GET /")), [undefined, undefined, "same-origin", "nosniff"]);
      },
      site,
    );
  });

  test("a file from the future has no date, and its tag all the same", async () => {
    await withServer(
      { mode, front },
      async ({ port, root }) => {
        const future = new Date(Date.now() + 86_400_000);
        utimesSync(join(root, "a.txt"), future, future);
        const { headers } = await ask(port, "GET /a.txt");
        assert.is(headers.get("last-modified"), undefined);
        const { status } = await ask(port, "GET /a.txt", [`If-None-Match: ${headers.get("etag")}`]);
        assert.is(status, 304);
        assert.is((await ask(port, "GET /a.txt", [`If-Modified-Since: ${future.toUTCString()}`])).status, 200);
      },
      { "a.txt": CONTENT },
    );
  });

  test("shows the site's own pages for 404 and 500, with their type and length, and no page of a link", async () => {
    const pages = {
      "404.html": "<!doctype html><title>not here</title>",
      "500.html": "<!doctype html><title>failed</title>",
    };
    await withServer(
      { mode, front },
      async ({ port }) => {
        for (const path of ["/absent", "/.hidden", "/folder/absent.css"]) {
          const { status, headers, body } = await ask(port, `GET ${path}`);
          assert.equal([status, body], [404, pages["404.html"]], path);
          assert.equal(
            ["content-type", "cache-control", "content-security-policy", "etag"].map((name) => headers.get(name)),
            ["text/html; charset=utf-8", "no-store", DEFAULT_FILE_RULES.csp, undefined],
          );
        }
        const head = await ask(port, "HEAD /absent");
        assert.equal([head.status, head.body], [404, ""]);
        assert.is(head.headers.get("content-length"), String(pages["404.html"].length));
        for (const path of mode === "pool" ? ["/throws", "/rejects", "/exits"] : ["/throws", "/rejects"]) {
          const { status, body } = await ask(port, `GET ${path}`);
          assert.equal([status, body], [500, pages["500.html"]], path);
        }
        assert.is((await ask(port, "GET /%zz")).body.startsWith("400 Bad Request: "), true);
      },
      pages,
    );
    await withServer({ mode, front }, async ({ port }) => {
      assert.is((await ask(port, "GET /absent")).body, "404 Not Found\n");
      assert.is((await ask(port, "GET /throws")).body, "500 Internal Server Error\n");
    });
  });

  test.run();
}

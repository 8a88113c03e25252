import { mkdirSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ask, type Exchange } from "../support/exchange.js";
import { withServer } from "../support/server.js";
import { acceptEncodings, type Case, CONTENT, conditions, DATE, ranges, write } from "./static-cases.js";

/** What every core must do with preconditions, ranges and codings of files. A core's test file calls this with the core's name. */
export function staticConformance(mode: string, adapter: string): void {
  const test = suite(`${mode} behind ${adapter}: files`);

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
    await withServer({ mode, adapter }, async ({ port, root }) => {
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
    await withServer({ mode, adapter }, async ({ port, root }) => {
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
    await withServer({ mode, adapter }, async ({ port, root }) => {
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
      { mode, adapter, cacheBytes: 2 ** 20 },
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
      { mode, adapter },
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
    await withServer({ mode, adapter }, async ({ port, root }) => {
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
    await withServer({ mode, adapter }, async ({ port, root }) => {
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
    await withServer({ mode, adapter }, async ({ port, root }) => {
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
    await withServer({ mode, adapter, workers: 2 }, async ({ port, root, stats }) => {
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

  test.run();
}

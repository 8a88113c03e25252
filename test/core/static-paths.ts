import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DEFAULT_FILE_RULES } from "../../src/shared/default-config.js";
import { ask, type Exchange } from "../support/exchange.js";
import { RawClient } from "../support/raw-client.js";
import { readResponses } from "../support/responses.js";
import { withServer } from "../support/server.js";
import { CONTENT, write } from "./static-cases.js";

/** What every core must do with paths, and say of files beside their bytes. A core's test file calls this with the core's name. */
export function staticPaths(mode: string, adapter: string): void {
  const test = suite(`${mode} behind ${adapter}: paths and fields of files`);

  test("refuses every way out of the root and every hidden name, but for .well-known", async () => {
    await withServer({ mode, adapter }, async ({ port, root }) => {
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
    await withServer({ mode, adapter }, async ({ port, root }) => {
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
    await withServer({ mode, adapter }, async ({ port, root }) => {
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
    await withServer({ mode, adapter, files }, async ({ port, root }) => {
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
      { mode, adapter },
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
      { mode, adapter, files },
      async ({ port }) => {
        assert.equal(of(await ask(port, "GET /")), [undefined, undefined, "same-origin", "nosniff"]);
      },
      site,
    );
  });

  test("a file from the future has no date, and its tag all the same", async () => {
    await withServer(
      { mode, adapter },
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
      { mode, adapter },
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
    await withServer({ mode, adapter }, async ({ port }) => {
      assert.is((await ask(port, "GET /absent")).body, "404 Not Found\n");
      assert.is((await ask(port, "GET /throws")).body, "500 Internal Server Error\n");
    });
  });

  test("what the server answers itself says that it is not to be kept, nor its type guessed", async () => {
    const limits = { maxBodyBytes: 100, maxUrlBytes: 200, maxHeadBytes: 1000 };
    await withServer({ mode, adapter, limits, adminToken: "secret" }, async ({ port, root }) => {
      mkdirSync(join(root, "folder"));
      const cases: readonly (readonly [request: string, lines: readonly string[], status: number])[] = [
        ["GET /folder", [], 301],
        ["GET /%zz", [], 400],
        ["GET /a#b", [], 400],
        ["GET /stats.json", [], 401],
        ["GET /absent", [], 404],
        ["POST /hello", [], 405],
        ["GET /hello", ["Content-Length: 101"], 413],
        [`GET /${"x".repeat(300)}`, [], 414],
        ["GET /hello", ["Expect: nothing"], 417],
        ["GET /hello", [`X-Long: ${"x".repeat(1000)}`], 431],
        ["GET /throws", [], 500],
        ["MKCOL /hello", [], 501],
      ];
      const reported = ({ status, headers }: Exchange) => [
        status,
        headers.get("cache-control"),
        headers.get("x-content-type-options"),
      ];
      for (const [request, lines, status] of cases) {
        assert.equal(reported(await ask(port, request, lines)), [status, "no-store", "nosniff"], request);
      }
    });
    await withServer({ mode, adapter, limits: { maxConnections: 1 } }, async ({ port }) => {
      const first = await RawClient.open(port);
      first.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
      await first.receive((text) => text.includes("\r\n\r\n"));
      const second = await RawClient.open(port);
      const [refused] = readResponses(await second.receiveToEnd(), true);
      first.socket.destroy();
      second.socket.destroy();
      assert.is(refused?.status, 503);
      assert.match(refused!.head, /\r\ncache-control: no-store\r\n/i);
      assert.match(refused!.head, /\r\nx-content-type-options: nosniff\r\n/i);
    });
  });

  test.run();
}

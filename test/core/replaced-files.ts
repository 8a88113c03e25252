import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ask } from "../support/exchange.js";
import { RawClient } from "../support/raw-client.js";
import { withServer } from "../support/server.js";

const CACHE_BYTES = 2 ** 20;
/** More than half a shard of such a cache. */
const LARGE_BYTES = 600_000;
/** A date that all files of a build have that can be repeated (SOURCE_DATE_EPOCH). */
const EPOCH = new Date(315_532_800_000);

/** Files of a folder that this process, and so each of its servers, has open; null where the system does not say. */
function openBelow(folder: string): readonly string[] | null {
  if (process.platform !== "linux") return null;
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`);
      return file.startsWith(folder) ? [file] : [];
    } catch {
      return [];
    }
  });
}

/** Puts another file in the place of one, which is there at any moment. */
function replace(file: string, content: string | Uint8Array, date?: Date): void {
  writeFileSync(`${file}.new`, content);
  if (date !== undefined) utimesSync(`${file}.new`, date, date);
  renameSync(`${file}.new`, file);
}

/** What every core must do with files that others replace meanwhile. A core's test file calls this with the core's name. */
export function replacedFiles(mode: string, adapter: string): void {
  const test = suite(`${mode} behind ${adapter}: files that are replaced`);

  test("a large file that is replaced under load is whole and of one version in each answer", async () => {
    const ANSWERS = 200;
    await withServer({ mode, adapter, cacheBytes: CACHE_BYTES }, async ({ port, root, stats }) => {
      const file = join(root, "large.bin");
      let version = 0;
      // Their lengths differ, so that a head of one does not fit the bytes of another.
      const write = (): void => replace(file, Buffer.alloc(LARGE_BYTES + (version % 7), 65 + (version++ % 26)));
      write();
      let answers = 0;
      const client = async (): Promise<void> => {
        while (answers++ < ANSWERS) {
          const { status, headers, body } = await ask(port, "GET /large.bin");
          assert.is(status, 200);
          assert.is(headers.get("content-length"), String(body.length));
          assert.ok(body.length >= LARGE_BYTES);
          assert.is(body, body.charAt(0).repeat(body.length));
        }
      };
      const replacing = setInterval(write, 1);
      await Promise.all([client(), client(), client(), client()]).finally(() => clearInterval(replacing));
      assert.ok(version > 10, `${version} versions`);
      assert.is((await stats()).aborted, 0);
    });
  });

  test("a large file that is emptied and written anew under load is never an answer without an end", async () => {
    const ANSWERS = 300;
    await withServer({ mode, adapter, cacheBytes: CACHE_BYTES }, async ({ port, root }) => {
      const file = join(root, "large.bin");
      const content = Buffer.alloc(LARGE_BYTES, "x");
      writeFileSync(file, content);
      let answers = 0;
      const client = async (): Promise<void> => {
        while (answers++ < ANSWERS) {
          // Throws for half a head.
          const { status, headers, body } = await ask(port, "GET /large.bin");
          assert.ok(status === 200 || status === 503, String(status));
          const bytes = Number(headers.get("content-length"));
          // What has begun can only be cut off.
          assert.ok(body.length <= bytes);
          assert.ok(bytes === 0 || body.length > 0, `nothing of ${bytes} bytes`);
        }
      };
      const writing = setInterval(() => writeFileSync(file, content), 1);
      await Promise.all([client(), client(), client(), client()]).finally(() => clearInterval(writing));
    });
  });

  test("no file stays open for an answer that is not sent, or in part, or to nobody", async () => {
    await withServer(
      { mode, adapter, workers: 2, cacheBytes: CACHE_BYTES },
      async ({ port, root, stats }) => {
        const tag = (await ask(port, "HEAD /large.js")).headers.get("etag");
        for (const [line, status, headStatus] of [
          [`If-None-Match: ${tag}`, 304, 304],
          ['If-Match: "other"', 412, 412],
          [`Range: bytes=${LARGE_BYTES}-`, 416, 200],
          ["Range: bytes=0-9", 206, 200],
          ["X-Nothing: of this", 200, 200],
          ["Accept-Encoding: br", 200, 200],
        ] as const) {
          const exchanges = await Promise.all(Array.from({ length: 8 }, () => ask(port, "GET /large.js", [line])));
          for (const exchange of exchanges) assert.is(exchange.status, status, line);
          assert.is((await ask(port, "HEAD /large.js", [line])).status, headStatus, line);
        }
        const handler = `/sends-file?file=${encodeURIComponent(join(root, "large.js"))}&bytes=10`;
        assert.is((await ask(port, `HEAD ${handler}`)).status, 200);
        for (let i = 0; i < 20; i++) {
          const client = await RawClient.open(port);
          client.send("GET /large.js HTTP/1.1\r\nHost: x\r\n\r\n");
          if (i % 2 === 0) await client.receive((text) => text.length > 0);
          client.socket.resetAndDestroy();
        }
        while ((await stats()).inFlight > 1) {}
        while ((openBelow(root) ?? []).length > 0) await new Promise((resolve) => setImmediate(resolve));
      },
      { "large.js": new Uint8Array(LARGE_BYTES), "large.js.br": new Uint8Array(LARGE_BYTES + 1) },
    );
  });

  for (const [how, change] of [
    ["by another", (file: string, content: string) => replace(file, content, EPOCH)],
    [
      "in its place",
      (file: string, content: string) => {
        writeFileSync(file, content);
        utimesSync(file, EPOCH, EPOCH);
      },
    ],
  ] as const) {
    test(`a file that is replaced ${how}, of the same length and date, is noticed, and its tag changes`, async () => {
      await withServer({ mode, adapter }, async ({ port, root }) => {
        const file = join(root, "a.txt");
        change(file, "old");
        const before = await ask(port, "GET /a.txt");
        assert.equal([before.status, before.body], [200, "old"]);
        change(file, "new");
        assert.is(statSync(file).mtimeMs, EPOCH.getTime());
        const tag = before.headers.get("etag")!;
        let after = before;
        while (after.body === "old") after = await ask(port, "GET /a.txt");
        assert.equal([after.status, after.body], [200, "new"]);
        assert.is(after.headers.get("last-modified"), before.headers.get("last-modified"));
        assert.is.not(after.headers.get("etag"), tag);
        assert.is((await ask(port, "GET /a.txt", [`If-None-Match: ${tag}`])).status, 200);
        assert.is((await ask(port, "GET /a.txt", [`If-Match: ${tag}`])).status, 412);
        assert.is((await ask(port, "GET /a.txt", ["Range: bytes=0-0", `If-Range: ${tag}`])).body, "new");
        // Back again it is what it was: the tag is of the content.
        change(file, "old");
        while (after.body === "new") after = await ask(port, "GET /a.txt");
        assert.equal([after.body, after.headers.get("etag")], ["old", tag]);
      });
    });
  }

  test("copies of a site agree on tags, whatever their inodes, and a streamed file has a weak one", async () => {
    const tags = async (date: Date): Promise<readonly (string | undefined)[]> => {
      const found: (string | undefined)[] = [];
      await withServer({ mode, adapter, cacheBytes: CACHE_BYTES }, async ({ port, root }) => {
        for (const [name, content] of [
          ["a.txt", "content"],
          ["large.bin", new Uint8Array(LARGE_BYTES)],
        ] as const) {
          replace(join(root, name), content, name === "a.txt" ? date : EPOCH);
          found.push((await ask(port, `GET /${name}`)).headers.get("etag"));
        }
        const [, weak = ""] = found;
        const strong = weak.replace("W/", "");
        for (const [lines, status] of [
          [[`If-None-Match: ${weak}`], 304],
          [[`If-None-Match: ${strong}`], 304],
          [["Range: bytes=0-1", `If-Range: ${weak}`], 200],
          [["Range: bytes=0-1", `If-Range: ${strong}`], 200],
          [["Range: bytes=0-1", `If-Range: ${EPOCH.toUTCString()}`], 206],
          [[`If-Match: ${weak}`], 412],
          [["If-Match: *"], 200],
        ] as const) {
          assert.is((await ask(port, "GET /large.bin", lines)).status, status, lines.join(" | "));
        }
      });
      return found;
    };
    const [strong, weak] = await tags(EPOCH);
    assert.match(strong!, /^"[!#-~]+"$/);
    assert.match(weak!, /^W\/"[!#-~]+"$/);
    // Another date, too: the same content is the same.
    assert.equal(await tags(new Date(EPOCH.getTime() + 5000)), [strong, weak]);
  });

  test("a root that is a link is followed where a deployment leads it, and what it led to before is not served again", async () => {
    const base = mkdtempSync(join(tmpdir(), "loopool-releases-"));
    const root = join(base, "current");
    const paths = ["/", "/a.txt", "/sub/b.txt", "/large.bin", "/absent", "/.hidden"];
    const release = (name: string): void => {
      mkdirSync(join(base, name, "sub"), { recursive: true });
      const text = `${name} `;
      // Of one length and date in all releases.
      for (const file of ["index.html", "a.txt", "sub/b.txt", "404.html", "500.html"]) {
        replace(join(base, name, file), text, EPOCH);
      }
      replace(join(base, name, "large.bin"), text.repeat(LARGE_BYTES / text.length), EPOCH);
    };
    const lead = (name: string): void => {
      symlinkSync(name, `${root}.new`);
      renameSync(`${root}.new`, root);
    };
    try {
      release("one");
      release("two");
      lead("one");
      await withServer({ mode, adapter, root, workers: 2, cacheBytes: CACHE_BYTES }, async ({ port }) => {
        const shows = async (path: string): Promise<string> => (await ask(port, `GET ${path}`)).body.slice(0, 3);
        for (const path of paths) assert.is(await shows(path), "one", path);
        for (const name of ["two", "six"]) {
          if (name === "six") release(name);
          lead(name);
          for (const path of paths) {
            for (let shown = ""; shown !== name; ) {
              shown = await shows(path);
              assert.ok(["one", "two", "six"].includes(shown), `${path}: ${shown}`);
            }
          }
          // Each has been looked at again by now, in one thread at least, and is old in the others within the same second.
          const until = performance.now() + 1000;
          while (performance.now() < until) for (const path of paths) await shows(path);
          for (let round = 0; round < 5; round++) {
            for (const path of paths) assert.is(await shows(path), name, path);
          }
          // A file that is not there makes a worker that sleeps look up what it has begun.
          while ((await shows("/throws")) !== name) await shows("/absent");
          if (name === "two") rmSync(join(base, "one"), { recursive: true });
          for (const path of paths) assert.is(await shows(path), name, path);
        }
      });
    } finally {
      rmSync(base, { recursive: true });
    }
  });

  test.run();
}

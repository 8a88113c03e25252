import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { keyOf, openBelow, readStart, versionOf } from "../../../src/shared/static/disk-file.js";
import { SiteRoot } from "../../../src/shared/static/site-root.js";

const test = suite("files on the disk");

/** Calls `use` with the folder of a site, beside which there is one that is not to be seen. */
async function withSite(use: (root: string) => Promise<void>): Promise<void> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "loopool-disk-")));
  try {
    for (const folder of ["site", "site/folder", "site-not", "outside"]) {
      mkdirSync(join(base, folder));
      writeFileSync(join(base, folder, "a.txt"), folder);
    }
    writeFileSync(join(base, "site/a.txt.gz"), "coded");
    const links = { "site/out": "../outside", "site/beside": "../site-not", "site/in": "folder", "site/self": "self" };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(base, name));
    await use(join(base, "site"));
  } finally {
    rmSync(base, { recursive: true });
  }
}

for (const [how, descriptors] of [
  ["by where the open file lies", process.platform === "linux" ? "/proc/self/fd" : null],
  ["by name, where the system does not tell", null],
] as const) {
  test(`only what lies in the root is opened, ${how}`, async () => {
    await withSite(async (folder) => {
      const root = new SiteRoot(folder);
      const content = async (name: string, coding: "gzip" | null = null): Promise<string | null> => {
        const handle = await openBelow(root, keyOf(join(folder, name), coding), descriptors);
        if (handle === null) return null;
        const { body } = await readStart(handle, 100);
        await handle.close();
        return Buffer.from(body).toString();
      };
      assert.is(await content("a.txt"), "site");
      assert.is(await content("a.txt", "gzip"), "coded");
      assert.is(await content("in/a.txt"), "site/folder");
      assert.is(await content("out/a.txt"), null);
      assert.is(await content("beside/a.txt"), null, "a folder whose name begins like the root's");
      assert.is(await content("../outside/a.txt"), null);
      for (const [name, code] of [
        ["absent.txt", "ENOENT"],
        ["a.txt/a.txt", "ENOTDIR"],
        ["self/a.txt", "ELOOP"],
      ] as const) {
        const error = await content(name).catch((reason: NodeJS.ErrnoException) => reason.code);
        assert.is(error, code, name);
      }
    });
  });
}

test("where the root leads to is looked up once a second, and when a file lies elsewhere", async () => {
  await withSite(async (folder) => {
    const link = `${folder}-link`;
    const lead = (target: string): void => {
      symlinkSync(target, `${link}.new`);
      renameSync(`${link}.new`, link);
    };
    lead("site");
    let nowMs = 0;
    const root = new SiteRoot(link, () => nowMs);
    assert.is(root.below(join(link, "x/y")), "/x/y");
    assert.is(new SiteRoot("/", () => nowMs).below("/x/y"), "/x/y");
    assert.is(await root.contains(folder), true);
    const outside = join(folder, "../outside");
    lead("outside");
    nowMs = 999;
    assert.is(root.folder(), `${folder}/`);
    assert.is(await root.contains(join(folder, "a.txt")), true);
    nowMs = 1000;
    assert.is(await root.folder(), `${outside}/`);
    assert.is(await root.contains(join(folder, "a.txt")), false);
    lead("site");
    assert.is(await root.contains(join(folder, "a.txt")), true, "at once, for what lies where it leads to now");
  });
});

test("a version tells files of the same length and date apart", async () => {
  await withSite(async (folder) => {
    const root = new SiteRoot(folder);
    const versions: string[] = [];
    for (const name of ["a.txt", "in/a.txt"]) {
      writeFileSync(join(folder, name), "same");
      utimesSync(join(folder, name), 0, 0);
      const handle = (await openBelow(root, join(folder, name)))!;
      const found = await handle.stat({ bigint: true });
      await handle.close();
      assert.equal([found.size, found.mtimeNs], [4n, 0n]);
      versions.push(versionOf(found));
    }
    assert.is.not(versions[0], versions[1]);
  });
});

test.run();

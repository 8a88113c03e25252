import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DEFAULT_FILE_RULES } from "../../../src/shared/default-config.js";
import { type FileFacts, headOf, parseHead } from "../../../src/shared/static/representation.js";

const test = suite("what is said of a file");

const facts: FileFacts = { path: "/a.txt", modifiedMs: 1000.25, etag: '"tag"', coding: null, codings: [] };
const of = (changes: Partial<FileFacts>) => parseHead(headOf({ ...facts, ...changes }, DEFAULT_FILE_RULES, 2_000_000));
const fieldOf = (changes: Partial<FileFacts>, name: string): string | undefined => {
  const { fields } = of(changes).ok;
  const at = fields.indexOf(name);
  return at === -1 ? undefined : fields[at + 1];
};

test("without a rule of the user's, names with a hash in them never change, and no others", () => {
  const isImmutable = (path: string) => fieldOf({ path }, "Cache-Control")!.includes("immutable");
  for (const path of ["/app.0a1b2c3d.js", "/app-0123456789abcdef.css", "/x/y-d41d8cd98f00b204e9800998ecf8427e.woff2"]) {
    assert.ok(isImmutable(path), path);
  }
  for (const path of [
    "/app.js",
    "/report-20240101.csv",
    "/1.2.3.js",
    "/my-document.txt",
    "/facade-decade.js",
    "/jquery-3.7.1.min.js",
    "/0a1b2c3d.js",
    "/app.0a1b2c3.js",
    "/app.0A1B2C3D.js",
    "/a-0a1b2c3d/app.js",
    "/app.0a1b2c3d",
    "/app.0a1b2c3d.html",
  ]) {
    assert.not.ok(isImmutable(path), path);
  }
});

test("what is being changed has nothing that could be taken for its version", () => {
  const { ok, etag, lastModifiedMs } = of({ etag: null });
  assert.equal([etag, lastModifiedMs], ["", null]);
  assert.equal(ok.fields.slice(0, 4), ["Content-Type", "text/plain; charset=utf-8", "Cache-Control", "no-store"]);
  for (const name of ["ETag", "Last-Modified", "Accept-Ranges"]) assert.not.ok(ok.fields.includes(name), name);
});

test.run();

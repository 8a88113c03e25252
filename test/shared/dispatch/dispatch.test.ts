import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { defaultConfig } from "../../../src/shared/default-config.js";
import { createDispatch } from "../../../src/shared/dispatch/dispatch.js";
import { FailureLog } from "../../../src/shared/failure-log.js";
import { createSharedState, threadContext } from "../../../src/shared/handlers/context.js";
import type { Dispatch } from "../../../src/shared/handlers/handler.js";
import { badResults, thrown } from "../../core/fixtures/results.js";
import { requestOf } from "../../support/requests.js";

const test = suite("dispatch");

/** Every line that is logged, as if a second passed between two. */
async function withDispatch(use: (dispatch: Dispatch, lines: string[]) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "loopool-dispatch-"));
  const handlers = fileURLToPath(new URL("../../core/fixtures/results.js", import.meta.url));
  const config = { ...defaultConfig(), root, handlers, cacheBytes: 2 ** 20 };
  const lines: string[] = [];
  let seconds = 0;
  const failures = new FailureLog(
    (line) => lines.push(line),
    () => ++seconds * 1000,
  );
  try {
    const context = threadContext(createSharedState(config, 0, { iterationsPerMicro: 1, uws: "" }), 0);
    await use(await createDispatch(context, failures), lines);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test("what is logged of a failure names the route, the part that is wrong, and what to use", async () => {
  await withDispatch(async (dispatch, lines) => {
    for (const [path, [, expected]] of Object.entries({ ...badResults, ...thrown })) {
      for (const query of ["", "later"]) {
        const { status } = await dispatch(requestOf(path, { query }));
        assert.is(status, 500, path);
        const line = lines.pop() ?? "";
        assert.ok(line.startsWith("loopool: "), line);
        assert.match(line.slice("loopool: ".length), expected);
        assert.not.match(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u, "nothing that a terminal obeys");
        assert.ok(line.length < 5000, "no line is longer than a screen");
      }
    }
    assert.equal(lines, []);
  });
});

test("equal header fields are one block from the second answer on, however often they are made anew", async () => {
  await withDispatch(async (dispatch) => {
    const blocks = new Set<unknown>();
    for (let i = 0; i < 100; i++) {
      const response = await dispatch(requestOf("/headers-object"));
      if (i > 0) blocks.add(response.headers);
    }
    assert.is(blocks.size, 1);
  });
});

test.run();

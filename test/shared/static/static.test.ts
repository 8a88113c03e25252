import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { defaultConfig } from "../../../src/shared/default-config.js";
import { createSharedState, threadContext } from "../../../src/shared/handlers/context.js";
import { staticFiles } from "../../../src/shared/static/static.js";
import { requestOf } from "../../support/requests.js";

const test = suite("files without an adapter");

test("a redirect never has what a URI may not have, whatever an adapter lets through", async () => {
  const root = mkdtempSync(join(tmpdir(), "loopool-static-"));
  try {
    mkdirSync(join(root, "ä €"));
    const config = { ...defaultConfig(), root, cacheBytes: 2 ** 20 };
    const files = staticFiles(threadContext(createSharedState(config, 0, { iterationsPerMicro: 1, uws: "" }), 0));
    const { status, headers } = await files(requestOf("/ä €", { query: "ü=\r\n%20" }));
    assert.is(status, 301);
    const fields = "fields" in headers ? (headers.fields as readonly string[]) : [];
    assert.is(fields[fields.indexOf("Location") + 1], "/%C3%A4%20%E2%82%AC/?%C3%BC=%0D%0A%20");
  } finally {
    rmSync(root, { recursive: true });
  }
});

test.run();

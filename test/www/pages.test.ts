import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packageRoot } from "../../src/shared/package-root.js";
import { browsing, withPage } from "../support/browser.js";
import { withServer } from "../support/server.js";

const test = suite("the pages of www in Chromium");

browsing(test)("start and error pages keep to the policy they are sent with, and have their style", async () => {
  await withServer({ mode: "reactor", root: join(packageRoot, "www") }, async ({ url }) => {
    await withPage({}, async (page) => {
      for (const [path, status, title] of [
        ["/", 200, "loopool: loop or pool?"],
        ["/absent", 404, "loopool: not found"],
        ["/throws", 500, "loopool: the server failed"],
      ] as const) {
        const response = await page.goto(url + path);
        assert.equal([response?.status(), await page.title()], [status, title]);
        assert.is(await page.evaluate("getComputedStyle(document.body).maxWidth !== 'none'"), true, path);
      }
    });
  });
});

test.run();

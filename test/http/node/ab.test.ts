import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { programTool, requiring } from "../../support/requires.js";
import { withServer } from "../../support/server.js";

const test = suite("the real ab");
const measuring = requiring(test, programTool("ab", "apt-get install apache2-utils"));

const REQUESTS = 2000;

for (const mode of ["reactor", "pool"]) {
  for (const path of ["/", "/hello", "/absent"]) {
    measuring(`${mode}: measures ${path} over kept connections, each answer with its length`, async () => {
      await withServer(
        { mode, adapter: "node", workers: 2 },
        async ({ url, stats }) => {
          const { stdout } = await promisify(execFile)("ab", ["-q", "-k", `-n${REQUESTS}`, "-c10", `${url}${path}`]);
          const value = (label: string): number => Number(new RegExp(`^${label}:\\s+(\\d+)`, "m").exec(stdout)?.[1]);
          assert.is(value("Complete requests"), REQUESTS, stdout);
          assert.is(value("Failed requests"), 0, stdout);
          // The ones whose answer said Connection: keep-alive and Content-Length.
          assert.is(value("Keep-Alive requests"), REQUESTS, stdout);
          assert.is(value("Document Length"), { "/": 1024, "/hello": 14, "/absent": 14 }[path], stdout);
          const isFound = path !== "/absent";
          assert.is(/Non-2xx responses/.test(stdout), !isFound, stdout);
          const { status, requests } = await stats();
          assert.equal(status, { [isFound ? 200 : 404]: REQUESTS });
          assert.is(requests, REQUESTS + 1);
        },
        { "index.html": "x".repeat(1024) },
      );
    });
  }
}

test.run();

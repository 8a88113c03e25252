import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { withServer } from "../support/server.js";
import { appFile } from "./apps.js";

const test = suite("the client's address");

/** The body of a GET, sent from an address of this machine or over a Unix-domain socket. */
function bodyOf(options: { localAddress?: string; port?: number; socketPath?: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    httpRequest({ host: "127.0.0.1", path: "/", agent: false, ...options }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    })
      .on("error", reject)
      .end();
  });
}

for (const mode of ["reactor", "pool"]) {
  for (const adapter of ["uws", "node"]) {
    test(`${mode} behind ${adapter}: a handler of all header fields knows it, and so does a listener`, async () => {
      await withServer({ mode, adapter, handlers: appFile("address.mjs") }, async ({ port }) => {
        assert.is(await bodyOf({ port }), "127.0.0.1");
        // Several clients at once: each has its own.
        const addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.1", "127.0.0.2"];
        const bodies = addresses.map((localAddress) => bodyOf({ port, localAddress }));
        assert.equal(await Promise.all(bodies), addresses);
      });
      await withServer({ mode, adapter, handlers: appFile("address-node.mjs") }, async ({ port }) => {
        assert.is(await bodyOf({ port, localAddress: "127.0.0.4" }), "127.0.0.4 127.0.0.4");
      });
    });

    test(`${mode} behind ${adapter}: a client of a Unix-domain socket has none`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "loopool-address-"));
      const path = join(folder, "socket");
      try {
        await withServer({ mode, adapter, handlers: appFile("address.mjs"), unix: { path, mode: 0o600 } }, async () =>
          assert.is(await bodyOf({ socketPath: path }), ""),
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
}

test.run();

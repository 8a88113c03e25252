import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { LoopoolError } from "../../src/shared/errors.js";
import { abandonSocket } from "../support/abandoned-socket.js";
import { loopool } from "../support/cli.js";
import { RawClient } from "../support/raw-client.js";
import { readResponses } from "../support/responses.js";
import { withServer } from "../support/server.js";

const test = suite("Unix-domain sockets");
const kinds = ["uws", "node"].flatMap((adapter) => ["reactor", "pool"].map((mode) => ({ adapter, mode })));

async function withPath(use: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "loopool-unix-"));
  try {
    await use(join(folder, "socket"), folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function hello(path: string): Promise<string> {
  const client = await RawClient.open(path);
  client.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const text = await client.receive((all) => all.endsWith("!\n"));
  client.socket.destroy();
  return text;
}

const modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8);

/** A server that cannot be had; the code of its error. */
async function refusal(adapter: string, path: string): Promise<string> {
  try {
    await withServer({ mode: "reactor", adapter, unix: { path, mode: 0o660 } }, async () => {});
  } catch (error) {
    assert.ok(error instanceof LoopoolError, String(error));
    assert.ok(error.message.includes(path), error.message);
    return error.code;
  }
  return "none";
}

for (const { adapter, mode } of kinds) {
  test(`${mode} behind ${adapter}: serves with the permissions asked for, logs no address, and leaves nothing`, async () => {
    await withPath(async (path, folder) => {
      const file = join(folder, "access.log");
      const log = { file, format: "combined", overflow: "drop" } as const;
      // Whatever the process denies to others.
      const before = process.umask(0o077);
      try {
        for (const permissions of [0o660, 0o600, 0o666]) {
          await withServer({ mode, adapter, log, unix: { path, mode: permissions } }, async (server) => {
            assert.equal([server.url, server.port], [`unix:${path}`, 0]);
            assert.is(modeOf(path), permissions.toString(8));
            assert.match(await hello(path), /^HTTP\/1\.1 200 OK\r\n[\s\S]*Hello, world!\n$/);
          });
          assert.equal(readdirSync(folder), ["access.log"]);
        }
      } finally {
        process.umask(before);
      }
      const lines = readFileSync(file, "utf8").trim().split("\n");
      assert.is(lines.length, 3);
      for (const line of lines) assert.match(line, /^- - - \[.*\] "GET \/hello HTTP\/1\.1" 200 14 /);
    });
  });
}

for (const { adapter, mode } of kinds) {
  test(`${mode} behind ${adapter}: shows the metrics whatever host is asked, as often as one limit for all allows`, async () => {
    await withPath(async (path) => {
      const limits = { ratePerSecond: 2 };
      await withServer({ mode, adapter, limits, unix: { path, mode: 0o660 } }, async () => {
        const client = await RawClient.open(path);
        const statuses: (string | undefined)[] = [];
        while (statuses.at(-1) !== "429") {
          client.send("GET /stats.json HTTP/1.1\r\nHost: evil.example\r\n\r\n");
          const text = await client.receive((all) => readResponses(all, false).length > 0);
          statuses.push(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
        }
        assert.ok(statuses.length > 2, "a second's worth at once");
        assert.equal([...new Set(statuses)], ["200", "429"]);
        client.socket.destroy();
      });
    });
  });
}

for (const adapter of ["uws", "node"]) {
  test(`${adapter}: a socket that a dead server has left is replaced`, async () => {
    await withPath(async (path) => {
      await abandonSocket(path);
      assert.ok(lstatSync(path).isSocket());
      await withServer({ mode: "reactor", adapter, unix: { path, mode: 0o660 } }, async () => {
        assert.match(await hello(path), /200 OK/);
      });
    });
  });

  test(`${adapter}: a socket on which a server listens is named and left alone`, async () => {
    await withPath(async (path) => {
      await withServer({ mode: "reactor", adapter, unix: { path, mode: 0o660 } }, async () => {
        assert.is(await refusal(adapter, path), "UNIX_IN_USE");
        assert.match(await hello(path), /200 OK/);
      });
    });
  });

  test(`${adapter}: a file that is no socket is never removed`, async () => {
    await withPath(async (path) => {
      writeFileSync(path, "precious");
      assert.is(await refusal(adapter, path), "UNIX_TAKEN");
      assert.is(readFileSync(path, "utf8"), "precious");
    });
  });

  test(`${adapter}: what the system refuses is told with its reason`, async () => {
    assert.is(await refusal(adapter, "/proc/loopool-socket"), "UNIX_REFUSED");
  });
}

for (const adapter of ["uws", "node"]) {
  test(`${adapter}: a server that ends leaves the socket of the one that took its place`, async () => {
    await withPath(async (path) => {
      const unix = { path, mode: 0o660 };
      await withServer({ mode: "reactor", adapter, unix }, async (first) => {
        rmSync(path);
        await withServer({ mode: "reactor", adapter, unix, mirror: false }, async () => {
          await first.stop();
          assert.match(await hello(path), /200 OK/);
        });
      });
      assert.is(existsSync(path), false);
    });
  });
}

test("serve --unix prints the path, and npm run stats finds the server by it", async () => {
  await withPath(async (path) => {
    const server = loopool("serve", "--unix", path, "--unix-mode", "0600");
    try {
      await server.written(new RegExp(`^loopool reactor listening on unix:${path} pid \\d+ workers 0\n`));
      assert.is(modeOf(path), "600");
      await hello(path);
      let requests = 0;
      while (requests === 0) {
        const { output } = await loopool("stats", "--unix", path, "--once", "--json").ended;
        if (output !== "") ({ requests } = JSON.parse(output) as { requests: number });
      }
      assert.is(requests, 1);
      server.process.kill("SIGTERM");
      assert.is((await server.ended).code, 0);
      assert.is(existsSync(path), false);
      const gone = await loopool("stats", "--unix", path, "--once").ended;
      assert.is(gone.code, 1);
      assert.match(gone.errors, new RegExp(`^loopool: no server shows its stats for ${path} `));
    } finally {
      server.process.kill("SIGKILL");
    }
  });
});

test.run();

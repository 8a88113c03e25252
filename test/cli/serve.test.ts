import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loopool } from "../support/cli.js";
import { RawClient } from "../support/raw-client.js";

const test = suite("loopool serve");

for (const mode of ["reactor", "pool"]) {
  test(`${mode}: prints one line, answers, and exits 0 on SIGTERM after what is in flight`, async () => {
    const server = loopool("serve", "--mode", mode, "--port", "0", "--workers", "2", "--iterations-per-us", "1000");
    try {
      const [line, url, pid, workers] = await server.written(
        /^loopool \w+ listening on (\S+) pid (\d+) workers (\d+)\n/,
      );
      assert.ok(line);
      assert.is(Number(pid), server.process.pid);
      assert.is(workers, mode === "pool" ? "2" : "0");
      const port = Number(new URL(url!).port);
      const client = await RawClient.open(port);
      client.send("GET /sleep?ms=300 HTTP/1.1\r\nHost: x\r\n\r\n");
      // Both stacks of addresses, while the first request is in flight.
      for (const host of ["127.0.0.1", "[::1]"]) {
        assert.is((await fetch(`http://${host}:${port}/`)).headers.get("content-length"), "1024", host);
      }
      server.process.kill("SIGTERM");
      assert.match(await client.receiveToEnd(), /slept 300 ms/);
      const { code, output } = await server.ended;
      assert.is(code, 0);
      assert.is(output.split("\n").length, 2, "one line and no more");
    } finally {
      server.process.kill("SIGKILL");
    }
  });

  test(`${mode}: a second signal ends it at once`, async () => {
    // The handler waits for longer than a drain: by that alone the server would end with 0.
    const server = loopool("serve", "--mode", mode, "--port", "0", "--host", "127.0.0.1");
    try {
      const [, url] = await server.written(/listening on (\S+)/);
      const client = await RawClient.open(Number(new URL(url!).port));
      client.send("GET /sleep?ms=30000 HTTP/1.1\r\nHost: x\r\n\r\n");
      while (((await (await fetch(`${url}/stats.json`)).json()) as { handled: number }).handled < 2) {}
      server.process.kill("SIGINT");
      const refused = async (): Promise<boolean> =>
        fetch(url!).then(
          () => false,
          () => true,
        );
      while (!(await refused())) {}
      // One right after the first is taken for the same, which npm has passed on.
      const again = setInterval(() => server.process.kill("SIGINT"), 100);
      assert.is((await server.ended.finally(() => clearInterval(again))).code, 130);
    } finally {
      server.process.kill("SIGKILL");
    }
  });
}

test("a port in use is named with the remedy", async () => {
  const first = loopool("serve", "--port", "0");
  try {
    const [, url] = await first.written(/listening on (\S+)/);
    const { port } = new URL(url!);
    for (const host of [[], ["--host", "127.0.0.1"]]) {
      const { code, errors } = await loopool("serve", "--port", port, ...host).ended;
      assert.is(code, 1);
      assert.match(errors, new RegExp(`^loopool: port ${port} is in use: choose another with --port, .*\\n$`));
    }
  } finally {
    first.process.kill("SIGTERM");
    await first.ended;
  }
});

const mistakes: readonly (readonly [args: string[], message: RegExp])[] = [
  [["--mode", "fork"], /--mode must be one of reactor, pool, not "fork"/],
  [["--port", "x"], /--port must be a whole number from 0 to 65535, not "x"/],
  [["--port", "1", "--port", "2"], /--port was given 2 times/],
  [["--queue", "1000"], /--queue must be a power of two, not 1000: try 1024/],
  [["--workers", "0"], /--workers must be a whole number from 1 to 256/],
  [["--workers", "1:2:3"], /--workers must be a number or MIN:MAX/],
  [["--workers", "3:2"], /--workers 3:2: the second number must not be below the first/],
  [["--request-timeout", "x"], /--request-timeout must be a number from 0 to 86400, not "x"/],
  [["--root", "/does/not/exist"], /--root \/does\/not\/exist is not a folder/],
  [["--handlers", "/does/not/exist.js"], /--handlers .*exist\.js cannot be imported/],
  [["--config", "/does/not/exist.json"], /--config \/does\/not\/exist\.json cannot be read/],
  [["--nonsense"], /nonsense/],
  [["stray"], /stray/],
];

for (const [args, message] of mistakes) {
  test(`serve ${args.join(" ")}: one line, exit code 2`, async () => {
    const { code, errors, output } = await loopool("serve", ...args).ended;
    assert.match(errors, message);
    assert.is(errors.trim().split("\n").length, 1, errors);
    assert.is(code, 2);
    assert.is(output, "");
  });
}

test("a handler whose header fields are not named as they should be is told by its path, on both cores", async () => {
  const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
  const file = join(folder, "handlers.mjs");
  try {
    for (const headers of ['"accept"', '["Accept"]', '["a b"]', "[1]", "null"]) {
      writeFileSync(file, `export const handlers = { "/a": Object.assign(() => {}, { headers: ${headers} }) };`);
      const { errors, code } = await loopool("serve", "--port", "0", "--handlers", file).ended;
      assert.match(
        errors,
        /handlers\.mjs: the handler of "\/a" must have as "headers" a list of field names in lower case, or "all"\n$/,
        headers,
      );
      assert.is(code, 2);
    }
    const { errors, code } = await loopool("serve", "--port", "0", "--mode", "pool", "--handlers", file).ended;
    assert.match(errors, /handlers\.mjs: the handler of "\/a" must have as "headers" .*\n$/);
    assert.is(code, 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const badModules: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  ["h.mjs", "throw null", /cannot be imported: null/],
  ["h.mjs", "export const handlers = 1", /must export an object "handlers"/],
  ["h.mjs", "process.exit(0)", /called process\.exit\(0\) when it was imported/],
  ["h.cjs", "process.exit(3)", /called process\.exit\(3\) when it was imported/],
  ["h.cjs", "require('no-such-module')", /cannot be imported: Cannot find module 'no-such-module'/],
];

for (const mode of ["reactor", "pool"]) {
  for (const [name, text, message] of badModules) {
    test(`${mode}: --handlers with ${text} is one line and exit code 2`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
      try {
        const file = join(folder, name);
        writeFileSync(file, text);
        const { errors, code, output } = await loopool("serve", "--mode", mode, "--port", "0", "--handlers", file)
          .ended;
        assert.match(errors, message);
        assert.ok(errors.startsWith(`loopool: --handlers ${file}`), errors);
        assert.is(errors.trim().split("\n").length, 1, errors);
        assert.is(code, 2);
        assert.is(output, "");
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  test(`${mode}: --handlers of a CommonJS module, in a file whose name needs escaping in a URL`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
    try {
      const file = join(folder, "my handlers #1 50%?.cjs");
      writeFileSync(
        file,
        'module.exports = { handlers: { "/a": () => ({ status: 200, headers: {}, body: "of a" }) } }',
      );
      const flags = ["--mode", mode, "--port", "0", "--host", "127.0.0.1", "--handlers", file];
      const server = loopool("serve", ...flags);
      const [, url] = await server.written(/listening on (\S+)/);
      assert.is(await (await fetch(`${url}/a`)).text(), "of a");
      server.process.kill("SIGTERM");
      assert.is((await server.ended).code, 0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test("--host that is not ours is named", async () => {
  const { code, errors } = await loopool("serve", "--port", "0", "--host", "192.0.2.1").ended;
  assert.is(code, 1);
  assert.match(errors, /--host 192\.0\.2\.1 is not an address of this machine/);
});

test("a configuration file is used, flags win over it, and an unknown key is named", async () => {
  const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
  const file = join(folder, "config.json");
  try {
    writeFileSync(file, JSON.stringify({ mode: "pool", port: 0, workers: 3, "cache-bytes": 100_000 }));
    for (const [flags, expected] of [
      [[], "loopool pool .* workers 3"],
      [["--mode", "reactor"], "loopool reactor .* workers 0"],
    ] as const) {
      const server = loopool("serve", "--config", file, ...flags);
      await server.written(new RegExp(expected));
      server.process.kill("SIGTERM");
      assert.is((await server.ended).code, 0);
    }
    writeFileSync(file, JSON.stringify({ prot: 1 }));
    assert.match(
      (await loopool("serve", "--config", file).ended).errors,
      /has an unknown key "prot"; allowed: mode, adapter,/,
    );
    writeFileSync(file, "{");
    assert.is((await loopool("serve", "--config", file).ended).code, 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();

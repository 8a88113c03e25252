import { networkInterfaces } from "node:os";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AdminPolicy, isAdminPath } from "../../src/http/admin.js";
import { loopool } from "../support/cli.js";
import { RawClient } from "../support/raw-client.js";
import { skipping } from "../support/requires.js";
import { readResponses } from "../support/responses.js";
import { withServer } from "../support/server.js";

const TOKEN = "s3cret-token";
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString("base64")}`;

const OPEN = { adminToken: null, unix: null, host: null } as const;

const GOOD_HOSTS = [
  "localhost",
  "LocalHost:9090",
  "localhost.",
  "app.localhost:1",
  "127.0.0.1",
  "127.0.0.1:9090",
  "127.200.3.4",
  "[::1]",
  "[::1]:9090",
  "[0:0:0:0:0:0:0:1]",
  "[::ffff:127.0.0.1]:80",
];
const BAD_HOSTS = [
  "",
  ":9090",
  "evil.example:9090",
  "localhost.evil.example",
  "evillocalhost",
  "127.0.0.1.evil.example",
  "127.0.0.256",
  "127.1",
  "0.0.0.0:9090",
  "10.0.0.1",
  "128.0.0.1",
  "[::]",
  "[::2]",
  "[::ffff:10.0.0.1]",
  "[v1.localhost]",
  "%6cocalhost",
];

const units = suite("admin access policy");

units("knows what is protected, however it is written", () => {
  for (const path of [
    "/stats",
    "/stats.json",
    "/stats.html",
    "/stats/main.js",
    "/metrics",
    "/%73tats.json",
    "/s%74ats.html",
    "//stats.html",
    "/%2fstats.html",
    "///metrics",
    "/metric%73",
  ]) {
    assert.ok(isAdminPath(path), path);
  }
  for (const path of ["/", "/hello", "/sleep", "/metrics2", "/a/stats.json", "/mixed", "/%zz", "/%", "/static"]) {
    assert.not.ok(isAdminPath(path), path);
  }
});

units("without a token lets clients of this machine pass, of any form of address, and nobody else", () => {
  const access = new AdminPolicy(OPEN);
  const status = (...bytes: number[]) => access.check("", "localhost", () => Uint8Array.from(bytes))?.response.status;
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
  const mapped = [...zeros(10), 255, 255];
  for (const local of [
    [127, 0, 0, 1],
    [127, 255, 3, 4],
    [...zeros(15), 1],
    [...mapped, 127, 0, 0, 1],
  ]) {
    assert.is(status(...local), undefined, String(local));
  }
  for (const other of [
    // It has gone: who it was can no longer be known.
    [],
    [10, 0, 0, 1],
    [128, 0, 0, 1],
    [0, 0, 0, 1],
    zeros(16),
    [...zeros(15), 2],
    [1, ...zeros(14), 1],
    [...mapped, 10, 0, 0, 1],
    [...zeros(12), 127, 0, 0, 1],
  ]) {
    assert.is(status(...other), 403, String(other));
  }
});

units("on a Unix-domain socket lets everybody pass, whatever host is asked", () => {
  const access = new AdminPolicy({ ...OPEN, unix: { path: "/run/loopool", mode: 0o660 } });
  assert.is(
    access.check("", "evil.example", () => new Uint8Array(0)),
    null,
  );
});

units("without a token lets pass who asks this machine by a name that only it has, or that --host gave it", () => {
  const statusOf = (host: string | null, own: string | null = null) =>
    new AdminPolicy({ ...OPEN, host: own }).check("", host, () => Uint8Array.of(127, 0, 0, 1))?.response.status;
  for (const host of GOOD_HOSTS) assert.is(statusOf(host), undefined, host);
  for (const host of BAD_HOSTS) assert.is(statusOf(host), 403, host);
  assert.is(statusOf(null), undefined, "HTTP/1.0");
  for (const [own, asked] of [
    ["0.0.0.0", "0.0.0.0:9090"],
    ["::", "[::]:9090"],
    ["Desk.example", "desk.EXAMPLE"],
  ] as const) {
    assert.is(statusOf(asked), 403, asked);
    assert.is(statusOf(asked, own), undefined, asked);
    assert.is(statusOf("evil.example", own), 403);
  }
});

units("with a token wants it of everybody, as a bearer token or as a password", () => {
  const access = new AdminPolicy({ ...OPEN, adminToken: TOKEN });
  const local = (): Uint8Array => Uint8Array.of(127, 0, 0, 1);
  for (const good of [`Bearer ${TOKEN}`, `bearer  ${TOKEN}`, basic(`admin:${TOKEN}`), basic(`:${TOKEN}`)]) {
    assert.is(access.check(good, "evil.example", local), null, good);
  }
  for (const bad of [
    "",
    TOKEN,
    "Bearer",
    "Bearer ",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    basic(TOKEN),
    basic(`${TOKEN}:`),
    basic(`a:b:${TOKEN}`),
    `Digest ${TOKEN}`,
  ]) {
    const refusal = access.check(bad, "localhost", local);
    assert.is(refusal?.response.status, 401, bad);
  }
});

units.run();

for (const adapter of ["uws", "node"]) {
  for (const mode of ["reactor", "pool"]) {
    const test = suite(`${mode} behind ${adapter}: protected metrics`);

    test("with a token: 401 and a challenge without it, the metrics with it, the rest for everybody", async () => {
      await withServer({ mode, adapter, adminToken: TOKEN }, async ({ url }) => {
        for (const path of ["/stats.json", "/metrics", "/stats/absent", "/%73tats.json"]) {
          const response = await fetch(url + path);
          assert.is(response.status, 401, path);
          assert.match(response.headers.get("www-authenticate")!, /^Bearer realm="loopool", Basic realm="loopool"/);
        }
        for (const authorization of [`Bearer ${TOKEN}`, basic(`admin:${TOKEN}`)]) {
          const response = await fetch(`${url}/stats.json`, { headers: { authorization } });
          assert.is(response.status, 200);
        }
        assert.is((await fetch(`${url}/hello`)).status, 200);
        const { denied, status } = (await (
          await fetch(`${url}/stats.json`, { headers: { authorization: `Bearer ${TOKEN}` } })
        ).json()) as { denied: number; status: Record<string, number> };
        assert.is(denied, 4);
        assert.equal(status, { 200: 3, 401: 4 });
      });
    });

    test("without one: only by a name of this machine, so that no page of another site reads them (DNS rebinding)", async () => {
      await withServer({ mode, adapter }, async ({ port, stats }) => {
        const statusFor = async (head: string): Promise<number> => {
          const client = await RawClient.open(port);
          client.send(`${head}\r\n\r\n`);
          const text = await client.receive((all) => readResponses(all, false).length > 0);
          client.socket.destroy();
          return readResponses(text, true)[0]!.status;
        };
        for (const [path, passes] of [
          ["/stats.json", 200],
          ["/metrics", 200],
          ["/%73tats.json", 404],
        ] as const) {
          for (const host of GOOD_HOSTS) {
            assert.is(await statusFor(`GET ${path} HTTP/1.1\r\nHost: ${host}`), passes, host);
          }
          for (const host of BAD_HOSTS) {
            assert.is(await statusFor(`GET ${path} HTTP/1.1\r\nHost: ${host}`), 403, host);
          }
        }
        assert.is(await statusFor("GET /hello HTTP/1.1\r\nHost: evil.example"), 200);
        let denied = 3 * BAD_HOSTS.length;
        if (adapter === "node") {
          assert.is(await statusFor("GET /stats.json HTTP/1.0"), 200);
          // Of a target's host and the field's the target's counts (RFC 9112 §3.2.2).
          assert.is(await statusFor("GET http://evil.example/stats.json HTTP/1.1\r\nHost: localhost"), 403);
          assert.is(await statusFor("GET http://localhost/stats.json HTTP/1.1\r\nHost: evil.example"), 200);
          denied++;
        }
        assert.is((await stats()).denied, denied);
      });
    });

    const other = Object.values(networkInterfaces())
      .flat()
      .find((one) => one !== undefined && !one.internal && one.family === "IPv4")?.address;
    // A machine without a network has nobody else.
    const register = other === undefined ? skipping(test, "no second IPv4 address") : test;
    register("without one: 403 for a client of another address, whatever it says of itself", async () => {
      await withServer({ mode, adapter, host: null }, async ({ port, stats }) => {
        for (const field of ["", "X-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\n"]) {
          const client = await RawClient.open(port, other);
          client.send(`GET /stats.json HTTP/1.1\r\nHost: localhost\r\n${field}\r\n`);
          const text = await client.receive((all) => readResponses(all, false).length > 0);
          assert.match(text, /^HTTP\/1\.1 403 /);
          client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
          assert.match(await client.receive((all) => all.endsWith("world!\n")), /^HTTP\/1\.1 200 /);
          client.socket.destroy();
        }
        assert.is((await stats()).denied, 2);
      });
    });

    test.run();
  }
}

const command = suite("--admin-token");

command("may come from the environment, and is in nothing that the server prints", async () => {
  process.env["LOOPOOL_ADMIN_TOKEN"] = TOKEN;
  const server = loopool("serve", "--port", "0", "--host", "127.0.0.1");
  delete process.env["LOOPOOL_ADMIN_TOKEN"];
  try {
    const [, url] = await server.written(/listening on (\S+)/);
    assert.is((await fetch(`${url}/metrics`)).status, 401);
    assert.is((await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).status, 200);
    server.process.kill("SIGTERM");
    const { output, errors } = await server.ended;
    assert.not.match(output + errors, new RegExp(TOKEN));
  } finally {
    server.process.kill("SIGKILL");
  }
});

command.run();

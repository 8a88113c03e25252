import { networkInterfaces } from "node:os";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { AdminGate, isAdminPath } from "../../src/front/admin.js";
import { loopool } from "../support/cli.js";
import { RawClient } from "../support/raw-client.js";
import { readResponses } from "../support/responses.js";
import { withServer } from "../support/server.js";

const TOKEN = "s3cret-token";
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString("base64")}`;

const units = suite("admin gate");

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
  const gate = new AdminGate(null);
  const status = (...bytes: number[]) => gate.check("", () => Uint8Array.from(bytes))?.response.status;
  const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);
  const mapped = [...zeros(10), 255, 255];
  for (const local of [[], [127, 0, 0, 1], [127, 255, 3, 4], [...zeros(15), 1], [...mapped, 127, 0, 0, 1]]) {
    assert.is(status(...local), undefined, String(local));
  }
  for (const other of [
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

units("with a token wants it of everybody, as a bearer token or as a password", () => {
  const gate = new AdminGate(TOKEN);
  const local = (): Uint8Array => Uint8Array.of(127, 0, 0, 1);
  for (const good of [`Bearer ${TOKEN}`, `bearer  ${TOKEN}`, basic(`admin:${TOKEN}`), basic(`:${TOKEN}`)]) {
    assert.is(gate.check(good, local), null, good);
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
    const refusal = gate.check(bad, local);
    assert.is(refusal?.response.status, 401, bad);
  }
});

units.run();

for (const front of ["uws", "node"]) {
  for (const mode of ["reactor", "pool"]) {
    const test = suite(`${mode} behind ${front}: protected figures`);

    test("with a token: 401 and a challenge without it, the figures with it, the rest for everybody", async () => {
      await withServer({ mode, front, adminToken: TOKEN }, async ({ url }) => {
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

    const other = Object.values(networkInterfaces())
      .flat()
      .find((one) => one !== undefined && !one.internal && one.family === "IPv4")?.address;
    // A machine without a network has nobody else.
    (other === undefined ? test.skip : test)(
      "without one: 403 for a client of another address, whatever it says of itself",
      async () => {
        await withServer({ mode, front, host: null }, async ({ port, stats }) => {
          for (const field of ["", "X-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\n"]) {
            const client = await RawClient.open(port, other);
            client.send(`GET /stats.json HTTP/1.1\r\nHost: x\r\n${field}\r\n`);
            const text = await client.receive((all) => readResponses(all, false).length > 0);
            assert.match(text, /^HTTP\/1\.1 403 /);
            client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
            assert.match(await client.receive((all) => all.endsWith("world!\n")), /^HTTP\/1\.1 200 /);
            client.socket.destroy();
          }
          assert.is((await stats()).denied, 2);
        });
      },
    );

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

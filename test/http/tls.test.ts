import { createHash, randomFillSync, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { get, type RequestOptions } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { writeCertificate } from "../support/certificate.js";
import { loopool } from "../support/cli.js";
import { RawClient } from "../support/raw-client.js";
import { withServer } from "../support/server.js";

const test = suite("TLS");
const folder = mkdtempSync(join(tmpdir(), "loopool-tls-test-"));
test.after(() => rmSync(folder, { recursive: true }));
const { certFile, keyFile, cert } = await writeCertificate(folder, "own");
const foreign = await writeCertificate(folder, "foreign");
const kinds = ["uws", "node"].flatMap((adapter) => ["reactor", "pool"].map((mode) => ({ adapter, mode })));

interface Answer {
  readonly status: number | undefined;
  readonly body: Buffer;
}

/** Over a connection of its own; the server is verified unless the options say otherwise. */
function ask(url: string, options: RequestOptions = { ca: cert }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("end", () => resolve({ status: response.statusCode, body: Buffer.concat(chunks) }));
      response.once("error", reject);
    });
    request.once("error", reject);
  });
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

for (const { adapter, mode } of kinds) {
  test(`${mode} behind ${adapter}: serves the certificate of its files, bodies of every size, and drains`, async () => {
    const sizes = [0, 1024, 65_537, 12_000_000];
    const files = Object.fromEntries(sizes.map((size) => [`${size}.bin`, randomFillSync(new Uint8Array(size))]));
    await withServer(
      { mode, adapter, tls: { certFile, keyFile } },
      async (server) => {
        assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/);
        for (const [name, bytes] of Object.entries(files)) {
          const { status, body } = await ask(`${server.url}/${name}`);
          assert.is(status, 200);
          assert.is(digest(body), digest(bytes), name);
        }
        const verified = await ask(`${server.url}/hello`, { ca: foreign.cert }).then(
          () => true,
          () => false,
        );
        assert.is(verified, false, "another certificate does not vouch for it");

        // A connection that never begins its handshake must not hold the end up.
        const silent = await RawClient.open(server.port);
        const inFlight = async (): Promise<number> =>
          (JSON.parse(String((await ask(`${server.url}/stats.json`)).body)) as { inFlight: number }).inFlight;
        // The asking itself is one on node:http, where all are in flight, and none in a reactor on µWS.
        const asking = await inFlight();
        const pending = ask(`${server.url}/sleep?ms=1000`);
        while ((await inFlight()) <= asking) {}
        const cutOff = server.stop();
        assert.is(String((await pending).body), "slept 1000 ms\n");
        assert.is(await cutOff, 0);
        await silent.receiveToEnd();
      },
      files,
    );
  });
}

for (const adapter of ["uws", "node"]) {
  test(`${adapter}: plain HTTP to a TLS port is closed, and the next client is served`, async () => {
    await withServer({ mode: "reactor", adapter, tls: { certFile, keyFile } }, async ({ url, port }) => {
      for (const bytes of ["GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff"]) {
        const client = await RawClient.open(port);
        client.send(bytes);
        assert.is((await client.receiveToEnd()).includes("HTTP/1.1 200"), false);
        assert.is((await ask(`${url}/hello`)).status, 200);
      }
      const { body } = await ask(`${url}/stats.json`);
      const { status } = JSON.parse(String(body)) as { status: object };
      assert.equal(status, { 200: 2 });
    });
  });

  test(`${adapter}: a self-signed certificate is for localhost, and its key does not stay on the disk`, async () => {
    const scratch = mkdtempSync(join(folder, "scratch-"));
    const { TMPDIR } = process.env;
    process.env["TMPDIR"] = scratch;
    try {
      await withServer({ mode: "reactor", adapter, tls: "self-signed" }, async ({ url, port }) => {
        assert.equal(
          readdirSync(scratch).filter((name) => name.startsWith("loopool-tls")),
          [],
        );
        const found = await new Promise<PeerCertificate>((resolve, reject) => {
          const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
            resolve(socket.getPeerCertificate());
            socket.destroy();
          });
          socket.once("error", reject);
        });
        // By OpenSSL: Node 22's checkServerIdentity does not find an IPv6 address that is there.
        const certificate = new X509Certificate(found.raw);
        assert.is(certificate.checkHost("localhost"), "localhost");
        assert.is(certificate.checkHost("example.com"), undefined);
        for (const address of ["127.0.0.1", "::1"]) assert.is(certificate.checkIP(address), address);
        assert.ok(Date.parse(found.valid_from) < Date.now() && Date.parse(found.valid_to) > Date.now());
        assert.is((await ask(`${url}/hello`, { rejectUnauthorized: false })).status, 200);
        const refused = await ask(`${url}/hello`, {}).catch(({ code }: NodeJS.ErrnoException) => code);
        assert.is(refused, "DEPTH_ZERO_SELF_SIGNED_CERT");
      });
    } finally {
      if (TMPDIR === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = TMPDIR;
    }
  });

  test(`${adapter}: a client that goes in the middle of its handshake is no request and no failure`, async () => {
    await withServer({ mode: "reactor", adapter, tls: { certFile, keyFile } }, async ({ url, port }) => {
      await new Promise<void>((resolve) => {
        const socket = connect(port, "127.0.0.1", () => socket.write("\x16\x03\x01", () => socket.destroy()));
        socket.once("close", () => resolve());
      });
      assert.is((await ask(`${url}/hello`)).status, 200);
    });
  });
}

test("node: a handshake that is not done within --header-timeout is closed, as a head would be, and others are served", async () => {
  const settings = { adapter: "node", tls: { certFile, keyFile }, limits: { headTimeoutMs: 300 } } as const;
  await withServer({ mode: "reactor", ...settings }, async ({ url, port }) => {
    const silent = await RawClient.open(port);
    const begun = await RawClient.open(port);
    begun.send("\x16\x03\x01\x02");
    for (const client of [silent, begun]) assert.is(await client.receiveToEnd(), "");
    assert.is((await ask(`${url}/hello`)).status, 200);
  });
});

test("serve --tls-self-signed says https, and that the certificate is not to be verified", async () => {
  const server = loopool("serve", "--port", "0", "--host", "127.0.0.1", "--adapter", "node", "--tls-self-signed");
  try {
    const [, url] = await server.written(/^loopool reactor listening on (https:\/\/127\.0\.0\.1:\d+) /m);
    assert.is((await ask(`${url}/hello`, { rejectUnauthorized: false })).status, 200);
    server.process.kill("SIGTERM");
    const { code, errors } = await server.ended;
    assert.is(code, 0);
    assert.match(errors, /^loopool: the certificate is self-signed and ends with this process: clients must .*\n$/);
  } finally {
    server.process.kill("SIGKILL");
  }
});

test("a wrong pair of files is one line and exit code 2, before anything starts", async () => {
  const { code, errors, output } = await loopool("serve", "--tls-cert", certFile, "--tls-key", foreign.keyFile).ended;
  assert.is(code, 2);
  assert.match(errors, /^loopool: --tls-key .*foreign\.key is not the key of the certificate in .*own\.crt: .*\n$/);
  assert.is(output, "");
});

test.run();

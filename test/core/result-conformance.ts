import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ask } from "../support/exchange.js";
import { RawClient } from "../support/raw-client.js";
import { withServer } from "../support/server.js";
import { badResults, thrown } from "./fixtures/results.js";

const handlers = fileURLToPath(new URL("./fixtures/results.js", import.meta.url));

/** What every core must make of whatever a handler returns or throws. */
export function resultConformance(mode: string, adapter: string): void {
  const test = suite(`${mode} behind ${adapter}: results of handlers`);
  const settings = { mode, adapter, handlers, workers: 1, requestTimeoutMs: 20_000 } as const;

  test("a result that cannot be sent is a counted 500, at once or later, and the worker goes on", async () => {
    await withServer(settings, async ({ url, stats }) => {
      const paths = [...Object.keys(badResults), "/then/rejects", "/then/throws", "/then/getter-throws"];
      let asked = 0;
      for (const path of paths) {
        for (const query of ["", "?later"]) {
          const response = await fetch(url + path + query);
          assert.is(response.status, 500, path + query);
          assert.is(await response.text(), "500 Internal Server Error\n", path + query);
          asked++;
        }
      }
      const { handlerErrors, handled, status, workersLost, bodyBytes } = await stats();
      assert.equal([handlerErrors, handled, status["500"], workersLost], [asked, asked + 1, asked, 0]);
      assert.is(bodyBytes, asked * "500 Internal Server Error\n".length);
    });
  });

  test("whatever is thrown or rejected with is a counted 500", async () => {
    await withServer(settings, async ({ url, stats }) => {
      const asked = Object.keys(thrown).flatMap((path) => [path, `${path}?later`]);
      for (const path of asked) assert.is((await fetch(url + path)).status, 500, path);
      const { handlerErrors, workersLost } = await stats();
      assert.equal([handlerErrors, workersLost], [asked.length, 0]);
    });
  });

  test("a bad result while a promise is pending costs neither the promise's request nor the next", async () => {
    await withServer(settings, async ({ url, stats }) => {
      for (const path of ["/bad/body-function", "/bad/empty-web-response", "/bad/body-null", "/throws/revoked"]) {
        const slow = fetch(`${url}/slow`);
        while ((await (await fetch(`${url}/pending`)).text()) !== "1") {}
        assert.is((await fetch(url + path)).status, 500, path);
        assert.is(await (await fetch(`${url}/then/plain`)).text(), "fine", path);
        assert.is(await (await slow).text(), "slow", path);
      }
      assert.equal([(await stats()).handlerErrors, (await stats()).workersLost], [4, 0]);
    });
  });

  test("headers come as an object, Headers, Map or pairs; several values are several lines", async () => {
    await withServer(settings, async ({ port, stats }) => {
      const lines = async (path: string): Promise<readonly string[]> => {
        const { head, status, body } = await ask(port, `GET ${path}`);
        assert.equal([status, body], [200, "fine"], path);
        const ours = /^(?:set-cookie|content-type|x-)/i;
        return head
          .filter((line) => ours.test(line))
          .map((line) => line.replace(/^[^:]+/, (name) => name.toLowerCase()));
      };
      const counts: number[] = [];
      for (let round = 0; round < 3; round++) {
        assert.equal(await lines("/cookies"), [
          "set-cookie: a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT",
          "set-cookie: b=2",
          "x-n: 5",
        ]);
        assert.equal(await lines("/headers-object"), [
          "content-type: text/x-test",
          "set-cookie: a=1",
          "set-cookie: b=2",
        ]);
        assert.equal(await lines("/headers-map"), ["x-map: 1", "x-list: 1", "x-list: 2"]);
        assert.equal(await lines("/headers-pairs"), ["x-a: 1", "x-a: 2", "x-empty: "]);
        assert.equal(await lines("/headers-null-prototype"), ["x-a: 1"]);
        const [changed = ""] = await lines("/headers-changed");
        counts.push(Number(changed.slice("x-count: ".length)));
      }
      const [first = 0] = counts;
      assert.equal(counts, [first, first + 1, first + 2], "the object that is returned again has been changed");
      assert.is((await stats()).handlerErrors, 0);
    });
  });

  test("a body in bytes is what its view shows, of whatever kind the view is", async () => {
    await withServer(settings, async ({ url, stats }) => {
      const expected = async (path: string, first: number, bytes: number): Promise<void> => {
        const response = await fetch(url + path);
        const body = new Uint8Array(await response.arrayBuffer());
        assert.equal([response.status, body.byteLength], [200, bytes], path);
        assert.ok(
          body.every((byte, i) => byte === (first + i) % 251),
          path,
        );
        const head = await fetch(url + path, { method: "HEAD" });
        assert.is(head.headers.get("content-length"), String(bytes), path);
      };
      for (const path of ["/body/array-buffer", "/body/shared"]) await expected(path, 0, 1000);
      for (const path of ["/body/data-view", "/body/int16", "/body/buffer"]) await expected(path, 50, 1000);
      for (const path of ["/body/long-view", "/body/long-data-view"]) await expected(path, 50, 100_000);
      assert.is((await (await fetch(`${url}/body/liar`)).arrayBuffer()).byteLength, 1);
      for (const path of ["/empty/204", "/empty/304"]) {
        const response = await fetch(url + path);
        assert.equal([response.status, await response.text()], [Number(path.slice(7)), ""]);
      }
      assert.is((await stats()).handlerErrors, 0);
    });
  });

  test("a small view of a huge buffer costs what the view costs", async () => {
    await withServer(settings, async ({ url, stats }) => {
      await (await fetch(`${url}/body/view-of-huge`)).arrayBuffer();
      const { peakRssBytes } = await stats();
      const bodies = Array.from({ length: 8 }, async () => (await fetch(`${url}/body/view-of-huge`)).arrayBuffer());
      for (const body of await Promise.all(bodies)) assert.is(body.byteLength, 70_000);
      const grownBytes = (await stats()).peakRssBytes - peakRssBytes;
      assert.ok(grownBytes < 2 ** 27, `${grownBytes} bytes more for views of 70,000 bytes of a buffer of 256 MiB`);
    });
  });

  test("a body whose buffer is transferred while it is being sent ends short, and costs nobody else anything", async () => {
    await withServer(settings, async ({ port, url, stats }) => {
      const client = await RawClient.open(port);
      client.socket.pause();
      client.send("GET /body/transferred HTTP/1.1\r\nHost: x\r\n\r\n");
      while ((await stats()).bodyBytes < 30_000_000) {}
      assert.is((await fetch(`${url}/transfer`)).status, 200);
      client.socket.resume();
      const text = await client.receive((received) => received.length > 30_000_000);
      const bodyBytes = text.length - text.indexOf("\r\n\r\n") - 4;
      // A worker has sent a copy of its own.
      if (mode === "pool") assert.is(bodyBytes, 30_000_000);
      else assert.ok(bodyBytes < 30_000_000);
      client.socket.destroy();
      assert.is((await fetch(`${url}/then/plain`)).status, 200);
    });
  });

  test("what has a method then is waited for: it is read once, called once, and its first word counts", async () => {
    await withServer(settings, async ({ url, stats }) => {
      for (const path of ["plain", "later", "nested", "twice", "function"]) {
        const response = await fetch(`${url}/then/${path}`);
        assert.equal([response.status, await response.text()], [200, "fine"], path);
      }
      assert.is(await (await fetch(`${url}/then/once`)).text(), "1 get, 1 call");
      assert.is((await stats()).handlerErrors, 0);
    });
  });

  test.run();
}

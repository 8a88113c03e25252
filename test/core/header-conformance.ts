import { suite } from "uvu";
import * as assert from "uvu/assert";
import { RawClient } from "../support/raw-client.js";
import { withServer } from "../support/server.js";

/** What every core must do with header fields, on the way to a handler and back. */
export function headerConformance(mode: string, adapter: string): void {
  const test = suite(`${mode} behind ${adapter}: header fields`);

  /** What a handler is given of a request with these lines. */
  async function given(port: number, path: string, lines: readonly string[]): Promise<Record<string, string>> {
    const client = await RawClient.open(port);
    client.send([`GET ${path} HTTP/1.1`, "Host: x", ...lines, "Connection: close", "", ""].join("\r\n"));
    const text = await client.receiveToEnd();
    client.socket.destroy();
    return JSON.parse(text.slice(text.indexOf("\r\n\r\n"))) as Record<string, string>;
  }

  test("a handler is given the fields it names, and no others", async () => {
    await withServer({ mode, adapter }, async ({ port }) => {
      const lines = ["X-One: 1", "x-TWO:  two words ", "X-Three: 3"];
      assert.equal(await given(port, "/reads-headers?q", lines), { "x-one": "1", "x-two": "two words" });
      assert.equal(await given(port, "/reads-headers", ["X-Three: 3"]), {});
      assert.equal(await given(port, "/reads-no-headers", lines), {});
    });
  });

  test("a field in several lines is one value", async () => {
    await withServer({ mode, adapter }, async ({ port }) => {
      const lines = ['If-Match: "a"', "X-One: 1", 'If-Match: "b", "c"', "Cookie: a=1", "Cookie: b=2"];
      assert.equal(await given(port, "/reads-headers", lines), {
        "if-match": '"a", "b", "c"',
        "x-one": "1",
        cookie: "a=1; b=2",
      });
    });
  });

  test("values of every length arrive as they were sent", async () => {
    await withServer({ mode, adapter }, async ({ port }) => {
      for (const length of [1, 20, 48, 400, 470, 3000, 15_000]) {
        const value = "v".repeat(length);
        assert.equal(await given(port, "/reads-headers", [`X-One: ${value}`]), { "x-one": value }, String(length));
      }
      const both = { "x-one": "1".repeat(7000), "x-two": "2".repeat(7000) };
      const lines = Object.entries(both).map(([name, value]) => `${name}: ${value}`);
      assert.equal(await given(port, `/reads-headers?${"q".repeat(1500)}`, lines), both);
    });
  });

  test("many different header blocks, and none, come back as they were meant", async () => {
    await withServer({ mode, adapter }, async ({ url }) => {
      // More than a worker numbers at once.
      for (let i = 0; i < 1100; i += 50) {
        const values = await Promise.all(
          Array.from({ length: 50 }, async (_, n) => {
            const response = await fetch(`${url}/echoes-a-value?${i + n}`);
            await response.arrayBuffer();
            return response.headers.get("x-value");
          }),
        );
        assert.equal(
          values,
          values.map((_, n) => String(i + n)),
        );
        const bare = await fetch(`${url}/no-headers-at-all`);
        assert.is(await bare.text(), "bare");
        assert.is((await fetch(`${url}/hello`)).headers.get("content-type"), "text/plain; charset=utf-8");
      }
    });
  });

  test("a value from data with a line end in it becomes a 500, and nothing of it is sent", async () => {
    await withServer({ mode, adapter }, async ({ url, stats }) => {
      const ends = [
        "a%0d%0aSet-Cookie:%20b",
        "a%0aSet-Cookie:%20b",
        "a%0dSet-Cookie:%20b",
        "a%00",
        "%e2%82%ac",
        "a%20",
      ];
      for (const value of ends) {
        const response = await fetch(`${url}/echoes-a-value?${value}`);
        assert.is(response.status, 500, value);
        assert.equal([response.headers.get("x-value"), response.headers.get("set-cookie")], [null, null], value);
      }
      assert.is((await fetch(`${url}/echoes-a-value?a%20b%c3%a9`)).headers.get("x-value"), "a bé");
      assert.is((await stats()).handlerErrors, ends.length);
    });
  });

  test.run();
}

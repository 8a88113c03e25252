import { suite } from "uvu";
import * as assert from "uvu/assert";
import { RawClient } from "../../support/raw-client.js";
import { withServer } from "../../support/server.js";

const test = suite("node adapter: times");

test("the time for a head is not that of a body, which may come later", async () => {
  await withServer({ mode: "reactor", adapter: "node", limits: { headTimeoutMs: 400 } }, async ({ port, stats }) => {
    const slowBody = await RawClient.open(port);
    slowBody.send("GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc");
    // Its time is over after that of the other's head would have been.
    const slowHead = await RawClient.open(port);
    slowHead.send("GET /hello HTTP/1.1\r\nHost: x\r\nA: ");
    assert.match(await slowHead.receiveToEnd(), /^HTTP\/1\.1 408 /);
    slowBody.send("def");
    assert.match(await slowBody.receive((text) => text.endsWith("world!\n")), /^HTTP\/1\.1 200 OK\r\n/);
    slowBody.socket.destroy();
    const { status } = await stats();
    assert.equal([status["200"], status["408"]], [1, 1]);
  });
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DOORBELL_BYTES, Doorbell } from "../../../src/shared/memory/doorbell.js";

const test = suite("doorbell");

test("of all that press it one has to send the message, each time it was armed", () => {
  const memory = new SharedArrayBuffer(DOORBELL_BYTES);
  const [main, ...workers] = Array.from({ length: 4 }, () => new Doorbell(memory)) as [Doorbell, ...Doorbell[]];
  const pressed = (): number => workers.filter((worker) => worker.press()).length;
  assert.is(pressed(), 0, "before it was armed");
  for (let round = 0; round < 3; round++) {
    main.arm();
    assert.is(pressed(), 1);
    assert.is(pressed(), 0);
  }
  main.arm();
  main.disarm();
  assert.is(pressed(), 0, "main is awake");
});

test.run();

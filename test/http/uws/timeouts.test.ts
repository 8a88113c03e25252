import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loopool } from "../../support/cli.js";

const test = suite("limits that the adapter on µWS does not have");

for (const flag of ["--header-timeout", "--idle-timeout"]) {
  test(`${flag} of other than 10 seconds is refused`, async () => {
    const { code, errors } = await loopool("serve", "--port", "0", flag, "5").ended;
    assert.is(code, 2);
    assert.is(errors, `loopool: ${flag} 5: the adapter on µWS has 10 seconds, which cannot be changed\n`);
  });
}

test.run();

import * as selfsigned from "selfsigned";
import type * as contract from "../../src/vendor/certificate.js";

export const generate: typeof contract.generate = selfsigned.generate;

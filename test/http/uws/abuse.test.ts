import { abuseConformance } from "../abuse.js";

abuseConformance("uws");

import { abuseConformance } from "../abuse.js";

abuseConformance("node");

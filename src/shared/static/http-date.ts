const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MONTH = `(?<month>${MONTHS.join("|")})`;
const DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)";
const TIME = String.raw`(?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d):(?<second>[0-5]\d|60)`;

/** The three forms that a recipient must know (RFC 9110 §5.6.7): IMF-fixdate, that of RFC 850, that of asctime(). */
const FORMS = [
  String.raw`${DAY}, (?<day>\d\d) ${MONTH} (?<year>\d{4}) ${TIME} GMT`,
  String.raw`${LONG_DAY}, (?<day>\d\d)-${MONTH}-(?<year>\d\d) ${TIME} GMT`,
  String.raw`${DAY} ${MONTH} (?<day>\d\d| \d) ${TIME} (?<year>\d{4})`,
].map((form) => new RegExp(`^${form}$`));

/** An HTTP-date in ms since 1970; undefined for what is none. `Date.parse` would take much else for a date, and asctime's for local time. */
export function parseHttpDate(text: string, nowMs = Date.now()): number | undefined {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups;
    if (parts === undefined) continue;
    const { day = "", month = "", year = "", hour, minute, second } = parts;
    const of = (fullYear: number): number =>
      Date.UTC(fullYear, MONTHS.indexOf(month), Number(day), Number(hour), Number(minute), Number(second));
    const timeMs = of(year.length === 2 ? fullYear(Number(year), nowMs) : Number(year));
    // 30 February would be taken for 2 March.
    return new Date(timeMs - 1000).getUTCDate() === Number(day) || new Date(timeMs).getUTCDate() === Number(day)
      ? timeMs
      : undefined;
  }
  return undefined;
}

/** RFC 9110 §5.6.7: two digits that would lie more than 50 years ahead are those of a year in the past. */
function fullYear(twoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + twoDigits;
  return year > thisYear + 50 ? year - 100 : year;
}

/** As HTTP writes it (IMF-fixdate): whole seconds. */
export function httpDate(timeMs: number): string {
  return new Date(timeMs).toUTCString();
}

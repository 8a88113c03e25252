/** Markup that can be trusted: everything from outside in it has been escaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What can stand in markup: text is escaped, null is nothing. */
type Content = string | number | Html | null | readonly Content[];

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Characters that XML 1.0 does not have (section 2.2) or advises against, and bidirectional controls, which show text in another order. */
const unspeakable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g;

/** Text as it stands in markup and in an attribute's quotes. */
export function escaped(text: string): string {
  return text.replace(unspeakable, "\ufffd").replace(/[&<>"']/g, (character) => entities[character]!);
}

function markupOf(content: Content): string {
  if (content === null) return "";
  if (content instanceof Html) return content.text;
  return typeof content === "object" ? content.map(markupOf).join("") : escaped(String(content));
}

/** Markup with values in it, each escaped unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(strings.reduce((text, part, index) => text + markupOf(values[index - 1] ?? null) + part));
}

/** Our own formatted, in which **strong** and *emphasis* are markup. */
export function formatted(text: string): Html {
  const marked = escaped(text)
    .replace(/\*\*(.+?)\*\*/g, "<strong>$1</strong>")
    .replace(/\*(.+?)\*/g, "<em>$1</em>");
  return new Html(marked);
}

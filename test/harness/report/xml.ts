/** An element of a parsed document: its name, attributes and the text right inside it. */
export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
}

const token =
  /<!\[CDATA\[([\s\S]*?)\]\]>|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)([^\s<>/]+)((?:\s+[^\s=<>/]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
const entity = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)/;

/** The elements of an XML document in order. Throws where it is not well-formed (XML 1.0, section 2.1), as far as SVG files use it. */
export function parseXml(text: string): readonly Element[] {
  const elements: Element[] = [];
  const open: Element[] = [];
  let roots = 0;
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (match === null) throw new Error(`not well-formed at ${at}: ${text.slice(at, at + 60)}`);
    const [, cdata, closing, name, attributeText = "", empty, characters] = match;
    if (name !== undefined && closing === "/") {
      const last = open.pop();
      if (last?.name !== name) throw new Error(`</${name}> closes <${last?.name}>`);
    } else if (name !== undefined) {
      if (open.length === 0 && ++roots > 1) throw new Error("more than one root");
      const pairs = [...attributeText.matchAll(/([^\s=]+)="([^"]*)"/g)].map(
        ([, key = "", value = ""]) => [key, value] as const,
      );
      if (new Set(pairs.map(([key]) => key)).size !== pairs.length) throw new Error(`<${name}> repeats an attribute`);
      if (pairs.some(([, value]) => entity.test(value))) throw new Error(`<${name}> holds a bare &`);
      const element = { name, attributes: Object.fromEntries(pairs), text: "" };
      elements.push(element);
      if (empty !== "/") open.push(element);
    } else if (characters !== undefined) {
      if (entity.test(characters)) throw new Error(`bare & at ${at}`);
      const inside = open.at(-1);
      if (inside === undefined && characters.trim() !== "") throw new Error("text outside the root");
      if (inside !== undefined) inside.text += unescaped(characters);
    } else if (cdata !== undefined && open.length === 0) throw new Error("CDATA outside the root");
  }
  if (open.length > 0 || roots === 0) throw new Error(`<${open.at(-1)?.name ?? "root"}> is not closed`);
  return elements;
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

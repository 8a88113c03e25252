import { type AnyNode, type Node, parse } from "acorn";

/** A fault of one place: `text` stands for the characters from `start` to `end`. */
export interface Fault {
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const COMPARISONS: Readonly<Record<string, readonly string[]>> = {
  "<": ["<=", ">"],
  "<=": ["<", ">="],
  ">": [">=", "<"],
  ">=": [">", "<="],
  "===": ["!=="],
  "!==": ["==="],
};
const ARITHMETIC: Readonly<Record<string, string>> = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "&": "|",
  "|": "&",
  "<<": ">>",
  ">>": "<<",
  ">>>": "<<",
};
const ASSIGNMENTS: Readonly<Record<string, string>> = { "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "??=": "=" };
/** From here on a number is taken for a limit or a unit: it becomes a thousand times as large. */
const UNIT = 10;

/** Every fault that the operators can make in a compiled module, in the order of the source. */
export function faultsIn(source: string): readonly Fault[] {
  const faults: Fault[] = [];
  const textOf = ({ start, end }: Node): string => source.slice(start, end);
  const add = (operator: string, { start, end }: Pick<Node, "start" | "end">, text: string): void => {
    if (source.slice(start, end) !== text) faults.push({ operator, start, end, text });
  };
  /** The operator of an expression stands between its operands. */
  const replaceOperator = (operator: string, left: Node, right: Node, from: string, to: string): void => {
    const start = source.indexOf(from, left.end);
    if (start >= 0 && start < right.start) add(operator, { start, end: start + from.length }, to);
  };
  const exchange = (operator: string, one: Node, other: Node): void =>
    add(
      operator,
      { start: one.start, end: other.end },
      textOf(other) + source.slice(one.end, other.start) + textOf(one),
    );

  const visit = (node: AnyNode): void => {
    switch (node.type) {
      case "BinaryExpression":
        for (const to of COMPARISONS[node.operator] ?? [])
          replaceOperator("comparison", node.left, node.right, node.operator, to);
        // Of texts no difference can be made.
        if (ARITHMETIC[node.operator] !== undefined && ![node.left, node.right].some(isText))
          replaceOperator("arithmetic", node.left, node.right, node.operator, ARITHMETIC[node.operator]!);
        break;
      case "LogicalExpression":
        if (node.operator === "??") add("no fallback", node, textOf(node.left));
        else replaceOperator("and, or", node.left, node.right, node.operator, node.operator === "&&" ? "||" : "&&");
        break;
      case "AssignmentExpression":
        if (ASSIGNMENTS[node.operator] !== undefined)
          replaceOperator("arithmetic", node.left, node.right, node.operator, ASSIGNMENTS[node.operator]!);
        break;
      case "UpdateExpression": {
        const other = node.operator === "++" ? "--" : "++";
        add("arithmetic", node, textOf(node).replace(node.operator, other));
        break;
      }
      case "UnaryExpression":
        if (node.operator === "!") add("negation", node, `(${textOf(node.argument)})`);
        break;
      case "Literal":
        if (typeof node.value === "boolean") add("true, false", node, String(!node.value));
        if (typeof node.value === "number") {
          add("off by one", node, String(node.value + 1));
          if (node.value >= UNIT) add("thousandfold", node, String(node.value * 1000));
        }
        break;
      case "IfStatement":
      case "ConditionalExpression":
        add("negation", node.test, `!(${textOf(node.test)})`);
        break;
      case "CallExpression":
      case "NewExpression": {
        const [one, other] = node.arguments;
        if (one !== undefined && other !== undefined) exchange("exchanged arguments", one, other);
        break;
      }
      case "ObjectExpression":
        for (const [index, one] of node.properties.entries()) {
          const other = node.properties[index + 1];
          if (one.type !== "Property" || other?.type !== "Property" || one.method || other.method) continue;
          exchangeValues(one, other);
        }
        break;
      case "ExpressionStatement":
        // "use strict" and super() are not what a slip leaves out.
        if (node.expression.type !== "Literal" && !textOf(node).startsWith("super(")) add("dropped", node, ";");
        break;
      case "ReturnStatement":
        if (node.argument?.type === "ConditionalExpression")
          add("one branch", node.argument, textOf(node.argument.consequent));
        break;
      case "BlockStatement":
      case "Program":
        for (const [index, one] of node.body.entries()) {
          const other = node.body[index + 1];
          if (one.type === "ExpressionStatement" && other?.type === "ExpressionStatement")
            exchange("order", one, other);
        }
        break;
      case "FunctionDeclaration":
      case "FunctionExpression": {
        const [first, second] = node.body.body;
        const hasResult = /\breturn [^;]/.test(textOf(node.body));
        if (first !== undefined && second !== undefined && !hasResult && !textOf(first).startsWith("super("))
          add("returns early", { start: second.start, end: second.start }, "return; ");
        break;
      }
    }
    for (const child of childrenOf(node)) visit(child);
  };
  /** What a reader would write who has taken one field for the next. A shorthand has its name for a value. */
  const exchangeValues = (one: Node & { key: Node; value: Node }, other: typeof one): void => {
    const text = `${textOf(one.key)}: ${textOf(other.value)}${source.slice(one.end, other.start)}${textOf(other.key)}: ${textOf(one.value)}`;
    if (textOf(one.value) !== textOf(other.value) && source[one.start] !== "[" && source[other.start] !== "[")
      add("exchanged fields", { start: one.start, end: other.end }, text);
  };

  visit(parse(source, { ecmaVersion: "latest", sourceType: "module" }));
  return faults.sort((one, other) => one.start - other.start || one.end - other.end);
}

const isText = (node: Node): boolean =>
  node.type === "TemplateLiteral" ||
  (node.type === "Literal" && typeof (node as { value?: unknown }).value === "string");

/** Patterns are left out: an exchange in one is a renaming. */
function childrenOf(node: AnyNode): readonly AnyNode[] {
  return Object.values(node).flatMap((value: unknown) => {
    const nodes = Array.isArray(value) ? value : [value];
    return nodes.filter(
      (one): one is AnyNode => typeof one === "object" && one !== null && "type" in one && "start" in one,
    );
  });
}

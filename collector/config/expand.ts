import { parse } from "yaml";

/**
 * A value in which `${…}` was expanded. One that is nothing but a reference is typed as YAML and keeps its original text for fields
 * that want text (leading zeros survive). Messages never quote it: it may be a secret.
 */
export class Expanded {
  readonly value: unknown;
  readonly text: string;

  constructor(value: unknown, text: string) {
    this.value = value;
    this.text = text;
  }
}

export interface ExpandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly problems: string[];
  readonly warnings: string[];
}

/** Nested references are expanded inside-out; a cycle or a bomb ends here. */
const MAX_ROUNDS = 1000;
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** An innermost reference: no `${` inside. The run of `$` before it decides whether it is escaped. */
const REFERENCE = /(\$+)\{([^${}]*)\}/;
const ESCAPED_DOLLAR = "\u0001";

/** Expands `${env:NAME}`, `${env:NAME:-default}` and `${NAME}` in all values below `node` (never in keys); `$$` is a dollar sign. */
export function expandTree(node: unknown, context: ExpandContext): unknown {
  if (typeof node === "string") return expandText(node, context);
  if (Array.isArray(node)) return node.map((entry) => expandTree(entry, context));
  if (typeof node !== "object" || node === null) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, expandTree(value, context)]));
}

function expandText(text: string, context: ExpandContext): unknown {
  if (!text.includes("$")) return text;
  let current = text.replaceAll("$$", ESCAPED_DOLLAR);
  let expanded = false;
  for (let round = 0; ; round++) {
    const match = REFERENCE.exec(current);
    if (match === null) break;
    if (round === MAX_ROUNDS) {
      context.problems.push("failed to get config: cannot resolve the configuration: too many recursive expansions");
      return null;
    }
    const found = resolve(match[2] ?? "", context);
    if (found === undefined) return null;
    expanded = true;
    const whole = match[0] === current;
    if (whole) {
      if (found === null) return new Expanded(null, "");
      if (!found.includes("${")) return new Expanded(typed(found), found);
    }
    current = current.slice(0, match.index) + (found ?? "") + current.slice(match.index + match[0].length);
  }
  const result = current.replaceAll(ESCAPED_DOLLAR, "$");
  return expanded ? new Expanded(result, result) : result;
}

/** The text of one reference; null when the variable is unset, undefined when the reference itself is wrong. */
function resolve(reference: string, context: ExpandContext): string | null | undefined {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):(?!-)/.exec(reference)?.[1];
  if (scheme !== undefined && scheme !== "env") {
    context.problems.push(
      `failed to get config: cannot resolve the configuration: scheme "${scheme}" is not supported for uri "${scheme}:…"`,
    );
    return undefined;
  }
  const body = scheme === undefined ? reference : reference.slice(4);
  const split = body.indexOf(":-");
  const name = split < 0 ? body : body.slice(0, split);
  if (!NAME.test(name)) {
    context.problems.push(
      `failed to get config: cannot resolve the configuration: environment variable "${name}" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$`,
    );
    return undefined;
  }
  const value = context.env[name];
  if (value !== undefined) return value.replaceAll("$", ESCAPED_DOLLAR);
  if (split >= 0) return body.slice(split + 2);
  context.warnings.push(`configuration references unset environment variable ${name}`);
  return null;
}

/** The value as YAML, or as the text it is when that is no YAML. */
function typed(text: string): unknown {
  const plain = text.replaceAll(ESCAPED_DOLLAR, "$");
  try {
    return parse(plain) as unknown;
  } catch {
    return plain;
  }
}

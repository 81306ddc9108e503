import { parseYaml } from "./merge.ts";

/**
 * What a `${…}` became. `value` is typed as YAML; `text` is what stood in the environment, for fields that want text (leading zeros
 * survive). Messages show `source`, the reference as the file has it: the value may be a secret.
 */
export class Expanded {
  readonly value: unknown;
  readonly text: string;
  readonly source: string;

  constructor(value: unknown, text: string, source: string) {
    this.value = value;
    this.text = text;
    this.source = source;
  }
}

export interface ExpandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly problems: string[];
  readonly warnings: string[];
}

/** One scalar of the file being expanded; `source` is its text before the first round. */
interface Leaf extends ExpandContext {
  readonly source: string;
}

const MAX_ROUNDS = 1000;
/** Values that double in every round end here, long before the rounds do. */
const MAX_CHARS = 1024 * 1024;
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const URI = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s;
const REDACTED = "[REDACTED]";

class ExpandFault extends Error {}

/**
 * Expands `${env:NAME}`, `${env:NAME:-default}` and `${NAME}` in all values below `node`, never in keys; what a variable holds is expanded
 * in turn, and `$$` is a dollar sign. Source: confmap/expand.go and envprovider of the OpenTelemetry Collector.
 */
export function expandTree(node: unknown, context: ExpandContext, path = ""): unknown {
  if (typeof node === "string") return expandLeaf(node, context, path);
  return mapChildren(node, (child, key) => expandTree(child, context, path === "" ? key : `${path}::${key}`));
}

function expandLeaf(source: string, context: ExpandContext, path: string): unknown {
  const leaf: Leaf = { ...context, source };
  try {
    let current: unknown = source;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const next = expandOnce(current, leaf);
      if (next === current) return withoutEscapes(tagged(current, source), leaf);
      current = next;
    }
    throw new ExpandFault("too many recursive expansions");
  } catch (error) {
    if (!(error instanceof ExpandFault)) throw error;
    const where = path === "" ? "" : `${path}: `;
    context.problems.push(`cannot resolve the configuration: ${where}${error.message}`);
    return null;
  }
}

/** One round: the first reference of every text; the same object when there was none. */
function expandOnce(value: unknown, leaf: Leaf): unknown {
  if (typeof value === "string") return expandFirst(value, leaf);
  if (!(value instanceof Expanded)) return mapChildren(value, (child) => expandOnce(child, leaf));
  const inner = expandOnce(value.value, leaf);
  if (typeof inner === "string" || inner instanceof Expanded) return inner === value.value ? value : inner;
  const text = originalText(value.text, leaf);
  return inner === value.value && text === value.text ? value : new Expanded(inner, text, leaf.source);
}

/** The text behind a typed value; a reference in it that is none (in a comment, say) leaves it as it stands. */
function originalText(text: string, leaf: Leaf): string {
  try {
    const expanded = expandFirst(text, leaf);
    return typeof expanded === "string" ? expanded : text;
  } catch (error) {
    if (error instanceof ExpandFault) return text;
    throw error;
  }
}

function expandFirst(text: string, leaf: Leaf): unknown {
  const reference = findReference(text);
  if (reference === undefined) return text;
  const found = resolve(reference.slice(2, -1), leaf);
  if (reference === text) return found;
  const replaced = text.replaceAll(reference, () => found.text);
  if (replaced.length > MAX_CHARS) throw new ExpandFault("too many recursive expansions");
  return replaced;
}

/** The innermost `${…}` that ends first and is not escaped by an odd run of dollars before it. */
function findReference(text: string): string | undefined {
  for (let close = text.indexOf("}"); close >= 0; close = text.indexOf("}", close + 1)) {
    const open = text.lastIndexOf("${", close);
    if (open < 0) continue;
    const dollars = /\$*$/.exec(text.slice(0, open))?.[0].length ?? 0;
    if (dollars % 2 === 0) return text.slice(open, close + 1);
  }
  return undefined;
}

function resolve(reference: string, leaf: Leaf): Expanded {
  const bare = /^([a-zA-Z_][a-zA-Z0-9_]*):-/.exec(reference)?.[1];
  if (bare !== undefined) throw new ExpandFault(`invalid uri: write \${env:${shown(bare, leaf)}:-…}`);
  const uri = reference.includes(":") ? reference : `env:${reference}`;
  const [, scheme, body] = URI.exec(uri) ?? [];
  if (scheme === undefined || body === undefined) throw new ExpandFault(`invalid uri: "${shown(uri, leaf)}"`);
  if (body.includes("$")) throw new ExpandFault(`the uri "${shown(uri, leaf)}" contains unsupported characters ('$')`);
  if (scheme !== "env") throw new ExpandFault(`scheme "${shown(scheme, leaf)}" is not supported for uri "${shown(scheme, leaf)}:…"`);
  const [name = "", ...rest] = body.split(":-");
  if (!NAME.test(name)) {
    throw new ExpandFault(`environment variable "${shown(name, leaf)}" has invalid name: must match regex ${NAME.source}`);
  }
  const fallback = rest.length > 0 ? rest.join(":-") : undefined;
  const text = leaf.env[name] ?? fallback;
  if (text !== undefined) return new Expanded(text === fallback && text === "" ? "" : typed(text), text, leaf.source);
  leaf.warnings.push(`Configuration references unset environment variable ${shown(name, leaf)}`);
  return new Expanded(null, "", leaf.source);
}

/** What may be named in a message: only what the file itself says, never what a variable held. */
const shown = (text: string, { source }: Leaf): string => (source.includes(text.replace(/^env:/, "")) ? text : REDACTED);

/** The value as YAML; text, and what is no YAML, as it stands. */
function typed(text: string): unknown {
  const parsed = parseYaml(text);
  return "faults" in parsed || typeof parsed.value === "string" ? text : parsed.value;
}

/** Marks what did not come from the file alone. */
const tagged = (value: unknown, source: string): unknown =>
  typeof value === "string" && value !== source ? new Expanded(value, value, source) : value;

function withoutEscapes(value: unknown, leaf: Leaf): unknown {
  if (typeof value === "string") return value.replaceAll("$$", () => "$");
  if (value instanceof Expanded)
    return new Expanded(
      withoutEscapes(value.value, leaf),
      value.text.replaceAll("$$", () => "$"),
      leaf.source,
    );
  return mapChildren(value, (child) => withoutEscapes(child, leaf));
}

/** A list or map with changed children; the same object when none changed. Scalars pass. */
function mapChildren(node: unknown, change: (child: unknown, key: string) => unknown): unknown {
  if (Array.isArray(node)) {
    const entries = node.map((child, i) => change(child, String(i)));
    return entries.every((entry, i) => entry === node[i]) ? node : entries;
  }
  if (typeof node !== "object" || node === null || node instanceof Expanded) return node;
  const entries = Object.entries(node).map(([key, child]) => [key, change(child, key), child] as const);
  return entries.every(([, after, before]) => after === before) ? node : Object.fromEntries(entries);
}

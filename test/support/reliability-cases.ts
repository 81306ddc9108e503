import type { SourceFile } from "./source-files.ts";
import { nodesOf, type SyntaxNode } from "./syntax.ts";

/** One row of the table in docs/reliability.md. */
export interface ListedCase {
  readonly id: string;
  readonly priority: string;
  readonly area: string;
  /** Test files that prove it; none for a case that is left for later. */
  readonly files: readonly string[];
  /** Why it is left for later; undefined for a case that is proven. */
  readonly later: string | undefined;
}

const ROW = /^\| ([A-Z]{3}-\d{2}) \| (P\d) \| ([a-z-]+) \| [^|]+ \| ([^|]+) \|$/gm;

/** The rows of the table: `| case | priority | area | what is shown | test files, or "later: …" |`. */
export const readListedCases = (markdown: string): ListedCase[] =>
  [...markdown.matchAll(ROW)].map(([, id = "", priority = "", area = "", proof = ""]) => ({
    id,
    priority,
    area,
    files: [...proof.matchAll(/`([^`]+)`/g)].map(([, file = ""]) => file),
    later: /^later: (.+)$/.exec(proof)?.[1],
  }));

/** Ids stand at the beginning of a test's name, alone or after the ids of other rules: "PRC-06 H26 a failure …", "H12 SIZ-13 …". */
const LEADING_IDS = /^(?:(?:[A-Z]{3}-\d{2}|[A-Z]\d{1,2}) )+/;

const firstText = (node: SyntaxNode): string | undefined => {
  if (node.type === "Literal") return typeof node["value"] === "string" ? node["value"] : undefined;
  if (node.type !== "TemplateElement") return undefined;
  return (node["value"] as { readonly cooked?: string }).cooked;
};

/** The case ids that names of tests in a file begin with, whether the name is given to `it` or comes from a row of `it.each`. */
export const caseIdsOf = (file: SourceFile): Set<string> => leadingIds(file, /^[A-Z]{3}-\d{2}$/);

/** The same for the rules of OTLP, such as H12. */
export const ruleIdsOf = (file: SourceFile): Set<string> => leadingIds(file, /^[A-Z]\d{1,2}$/);

function leadingIds(file: SourceFile, kind: RegExp): Set<string> {
  const texts = [...nodesOf(file)].map((node) => firstText(node) ?? "");
  const leading = texts.flatMap((text) => LEADING_IDS.exec(text)?.[0] ?? []);
  return new Set(leading.flatMap((ids) => ids.split(" ").filter((id) => kind.test(id))));
}

/** Case id, area and priority of each record of a CSV file whose first three columns these are. Other columns may hold anything quoted. */
export const readCaseIds = (csv: string): { readonly id: string; readonly area: string; readonly priority: string }[] =>
  [...csv.matchAll(/^([A-Z]{3}-\d{2}),([a-z-]+),(P\d),/gm)].map(([, id = "", area = "", priority = ""]) => ({ id, area, priority }));

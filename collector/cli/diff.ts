import type { Terminal } from "./terminal.ts";

/** A comparison of texts as the API gives it. */
export interface ApiDiff {
  readonly equal: boolean;
  readonly added_lines: number;
  readonly removed_lines: number;
  readonly pieces?: readonly { readonly op: "equal" | "add" | "remove"; readonly text: string }[];
}

const SIGN = { equal: " ", add: "+", remove: "-" } as const;
const STYLE = { add: "green", remove: "red" } as const;
/** Equal lines shown around a change. */
const CONTEXT = 3;

/** Writes what changed, with signs and not by colour alone; nothing for equal texts. */
export async function writeDiff(terminal: Terminal, heading: string, diff: ApiDiff): Promise<void> {
  if (diff.equal) return;
  await terminal.write(`\n${terminal.style("bold", `${heading}  +${diff.added_lines} -${diff.removed_lines}`)}\n`);
  if (diff.pieces === undefined) return terminal.write("The texts are too different to be aligned.\n");
  for (const [i, { op, text }] of diff.pieces.entries()) {
    const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
    const shown = op === "equal" ? withoutMiddle(lines, i === 0, i === diff.pieces.length - 1) : lines;
    for (const line of shown) {
      const signed = `${SIGN[op]} ${line.replace(/[^\P{Control}\t]/gu, "�")}`;
      await terminal.write(`${op === "equal" ? signed : terminal.style(STYLE[op], signed)}\n`);
    }
  }
}

function withoutMiddle(lines: readonly string[], isFirst: boolean, isLast: boolean): readonly string[] {
  const before = isFirst ? [] : lines.slice(0, CONTEXT);
  const after = isLast ? [] : lines.slice(-CONTEXT);
  return lines.length <= before.length + after.length + 1 ? lines : [...before, "…", ...after];
}

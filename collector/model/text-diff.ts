import { diffLines, diffWordsWithSpace } from "diff";

/** A piece of a comparison. Within changed lines, `words` says which words changed. */
export interface DiffPiece {
  readonly op: "equal" | "add" | "remove";
  readonly text: string;
  readonly words?: readonly { readonly op: "equal" | "add" | "remove"; readonly text: string }[];
}

/** How one text became another; `pieces` is undefined where they are too different to align in time. */
export interface TextDiff {
  readonly equal: boolean;
  readonly added_lines: number;
  readonly removed_lines: number;
  readonly pieces: readonly DiffPiece[] | undefined;
}

/** Unrelated texts take seconds to align (50 KB of words: more than one), and nobody reads such a comparison. */
const LINES_TIMEOUT_MS = 400;
const WORDS_TIMEOUT_MS = 100;
const ALL_WORDS_TIMEOUT_MS = 400;
const MAX_WORD_CHARS = 20_000;

interface Change {
  readonly value: string;
  readonly added?: boolean;
  readonly removed?: boolean;
  readonly count?: number;
}

const opOf = ({ added, removed }: Change): DiffPiece["op"] => (added === true ? "add" : removed === true ? "remove" : "equal");

/** Compares line by line, then word by word inside lines that were replaced; bounded in time. What is absent is an empty text. */
export function diffTexts(a: string | null, b: string | null): TextDiff {
  const [before, after] = [a ?? "", b ?? ""];
  if (before === after)
    return { equal: true, added_lines: 0, removed_lines: 0, pieces: before === "" ? [] : [{ op: "equal", text: before }] };
  const changes = diffLines(before, after, { timeout: LINES_TIMEOUT_MS }) as readonly Change[] | undefined;
  if (changes === undefined) return { equal: false, added_lines: linesOf(after), removed_lines: linesOf(before), pieces: undefined };
  const count = (op: DiffPiece["op"]): number =>
    changes.filter((change) => opOf(change) === op).reduce((sum, change) => sum + (change.count ?? 0), 0);
  return { equal: false, added_lines: count("add"), removed_lines: count("remove"), pieces: withWords(changes) };
}

const linesOf = (text: string): number => (text === "" ? 0 : text.split("\n").length);

/** A removal followed by an addition is a replacement: its words are compared. */
function withWords(changes: readonly Change[]): DiffPiece[] {
  const deadline = performance.now() + ALL_WORDS_TIMEOUT_MS;
  const pieces: DiffPiece[] = changes.map((change) => ({ op: opOf(change), text: change.value }));
  return pieces.map((piece, i) => {
    const other = piece.op === "remove" ? pieces[i + 1] : pieces[i - 1];
    const replaced = other !== undefined && other.op !== "equal" && other.op !== piece.op && piece.op !== "equal";
    if (!replaced || performance.now() > deadline) return piece;
    const [before, after] = piece.op === "remove" ? [piece.text, other.text] : [other.text, piece.text];
    const words = diffedWords(before, after)?.filter(({ op }) => op === "equal" || op === piece.op);
    return words === undefined ? piece : { ...piece, words };
  });
}

function diffedWords(before: string, after: string): DiffPiece[] | undefined {
  if (before.length + after.length > MAX_WORD_CHARS) return undefined;
  const changes = diffWordsWithSpace(before, after, { timeout: WORDS_TIMEOUT_MS }) as readonly Change[] | undefined;
  return changes?.map((change) => ({ op: opOf(change), text: change.value }));
}

/** One rule of the program, the edit that switches it off, and the test that must notice. */
export interface Mutant {
  /** What the program does as long as nobody touches it. */
  readonly rule: string;
  /** Its case in docs/reliability.md, or its paragraph in the contract there. */
  readonly caseId: string;
  /** The file that is edited; paths are relative to the root of the repository. */
  readonly file: string;
  /** Text that stands in the file exactly once. */
  readonly before: string;
  /** What stands there instead. */
  readonly after: string;
  readonly test: MutantTest;
}

export interface MutantTest {
  readonly file: string;
  /** How the test's own name begins, as it is written in its file. */
  readonly name: string;
}

/** `text` with the edit. Throws where the edit does not fit in exactly one place: the source has moved on. */
export function switchOff(text: string, { file, before, after }: Pick<Mutant, "file" | "before" | "after">): string {
  const places = text.split(before).length - 1;
  if (places !== 1) throw new Error(`the edit of ${file} fits in ${places} places instead of one: ${JSON.stringify(before)}`);
  return text.replace(before, () => after);
}

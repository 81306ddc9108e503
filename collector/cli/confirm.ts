import { CommandError, EXIT } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Lets a person who sits there say yes to what does not come back; the question is made only where it is asked. Throws CommandError with `otherwise` where nobody can be asked (no terminal, or
 * --no-input), and where the answer is another one.
 */
export async function confirm({ ask }: Terminal, question: () => string | Promise<string>, otherwise: string): Promise<void> {
  const answer = await ask?.(async () => `${await question()} Type yes to go on: `);
  if (answer === undefined) throw new CommandError(EXIT.usage, otherwise);
  if (answer.trim().toLowerCase() !== "yes") throw new CommandError(EXIT.failure, "Nothing was done.");
}

import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { createTerminal } from "../../../collector/cli/terminal.ts";

/** A terminal made of streams; `typed` is what the person types, undefined ends the input. */
function terminalWith(tty: boolean, typed?: string) {
  const stream = () => Object.assign(new PassThrough(), { isTTY: tty });
  const [stdin, stdout, stderr] = [stream(), stream(), stream()];
  const terminal = createTerminal(stdout, stderr, stdin);
  if (typed === undefined) stdin.end();
  else stdin.write(typed);
  const shown = (): string => String(stderr.read() ?? "");
  return { terminal, shown };
}

describe("a question at the terminal", () => {
  it("is shown on standard error, and answered by a line", async () => {
    const { terminal, shown } = terminalWith(true, "yes\n");
    expect(await terminal.ask?.(async () => "Really? ")).toBe("yes");
    expect(shown()).toContain("Really? ");
  });

  it("is answered by nothing where the input ends", async () => {
    expect(await terminalWith(true).terminal.ask?.(async () => "Really? ")).toBe("");
  });

  it("is not even made where there is no terminal, or none is wanted", async () => {
    const fail = (): Promise<string> => Promise.reject(new Error("asked"));
    expect(await terminalWith(false, "yes\n").terminal.ask?.(fail)).toBeUndefined();
    const { terminal } = terminalWith(true, "yes\n");
    terminal.tone?.({ input: false });
    expect(await terminal.ask?.(fail)).toBeUndefined();
  });
});

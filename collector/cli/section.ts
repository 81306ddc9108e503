import type { Terminal } from "./terminal.ts";

/** Text of an application must not steer a terminal; a file gets it as it is. */
const printable = (text: string): string => text.replace(/[^\P{Control}\n\t]|[\u{200E}\u{200F}\u{202A}-\u{202E}\u{2066}-\u{2069}]/gu, "�");

/** Writes a long text under a heading. */
export async function writeSection(terminal: Terminal, heading: string, text: string): Promise<void> {
  const shown = terminal.interactive ? printable(text.replaceAll("\r\n", "\n")) : text;
  await terminal.write(`\n${terminal.style("bold", heading)}\n${shown}${shown.endsWith("\n") ? "" : "\n"}`);
}

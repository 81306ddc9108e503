import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import type { Actions } from "../../../collector/cli/actions.ts";
import { createProgram } from "../../../collector/cli/program.ts";
import type { Terminal } from "../../../collector/cli/terminal.ts";

async function scriptFor(shell: string): Promise<string> {
  let out = "";
  const terminal: Terminal = {
    interactive: false,
    style: (_, text) => text,
    note() {},
    async write(text) {
      out += text;
    },
  };
  const program = createProgram({ actions: {} as Actions, terminal, env: {}, version: "1.2.3" });
  await program.parseAsync(["completion", shell], { from: "user" });
  return out;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** How each shell is asked for what it offers, a word a line, behind the words of a command line. */
const ASKED = {
  bash: (words: readonly string[]) => [
    ...["--norc", "--noprofile", "-c"],
    `eval "$SCRIPT"; COMP_WORDS=(genspan ${words.map(quoted).join(" ")}); COMP_CWORD=${words.length}; _genspan; printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  zsh: (words: readonly string[]) => [
    ...["-f", "-c"],
    `compdef() { :; }; _files() { :; }; compadd() { shift; printf '%s\\n' "$@"; }
     eval "$SCRIPT"; words=(genspan ${words.map(quoted).join(" ")}); CURRENT=${words.length + 1}; _genspan`,
  ],
  fish: (words: readonly string[]) => [
    "--no-config",
    "-c",
    `echo "$SCRIPT" | source; complete -C${quoted(["genspan", ...words].join(" "))}`,
  ],
} as const;

const isInstalled = (shell: string): boolean => spawnSync(shell, ["-c", "true"]).status === 0;

describe.each(Object.entries(ASKED))("completion in %s", (shell, asked) => {
  let script: string;
  beforeAll(async () => {
    script = await scriptFor(shell);
  });

  /** What may follow the words, of which the last is only begun. */
  const offered = (...words: string[]): string[] => {
    const ran = spawnSync(shell, asked(words), { encoding: "utf8", env: { ...process.env, SCRIPT: script } });
    expect([ran.stderr, ran.status]).toEqual(["", 0]);
    const begun = words.at(-1) ?? "";
    return ran.stdout.split("\n").filter((word) => word !== "" && word.startsWith(begun));
  };

  // A machine need not have all three; the script of each is the same tree.
  it.skipIf(!isInstalled(shell))("offers commands, their options, and the words that options and arguments take", () => {
    expect(offered("gen")).toEqual(["generation"]);
    expect(offered("generation", "l").toSorted()).toEqual(["link", "list"]);
    expect(offered("--no-color", "key", "sq")).toEqual(["sql-login"]);
    expect(offered("generation", "trace-stats", "--b")).toEqual(["--by"]);
    expect(offered("generation", "list", "find")).toEqual([]);
    expect(offered("generation", "list", "-o", "js").toSorted()).toEqual(["json", "jsonl"]);
    expect(offered("run", "stats", "--output", "t")).toEqual(["table"]);
    expect(offered("key", "create", "--scope", "").toSorted()).toEqual(["admin", "ingest", "read"]);
    expect(offered("completion", "f")).toEqual(["fish"]);
    expect(offered("export", "im")).toEqual(["images"]);
    expect(offered("export", "images", "--fr")).toEqual(["--from"]);
  });
});

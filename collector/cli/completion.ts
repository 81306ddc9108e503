import { Argument, type Command, type Option } from "commander";
import { type CliInput, withExamples } from "./options.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/** What may follow some words of a command line. */
interface Place {
  /** Words so far, without `genspan`. */
  readonly path: string;
  readonly words: readonly string[];
}

export function addCompletion(program: Command, { terminal }: CliInput): void {
  const command = program
    .command("completion")
    .addArgument(new Argument("<shell>", "shell to complete in").choices(SHELLS))
    .description("print a script that completes commands and options")
    .action((shell: Shell) => terminal.write(scriptOf(shell, placesOf(program))));
  withExamples(command, "genspan completion bash > ~/.local/share/bash-completion/completions/genspan", "genspan completion fish | source");
}

const flagsOf = (command: Command): string[] =>
  command.options.map((option: Option) => option.long).filter((flag) => flag !== undefined && flag !== null);

/** Every command with what may follow it, from the command tree itself: nothing can be forgotten. */
function placesOf(program: Command): Place[] {
  const global = flagsOf(program);
  const visit = (command: Command, path: string): Place[] => [
    {
      path,
      words: [
        ...command.commands.flatMap((each) => [each.name(), ...each.aliases()]),
        ...flagsOf(command),
        ...(path === "" ? [] : global),
        "--help",
      ],
    },
    ...command.commands.flatMap((each) =>
      [each.name(), ...each.aliases()].flatMap((name) => visit(each, path === "" ? name : `${path} ${name}`)),
    ),
  ];
  return visit(program, "");
}

function scriptOf(shell: Shell, places: readonly Place[]): string {
  switch (shell) {
    case "bash":
      return `_genspan() {\n${shellFunction(places, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))\n}\ncomplete -o default -F _genspan genspan\n`;
    case "zsh":
      return `#compdef genspan\n_genspan() {\n${shellFunction(places, `"\${(@)words[2,CURRENT-1]}"`, "offered")}  compadd -- \${=offered}\n  _files\n}\ncompdef _genspan genspan\n`;
    case "fish":
      return places.map(fishLines).join("");
  }
}

/** Walks the words typed so far as long as they name commands, then looks up what may follow. */
function shellFunction(places: readonly Place[], typed: string, result = "words"): string {
  const paths = places.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const cases = places.map(({ path, words }) => `    "${path}") ${result}="${words.join(" ")}" ;;\n`).join("");
  return `  local at="" word next ${result}=""
  for word in ${typed}; do
    next="\${at:+$at }$word"
    case "$next" in ${paths.join("|")}) at="$next" ;; esac
  done
  case "$at" in
${cases}  esac
`;
}

function fishLines({ path, words }: Place): string {
  const parts = path === "" ? [] : path.split(" ");
  const condition =
    parts.length === 0 ? "__fish_use_subcommand" : parts.map((part) => `__fish_seen_subcommand_from ${part}`).join("; and ");
  return `complete -c genspan -n "${condition}" -a "${words.join(" ")}"\n`;
}

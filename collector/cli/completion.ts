import { Argument, type Command, type Option } from "commander";
import { type CliInput, withExamples } from "./options.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

/** What may follow some words of a command line. */
interface Place {
  /** Words so far, without `genspan`. */
  readonly path: string;
  readonly commands: readonly string[];
  /** Arguments that are one of a few words, and options. */
  readonly others: readonly string[];
}

/** An option whose value is one of a few words. */
interface Choice {
  /** Such as `--output`. */
  readonly long: string;
  readonly short: string | undefined;
  readonly values: readonly string[];
}

export function addCompletion(program: Command, { terminal }: CliInput): void {
  const command = program
    .command("completion")
    .addArgument(new Argument("<shell>", "shell to complete in").choices(SHELLS))
    .description("print a script that completes commands and options")
    .action((shell: Shell) => terminal.write(scriptOf(shell, placesOf(program), choicesOf(program))));
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
      commands: command.commands.flatMap((each) => [each.name(), ...each.aliases()]),
      others: [...(command.registeredArguments[0]?.argChoices ?? []), ...flagsOf(command), ...(path === "" ? [] : global), "--help"],
    },
    ...command.commands.flatMap((each) =>
      [each.name(), ...each.aliases()].flatMap((name) => visit(each, path === "" ? name : `${path} ${name}`)),
    ),
  ];
  return visit(program, "");
}

/** Options of a name offer what any command takes by it. */
function choicesOf(program: Command): Choice[] {
  const found = new Map<string, Choice>();
  const visit = (command: Command): void => {
    for (const { long, short, argChoices } of command.options) {
      if (typeof long !== "string" || argChoices === undefined) continue;
      const values = new Set([...(found.get(long)?.values ?? []), ...argChoices]);
      found.set(long, { long, short: short ?? undefined, values: [...values] });
    }
    for (const each of command.commands) visit(each);
  };
  visit(program);
  return [...found.values()];
}

function scriptOf(shell: Shell, places: readonly Place[], choices: readonly Choice[]): string {
  switch (shell) {
    case "bash": {
      const typed = { words: `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`, last: `"\${COMP_WORDS[COMP_CWORD-1]}"`, result: "words" };
      return `_genspan() {\n${shellFunction(places, choices, typed)}  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))\n}\ncomplete -o default -F _genspan genspan\n`;
    }
    case "zsh": {
      const typed = { words: `"\${(@)words[2,CURRENT-1]}"`, last: `"\${words[CURRENT-1]}"`, result: "offered" };
      return `#compdef genspan\n_genspan() {\n${shellFunction(places, choices, typed)}  compadd -- \${=offered}\n  _files\n}\ncompdef _genspan genspan\n`;
    }
    case "fish":
      return [...places.map(fishLine), ...choices.map(fishChoice)].join("");
  }
}

/** How a shell names the words typed so far, the last of them, and where it wants the words that may follow. */
interface Typed {
  readonly words: string;
  readonly last: string;
  readonly result: string;
}

/** Walks the words typed so far as long as they name commands, then looks up what may follow. */
function shellFunction(places: readonly Place[], choices: readonly Choice[], { words, last, result }: Typed): string {
  const paths = places.filter(({ path }) => path !== "").map(({ path }) => `"${path}"`);
  const cases = places
    .map(({ path, commands, others }) => `    "${path}") ${result}="${[...commands, ...others].join(" ")}" ;;\n`)
    .join("");
  const values = choices.map(({ long, short, values: each }) => {
    const flags = short === undefined ? long : `${short}|${long}`;
    return `    ${flags}) ${result}="${each.join(" ")}" ;;\n`;
  });
  return `  local at="" word next ${result}=""
  for word in ${words}; do
    next="\${at:+$at }$word"
    case "$next" in ${paths.join("|")}) at="$next" ;; esac
  done
  case "$at" in
${cases}  esac
  case ${last} in
${values.join("")}  esac
`;
}

/** A noun offers its verbs until one of them was typed. */
function fishLine({ path, commands, others }: Place): string {
  const words = [...commands, ...others].join(" ");
  if (path === "") return `complete -c genspan -n "__fish_use_subcommand" -a "${words}"\n`;
  const seen = path.split(" ").map((part) => `__fish_seen_subcommand_from ${part}`);
  const alone = commands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${commands.join(" ")}`];
  return `complete -c genspan -n "${[...seen, ...alone].join("; and ")}" -a "${words}"\n`;
}

const fishChoice = ({ long, short, values }: Choice): string =>
  `complete -c genspan${short === undefined ? "" : ` -s ${short.slice(1)}`} -l ${long.slice(2)} -x -a "${values.join(" ")}"\n`;

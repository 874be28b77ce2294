/**
 * Shell completion: a static script, made from the command table.
 *
 * Rule 1: pressing a key never runs Dogwatch; the script holds every command, flag and word itself.
 * @module
 */
import type { Command, Option } from "commander";
import { flagWords } from "./flags.ts";

/** The shells that completion is written for. */
export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** One command: its path without the program's name, and what may follow. */
type Node = {
  readonly path: readonly string[];
  readonly about: string;
  readonly commands: readonly Node[];
  readonly flags: readonly Option[];
  /** Words of its positional argument; empty when there is none or it is a file. */
  readonly words: readonly string[];
};

/** The completion script for `shell`. */
export function completion(program: Command, shell: Shell): string {
  const nodes = flat(nodeOf(program, []));
  switch (shell) {
    case "bash": return bash(nodes);
    case "zsh": return zsh(nodes);
    case "fish": return fish(nodes);
  }
}

function nodeOf(command: Command, path: readonly string[]): Node {
  const help = command.createHelp();
  const commands = help.visibleCommands(command)
    .filter((one) => one.name() !== "help")
    .map((one) => nodeOf(one, [...path, one.name()]));
  const words = command.registeredArguments.flatMap((argument) => argument.argChoices ?? []);
  const flags = help.visibleOptions(command);
  return { path, about: command.description(), commands, flags, words };
}

function flat(node: Node): Node[] {
  return [node, ...node.commands.flatMap(flat)];
}

/** zsh runs the script of bash through its own emulation. */
function zsh(nodes: readonly Node[]): string {
  return `#compdef dogwatch\nautoload -U +X bashcompinit && bashcompinit\n${bash(nodes)}`;
}

function bash(nodes: readonly Node[]): string {
  const cases = nodes.map((node) => {
    const words = [...node.commands.map((one) => one.path.at(-1) ?? ""), ...node.words];
    const flags = node.flags.flatMap(flagNames);
    return `    "${node.path.join(" ")}") words="${[...words, ...flags].join(" ")}" ;;`;
  });
  const commands = nodes.slice(1).map((node) => `"${node.path.join(" ")}"`);
  const values = [...flagWords].map(([name, words]) => {
    return `    ${name}) choices="${words.join(" ")}" ;;`;
  });
  return `_dogwatch() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local path="" words="" choices="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
      ${commands.join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$before" in
${values.join("\n")}
    --config|--record) COMPREPLY=($(compgen -f -- "$current")); return ;;
    --data-dir) COMPREPLY=($(compgen -d -- "$current")); return ;;
  esac
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "\${choices:-$words}" -- "$current"))
  [ "\${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _dogwatch dogwatch
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap((node) => {
    const seen = node.path.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    const inside = node.commands.map((one) => one.path.at(-1)).join(" ");
    const none = inside === "" ? "" : `not __fish_seen_subcommand_from ${inside}`;
    const when = [seen, none].filter((part) => part !== "").join("; and ");
    const condition = when === "" ? "" : ` -n ${quoted(when)}`;
    return [
      ...node.commands.map((one) =>
        `complete -c dogwatch -f${condition} -a ${one.path.at(-1) ?? ""} -d ${quoted(one.about)}`),
      ...node.words.map((word) => `complete -c dogwatch -f${condition} -a ${word}`),
      ...node.flags.map((option) => fishFlag(option, seen === "" ? "" : ` -n ${quoted(seen)}`)),
    ];
  });
  return `${lines.join("\n")}\n`;
}

function fishFlag(option: Option, condition: string): string {
  const name = (option.long ?? "").slice(2);
  const short = option.short === undefined ? "" : ` -s ${option.short.slice(1)}`;
  const words = flagWords.get(`--${name}`);
  const takes = words === undefined ? " -r" : ` -x -a ${quoted(words.join(" "))}`;
  const value = option.required ? takes : "";
  const about = quoted(option.description);
  return `complete -c dogwatch${condition} -l ${name}${short}${value} -d ${about}`;
}

function flagNames(option: Option): string[] {
  return [option.long, option.short].filter((name) => name !== undefined);
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

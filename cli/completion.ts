/**
 * Shell completion: a static script, made from the command table.
 *
 * Rule 1: pressing a key never runs Dogwatch; the script holds every command, flag and word itself.
 * @module
 */
import type { Command, Option } from "commander";
import { flagWords as daemonWords } from "./flags.ts";
import { simWords } from "./sim/flags.ts";

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
  /** Is its positional argument a file? */
  readonly takesFile: boolean;
};

/** The words that a flag takes. */
const flagWords: ReadonlyMap<string, readonly string[]> = new Map([...daemonWords, ...simWords]);

/** Flags whose value is a file, and those whose value is a folder. */
const fileFlags = [
  "--config", "--record", "--html", "--svg", "--mermaid", "--resume", "--trace", "--node", "--into",
  "--history", "--write",
];
const folderFlags = ["--data-dir", "--out", "--lib", "--dir"];

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
  const takesFile = command.registeredArguments.length > 0 && words.length === 0;
  return { path, about: command.description(), commands, flags, words, takesFile };
}

function flat(node: Node): Node[] {
  return [node, ...node.commands.flatMap(flat)];
}

/**
 * One function for each command. Read from `$fpath`, the first call comes from the completion
 * itself; read with `source`, the function is only made known.
 */
function zsh(nodes: readonly Node[]): string {
  return `#compdef dogwatch
${nodes.map(zshFunction).join("\n")}
if [[ "\${funcstack[1]}" == _dogwatch ]]; then
  _dogwatch "$@"
else
  compdef _dogwatch dogwatch
fi
`;
}

function zshFunction(node: Node): string {
  const flags = node.flags.flatMap(zshFlag);
  const lines = [...flags, ...zshArguments(node)].map((spec) => ` \\\n    ${spec}`).join("");
  if (node.commands.length === 0) return `${zshName(node)}() {\n  _arguments${lines}\n}`;
  const told = node.commands.map((one) => {
    return `    ${zshQuoted(`${lastWord(one)}:${zshColons(one.about)}`)}`;
  });
  const cases = node.commands.map((one) => `      ${lastWord(one)}) ${zshName(one)} ;;`);
  return `${zshName(node)}() {
  local curcontext="$curcontext" state line
  local -a commands=(
${told.join("\n")}
  )
  _arguments -C${lines} && return 0
  case "$state" in
    command) _describe -t commands command commands ;;
    rest) case "$line[1]" in
${cases.join("\n")}
    esac ;;
  esac
}`;
}

function zshArguments(node: Node): string[] {
  if (node.commands.length > 0) return ["'1:command:->command'", "'*::argument:->rest'"];
  if (node.words.length > 0) return [zshQuoted(`1:word:(${node.words.join(" ")})`)];
  return node.takesFile ? ["'1:file:_files'"] : [];
}

function zshFlag(option: Option): string[] {
  const about = `[${zshColons(option.description).replaceAll(/[[\]]/g, "\\$&")}]`;
  return flagNames(option).map((name) => {
    if (!option.required) return zshQuoted(name + about);
    // A flag that may come again is one whose values are collected.
    const again = option.parseArg === undefined ? "" : "*";
    return zshQuoted(`${again}${name}=${about}:value:${zshValue(name)}`);
  });
}

function zshValue(flag: string): string {
  const words = flagWords.get(flag);
  if (words !== undefined) return `(${words.join(" ")})`;
  if (fileFlags.includes(flag)) return "_files";
  return folderFlags.includes(flag) ? "_files -/" : " ";
}

function zshName(node: Node): string {
  return ["_dogwatch", ...node.path].join("_");
}

function zshColons(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll(":", "\\:");
}

function zshQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function lastWord(node: Node): string {
  return node.path.at(-1) ?? "";
}

function bash(nodes: readonly Node[]): string {
  const cases = nodes.map((node) => {
    const words = [...node.commands.map(lastWord), ...node.words];
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
    ${fileFlags.join("|")}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${folderFlags.join("|")}) COMPREPLY=($(compgen -d -- "$current")); return ;;
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
    const inside = node.commands.map(lastWord).join(" ");
    const none = inside === "" ? "" : `not __fish_seen_subcommand_from ${inside}`;
    const when = [seen, none].filter((part) => part !== "").join("; and ");
    const condition = when === "" ? "" : ` -n ${quoted(when)}`;
    return [
      ...node.commands.map((one) =>
        `complete -c dogwatch -f${condition} -a ${lastWord(one)} -d ${quoted(one.about)}`),
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

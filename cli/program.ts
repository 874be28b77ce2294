/**
 * The command table: every command, its flags, its help and its examples. Completion and help are
 * made from it.
 *
 * Rule 1: a command parses and calls; what it does is in its own file.
 * @module
 */
import { Argument, Command, type Option } from "commander";
import * as ark from "./ark.ts";
import { completion, type Shell, shells } from "./completion.ts";
import * as config from "./config.ts";
import { trust } from "./ark-trust.ts";
import { demo } from "./demo/demo.ts";
import { directory } from "./directory.ts";
import { doctor } from "./doctor.ts";
import { exitHelp, exits } from "./exit.ts";
import { type Flags, flag } from "./flags.ts";
import * as history from "./history.ts";
import type { Io } from "./io.ts";
import { maker } from "./maker.ts";
import { replayFile } from "./replay.ts";
import { addSim } from "./sim/commands.ts";
import { healthcheck, status, type StatusFlags } from "./status.ts";
import { version } from "./version.ts";

type Flag = Parameters<typeof flag>[0];

/** A command's answer goes to `done`: its exit code. */
type Done = (code: number) => void;

/** The whole program. `done` is called once, when a command has run. */
export function program(io: Io, done: Done): Command {
  const root = new Command("dogwatch")
    .description("Keeps watch over JoinMarket directories and makers, and over Ark wallets.")
    .version(version(), "-V, --version", "print the version")
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .exitOverride()
    .helpCommand("help [command]", "explain a command")
    .addHelpText("after", examples([
      "dogwatch demo                                a small world on this machine, no Tor needed",
      "dogwatch directory                           a directory node for today's clients",
      "dogwatch directory --listen unix:/run/dogwatch/peers.sock --network signet",
      "dogwatch ark                                 Ark wallets: nothing expires unnoticed",
      "dogwatch config init > dogwatch.toml         every setting, documented",
      "dogwatch status                              ask the running node",
      "dogwatch sim hunt --for 10m                  search simulated worlds for faults",
    ]) + `\n${exitHelp}`);
  addDaemons(root, io, done);
  addQuestions(root, io, done);
  addHistory(root, io, done);
  addConfig(root, io, done);
  addDoctor(root, io, done);
  addSim(root, io, done);
  addRest(root, io, done);
  return root;
}

const daemonFlags: readonly Flag[] = [
  "config", "listen", "http", "network", "dataDir", "logLevel", "json", "record",
];

const makerFlags: readonly Flag[] = ["config", "network", "dataDir", "logLevel", "json"];

function addDaemons(root: Command, io: Io, done: Done): void {
  add(root, "directory", "run a JoinMarket directory node in the foreground", daemonFlags, [
    "dogwatch directory",
    "dogwatch directory --config /etc/dogwatch/dogwatch.toml --json",
    "dogwatch directory --listen 127.0.0.1:0 --http 127.0.0.1:0 --data-dir ./state",
    "dogwatch directory --record run.trace        then: dogwatch replay run.trace",
  ]).action(async (flags: Flags) => done(await directory(flags, io)));
  add(root, "maker", "run a JoinMarket maker in the foreground", makerFlags, [
    "dogwatch maker --config /etc/dogwatch/dogwatch.toml",
    "dogwatch maker --config maker.toml --data-dir ./state --json",
  ]).action(async (flags: Flags) => done(await maker(flags, io)));
  addArk(root, io, done);
  add(root, "demo", "run a node, a maker and peers on this machine, and watch them", daemonFlags, [
    "dogwatch demo                                a live view; Ctrl-C ends it",
    "dogwatch demo --for 60 --json                events as JSON lines, for a minute",
  ]).option("--for <SECONDS>", "end by itself after so many seconds")
    .action(async (flags: Flags & { for?: string }) => done(await demo(flags, io)));
}

const arkFlags: readonly Flag[] = ["config", "dataDir", "logLevel", "json"];
const planFlags: readonly Flag[] = ["config", "http", "dataDir", "json"];

function addArk(root: Command, io: Io, done: Done): void {
  const group = add(root, "ark", "look after Ark wallets in the foreground", arkFlags, [
    "dogwatch ark --config /etc/dogwatch/dogwatch.toml",
    "dogwatch ark plan                            what is planned for each VTXO, and when",
    "dogwatch ark plan alice --json | jq '.wallets[0].rows[0]'",
  ]).action(async (flags: Flags) => done(await ark.ark(flags, io)));
  add(group, "plan", "ask the running daemon what it plans for each VTXO", planFlags, [
    "dogwatch ark plan --data-dir ./state",
    "dogwatch ark plan alice",
  ]).argument("[WALLET]", "of this wallet only")
    .action(async (wallet: string | undefined, _: Flags, command: Command) =>
      done(await ark.plan(wallet, command.optsWithGlobals<Flags>(), io)));
  add(group, "trust", "trust another key of a server, or another wallet, by what is shown",
    ["config", "dataDir", "json"], [
      "dogwatch ark trust alice                     says both keys; the daemon may run or not",
    ]).argument("<WALLET>", "whose server or fingerprint is another one")
    .action(async (wallet: string, _: Flags, command: Command) =>
      done(await trust(wallet, command.optsWithGlobals<Flags>(), io)));
}

function addQuestions(root: Command, io: Io, done: Done): void {
  const flags: readonly Flag[] = ["config", "http", "dataDir", "json"];
  add(root, "status", "show what the running node is doing", flags, [
    "dogwatch status",
    "dogwatch status --http unix:/run/dogwatch/http.sock --json",
    "dogwatch status --data-dir ./state           a node whose port was chosen by the system",
  ]).option("--only <DAEMON>", "ask only this daemon: directory, maker or ark")
    .action(async (given: StatusFlags) => done(await status(given, io)));
  add(root, "healthcheck", "one line and an exit code: 0 ready, 1 not ready, 3 no answer", flags, [
    "dogwatch healthcheck || systemctl restart dogwatch",
  ]).option("--only <DAEMON>", "ask only this daemon: directory, maker or ark")
    .action(async (given: StatusFlags) => done(await healthcheck(given, io)));
}

function addDoctor(root: Command, io: Io, done: Done): void {
  add(root, "doctor", "look at everything a maker or Ark wallets depend on; say what to mend", [
    "config", "network", "dataDir", "json",
  ], [
    "dogwatch doctor --config /etc/dogwatch/dogwatch.toml",
    "dogwatch doctor --json | jq '.findings[] | select(.state != \"ok\")'",
  ]).action(async (flags: Flags) => done(await doctor(flags, io)));
}

function addHistory(root: Command, io: Io, done: Done): void {
  const group = root.command("history").description("look at a maker's history, bring it in or out")
    .addHelpText("after", examples([
      "dogwatch history list --pending --tz Europe/Berlin",
      "dogwatch history import history.csv --tz Europe/Berlin --dry-run",
      "dogwatch history verify --data-dir ./state",
    ]));
  const shared: readonly Flag[] = ["config", "dataDir", "json"];
  const zone = "a zone such as Europe/Berlin, or an offset such as +02:00";
  add(group, "verify", "say whether the journal is whole; changes nothing", shared, [
    "dogwatch history verify && echo whole",
  ]).action((flags: history.HistoryFlags) => done(history.verify(flags, io)));
  add(group, "list", "show the transactions and their sums", shared, [
    "dogwatch history list --tz Europe/Berlin",
  ]).option("--pending", "only those whose fate is open").option("--tz <ZONE>", zone)
    .action((flags: history.HistoryFlags) => done(history.list(flags, io)));
  add(group, "export", "write the rows as joinmarket-ng's history.csv", shared, [
    "dogwatch history export history.csv --tz Europe/Berlin",
  ]).argument("[FILE]", "standard output without one").option("--tz <ZONE>", zone)
    .action((file: string | undefined, flags: history.HistoryFlags) =>
      done(history.exportCsv(file, flags, io)));
  add(group, "import", "take the rows of joinmarket-ng's history.csv", shared, [
    "dogwatch history import ~/.joinmarket-ng/history.csv --tz Europe/Berlin",
  ]).argument("<FILE>", "its times have no zone: say which with --tz")
    .option("--tz <ZONE>", zone).option("--dry-run", "say what would be taken, and take nothing")
    .action(async (file: string, flags: history.HistoryFlags) =>
      done(await history.importCsv(file, flags, io)));
  add(group, "add", "watch one more transaction", [...shared, "network"], [
    "dogwatch history add --txid 4a5e… --address bc1q… --amount 25000000",
  ]).option("--txid <TXID>", "64 hex digits; found by its address if it is not known")
    .option("--address <ADDRESS>", "where it pays us").option("--amount <SATS>", "how much")
    .option("--change <ADDRESS>", "our change").option("--fee <SATS>", "what we earned")
    .action(async (flags: history.HistoryFlags) => done(await history.add(flags, io)));
}

function addConfig(root: Command, io: Io, done: Done): void {
  const group = root.command("config").description("write, check or show the configuration")
    .addHelpText("after", examples([
      "dogwatch config init --config dogwatch.toml  write a commented file",
      "dogwatch config check --config dogwatch.toml before a restart or a reload",
      "dogwatch config show --origin                what is in force, and where it comes from",
    ]));
  const settings: readonly Flag[] = ["config", "listen", "http", "network", "dataDir", "logLevel"];
  add(group, "init", "write a commented file with every setting", settings, [
    "dogwatch config init > dogwatch.toml",
    "dogwatch config init --network signet --config dogwatch.toml",
  ]).action((flags: Flags) => done(config.init(flags, io)));
  add(group, "check", "check file, environment and flags; start nothing", [...settings, "json"], [
    "dogwatch config check --config dogwatch.toml",
  ]).action((flags: Flags) => done(config.check(flags, io)));
  add(group, "show", "show the settings in force, as TOML", [...settings, "json"], [
    "dogwatch config show --origin",
    "dogwatch config show --json | jq '.settings.\"directory.peers_max\"'",
  ]).option("--origin", "say where each value comes from")
    .action((flags: Flags) => done(config.show(flags, io)));
}

function addRest(root: Command, io: Io, done: Done): void {
  add(root, "replay", "play a recorded run again and compare every step", ["json"], [
    "dogwatch directory --record run.trace        record until it is stopped",
    "dogwatch replay run.trace                    0: the same; 1: names the first difference",
  ]).argument("<FILE>", "a file written with --record")
    .action((file: string, flags: Flags) => done(replayFile(file, flags, io)));
  add(root, "completion", "print a completion script for a shell", [], [
    "dogwatch completion bash > ~/.local/share/bash-completion/completions/dogwatch",
    "dogwatch completion zsh > \"${fpath[1]}/_dogwatch\"",
    "dogwatch completion fish > ~/.config/fish/completions/dogwatch.fish",
  ]).addArgument(new Argument("<SHELL>", "bash, zsh or fish").choices(shells))
    .action((shell: Shell) => {
      io.out(completion(root, shell));
      done(exits.ok);
    });
}

function add(
  parent: Command,
  name: string,
  about: string,
  flags: readonly Flag[],
  shown: readonly string[],
): Command {
  const command = parent.command(name).description(about).addHelpText("after", examples(shown));
  for (const option of flags.map((each): Option => flag(each))) command.addOption(option);
  return command;
}

function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

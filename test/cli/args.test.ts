/**
 * Commands, flags, help, completion and exit codes, without a daemon.
 * @module
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Command } from "commander";
import { filesMax } from "../../adapters/config/files.ts";
import { keysByName } from "../../adapters/config/keys.ts";
import { flagSettings, flagWords } from "../../cli/flags.ts";
import { program } from "../../cli/program.ts";
import { folder, run } from "./capture.ts";

const temp = folder();
after(temp.remove);

const silent = { out: () => {}, err: () => {}, env: {} };

function everyCommand(): { path: string[]; command: Command }[] {
  return walk((command) => command.commands);
}

/** Without those that are for Dogwatch itself. */
function shownCommands(): { path: string[]; command: Command }[] {
  return walk((command) => command.createHelp().visibleCommands(command)
    .filter((child) => child.name() !== "help"));
}

function walk(
  below: (command: Command) => readonly Command[],
): { path: string[]; command: Command }[] {
  const from = (command: Command, path: string[]): { path: string[]; command: Command }[] => [
    { path, command },
    ...below(command).flatMap((child) => from(child, [...path, child.name()])),
  ];
  return from(program(silent, () => {}), []);
}

test("cli: help: every level explains itself with examples, on stdout, exit 0", async () => {
  const all = everyCommand();
  assert.deepEqual(all.map(({ path }) => path.join(" ")), [
    "", "directory", "maker", "ark", "ark plan", "ark trust", "demo", "status", "healthcheck",
    "history", "history verify",
    "history list", "history export", "history import", "history add", "config", "config init",
    "config check", "config show", "doctor", "sim", "sim run", "sim hunt", "sim replay",
    "sim shrink", "sim why", "sim diff",
    "sim explain", "sim check-determinism", "sim cover", "sim mutate", "sim bench", "sim corpus",
    "sim corpus add", "sim corpus run", "sim corpus min", "sim merge", "sim generate",
    "sim dashboard", "sim worker", "replay", "completion",
  ]);
  for (const { path } of all) {
    const { code, out, err } = await run([...path, "--help"]);
    assert.equal(code, 0);
    assert.equal(err, "");
    assert.match(out, /\nExamples:\n {2}dogwatch /, path.join(" "));
    assert.match(out, new RegExp(`^Usage: dogwatch${path.map((word) => ` ${word}`).join("")}`));
  }
});

test("cli: help: the exit codes are documented at the top", async () => {
  const { out } = await run(["--help"]);
  for (const code of [0, 1, 2, 3, 10, 11, 12, 13, 14, 15, 16]) {
    assert.match(out, new RegExp(`^ +${code}  \\w`, "m"));
  }
});

test("cli: version: the package's own, exit 0", async () => {
  const about = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  assert.deepEqual(await run(["--version"]), { code: 0, out: `${about.version}\n`, err: "" });
});

test("cli: version: the bundle knows it wherever it lies", () => {
  const about = JSON.parse(readFileSync("package.json", "utf8")) as {
    version: string; scripts: Record<string, string>;
  };
  const moved = join(temp.path, "alone.js");
  const build = (about.scripts["build:bin"] ?? "").replaceAll("dist/dogwatch.js", moved);
  const env = {
    ...process.env, npm_package_version: about.version,
    PATH: `node_modules/.bin:${process.env["PATH"] ?? ""}`,
  };
  const built = spawnSync("sh", ["-c", build], { encoding: "utf8", env });
  assert.equal(built.status, 0, built.stderr);
  const ran = spawnSync(process.execPath, [moved, "--version"], { encoding: "utf8" });
  assert.equal(ran.stdout, `${about.version}\n`);
});

test("cli: usage: a slip is answered with the nearest name, on stderr, exit 2", async () => {
  const cases: [string[], RegExp][] = [
    [["direktory"], /unknown command 'direktory'[^]*Did you mean directory\?/],
    [["directory", "--lisen", "x"], /unknown option '--lisen'[^]*Did you mean --listen\?/],
    [["config", "chek"], /unknown command 'chek'[^]*Did you mean check\?/],
    [["directory", "extra"], /too many arguments/],
    [["directory", "--listen"], /argument missing/],
    [["replay"], /missing required argument 'FILE'/],
    [["completion", "tcsh"], /Allowed choices are bash, zsh, fish/],
    [[], /^Usage: dogwatch/],
    [["config"], /^Usage: dogwatch config/],
  ];
  for (const [args, expected] of cases) {
    const { code, out, err } = await run(args);
    assert.equal(code, 2, args.join(" "));
    assert.equal(out, "");
    assert.match(err, expected);
  }
});

test("cli: configuration errors: exit 2 from every command that reads it", async () => {
  const path = join(temp.path, "bad.toml");
  writeFileSync(path, "[directory]\npeer_max = 3\n");
  const readers = ["directory", "demo", "status", "healthcheck", "config check", "config show"];
  for (const words of readers) {
    const { code, out, err } = await run([...words.split(" "), "--config", path]);
    assert.equal(code, 2, words);
    assert.equal(out, "");
    assert.match(err, /bad\.toml:2: directory\.peer_max: .* did you mean directory\.peers_max\?/);
  }
  assert.equal((await run(["directory", "--config", "/nowhere.toml"])).code, 2);
  assert.equal((await run(["directory", "--network", "mainet"])).code, 2);
  assert.equal((await run(["demo", "--for", "soon"])).code, 2);
});

test("cli: flags: each that sets a key names one that exists", () => {
  const given = flagSettings({
    listen: ["a", "b"], http: "h", network: "n", dataDir: "d", logLevel: "l",
  });
  assert.equal(given.length, 5);
  for (const { key } of given) assert.ok(keysByName.has(key), key);
  assert.deepEqual(given[0], { key: "directory.listen", flag: "--listen", raw: ["a", "b"] });
  assert.deepEqual(flagSettings({ listen: ["a"] })[0]?.raw, "a");
  assert.deepEqual(flagSettings({}), []);
});

test("cli: config: a file without an end is an error, whoever reads it", async () => {
  const huge = join(temp.path, "huge.toml");
  writeFileSync(huge, "");
  truncateSync(huge, 10_000_000_000);
  for (const command of [["config", "check"], ["directory"], ["maker"], ["doctor"]]) {
    for (const [file, says] of [["/dev/zero", "not a regular file"], [huge, "longer than"]]) {
      const { code, err } = await run([...command, "--config", file!]);
      assert.equal(code, 2, command.join(" "));
      assert.match(err, new RegExp(`cannot read the configuration file .*${says}`));
    }
  }
});

test("cli: config init: to stdout, or to a new file that check accepts", async () => {
  const printed = await run(["config", "init", "--network", "signet"]);
  assert.equal(printed.code, 0);
  assert.match(printed.out, /^network = "signet"$/m);
  const path = join(temp.path, "new.toml");
  const written = await run(["config", "init", "--config", path]);
  assert.equal(written.code, 0);
  assert.equal(written.out, "");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match((await run(["config", "check", "--config", path])).out, /^ok: .*new\.toml \(0 of/);
});

test("cli: config init: never writes over a file, and says why a new one fails", async () => {
  const path = join(temp.path, "mine.toml");
  writeFileSync(path, "mine");
  const over = await run(["config", "init", "--config", path]);
  assert.equal(over.code, 1);
  assert.match(over.err, /it exists already and was left as it is/);
  assert.equal(readFileSync(path, "utf8"), "mine");
  assert.equal((await run(["config", "init", "--config", "/nowhere/x.toml"])).code, 1);
  assert.equal((await run(["config", "init", "--network", "moon"])).code, 2);
});

test("cli: config check: JSON for programs, problems for people", async () => {
  const good = await run(["config", "check", "--json"]);
  assert.equal(good.code, 0);
  assert.equal((JSON.parse(good.out) as { ok: boolean }).ok, true);
  const bad = await run(["config", "check", "--json", "--http", "nowhere"]);
  assert.equal(bad.code, 2);
  const { ok, problems } = JSON.parse(bad.out) as { ok: boolean; problems: string[] };
  assert.equal(ok, false);
  assert.match(problems[0] ?? "", /--http/);
});

test("cli: config check: warns when peers_max does not fit the limit of open files", async () => {
  const env = {
    DOGWATCH__DIRECTORY__PEERS_MAX: "1000000", DOGWATCH__DIRECTORY__HANDSHAKING_MAX: "1000000",
  };
  const limit = filesMax();
  const checked = await run(["config", "check"], env);
  assert.equal(checked.code, 0);
  if (limit === undefined || limit > 2_000_128) return assert.equal(checked.err, "");
  assert.match(checked.err, /^dogwatch: warning: .* need 2000128 open files.*ulimit -n 2000128/);
  const started = await run(["directory", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"], env);
  assert.equal(started.code, 2);
  assert.match(started.err, /ulimit -n 2000128/);
});

test("cli: http beyond this machine: refused alike by check and by directory, exit 2", async () => {
  const path = join(temp.path, "remote.toml");
  writeFileSync(path, '[directory]\nhttp = "0.0.0.0:0"\nlisten = "127.0.0.1:0"\n');
  for (const words of [["config", "check"], ["directory"]]) {
    const { code, out, err } = await run([...words, "--config", path]);
    assert.equal(code, 2, words.join(" "));
    assert.equal(out, "");
    assert.match(err, /directory\.http_remote = false .*reachable from other machines/);
  }
});

test("cli: config show: what is in force, its origin, and JSON", async () => {
  const env = { DOGWATCH__DIRECTORY__PEERS_MAX: "77" };
  const shown = await run(["config", "show", "--origin", "--network", "signet"], env);
  assert.match(shown.out, /^network = "signet" +# flag --network$/m);
  assert.match(shown.out, /^peers_max = 77 +# environment DOGWATCH__DIRECTORY__PEERS_MAX$/m);
  const { out } = await run(["config", "show", "--json"], env);
  const { settings } = JSON.parse(out) as { settings: Record<string, unknown> };
  assert.equal(settings["directory.peers_max"], 77);
});

test("cli: completion: every command, flag and word, for every shell", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, out } = await run(["completion", shell]);
    assert.equal(code, 0);
    for (const { path, command } of shownCommands()) {
      for (const word of path) assert.match(out, new RegExp(`\\b${word}\\b`));
      for (const option of command.options) {
        const name = option.long ?? "";
        const shown = shell === "fish" ? `-l ${name.slice(2)} ` : name;
        assert.ok(out.includes(shown), `${shell} ${name}`);
      }
    }
    for (const word of [...flagWords.values()].flat()) assert.ok(out.includes(word), word);
  }
});

test("cli: completion: the bash script completes", async () => {
  const { out } = await run(["completion", "bash"]);
  const complete = (...words: string[]): string[] => {
    const script = `${out}\nCOMP_WORDS=(dogwatch ${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=${words.length}\n_dogwatch\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
    const ran = spawnSync("bash", ["-c", script], { encoding: "utf8", cwd: temp.path });
    assert.equal(ran.stderr, "");
    return ran.stdout.trim().split("\n");
  };
  assert.deepEqual(complete("di"), ["directory"]);
  assert.deepEqual(complete("config", "").slice(0, 3), ["init", "check", "show"]);
  assert.deepEqual(complete("config", "sh"), ["show"]);
  assert.deepEqual(complete("directory", "--networ"), ["--network"]);
  assert.deepEqual(complete("directory", "--network", "si"), ["signet"]);
  assert.deepEqual(complete("completion", "f"), ["fish"]);
  assert.deepEqual(complete("config", "show", "--or"), ["--origin"]);
});

test("cli: completion: the zsh script is zsh's own, and leaves its variables alone", async () => {
  const { out } = await run(["completion", "zsh"]);
  assert.match(out, /^#compdef dogwatch\n/);
  assert.doesNotMatch(out, /bashcompinit|COMPREPLY|local [^\n]*\b(path|words|status)\b/);
  for (const { path, command } of shownCommands()) {
    const name = ["_dogwatch", ...path].join("_");
    const body = new RegExp(`^${name}\\(\\) \\{\\n([^]*?)\\n\\}$`, "m").exec(out)?.[1] ?? "";
    for (const child of command.createHelp().visibleCommands(command)) {
      if (child.name() !== "help") assert.ok(body.includes(`${name}_${child.name()} ;;`), name);
    }
    for (const { long, required } of command.options) {
      assert.ok(body.includes(`${long ?? ""}${required ? "=" : ""}[`), `${name} ${long}`);
    }
  }
  assert.match(out, /'\*--listen=\[where peers connect, or unix\\:PATH; [^\]]*\]:value: '/);
  assert.match(out, /the daemon'\\''s HTTP address/);
  assert.match(out, /^_dogwatch_replay\(\) \{[^}]*'1:file:_files'\n\}$/m);
  assert.match(out, /^_dogwatch_completion\(\) \{[^}]*'1:word:\(bash zsh fish\)'\n\}$/m);
});

test("cli: status and healthcheck: nobody answers: exit 3, and what to do", async () => {
  for (const command of ["status", "healthcheck"]) {
    const { code, out, err } = await run([command, "--http", `unix:${temp.path}/none.sock`]);
    assert.equal(code, 3);
    assert.equal(out, "");
    assert.match(err, /no directory answers at unix:.*is it running\? Name its address/);
  }
});

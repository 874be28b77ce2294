/**
 * SIGHUP and SIGUSR2 while a daemon is still being loaded, and SIGTERM before it is ready.
 * @module
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { folder } from "./capture.ts";

const temp = folder();
after(temp.remove);

const daemons = {
  directory: { ready: "run.ready", keys: "listen = '127.0.0.1:0'" },
  maker: { ready: "run.maker-ready", keys: "directories = ['127.0.0.1:1']" },
  ark: {
    ready: "run.ark-ready",
    keys: "[[ark.wallet]]\nname = 'a'\nurl = 'http://127.0.0.1:1'\ntoken_file = 'token'",
  },
};

for (const [name, { ready, keys }] of Object.entries(daemons)) {
  test(`${name}: early: signals are kept`, () => {
    const isCompiled = import.meta.url.endsWith(".js");
    const [from, ext] = isCompiled ? ["./build/cli/", "js"] : ["./cli/", "ts"];
    const config = join(temp.path, "early.toml");
    writeFileSync(config, `[${name}]\nhttp = '127.0.0.1:0'\n${keys}\n`);
    const args = [name, "--config", config, "--data-dir", temp.path, "--json"];
    const script = `
      process.argv[2] = "${name}";
      const heard = () => {
        for (const signal of ["SIGHUP", "SIGUSR2"]) {
          if (process.listenerCount(signal) !== 1) throw new Error("nobody hears " + signal);
        }
      };
      await import("${from}early.${ext}");
      heard();
      const delivered = new Promise((resolve) => process.once("SIGHUP", resolve));
      const awake = setInterval(() => {}, 1_000);
      const looked = new Promise((resolve) => process.once("SIGUSR2", resolve));
      process.kill(process.pid, "SIGHUP");
      process.kill(process.pid, "SIGUSR2");
      await delivered;
      await looked;
      clearInterval(awake);
      const { dogwatch } = await import("${from}args.${ext}");
      const out = (text) => process.stdout.write(text);
      const ended = dogwatch(${JSON.stringify(args)}, { out, err: out, env: {} });
      heard();
      process.emit("SIGTERM", "SIGTERM");
      process.exit(await ended);`;
    const loader = isCompiled ? [] : ["--import", "tsx"];
    const ran = spawnSync(process.execPath, [...loader, "--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    assert.equal(ran.status, 0, ran.stderr);
    assert.match(ran.stdout, new RegExp(`"${name}\\.ready"`));
    const codes = [...ran.stderr.matchAll(/"code":"((?:run|reload)\.[^"]+)"/g)]
      .map(([, code]) => code);
    assert.deepEqual(codes, [ready, "reload.unchanged", "run.stopping", "run.stopped"]);
  });
}

test("ark plan: early: signals end it, as it does every command that is no daemon", () => {
  const isCompiled = import.meta.url.endsWith(".js");
  const early = isCompiled ? "./build/cli/early.js" : "./cli/early.ts";
  const script = `
    process.argv.splice(2, 0, "ark", "plan");
    await import("${early}");
    for (const signal of ["SIGHUP", "SIGUSR2"]) {
      if (process.listenerCount(signal) !== 0) throw new Error(signal + " is kept");
    }`;
  const loader = isCompiled ? [] : ["--import", "tsx"];
  const ran = spawnSync(process.execPath, [...loader, "--input-type=module", "-e", script, "x"], {
    encoding: "utf8",
  });
  assert.equal(ran.status, 0, ran.stderr);
});

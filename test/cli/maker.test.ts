/**
 * `dogwatch maker` as a process: its signals.
 * @module
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Status } from "../../core/maker/status.ts";
import { folder, run, start } from "./capture.ts";

const temp = folder();
after(temp.remove);

const config = join(temp.path, "dogwatch.toml");
const nobody = ["127.0.0.1:1", "127.0.0.1:2"].map((one) => `"${one}"`);

/** A maker with as many directories, none of which is there. */
function write(count: number, more = ""): void {
  const directories = nobody.slice(0, count).join(", ");
  writeFileSync(config, `network = "regtest"
[maker]
http = "127.0.0.1:0"
directories = [${directories}]
${more}`);
}

test("maker: process: SIGHUP applies what it may, and names what waits for a restart", async () => {
  write(1);
  const args = ["maker", "--config", config, "--data-dir", temp.path, "--json"];
  const child = start(args, temp.path);
  await child.until("out", /"event":"maker\.ready"[^]*\n/);
  const hup = async (line: RegExp): Promise<void> => {
    child.process.kill("SIGHUP");
    await child.until("err", line);
  };
  await hup(/"reload\.unchanged"/);

  write(2, "dial_timeout_sec = 50\n[directory]\npeers_max = 9\n[tor]\nsocks = \"127.0.0.1:1\"");
  await hup(/"reload\.restart"[^\n]*"keys":"maker\.dial_timeout_sec, tor\.socks"/);
  assert.match(child.err(), /"reload\.applied"[^\n]*"keys":"maker\.directories"/);
  await child.until("err", /"maker\.reloaded"[^\n]*"directories":2/);

  // It waits still, and is told again; what waits is in the way of nothing else.
  write(1, "dial_timeout_sec = 50\n");
  await hup(/("code":"reload\.restart"[^]*){2}/);
  assert.match(child.err(), /("code":"reload\.applied"[^]*){2}/);
  const { http } = JSON.parse(child.out()) as { http: string };
  const status = await run(["status", "--http", http, "--json"]);
  assert.equal((JSON.parse(status.out) as Status).directories.total, 1);

  write(0);
  await hup(/"reload\.rejected"[^\n]*a maker needs a directory/);
  write(1, "dail_timeout_sec = 50\n");
  await hup(/"reload\.rejected"[^\n]*dail_timeout_sec/);
  child.process.kill("SIGTERM");
  assert.equal(await child.ended, 0);
});

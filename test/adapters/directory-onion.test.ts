/**
 * The onion service of a directory in the configuration: what it takes, and what cannot be.
 * @module
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { load, type FlagSetting, type Settings } from "../../adapters/config.ts";
import { defaults } from "../../core/tor/onion.ts";

type Given = Readonly<Record<string, FlagSetting["raw"]>>;

function loaded(given: Given): ReturnType<typeof load> {
  const flags = Object.entries(given).map(([key, raw]) => ({ key, flag: key, raw }));
  return load({ file: undefined, env: {}, flags });
}

function onion(given: Given): Settings["onion"] {
  const result = loaded(given);
  assert.ok(result.ok, result.ok ? "" : result.problems.join("\n"));
  return result.settings.onion;
}

function problems(given: Given): string {
  const result = loaded(given);
  assert.ok(!result.ok, "expected problems");
  return result.problems.join("\n");
}

const tor: Given = { "tor.socks": "127.0.0.1:9050", "tor.control": "unix:/run/tor/control" };
const ours: Given = { ...tor, "directory.onion.managed": "control" };
const theirs: Given = {
  "tor.socks": "127.0.0.1:9050", "directory.onion.managed": "torrc",
  "directory.onion.hostname_file": "/var/lib/tor/directory/hostname",
};

test("config: directory.onion: none unless it is asked for", () => {
  assert.equal(onion({}), undefined);
  assert.equal(onion(tor), undefined);
});

test("config: directory.onion: over the control port, with a cookie or a password", () => {
  const cookie = onion({ ...ours, "tor.control_cookie": "/c" });
  assert.equal(cookie?.control, "unix:/run/tor/control");
  assert.deepEqual(cookie?.socks, { kind: "tcp", host: "127.0.0.1", port: 9050 });
  const { target: _, ...common } = defaults;
  assert.deepEqual(cookie?.config, {
    ...common, streamsMax: 16, control: { ...common.control, cookiePath: "/c" },
  });
  const password = onion({
    ...ours, "tor.control_password": "/p", "directory.onion.port": 5333,
    "directory.onion.streams_max": 0, "directory.onion.pow": false,
  });
  assert.equal(password?.password?.place, "/p");
  assert.deepEqual(
    [password?.config.control.hasPassword, password?.config.port, password?.config.streamsMax,
      password?.config.isPowWanted], [true, 5_333, 0, false],
  );
});

test("config: directory.onion: of torrc, whose address stands in a file", () => {
  const service = onion({ ...theirs, "directory.circuit_header": "haproxy" });
  assert.equal(service?.config.managed, "torrc");
  assert.equal(service?.hostnameFile, "/var/lib/tor/directory/hostname");
});

test("config: directory.onion: what cannot be is told with its keys, all in one pass", () => {
  const location = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:5222";
  const all = problems({
    "directory.onion.managed": "control", "directory.location": location,
    "directory.circuit_header": "haproxy", "directory.onion.hostname_file": "/x",
    "directory.listen": "unix:/a b", "tor.control_password": "fd:x",
  });
  for (const says of [
    /directory\.location = .*one of them, not both/, /tor\.socks = .*nothing leaves around Tor/,
    /tor\.control = .*needs Tor's control port/, /circuit_header = .*only for services of torrc/,
    /hostname_file = .*"torrc" only/, /directory\.listen = .*no path that is long/,
    /tor\.control_password = .*names no secret/,
  ]) assert.match(all, says);
  assert.match(problems({ ...theirs, "directory.onion.hostname_file": "" }), /in that file/);
  assert.match(problems({ "directory.onion.hostname_file": "/x" }), /"torrc" only/);
  assert.match(problems({ ...ours, "directory.onion.port": 0 }), /a port, 1 to 65535/);
  assert.match(problems({ "directory.onion.managed": "maybe" }), /one of off, control, torrc/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as handshake from "../../../core/joinmarket/handshake.ts";
import { primitives } from "../../support/primitives.ts";
import * as model from "../../support/wire-model.ts";

const onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:5222";
const fields = {
  "app-name": "joinmarket",
  "directory": false,
  "location-string": onion,
  "proto-ver": 5,
  "features": { ping: true, peerlist_features: true, other: false },
  "nick": "J528F4gtVK4pZw2W",
  "network": "mainnet",
};

/** A 793 with some fields replaced; `undefined` leaves one out. */
function hello(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({ ...fields, ...changes });
}

type Judged = { code: string } | { network: string; text: string; features: readonly string[] };

function judge(line: string, network = "mainnet"): Judged {
  const parsed = handshake.parsePeer(line);
  if (!parsed.ok) return { code: parsed.fault.code };
  const checked = handshake.checkPeer(parsed.value, { network }, primitives.sha3);
  if (!checked.ok) return { code: checked.fault.code };
  const { value } = checked;
  const text = value.location.serving ? value.location.text : "";
  return { network: value.network, text, features: value.features };
}

function refused(line: string, code: string, network?: string): void {
  assert.deepEqual(judge(line, network), { code }, line.slice(0, 300));
}

function taken(line: string, network?: string): void {
  assert.ok("text" in judge(line, network), line);
}

test("joinmarket: handshake: a valid 793 is read and taken", () => {
  const names = ["peerlist_features", "ping"];
  const want = { network: "mainnet", text: onion, features: names };
  assert.deepEqual(judge(hello()), want);
  const parsed = handshake.parsePeer(hello());
  assert.deepEqual(parsed, {
    ok: true,
    value: {
      appName: "joinmarket", directory: false, location: onion, protoVer: 5, features: names,
      nick: fields.nick, network: "mainnet",
    },
  });
});

test("joinmarket: handshake: unknown fields do not matter", () => {
  taken(hello({ "x": { deep: [1, { y: null }] }, "proto-ver-min": 5 }));
});

test("joinmarket: handshake: row 2.1/app-name: joinmarket in any case, and a string", () => {
  taken(hello({ "app-name": "JoinMarket" }));
  for (const name of ["", "joinmarke", "joinmarket ", "joinmar\u212aet", "x".repeat(10_000)]) {
    refused(hello({ "app-name": name }), "app-name");
  }
  for (const value of [undefined, null, 1, ["joinmarket"]]) {
    refused(hello({ "app-name": value }), "fields");
  }
});

test("joinmarket: handshake: row 2.1/directory: missing is false, else a boolean", () => {
  taken(hello({ directory: undefined }));
  for (const value of [null, 0, "false", {}]) refused(hello({ directory: value }), "fields");
});

test("joinmarket: handshake: row 2.1/location-string: a string and an address", () => {
  taken(hello({ "location-string": "NOT-SERVING-ONION" }));
  taken(hello({ "location-string": "" }));
  for (const value of [undefined, null, 5_222, { host: onion }]) {
    refused(hello({ "location-string": value }), "fields");
  }
  refused(hello({ "location-string": `${onion}${"0".repeat(5_000)}` }), "location");
});

test("joinmarket: handshake: row 2.1/proto-ver: the integer 5, spelled 5", () => {
  for (const value of [undefined, null, "5", true, 5.5, [5]]) {
    refused(hello({ "proto-ver": value }), "fields");
  }
  for (const text of ["5.0", "5e0", "50e-1", "99999999999999999999"]) {
    refused(hello().replace("\"proto-ver\":5", `"proto-ver":${text}`), "fields");
  }
  for (const value of [0, 4, 6, 999, -5]) refused(hello({ "proto-ver": value }), "proto-ver");
});

test("joinmarket: handshake: row 2.1/features: an object of plain values; missing is none", () => {
  taken(hello({ features: undefined }));
  taken(hello({ features: {} }));
  const wrong = [null, [], "ping", { "a;D": true }, { a: {} }, { a: "x".repeat(513) }];
  for (const value of wrong) refused(hello({ features: value }), "features");
});

test("joinmarket: handshake: row 2.1/nick: a string of the nick's form", () => {
  for (const value of [undefined, null, 5, {}]) refused(hello({ nick: value }), "fields");
  for (const nick of ["", "PUBLIC", "a;b,J5victimNkOOOOOO;x;D,c", "J5".padEnd(64, "1")]) {
    refused(hello({ nick }), "nick");
  }
});

test("joinmarket: handshake: row 2.1/network: ours, in any case, repeated as it was sent", () => {
  assert.equal((judge(hello({ network: "MainNet" })) as { network: string }).network, "MainNet");
  for (const value of [undefined, null, 1]) refused(hello({ network: value }), "fields");
  for (const network of ["", "testnet", "regtest", "mainnet ", "bitcoin"]) {
    refused(hello({ network }), "network");
  }
});

test("joinmarket: handshake: row 2.1/network: a regtest node takes testnet too", () => {
  taken(hello({ network: "regtest" }), "regtest");
  assert.equal(
    (judge(hello({ network: "testnet" }), "regtest") as { network: string }).network, "testnet",
  );
  refused(hello({ network: "regtest" }), "network", "testnet");
  refused(hello({ network: "signet" }), "network", "regtest");
});

test("joinmarket: handshake: row 2.3/inner-json: text that is no object is refused", () => {
  for (const line of ["", "x", "[]", "null", "{", hello().slice(0, -1), `${hello()}x`]) {
    refused(line, "json");
  }
});

test("joinmarket: handshake: row 2.3/missing-fields: each required field is missed", () => {
  for (const name of ["app-name", "location-string", "proto-ver", "nick", "network"]) {
    refused(hello({ [name]: undefined }), "fields");
  }
});

test("joinmarket: handshake: row issue/duplicate-keys: a repeated field is refused", () => {
  refused(hello().replace("{", "{\"nick\": \"J5BGti5vv34qZj9h\","), "fields");
  refused(hello().replace("{", "{\"x\": 1, \"x\": 1,"), "fields");
});

test("joinmarket: handshake: the first broken rule is the answer", () => {
  const wrong: [string, string, unknown][] = [
    ["app-name", "app-name", "irc"], ["directory", "directory", true],
    ["proto-ver", "proto-ver", 4],
    ["network", "network", "signet"], ["nick", "nick", "nick"],
    ["location", "location-string", "clear.net:1"],
  ];
  for (let first = 0; first < wrong.length; first++) {
    const changes = Object.fromEntries(wrong.slice(first).map(([, name, value]) => [name, value]));
    refused(hello(changes), wrong[first]![0]);
  }
});

for (const [row, changes, code] of [
  ["2.3/wrong-app-name", { "app-name": "irc" }, "app-name"],
  ["2.3/directory-true", { directory: true }, "directory"],
  ["2.3/wrong-proto-ver", { "proto-ver": 6 }, "proto-ver"],
  ["2.3/wrong-network", { network: "testnet" }, "network"],
  ["2.3/bad-nick", { nick: "J5" }, "nick"],
  ["2.3/bad-features", { features: [] }, "features"],
  ["2.3/bad-location", { "location-string": "example.com:80" }, "location"],
] as const) {
  test(`joinmarket: handshake: row ${row}: refused as ${code}, repeats nothing`, () => {
    const parsed = handshake.parsePeer(hello(changes));
    const ours = { network: "mainnet" };
    const found = parsed.ok ? handshake.checkPeer(parsed.value, ours, primitives.sha3) : parsed;
    assert.ok(!found.ok);
    assert.equal(found.fault.code, code);
    assert.match(found.fault.text, /^[ -~]{1,80}$/);
    for (const value of ["irc", "testnet", "example"]) assert.ok(!found.fault.text.includes(value));
  });
}

const answer = {
  nick: "J5TestNickOOOOOO", network: "mainnet", motd: "line 1\n\"line\" 2",
  features: ["ping", "peerlist_features"], accepted: true,
};

test("joinmarket: handshake: a 795 has every field that deployed clients read", () => {
  assert.deepEqual(JSON.parse(handshake.directoryHello(answer)), {
    "app-name": "joinmarket", "directory": true, "proto-ver-min": 5, "proto-ver-max": 5,
    "features": { peerlist_features: true, ping: true }, "accepted": true,
    "nick": "J5TestNickOOOOOO", "network": "mainnet", "motd": "line 1\n\"line\" 2",
  });
  const placed = handshake.directoryHello({ ...answer, accepted: false, location: onion });
  assert.equal((JSON.parse(placed) as Record<string, unknown>)["location-string"], onion);
  assert.throws(
    () => handshake.directoryHello({ ...answer, motd: "\ud800" }), { name: "InvariantError" },
  );
});

test("joinmarket: handshake: a 795 written is read back", () => {
  for (const location of [undefined, onion]) {
    const read = handshake.parseDirectory(handshake.directoryHello({ ...answer, location }));
    assert.ok(read.ok);
    assert.deepEqual(read.value, {
      ...answer, appName: "joinmarket", directory: true, protoVerMin: 5, protoVerMax: 5,
      features: ["peerlist_features", "ping"], location,
    });
    assert.equal(handshake.checkDirectory(read.value, { network: "mainnet" }).ok, true);
  }
});

const directory = JSON.parse(handshake.directoryHello(answer)) as Record<string, unknown>;

test("joinmarket: handshake: a 795 with a missing or mistyped field is refused", () => {
  for (const name of Object.keys(directory)) {
    for (const value of name === "motd" ? [null, 1] : [undefined, null]) {
      const found = handshake.parseDirectory(JSON.stringify({ ...directory, [name]: value }));
      assert.ok(!found.ok, name);
    }
  }
  assert.equal(
    handshake.parseDirectory(JSON.stringify({ ...directory, motd: undefined })).ok, true,
  );
  assert.equal(
    handshake.parseDirectory(JSON.stringify({ ...directory, "location-string": 1 })).ok, false,
  );
  assert.equal(handshake.parseDirectory("{\"nick\":1,\"nick\":2}").ok, false);
  assert.equal(handshake.parseDirectory("[").ok, false);
});

test("joinmarket: handshake: a directory is judged", () => {
  const judged = (changes: Record<string, unknown>): string => {
    const read = handshake.parseDirectory(JSON.stringify({ ...directory, ...changes }));
    assert.ok(read.ok);
    const found = handshake.checkDirectory(read.value, { network: "mainnet" });
    return found.ok ? "ok" : found.fault.code;
  };
  assert.equal(judged({}), "ok");
  assert.equal(judged({ "app-name": "irc" }), "app-name");
  assert.equal(judged({ directory: false }), "directory");
  assert.equal(judged({ accepted: false }), "refused");
  assert.equal(judged({ "proto-ver-min": 6 }), "proto-ver");
  assert.equal(judged({ "proto-ver-max": 4 }), "proto-ver");
  assert.equal(judged({ network: "signet" }), "network");
});

test("joinmarket: handshake: a 793 written is taken", () => {
  const line = handshake.peerHello({
    nick: fields.nick, network: "signet", location: "NOT-SERVING-ONION",
    features: ["ping", "nick_auth"],
  });
  const want = { network: "signet", text: "", features: ["nick_auth", "ping"] };
  assert.deepEqual(judge(line, "signet"), want);
});

const swapped = fc.constantFrom<unknown>(
  undefined, null, true, false, 0, 5, "", "5", "joinmarket", "mainnet", "NOT-SERVING-ONION", [], {},
  { a: true }, { "A": 1 }, { __proto__: null, a: [] }, "\ud800", "J5Ckon1LuuapPSBM",
  onion.toUpperCase(),
);

test("joinmarket: handshake: changed fields are judged as the model judges them", () => {
  const change = fc.tuple(fc.constantFrom(...Object.keys(fields), "__proto__", "x"), swapped);
  fc.assert(fc.property(fc.array(change, { maxLength: 2 }), (changes) => {
    compare(hello(Object.fromEntries(changes)));
  }), { numRuns: 1_000 });
});

test("joinmarket: handshake: changed characters are judged as the model judges them", () => {
  const marks = fc.constantFrom(..."{}[]:,\"\\ 05-.eatJ;!é\u0000".split(""));
  const edit = fc.tuple(fc.nat(330), fc.nat(2), marks);
  fc.assert(fc.property(fc.array(edit, { minLength: 1, maxLength: 2 }), (edits) => {
    let line = hello();
    for (const [at, drop, mark] of edits) line = line.slice(0, at) + mark + line.slice(at + drop);
    if (!model.differs(line)) compare(line);
  }), { numRuns: 800 });
});

function compare(line: string): void {
  const want = model.peerHello(line);
  const found = judge(line);
  if (want === undefined) return assert.ok("code" in found, line);
  const { network, location, features } = want;
  assert.deepEqual(found, { network, text: location, features }, line);
}

test("joinmarket: handshake: any text is judged without a throw", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (line) => {
    assert.ok("code" in judge(line));
    assert.equal(handshake.parseDirectory(line).ok, false);
  }));
});

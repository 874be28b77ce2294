/**
 * A private Tor network on loopback: three authorities, three relays, and as many others as are wanted. Real tor
 * processes with the timing of test networks; nothing leaves this machine.
 *
 * Rule 1: every process goes with the one that started it, however that ends (`__OwningControllerProcess`).
 * Rule 2: ports lie below those that the system gives to outgoing connections: a Tor that is started again finds its
 * own still free.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";

const authorities = ["auth0", "auth1", "auth2"];
const relays = ["relay0", "relay1", "relay2"];
/** Making keys and reading fingerprints takes a second or two; a machine may be busy. */
const toolMsMax = 60_000;

/** Free ports of loopback, which nobody is given by chance. */
export async function ports(count) {
  const held = [];
  for (let port = 20_000 + Math.floor(Math.random() * 10_000); held.length < count && port < 32_000; port += 1) {
    const server = net.createServer();
    server.listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(() => true, () => false);
    if (isFree) held.push(server);
  }
  if (held.length < count) throw new Error("no free ports");
  const found = held.map((server) => server.address().port);
  await Promise.all(held.map((server) => new Promise((done) => server.close(done))));
  return found;
}

/**
 * Starts authorities, relays, and one tor for each of `users` with a SocksPort and a ControlPort (cookie). Resolves
 * when all of them run; whether they have found the network, `bootstrapped` says.
 */
export async function open(folder, users) {
  const all = await ports(2 * authorities.length + relays.length + 2 * users.length);
  const auths = await Promise.all(authorities.map((name) => authority(folder, name, all.shift(), all.shift())));
  const common = auths.map((one) => one.line);
  const nodes = new Map();
  for (const one of auths) nodes.set(one.name, node(folder, one.name, [...common, ...authorityLines(one)]));
  for (const name of relays) {
    const lines = [
      `ORPort 127.0.0.1:${all.shift()} IPv4Only`, "Address 127.0.0.1", "SocksPort 0", "ExitPolicy reject *:*",
      "AssumeReachable 1",
    ];
    nodes.set(name, node(folder, name, [...common, ...lines]));
  }
  const found = new Map();
  for (const name of users) {
    const [socks, control] = [all.shift(), all.shift()];
    found.set(name, { socks: `127.0.0.1:${socks}`, control: `127.0.0.1:${control}` });
    // Six nodes are few for guards and the longer paths of guarded services, and often a guard is also where a circuit
    // has to end; one that hangs is better begun anew.
    const lines = [
      `SocksPort 127.0.0.1:${socks}`, `ControlPort 127.0.0.1:${control}`, "CookieAuthentication 1",
      "UseEntryGuards 0", "VanguardsLiteEnabled 0", "LearnCircuitBuildTimeout 0", "CircuitBuildTimeout 10",
    ];
    nodes.set(name, node(folder, name, [...common, ...lines]));
  }
  for (const one of nodes.values()) start(one);
  return {
    users: found,
    bootstrapped: (name) => /Bootstrapped 100%/.test(logOf(nodes.get(name))),
    /** As a crash or the system would end it. */
    kill: (name) => kill(nodes.get(name)),
    start: (name) => start(nodes.get(name)),
    close: () => Promise.all([...nodes.values()].map(kill)),
    closeNow: () => {
      for (const one of nodes.values()) one.child?.kill("SIGKILL");
    },
    /** The end of each log, for whoever looks for what went wrong. */
    tails: () => [...nodes.values()].map((one) => `${one.name}:\n${logOf(one).split("\n").slice(-15).join("\n")}`),
  };
}

async function authority(folder, name, orPort, dirPort) {
  const keys = join(folder, name, "keys");
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const made = ["--create-identity-key", "--passphrase-fd", "0", "-m", "12", "-a", `127.0.0.1:${dirPort}`];
  await tool("tor-gencert", made, keys, "a network for tests\n");
  const nobody = `DirAuthority nobody 127.0.0.1:1 ${"F".repeat(40)}`;
  const lines = [...basics(join(folder, name), name), `ORPort ${orPort}`, nobody];
  const torrc = join(folder, name, "torrc");
  writeFileSync(torrc, `${lines.join("\n")}\n`);
  await tool("tor", ["-f", torrc, "--list-fingerprint", "--quiet"], folder, "");
  const fingerprint = readFileSync(join(folder, name, "fingerprint"), "utf8").trim().split(" ").at(-1);
  const certificate = readFileSync(join(keys, "authority_certificate"), "utf8");
  const v3 = /^fingerprint ([0-9A-F]+)$/m.exec(certificate)[1];
  const line = `DirAuthority ${name} orport=${orPort} no-v2 v3ident=${v3} 127.0.0.1:${dirPort} ${fingerprint}`;
  return { name, orPort, dirPort, line };
}

async function tool(command, args, cwd, input) {
  const child = spawn(command, args, { cwd, stdio: ["pipe", "ignore", "pipe"], timeout: toolMsMax });
  let says = "";
  child.stderr.on("data", (bytes) => (says += bytes));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${says}`);
}

function basics(folder, name) {
  return ["TestingTorNetwork 1", `Nickname ${name}`, `DataDirectory ${folder}`, "ShutdownWaitLength 0"];
}

function authorityLines({ name, orPort, dirPort }) {
  return [
    "AuthoritativeDirectory 1", "V3AuthoritativeDirectory 1", `ContactInfo ${name}@test.invalid`,
    "Address 127.0.0.1", `ORPort 127.0.0.1:${orPort} IPv4Only`, `DirPort 127.0.0.1:${dirPort}`, "SocksPort 0",
    "ExitPolicy reject *:*", "AssumeReachable 1", "TestingV3AuthInitialVotingInterval 5",
    "TestingV3AuthInitialVoteDelay 2", "TestingV3AuthInitialDistDelay 2", "V3AuthVotingInterval 10",
    "V3AuthVoteDelay 2", "V3AuthDistDelay 2", "V3AuthNIntervalsValid 3", "TestingDirAuthVoteExit *",
    "TestingDirAuthVoteGuard *", "TestingDirAuthVoteHSDir *", "TestingMinExitFlagThreshold 0",
  ];
}

function node(folder, name, lines) {
  const home = join(folder, name);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const log = join(home, "notice.log");
  const torrc = join(home, "torrc");
  const all = [
    ...basics(home, name), "SafeLogging 0", `Log notice file ${log}`, "PathsNeededToBuildCircuits 0.67",
    `__OwningControllerProcess ${process.pid}`, ...lines,
  ];
  writeFileSync(torrc, `${all.join("\n")}\n`);
  return { name, torrc, log, logFrom: 0, child: undefined };
}

function start(one) {
  // What an earlier process wrote is not this one's.
  one.logFrom = sizeOf(one.log);
  one.child = spawn("tor", ["-f", one.torrc, "--quiet"], { stdio: "ignore" });
  one.child.on("error", () => {});
}

async function kill(one) {
  const { child } = one;
  one.child = undefined;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

function sizeOf(path) {
  try {
    return readFileSync(path).length;
  } catch {
    return 0;
  }
}

function logOf(one) {
  try {
    return readFileSync(one.log).subarray(one.logFrom).toString("latin1");
  } catch {
    return "";
  }
}

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ascii } from "../../../core/bytes.ts";
import * as command from "../../../core/joinmarket/command.ts";
import * as envelope from "../../../core/joinmarket/envelope.ts";

const nick = "J5Ckon1LuuapPSBM";
const other = "J5BGti5vv34qZj9h";
const sender = ascii(nick);

type Peeked = command.Peek | string;

/** The peek of a line in an envelope of this type; the fault's code if it is refused. */
function peekFrame(frame: string): Peeked {
  const bytes = new Uint8Array(Buffer.from(frame));
  const e = envelope.create();
  assert.equal(envelope.scan(bytes, e), undefined, frame);
  const into = command.create();
  const fault = command.peek(bytes, e, sender, into);
  return fault === undefined ? into : fault.code;
}

function peek(type: number, line: string): Peeked {
  return peekFrame(JSON.stringify({ type, line }));
}

/** The same line with every character escaped: the slow way must say the same. */
function peekEscaped(type: number, line: string): Peeked {
  let text = "";
  for (let i = 0; i < line.length; i++) {
    text += `\\u${line.charCodeAt(i).toString(16).padStart(4, "0")}`;
  }
  return peekFrame(`{"type": ${type}, "line": "${text}"}`);
}

function both(type: number, line: string): Peeked {
  const found = peek(type, line);
  assert.deepEqual(peekEscaped(type, line), found, line);
  return found;
}

const toAll = { to: "PUBLIC", public: true, orderbook: false };
const asking = { to: "PUBLIC", public: true, orderbook: true };

test("joinmarket: command: peek tells public, private and orderbook lines", () => {
  assert.deepEqual(both(687, `${nick}!PUBLIC!orderbook`), asking);
  assert.deepEqual(both(687, `${nick}!PUBLIC!sw0reloffer 0 1 2 0 0.1`), toAll);
  assert.deepEqual(both(687, `${nick}!PUBLIC!unknown-command x`), toAll);
  const direct = { to: other, public: false, orderbook: false };
  assert.deepEqual(both(685, `${nick}!${other}!fill 0 1`), direct);
  assert.deepEqual(both(685, `${nick}!${other}!orderbook`), direct);
  assert.deepEqual(both(685, `${nick}!${other}!!fill 0 1`), direct);
});

test("joinmarket: command: row 10/T15-forged-sender: the line must begin with its sender", () => {
  const forged = [
    `${other}!PUBLIC!x`, `${nick}x!PUBLIC!x`, `${nick.slice(1)}!PUBLIC!x`, `!${nick}!PUBLIC!x`,
    ` ${nick}!PUBLIC!x`,
    `${nick.toLowerCase()}!PUBLIC!x`, nick, "", "!", "!PUBLIC!x", `${nick} !PUBLIC!x`,
    `PUBLIC!${nick}!x`,
  ];
  for (const line of forged) assert.equal(both(687, line), "from-nick", line);
});

test("joinmarket: command: row issue/spoofed-private-sender: the same for private lines", () => {
  assert.equal(both(685, `${other}!${nick}!fill 0 1`), "from-nick");
  assert.equal(peekFrame(`{"type":685,"line":"\\u004a5BGti5vv34qZj9h!${nick}!x"}`), "from-nick");
});

test("joinmarket: command: a line needs three fields and a printable addressee", () => {
  const wrong = [
    `${nick}!`, `${nick}!PUBLIC`, `${nick}!!x`, `${nick}!${"x".repeat(65)}!x`, `${nick}!a\u0001!x`,
    `${nick}!é!x`,
    `${nick}!\u007f!x`, `${nick}!PUBLIC `,
  ];
  for (const type of [685, 687, 1]) {
    for (const line of wrong) assert.equal(both(type, line), "grammar", line);
  }
  assert.deepEqual(
    both(1, `${nick}!${"x".repeat(64)}!`), { ...toAll, to: "x".repeat(64), public: false },
  );
});

test("joinmarket: command: a public line goes to PUBLIC and a private one does not", () => {
  for (const to of [other, "public", "PUBLICX", "PUBLI"]) {
    assert.equal(both(687, `${nick}!${to}!orderbook`), "grammar");
  }
  assert.equal(both(685, `${nick}!PUBLIC!orderbook`), "grammar");
});

test("joinmarket: command: row 10/T11-orderbook-amplification: it is always seen", () => {
  const asks = [
    "orderbook", "ORDERBOOK", "OrderBook", "!orderbook", "x!orderbook",
    "cancel 0!orderbook!cancel 1", " orderbook",
    "orderbook ", "orderbook x", "\torderbook\t", "orderbook\u00a0", "\u2003orderbook",
    "orderboo\u212a", "(orderbook)",
    "orderbook\u0000", "é!orderbook", "orderbook!é", "x!!! orderbook",
  ];
  for (const text of asks) assert.deepEqual(both(687, `${nick}!PUBLIC!${text}`), asking, text);
  const others = [
    "orderbooks", "orderbook1", "xorderbook", "order book", "x orderbook", "orderboo", "", "é",
    "orderboo!k",
  ];
  for (const text of others) assert.deepEqual(both(687, `${nick}!PUBLIC!${text}`), toAll, text);
});

test("joinmarket: command: bytes and text are judged alike on any line", () => {
  const part = fc.constantFrom(
    nick, other, "PUBLIC", "!", "!", " ", "orderbook", "ORDER", "book", "x", "é", "\u212a",
    "\u0130", "\n", "0",
  );
  const line = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));
  const led = fc.oneof(
    line, line.map((s) => `${nick}!PUBLIC!${s}`), line.map((s) => `${nick}!${s}`),
  );
  fc.assert(fc.property(led, fc.constantFrom(685, 687, 689), (s, type) => {
    both(type, s);
  }), { numRuns: 800 });
});

test("joinmarket: command: a line is read into its commands", () => {
  const found = command.parseLine(`${nick}!PUBLIC!cancel 0!cancel 1`);
  assert.deepEqual(found, {
    ok: true,
    value: {
      from: nick, to: "PUBLIC",
      commands: [{ word: "cancel", args: ["0"] }, { word: "cancel", args: ["1"] }],
    },
  });
  const doubled = command.parseLine(`${nick}!${other}!!fill 0 x`);
  assert.ok(doubled.ok);
  assert.deepEqual(doubled.value.commands, [{ word: "fill", args: ["0", "x"] }]);
});

test("joinmarket: command: lines that break the grammar or its bounds are refused", () => {
  const wrong = ["", "a", "a!b", "!b!c", "a!!c", "é!b!c", "a!\n!c", `${"x".repeat(65)}!b!c`];
  for (const line of wrong) {
    assert.equal(command.parseLine(line).ok, false, line);
  }
  const { commandsMax, argsMax } = command;
  assert.equal(command.parseLine(`a!b${"!x".repeat(commandsMax)}`).ok, true);
  assert.equal(command.parseLine(`a!b${"!x".repeat(commandsMax + 1)}`).ok, false);
  assert.equal(command.parseLine(`a!b!x${" y".repeat(argsMax)}`).ok, true);
  assert.equal(command.parseLine(`a!b!x${" y".repeat(argsMax + 1)}`).ok, false);
});

test("joinmarket: command: lines written are read back", () => {
  const unit = fc.constantFrom(..."ab0.+/=".split(""));
  const word = fc.string({ unit, minLength: 1, maxLength: 6 });
  const words = fc.array(word, { minLength: 1, maxLength: 5 });
  const commands = fc.array(words, { minLength: 1, maxLength: 5 });
  fc.assert(fc.property(commands, fc.boolean(), (all, open) => {
    const texts = all.map((w) => w.join(" "));
    const line = open ? command.publicLine(nick, texts) : command.privateLine(nick, other, texts);
    const found = command.parseLine(line);
    assert.ok(found.ok);
    assert.deepEqual(found.value.commands, all.map(([w, ...args]) => ({ word: w, args })));
    assert.equal(found.value.to, open ? "PUBLIC" : other);
  }));
});

test("joinmarket: command: what cannot be a line is our mistake", () => {
  const mistakes = [
    () => command.publicLine(nick, []), () => command.publicLine(nick, ["a!b"]),
    () => command.privateLine(nick, "PUBLIC", ["a"]), () => command.privateLine("a!", other, ["a"]),
    () => command.publicLine(nick, Array.from({ length: command.commandsMax + 1 }, () => "a")),
  ];
  for (const mistake of mistakes) assert.throws(mistake, { name: "InvariantError" });
});

test("joinmarket: command: any text is judged without a throw", () => {
  const unit = fc.constantFrom(..."aJ5!  \n\ud83d\0é".split(""));
  const texts = fc.string({ unit, maxLength: 60 });
  fc.assert(fc.property(texts, (s) => {
    const found = command.parseLine(s);
    if (found.ok) assert.ok(s.startsWith(`${found.value.from}!${found.value.to}!`));
  }));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { priorities } from "../../../core/notify/notice.ts";
import * as target from "../../../core/notify/target.ts";
import type { Message, Target } from "../../../core/notify/target.ts";

const common = { to: "notice:0", priorityMin: "low" } as const;
const webhook: Target = { ...common, kind: "webhook", path: "/hook/{secret}" };
const ntfy: Target = { ...common, kind: "ntfy", path: target.paths.ntfy };
const gotify: Target = { ...common, kind: "gotify", path: target.paths.gotify };
const telegram: Target = {
  ...common, kind: "telegram", path: target.paths.telegram, chat: "-100123",
};
const exec: Target = { ...common, kind: "exec" };
const all = [webhook, ntfy, gotify, telegram];

const message: Message = {
  id: 7, kind: "all-down", priority: "urgent", title: "Dogwatch: all down", body: "One.\nTwo.",
  unixMs: 1_763_780_000_000, isRecorded: true,
};

function request(t: Target, m: Message, renew = false) {
  const order = target.orderOf(t, m, 9, renew);
  assert.equal(order.type, "req.start");
  return order;
}

const object = (text: string) => JSON.parse(text) as Record<string, unknown>;

test("notify: target: a webhook gets a JSON object with everything", () => {
  const r = request(webhook, message);
  assert.deepEqual({ ...r, body: "" }, {
    type: "req.start", req: 9, to: "notice:0", method: "POST", path: "/hook/{secret}",
    headers: [["content-type", "application/json"]], body: "", renew: false,
  });
  assert.deepEqual(object(r.body), {
    id: 7, kind: "all-down", priority: "urgent", title: "Dogwatch: all down",
    body: "One.\nTwo.", at: 1_763_780_000_000, durable: true,
  });
  assert.equal(request(webhook, message, true).renew, true);
});

test("notify: target: ntfy gets the title, priority and tags in headers", () => {
  const r = request(ntfy, message);
  assert.equal(r.path, "/{secret}");
  assert.deepEqual(r.headers, [
    ["content-type", "text/plain; charset=utf-8"], ["title", "Dogwatch: all down"],
    ["priority", "5"], ["tags", "rotating_light,all-down"],
  ]);
  assert.equal(r.body, "One.\nTwo.");
  const levels = priorities.map((priority) => request(ntfy, { ...message, priority }).headers[2]);
  assert.deepEqual(levels.map((h) => h?.[1]), ["2", "3", "4", "5"]);
  const tags = priorities.map((priority) => request(ntfy, { ...message, priority }).headers[3]);
  assert.equal(new Set(tags.map((h) => h?.[1])).size, 4);
});

test("notify: target: Gotify gets a message, and no token", () => {
  const r = request(gotify, message);
  assert.equal(r.path, "/message");
  assert.deepEqual(object(r.body), {
    title: "Dogwatch: all down", message: "One.\nTwo.", priority: 10,
  });
  const levels = priorities.map((priority) => request(gotify, { ...message, priority }).body);
  assert.deepEqual(levels.map((body) => object(body)["priority"]), [2, 4, 7, 10]);
});

test("notify: target: Telegram gets plain text, and the place of the token in the path", () => {
  const r = request(telegram, message);
  assert.equal(r.path, "/bot{secret}/sendMessage");
  assert.deepEqual(object(r.body), {
    chat_id: "-100123", text: "Dogwatch: all down\n\nOne.\nTwo.",
    disable_web_page_preview: true, disable_notification: false,
  });
  const quiet = object(request(telegram, { ...message, priority: "low" }).body);
  assert.equal(quiet["disable_notification"], true);
  const long = object(request(telegram, { ...message, body: "x".repeat(9_999) }).body);
  assert.equal((long["text"] as string).length, 4_096);
});

test("notify: target: a message without a body is its title", () => {
  const bare = { ...message, body: "" };
  assert.equal(request(ntfy, bare).body, bare.title);
  assert.equal(object(request(gotify, bare).body)["message"], bare.title);
  assert.equal(object(request(telegram, bare).body)["text"], bare.title);
});

test("notify: target: a command gets the texts as they are", () => {
  assert.deepEqual(target.orderOf(exec, message, 9, false), {
    type: "exec.start", req: 9, to: "notice:0", title: "Dogwatch: all down", body: "One.\nTwo.",
    priority: "urgent",
  });
});

test("notify: target: no text ends a header, begins one, or leaves its JSON string", () => {
  const hostile = fc.string({ unit: "grapheme", maxLength: 200 });
  const lines = fc.constantFrom(
    "a\r\nX-Evil: 1", "\n\n", "=?UTF-8?B?eA==?=", "\u0000", "\u{1f436}",
  );
  const any = fc.oneof(hostile, lines);
  fc.assert(fc.property(any, any, (title, body) => {
    for (const t of all) {
      const r = request(t, { ...message, title, body });
      for (const [name, value] of r.headers) {
        assert.match(name, /^[a-z-]+$/);
        assert.match(value, /^[ -~]*$/);
      }
      if (t.kind !== "ntfy") assert.doesNotThrow(() => object(r.body));
      if (t.kind === "webhook") assert.equal(object(r.body)["title"], title);
    }
  }));
});

test("notify: target: titles beyond ASCII travel in encoded words of bounded length", () => {
  const pairs = fc.string({ unit: "grapheme", maxLength: 120 });
  fc.assert(fc.property(pairs, (text) => {
    const value = target.header(text);
    if (value === text) return assert.doesNotMatch(value, /=\?/);
    const words = value.split(" ");
    for (const word of words) assert.ok(word.length <= 75);
    const back = words.map((w) => Buffer.from(w.slice(10, -2), "base64").toString("utf8")).join("");
    assert.equal(back, text);
  }));
  assert.equal(target.header("B\u00fcro"), "=?UTF-8?B?QsO8cm8=?=");
});

test("notify: target: only printable paths that stay with the target are accepted", () => {
  for (const t of [...all, exec]) assert.ok(target.accepts(t), t.kind);
  const paths = [
    "", "x", "//other.host/x", "/a b", "/a\r\nX: y", "/\u00fc", "/{secret}/{secret}",
    "/a#b", "/a\\b", `/${"x".repeat(512)}`,
  ];
  for (const path of paths) assert.ok(!target.accepts({ ...webhook, path }), path);
  assert.ok(target.accepts({ ...webhook, path: `/${"x".repeat(511)}` }));
  for (const to of ["", "a b", "x".repeat(65)]) assert.ok(!target.accepts({ ...exec, to }), to);
  for (const chat of ["", "12a", "@a b", "1\n"]) assert.ok(!target.accepts({ ...telegram, chat }));
  assert.ok(target.accepts({ ...telegram, chat: "@channel" }));
});

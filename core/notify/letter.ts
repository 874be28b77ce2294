/**
 * A notice on its way: worded, numbered, and as it is written in the journal.
 *
 *     {"type":"notice","id":7,"at":1763780000000,"kind":"all-down","subject":"directories",
 *      "state":"all-down","once":false,"priority":"urgent","title":"...","body":"...",
 *      "to":["notice:0","notice:1"]}
 *     {"type":"notice-sent","id":7,"to":"notice:0"}
 *     {"type":"notice-lost","id":7,"to":"notice:1","why":"old"}
 *     {"type":"notice-run"}
 *
 * Rule 1: the text is recorded as it is sent, after the privacy setting: the file holds no more
 * about amounts and nicks than the services get, except the subject, which tells peers and
 * transactions apart.
 * Rule 2: a letter is open at a target until it is recorded as sent or lost there.
 * Rule 3: `notice-run` is written before letters of an earlier run are sent again, so that it is
 * known how often they may have been.
 * Not known here: when anything is written or sent.
 * @module
 */
import { unreachable } from "../assert.ts";
import { bad, good, type Decoded } from "../fault.ts";
import { isNumeral, parseObject, quote, type Fields } from "../joinmarket/json.ts";
import type { Mono } from "../time.ts";
import { line, stamp } from "./format.ts";
import {
  identityOf, natures, priorities, priorityOf, type Nature, type Notice, type Priority,
} from "./notice.ts";
import type { Message } from "./target.ts";
import { compose, titleMax, type Privacy } from "./text.ts";

/** A notice as it is sent. */
export type Letter = {
  /** Counts letters for good; 0 for one that was sent before the journal was read. */
  id: number;
  readonly kind: string; readonly priority: Priority;
  readonly nature: Nature;
  readonly subject: string; readonly state: string;
  readonly title: string; readonly body: string;
  /** When it happened, for people. */
  readonly unixMs: number;
  /** When this run learned of it. */
  readonly toldAt: Mono;
  /** Of the record whose answer it waits or waited for; 0 before the journal was read. */
  token: number;
  /** Is it known to be in the journal? */
  isRecorded: boolean;
  /** From an earlier run. */
  readonly isOld: boolean;
};

/** Why a letter is not sent to a target any more. */
export const losses = [
  "old", "attempts", "rejected", "overflow", "restarts", "removed",
] as const;
export type Loss = (typeof losses)[number];

export type Record =
  | {
    readonly type: "notice"; readonly id: number; readonly at: number; readonly kind: string;
    readonly nature: Nature; readonly subject: string; readonly state: string;
    readonly priority: Priority; readonly title: string; readonly body: string;
    readonly to: readonly string[];
  }
  | { readonly type: "notice-sent"; readonly id: number; readonly to: string }
  | { readonly type: "notice-lost"; readonly id: number; readonly to: string; readonly why: Loss }
  | { readonly type: "notice-run" };

/** Of a letter's ids and stamps, so that they stay safe integers. */
const numeral = /^(0|[1-9][0-9]{0,14})$/;
const textMax = 8_192;
const targetsMax = 64;

/** What a notice becomes. The title begins with `label`, unless that is empty. */
export function letterOf(
  notice: Notice, label: string, privacy: Privacy, unixMs: number, now: Mono,
): Letter {
  const { nature, subject, state } = identityOf(notice);
  const { title, body } = compose(notice, privacy);
  const from = line(label, titleMax);
  return {
    id: 0, kind: notice.kind, priority: priorityOf(notice), nature, subject, state,
    title: from === "" ? title : `${from}: ${title}`, body, unixMs, toldAt: now, token: 0,
    isRecorded: false, isOld: false,
  };
}

/**
 * A letter as it is sent at `now`: one that leaves late, or after a restart, says when it happened,
 * and one that is in no journal says so.
 */
export function messageOf(l: Letter, now: Mono, lateMs: number): Message {
  const { id, kind, priority, title, unixMs, isRecorded } = l;
  const lines = l.body === "" ? [] : [l.body];
  if (l.isOld || now - l.toldAt >= lateMs) lines.push(`This happened at ${stamp(unixMs)}.`);
  if (!isRecorded) lines.push("Told at once, without a record: the disk does not take one now.");
  return { id, kind, priority, title, body: lines.join("\n"), unixMs, isRecorded };
}

/** The record of a letter that is open at `to`. */
export function recordOf(l: Letter, to: readonly string[]): Record {
  const { id, kind, nature, subject, state, priority, title, body, unixMs } = l;
  return {
    type: "notice", id, at: unixMs, kind, nature, subject, state, priority, title, body, to,
  };
}

/** A record as the body of a journal record: printable ASCII. */
export function encode(r: Record): string {
  switch (r.type) {
    case "notice":
      return `{"type":"notice","id":${r.id},"at":${r.at},"kind":${quote(r.kind)},`
        + `"nature":"${r.nature}","subject":${quote(r.subject)},"state":${quote(r.state)},`
        + `"priority":"${r.priority}","title":${quote(r.title)},"body":${quote(r.body)},`
        + `"to":[${r.to.map((name) => quote(name)).join(",")}]}`;
    case "notice-sent": return `{"type":"notice-sent","id":${r.id},"to":${quote(r.to)}}`;
    case "notice-lost":
      return `{"type":"notice-lost","id":${r.id},"to":${quote(r.to)},"why":"${r.why}"}`;
    case "notice-run": return `{"type":"notice-run"}`;
    default: return unreachable(r); /* c8 ignore next */
  }
}

/** Is this body of a journal record one of ours? Cheap: for every record of a large file. */
export function owns(body: string): boolean {
  return body.startsWith(`{"type":"notice`);
}

/** Faults: `notice-record`. Fields that are not known are passed over. */
export function decode(body: string): Decoded<Record> {
  const parsed = parseObject(body);
  const found = parsed.ok ? recordIn(parsed.value) : undefined;
  return found === undefined ? bad("notice-record", "not a record of a notice") : good(found);
}

function recordIn(f: Fields): Record | undefined {
  if (f.duplicates) return undefined;
  const type = textOf(f, "type");
  if (type === "notice") return letterIn(f);
  if (type === "notice-sent" || type === "notice-lost") return endIn(f, type);
  return type === "notice-run" ? { type } : undefined;
}

function letterIn(f: Fields): Record | undefined {
  const id = numberOf(f, "id");
  const at = numberOf(f, "at");
  const kind = textOf(f, "kind");
  const nature = oneOf(f, "nature", natures) as Nature | undefined;
  const subject = textOf(f, "subject");
  const state = textOf(f, "state");
  const priority = oneOf(f, "priority", priorities) as Priority | undefined;
  const title = textOf(f, "title");
  const body = textOf(f, "body");
  const to = namesOf(f);
  if (id === undefined || at === undefined || kind === undefined || nature === undefined) return;
  if (subject === undefined || state === undefined || priority === undefined) return;
  if (title === undefined || body === undefined || to === undefined) return;
  if (!/^[a-z-]{1,32}$/.test(kind)) return;
  return { type: "notice", id, at, kind, nature, subject, state, priority, title, body, to };
}

function endIn(f: Fields, type: "notice-sent" | "notice-lost"): Record | undefined {
  const id = numberOf(f, "id");
  const to = textOf(f, "to");
  if (id === undefined || to === undefined) return undefined;
  if (type === "notice-sent") return { type, id, to };
  const why = oneOf(f, "why", losses) as Loss | undefined;
  return why === undefined ? undefined : { type, id, to, why };
}

function textOf(f: Fields, name: string): string | undefined {
  const value = f.fields.get(name);
  return typeof value === "string" && value.length <= textMax ? value : undefined;
}

function oneOf(f: Fields, name: string, list: readonly string[]): string | undefined {
  const value = textOf(f, name);
  return value !== undefined && list.includes(value) ? value : undefined;
}

function numberOf(f: Fields, name: string): number | undefined {
  const value = f.fields.get(name);
  return isNumeral(value) && numeral.test(value.numeral) ? Number(value.numeral) : undefined;
}

function namesOf(f: Fields): readonly string[] | undefined {
  const value = f.fields.get("to");
  if (!Array.isArray(value) || value.length > targetsMax) return undefined;
  const list = value.filter((item) => typeof item === "string");
  return list.length === value.length ? list : undefined;
}

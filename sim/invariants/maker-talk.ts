/**
 * M14 of a maker daemon: a signed request counts once, whoever brings it again and however often.
 *
 * Rule 1: a request is known by its command, key and signature, as far as this process has heard
 * it. Its owner has no more answers than it has made requests.
 * Not known here: whether a signature holds; one that does not allows an answer that none is given.
 * @module
 */
import * as envelope from "../../core/joinmarket/envelope.ts";
import type { MakerConfig } from "../../core/maker/config.ts";
import { after, type Mono } from "../../core/time.ts";
import { isUp, type Link } from "./maker-links.ts";
import { violation, type Violation } from "./violation.ts";

const { types } = envelope;

export type Talk = {
  readonly config: MakerConfig;
  readonly nick: string;
  /** When each request was heard first. */
  readonly requests: Map<string, Mono>;
  /** Requests and answers, by who made them. */
  readonly asked: Map<string, number>;
  readonly answered: Map<string, number>;
  /** For goals: a request came again, while copies may be under way, or later. */
  copies: number;
  replays: number;
};

/** Of a process that has just begun. */
export function create(config: MakerConfig, nick: string): Talk {
  return {
    config, nick, requests: new Map(), asked: new Map(), answered: new Map(),
    copies: 0, replays: 0,
  };
}

/** Requests that are remembered; when all are forgotten, what comes again allows an answer more. */
const requestsMax = 4_096;

/** A frame came by way of a directory. */
export function heard(m: Talk, link: Link, type: number, text: string, now: Mono): void {
  if (type !== types.PRIVMSG || !isUp(link)) return;
  const found = /^([0-9A-Za-z]{16})!([0-9A-Za-z]{16})!fill .* ([0-9a-f]{66} [A-Za-z0-9+/=]+)$/
    .exec(text);
  if (found === null || found[2] !== m.nick) return;
  const [, nick = "", , proof = ""] = found;
  const firstAt = m.requests.get(proof);
  if (firstAt !== undefined) {
    if (now < after(firstAt, m.config.dedup.windowMs)) m.copies += 1;
    else m.replays += 1;
    return;
  }
  if (m.requests.size >= requestsMax) m.requests.clear();
  m.requests.set(proof, now);
  m.asked.set(nick, (m.asked.get(nick) ?? 0) + 1);
}

/** The process says something by way of a directory. */
export function said(m: Talk, type: number, text: string, out: Violation[]): void {
  if (type !== types.PRIVMSG) return;
  const found = /^([0-9A-Za-z]{16})!([0-9A-Za-z]{16})!error /.exec(text);
  if (found === null || found[1] !== m.nick) return;
  const nick = found[2] as string;
  const count = (m.answered.get(nick) ?? 0) + 1;
  m.answered.set(nick, count);
  const asked = m.asked.get(nick) ?? 0;
  if (count <= asked) return;
  out.push(violation("M14", `${count} answers to ${asked} requests`, { nick }));
}

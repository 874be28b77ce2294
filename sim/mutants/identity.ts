/**
 * Bugs of identity and capacity: who owns a nick, which connection an event is about (D1 to D4).
 * @module
 */
import type { Mutant } from "./mutant.ts";

export const identity: readonly Mutant[] = [
  {
    id: "verified-owner-not-displaced", aims: "D1",
    says: "a proof displaces an owner only if that owner never proved its key",
    file: "core/directory/shake.js",
    find: "if (owner !== undefined)\n        displace(d, owner, t);",
    replace: "if (owner !== undefined && owner.pubkey === undefined)\n" +
      "        displace(d, owner, t);",
  },
  {
    id: "directory-nick-claimable", aims: "D1",
    says: "a peer may register under the directory's own nick",
    file: "core/directory/shake.js",
    find: "if (hello.nick === d.nick)",
    replace: "if (false)",
  },
  {
    id: "close-unregisters-by-nick", aims: "D2",
    says: "the late end of a connection unregisters whoever has its nick by now",
    file: "core/directory/session.js",
    find: `move(s, "refused, evicted or shut down", closing);`,
    replace: `{\n        s.nick = s.at.peer?.nick;\n` +
      `        move(s, "refused, evicted or shut down", closing);\n    }`,
    and: {
      file: "core/directory/directory.js",
      find: "sessions.closed(d.sessions, s);",
      replace: "d.registry.byNick.delete(s.nick);\n    sessions.closed(d.sessions, s);",
    },
  },
  {
    id: "handshake-deadline-survives", aims: "D2",
    says: "the handshake deadline is not taken back at registration",
    file: "core/directory/sessions.js",
    find: "expiry.remove(m.shaking, s.conn);\n    if (s.pendingBytes > 0)",
    replace: "if (s.pendingBytes > 0)",
  },
  {
    id: "entropy-for-the-closed", aims: "D2",
    says: "random bytes that come after the newcomer was refused still start its proof",
    file: "core/directory/shake.js",
    find: `if (s === undefined || s.at.phase !== "drawing")`,
    replace: "if (s === undefined)",
  },
  {
    id: "heartbeat-place-not-moved", aims: "D2",
    says: "the peer that fills a gap in its slot keeps its old place number",
    file: "core/directory/heartbeat.js",
    find: "last.index = beat.index;",
    replace: "",
  },
  {
    id: "newcomer-displaces-unproved", aims: "D3",
    says: "a newcomer without a proof takes the nick from its owner at once",
    file: "core/directory/shake.js",
    find: "contested(d, s, hello, owner, t);\n",
    replace: `displace(d, owner, t);\n    admitted(d, s, hello, "valid, nick free", t);\n`,
  },
  {
    id: "contest-hears-no-answer", aims: "D3",
    says: "lines of a contested owner do not count as its answer",
    file: "core/directory/relay.js",
    find: "contest.seen(d.contest, s.conn, t.now, t.outcomes);",
    replace: "",
  },
  {
    id: "contest-asks-nobody", aims: "D3",
    says: "a contested owner is never sent the question that it must answer",
    file: "core/directory/contest.js",
    find: "if (beatPending)",
    replace: "if (true)",
  },
  {
    id: "proof-with-any-key", aims: "D3",
    says: "a proof need not be made with the key that the nick is derived from",
    file: "core/joinmarket/nickauth.js",
    find: "if (nickOf(claim.pubkey, Number(claim.nick.charAt(1)), p.sha256) !== claim.nick)",
    replace: "if (false)",
  },
  {
    id: "signature-not-checked", aims: "D3",
    says: "a well-formed proof passes whatever its signature says",
    file: "core/directory/shake.js",
    find: "if (!nickauth.verify(claim, t.p))",
    replace: "if (false)",
  },
  {
    id: "capacity-off-by-one", aims: "D4",
    says: "one peer more than `peersMax` is let in",
    file: "core/directory/shake.js",
    find: "(owner === undefined ? 0 : 1) >= d.config.peersMax",
    replace: "(owner === undefined ? 0 : 1) > d.config.peersMax",
  },
  {
    id: "proof-into-a-full-house", aims: "D4",
    says: "capacity is not looked at again when the proof has come",
    file: "core/directory/shake.js",
    find: `if (isFull(d, owner))\n        return failProof(d, s, "policy", "full", t);`,
    replace: "",
  },
  {
    id: "ended-session-kept", aims: "D4",
    says: "a connection that is gone stays in the table of connections",
    file: "core/directory/sessions.js",
    find: "m.byConn.delete(s.conn);",
    replace: "",
  },
  {
    id: "ended-box-kept", aims: "D4",
    says: "the outbox of a connection that is gone stays in the table of outboxes",
    file: "core/outbox.js",
    find: "m.boxes.delete(box.conn);",
    replace: "",
  },
  {
    id: "entropy-request-kept", aims: "D4",
    says: "who asked for random bytes stays noted after they came",
    file: "core/directory/directory.js",
    find: "d.draws.delete(req);",
    replace: "",
  },
  {
    id: "stalled-list-kept", aims: "D4",
    says: "a peerlist in progress outlives its requester",
    file: "core/directory/node.js",
    find: "listing.gone(d.listing, s.conn);",
    replace: "",
  },
  {
    id: "ghost-keeps-nick", aims: "ghost-nick",
    says: "a nick with an owner is refused without asking whether the owner lives",
    file: "core/directory/contest.js",
    find: `if (kind === "mute")`,
    replace: "if (true)",
  },
  {
    id: "defended-nick-safe-for-ever", aims: "ghost-nick",
    says: "an owner that answered once is never asked again",
    file: "core/directory/contest.js",
    find: "m.peace.set(incumbent, after(now, msOf(m, open.kind)));",
    replace: "m.peace.set(incumbent, NEVER);",
  },
  {
    id: "evicted-still-registered", aims: "stuck-eviction",
    says: "a peer that is ended in good order stays registered",
    file: "core/directory/node.js",
    find: "retire(d, s, t);\n    session.close(s);\n" +
      "    sessions.ended(d.sessions, s, true, t.now);",
    replace: "session.close(s);\n    sessions.ended(d.sessions, s, true, t.now);",
  },
];

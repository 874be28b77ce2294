/**
 * The PROXY line that Tor writes first when torrc has `HiddenServiceExportCircuitID haproxy`.
 *
 * Rule 1: `PROXY TCP6 fc00:dead:beef:4dad::HHHH:HHHH ::1 SPORT VPORT` and CRLF, at most 107 bytes
 * (PROXY protocol version 1); the last 32 bits of the source name the circuit.
 * Rule 2: anything else is a fault: a connection that did not come through Tor has no circuit to be
 * limited by.
 * @module
 */
import { bad, good, type Decoded } from "../fault.ts";

/** The longest PROXY line of version 1, with its terminator. */
export const proxyBytesMax = 107;

const source = "fc00:dead:beef:4dad::";

/** The circuit (0 … 2^32 - 1) that a first line names; `frame` ends in CRLF. */
export function parse(frame: Uint8Array): Decoded<number> {
  if (frame.length > proxyBytesMax) return bad("proxy-header", "PROXY line longer than 107 bytes");
  const words = String.fromCharCode(...frame.subarray(0, frame.length - 2)).split(" ");
  const [proxy, family, from, to, port, virtualPort] = words;
  if (words.length !== 6 || proxy !== "PROXY" || family !== "TCP6" || to !== "::1") {
    return bad("proxy-header", "not a PROXY TCP6 line");
  }
  if (!isPort(port)) return bad("proxy-header", "bad source port in the PROXY line");
  if (!isPort(virtualPort)) return bad("proxy-header", "bad virtual port in the PROXY line");
  const circuit = circuitOf(from as string);
  if (circuit === undefined) return bad("proxy-header", "the PROXY source is not a circuit");
  return good(circuit);
}

function circuitOf(from: string): number | undefined {
  if (!from.startsWith(source)) return undefined;
  const groups = from.slice(source.length).split(":");
  if (groups.length > 2) return undefined;
  let circuit = 0;
  for (const group of groups) {
    if (!/^[0-9a-f]{1,4}$/.test(group)) return undefined;
    circuit = circuit * 65_536 + Number.parseInt(group, 16);
  }
  return circuit;
}

function isPort(word: string | undefined): boolean {
  return word !== undefined && /^[0-9]{1,5}$/.test(word) && Number(word) <= 65_535;
}

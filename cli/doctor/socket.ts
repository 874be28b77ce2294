/**
 * Why there is no connection to a server of the operator's own.
 * @module
 */

/** In words. */
export function connectFailure(error: NodeJS.ErrnoException): string {
  const code = error.code ?? "unknown";
  switch (code) {
    case "ECONNREFUSED": return "nobody listens there";
    case "ENOENT": return "there is no such socket file";
    case "EACCES": case "EPERM": return "no right to connect there";
    case "ENOTFOUND": case "EAI_AGAIN": return "no machine has this name";
    default: return `no connection: ${code}`;
  }
}

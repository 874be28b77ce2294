/** Placeholder signatures; being written. @module */
import type { Mono } from "../time.ts";
export type Digest = { a: number; b: number };
export function digest(): Digest { return { a: 0, b: 0 }; }
export function fold(_d: Digest, _now: Mono, _event: unknown, _effects: readonly unknown[]): void {}

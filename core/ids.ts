/**
 * Branded ids. A connection id names one connection generation for the whole run and is never
 * reused, so an event that carries an old id can be recognised and dropped.
 * @module
 */
declare const connBrand: unique symbol;

/** One connection generation. The host mints odd ids (accepted), the core even ones (dialled). */
export type ConnId = number & { readonly [connBrand]: true };

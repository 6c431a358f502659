// Pictures made small by the server: a grid needs no whole ones.

/** The longest sides that the server makes, in pixels. */
export type Side = 256 | 512

/** The side for a place of so many CSS pixels on this screen. */
export const sideFor = (pixels: number): Side => (pixels * (globalThis.devicePixelRatio || 1) > 288 ? 512 : 256)

/** An address of a picture with its size asked for. */
export const small = (address: string, side: Side): string => `${address}${address.includes('?') ? '&' : '?'}size=${side}`

// Amounts of the wire are in minor units of their currency (cents), with a fraction where there is one.

/** How many of them a unit of the currency has: 100 of USD, 1 of JPY. */
export const minorUnits = (currency: string): number =>
  10 ** (new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2)

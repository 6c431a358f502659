import { expect, test } from 'vitest'
import { t } from '../texts'

test('amounts are shown in units of their currency, with every digit that they have', () => {
  expect(t.money({ amount: 600, currency_code: 'USD' })).toBe('$6.00')
  expect(t.money({ amount: 2.5, currency_code: 'USD' })).toBe('$0.025')
  expect(t.money({ amount: 600, currency_code: 'JPY' })).toBe('¥600')
})

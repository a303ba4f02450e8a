import { createHash } from 'node:crypto'

/** SHA-256 of what JSON makes of a value, 64 hex digits: equal values have equal ones. */
export const hashOfJson = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

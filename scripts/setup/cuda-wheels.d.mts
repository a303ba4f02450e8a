import type { Gpus } from './gpus.mjs'

export function chooseWheel(
  gpus: Gpus,
  offers: (index: string, build: string) => boolean,
): { cuda: string; index?: string; build?: string } | { why: string; remedy: string }
export function requirementsOf(metadata: string): string[]
export function headerPackages(cuda: string): string[]

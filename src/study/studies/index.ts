/** All studies, in the order of the page. */
import type { Study } from '../study.ts'
import { bestOfN } from './best-of-n.ts'
import { bias } from './bias.ts'
import { dpok } from './dpok.ts'
import { families } from './families.ts'
import { allMethods } from './methods.ts'
import { rewards } from './rewards.ts'
import { supervised } from './supervised.ts'

export const studies: readonly Study[] = [supervised, rewards, dpok, families, bestOfN, bias, allMethods]

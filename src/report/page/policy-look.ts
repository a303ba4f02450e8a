/** How the page tells policies apart: titles, colours and shapes, by their order. */
import { factsOf } from '../../stages.ts'
import { ownNames, type PolicyName } from '../policy-name.ts'
import type { PolicyReport, Report } from '../schema.ts'

type Shape = (typeof shapes)[number]
/** Of trained policies, in turn. */
const shapes = ['triangle', 'diamond', 'triangle down', 'pentagon', 'star', 'hexagon', 'cross'] as const

/** A colour on the light and on the dark page; each is readable on both of its backgrounds. */
export interface Colour {
  readonly className: string
  readonly light: string
  readonly dark: string
}
const own: readonly Colour[] = [
  { className: 'base', light: '#6b7280', dark: '#a3abb5' },
  { className: 'best-of-n', light: '#a97900', dark: '#e3b341' },
]
const ofTrained: readonly Colour[] = [
  { light: '#0f6cb0', dark: '#62b0f0' },
  { light: '#c8500a', dark: '#ff8f4d' },
  { light: '#1a7f45', dark: '#5fd38d' },
  { light: '#7d3fc8', dark: '#bd9bff' },
  { light: '#c01c6e', dark: '#ff86bb' },
  { light: '#0a7d84', dark: '#4fd0d6' },
  { light: '#7a5230', dark: '#d3a77f' },
  { light: '#5f6f00', dark: '#c3d24f' },
].map((colour, i) => ({ className: `policy-${i + 1}`, ...colour }))
export const colours: readonly Colour[] = [...own, ...ofTrained]

export interface PolicyLook {
  readonly title: string
  readonly className: string
  readonly shape: 'circle' | 'square' | Shape
}

/** Of the policies of a report, by name. */
export type Looks = (name: PolicyName) => PolicyLook

export function looksOf({ policies }: Pick<Report, 'policies'>): Looks {
  const trained = policies.filter(({ name }) => !ownNames.includes(name)).map(({ name }) => name)
  return (name) => {
    const title = policyTitle(policies.find((policy) => policy.name === name) ?? { name })
    if (name === 'base') return { title, className: 'base', shape: 'circle' }
    if (name === 'best-of-n') return { title, className: 'best-of-n', shape: 'square' }
    const place = Math.max(0, trained.indexOf(name))
    const { className } = ofTrained[place % ofTrained.length]
    return { title, className, shape: shapes[place % shapes.length] }
  }
}

/** The name as headings write it: `Best-of-4`, `DPOK` of a policy that is named by its algorithm, else the name as it is. */
export function policyTitle({ name, bestOf }: Pick<PolicyReport, 'name' | 'bestOf'>): string {
  if (name === 'base') return 'Base'
  if (name === 'best-of-n') return `Best-of-${bestOf ?? 'n'}`
  return algorithmTitle(name) ?? name
}

/** `DPOK` of `dpok`; undefined of what is no algorithm. */
export const algorithmTitle = (algorithm: string): string | undefined => factsOf(`policy ${algorithm}`)?.title

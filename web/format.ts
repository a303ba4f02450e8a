/** Numbers, times and names as people read them. */
import { settingTitle as settingInEnglish } from '../src/setting-words.ts'
import { stages, stageTitle as stageInEnglish, type StageName } from '../src/stages.ts'
import { speech, texts } from './texts/texts.ts'

export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.round(seconds / 60)
  if (whole < 600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Time that is left, as exactly as it can be known: `40 s`, `2 min`, `1 h 5 min`. */
export function timeLeft(seconds: number): string {
  if (seconds < 55) return `${Math.max(5, Math.ceil(seconds / 5) * 5)} s`
  const minutes = Math.ceil(seconds / 60 - 0.25)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** As the language that is shown writes them. */
export const percent = (share: number, digits = 0): string => speech().percent(share, digits)
export const fixed = (value: number, digits: number): string => speech().fixed(value, digits)
export const figure = (value: number): string => speech().figure(value)
export const ago = (at: string): string => speech().ago(at)

/** All ticks of an axis with as many decimals as their distance needs. */
export function tickText(tick: number, step: number): string {
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9))
  return Math.abs(tick) >= 10_000 ? figure(tick) : fixed(tick, Math.min(6, decimals))
}

const units = ['kB', 'MB', 'GB', 'TB']

/** Sizes in powers of 1000: `5.2 GB`, `85 GB`. */
export function size(bytes: number): string {
  let [value, unit] = [bytes / 1000, 0]
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000
  return `${fixed(value, value < 9.95 ? 1 : 0)} ${units[unit]}`
}

/** `pretrained`, and `uploaded` for those who brought an image, as people say it. */
export function policyTitle(name: string): string {
  const { pretrained, uploaded } = texts().policies
  return name === 'pretrained' ? pretrained : name === 'uploaded' ? uploaded : name
}

/** `Train a reward`; a name of elsewhere as it is. */
export const stageTitle = (stage: string): string =>
  texts().names.stages[stage]?.title ?? (Object.hasOwn(stages, stage) ? stageInEnglish(stage as StageName) : stage)

/** What a stage does. */
export const stageSentence = (stage: StageName): string =>
  texts().names.stages[stage]?.sentence ?? stages[stage].sentence

/** `cuda:0, cuda:1`, `CPU` */
export const deviceTitles = (ids: readonly string[]): string => ids.map((id) => (id === 'cpu' ? 'CPU' : id)).join(', ')

/** `reward_mean` → `Reward mean` */
export const metricTitle = (name: string): string =>
  texts().names.metrics[name] ?? capital(name.replaceAll('_', ' ').replace(/\bkl\b/, 'KL'))

/** Shares, which are read as percentages. */
const shares = /^(alignment|accuracy)(_|$)/
export const isShare = (metric: string): boolean => shares.test(metric)

/** `3.06 nats`, `59.4 %` */
export const withUnit = (metric: string, value: number): string =>
  isShare(metric) ? percent(value, 1) : metric === 'kl' ? `${figure(value)} nats` : figure(value)

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** `KL weight` of `klWeight`. */
export const settingTitle = (field: string): string => texts().settings.labels[field] ?? settingInEnglish(field)

/** What an empty setting means: `pre-trained model`, `none`; else what the model or the machine has for it. */
export function emptySetting(field: string): string {
  const { automatic, empty }: { automatic: string; empty: Readonly<Record<string, string | undefined>> } =
    texts().settings
  return empty[field] ?? automatic
}

/** A reward in another process, maybe on another machine, that is asked over HTTP. */
import { ConfigError, FormatError, RewardError, UnreachableError } from '../../errors.ts'
import { picturesOf, type Picture } from '../../images/png.ts'
import { hashOfJson } from '../../content-hash.ts'
import { tellNote } from '../../notes.ts'
import { tensor } from '../../tensor/create.ts'
import { comparableOf } from '../across-prompts.ts'
import { addressOf, isAddress, type ServerAddress } from '../http/address.ts'
import { askServer, usualPatience, type Patience } from '../http/ask-server.ts'
import type { HttpAnswer } from '../http/http-thread.ts'
import { RewardInfo, ScoreAnswer, tokenVariable } from '../http/protocol.ts'
import type { Reward } from '../reward.ts'
import { plainFeatures } from './plain-features.ts'
import type { RewardKind } from './reward-kind.ts'

export const httpReward: RewardKind = {
  what: 'a reward over HTTP (http://host:port/score)',
  hasNoGradient: true,
  claims: isAddress,
  open: (name) => openHttpReward(name),
}

/** Images in one request, and bytes of their pixels: as PNG in base64 they are hardly ever more than that and a third. */
const [usualImages, mostPixelBytes] = [32, 32e6]

/**
 * Asks the server what it is, and then for scores, a batch at a time; this thread waits for it. It has no gradients, and lets a value
 * function see colours, details and words.
 *
 * @throws {ConfigError} no such address, or one with a password
 * @throws {UnreachableError} nobody answers, or is busy or broken for too long
 * @throws {FormatError} what answers is no reward server
 */
export function openHttpReward(name: string, patience: Patience = usualPatience): Reward {
  const address = addressOf(name)
  const info = askInfo(address, patience)
  if (info === undefined) {
    tellNote(`${name} does not say which reward it is (no ${address.info}): whether it stays the same is not known`)
  }
  const { range, comparable, mostImages = usualImages } = info ?? {}
  const known = info?.sha256 ?? (info === undefined ? undefined : `${info.name} ${info.version ?? ''}`.trim())
  return {
    name,
    sha256: known !== undefined && /^[\w .:[\]-]+$/.test(known) ? known : `http ${hashOfJson(known ?? address.score)}`,
    range: range ?? undefined,
    ...(comparable === comparableOf({ isWithinPrompt: true }) && { isWithinPrompt: true as const }),
    ...(info && { server: info }),
    score(pixels, texts) {
      const pictures = picturesOf(pixels)
      const scores: number[] = []
      while (scores.length < pictures.length) {
        const from = scores.length
        const to = from + batchSize(pictures.slice(from), Math.min(mostImages, usualImages))
        scores.push(...askScores(address, patience, info, pictures.slice(from, to), texts.slice(from, to)))
      }
      return tensor(Float32Array.from(scores))
    },
    ...plainFeatures,
  }
}

function batchSize(pictures: readonly Picture[], most: number): number {
  let bytes = 0
  const over = pictures.findIndex((picture) => (bytes += picture.bytes.length) > mostPixelBytes)
  return Math.max(1, Math.min(most, over < 0 ? pictures.length : over))
}

/** Undefined where it does not tell. */
function askInfo({ info: url }: ServerAddress, patience: Patience): RewardInfo | undefined {
  const answer = askServer(url, patience)
  if ('status' in answer && [404, 405, 501].includes(answer.status)) return undefined
  return contentOf(url, RewardInfo, answer)
}

function askScores(
  { score: url }: ServerAddress,
  patience: Patience,
  info: RewardInfo | undefined,
  pictures: readonly Picture[],
  texts: readonly string[],
): number[] {
  const { scores, errors, sha256 } = contentOf(url, ScoreAnswer, askServer(url, patience, { pictures, texts }))
  if (sha256 !== undefined && info?.sha256 !== undefined && sha256 !== info.sha256) {
    const remedy = 'start it with the reward that this run began with, or begin a new run'
    throw new RewardError({ where: url, expected: `the reward ${info.name}, as before`, received: 'another', remedy })
  }
  const count = (what: string, received: number) =>
    new FormatError({
      where: `${url} ${what}`,
      expected: `one for each of ${texts.length} images`,
      received: String(received),
      remedy: 'mend the server: it answers in the order in which it is asked',
    })
  if (scores.length !== texts.length) throw count('scores', scores.length)
  if (errors !== undefined && errors.length !== texts.length) throw count('errors', errors.length)
  return scores.map((score, i) => {
    const [low, high] = info?.range ?? [-Infinity, Infinity]
    // What float32 cannot hold is not finite either.
    if (score !== null && Number.isFinite(Math.fround(score)) && score >= low && score <= high) return score
    throw new RewardError({
      where: `${url} image ${i + 1} of ${texts.length} ("${texts[i]}")`,
      expected: info?.range ? `a score from ${low} to ${high}` : 'a finite score',
      received: score !== null ? String(score) : (errors?.[i] ?? 'none, and no error'),
      remedy: 'see what the server says of this image',
    })
  })
}

function contentOf<T>(url: string, schema: { safeParse(value: unknown): Parsed<T> }, answer: HttpAnswer): T {
  if ('failure' in answer) {
    const remedy = 'start the server, or check the address; what was done stays, and --resume goes on'
    throw new UnreachableError({
      where: url,
      expected: 'an answer of the reward server',
      received: answer.failure,
      remedy,
    })
  }
  const { status, text } = answer
  if (status === 401 || status === 403) {
    const received = process.env[tokenVariable] ? `status ${status}: another token` : `status ${status} without a token`
    throw new ConfigError({ where: url, expected: 'a server that lets this run in', received, remedy: `put its token into the environment variable ${tokenVariable}` }) // prettier-ignore
  }
  if (status >= 300 && status < 400) {
    const remedy = 'give the address that it leads to, where that is meant'
    throw new FormatError({ where: url, expected: 'an answer', received: `status ${status}: a redirect, which is not followed`, remedy }) // prettier-ignore
  }
  if (status < 200 || status >= 300) {
    const received = `status ${status}: ${text.slice(0, 300)}`
    const fact = { where: url, expected: 'an answer of the reward server', received }
    if (status === 429 || status >= 500) throw new UnreachableError({ ...fact, remedy: 'see what the server says' })
    throw new FormatError({ ...fact, remedy: 'see what the server says; its protocol is in docs/file-formats.md' })
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    const remedy = 'mend the server: JSON has no NaN; null takes its place, with an error'
    throw new FormatError({ where: url, expected: 'JSON', received: (cause as Error).message, remedy, cause })
  }
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  const [{ path, message }] = parsed.error.issues
  const remedy = 'mend the server: its protocol is in docs/file-formats.md'
  throw new FormatError({ where: `${url} ${path.join('.')}`, expected: 'the answer of a reward server', received: message, remedy }) // prettier-ignore
}

type Parsed<T> =
  | { readonly success: true; readonly data: T }
  | {
      readonly success: false
      readonly error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] }
    }

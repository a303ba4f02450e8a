/** Images of strangers and their prompts → scores, and of each that has none why. */
import { FormatError, RewardError, VocabularyError, type AttuneError } from '../../errors.ts'
import { openPicture } from '../../images/foreign-picture.ts'
import { pixelsOf, type Picture } from '../../images/png.ts'
import { noGrad } from '../../tensor/autograd.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { pictureBatches } from '../encoding/picture-batches.ts'
import type { Reward } from '../reward.ts'
import type { ScoreAnswer } from './protocol.ts'

/** Of all pictures of a request. */
const mostPixels = 2 ** 26

/** Scores in the order of the images, and for each that has none the reason. */
export async function scoreImages(
  reward: Reward,
  images: readonly string[],
  texts: readonly string[],
): Promise<ScoreAnswer> {
  const scores = new Array<number | null>(images.length).fill(null)
  const errors = new Array<string | null>(images.length).fill(null)
  const readable: { readonly place: number; readonly picture: Picture }[] = []
  let pixels = 0
  for (const [place, image] of images.entries()) {
    try {
      const picture = await pictureOf(image, mostPixels - pixels)
      pixels += picture.width * picture.height
      readable.push({ place, picture })
    } catch (error) {
      errors[place] = messageOf(error)
    }
  }
  let next = 0
  for (const batch of pictureBatches(readable.map(({ picture }) => picture))) {
    const own = readable.slice(next, (next += batch.length))
    const scored = (some: typeof own) => {
      using _noGrad = noGrad()
      using _scope = tensorScope()
      const given = reward.score(
        pixelsOf(some.map(({ picture }) => picture)),
        some.map(({ place }) => texts[place]),
      )
      for (const [i, score] of given.toArray().entries()) {
        if (Number.isFinite(score)) scores[some[i].place] = score
        else errors[some[i].place] = `expected a finite score, received ${score}`
      }
    }
    try {
      scored(own)
    } catch (error) {
      if (!isOfImages(error)) throw error
      // One of them cannot be scored: the others are, each by itself.
      for (const one of own) {
        try {
          scored([one])
        } catch (reason) {
          errors[one.place] = messageOf(reason)
        }
      }
    }
    // Others are heard in between.
    await new Promise(setImmediate)
  }
  return { scores, ...(errors.some((error) => error !== null) && { errors }), sha256: reward.sha256 }
}

/** No fault of the reward, nor of this machine. */
const isOfImages = (error: unknown): error is AttuneError =>
  error instanceof FormatError || error instanceof VocabularyError || error instanceof RewardError

function messageOf(error: unknown): string {
  if (isOfImages(error)) return error.message
  throw error
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/

/** @throws {FormatError} no PNG that can be read, or one of too many pixels */
async function pictureOf(text: string, most: number): Promise<Picture> {
  const refuse = (received: string, remedy = 'send PNG files in base64') =>
    new FormatError({ where: 'image', expected: 'a PNG in base64', received, remedy })
  if (text === '' || !base64.test(text)) throw refuse(text === '' ? 'nothing' : 'other characters')
  const { kind, metadata, image } = await openPicture(Buffer.from(text, 'base64'), 'image')
  if (kind !== 'png') throw refuse(kind)
  const { width, height } = metadata
  if (width * height > most) throw refuse(`${width} × ${height} pixels, with the others too many`, 'send fewer at once')
  try {
    const { data, info } = await image.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
    return { bytes: new Uint8Array(data), width: info.width, height: info.height }
  } catch (cause) {
    throw refuse(`a broken one (${(cause as Error).message.split('\n')[0].trim()})`)
  }
}

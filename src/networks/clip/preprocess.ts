/** From pixels to what CLIP's image tower takes, as transformers' CLIPImageProcessor. */
import { z } from 'zod'
import { constants } from '../../tensor/create.ts'
import { resizeBicubic } from '../../tensor/functional.ts'
import { tensorScope } from '../../tensor/scope.ts'
import { expectShape } from '../../tensor/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

export interface Preprocessing {
  /** Length of the shorter side after resizing, pixels. */
  readonly shortestSide: number
  /** Side of the square that is cut out of the middle, pixels; at most `shortestSide`. */
  readonly crop: number
  /**
   * Where the square begins where the pixels beside it are odd in number: half of them, rounded down as in transformers, or
   * `even`: to the even number as in torchvision.
   */
  readonly middle?: 'even'
  /** A channel, of values in [0, 1]. */
  readonly mean: readonly [number, number, number]
  readonly deviation: readonly [number, number, number]
}

/** More pixels than any network takes would fill the memory. */
const side = z.int().positive().max(4096)
const channels = z.tuple([z.number(), z.number(), z.number()])
const bicubic = 3
const step = z.literal(true).default(true)

/** What a checkpoint's processor does where its file leaves it out, or where there is no file. */
export const clipDefaults: Preprocessing = {
  shortestSide: 224,
  crop: 224,
  mean: [0.48145466, 0.4578275, 0.40821073],
  deviation: [0.26862954, 0.26130258, 0.27577711],
}

/** `preprocessor_config.json`, in its older and newer forms. Messages are what was expected. */
export const preprocessorConfig = (defaults: Preprocessing) =>
  z
    .looseObject({
      do_resize: step,
      size: z
        .union(
          [side, z.looseObject({ shortest_edge: side }).transform((size) => size.shortest_edge)],
          'a whole number, or {"shortest_edge": …}',
        )
        .default(defaults.shortestSide),
      resample: z.literal(bicubic).default(bicubic),
      do_center_crop: step,
      crop_size: z
        .union(
          [
            side,
            z
              .looseObject({ height: side, width: side })
              .refine(({ height, width }) => height === width)
              .transform((size) => size.height),
          ],
          'a whole number, or {"height": …, "width": …} of a square',
        )
        .default(defaults.crop),
      do_rescale: step,
      rescale_factor: z
        .number()
        .refine((factor) => Math.abs(factor * 255 - 1) < 1e-6, '1/255')
        .default(1 / 255),
      do_normalize: step,
      image_mean: channels.default([...defaults.mean]),
      image_std: channels.default([...defaults.deviation]),
    })
    .refine(({ size, crop_size: crop }) => crop <= size, { path: ['crop_size'], message: 'at most size' })
    .transform((fields): Preprocessing => ({
      shortestSide: fields.size,
      crop: fields.crop_size,
      mean: fields.image_mean,
      deviation: fields.image_std,
    }))
export const PreprocessorConfig = preprocessorConfig(clipDefaults)

/**
 * Resizes the shorter side, cuts out the middle and normalises each channel. The processor works on pictures of bytes,
 * and Pillow rounds to bytes after each of its two passes, along rows and along columns. So does this: where an image
 * is made smaller, two values in ten thousand differ from the processor's, where it is enlarged fewer than one in a
 * hundred, by one level of 255. Without rounding all differ, by 0.3 levels in the mean, and gradients pass: those of the function
 * that is computed, so none where a value is clamped.
 *
 * @param pixels [B, 3, H, W] in [-1, 1]; values beyond are clamped
 * @param rounded to whole levels after each pass
 * @returns [B, 3, crop, crop], float32, on the device of `pixels`
 * @throws {ShapeError}
 */
export function preprocess(
  pixels: Tensor,
  { shortestSide, crop, middle: rounding, mean, deviation }: Preprocessing,
  { rounded }: { readonly rounded: boolean } = { rounded: true },
): Tensor {
  using scope = tensorScope()
  expectShape('pixels', pixels, [-1, 3, -1, -1])
  const [, , height, width] = pixels.shape
  const shorter = Math.min(height, width)
  const longer = Math.trunc((shortestSide * Math.max(height, width)) / shorter)
  const [rows, columns] = height < width ? [shortestSide, longer] : [longer, shortestSide]
  const levels = resizedLevels(pixels, rows, columns, rounded)
  const [top, left] = [rows - crop, columns - crop].map((rest) => beginning(rest, rounding))
  const middle = levels.slice(2, top, top + crop).slice(3, left, left + crop)
  return scope.keep(normalised(middle, { mean, deviation }))
}

function beginning(rest: number, rounding: Preprocessing['middle']): number {
  const half = Math.floor(rest / 2)
  return rounding === 'even' && rest % 4 === 3 ? half + 1 : half
}

/** As {@link preprocess}, of an image that is stretched to a square and not cut. @returns [B, 3, side, side] */
export function preprocessSquare(
  pixels: Tensor,
  side: number,
  channels: Pick<Preprocessing, 'mean' | 'deviation'>,
): Tensor {
  using scope = tensorScope()
  expectShape('pixels', pixels, [-1, 3, -1, -1])
  return scope.keep(normalised(resizedLevels(pixels, side, side, true), channels))
}

/** Levels 0 … 255 of pixels in another size. */
function resizedLevels(pixels: Tensor, rows: number, columns: number, rounded: boolean): Tensor {
  const [, , height, width] = pixels.shape
  const bounded = rounded ? wholeLevels : (each: Tensor) => each.clamp(0, 255)
  const levels = bounded(pixels.to('float32').add(1).mul(127.5))
  if (height === rows && width === columns) return levels
  return bounded(resizeBicubic(bounded(resizeBicubic(levels, height, columns)), rows, columns))
}

function normalised(levels: Tensor, { mean, deviation }: Pick<Preprocessing, 'mean' | 'deviation'>): Tensor {
  const perChannel = (values: readonly number[]) => constants(values, [3, 1, 1], levels.device)
  return levels.div(255).sub(perChannel(mean)).div(perChannel(deviation))
}

/** The nearest whole numbers 0 … 255, halves upward. */
function wholeLevels(levels: Tensor): Tensor {
  return levels.add(0.5).clamp(0, 255).to('uint8').to('float32')
}
